// SPDX-License-Identifier: Apache-2.0

package authz_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// TestContext: IAM User Guide, "AWS global condition context keys" and "IAM
// policy elements: variables".
func TestContext(t *testing.T) {
	s := open(t)
	annID, appID := s.key(t, "ann").UserID, s.session(t, "app", session.Claims{}).Role.ID
	ann := map[string]string{
		"aws:PrincipalArn": "arn:aws:iam::111122223333:user/staff/ann", "aws:PrincipalType": "User",
		"aws:userid": annID, "aws:username": "ann",
		"aws:PrincipalTag/Team": "red", "aws:PrincipalTag/floor": "2",
	}
	root := map[string]string{
		"aws:PrincipalArn": "arn:aws:iam::111122223333:root", "aws:PrincipalType": "Account", "aws:userid": account,
	}
	temporary := func(of map[string]string, more ...string) map[string]string {
		m := maps.Clone(of)
		m["aws:TokenIssueTime"], m["aws:MultiFactorAuthPresent"] = "2026-01-02T02:04:05Z", "false"
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	tags := []session.Tag{{Key: "TEAM", Value: "blue"}, {Key: "x", Value: "y"}}
	for _, tc := range []struct {
		name   string
		caller *authn.Caller
		want   map[string]string // beside those of every caller
	}{
		{"a-user", s.key(t, "ann"), ann},
		{"root", s.key(t, "root"), root},
		{"a-session-of-a-user", s.session(t, "ann", session.Claims{}), temporary(ann)},
		{"a-session-of-a-user-with-a-second-factor", s.session(t, "ann", session.Claims{MFA: now.Add(-2 * time.Hour)}),
			temporary(ann, "aws:MultiFactorAuthPresent", "true", "aws:MultiFactorAuthAge", "7200")},
		{"a-session-of-root", s.session(t, "root", session.Claims{}), temporary(root)},
		{"a-session-of-a-role-whose-tags-replace-the-role's", s.session(t, "app", session.Claims{Tags: tags, SourceIdentity: "alice"}),
			temporary(map[string]string{}, "aws:PrincipalArn", "arn:aws:iam::111122223333:role/svc/app", "aws:PrincipalType", "AssumedRole",
				"aws:userid", appID+":job", "aws:SourceIdentity", "alice",
				"aws:PrincipalTag/TEAM", "blue", "aws:PrincipalTag/floor", "2", "aws:PrincipalTag/x", "y")},
		{"a-federated-user-with-the-tags-of-who-federated", s.session(t, "bob", session.Claims{Tags: tags}),
			temporary(map[string]string{}, "aws:PrincipalArn", "arn:aws:sts::111122223333:federated-user/bob", "aws:PrincipalType", "FederatedUser",
				"aws:userid", account+":bob", "aws:PrincipalTag/TEAM", "blue", "aws:PrincipalTag/floor", "2", "aws:PrincipalTag/x", "y")},
		{"a-user-whom-root-federated", s.session(t, "guest", session.Claims{}),
			temporary(map[string]string{}, "aws:PrincipalArn", "arn:aws:sts::111122223333:federated-user/guest", "aws:PrincipalType", "FederatedUser",
				"aws:userid", account+":guest")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := map[string]string{
				"aws:CurrentTime": "2026-01-02T03:04:05Z", "aws:EpochTime": "1767323045", "aws:SecureTransport": "true",
				"aws:ViaAWSService": "false", "aws:SourceIp": "203.0.113.7", "aws:UserAgent": "test",
				"aws:PrincipalAccount": account, "aws:PrincipalIsAWSService": "false",
				"aws:ResourceAccount": account, "aws:RequestedRegion": "eu-north-1",
				"iam:PolicyARN": tagARN,
			}
			maps.Copy(want, tc.want)
			env := &authz.Env{Time: now.In(time.FixedZone("", 3600)), SourceIP: "203.0.113.7", UserAgent: "test", Secure: true}
			req := authz.Request(tc.caller, env, &authz.Check{
				Action: "iam:GetUser", Resource: "*", Keys: map[string]string{"iam:PolicyARN": tagARN},
				Lists: map[string][]string{"aws:TagKeys": {"a"}},
			})
			if !maps.Equal(req.Context, want) {
				t.Errorf("context =\n%s\nwant\n%s", lines(req.Context), lines(want))
			}
			if req.ResourceAccount != account || !reflect.DeepEqual(req.Principal, tc.caller.Principal) || len(req.Lists) != 1 {
				t.Errorf("request = %+v", req)
			}
		})
	}
}

