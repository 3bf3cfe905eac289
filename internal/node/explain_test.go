// SPDX-License-Identifier: Apache-2.0

package node

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const (
	account = "111122223333"
	fredARN = "arn:aws:iam::" + account + ":user/staff/fred"
	deploy  = "arn:aws:iam::" + account + ":role/ci/deploy"
	job     = "arn:aws:sts::" + account + ":assumed-role/deploy/job"
)

func allowing(action string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"*"}}`
}

// peopled returns a running node with a user, who is in a group and has a
// boundary, and a role that trusts that user.
func peopled(t *testing.T) *Node {
	t.Helper()
	n := started(t, config.Config{AccountID: account})
	k := adminKey(t, n)
	for _, c := range [][]string{
		{"CreatePolicy", "PolicyName=limit", "PolicyDocument=" + allowing("*")},
		{"CreateUser", "UserName=fred", "Path=/staff/", "PermissionsBoundary=arn:aws:iam::" + account + ":policy/limit", "Tags.member.1.Key=team", "Tags.member.1.Value=a"},
		{"PutUserPolicy", "UserName=fred", "PolicyName=p", "PolicyDocument=" + allowing("s3:*")},
		{"AttachUserPolicy", "UserName=fred", "PolicyArn=arn:aws:iam::" + account + ":policy/limit"},
		{"CreateGroup", "GroupName=devs"},
		{"PutGroupPolicy", "GroupName=devs", "PolicyName=p", "PolicyDocument=" + allowing("ec2:*")},
		{"AttachGroupPolicy", "GroupName=devs", "PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess"},
		{"AddUserToGroup", "GroupName=devs", "UserName=fred"},
		{"CreateRole", "RoleName=deploy", "Path=/ci/", "Tags.member.1.Key=stage", "Tags.member.1.Value=live", "AssumeRolePolicyDocument=" +
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + fredARN + `"},"Action":"sts:AssumeRole"}}`},
		{"PutRolePolicy", "RoleName=deploy", "PolicyName=p", "PolicyDocument=" + allowing("s3:*")},
	} {
		if status, body := call(t, n, k, c[0], c[1:]...); status != http.StatusOK {
			t.Fatalf("%s = %d, %s", c[0], status, body)
		}
	}
	return n
}

// inquireOne asks about one request, which there must be.
func inquireOne(t *testing.T, cfg config.Config, q *Question) *Inquiry {
	t.Helper()
	list, err := Inquire(t.Context(), cfg, q)
	if err != nil || len(list) != 1 {
		t.Fatalf("Inquire(%+v) = %d requests, error %v, want one", q, len(list), err)
	}
	return &list[0]
}

func names(policies []*policy.Policy) []string {
	var list []string
	for _, p := range policies {
		list = append(list, p.Document().Name)
	}
	return list
}

