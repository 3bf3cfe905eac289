// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var when = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// full is a record with every field set.
func full() Record {
	return Record{
		Time: when,
		Identity: Identity{
			Type: "AssumedRole", PrincipalID: "AROAQGHTZVKA5EXAMPLE2:ann", ARN: "arn:aws:sts::123456789012:assumed-role/deployer/ann",
			AccountID: "123456789012", AccessKeyID: "ASIAQGHTZVKA5EXAMPLE", UserName: "x", IdentityProvider: "p", InvokedBy: "ec2.amazonaws.com",
			Delegate: "210987654321",
			Session: &Session{
				Issuer: Issuer{
					Type: "Role", PrincipalID: "AROAQGHTZVKA5EXAMPLE2", ARN: "arn:aws:iam::123456789012:role/deployer",
					AccountID: "123456789012", UserName: "deployer",
				},
				Created: when.Add(-time.Hour), MFA: true, SourceIdentity: "ann", Provider: "id.example.com", AssumedRoot: true,
			},
		},
		EventSource: "iam.amazonaws.com", EventName: "CreateUser", EventType: "AwsServiceEvent", Region: "us-east-1",
		SourceIP: "192.0.2.1", UserAgent: `aws-cli/2 "x"`, ErrorCode: "AccessDenied", ErrorMessage: "no\nway",
		RequestParameters: json.RawMessage(`{"userName":"bob"}`), ResponseElements: json.RawMessage(`{"a":[1,2]}`),
		AdditionalEventData: json.RawMessage(`{"b":true}`),
		RequestID:           "r", EventID: "e", SharedEventID: "s", ReadOnly: true, Data: true,
		Resources: []Resource{{"arn:aws:iam::123456789012:user/bob", "123456789012", "AWS::IAM::User"}},
		Recipient: "123456789012",
		Decision: Decision{
			Check: Check{
				Action: "iam:CreateUser", Resource: "arn:aws:iam::123456789012:user/bob", Outcome: ExplicitDeny, Layer: "identity",
				Policy: "arn:aws:iam::123456789012:policy/p", Sid: "NoUsers", Statement: 2, Line: 9, Column: 5, Reason: "because",
			},
			Checks: []Check{{Action: "iam:TagUser", Outcome: Allow}, {Action: "iam:PassRole", Outcome: ImplicitDeny, Learned: true}},
		},
	}
}

func usual() Record {
	return Record{
		Time: when, Identity: Identity{Type: "IAMUser", PrincipalID: "AIDAQGHTZVKA5EXAMPLE2", ARN: "arn:aws:iam::123456789012:user/ann", AccountID: "123456789012", AccessKeyID: "AKIAQGHTZVKA5EXAMPLE", UserName: "ann"},
		EventSource: "iam.amazonaws.com", EventName: "GetUser", Region: "us-east-1", SourceIP: "192.0.2.1", UserAgent: "aws-cli/2.9.19",
		RequestID: "3c6e2b0e-0000-4000-8000-000000000000", EventID: "3c6e2b0e-0000-4000-8000-000000000001", ReadOnly: true, Recipient: "123456789012",
		Decision: Decision{Check: Check{Outcome: Allow, Layer: "identity", Policy: "arn:aws:iam::aws:policy/IAMReadOnlyAccess", Statement: 1, Line: 4, Column: 9, Reason: "statement 1 allows iam:GetUser"}},
	}
}

