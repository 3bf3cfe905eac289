// SPDX-License-Identifier: Apache-2.0

package awsgate_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/awsgate"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

const here = "us-east-1:" + iamtest.Account

const (
	getMusic  = `{"TableName":"music","Key":{"id":{"S":"1"}}}`
	getSecret = `{"TableName":"secret","Key":{"id":{"S":"1"}}}`
)

func TestAllowedPerResource(t *testing.T) {
	w := start(t)
	ann := w.User("ann", policyText(
		`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:BatchGetItem"],"Resource":"arn:aws:dynamodb:`+here+`:table/music"}`,
		`{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:`+here+`:jobs"}`,
		`{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:`+here+`:function:resize"}`,
		`{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:`+here+`:secret:app/*"}`))
	secret := func(id string) call {
		return call{service: "secretsmanager", target: "secretsmanager.GetSecretValue", media: "application/x-amz-json-1.1", body: `{"SecretId":"` + id + `"}`}
	}
	for _, test := range []struct {
		name string
		call
		allowed bool
	}{
		{"a-table", dynamo("GetItem", getMusic), true},
		{"another-table", dynamo("GetItem", getSecret), false},
		{"another-action-on-the-table", dynamo("DeleteItem", getMusic), false},
		{"a-batch", dynamo("BatchGetItem", `{"RequestItems":{"music":{}}}`), true},
		{"a-batch-with-another-table", dynamo("BatchGetItem", `{"RequestItems":{"music":{},"secret":{}}}`), false},
		{"a-queue", form("sqs", "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2F123456789012%2Fjobs&MessageBody=x"), true},
		{"another-queue", form("sqs", "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2F123456789012%2Fother&MessageBody=x"), false},
		{"a-function", call{service: "lambda", path: "/2015-03-31/functions/resize/invocations", body: "\x00payload"}, true},
		{"another-function", call{service: "lambda", path: "/2015-03-31/functions/other/invocations", body: "payload"}, false},
		{"a-secret-by-name", secret("app/db"), true},
		{"another-secret", secret("root"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			status := 200
			if !test.allowed {
				status = 400
				if test.service == "sqs" {
					status = 403
				}
			}
			w.t = t
			if r := w.want(ann, test.call, status, test.allowed); test.allowed && r.body != `{"answer":1}` {
				t.Errorf("the answer is %q, not the service's", r.body)
			}
			rec := w.last()
			if got := rec.Decision.Outcome == audit.Allow; got != test.allowed || rec.EventSource != test.service+".amazonaws.com" || len(rec.Resources) == 0 {
				t.Errorf("the record is %+v", rec)
			}
		})
	}
}

// TestForwarded compares what arrives with what was sent.
func TestForwarded(t *testing.T) {
	w := start(t)
	c := dynamo("PutItem", `{"TableName":"music", "Item":{}}`)
	c.header = []string{"X-Amz-User-Agent: test", "Cookie: a=b", "X-Forwarded-For: 1.2.3.4"}
	r := w.send(w.Admin(), c)
	if r.status != 200 || r.header.Get("X-Amzn-Requestid") == "the-service's" {
		t.Errorf("answer %d with the headers %v", r.status, r.header)
	}
	all := w.back.take()
	if len(all) != 1 {
		t.Fatalf("%d requests arrived", len(all))
	}
	got := all[0]
	if got.body != c.body || got.RequestURI != "/" || got.Header.Get("X-Amz-Target") != c.target || got.Header.Get("Content-Type") != c.media {
		t.Errorf("what arrived is %s %s %v %q", got.Method, got.RequestURI, got.Header, got.body)
	}
	if a := got.Header.Get("Authorization"); !strings.Contains(a, "Credential=GATEWAY/") || !strings.Contains(a, "/us-east-1/dynamodb/") {
		t.Errorf("it is signed with %q", a)
	}
	if got.Header.Get("Cookie") != "" || got.Header.Get("X-Forwarded-For") != "" {
		t.Errorf("it has the headers %v", got.Header)
	}
	rec := w.last()
	if rec.EventName != "PutItem" || rec.ReadOnly || !strings.Contains(string(rec.AdditionalEventData), `"upstreamRequestId":"the-service's"`) {
		t.Errorf("the record is %+v %s", rec, rec.AdditionalEventData)
	}
}