// TestInquire asks the running node, and then the store that it left: both gather
// what decides the same request.
func TestInquire(t *testing.T) {
	n := peopled(t)
	cfg := config.Config{Data: n.cfg.Data}
	ask := func(t *testing.T) {
		got := inquireOne(t, cfg, &Question{Principal: fredARN, Action: "iam:AttachRolePolicy", Resource: deploy})
		wantNames := []string{"p", "arn:aws:iam::" + account + ":policy/limit", "group/devs/p", "arn:aws:iam::aws:policy/ReadOnlyAccess"}
		if list := names(got.Set.Identity); !slices.Equal(list, wantNames) {
			t.Errorf("identity policies %q, want %q", list, wantNames)
		}
		if want := []string{"Attached to group devs: ReadOnlyAccess."}; !slices.Equal(got.Notes, want) {
			t.Errorf("notes %q, want %q", got.Notes, want)
		}
		if !got.Set.HasBoundary || got.Set.Boundary == nil || got.Set.Resource != nil || got.Recorded != nil {
			t.Errorf("Inquire() = %+v, want a boundary, no resource policy and no record", got)
		}
		for key, want := range map[string]string{
			"aws:username": "fred", "aws:PrincipalArn": fredARN, "aws:PrincipalTag/team": "a", "aws:ResourceTag/stage": "live",
			"iam:ResourceTag/stage": "live", "aws:ResourceAccount": account, "aws:SecureTransport": "false", "aws:RequestedRegion": "us-east-1",
		} {
			if got.Request.Context[key] != want {
				t.Errorf("context key %s = %q, want %q", key, got.Request.Context[key], want)
			}
		}
		if d := policy.Decide(&got.Request, &got.Set); d.Outcome != policy.Allowed {
			t.Errorf("Decide() = %+v, want it allowed", d)
		}

		// The trust policy knows fred by the unique id of the one who was there.
		got = inquireOne(t, cfg, &Question{Principal: fredARN, Action: "sts:AssumeRole", Resource: deploy})
		if d := policy.Decide(&got.Request, &got.Set); d.Outcome != policy.Allowed || d.Layer != policy.ResourceLayer {
			t.Errorf("Decide(AssumeRole) = %+v, want it allowed by the trust policy", d)
		}
		got.Request.Principal.ID = "AIDAANOTHERFRED"
		if d := policy.Decide(&got.Request, &got.Set); d.Outcome == policy.Allowed {
			t.Error("Decide(AssumeRole) by another fred is allowed")
		}

		got = inquireOne(t, cfg, &Question{Principal: job, Action: "iam:PutUserPolicy", Resource: fredARN})
		if got.Request.Principal.Role != deploy || got.Request.Context["iam:PermissionsBoundary"] != "arn:aws:iam::"+account+":policy/limit" ||
			got.Request.Context["aws:MultiFactorAuthPresent"] != "false" || got.Request.Context["aws:TokenIssueTime"] == "" {
			t.Errorf("Inquire() for a session = %+v, want its role, its session's keys and the user's boundary", got.Request)
		}

		bob := "arn:aws:sts::" + account + ":federated-user/bob"
		got = inquireOne(t, cfg, &Question{Principal: bob, Issuer: fredARN, Action: "s3:GetObject", Resource: "*"})
		if got.Request.Principal.User != fredARN || len(got.Set.Identity) != 4 {
			t.Errorf("Inquire() for a federated user = %+v with %d policies, want those of fred", got.Request.Principal, len(got.Set.Identity))
		}
		got = inquireOne(t, cfg, &Question{Principal: bob, Issuer: "arn:aws:iam::" + account + ":root", Action: "s3:GetObject", Resource: "*"})
		if got.Request.Principal.User != "" || len(got.Set.Identity) != 1 {
			t.Errorf("Inquire() for a federated user of root = %+v with %d policies, want one that allows all", got.Request.Principal, len(got.Set.Identity))
		}
	}
	t.Run("of-the-node", ask)
	closing(t, n)
	t.Run("of-the-store", ask)
}