func TestAppendJSON(t *testing.T) {
	for _, test := range []struct {
		name string
		r    Record
		want string
	}{
		{"empty", Record{}, `{"eventVersion":"1.11","userIdentity":{"type":""},"eventTime":"0001-01-01T00:00:00Z",` +
			`"eventSource":"","eventName":"","awsRegion":"","sourceIPAddress":"","userAgent":"",` +
			`"requestParameters":null,"responseElements":null,"requestID":"","eventID":"","readOnly":false,` +
			`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"","eventCategory":"Management"}`},
		{"full", full(), `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAQGHTZVKA5EXAMPLE2:ann",` +
			`"arn":"arn:aws:sts::123456789012:assumed-role/deployer/ann","accountId":"123456789012",` +
			`"accessKeyId":"ASIAQGHTZVKA5EXAMPLE","userName":"x","identityProvider":"p","sessionContext":{` +
			`"sessionIssuer":{"type":"Role","principalId":"AROAQGHTZVKA5EXAMPLE2","arn":"arn:aws:iam::123456789012:role/deployer",` +
			`"accountId":"123456789012","userName":"deployer"},"webIdFederationData":{"federatedProvider":"id.example.com"},` +
			`"attributes":{"creationDate":"2026-03-04T04:06:07Z","mfaAuthenticated":"true"},"sourceIdentity":"ann","assumedRoot":"true"},` +
			`"invokedBy":"ec2.amazonaws.com","invokedByDelegate":{"accountId":"210987654321"}},"eventTime":"2026-03-04T05:06:07Z","eventSource":"iam.amazonaws.com",` +
			`"eventName":"CreateUser","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2 \"x\"",` +
			`"errorCode":"AccessDenied","errorMessage":"no\nway","requestParameters":{"userName":"bob"},` +
			`"responseElements":{"a":[1,2]},"additionalEventData":{"b":true},"requestID":"r","eventID":"e","readOnly":true,` +
			`"resources":[{"ARN":"arn:aws:iam::123456789012:user/bob","accountId":"123456789012","type":"AWS::IAM::User"}],` +
			`"eventType":"AwsServiceEvent","managementEvent":false,"recipientAccountId":"123456789012","sharedEventID":"s",` +
			`"eventCategory":"Data","innkeeper":{"action":"iam:CreateUser","resource":"arn:aws:iam::123456789012:user/bob",` +
			`"decision":"explicit-deny","layer":"identity","policy":"arn:aws:iam::123456789012:policy/p","sid":"NoUsers",` +
			`"statement":2,"line":9,"column":5,"reason":"because","checks":[{"action":"iam:TagUser","decision":"allow"},` +
			`{"action":"iam:PassRole","decision":"implicit-deny","learned":true}]}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(test.r.AppendJSON(nil)); got != test.want {
				t.Errorf("AppendJSON = %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestUnmarshalReturnsWhatWasAppended(t *testing.T) {
	for name, want := range map[string]Record{"full": full(), "usual": usual(), "empty": {}} {
		var got Record
		if err := json.Unmarshal(want.AppendJSON(nil), &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: Unmarshal = %+v, want %+v", name, got, want)
		}
	}
}

func TestFieldsAreHeldToTheirForm(t *testing.T) {
	long := strings.Repeat("é", 3000)
	for _, test := range []struct {
		name string
		r    Record
		want string // part of the line
	}{
		{"control-characters", Record{Region: "\x00\x1f\t\r\n\"\\/<"}, `"awsRegion":"\u0000\u001f\t\r\n\"\\/<"`},
		{"invalid-utf-8", Record{Region: "a\xff\xc3z"}, `"awsRegion":"a��z"`},
		{"user-agent-cut-between-characters", Record{UserAgent: "x" + long}, `"userAgent":"x` + strings.Repeat("é", 511) + `",`},
		{"error-message-cut", Record{ErrorMessage: long}, `"errorMessage":"` + strings.Repeat("é", 512) + `",`},
		{"other-string-cut", Record{EventName: long}, `"eventName":"` + strings.Repeat("é", 1024) + `",`},
		{"raw-of-several-lines", Record{RequestParameters: json.RawMessage("{\r\n \"a\": 1\n}")}, `"requestParameters":{"a":1},`},
		{"raw-that-is-no-json", Record{RequestParameters: json.RawMessage("{\"a\":}\n")}, `"requestParameters":"{\"a\":}\n",`},
		{"raw-that-ends-the-record", Record{ResponseElements: json.RawMessage(`1},"x":{`)}, `"responseElements":"1},\"x\":{",`},
		{"raw-that-is-no-utf-8", Record{RequestParameters: json.RawMessage("\"\xff\"")}, `"requestParameters":"\"�\"",`},
		{"raw-empty", Record{RequestParameters: json.RawMessage{}}, `"requestParameters":"",`},
		{"raw-too-large", Record{RequestParameters: make([]byte, maxRaw+1)}, `"requestParameters":{"omitted":true,"originalSize":102401},`},
		{"second-factor-not-shown", Record{Identity: Identity{Session: &Session{Created: when}}},
			`"userIdentity":{"type":"","sessionContext":{"attributes":{"creationDate":"2026-03-04T05:06:07Z","mfaAuthenticated":"false"}}},`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(test.r.AppendJSON(nil)); !strings.Contains(got, test.want) {
				t.Errorf("AppendJSON = %.3000s\nwant it to have %s", got, test.want)
			}
		})
	}
	r := Record{Decision: Decision{Checks: make([]Check, maxChecks+5)}, Resources: make([]Resource, maxChecks+5)}
	var got Record
	if err := json.Unmarshal(r.AppendJSON(nil), &got); err != nil || len(got.Decision.Checks) != maxChecks || len(got.Resources) != maxChecks {
		t.Errorf("%d checks and %d resources, %v; want %d each", len(got.Decision.Checks), len(got.Resources), err, maxChecks)
	}
}

// TestReadsCloudTrail reads a record as AWS writes it, with fields that we have
// no place for.
func TestReadsCloudTrail(t *testing.T) {
	const in = `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAQGHTZVKA5EXAMPLE2","arn":"arn:aws:iam::123456789012:user/ann",
		"accountId":"123456789012","accessKeyId":"ASIAQGHTZVKA5EXAMPLE","userName":"ann","sessionContext":{"sessionIssuer":{},"webIdFederationData":{},
		"attributes":{"creationDate":"2026-03-04T05:06:07Z","mfaAuthenticated":"false"}}},"eventTime":"2026-03-04T05:06:07Z",
		"eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userAgent":"x",
		"requestParameters":null,"responseElements":null,"requestID":"r","eventID":"e","readOnly":true,"eventType":"AwsApiCall",
		"managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management",
		"tlsDetails":{"tlsVersion":"TLSv1.3"}}`
	var got Record
	if err := json.Unmarshal([]byte(in), &got); err != nil {
		t.Fatal(err)
	}
	want := Record{
		Time: when, EventSource: "sts.amazonaws.com", EventName: "GetCallerIdentity", Region: "us-east-1", SourceIP: "192.0.2.1", UserAgent: "x",
		RequestID: "r", EventID: "e", ReadOnly: true, Recipient: "123456789012",
		Identity: Identity{
			Type: "IAMUser", PrincipalID: "AIDAQGHTZVKA5EXAMPLE2", ARN: "arn:aws:iam::123456789012:user/ann", AccountID: "123456789012",
			AccessKeyID: "ASIAQGHTZVKA5EXAMPLE", UserName: "ann", Session: &Session{Created: when},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Unmarshal = %+v, want %+v", got, want)
	}
}

// FuzzAppendJSON checks that whatever a record holds, it is one line of JSON that
// reads back as the same line.
func FuzzAppendJSON(f *testing.F) {
	f.Add("a", "b\n\"\x00", []byte(`{"x":[1, 2]}`), int64(0), 1)
	f.Add("\xff\xed\xa0\x80", "\u2028", []byte("{\n}"), int64(1<<40), -1)
	f.Add("", strings.Repeat("é", 2000), []byte(`1},"x":{`), int64(-1<<33), 1<<40)
	f.Fuzz(func(t *testing.T, a, b string, raw []byte, seconds int64, n int) {
		if y := time.Unix(seconds, 0).UTC().Year(); y < 0 || y > 9999 {
			return
		}
		r := Record{
			Time: time.Unix(seconds, 0), EventSource: a, EventName: b, UserAgent: b, ErrorCode: a, ErrorMessage: b, EventType: a,
			RequestParameters: raw, AdditionalEventData: raw, Recipient: b,
			Identity:  Identity{Type: a, UserName: b, Session: &Session{Issuer: Issuer{ARN: b}, Created: time.Unix(seconds, 0), MFA: n > 0}},
			Resources: []Resource{{a, b, a}},
			Decision:  Decision{Check{Outcome: a, Policy: b, Statement: n, Reason: b}, []Check{{Action: a, Line: n}}},
		}
		line := r.AppendJSON(nil)
		if bytes.ContainsAny(line, "\r\n") || !json.Valid(line) || !utf8.Valid(line) {
			t.Fatalf("AppendJSON = %q", line)
		}
		var got Record
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%s does not read back: %v", line, err)
		}
		if again := got.AppendJSON(nil); !bytes.Equal(again, line) && json.Valid(raw) && string(bytes.TrimSpace(raw)) != "null" {
			t.Fatalf("%s\nreads back as\n%s", line, again)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	for name, r := range map[string]Record{"usual": usual(), "full": full()} {
		b.Run("record="+name, func(b *testing.B) {
			buf := make([]byte, 0, 8<<10)
			b.ReportAllocs()
			for b.Loop() {
				buf = r.AppendJSON(buf[:0])
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	r, buf := full(), make([]byte, 0, 8<<10)
	// Checking raw fields borrows from a pool, which the race detector empties at
	// random; the benchmark shows that it is free, too.
	r.RequestParameters, r.ResponseElements, r.AdditionalEventData = nil, nil, nil
	if n := testing.AllocsPerRun(100, func() { buf = r.AppendJSON(buf[:0]) }); n != 0 {
		t.Errorf("AppendJSON allocates %v times, want 0", n)
	}
}