func lines(m map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "\t%s = %s\n", k, m[k])
	}
	return b.String()
}

// TestKeysOfCheck: what an operation takes from a request never replaces who the
// caller is or where it comes from.
func TestKeysOfCheck(t *testing.T) {
	s := open(t)
	env := &authz.Env{Time: now, SourceIP: "203.0.113.7"}
	caller := s.session(t, "app", session.Claims{})
	honest := authz.Request(caller, env, &authz.Check{})
	forged := map[string]string{"aws:Referer": "x", "aws:SourceIdentity": "x"}
	for key := range honest.Context {
		forged[key] = "x"
	}
	ck := authz.Check{Keys: maps.Clone(forged)}
	if req := authz.Request(caller, env, &ck); !maps.Equal(req.Context, honest.Context) {
		t.Errorf("context =\n%s\nwant\n%s", lines(req.Context), lines(honest.Context))
	}
	if !maps.Equal(ck.Keys, forged) {
		t.Error("Request changed the keys of the check")
	}
}

func TestAnonymous(t *testing.T) {
	req := authz.Request(nil, &authz.Env{Time: now}, &authz.Check{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Account: account})
	if req.Principal != (policy.Principal{}) || req.ResourceAccount != account {
		t.Errorf("request = %+v, want an anonymous one", req)
	}
	for key := range req.Context {
		if strings.HasPrefix(strings.ToLower(key), "aws:principal") || strings.EqualFold(key, "aws:userid") || strings.EqualFold(key, "aws:username") {
			t.Errorf("an anonymous caller has %s", key)
		}
	}
	s := open(t)
	if got := s.ask(nil, "iam:GetUser"); got != policy.ImplicitDeny {
		t.Errorf("an anonymous caller: %v, want %v", got, policy.ImplicitDeny)
	}
	doc := store.NewDocument("b", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
		"Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:ResourceAccount":"`+account+`"}}}}`)
	open := authz.Check{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Account: account, Policy: doc.Compiled(policy.Resource)}
	if err := s.Authorize(t.Context(), new(audit.Record), nil, &authz.Env{Time: now}, open); err != nil {
		t.Errorf("an anonymous caller whom a bucket policy allows: %v", err)
	}
}

// TestPolicies also tests Q024: what is gone or broken denies.
func TestPolicies(t *testing.T) {
	s := open(t)
	const (
		allow    = policy.Allowed
		implicit = policy.ImplicitDeny
		explicit = policy.ExplicitDeny
	)
	limit := session.Claims{Policy: list}
	gone := *s.key(t, "ann")
	gone.User = &store.User{Name: "ann", Grants: store.Grants{Attached: []string{tagARN, "arn:aws:iam::aws:policy/NoSuchPolicy"}}}
	noBoundary := *s.key(t, "max")
	noBoundary.User = &store.User{Name: "max", Boundary: goneARN, Grants: noBoundary.User.Grants}
	for _, tc := range []struct {
		name                           string
		caller                         *authn.Caller
		get, list, tag, delete, create policy.Outcome
	}{
		{"a-user-with-the-policies-of-the-group", s.key(t, "ann"), allow, allow, allow, explicit, implicit},
		{"a-session-of-a-user-may-do-the-same", s.session(t, "ann", session.Claims{}), allow, allow, allow, explicit, implicit},
		{"a-user-within-a-boundary", s.key(t, "max"), allow, implicit, implicit, implicit, implicit},
		{"a-user-whose-boundary-is-gone", &noBoundary, implicit, implicit, implicit, implicit, implicit},
		{"a-user-with-a-policy-that-is-gone", &gone, explicit, explicit, explicit, explicit, explicit},
		{"root", s.key(t, "root"), allow, allow, allow, allow, allow},
		{"a-role", s.session(t, "app", session.Claims{}), allow, allow, allow, allow, allow},
		{"a-role-with-a-session-policy", s.session(t, "app", limit), allow, allow, implicit, allow, implicit},
		{"a-role-with-a-managed-session-policy", s.session(t, "app", session.Claims{PolicyARNs: []string{tagARN}}), implicit, implicit, allow, implicit, implicit},
		{"session-policies-are-a-union", s.session(t, "app", session.Claims{Policy: list, PolicyARNs: []string{tagARN}}), allow, allow, allow, allow, implicit},
		{"a-session-policy-may-deny", s.session(t, "app", session.Claims{Policy: noDelete, PolicyARNs: []string{tagARN}}), implicit, implicit, allow, explicit, implicit},
		{"a-session-policy-that-is-gone", s.session(t, "app", session.Claims{Policy: list, PolicyARNs: []string{goneARN}}), explicit, explicit, explicit, explicit, explicit},
		{"a-session-policy-that-is-broken", s.session(t, "app", session.Claims{Policy: "{"}), explicit, explicit, explicit, explicit, explicit},
		{"a-federated-user-without-a-session-policy", s.session(t, "bob", session.Claims{}), implicit, implicit, implicit, explicit, implicit},
		{"a-federated-user-may-what-both-allow", s.session(t, "bob", limit), allow, allow, implicit, explicit, implicit},
		{"a-federated-user-may-no-more-than-who-federated", s.session(t, "bob", session.Claims{Policy: all}), allow, allow, allow, explicit, implicit},
		{"a-user-whom-root-federated", s.session(t, "guest", limit), allow, allow, implicit, allow, implicit},
		{"a-user-whom-root-federated-without-a-session-policy", s.session(t, "guest", session.Claims{}), implicit, implicit, implicit, implicit, implicit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for action, want := range map[string]policy.Outcome{
				"iam:GetUser": tc.get, "iam:ListUsers": tc.list, "iam:TagUser": tc.tag, "iam:DeleteUser": tc.delete, "iam:CreateUser": tc.create,
			} {
				if got := s.ask(tc.caller, action); got != want {
					t.Errorf("%s: %v, want %v", action, got, want)
				}
			}
		})
	}
}

// TestEffect: a change of policy holds for credentials that are in use.
func TestEffect(t *testing.T) {
	s := open(t)
	if got := s.ask(s.session(t, "ann", session.Claims{}), "iam:ListUsers"); got != policy.Allowed {
		t.Fatalf("before: %v", got)
	}
	must(t, s.store.Update(t.Context(), account, func(tx *store.Tx) error { return tx.RemoveMember("staff", "ann") }))
	if got := s.ask(s.session(t, "ann", session.Claims{}), "iam:ListUsers"); got != policy.ImplicitDeny {
		t.Errorf("after: %v, want %v", got, policy.ImplicitDeny)
	}
}

func compile(t testing.TB, text string, kind policy.Kind) *policy.Policy {
	t.Helper()
	d, err := policy.Parse("trust", []byte(text))
	must(t, err)
	p, err := policy.Compile(d, kind)
	must(t, err)
	return p
}

// TestDeniedError: IAM User Guide, "Troubleshoot access denied error messages".
func TestDeniedError(t *testing.T) {
	s := open(t)
	const user = "arn:aws:iam::111122223333:user/x"
	const role = "arn:aws:iam::111122223333:role/svc/app"
	nobody := compile(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Principal":"*"}}`, policy.Trust)
	for _, tc := range []struct {
		name   string
		caller *authn.Caller
		check  authz.Check
		want   string
	}{
		{"nothing-allows", s.key(t, "ann"), authz.Check{Action: "iam:CreateUser", Resource: user},
			"User: arn:aws:iam::111122223333:user/staff/ann is not authorized to perform: iam:CreateUser on resource: " + user +
				" because no identity-based policy allows the iam:CreateUser action"},
		{"without-a-resource", s.key(t, "ann"), authz.Check{Action: "iam:CreateUser", Resource: "*"},
			"User: arn:aws:iam::111122223333:user/staff/ann is not authorized to perform: iam:CreateUser on resource: *" +
				" because no identity-based policy allows the iam:CreateUser action"},
		{"the-resource-by-another-name", s.key(t, "ann"), authz.Check{Action: "iam:CreateUser", Resource: user, Shown: "user x"},
			"User: arn:aws:iam::111122223333:user/staff/ann is not authorized to perform: iam:CreateUser on resource: user x" +
				" because no identity-based policy allows the iam:CreateUser action"},
		{"a-policy-denies", s.key(t, "ann"), authz.Check{Action: "iam:DeleteUser", Resource: user},
			"User: arn:aws:iam::111122223333:user/staff/ann is not authorized to perform: iam:DeleteUser on resource: " + user +
				" with an explicit deny in an identity-based policy"},
		{"the-boundary-is-silent", s.key(t, "max"), authz.Check{Action: "iam:CreateUser", Resource: user},
			"User: arn:aws:iam::111122223333:user/max is not authorized to perform: iam:CreateUser on resource: " + user +
				" because no permissions boundary allows the iam:CreateUser action"},
		{"the-session-policy-is-silent", s.session(t, "app", session.Claims{Policy: list}), authz.Check{Action: "iam:CreateUser", Resource: user},
			"User: arn:aws:sts::111122223333:assumed-role/app/job is not authorized to perform: iam:CreateUser on resource: " + user +
				" because no session policy allows the iam:CreateUser action"},
		{"the-session-policy-denies", s.session(t, "app", session.Claims{Policy: noDelete}), authz.Check{Action: "iam:DeleteUser", Resource: user},
			"User: arn:aws:sts::111122223333:assumed-role/app/job is not authorized to perform: iam:DeleteUser on resource: " + user +
				" with an explicit deny in a session policy"},
		{"the-resource-is-another-account's", s.key(t, "root"), authz.Check{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Account: "444455556666"},
			"User: arn:aws:iam::111122223333:root is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k" +
				" because no resource-based policy allows the s3:GetObject action"},
		{"nobody-asks", nil, authz.Check{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Account: account},
			"User: anonymous is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k" +
				" because no resource-based policy allows the s3:GetObject action"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := s.Authorize(t.Context(), new(audit.Record), tc.caller, &authz.Env{Time: now}, tc.check)
			got, encoded, ok := strings.Cut(fmt.Sprint(err), ". Encoded authorization failure message: ")
			if got != tc.want {
				t.Errorf("Authorize = %s\nwant %s", got, tc.want)
			}
			if _, err := s.ring.OpenMessage(encoded); !ok || err != nil {
				t.Errorf("the encoded message %q does not open: %v", encoded, err)
			}
		})
	}
	// A role that does not exist, one that trusts nobody and one that denies are
	// refused in the same words, whatever was wanted of the trust policy.
	for _, action := range []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"} {
		for _, p := range []*policy.Policy{nil, nobody, compile(t, strings.Replace(trust, `"*"}}`, `{"AWS":"444455556666"}}}`, 1), policy.Trust)} {
			err := s.Authorize(t.Context(), new(audit.Record), s.key(t, "max"), &authz.Env{Time: now}, authz.Check{Action: action, Resource: role, Policy: p})
			want := "User: arn:aws:iam::111122223333:user/max is not authorized to perform: " + action + " on resource: " + role
			denied, ok := errors.AsType[*authz.DeniedError](err)
			if !ok || denied.Error() != want || denied.Encoded != "" || denied.Summary == "" {
				t.Errorf("Authorize = %v (%+v), want %s and nothing sealed", err, denied, want)
			}
		}
	}
}