func TestInquireRefuses(t *testing.T) {
	n := peopled(t)
	defer closing(t, n)
	for _, tt := range []struct {
		name string
		q    Question
		want string
	}{
		{"no-arn", Question{Principal: "fred"}, `"fred" is not the ARN of a principal`},
		{"a-role", Question{Principal: deploy}, "its callers are sessions, such as " + strings.Replace(job, "/job", "/SESSION", 1)},
		{"another-path", Question{Principal: "arn:aws:iam::" + account + ":user/fred"}, "the user fred is " + fredARN},
		{"an-unknown-user", Question{Principal: "arn:aws:iam::" + account + ":user/ann"}, "it has the users admin, fred"},
		{"an-unknown-role", Question{Principal: strings.Replace(job, "deploy", "app", 1)}, "its only role is deploy"},
		{"an-unknown-account", Question{Principal: "arn:aws:iam::444455556666:root"}, "its only account is " + account + " (main)"},
		{"a-federated-user-of-nobody", Question{Principal: "arn:aws:sts::" + account + ":federated-user/bob"}, "--issuer"},
		{"a-federated-user-of-a-role", Question{Principal: "arn:aws:sts::" + account + ":federated-user/bob", Issuer: deploy}, "--issuer"},
		{"no-record", Question{Record: []byte(`{}`)}, "it has no eventID and no eventName"},
		{"a-record-that-is-no-object", Question{Record: []byte(`"x"`)}, "this is no audit record: "},
		{"a-record-without-a-decision", Question{Record: []byte(`{"eventID":"x","eventName":"GetObject"}`)}, "holds no decision of innkeeper"},
		{"a-record-of-a-failure", Question{Record: []byte(`{"eventID":"x","eventName":"GetUser","errorCode":"SignatureDoesNotMatch","errorMessage":"no."}`)},
			"GetUser was decided by no policy: it failed with SignatureDoesNotMatch: no."},
		{"a-record-of-nobody", Question{Record: []byte(`{"eventID":"x","eventName":"GetUser","innkeeper":{"action":"iam:GetUser","decision":"allow"}}`)}, "does not say who asked"},
		{"a-huge-record", Question{Record: json.RawMessage(`"` + strings.Repeat("x", maxQuestion) + `"`)}, "unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Inquire(t.Context(), config.Config{Data: n.cfg.Data}, &tt.q)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Inquire() = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestInquireRecord asks about a record with two checks, of a session with a
// second factor, by a user who has been made anew since.
func TestInquireRecord(t *testing.T) {
	n := peopled(t)
	defer closing(t, n)
	when := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	raw, err := json.Marshal(&audit.Record{
		Time: when, EventID: "e", EventName: "CreateUser", EventSource: "iam.amazonaws.com", Region: "eu-north-1", SourceIP: "192.0.2.1", UserAgent: "aws-cli",
		Identity: audit.Identity{Type: "IAMUser", ARN: fredARN, AccountID: account, PrincipalID: "AIDAANOTHERFRED", AccessKeyID: "ASIAX",
			Session: &audit.Session{Created: when.Add(-time.Hour), MFA: true, SourceIdentity: "fred@desk"}},
		RequestParameters: json.RawMessage(`{"userName":"ann","permissionsBoundary":"arn:x","tags":[{"key":"team","value":"b"}]}`),
		Decision: audit.Decision{
			Check:  audit.Check{Action: "iam:TagUser", Resource: "arn:aws:iam::" + account + ":user/ann", Outcome: audit.ImplicitDeny, Layer: "identity-based policy", Reason: "because"},
			Checks: []audit.Check{{Action: "iam:CreateUser", Resource: "arn:aws:iam::" + account + ":user/ann", Outcome: audit.Allow}},
		},
	})
	must(t, err)
	list, err := Inquire(t.Context(), config.Config{Data: n.cfg.Data}, &Question{Record: raw})
	must(t, err)
	if len(list) != 2 || list[0].Request.Action != "iam:CreateUser" || list[1].Request.Action != "iam:TagUser" {
		t.Fatalf("Inquire() = %+v, want two requests, that to create first", list)
	}
	last := list[1]
	if want := (Recorded{EventID: "e", Event: "CreateUser", Time: when, Outcome: "implicit-deny", Layer: "identity-based policy", Reason: "because"}); *last.Recorded != want {
		t.Errorf("recorded %+v, want %+v", *last.Recorded, want)
	}
	if !slices.ContainsFunc(last.Notes, func(s string) bool { return strings.Contains(s, "had the unique id AIDAANOTHERFRED") }) {
		t.Errorf("notes %q, want that fred is another", last.Notes)
	}
	for key, want := range map[string]string{
		"aws:CurrentTime": "2026-03-04T05:06:07Z", "aws:TokenIssueTime": "2026-03-04T04:06:07Z", "aws:MultiFactorAuthPresent": "true",
		"aws:MultiFactorAuthAge": "3600", "aws:SourceIdentity": "fred@desk", "aws:SourceIp": "192.0.2.1", "aws:UserAgent": "aws-cli",
		"aws:RequestedRegion": "eu-north-1", "aws:RequestTag/team": "b", "iam:PermissionsBoundary": "arn:x",
	} {
		if got := last.Request.Context[key]; got != want {
			t.Errorf("context key %s = %q, want %q", key, got, want)
		}
	}
	if got := last.Request.Lists["aws:TagKeys"]; !slices.Equal(got, []string{"team"}) {
		t.Errorf("aws:TagKeys = %q, want team", got)
	}
}

func TestParameterKeys(t *testing.T) {
	for _, tt := range []struct {
		name, action, parameters string
		keys                     map[string]string
		lists                    map[string][]string
	}{
		{"none", "iam:GetUser", `null`, nil, nil},
		{"of-another-form", "iam:GetUser", `{"tags": 1}`, nil, nil},
		{"a-policy-to-attach", "iam:AttachUserPolicy", `{"policyArn": "p"}`, map[string]string{"iam:PolicyARN": "p"}, nil},
		{"a-policy-to-read", "iam:GetPolicy", `{"policyArn": "p"}`, nil, nil},
		{"a-role-to-pass", "iam:PassRole", `{"roleName": "r"}`, map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}, nil},
		{"tags-to-remove", "iam:UntagUser", `{"tagKeys": ["a", "b"]}`, nil, map[string][]string{"aws:TagKeys": {"a", "b"}}},
		{"a-role-to-assume", "sts:AssumeRole", `{"roleSessionName": "s", "externalId": "e", "sourceIdentity": "i", "durationSeconds": 900,
			"tags": [{"key": "a", "value": "1"}], "transitiveTagKeys": ["a"]}`,
			map[string]string{"sts:RoleSessionName": "s", "sts:ExternalId": "e", "sts:SourceIdentity": "i", "sts:DurationSeconds": "900", "aws:RequestTag/a": "1"},
			map[string][]string{"aws:TagKeys": {"a"}, "sts:TransitiveTagKeys": {"a"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			keys, lists := parameterKeys(tt.action, json.RawMessage(tt.parameters))
			if !maps.Equal(keys, tt.keys) || !maps.EqualFunc(lists, tt.lists, slices.Equal) {
				t.Errorf("parameterKeys(%s, %s) = %v, %v, want %v, %v", tt.action, tt.parameters, keys, lists, tt.keys, tt.lists)
			}
		})
	}
}

// TestWireSet sends every kind of policy over the socket, a broken one too, and
// compares what is decided by what arrives.
func TestWireSet(t *testing.T) {
	compile := func(kind policy.Kind, text string) *policy.Policy {
		d, err := policy.Parse(kind.String(), []byte(text))
		must(t, err)
		p, err := policy.Compile(d, kind)
		must(t, err)
		return p
	}
	everyone := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`
	scp := compile(policy.SCP, allowing("*"))
	set := policy.Set{
		Identity: []*policy.Policy{compile(policy.Identity, allowing("*"))}, Boundary: compile(policy.Boundary, allowing("*")), HasBoundary: true,
		Session: []*policy.Policy{compile(policy.Session, allowing("*"))}, HasSession: true,
		SCPs: [][]*policy.Policy{{scp}, {scp, scp}, {}}, RCPs: [][]*policy.Policy{{compile(policy.RCP, everyone)}},
		Resource: compile(policy.Resource, everyone),
	}
	send := func(set *policy.Set) *policy.Set {
		raw, err := json.Marshal(wireInquiry{Set: wireSetOf(set, names(set.Identity), nil)})
		must(t, err)
		var w wireInquiry
		must(t, json.Unmarshal(raw, &w))
		q, err := w.inquiry()
		must(t, err)
		return &q.Set
	}
	p, err := policy.PrincipalOf(fredARN)
	must(t, err)
	r := &policy.Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x"}
	for _, change := range []func(){
		func() {}, // the empty level denies
		func() { set.SCPs = set.SCPs[:2] },
		func() { set.RCPs = append(set.RCPs, nil) },
		func() { set.RCPs = set.RCPs[:1] },
		func() { set.Resource, set.Session = nil, nil },
		func() { set.HasSession = false },
		func() { set.Boundary = nil },
		func() { set.Identity = append(set.Identity, policy.Broken("gone", errors.New("it is gone"))) },
	} {
		change()
		want, got := policy.Explain(r, &set), policy.Explain(r, send(&set))
		if want.Summary != got.Summary || !reflect.DeepEqual(want.Decision.Statement, got.Decision.Statement) {
			t.Errorf("after the wire: %s\nwant: %s", got.Summary, want.Summary)
		}
	}
	if _, err := (&wirePolicy{Name: "p", Kind: policy.Identity, Text: "{"}).compile(); err == nil {
		t.Error("a text that does not compile gave a policy")
	}
}
