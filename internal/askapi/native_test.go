// SPDX-License-Identifier: Apache-2.0

package askapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

const decisions = "/authorize/v1/decisions"

type decision struct {
	Decision  string
	Principal string
	Layer     string
	Statement struct {
		Policy, Sid  string
		Number, Line int
	}
	Reason  string
	Missing []string
}

// TestDecisions covers quirks Q146 and Q147: what a role and a session stand for.
func TestDecisions(t *testing.T) {
	s := start(t)
	session := s.ann.Assume(appARN, "xx", `Policy={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}`)
	view, err := s.Store().View(t.Context(), iamtest.Account)
	if err != nil {
		t.Fatal(err)
	}
	ann, _ := view.User("ann")
	app, _ := view.Role("app")
	const sessionARN = "arn:aws:sts::" + iamtest.Account + ":assumed-role/app/"
	for _, tt := range []struct {
		name, principal, rest string
		decision, who, sid    string
		reason                string // in it
		missing               string
	}{
		{"an-arn", `"` + annARN + `"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/x"`, "allow", annARN, "Read", "", ""},
		{"a-user-name", `"ann"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/x"`, "allow", annARN, "Read", "", ""},
		{"a-unique-id", `"` + ann.ID + `"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/x"`, "allow", annARN, "Read", "", ""},
		{"an-access-key", `{"accessKeyId":"` + s.ann.Key + `"}`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/x"`, "allow", annARN, "Read", "", ""},
		{"an-access-key-id-as-text", `"` + s.ann.Key + `"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/x"`, "allow", annARN, "Read", "", ""},
		{"allowed-and-explained", `"ann"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/x","explain":true`, "allow", annARN, "Read", "Allowed: statement Read of test (2:2)", ""},
		{"denied-explicitly", `"ann"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/secret/x"`, "explicit-deny", annARN, "Secret", "Denied: statement Secret", ""},
		{"denied-silently", `"ann"`, `"action":"s3:PutBucketPolicy","resource":"arn:aws:s3:::b"`, "implicit-deny", annARN, "", "Denied:", ""},
		{"a-key-is-missing", `"ann"`, `"action":"s3:PutObject","resource":"arn:aws:s3:::b/x"`, "implicit-deny", annARN, "", "the request does not have it", "aws:SourceIp"},
		{"the-address-fits", `"ann"`, `"action":"s3:PutObject","resource":"arn:aws:s3:::b/x","context":{"aws:sourceip":"10.1.2.3"}`, "allow", annARN, "Office", "", ""},
		{"the-address-does-not-fit", `"ann"`, `"action":"s3:PutObject","resource":"arn:aws:s3:::b/x","context":{"aws:SourceIp":"11.1.2.3"}`, "implicit-deny", annARN, "", "Denied:", ""},
		{"of-another-account", `"ann"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/x","resourceAccount":"444455556666"`, "implicit-deny", annARN, "", "Denied:", ""},
		{"a-role", `"` + appARN + `"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/red/x"`, "allow", sessionARN + "asked", "", "", ""},
		{"a-role-by-name", `{"role":"app"}`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/red/x"`, "allow", sessionARN + "asked", "", "", ""},
		{"a-role-by-id", `"` + app.ID + `"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/red/x"`, "allow", sessionARN + "asked", "", "", ""},
		{"a-session-by-id", `"` + app.ID + `:fred"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/red/x"`, "allow", sessionARN + "fred", "", "", ""},
		{"a-session-by-arn", `"` + sessionARN + `fred"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/red/x"`, "allow", sessionARN + "fred", "", "", ""},
		{"the-tags-of-a-role", `"` + appARN + `"`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/blue/x"`, "implicit-deny", sessionARN + "asked", "", "Denied:", ""},
		{"a-session-by-its-token", `{"accessKeyId":"` + session.Key + `","sessionToken":"` + session.Token + `"}`, `"action":"s3:GetObject","resource":"arn:aws:s3:::b/red/x"`, "implicit-deny", sessionARN + "xx", "", "session policy", ""},
		{"a-token-of-nobody", `{"accessKeyId":"` + session.Key + `","sessionToken":"x"}`, `"action":"s3:GetObject","resource":"*"`, "implicit-deny", session.Key, "", "is not known, or over", ""},
		{"nobody", `"nobody"`, `"action":"s3:GetObject","resource":"*"`, "implicit-deny", "nobody", "", `there is no principal "nobody"`, ""},
		{"a-user-in-another-letter-case", `"ANN"`, `"action":"s3:GetObject","resource":"*"`, "implicit-deny", "ANN", "", "there is no principal", ""},
		{"the-trust-policy-lets-in", `"ann"`, `"action":"sts:AssumeRole","resource":"` + appARN + `"`, "allow", annARN, "", "", ""},
		{"the-trust-policy-does-not", `"` + appARN + `"`, `"action":"sts:AssumeRole","resource":"` + appARN + `"`, "implicit-deny", sessionARN + "asked", "", "Denied:", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := as[decision](t, s.post(t, decisions, `{"principal":`+tt.principal+`,`+tt.rest+`}`))
			if d.Decision != tt.decision || d.Principal != tt.who || tt.sid != "" && d.Statement.Sid != tt.sid ||
				!strings.Contains(d.Reason, tt.reason) || strings.Join(d.Missing, " ") != tt.missing {
				t.Errorf("decision = %+v, want %s for %s by %q because %q, missing %q", d, tt.decision, tt.who, tt.sid, tt.reason, tt.missing)
			}
			if (d.Decision == "allow") != (d.Reason == "") && tt.name != "allowed-and-explained" {
				t.Errorf("reason = %q for %s, want one for what is refused only", d.Reason, d.Decision)
			}
		})
	}
}

// TestWhatAskersCannotSay: no condition key that tells who the principal is comes
// from the asker, however it is spelt.
func TestWhatAskersCannotSay(t *testing.T) {
	s := start(t)
	for _, key := range []string{
		"aws:PrincipalArn", "AWS:PRINCIPALARN", "aws:PrincipalTag/team", "aws:principaltag/Team", "aws:PrincipalOrgID", "aws:userid", "aws:username",
		"aws:MultiFactorAuthPresent", "aws:multifactorauthage", "aws:SourceIdentity", "aws:TokenIssueTime", "aws:CurrentTime", "aws:EpochTime",
		"aws:FederatedProvider", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ViaAWSService", "aws:CalledVia", "aws:AssumedRoot", "saml:sub",
		"accounts.google.com:sub", "token.actions.githubusercontent.com:sub", "innkeeper:AskedAction", "team",
	} {
		t.Run(key, func(t *testing.T) {
			for _, value := range []string{`"true"`, `["true"]`} {
				a := s.post(t, decisions, `{"principal":"ann","action":"s3:DeleteObject","resource":"*","context":{"`+key+`":`+value+`}}`)
				if a.status != http.StatusBadRequest || !strings.Contains(a.body, key) {
					t.Errorf("context %s = %d %s, want 400 that names it", key, a.status, a.body)
				}
			}
		})
	}
}

func TestInvalidQuestions(t *testing.T) {
	s := start(t)
	for _, tt := range []struct{ name, body, want string }{
		{"no-json", `principal=ann`, "the body is not the JSON"},
		{"nothing", ``, "the body is not the JSON"},
		{"two-values", `{"principal":"ann","action":"s3:GetObject","resource":"*"}{}`, "something follows"},
		{"an-unknown-member", `{"principal":"ann","action":"s3:GetObject","resource":"*","ressource":"x"}`, "unknown field"},
		{"no-principal", `{"action":"s3:GetObject","resource":"*"}`, "the principal is missing"},
		{"two-principals", `{"principal":{"accessKeyId":"a","role":"b"},"action":"s3:GetObject","resource":"*"}`, "a principal is"},
		{"no-action", `{"principal":"ann","resource":"*"}`, "is no action"},
		{"an-action-without-service", `{"principal":"ann","action":"GetObject","resource":"*"}`, "is no action"},
		{"a-pattern-of-actions", `{"principal":"ann","action":"s3:*","resource":"*"}`, "is no action"},
		{"no-resource", `{"principal":"ann","action":"s3:GetObject"}`, "the resource is missing"},
		{"a-long-resource", `{"principal":"ann","action":"s3:GetObject","resource":"` + strings.Repeat("x", 2049) + `"}`, "more than 2048 bytes"},
		{"no-account", `{"principal":"ann","action":"s3:GetObject","resource":"*","resourceAccount":"1"}`, "twelve digits"},
		{"no-address", `{"principal":"ann","action":"s3:GetObject","resource":"*","context":{"aws:SourceIp":"x"}}`, "is no address"},
		{"two-addresses", `{"principal":"ann","action":"s3:GetObject","resource":"*","context":{"aws:SourceIp":["10.0.0.1"]}}`, "has one value"},
		{"a-key-twice", `{"principal":"ann","action":"s3:GetObject","resource":"*","context":{"s3:prefix":"a","S3:Prefix":"b"}}`, "given twice"},
		{"an-object-as-value", `{"principal":"ann","action":"s3:GetObject","resource":"*","context":{"s3:prefix":{}}}`, "no text, number"},
		{"null-as-value", `{"principal":"ann","action":"s3:GetObject","resource":"*","context":{"s3:prefix":null}}`, "no text, number"},
		{"one-and-many", `{"principal":"ann","requests":[]}`, "one request, or requests"},
		{"none", `{"requests":[]}`, "1 to 1000"},
		{"the-second", `{"requests":[{"principal":"ann","action":"s3:GetObject","resource":"*"},{"principal":"ann","action":"x","resource":"*"}]}`, "question 2: "},
		{"too-many", `{"requests":[` + strings.Repeat(`{},`, 1000) + `{}]}`, "no more than 1000"},
		{"too-long", strings.Repeat(" ", 1<<20+1), "larger than 1048576 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.post(t, decisions, tt.body)
			if a.status != http.StatusBadRequest || !strings.Contains(a.body, tt.want) {
				t.Errorf("%d %s, want 400 with %q", a.status, a.body, tt.want)
			}
		})
	}
	if a := s.post(t, decisions, `{}`, "Content-Type", "text/plain"); a.status != http.StatusBadRequest {
		t.Errorf("text/plain = %d, want 400", a.status)
	}
	if a := s.send(t, http.MethodGet, decisions, "", "Authorization", s.basic); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" {
		t.Errorf("GET = %d, Allow %q, want 405 and POST", a.status, a.header.Get("Allow"))
	}
}