func TestRefusedNeverArrives(t *testing.T) {
	w := start(t)
	admin := w.Admin()
	bad := *admin
	bad.Secret = "wrong"
	for _, test := range []struct {
		name   string
		by     *iamtest.Client
		call   call
		status int
		want   string
	}{
		{"nobody", nil, dynamo("GetItem", getMusic), 400, "MissingAuthenticationTokenException"},
		{"a-wrong-secret", &bad, dynamo("GetItem", getMusic), 400, "InvalidSignatureException"},
		{"an-unknown-key", w.Client("AKIAIOSFODNN7EXAMPLE", "x", ""), dynamo("GetItem", getMusic), 400, "UnrecognizedClientException"},
		{"an-unknown-operation", admin, dynamo("DropAll", `{}`), 400, "UnknownOperationException"},
		{"a-member-given-twice", admin, dynamo("GetItem", `{"TableName":"a","TableName":"b"}`), 400, "SerializationException"},
		{"a-service-that-is-not-behind-it", admin, call{service: "kms", target: "TrentService.ListKeys", media: "application/x-amz-json-1.1", body: "{}"}, 400, "InvalidSignatureException"},
		{"an-account-that-is-not-behind-it", admin, form("sns", "Action=Publish&Version=2010-03-31&TopicArn=arn:aws:sns:us-east-1:999999999999:t"), 403, "AccessDenied"},
		{"a-query-beside-the-target", admin, call{service: "dynamodb", path: "/?Action=DeleteTable", target: "DynamoDB_20120810.GetItem", media: "application/x-amz-json-1.0", body: getMusic}, 400, "SerializationException"},
		{"a-target-in-a-form", admin, call{service: "sns", target: "x.ListTopics", media: "application/x-www-form-urlencoded", body: "Action=ListTopics&Version=2010-03-31"}, 400, "SerializationException"},
		{"an-unknown-version", admin, form("ec2", "Action=DescribeVpcs&Version=1999-01-01"), 400, "InvalidAction"},
		{"dots-in-the-path", admin, call{service: "lambda", method: "GET", path: "/2015-03-31/functions/a/%2e%2e"}, 400, "SerializationException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.t = t
			r := w.want(test.by, test.call, test.status, false)
			if !strings.Contains(r.body, test.want) {
				t.Errorf("the answer is %q, want %s", r.body, test.want)
			}
			if rec := w.last(); rec.ErrorCode != test.want || rec.ErrorMessage == "" {
				t.Errorf("the record has %s: %s", rec.ErrorCode, rec.ErrorMessage)
			}
		})
	}
}

func TestErrorsInTheProtocolOfTheRequest(t *testing.T) {
	w := start(t)
	ann := w.User("ann", "")
	json := w.want(ann, dynamo("GetItem", getMusic), 400, false)
	if json.header.Get("X-Amzn-Errortype") != "AccessDeniedException" || !strings.Contains(json.body, `"__type":"AccessDeniedException"`) || !strings.Contains(json.body, "table/music") {
		t.Errorf("JSON: %v %s", json.header, json.body)
	}
	query := w.want(ann, form("sns", "Action=ListTopics&Version=2010-03-31"), 403, false)
	if iamtest.Element(query.body, "Code") != "AccessDenied" || !strings.HasPrefix(query.body, "<ErrorResponse") && !strings.HasPrefix(query.body, "<?xml") {
		t.Errorf("Query: %s", query.body)
	}
	ec2 := w.want(ann, form("ec2", "Action=DescribeVpcs&Version=2016-11-15"), 403, false)
	if iamtest.Element(ec2.body, "Code") != "UnauthorizedOperation" || !strings.Contains(ec2.body, "<Response><Errors>") {
		t.Errorf("EC2: %s", ec2.body)
	}
	cbor := w.want(ann, call{service: "monitoring", path: "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", media: "application/cbor", body: "\xa0", header: []string{"Smithy-Protocol: rpc-v2-cbor"}}, 400, false)
	if cbor.header.Get("Smithy-Protocol") != "rpc-v2-cbor" || !strings.HasPrefix(cbor.body, "\xa2\x7a\x00\x00\x00\x06__type\x7a") {
		t.Errorf("CBOR: %v %q", cbor.header, cbor.body)
	}
}

