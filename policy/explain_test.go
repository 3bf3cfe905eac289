// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const readers = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "ReadOwn", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/home/${aws:username}/*",
     "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/secret/*"}
  ]
}`

func TestSummary(t *testing.T) {
	identity := []*Policy{compileJSON(t, "readers", []byte(readers), Identity)}
	fullSCP, fullRCP := compileJSON(t, "full", []byte(allowAll), SCP), compileJSON(t, "full", []byte(allowAnon), RCP)
	nothing := compileJSON(t, "ec2", []byte(`{"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}`), SCP)
	boundary := compileJSON(t, "ec2", []byte(`{"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}`), Boundary)
	root := Principal{Type: Root, Account: accountA, ARN: "arn:aws:iam::" + accountA + ":root"}
	trust := compileJSON(t, "trust", []byte(`{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}`), Trust)
	const own = "arn:aws:s3:::b/home/alice/x"
	for _, tc := range []struct {
		name, action, resource string
		caller                 Principal
		set                    Set
		want                   string
	}{
		{"a-grant", "s3:GetObject", own, alice, Set{Identity: identity},
			"Allowed: statement ReadOwn of readers (4:5), an identity-based policy, allows s3:GetObject on " + own + "."},
		{"an-explicit-deny", "s3:GetObject", "arn:aws:s3:::b/secret/x", alice, Set{Identity: identity},
			"Denied: statement 2 of readers (6:5), an identity-based policy, explicitly denies s3:GetObject on arn:aws:s3:::b/secret/x."},
		{"no-grant", "s3:PutObject", own, alice, Set{Identity: identity}, "Denied: no identity-based policy allows s3:PutObject on " + own + "."},
		{"a-level", "s3:GetObject", own, alice, Set{Identity: identity, SCPs: [][]*Policy{{fullSCP}, {nothing}}},
			"Denied: no service control policy at level 2 allows s3:GetObject on " + own + "."},
		{"an-empty-level", "s3:GetObject", own, alice, Set{Identity: identity, RCPs: [][]*Policy{{fullRCP}, nil}},
			"Denied: no resource control policy at level 2 allows s3:GetObject on " + own + "."},
		{"a-boundary", "s3:GetObject", own, alice, Set{Identity: identity, Boundary: boundary}, "Denied: no permissions boundary allows s3:GetObject on " + own + "."},
		{"a-trust-policy", "sts:AssumeRole", "arn:aws:iam::" + accountA + ":role/r", alice, Set{Resource: trust},
			"Denied: no role trust policy allows sts:AssumeRole on arn:aws:iam::" + accountA + ":role/r."},
		{"no-trust-policy", "sts:AssumeRole", "arn:aws:iam::" + accountA + ":role/r", alice, Set{},
			"Denied: no role trust policy allows sts:AssumeRole on arn:aws:iam::" + accountA + ":role/r."},
		{"root", "s3:PutObject", own, root, Set{}, "Allowed: an account's root user may do everything in its account."},
		{"who-am-i", "sts:GetCallerIdentity", "*", alice, Set{}, "Allowed: sts:GetCallerIdentity needs no permission and cannot be denied."},
		{"a-session-token", "sts:GetSessionToken", "*", alice, Set{}, "Allowed: sts:GetSessionToken needs no permission."},
		{"an-error", "s3:GetObject", own, alice, Set{Resource: Broken("bucket", errors.New("unreadable"))},
			"Denied: s3:GetObject on " + own + " could not be evaluated: unreadable."},
		{"a-federated-user", "s3:GetObject", own, Principal{Type: FederatedUser, Account: accountA, ARN: "arn:aws:sts::" + accountA + ":federated-user/f"}, Set{Identity: identity},
			"Denied: no session policy allows s3:GetObject on " + own + "."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &Request{Principal: tc.caller, Action: tc.action, Resource: tc.resource, Context: map[string]string{"aws:username": "alice", "aws:SourceIp": "10.0.0.1"}}
			trace := Explain(r, &tc.set)
			if trace.Summary != tc.want {
				t.Errorf("Summary = %q, want %q", trace.Summary, tc.want)
			}
			if _, err := json.Marshal(trace); err != nil {
				t.Errorf("json.Marshal(trace) = %v", err)
			}
		})
	}
}