// TestWhoMayAsk: nobody is told anything before it has proved who it is and may ask.
func TestWhoMayAsk(t *testing.T) {
	s := start(t)
	other := s.AddAccount("444455556666")
	about := func(principal string) string {
		return `{"principal":"` + principal + `","action":"s3:GetObject","resource":"arn:aws:s3:::b/x"}`
	}
	narrow := s.User("narrow", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"innkeeper:Authorize","Resource":"*",
		"Condition":{"StringEquals":{"innkeeper:AskedAction":"s3:GetObject"},"StringLike":{"innkeeper:AskedResource":"arn:aws:s3:::b/*"}}}}`)
	wrong := s.credential("proxy")
	wrong = wrong[:len(wrong)-8] + "AAAAAAA="
	for _, tt := range []struct {
		name string
		ask  func() answer
		want int
	}{
		{"basic", func() answer { return s.post(t, decisions, about("ann")) }, 200},
		{"bearer", func() answer {
			return s.post(t, decisions, about("ann"), "Authorization", strings.Replace(s.basic, "Basic", "Bearer", 1))
		}, 200},
		{"signed-for-innkeeper", func() answer { return s.signed(t, s.proxy, "innkeeper", decisions, about("ann")) }, 200},
		{"signed-for-execute-api", func() answer { return s.signed(t, s.proxy, "execute-api", decisions, about("ann")) }, 200},
		{"signed-for-another-service", func() answer { return s.signed(t, s.proxy, "iam", decisions, about("ann")) }, 401},
		{"signed-for-s3", func() answer { return s.signed(t, s.proxy, "s3", decisions, about("ann")) }, 401},
		{"signed-with-a-wrong-secret", func() answer {
			return s.signed(t, s.Client(s.proxy.Key, "x", ""), "innkeeper", decisions, about("ann"))
		}, 401},
		{"nobody", func() answer { return s.post(t, decisions, about("ann"), "Authorization", "") }, 401},
		{"a-wrong-password", func() answer { return s.post(t, decisions, about("ann"), "Authorization", wrong) }, 401},
		{"a-scheme-that-is-none", func() answer { return s.post(t, decisions, about("ann"), "Authorization", "Digest x") }, 401},
		{"no-base64", func() answer { return s.post(t, decisions, about("ann"), "Authorization", "Basic !") }, 401},
		{"about-somebody-else", func() answer { return s.post(t, decisions, about("bob")) }, 403},
		{"about-somebody-else-by-arn", func() answer { return s.post(t, decisions, about(bobARN)) }, 403},
		{"about-a-user-that-is-not-there-by-arn", func() answer { return s.post(t, decisions, about(prefix+":user/zoe")) }, 403},
		{"about-another-account", func() answer {
			return s.signed(t, s.Admin(), "innkeeper", decisions, about("arn:aws:iam::444455556666:root"))
		}, 403},
		{"about-a-key-of-another-account", func() answer { return s.signed(t, s.Admin(), "innkeeper", decisions, about(other.Key)) }, 403},
		{"by-another-account", func() answer { return s.signed(t, other, "innkeeper", decisions, about(annARN)) }, 403},
		{"about-oneself-without-permission", func() answer { return s.signed(t, s.ann, "innkeeper", decisions, about("ann")) }, 403},
		{"one-of-many", func() answer {
			return s.post(t, decisions, `{"requests":[`+about("ann")+`,`+about("bob")+`]}`)
		}, 403},
		{"within-conditions", func() answer { return s.signed(t, narrow, "innkeeper", decisions, about("bob")) }, 200},
		{"beyond-conditions", func() answer {
			return s.signed(t, narrow, "innkeeper", decisions, strings.Replace(about("bob"), "Get", "Put", 1))
		}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.ask()
			if a.status != tt.want {
				t.Fatalf("status %d, want %d\n%s", a.status, tt.want, a.body)
			}
			if (a.status == 401) != strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("status %d, WWW-Authenticate %q", a.status, a.header.Get("WWW-Authenticate"))
			}
			if r := s.LastRecord(); (r.ErrorCode == "") != (a.status == 200) || r.EventSource != "innkeeper" || r.EventName != "Authorize" {
				t.Errorf("record of status %d = %s, want %v", a.status, r.AppendJSON(nil), tt.want)
			}
		})
	}
}

// TestSwitchedOffCredentialsAskNoMore: what was taken a moment ago is not
// remembered.
func TestSwitchedOffCredentialsAskNoMore(t *testing.T) {
	s := start(t)
	const body = `{"principal":"ann","action":"s3:GetObject","resource":"arn:aws:s3:::b/x"}`
	if a := s.post(t, decisions, body); a.status != 200 {
		t.Fatalf("status %d\n%s", a.status, a.body)
	}
	list := s.Admin().OK("ListServiceSpecificCredentials", "UserName=proxy")
	s.Admin().OK("UpdateServiceSpecificCredential", "UserName=proxy", "Status=Inactive",
		"ServiceSpecificCredentialId="+iamtest.Element(list, "ServiceSpecificCredentialId"))
	if a := s.post(t, decisions, body); a.status != 401 {
		t.Errorf("after it was switched off: status %d, want 401", a.status)
	}
}

// TestTheNextAnswerKnowsTheChange: a policy counts from the answer to the request that
// changed it.
func TestTheNextAnswerKnowsTheChange(t *testing.T) {
	s := start(t)
	const body = `{"principal":"ann","action":"s3:GetObject","resource":"arn:aws:s3:::b/x"}`
	for _, want := range []string{"allow", "implicit-deny", "allow"} {
		if d := as[decision](t, s.post(t, decisions, body)); d.Decision != want {
			t.Errorf("decision = %s, want %s", d.Decision, want)
		}
		if want == "allow" {
			s.Admin().OK("DeleteUserPolicy", "UserName=ann", "PolicyName=test")
		} else {
			s.Admin().OK("PutUserPolicy", "UserName=ann", "PolicyName=test", "PolicyDocument="+annPolicy)
		}
	}
}

// TestBatches: a thousand questions have as many answers, in order, and one record
// of bounded size.
func TestBatches(t *testing.T) {
	s := start(t)
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `,{"principal":"ann","action":"s3:GetObject","resource":"arn:aws:s3:::b/%s%d"}`, map[bool]string{true: "secret/"}[i%3 == 0], i)
	}
	before := len(s.Records())
	out := as[struct{ Decisions []decision }](t, s.post(t, decisions, `{"requests":[`+b.String()[1:]+`]}`))
	for i, d := range out.Decisions {
		if want := map[bool]string{true: "explicit-deny", false: "allow"}[i%3 == 0]; d.Decision != want {
			t.Errorf("decision %d = %s, want %s", i, d.Decision, want)
		}
	}
	records := s.Records()
	if len(out.Decisions) != 1000 || len(records) != before+1 {
		t.Fatalf("%d decisions and %d records, want 1000 and 1", len(out.Decisions), len(records)-before)
	}
	var data struct {
		Interface          string
		Questions, Allowed int
		Asked              []struct{ Principal, Action, Resource, Decision, Sid string }
	}
	last := records[len(records)-1]
	if err := json.Unmarshal(last.AdditionalEventData, &data); err != nil {
		t.Fatal(err)
	}
	if data.Interface != "native" || data.Questions != 1000 || data.Allowed != 666 || len(data.Asked) != 100 || data.Asked[0].Sid != "Secret" ||
		data.Asked[1].Principal != annARN || data.Asked[1].Decision != "allow" || last.Identity.ARN != prefix+":user/proxy" || !last.ReadOnly {
		t.Errorf("record = %s", last.AppendJSON(nil))
	}
	if last.Decision.Action != "innkeeper:Authorize" || last.Decision.Resource != annARN || last.Decision.Outcome != "allow" {
		t.Errorf("decision in the record = %+v, want that about the asker", last.Decision.Check)
	}
}

// TestRecordsHoldNoContext: condition keys and credentials stay out of the log.
func TestRecordsHoldNoContext(t *testing.T) {
	s := start(t)
	s.post(t, decisions, `{"principal":"ann","action":"s3:GetObject","resource":"arn:aws:s3:::b/x","context":{"s3:prefix":"hush-hush"}}`)
	if a := s.post(t, decisions, `{"principal":"ann"`, "Authorization", s.basic+"hush-hush"); a.status != 401 {
		t.Fatalf("status %d", a.status)
	}
	secret := strings.TrimPrefix(s.basic, "Basic ")
	for _, r := range s.Records() {
		if line := string(r.AppendJSON(nil)); strings.Contains(line, "hush-hush") || strings.Contains(line, secret) {
			t.Errorf("a record tells what it should not: %s", line)
		}
	}
}

// TestOtherPathsAreTheAPI: what is not of the authorization API is left alone.
func TestOtherPathsAreTheAPI(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/", "/access/v1/search/subject", "/authorize/v1/", "/authorize/v1/tokenreview/", "/v1/data/", "/v1/data"} {
		if a := s.post(t, path, `{}`); slices.Contains([]int{200, 404}, a.status) || !strings.Contains(a.body, "<Error") {
			t.Errorf("%s = %d %s, want an error of the API", path, a.status, a.body)
		}
	}
}