// TestQuirkQ140WhatCannotBeDecidedIsRefused has policies that depend on what a request does not tell (quirk Q140).
func TestQuirkQ140WhatCannotBeDecidedIsRefused(t *testing.T) {
	w := start(t)
	all := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	statement := dynamo("ExecuteStatement", `{"Statement":"select * from secret"}`)
	secret := call{service: "secretsmanager", target: "secretsmanager.GetSecretValue", media: "application/x-amz-json-1.1", body: `{"SecretId":"app"}`}
	get := dynamo("GetItem", getMusic)
	for _, test := range []struct {
		name   string
		policy string
		call   call
		want   bool
	}{
		{"any-table-allowed", policyText(all), statement, true},
		{"a-table-denied-that-it-may-be", policyText(all, `{"Effect":"Deny","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/secret"}`), statement, false},
		{"a-table-denied-for-another-action", policyText(all, `{"Effect":"Deny","Action":"dynamodb:PutItem","Resource":"arn:aws:dynamodb:*:*:table/secret"}`), statement, true},
		{"a-table-denied-and-another-asked-for", policyText(all, `{"Effect":"Deny","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/secret"}`), get, true},
		{"all-but-a-table-allowed", policyText(`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:dynamodb:*:*:table/secret"}`), statement, false},
		{"all-but-a-table-denied", policyText(all, `{"Effect":"Deny","Action":"dynamodb:*","NotResource":"arn:aws:dynamodb:*:*:table/music"}`), statement, false},
		{"a-secret-denied-by-its-whole-arn", policyText(all, `{"Effect":"Deny","Action":"*","Resource":"arn:aws:secretsmanager:`+here+`:secret:app-a1b2c3"}`), secret, false},
		{"another-secret-denied", policyText(all, `{"Effect":"Deny","Action":"*","Resource":"arn:aws:secretsmanager:`+here+`:secret:other-a1b2c3"}`), secret, true},
		{"a-deny-with-a-variable", policyText(all, `{"Effect":"Deny","Action":"*","Resource":"arn:aws:secretsmanager:`+here+`:secret:${aws:username}-a1b2c3"}`), secret, false},
		{"an-action-without-resources", policyText(all, `{"Effect":"Deny","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/secret"}`), dynamo("ListTables", "{}"), true},
		{"leading-keys-for-all-values", policyText(`{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${aws:username}"]}}}`), get, false},
		{"leading-keys-denied", policyText(all, `{"Effect":"Deny","Action":"dynamodb:GetItem","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"dynamodb:leadingkeys":["root"]}}}`), get, false},
		{"leading-keys-denied-on-another-table", policyText(all, `{"Effect":"Deny","Action":"dynamodb:GetItem","Resource":"arn:aws:dynamodb:*:*:table/other","Condition":{"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":["root"]}}}`), get, true},
		{"a-tag-of-the-resource-that-allows-beside-another-allow", policyText(all, `{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"blue"}}}`), get, true},
		{"a-tag-of-the-resource-that-denies", policyText(all, `{"Effect":"Deny","Action":"dynamodb:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}`), get, false},
		{"a-condition-that-the-request-tells", policyText(all, `{"Effect":"Deny","Action":"dynamodb:Query","Resource":"*","Condition":{"StringEquals":{"dynamodb:Select":"COUNT"}}}`), dynamo("Query", `{"TableName":"a"}`), true},
		{"a-condition-that-the-request-meets", policyText(all, `{"Effect":"Deny","Action":"dynamodb:Query","Resource":"*","Condition":{"StringEquals":{"dynamodb:Select":"COUNT"}}}`), dynamo("Query", `{"TableName":"a","Select":"COUNT"}`), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.t = t
			status := 200
			if !test.want {
				status = 400
			}
			w.want(w.User("u-"+test.name[:min(len(test.name), 55)], test.policy), test.call, status, test.want)
		})
	}
}

func TestOtherAccountsGetNothing(t *testing.T) {
	w := start(t, func(o *awsgate.Options) { o.Account = iamtest.Account })
	stranger := w.AddAccount("444455556666")
	w.want(stranger, dynamo("GetItem", getMusic), 400, false)
	w.want(stranger, dynamo("ListTables", "{}"), 400, false)
	w.want(w.Admin(), dynamo("GetItem", getMusic), 200, true)
}

func TestSeveralAccountsWithoutAnOwner(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), dynamo("GetItem", getMusic), 200, true)
	w.AddAccount("444455556666")
	r := w.want(w.Admin(), dynamo("GetItem", getMusic), 400, false)
	if !strings.Contains(r.body, "to which account") {
		t.Errorf("the answer is %s", r.body)
	}
}

func TestAnotherRegion(t *testing.T) {
	w := start(t, func(o *awsgate.Options) { o.Region = "eu-west-1" })
	w.want(w.Admin(), dynamo("GetItem", getMusic), 400, false)
}

func TestTheServiceFails(t *testing.T) {
	w := start(t)
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		record string
	}{
		{"it-refuses", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			io.WriteString(w, `{"__type":"ResourceNotFoundException"}`)
		}, 400, "HTTP 400"},
		{"it-breaks-off", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, 503, "ServiceUnavailableException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.t = t
			w.back.answer = test.answer
			w.want(w.Admin(), dynamo("PutItem", getMusic), test.status, true)
			if rec := w.last(); rec.ErrorCode != test.record {
				t.Errorf("the record has %s: %s", rec.ErrorCode, rec.ErrorMessage)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), form("sns", "Action=Publish&Version=2010-03-31&Message="+strings.Repeat("x", 7<<20)), 413, false)
}

func TestUnrecordedMeansUndone(t *testing.T) {
	w := start(t)
	w.log.Close()
	w.want(w.Admin(), dynamo("PutItem", getMusic), 503, false)
}