func TestChecksInOrder(t *testing.T) {
	s := open(t)
	var outcomes []policy.Outcome
	s.Decided = func(_ *policy.Request, o policy.Outcome) { outcomes = append(outcomes, o) }
	check := func(action string) authz.Check { return authz.Check{Action: action, Resource: "*"} }
	rec := new(audit.Record)
	err := s.Authorize(t.Context(), rec, s.key(t, "ann"), &authz.Env{Time: now}, check("iam:GetUser"), check("iam:ListUsers"), check("iam:DeleteUser"), check("iam:CreateUser"))
	denied, ok := errors.AsType[*authz.DeniedError](err)
	if !ok || denied.Action != "iam:DeleteUser" || denied.Decision.Outcome != policy.ExplicitDeny {
		t.Fatalf("Authorize = %v, want a denial of iam:DeleteUser", err)
	}
	if want := []policy.Outcome{policy.Allowed, policy.Allowed, policy.ExplicitDeny}; !slices.Equal(outcomes, want) {
		t.Errorf("Decided = %v, want %v", outcomes, want)
	}
	want := audit.Decision{
		Check: audit.Check{
			Action: "iam:DeleteUser", Resource: "*", Outcome: audit.ExplicitDeny, Layer: "identity-based policy",
			Policy: "no-delete", Sid: "Keep", Statement: 1, Line: 1, Column: 37, Reason: denied.Summary,
		},
		Checks: []audit.Check{
			{Action: "iam:GetUser", Resource: "*", Outcome: audit.Allow, Layer: "identity-based policy", Policy: "read", Sid: "Read", Statement: 1, Line: 1, Column: 38},
			{Action: "iam:ListUsers", Resource: "*", Outcome: audit.Allow, Layer: "identity-based policy", Policy: "list", Statement: 1, Line: 1, Column: 37},
		},
	}
	if !reflect.DeepEqual(rec.Decision, want) {
		t.Errorf("decision =\n%+v\nwant\n%+v", rec.Decision, want)
	}
	if !strings.Contains(denied.Summary, "no-delete") {
		t.Errorf("Summary = %q, want the name of the policy in it", denied.Summary)
	}
	many := slices.Repeat([]authz.Check{check("iam:GetUser")}, 500)
	rec = new(audit.Record)
	if err := s.Authorize(t.Context(), rec, s.key(t, "ann"), &authz.Env{Time: now}, append(many, check("iam:CreateUser"))...); err == nil {
		t.Error("the last of 501 checks was not decided")
	}
	if n := len(rec.Decision.Checks); n > 100 || rec.Decision.Action != "iam:CreateUser" {
		t.Errorf("the record keeps %d checks and %s", n, rec.Decision.Action)
	}
}

