// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy/internal/textbook"
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
			"Allowed: statement ReadOwn of readers (4:5), one of alice's policies, allows s3:GetObject on b/home/alice/*."},
		{"an-explicit-deny", "s3:GetObject", "arn:aws:s3:::b/secret/x", alice, Set{Identity: identity},
			"Denied: statement 2 of readers (6:5), one of alice's policies, denies s3:GetObject on b/secret/*."},
		{"no-grant", "s3:PutObject", own, alice, Set{Identity: identity}, "Denied: alice's policies do not allow s3:PutObject on b/home/alice/x; the nearest, statement ReadOwn of readers (4:5), allows only s3:GetObject."},
		{"a-level", "s3:GetObject", own, alice, Set{Identity: identity, SCPs: [][]*Policy{{fullSCP}, {nothing}}},
			"Denied: alice's policies allow s3:GetObject on b/home/alice/*, but the service control policy ec2 of level 2 does not allow s3:GetObject."},
		{"an-empty-level", "s3:GetObject", own, alice, Set{Identity: identity, RCPs: [][]*Policy{{fullRCP}, nil}},
			"Denied: alice's policies allow s3:GetObject on b/home/alice/*, but level 2 has no resource control policy and allows nothing."},
		{"a-boundary", "s3:GetObject", own, alice, Set{Identity: identity, Boundary: boundary}, "Denied: alice's policies allow s3:GetObject on b/home/alice/*, but the boundary ec2 does not allow s3:GetObject."},
		{"a-trust-policy", "sts:AssumeRole", "arn:aws:iam::" + accountA + ":role/r", alice, Set{Resource: trust},
			"Denied: the trust policy of role r does not allow alice sts:AssumeRole; the nearest, statement 1 of trust (1:15), allows it only to ec2.amazonaws.com."},
		{"no-trust-policy", "sts:AssumeRole", "arn:aws:iam::" + accountA + ":role/r", alice, Set{},
			"Denied: no trust policy of role r allows alice sts:AssumeRole."},
		{"root", "s3:PutObject", own, root, Set{}, "Allowed: an account's root user may do everything in its account."},
		{"who-am-i", "sts:GetCallerIdentity", "*", alice, Set{}, "Allowed: sts:GetCallerIdentity needs no permission and cannot be denied."},
		{"a-session-token", "sts:GetSessionToken", "*", alice, Set{}, "Allowed: sts:GetSessionToken needs no permission."},
		{"an-error", "s3:GetObject", own, alice, Set{Resource: Broken("bucket", errors.New("unreadable"))},
			"Denied: bucket, the resource policy, cannot be evaluated and so denies everything: unreadable."},
		{"a-federated-user", "s3:GetObject", own, Principal{Type: FederatedUser, Account: accountA, ARN: "arn:aws:sts::" + accountA + ":federated-user/f"}, Set{Identity: identity},
			"Denied: federated user f's policies allow s3:GetObject on b/home/alice/*, but federated user f has no session policy and so no permissions of its own."},
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
	const want = `Denied: inline, a session policy, cannot be evaluated and so denies everything: unreadable.
  ✓ service control policy, level 1: allows
      full
        Allow All (1:40) applies
          ✓ Action: s3:GetObject matches *
          ✓ Resource: arn:aws:s3:::b/home/alice/x matches *
  ✓ resource-based policy: allows, caller matched as account
      bucket
        Allow #1 (1:15) applies
          ✓ Principal: arn:aws:iam::111122223333:user/alice matches 111122223333
          ✓ Action: s3:GetObject matches s3:*
          ✓ Resource: arn:aws:s3:::b/home/alice/x matches *
  ✗ identity-based policy: silent
      readers
        Allow ReadOwn (4:5) does not apply
          ✓ Action: s3:GetObject matches s3:GetObject
          ✓ Resource: arn:aws:s3:::b/home/alice/x matches arn:aws:s3:::b/home/alice/*
          ✗ Condition IpAddress aws:SourceIp wants 10.0.0.0/8, request has 192.0.2.1
        Deny #2 (6:5) does not apply
          ✓ Action: s3:GetObject matches s3:*
          ✗ Resource: arn:aws:s3:::b/home/alice/x does not match arn:aws:s3:::b/secret/*
  ✗ session policy: denies
      inline
      ✗ error: unreadable
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
	const ref = `{"policy":"readers","index":1,"start":{"line":6,"column":5}}`
	for _, want := range []string{
		`"summary":"Denied: `, `"decision":{"outcome":"explicit-deny","layer":"identity-based policy","statement":` + ref + `}`,
		`"principal":"` + alice.ARN + `"`, `"resourceAccount":"` + accountA + `"`, `"verdict":"explicit-deny"`, `"effect":"Deny","applies":true`,
		`"sid":"ReadOwn"`, `{"element":"Resource","matched":false,"wants":["arn:aws:s3:::b/home/${aws:username}/*"],"has":["arn:aws:s3:::b/secret/x"],` +
			`"missing":["aws:username"],"position":{"line":4,"column":69}}`,
		`{"element":"Condition","operator":"IpAddress","key":"aws:SourceIp","matched":false,"wants":["10.0.0.0/8"],"has":null,"missing":["aws:SourceIp"],` +
			`"position":{"line":5,"column":34}}`,
		`{"element":"Action","matched":true,"wants":["s3:*"],"has":["s3:GetObject"],"by":"s3:*","position":{"line":6,"column":34}}`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("JSON of the trace = %s, want %s in it", got, want)
		}
	}
}

// The textbook numbers callers, and how they are named, as this package does.
func TestTextbookNumbers(t *testing.T) {
	for ours, its := range map[PrincipalType]textbook.CallerType{
		Anonymous: textbook.Anonymous, User: textbook.User, RoleSession: textbook.RoleSession, FederatedUser: textbook.FederatedUser,
		Root: textbook.Root, Service: textbook.Service, WebIdentity: textbook.WebIdentity,
	} {
		if ours != PrincipalType(its) {
			t.Errorf("the caller %d is %d in the textbook", ours, its)
		}
	}
	for ours, its := range map[strength]textbook.Closeness{
		noMatch: textbook.Unnamed, accountMatch: textbook.ByAccount, sourceMatch: textbook.BySource, exactMatch: textbook.ByName, anyMatch: textbook.AsAnyone,
	} {
		if ours != strength(its) {
			t.Errorf("the strength %d is %d in the textbook", ours, its)
		}
	}
}
