// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	allowAll  = `{"Version": "2012-10-17", "Statement": {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}}`
	allowAnon = `{"Version": "2012-10-17", "Statement": {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}`
)

var alice = Principal{Type: User, Account: accountA, ARN: "arn:aws:iam::" + accountA + ":user/alice", ID: "AIDAALICE"}

func getObject(p Principal) *Request {
	return &Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/key", ResourceAccount: accountA}
}

// grantTo is a resource policy that names principals.
func grantTo(t *testing.T, ids map[string]string, effect string, names ...string) *Policy {
	t.Helper()
	d, err := Parse("bucket", fmt.Appendf(nil, `{"Statement": {"Effect": %q, "Principal": {"AWS": ["%s"]}, "Action": "*", "Resource": "*"}}`,
		effect, strings.Join(names, `","`)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := CompileBound(d, Resource, ids)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBoundPrincipals checks that a stored policy names the user or role that
// there was when it was stored (M-11).
func TestBoundPrincipals(t *testing.T) {
	user, role := alice.ARN, "arn:aws:iam::"+accountA+":role/app"
	session := Principal{Type: RoleSession, Account: accountA, ARN: "arn:aws:sts::" + accountA + ":assumed-role/app/s", ID: "AROAAPP", Role: role}
	ids := map[string]string{user: "AIDAALICE", role: "AROAAPP", session.ARN: "AROAAPP"}
	with := func(p Principal, change func(*Principal)) Principal { change(&p); return p }
	federated := Principal{Type: FederatedUser, Account: accountA, ARN: "arn:aws:sts::" + accountA + ":federated-user/f", ID: "AIDAALICE", User: user}
	for _, tc := range []struct {
		name   string
		bound  bool
		named  string
		caller Principal
		want   Outcome
	}{
		{"the-user-itself", true, user, alice, Allowed},
		{"a-user-created-anew", true, user, with(alice, func(p *Principal) { p.ID = "AIDANEW" }), ImplicitDeny},
		{"a-user-created-anew-and-not-bound", false, user, with(alice, func(p *Principal) { p.ID = "AIDANEW" }), Allowed},
		{"a-renamed-user", true, user, with(alice, func(p *Principal) { p.ARN += "2" }), Allowed},
		{"a-user-of-unknown-id", true, user, with(alice, func(p *Principal) { p.ID = "" }), Allowed},
		{"a-session-of-the-role", true, role, session, Allowed},
		{"a-session-of-a-role-created-anew", true, role, with(session, func(p *Principal) { p.ID = "AROANEW" }), ImplicitDeny},
		{"the-session-itself", true, session.ARN, session, Allowed},
		{"the-same-session-of-a-role-created-anew", true, session.ARN, with(session, func(p *Principal) { p.ID = "AROANEW" }), ImplicitDeny},
		{"another-session-of-the-role-by-session", true, session.ARN, with(session, func(p *Principal) { p.ARN += "2" }), ImplicitDeny},
		{"a-user-by-its-id", false, "AIDAALICE", alice, Allowed},
		{"a-session-by-its-role's-id", false, "AROAAPP", session, Allowed},
		{"an-unknown-id", false, "AIDAGONE", with(alice, func(p *Principal) { p.ID = "" }), ImplicitDeny},
		{"a-role-of-another-path", false, "arn:aws:iam::" + accountA + ":role/p/app", session, ImplicitDeny},
		{"a-role-of-any-path-when-it-is-unknown", false, "arn:aws:iam::" + accountA + ":role/p/app", with(session, func(p *Principal) { p.Role = "" }), Allowed},
		{"a-role-of-another-account", false, "arn:aws:iam::" + accountB + ":role/app", with(session, func(p *Principal) { p.Role = "" }), ImplicitDeny},
		{"a-federated-user-by-its-user", false, user, federated, ImplicitDeny}, // limited by the missing session policy (D-7)
	} {
		t.Run(tc.name, func(t *testing.T) {
			bound := ids
			if !tc.bound {
				bound = nil
			}
			if got := agree(t, getObject(tc.caller), &Set{Resource: grantTo(t, bound, "Allow", tc.named)}); got.Outcome != tc.want {
				t.Errorf("Decide = %v by %v, want %v", got.Outcome, got.Layer, tc.want)
			}
		})
	}
	for i := range 20 { // whatever the hashes of the id and of the new name
		id := fmt.Sprintf("AIDA%d", i)
		renamed := with(alice, func(p *Principal) { p.ID, p.ARN = id, fmt.Sprintf("%s-%d", p.ARN, i) })
		if got := agree(t, getObject(renamed), &Set{Resource: grantTo(t, map[string]string{user: id}, "Allow", user)}); got.Outcome != Allowed {
			t.Errorf("%s, renamed to %s: Decide = %v by %v, want allow", id, renamed.ARN, got.Outcome, got.Layer)
		}
	}
	full := compileJSON(t, "full", []byte(allowAll), Session)
	if got := agree(t, getObject(federated), &Set{Resource: grantTo(t, nil, "Allow", user), Session: []*Policy{full}}); got.Outcome != Allowed {
		t.Errorf("a federated user by its user's ARN, with a session policy: Decide = %v, want allow", got.Outcome)
	}
	if got := agree(t, getObject(federated), &Set{Resource: grantTo(t, nil, "Deny", user), Session: []*Policy{full}}); got.Outcome != ExplicitDeny {
		t.Errorf("a deny on the user of a federated user: Decide = %v, want explicit-deny", got.Outcome)
	}
}

// TestCanonicalUser checks quirk Q025.
func TestCanonicalUser(t *testing.T) {
	p := compileJSON(t, "bucket", []byte(`{"Statement": {"Effect": "Allow", "Principal": {"CanonicalUser": "79a5"}, "Action": "*", "Resource": "*"}}`), Resource)
	r := getObject(alice)
	r.ResourceAccount = accountB
	s := &Set{Resource: p, Identity: []*Policy{compileJSON(t, "all", []byte(allowAll), Identity)}}
	if got := agree(t, r, s); got.Outcome != ImplicitDeny {
		t.Errorf("canonical id unknown: Decide = %v, want implicit-deny", got.Outcome)
	}
	r.Principal.CanonicalID = "79a5"
	if got := agree(t, r, s); got.Outcome != Allowed {
		t.Errorf("canonical id known: Decide = %v, want allow", got.Outcome)
	}
	s.Identity = nil
	if got := agree(t, r, s); got.Outcome != ImplicitDeny || got.Layer != IdentityLayer {
		t.Errorf("without identity policy: Decide = %v by %v, want implicit-deny by the identity-based policy", got.Outcome, got.Layer)
	}
}

// TestDecideFailsClosed checks that nothing that is wrong with the policies
// themselves leads to an allow (D-14, P-11, quirk Q024).
func TestDecideFailsClosed(t *testing.T) {
	identity, resource := compileJSON(t, "all", []byte(allowAll), Identity), compileJSON(t, "all", []byte(allowAnon), Resource)
	scp, rcp := compileJSON(t, "all", []byte(allowAll), SCP), compileJSON(t, "all", []byte(allowAnon), RCP)
	unreadable := errors.New("unreadable")
	broken := Broken("stored", unreadable)
	ok := []*Policy{identity}
	for _, tc := range []struct {
		name  string
		set   *Set
		layer Layer
	}{
		{"a-broken-identity-policy", &Set{Identity: []*Policy{identity, broken}}, IdentityLayer},
		{"a-broken-boundary", &Set{Identity: ok, Boundary: broken}, BoundaryLayer},
		{"a-broken-session-policy", &Set{Identity: ok, Session: []*Policy{broken}}, SessionLayer},
		{"a-broken-scp", &Set{Identity: ok, SCPs: [][]*Policy{{scp}, {scp, broken}}}, SCPLayer},
		{"a-broken-rcp", &Set{Identity: ok, RCPs: [][]*Policy{{rcp, broken}}}, RCPLayer},
		{"a-broken-resource-policy", &Set{Identity: ok, Resource: broken}, ResourceLayer},
		{"a-broken-endpoint-policy", &Set{Identity: ok, Endpoint: broken}, EndpointLayer},
		{"a-nil-identity-policy", &Set{Identity: []*Policy{identity, nil}}, IdentityLayer},
		{"a-nil-scp", &Set{Identity: ok, SCPs: [][]*Policy{{nil}}}, SCPLayer},
		{"an-identity-policy-as-resource-policy", &Set{Resource: identity}, ResourceLayer},
		{"a-resource-policy-as-identity-policy", &Set{Identity: []*Policy{resource}}, IdentityLayer},
		{"an-identity-policy-as-scp", &Set{Identity: ok, SCPs: [][]*Policy{{identity}}}, SCPLayer},
		{"an-scp-as-boundary", &Set{Identity: ok, Boundary: scp}, BoundaryLayer},
		{"a-resource-policy-as-endpoint-policy", &Set{Identity: ok, Endpoint: resource}, EndpointLayer},
		{"a-zero-policy", &Set{Identity: []*Policy{new(Policy)}}, IdentityLayer},
		{"no-set", nil, NoLayer},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Decide(getObject(alice), tc.set)
			if got.Outcome != ExplicitDeny || got.Err == nil || got.Layer != tc.layer || got.Statement != nil {
				t.Errorf("Decide = %+v, want an explicit deny by %v with an error", got, tc.layer)
			}
			if want := Explain(getObject(alice), tc.set).Decision; want.Outcome != got.Outcome || want.Layer != got.Layer || want.Err == nil {
				t.Errorf("Explain = %+v, want %+v", want, got)
			}
		})
	}
	if got := Decide(getObject(alice), &Set{Identity: []*Policy{broken}}); got.Err != unreadable {
		t.Errorf("Decide = error %v, want that of the broken policy", got.Err)
	}
	stray := &Request{Principal: Principal{Type: User}, Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/key"}
	if got := agree(t, stray, &Set{Identity: ok}); got.Outcome != ImplicitDeny || got.Layer != ResourceLayer {
		t.Errorf("a caller without an account: Decide = %v by %v, want implicit-deny by the resource-based policy", got.Outcome, got.Layer)
	}
	if got := Decide(nil, &Set{}); got.Outcome != ExplicitDeny || got.Err == nil {
		t.Errorf("Decide(nil) = %+v, want an explicit deny with an error", got)
	}
	if Broken("x", nil).fault() == nil {
		t.Error("Broken(nil) has no error")
	}
}

// TestAttachedKinds checks that one compiled policy serves as identity policy,
// boundary and session policy.
func TestAttachedKinds(t *testing.T) {
	for _, kind := range []Kind{Identity, Boundary, Session} {
		p := compileJSON(t, "all", []byte(allowAll), kind)
		s := &Set{Identity: []*Policy{p}, Boundary: p, Session: []*Policy{p}}
		if got := agree(t, getObject(alice), s); got.Outcome != Allowed {
			t.Errorf("kind %v in all three layers: Decide = %v, want allow", kind, got.Outcome)
		}
	}
}

func TestLayersInForceWithoutPolicies(t *testing.T) {
	identity := []*Policy{compileJSON(t, "all", []byte(allowAll), Identity)}
	if got := agree(t, getObject(alice), &Set{Identity: identity, HasBoundary: true}); got.Layer != BoundaryLayer {
		t.Errorf("HasBoundary: Decide = %v by %v, want implicit-deny by the permissions boundary", got.Outcome, got.Layer)
	}
	if got := agree(t, getObject(alice), &Set{Identity: identity, HasSession: true}); got.Layer != SessionLayer {
		t.Errorf("HasSession: Decide = %v by %v, want implicit-deny by the session policy", got.Outcome, got.Layer)
	}
}

// TestDecideLetterCase checks quirk Q015: the Kelvin sign is no k, and quirk Q018.
func TestDecideLetterCase(t *testing.T) {
	p := compileJSON(t, "kms", []byte(`{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"x:key": "1"}}}}`), Identity)
	s := &Set{Identity: []*Policy{p}}
	r := &Request{Principal: alice, Action: "KMS:ListKeys", Resource: "*", Context: map[string]string{"X:KEY": "1"}}
	if got := agree(t, r, s); got.Outcome != Allowed {
		t.Errorf("in ASCII capitals: Decide = %v, want allow", got.Outcome)
	}
	r.Context = map[string]string{"x:\u212aey": "1"}
	if got := agree(t, r, s); got.Outcome != ImplicitDeny {
		t.Errorf("with a Kelvin sign in the key: Decide = %v, want implicit-deny", got.Outcome)
	}
	r.Action, r.Context = "\u212aMS:ListKeys", map[string]string{"x:key": "1"}
	if got := agree(t, r, s); got.Outcome != ImplicitDeny {
		t.Errorf("with a Kelvin sign in the action: Decide = %v, want implicit-deny", got.Outcome)
	}
	r.Action = "kms:ListKeys"
	foreign := compileJSON(t, "kms", []byte(`{"Statement": [{"Effect": "Allow", "Action": ["\u212ams:*"], "Resource": "*"},
		{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"x:[": "1"}}}]}`), Identity)
	r.Context = map[string]string{"x:{": "1"} // a brace is no bracket in lower case
	if got := agree(t, r, &Set{Identity: []*Policy{foreign}}); got.Outcome != ImplicitDeny {
		t.Errorf("with a Kelvin sign or a bracket in the policy: Decide = %v, want implicit-deny", got.Outcome)
	}
	for range 20 { // maps are walked in any order
		r.Context = map[string]string{"X:KEY": "2", "x:KEY": "1", "X:key": "1"}
		if got := agree(t, r, s); got.Outcome != ImplicitDeny {
			t.Fatalf("first in byte order differs: Decide = %v, want implicit-deny", got.Outcome)
		}
		r.Context = map[string]string{"X:KEY": "2", "x:key": "1"}
		if got := agree(t, r, s); got.Outcome != Allowed {
			t.Fatalf("the key spelt as in the policy: Decide = %v, want allow", got.Outcome)
		}
	}
	r.Lists = map[string][]string{"X:Key": nil}
	if got := agree(t, r, s); got.Outcome != ImplicitDeny {
		t.Errorf("with no list in Lists: Decide = %v, want that of an absent key, implicit-deny", got.Outcome)
	}
	r.Lists = map[string][]string{"X:Key": {"2"}}
	if got := agree(t, r, s); got.Outcome != ImplicitDeny {
		t.Errorf("a key in both maps: Decide = %v, want that of Lists, implicit-deny", got.Outcome)
	}
}

// TestDecideLongAction checks an action longer than Decide's own buffer.
func TestDecideLongAction(t *testing.T) {
	long := "s3:" + strings.Repeat("Get", 100)
	p := compileJSON(t, "long", []byte(`{"Statement": {"Effect": "Allow", "Action": ["`+strings.ToLower(long)+`", "s3:*get?"], "Resource": "*"}}`), Identity)
	s := &Set{Identity: []*Policy{p}}
	for action, want := range map[string]Outcome{long: Allowed, long + "X": Allowed, long + "XY": ImplicitDeny} {
		if got := agree(t, &Request{Principal: alice, Action: action, Resource: "*"}, s); got.Outcome != want {
			t.Errorf("%d bytes: Decide = %v, want %v", len(action), got.Outcome, want)
		}
	}
}

// TestDecideIsBounded checks that hostile patterns and huge values take little time.
func TestDecideIsBounded(t *testing.T) {
	stars := strings.Repeat("a*", 1000) + "b"
	for _, tc := range []struct {
		name, statement string
		request         Request
	}{
		{"stars-in-the-resource", `"Action": "*", "Resource": "arn:aws:s3:::` + stars + `"`, Request{Resource: "arn:aws:s3:::" + strings.Repeat("a", 100_000)}},
		{"stars-in-every-part", `"Action": "*", "Resource": "arn:*a*:s3:*a*a*:` + stars + `:` + stars + `"`,
			Request{Resource: "arn:aaaa:s3:aaaaaaaaa:" + strings.Repeat("a", 10_000) + "b:" + strings.Repeat("a", 100_000)}},
		{"stars-in-the-action", `"Action": "s3:` + stars + `", "Resource": "*"`, Request{Action: "s3:" + strings.Repeat("a", 100_000), Resource: "*"}},
		{"stars-and-single-characters", `"Action": "*", "Resource": "arn:aws:s3:::` + strings.Repeat("*?", 1000) + `b"`, Request{Resource: "arn:aws:s3:::" + strings.Repeat("a", 20_000)}},
		{"stars-in-a-condition", `"Action": "*", "Resource": "*", "Condition": {"StringLike": {"x:v": "` + stars + `"}}`,
			Request{Resource: "*", Context: map[string]string{"x:v": strings.Repeat("a", 100_000)}}},
		{"stars-and-variables", `"Action": "*", "Resource": "*", "Condition": {"StringLike": {"x:v": "` + strings.Repeat("*${x:a}", 500) + `b"}}`,
			Request{Resource: "*", Context: map[string]string{"x:v": strings.Repeat("a", 10_000), "x:a": "a"}}},
		{"a-long-number", `"Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"x:v": "1"}}`,
			Request{Resource: "*", Context: map[string]string{"x:v": strings.Repeat("1", 1_000_000)}}},
		{"a-long-list", `"Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringLike": {"x:v": ["b*", "c*"]}}`,
			Request{Resource: "*", Lists: map[string][]string{"x:v": make([]string, 100_000)}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := compileJSON(t, "hostile", []byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", `+tc.statement+`}}`), Identity)
			r := tc.request
			r.Principal = alice
			if r.Action == "" {
				r.Action = "s3:GetObject"
			}
			start := time.Now()
			got := Decide(&r, &Set{Identity: []*Policy{p}})
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("Decide took %v", took)
			}
			if got.Outcome != ImplicitDeny || got.Err != nil {
				t.Errorf("Decide = %+v, want implicit-deny", got)
			}
		})
	}
}

// TestDecideDoesNotAllocate checks the path that every request takes.
func TestDecideDoesNotAllocate(t *testing.T) {
	r, s := allLayers(t)
	if n := testing.AllocsPerRun(100, func() { Decide(r, s) }); n != 0 {
		t.Errorf("Decide allocates %v times, want 0", n)
	}
}

// TestDecideConcurrently lets many goroutines share policies, for the race detector.
func TestDecideConcurrently(t *testing.T) {
	w := loadWorkload(t, "W2")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, r := range w.requests {
				if got := Decide(r, w.sets[i]); got.Outcome != w.want[i] {
					t.Errorf("request %d: Decide = %v, want %v", i, got.Outcome, w.want[i])
					return
				}
			}
		})
	}
	wg.Wait()
}