func TestAuthorizeRefusesWithoutADecision(t *testing.T) {
	s := open(t)
	if err := s.Authorize(t.Context(), new(audit.Record), s.key(t, "root"), &authz.Env{Time: now}); err == nil {
		t.Error("no checks were allowed")
	}
	must(t, s.log.Close())
	err := s.Authorize(t.Context(), new(audit.Record), s.key(t, "root"), &authz.Env{Time: now}, authz.Check{Action: "iam:GetUser", Resource: "*"})
	if !errors.Is(err, authz.ErrUnrecorded) {
		t.Errorf("Authorize without a log = %v, want %v", err, authz.ErrUnrecorded)
	}
}

// TestOpen: an open action needs no permission, but a deny counts.
func TestOpen(t *testing.T) {
	s := open(t)
	for action, want := range map[string]bool{"iam:CreateUser": true, "iam:DeleteUser": false} {
		err := s.Authorize(t.Context(), new(audit.Record), s.key(t, "ann"), &authz.Env{Time: now}, authz.Check{Action: action, Resource: "*", Open: true})
		if (err == nil) != want {
			t.Errorf("Authorize(%s) = %v, want allowed: %v", action, err, want)
		}
	}
	broken := s.session(t, "app", session.Claims{Policy: "{"})
	if err := s.Authorize(t.Context(), new(audit.Record), broken, &authz.Env{Time: now}, authz.Check{Action: "sts:X", Resource: "*", Open: true}); err == nil {
		t.Error("an open action was allowed although a policy is broken")
	}
}

