// SPDX-License-Identifier: Apache-2.0

package classify_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/classify"
)

// A request is what a test sends, with the owner 111122223333 in us-east-1, which the service calls 123456789012.
type request struct {
	service, method, target, media, body string // target: path and query, or of the JSON protocols X-Amz-Target
	header                               []string
}

const (
	jsonMedia = "application/x-amz-json-1.0"
	formMedia = "application/x-www-form-urlencoded; charset=utf-8"
)

func dynamo(op, body string) request {
	return request{service: "dynamodb", target: "DynamoDB_20120810." + op, media: jsonMedia, body: body}
}

func (r request) classify() (*classify.Result, error) {
	c := &classify.Request{Method: r.method, Path: "/", Body: []byte(r.body), Header: make(http.Header),
		Service: r.service, Region: "us-east-1", Account: "111122223333", Aliases: []string{"123456789012"}}
	if c.Method == "" {
		c.Method = "POST"
	}
	if r.media != "" {
		c.Header.Set("Content-Type", r.media)
	}
	if strings.HasPrefix(r.target, "/") {
		c.Path, c.Query, _ = strings.Cut(r.target, "?")
	} else if r.target != "" {
		c.Header.Set("X-Amz-Target", r.target)
	}
	for _, h := range r.header {
		name, value, _ := strings.Cut(h, ": ")
		c.Header[name] = append(c.Header[name], value)
	}
	return classify.Classify(c)
}

// shown is the checks as "action resource", without the parts of ARNs that are the same in all tests.
func shown(checks []classify.Check) string {
	var all []string
	for _, c := range checks {
		all = append(all, c.Action+" "+strings.Replace(c.Resource, "us-east-1:111122223333", "HERE", 1))
	}
	return strings.Join(all, "; ")
}