// TestTraceNamesWhatFailed checks the element, pattern and value of statements
// that do not apply.
func TestTraceNamesWhatFailed(t *testing.T) {
	const bucket = `{"Statement": {"Effect": "Allow", "Principal": {"AWS": ["111122223333", "AIDAX"]}, "Action": "s3:GetObject", "Resource": "*"}}`
	for _, tc := range []struct {
		name, doc, element, pattern, value string
	}{
		{"the-action", `"Action": ["s3:Put*", "s3:List*"], "Resource": "*"`, "Action", `"s3:Put*" or "s3:List*"`, "s3:GetObject"},
		{"the-not-action", `"NotAction": "s3:*", "Resource": "*"`, "NotAction", `"s3:*"`, "s3:GetObject"},
		{"the-resource", `"Action": "*", "Resource": "arn:aws:s3:::x"`, "Resource", `"arn:aws:s3:::x"`, "arn:aws:s3:::bucket/key"},
		{"the-not-resource", `"Action": "*", "NotResource": "*"`, "NotResource", `"*"`, "arn:aws:s3:::bucket/key"},
		{"no-resources", `"Action": "*", "Resource": []`, "Resource", "an empty list", "arn:aws:s3:::bucket/key"},
		{"a-condition", `"Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "bob"}}`, "Condition StringEquals aws:username", `"bob"`, `["alice"]`},
		{"a-missing-key", `"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true}}`, "Condition Bool aws:SecureTransport", `"true"`, "no value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := compileJSON(t, "p", []byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", `+tc.doc+`}}`), Identity)
			r := getObject(alice)
			r.Context = map[string]string{"aws:username": "alice"}
			got := Explain(r, &Set{Identity: []*Policy{p}}).Layers[0].Policies[0].Statements[0]
			if got.Applies || got.Element != tc.element || got.Pattern != tc.pattern || got.Value != tc.value {
				t.Errorf("got %+v, want %s: %s against %s", got, tc.element, tc.pattern, tc.value)
			}
		})
	}
	bob := alice
	bob.Account, bob.ARN = accountB, "arn:aws:iam::"+accountB+":user/bob"
	got := Explain(getObject(bob), &Set{Resource: compileJSON(t, "bucket", []byte(bucket), Resource)}).Layers[0].Policies[0].Statements[0]
	if got.Element != "Principal" || got.Pattern != `AWS "111122223333" or "AIDAX"` || got.Value != bob.ARN {
		t.Errorf("got %+v, want the Principal", got)
	}
}

func TestTraceWrite(t *testing.T) {
	s := &Set{
		Identity: []*Policy{compileJSON(t, "readers", []byte(readers), Identity)},
		Resource: compileJSON(t, "bucket", []byte(`{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}}`), Resource),
		SCPs:     [][]*Policy{{compileJSON(t, "full", []byte(allowAll), SCP)}},
		Session:  []*Policy{Broken("inline", errors.New("unreadable"))},
	}
	r := &Request{Principal: alice, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/home/alice/x", Context: map[string]string{"aws:username": "alice", "aws:SourceIp": "192.0.2.1"}}
	var b strings.Builder
	if err := Explain(r, s).Write(&b); err != nil {
		t.Fatal(err)
	}
	const want = `Denied: s3:GetObject on arn:aws:s3:::b/home/alice/x could not be evaluated: unreadable.
  service control policy, level 1: allows
    full
      Allow All (1:40) applies
  resource-based policy: allows, caller matched as account
    bucket
      Allow #1 (1:15) applies, caller matched as account
  identity-based policy: silent
    readers
      Allow ReadOwn (4:5) does not apply: Condition IpAddress aws:SourceIp wants "10.0.0.0/8", request has ["192.0.2.1"]
      Deny #2 (6:5) does not apply: Resource wants "arn:aws:s3:::b/secret/*", request has arn:aws:s3:::b/home/alice/x
  session policy: denies
    inline
      error: unreadable
`
	if b.String() != want {
		t.Errorf("Write = %s\nwant %s", b.String(), want)
	}
}

func TestTraceJSON(t *testing.T) {
	s := &Set{Identity: []*Policy{compileJSON(t, "readers", []byte(readers), Identity)}}
	r := &Request{Principal: alice, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/secret/x"}
	got, err := json.Marshal(Explain(r, s))
	if err != nil {
		t.Fatal(err)
	}
	const ref = `{"policy":"readers","index":1,"start":{"line":6,"column":5},"end":{"line":6,"column":80}}`
	for _, want := range []string{
		`"summary":"Denied: `, `"decision":{"outcome":"explicit-deny","layer":"identity-based policy","statement":` + ref + `}`,
		`"principal":"` + alice.ARN + `"`, `"resourceAccount":"` + accountA + `"`, `"verdict":"explicit-deny"`, `"effect":"Deny","applies":true`,
		`"sid":"ReadOwn"`, `"element":"Resource","pattern":"\"arn:aws:s3:::b/home/${aws:username}/*\"","value":"arn:aws:s3:::b/secret/x"`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("JSON of the trace = %s, want %s in it", got, want)
		}
	}
}