// TestMessage: the form that DecodeAuthorizationMessage documents.
func TestMessage(t *testing.T) {
	s := open(t)
	ann := s.key(t, "ann")
	message := func(t *testing.T, env authz.Env, ck authz.Check) string {
		t.Helper()
		err := s.Authorize(t.Context(), new(audit.Record), ann, &env, ck)
		denied, ok := errors.AsType[*authz.DeniedError](err)
		if !ok {
			t.Fatalf("Authorize = %v", err)
		}
		if len(denied.Encoded) > 10240 {
			t.Errorf("the message has %d characters, more than can be decoded", len(denied.Encoded))
		}
		plain, err := s.ring.OpenMessage(denied.Encoded)
		must(t, err)
		return string(plain)
	}
	got := message(t, authz.Env{Time: now, SourceIP: "203.0.113.7"}, authz.Check{
		Action: "iam:DeleteUser", Resource: "*", Lists: map[string][]string{"aws:TagKeys": {"a", "b"}}})
	for _, want := range []string{
		`{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[{"statementId":"Keep","effect":"DENY","sourcePolicyId":"no-delete"`,
		`"failures":{"items":[]},"context":{"principal":{"id":"` + ann.UserID + `","name":"ann","arn":"arn:aws:iam::111122223333:user/staff/ann"},` +
			`"action":"iam:DeleteUser","resource":"*","conditions":{"items":[{"key":"aws:CurrentTime","values":{"items":[{"value":"2026-01-02T03:04:05Z"}]}},`,
		`{"key":"aws:TagKeys","values":{"items":[{"value":"a"},{"value":"b"}]}}]}},"reason":{"layer":"identity-based policy","summary":"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("message = %s\nwant in it %s", got, want)
		}
	}
	keys := make(map[string]string)
	for i := range 400 {
		keys[fmt.Sprint("aws:RequestTag/", i)] = strings.Repeat(s.ring.SealMessage(fmt.Append(nil, i)), 10)
	}
	got = message(t, authz.Env{Time: now, UserAgent: strings.Repeat("x", 1<<16)}, authz.Check{Action: "iam:CreateUser", Resource: "*", Keys: keys})
	if !json.Valid([]byte(got)) || !strings.Contains(got, `"conditions":{"items":[]}`) {
		t.Errorf("a large message = %.300s, want valid JSON without conditions", got)
	}
	got = message(t, authz.Env{Time: now, UserAgent: strings.Repeat("x", 1<<16)}, authz.Check{Action: "iam:CreateUser", Resource: "*"})
	if !strings.Contains(got, `{"key":"aws:UserAgent","values":{"items":[{"value":"`+strings.Repeat("x", 256)+`"}]}}`) {
		t.Errorf("a message with a long value = %.300s, want it cut", got)
	}
}

func BenchmarkAuthorize(b *testing.B) {
	s := open(b)
	for _, bc := range []struct {
		name   string
		caller *authn.Caller
		action string
	}{
		{"user", s.key(b, "ann"), "iam:ListUsers"},
		{"role-session", s.session(b, "app", session.Claims{Policy: list, Tags: []session.Tag{{Key: "team", Value: "blue"}}}), "iam:ListUsers"},
		{"denied", s.key(b, "ann"), "iam:CreateUser"},
	} {
		b.Run("caller="+bc.name, func(b *testing.B) {
			env := &authz.Env{Time: now, SourceIP: "203.0.113.7", UserAgent: "test"}
			b.ReportAllocs()
			for b.Loop() {
				rec := new(audit.Record)
				_ = s.Authorize(b.Context(), rec, bc.caller, env, authz.Check{Action: bc.action, Resource: "arn:aws:iam::111122223333:user/x"})
			}
		})
	}
}