func TestClassify(t *testing.T) {
	sqs := func(op, body string) request {
		return request{service: "sqs", target: "AmazonSQS." + op, media: jsonMedia, body: body}
	}
	kms := func(op, body string) request {
		return request{service: "kms", target: "TrentService." + op, media: "application/x-amz-json-1.1", body: body}
	}
	secrets := func(op, body string) request {
		return request{service: "secretsmanager", target: "secretsmanager." + op, media: "application/x-amz-json-1.1", body: body}
	}
	other := func(service, target, body string) request {
		return request{service: service, target: target, media: "application/x-amz-json-1.1", body: body}
	}
	form := func(service, body string) request {
		return request{service: service, media: formMedia, body: body}
	}
	lambda := func(method, target, body string) request {
		return request{service: "lambda", method: method, target: target, media: "application/json", body: body}
	}
	cbor := func(op, body string) request {
		return request{service: "monitoring", target: "/service/GraniteServiceVersion20100801/operation/" + op, media: "application/cbor", body: body,
			header: []string{"Smithy-Protocol: rpc-v2-cbor"}}
	}
	for _, test := range []struct {
		name string
		request
		op, want string
	}{
		{"table-by-name", dynamo("GetItem", `{"TableName":"music","Key":{"id":{"S":"1"}}}`), "GetItem", "dynamodb:GetItem arn:aws:dynamodb:HERE:table/music"},
		{"table-by-arn", dynamo("PutItem", `{"TableName":"arn:aws:dynamodb:us-east-1:111122223333:table/music"}`), "PutItem", "dynamodb:PutItem arn:aws:dynamodb:HERE:table/music"},
		{"arn-with-the-emulators-account", dynamo("PutItem", `{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/music"}`), "PutItem", "dynamodb:PutItem arn:aws:dynamodb:HERE:table/music"},
		{"query-of-an-index", dynamo("Query", `{"TableName":"music","IndexName":"by-year"}`), "Query", "dynamodb:Query arn:aws:dynamodb:HERE:table/music/index/by-year"},
		{"query-of-a-table", dynamo("Query", `{"TableName":"music"}`), "Query", "dynamodb:Query arn:aws:dynamodb:HERE:table/music"},
		{"query-of-an-index-of-a-table-by-arn", dynamo("Query", `{"TableName":"arn:aws:dynamodb:us-east-1:111122223333:table/music","IndexName":"by-year"}`), "Query", "dynamodb:Query arn:aws:dynamodb:HERE:table/music/index/by-year"},
		{"batch-of-two-tables", dynamo("BatchGetItem", `{"RequestItems":{"a":{"Keys":[]},"b":{"Keys":[]}}}`), "BatchGetItem", "dynamodb:BatchGetItem arn:aws:dynamodb:HERE:table/a; dynamodb:BatchGetItem arn:aws:dynamodb:HERE:table/b"},
		{"transaction-with-an-action-per-item", dynamo("TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"a"}},{"Delete":{"TableName":"b"}},{"Put":{"TableName":"a"}}]}`), "TransactWriteItems", "dynamodb:DeleteItem arn:aws:dynamodb:HERE:table/b; dynamodb:PutItem arn:aws:dynamodb:HERE:table/a"},
		{"reading-transaction", dynamo("TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"a"}}]}`), "TransactGetItems", "dynamodb:GetItem arn:aws:dynamodb:HERE:table/a"},
		{"quirk-Q143-statement-in-partiql", dynamo("ExecuteStatement", `{"Statement":"  select * from music"}`), "ExecuteStatement", "dynamodb:PartiQLSelect arn:aws:dynamodb:HERE:table/*"},
		{"quirk-Q143-records-by-iterator", request{service: "dynamodb", target: "DynamoDBStreams_20120810.GetRecords", media: jsonMedia, body: `{"ShardIterator":"x"}`}, "GetRecords", "dynamodb:GetRecords arn:aws:dynamodb:HERE:table/*/stream/*"},
		{"batch-of-nothing", dynamo("BatchGetItem", `{"RequestItems":{}}`), "BatchGetItem", "dynamodb:BatchGetItem arn:aws:dynamodb:HERE:table/*"},
		{"no-resource", dynamo("ListTables", `{}`), "ListTables", "dynamodb:ListTables *"},
		{"escaped-member-name", dynamo("GetItem", `{"\u0054ableName":"music"}`), "GetItem", "dynamodb:GetItem arn:aws:dynamodb:HERE:table/music"},

		{"queue-by-url", sqs("SendMessage", `{"QueueUrl":"http://127.0.0.1:5000/123456789012/jobs"}`), "SendMessage", "sqs:SendMessage arn:aws:sqs:HERE:jobs"},
		{"batch-has-the-action-of-one", sqs("SendMessageBatch", `{"QueueUrl":"http://127.0.0.1:5000/123456789012/jobs"}`), "SendMessageBatch", "sqs:SendMessage arn:aws:sqs:HERE:jobs"},
		{"queue-by-name", sqs("CreateQueue", `{"QueueName":"jobs.fifo"}`), "CreateQueue", "sqs:CreateQueue arn:aws:sqs:HERE:jobs.fifo"},
		{"queue-in-a-form", form("sqs", "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2F123456789012%2Fjobs"), "ReceiveMessage", "sqs:ReceiveMessage arn:aws:sqs:HERE:jobs"},
		{"queue-by-the-path", request{service: "sqs", target: "/123456789012/jobs", media: formMedia, body: "Action=ReceiveMessage&Version=2012-11-05"}, "ReceiveMessage", "sqs:ReceiveMessage arn:aws:sqs:HERE:jobs"},

		{"topic", form("sns", "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Anews&Message=x"), "Publish", "sns:Publish arn:aws:sns:HERE:news"},
		{"publish-to-a-phone", form("sns", "Action=Publish&Version=2010-03-31&PhoneNumber=%2B1&Message=x"), "Publish", "sns:Publish *"},
		{"subscription-is-judged-by-its-topic", form("sns", "Action=Unsubscribe&Version=2010-03-31&SubscriptionArn=arn:aws:sns:us-east-1:123456789012:news:0b1c"), "Unsubscribe", "sns:Unsubscribe arn:aws:sns:HERE:news"},

		{"key-by-id", kms("Encrypt", `{"KeyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}`), "Encrypt", "kms:Encrypt arn:aws:kms:HERE:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
		{"quirk-Q141-key-by-alias", kms("Encrypt", `{"KeyId":"alias/main"}`), "Encrypt", "kms:Encrypt arn:aws:kms:HERE:key/*"},
		{"key-that-only-the-ciphertext-names", kms("Decrypt", `{"CiphertextBlob":"eA=="}`), "Decrypt", "kms:Decrypt arn:aws:kms:HERE:key/*"},
		{"two-keys", kms("ReEncrypt", `{"SourceKeyId":"a","DestinationKeyId":"b"}`), "ReEncrypt", "kms:ReEncryptFrom arn:aws:kms:HERE:key/a; kms:ReEncryptTo arn:aws:kms:HERE:key/b"},

		{"quirk-Q141-secret-by-name", secrets("GetSecretValue", `{"SecretId":"prod/db"}`), "GetSecretValue", "secretsmanager:GetSecretValue arn:aws:secretsmanager:HERE:secret:prod/db-??????"},
		{"secret-by-arn", secrets("GetSecretValue", `{"SecretId":"arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db-a1b2C3"}`), "GetSecretValue", "secretsmanager:GetSecretValue arn:aws:secretsmanager:HERE:secret:prod/db-a1b2C3"},
		{"secret-by-arn-without-suffix", secrets("GetSecretValue", `{"SecretId":"arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db"}`), "GetSecretValue", "secretsmanager:GetSecretValue arn:aws:secretsmanager:HERE:secret:prod/db-??????"},

		{"parameter", other("ssm", "AmazonSSM.GetParameter", `{"Name":"/app/db:3"}`), "GetParameter", "ssm:GetParameter arn:aws:ssm:HERE:parameter/app/db"},
		{"parameters", other("ssm", "AmazonSSM.GetParameters", `{"Names":["/app/a","b"]}`), "GetParameters", "ssm:GetParameters arn:aws:ssm:HERE:parameter/app/a; ssm:GetParameters arn:aws:ssm:HERE:parameter/b"},
		{"stream-by-name-and-arn", other("kinesis", "Kinesis_20131202.PutRecord", `{"StreamName":"a","StreamARN":"arn:aws:kinesis:us-east-1:111122223333:stream/b"}`), "PutRecord", "kinesis:PutRecord arn:aws:kinesis:HERE:stream/b; kinesis:PutRecord arn:aws:kinesis:HERE:stream/a"},
		{"quirk-Q142-log-group", other("logs", "Logs_20140328.CreateLogGroup", `{"logGroupName":"/app"}`), "CreateLogGroup", "logs:CreateLogGroup arn:aws:logs:HERE:log-group:/app:log-stream:"},
		{"log-stream", other("logs", "Logs_20140328.PutLogEvents", `{"logGroupName":"/app","logStreamName":"1"}`), "PutLogEvents", "logs:PutLogEvents arn:aws:logs:HERE:log-group:/app:log-stream:1"},
		{"rule-on-the-default-bus", other("events", "AWSEvents.PutRule", `{"Name":"r","EventBusName":"default"}`), "PutRule", "events:PutRule arn:aws:events:HERE:rule/r"},
		{"rule-on-a-bus-that-passes-a-role", other("events", "AWSEvents.PutRule", `{"Name":"r","EventBusName":"b","RoleArn":"arn:aws:iam::111122223333:role/x"}`), "PutRule", "events:PutRule arn:aws:events:HERE:rule/b/r; iam:PassRole arn:aws:iam::111122223333:role/x"},
		{"entries-name-their-bus-or-none", other("events", "AWSEvents.PutEvents", `{"Entries":[{"Source":"x"},{"EventBusName":"b"}]}`), "PutEvents", "events:PutEvents arn:aws:events:HERE:event-bus/default; events:PutEvents arn:aws:events:HERE:event-bus/b"},
		{"repository", other("ecr", "AmazonEC2ContainerRegistry_V20150921.ListImages", `{"repositoryName":"team/app","registryId":"111122223333"}`), "ListImages", "ecr:ListImages arn:aws:ecr:HERE:repository/team/app"},

		{"alarms-in-a-form", form("monitoring", "Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=a&AlarmNames.member.2=b"), "DeleteAlarms", "cloudwatch:DeleteAlarms arn:aws:cloudwatch:HERE:alarm:a; cloudwatch:DeleteAlarms arn:aws:cloudwatch:HERE:alarm:b"},
		{"alarms-in-cbor", cbor("DeleteAlarms", "\xa1\x6aAlarmNames\x82\x61a\x61b"), "DeleteAlarms", "cloudwatch:DeleteAlarms arn:aws:cloudwatch:HERE:alarm:a; cloudwatch:DeleteAlarms arn:aws:cloudwatch:HERE:alarm:b"},
		{"alarms-in-cbor-of-indefinite-length", cbor("DeleteAlarms", "\xbf\x6aAlarmNames\x9f\x61a\xff\xff"), "DeleteAlarms", "cloudwatch:DeleteAlarms arn:aws:cloudwatch:HERE:alarm:a"},
		{"no-alarm-means-any", cbor("DescribeAlarms", "\xa0"), "DescribeAlarms", "cloudwatch:DescribeAlarms arn:aws:cloudwatch:HERE:alarm:*"},

		{"instances", form("ec2", "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1&InstanceId.2=i-2"), "StopInstances", "ec2:StopInstances arn:aws:ec2:HERE:instance/i-1; ec2:StopInstances arn:aws:ec2:HERE:instance/i-2"},

		{"function", lambda("POST", "/2015-03-31/functions/resize/invocations", "payload"), "Invoke", "lambda:InvokeFunction arn:aws:lambda:HERE:function:resize"},
		{"function-with-a-qualifier", lambda("POST", "/2015-03-31/functions/resize/invocations?Qualifier=live", ""), "Invoke", "lambda:InvokeFunction arn:aws:lambda:HERE:function:resize:live"},
		{"function-by-arn", lambda("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Aresize%3Alive/invocations", ""), "Invoke", "lambda:InvokeFunction arn:aws:lambda:HERE:function:resize:live"},
		{"function-by-partial-arn", lambda("GET", "/2015-03-31/functions/123456789012:function:resize", ""), "GetFunction", "lambda:GetFunction arn:aws:lambda:HERE:function:resize"},
		{"new-function-and-its-role", lambda("POST", "/2015-03-31/functions", `{"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/x"}`), "CreateFunction", "lambda:CreateFunction arn:aws:lambda:HERE:function:f; iam:PassRole arn:aws:iam::111122223333:role/x"},
		{"functions", lambda("GET", "/2015-03-31/functions/", ""), "ListFunctions", "lambda:ListFunctions *"},
		{"layer-version", lambda("GET", "/2018-10-31/layers/l/versions/3", ""), "GetLayerVersion", "lambda:GetLayerVersion arn:aws:lambda:HERE:layer:l:3"},
		{"operation-by-a-literal-of-the-query", lambda("GET", "/2018-10-31/layers?find=LayerVersion&Arn=arn:aws:lambda:us-east-1:123456789012:layer:l:3", ""), "GetLayerVersionByArn", "lambda:GetLayerVersion arn:aws:lambda:HERE:layer:l:3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.classify()
			if err != nil {
				t.Fatalf("Classify = %v", err)
			}
			if shown(got.Checks) != test.want || got.Operation != test.op {
				t.Errorf("Classify = %s: %s, want %s: %s", got.Operation, shown(got.Checks), test.op, test.want)
			}
		})
	}
}

// A refusal is a request that another server could read in another way, or that is not known.
type refusal struct {
	name string
	request
	code classify.Code
	want string // in the error
}

func refuse(t *testing.T, all []refusal) {
	for _, test := range all {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.classify()
			if err == nil {
				t.Fatalf("Classify = %s: %s, want an error", got.Operation, shown(got.Checks))
			}
			e := err.(*classify.Error)
			if e.Code != test.code || !strings.Contains(e.Reason, test.want) {
				t.Errorf("Classify = %v (code %d), want code %d and %q", err, e.Code, test.code, test.want)
			}
			if e.Service != test.service {
				t.Errorf("the error's service is %q, want %q", e.Service, test.service)
			}
		})
	}
}

func inForm(service, body string) request {
	return request{service: service, media: formMedia, body: body}
}

func with(r request, header ...string) request {
	r.header = header
	return r
}

func TestRefused(t *testing.T) {
	get := `{"TableName":"a"}`
	at := func(r request, method, media string) request { r.method, r.media = method, media; return r }
	refuse(t, []refusal{
		{"unknown-service", request{service: "nosuch"}, classify.Unknown, "service"},
		{"identity-and-access-management", inForm("iam", "Action=ListUsers&Version=2010-05-08"), classify.Unknown, "service"},
		{"unknown-operation", dynamo("DropEverything", get), classify.Unknown, "DropEverything"},
		{"operation-of-another-target", request{service: "dynamodb", target: "DynamoDBStreams_20120810.GetItem", media: jsonMedia, body: get}, classify.Unknown, "GetItem"},
		{"operation-in-another-letter-case", dynamo("getitem", get), classify.Unknown, "getitem"},
		{"member-given-twice", dynamo("GetItem", `{"TableName":"a","TableName":"b"}`), classify.Malformed, "twice"},
		{"member-given-twice-by-an-escape", dynamo("GetItem", `{"TableName":"a","\u0054ableName":"b"}`), classify.Malformed, "twice"},
		{"member-given-twice-deep-inside", dynamo("GetItem", `{"TableName":"a","Key":{"k":{"S":"1","S":"2"}}}`), classify.Malformed, "twice"},
		{"member-in-another-letter-case", dynamo("GetItem", `{"TableName":"a","tablename":"b"}`), classify.Malformed, "tablename"},
		{"only-member-in-another-letter-case", dynamo("GetItem", `{"TABLENAME":"b"}`), classify.Malformed, "TABLENAME"},
		{"member-with-a-long-s", request{service: "ssm", target: "AmazonSSM.GetParameters", media: jsonMedia, body: `{"Names":["a"],"Name\u017f":["b"]}`}, classify.Malformed, "spelt"},
		{"name-that-is-a-number", dynamo("GetItem", `{"TableName":7}`), classify.Malformed, "TableName"},
		{"name-with-a-slash", dynamo("GetItem", `{"TableName":"a/index/b"}`), classify.Malformed, "a/index/b"},
		{"name-with-a-wildcard", dynamo("GetItem", `{"TableName":"*"}`), classify.Malformed, "*"},
		{"name-with-a-space-around-it", dynamo("GetItem", `{"TableName":" a"}`), classify.Malformed, "TableName"},
		{"empty-name", dynamo("GetItem", `{"TableName":""}`), classify.Malformed, "TableName"},
		{"arn-of-another-type", dynamo("GetItem", `{"TableName":"arn:aws:dynamodb:us-east-1:111122223333:table/a/index/b"}`), classify.Malformed, "ARN"},
		{"arn-of-another-account", dynamo("GetItem", `{"TableName":"arn:aws:dynamodb:us-east-1:999999999999:table/a"}`), classify.Foreign, "999999999999"},
		{"arn-of-another-region", dynamo("GetItem", `{"TableName":"arn:aws:dynamodb:eu-west-1:111122223333:table/a"}`), classify.Foreign, "eu-west-1"},
		{"anything-after-the-body", dynamo("GetItem", get+get), classify.Malformed, "JSON"},
		{"list-as-the-body", dynamo("GetItem", `[]`), classify.Malformed, "object"},
		{"half-a-surrogate-pair", dynamo("GetItem", `{"TableName":"\ud800"}`), classify.Malformed, "JSON"},
		{"bytes-that-are-not-text", dynamo("GetItem", "{\"TableName\":\"\xff\"}"), classify.Malformed, "UTF-8"},
		{"too-deep", dynamo("GetItem", strings.Repeat(`{"a":`, 200)+"1"+strings.Repeat("}", 200)), classify.Malformed, "deep"},
		{"byte-order-mark", dynamo("GetItem", "\ufeff"+get), classify.Malformed, "JSON"},
		{"get", at(dynamo("GetItem", get), "GET", jsonMedia), classify.Malformed, "POST"},
		{"json-that-says-it-is-a-form", at(dynamo("GetItem", get), "POST", formMedia), classify.Malformed, "Content-Type"},
		{"json-in-another-character-set", at(dynamo("GetItem", get), "POST", jsonMedia+"; charset=utf-16"), classify.Malformed, "Content-Type"},
		{"two-targets", with(dynamo("GetItem", get), "X-Amz-Target: DynamoDB_20120810.DeleteTable"), classify.Malformed, "twice"},
		{"target-spelt-with-underscores", with(dynamo("GetItem", get), "X_amz_target: DynamoDB_20120810.DeleteTable"), classify.Malformed, "underscore"},
		{"another-method-by-a-header", with(dynamo("GetItem", get), "X-Http-Method-Override: DELETE"), classify.Malformed, "Override"},
		{"compressed-body", with(dynamo("GetItem", get), "Content-Encoding: gzip"), classify.Malformed, "gzip"},
		{"two-protocols", with(dynamo("GetItem", get), "Smithy-Protocol: rpc-v2-cbor"), classify.Malformed, "two protocols"},
		{"query-that-names-another-operation", with(request{service: "dynamodb", target: "/?Action=DeleteTable", media: jsonMedia, body: get}, "X-Amz-Target: DynamoDB_20120810.GetItem"), classify.Malformed, "URL"},
		{"path-that-is-not-the-root", with(request{service: "dynamodb", target: "/tables", media: jsonMedia, body: get}, "X-Amz-Target: DynamoDB_20120810.GetItem"), classify.Malformed, "path"},
		{"transaction-of-nothing", dynamo("TransactWriteItems", `{"TransactItems":[]}`), classify.Malformed, "nothing"},
		{"statement-of-another-kind", dynamo("ExecuteStatement", `{"Statement":"/* select */ delete from a"}`), classify.Unknown, "begins with"},
	})
}

func TestRefusedOfOtherProtocols(t *testing.T) {
	invoke := "/2015-03-31/functions/f/invocations"
	sqs := func(body string) request {
		return request{service: "sqs", target: "AmazonSQS.SendMessage", media: jsonMedia, body: body}
	}
	refuse(t, []refusal{
		{"parameter-given-twice", inForm("sns", "Action=Publish&Version=2010-03-31&TopicArn=a&TopicArn=b"), classify.Malformed, "twice"},
		{"two-actions", inForm("sns", "Action=ListTopics&Action=DeleteTopic&Version=2010-03-31"), classify.Malformed, "twice"},
		{"action-in-another-letter-case", inForm("sns", "Action=ListTopics&action=DeleteTopic&Version=2010-03-31"), classify.Malformed, "action"},
		{"another-version", inForm("sns", "Action=ListTopics&Version=2009-03-31"), classify.Unknown, "ListTopics"},
		{"no-action", inForm("sns", "Version=2010-03-31"), classify.Malformed, "Action"},
		{"semicolons", inForm("sns", "Action=ListTopics;Action=DeleteTopic&Version=2010-03-31"), classify.Malformed, "cannot be read"},
		{"bad-escape", inForm("sns", "Action=List%5opics&Version=2010-03-31"), classify.Malformed, "cannot be read"},
		{"list-in-two-forms", inForm("monitoring", "Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=a&AlarmNames.1=b"), classify.Malformed, "AlarmNames"},
		{"list-that-is-not-numbered", inForm("monitoring", "Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.01=a"), classify.Malformed, "01"},
		{"presigned-query", request{service: "sns", method: "GET", target: "/?Action=ListTopics&Version=2010-03-31"}, classify.Malformed, "POST"},

		{"queue-of-another-account", sqs(`{"QueueUrl":"http://h/999999999999/jobs"}`), classify.Foreign, "999999999999"},
		{"queue-url-with-dots", sqs(`{"QueueUrl":"http://h/123456789012/a/../b"}`), classify.Malformed, "URL"},
		{"queue-url-with-a-query", sqs(`{"QueueUrl":"http://h/123456789012/a?b"}`), classify.Malformed, "URL"},
		{"queue-of-the-path-and-another", request{service: "sqs", target: "/123456789012/a", media: formMedia, body: "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=http://h/123456789012/b"}, classify.Malformed, "QueueUrl"},
		{"owner-of-another-account", request{service: "sqs", target: "AmazonSQS.GetQueueUrl", media: jsonMedia, body: `{"QueueName":"a","QueueOwnerAWSAccountId":"999999999999"}`}, classify.Foreign, "999999999999"},

		{"target-for-a-rest-service", with(request{service: "lambda", target: invoke}, "X-Amz-Target: x.y"), classify.Malformed, "REST"},
		{"unknown-address", request{service: "lambda", target: "/2015-03-31/nothing"}, classify.Unknown, "address"},
		{"path-with-dots", request{service: "lambda", target: "/2015-03-31/functions/a/../f/invocations"}, classify.Malformed, ".."},
		{"path-with-encoded-dots", request{service: "lambda", target: "/2015-03-31/functions/%2e%2e/invocations"}, classify.Malformed, ".."},
		{"path-that-is-encoded-twice", request{service: "lambda", target: "/2015-03-31/functions/%2566/invocations"}, classify.Malformed, "%25"},
		{"path-with-an-empty-segment", request{service: "lambda", target: "/2015-03-31//functions/f/invocations"}, classify.Malformed, "path"},
		{"path-that-is-another-once-decoded", request{service: "lambda", method: "GET", target: "/2015-03-31/functions/f%2Fpolicy"}, classify.Malformed, "once decoded"},
		{"path-with-a-zero-byte", request{service: "lambda", target: "/2015-03-31/functions/f%00/invocations"}, classify.Malformed, "%00"},
		{"two-qualifiers", request{service: "lambda", target: invoke + "?Qualifier=a&Qualifier=b"}, classify.Malformed, "twice"},
		{"qualifier-in-another-letter-case", request{service: "lambda", target: invoke + "?qualifier=a"}, classify.Malformed, "qualifier"},
		{"two-different-qualifiers", request{service: "lambda", target: "/2015-03-31/functions/f:a/invocations?Qualifier=b"}, classify.Malformed, "Qualifier"},
		{"function-of-another-account", request{service: "lambda", target: "/2015-03-31/functions/999999999999:function:f/invocations"}, classify.Foreign, "999999999999"},

		{"cbor-key-given-twice", request{service: "monitoring", target: "/service/GraniteServiceVersion20100801/operation/DeleteAlarms", media: "application/cbor",
			body: "\xa2\x6aAlarmNames\x80\x6aAlarmNames\x81\x61b", header: []string{"Smithy-Protocol: rpc-v2-cbor"}}, classify.Malformed, "twice"},
		{"cbor-text-in-pieces", request{service: "monitoring", target: "/service/GraniteServiceVersion20100801/operation/DeleteAlarms", media: "application/cbor",
			body: "\xa1\x7f\x61A\xff\x80", header: []string{"Smithy-Protocol: rpc-v2-cbor"}}, classify.Malformed, "CBOR"},
		{"cbor-cut-short", request{service: "monitoring", target: "/service/GraniteServiceVersion20100801/operation/DeleteAlarms", media: "application/cbor",
			body: "\xbb\xff\xff\xff\xff\xff\xff\xff\xff", header: []string{"Smithy-Protocol: rpc-v2-cbor"}}, classify.Malformed, "CBOR"},
	})
}

func TestConditionKeys(t *testing.T) {
	r := request{service: "secretsmanager", target: "secretsmanager.CreateSecret", media: jsonMedia, body: `{"Name":"n","Tags":[{"Key":"team","Value":"blue"}]}`}
	got, err := r.classify()
	if err != nil {
		t.Fatal(err)
	}
	c := got.Checks[0]
	if c.Keys["aws:RequestTag/team"] != "blue" || c.Keys["secretsmanager:Name"] != "n" || !slices.Equal(c.Lists["aws:TagKeys"], []string{"team"}) {
		t.Errorf("CreateSecret has the keys %v and %v", c.Keys, c.Lists)
	}
	if !slices.Contains(c.Untold, "aws:ResourceTag/${TagKey}") || slices.Contains(c.Untold, "aws:RequestTag/${TagKey}") {
		t.Errorf("CreateSecret does not tell %v", c.Untold)
	}

	got, err = dynamo("Query", `{"TableName":"a","Select":"COUNT"}`).classify()
	if err != nil {
		t.Fatal(err)
	}
	c = got.Checks[0]
	if c.Keys["dynamodb:Select"] != "COUNT" || !slices.Contains(c.Untold, "dynamodb:LeadingKeys") || slices.Contains(c.Untold, "dynamodb:Select") {
		t.Errorf("Query has the keys %v and does not tell %v", c.Keys, c.Untold)
	}
	if !got.ReadOnly {
		t.Error("Query is not read-only")
	}
	if got, _ := dynamo("PutItem", `{"TableName":"a"}`).classify(); got.ReadOnly {
		t.Error("PutItem is read-only")
	}
	if got, _ := dynamo("TagResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:111122223333:table/a","Tags":[{"Key":"a","Value":"1"},{"Key":"a","Value":"2"}]}`).classify(); got != nil {
		t.Error("a tag that is given twice is taken")
	}
}

func BenchmarkClassify(b *testing.B) {
	for name, r := range map[string]request{
		"protocol=json":  dynamo("GetItem", `{"TableName":"music","Key":{"id":{"S":"1"}},"ConsistentRead":true}`),
		"protocol=query": {service: "sns", media: formMedia, body: "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Anews&Message=hello"},
		"protocol=rest":  {service: "lambda", target: "/2015-03-31/functions/resize/invocations", body: "payload"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.classify(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestVague(t *testing.T) {
	for _, test := range []struct {
		name string
		request
		want bool
	}{
		{"a-table", dynamo("GetItem", `{"TableName":"a"}`), false},
		{"an-action-without-resources", dynamo("ListTables", `{}`), false},
		{"any-table", dynamo("ExecuteStatement", `{"Statement":"select 1"}`), true},
		{"a-suffix", request{service: "secretsmanager", target: "secretsmanager.GetSecretValue", media: jsonMedia, body: `{"SecretId":"a"}`}, true},
		{"a-phone", request{service: "sns", media: formMedia, body: "Action=Publish&Version=2010-03-31&PhoneNumber=1"}, false},
		{"a-resource-that-nobody-bound", request{service: "ec2", media: formMedia, body: "Action=RunInstances&Version=2016-11-15&ImageId=ami-1"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.classify()
			if err != nil {
				t.Fatal(err)
			}
			if c := got.Checks[len(got.Checks)-1]; c.Vague != test.want {
				t.Errorf("%s: Vague = %v, want %v", shown(got.Checks), c.Vague, test.want)
			}
		})
	}
}
