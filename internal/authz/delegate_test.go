// SPDX-License-Identifier: Apache-2.0

package authz_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// vendor is the account that others lend their identity.
const vendor = "444455556666"

// TestDelegate: a delegate may what both its principal and the request allow.
func TestDelegate(t *testing.T) {
	s := open(t)
	const (
		allow    = policy.Allowed
		implicit = policy.ImplicitDeny
		explicit = policy.ExplicitDeny
	)
	of := func(who string, c session.Claims) *authn.Caller {
		c.Delegate = vendor
		return s.session(t, who, c)
	}
	for _, tc := range []struct {
		name                           string
		caller                         *authn.Caller
		get, list, tag, delete, create policy.Outcome
	}{
		{"of-a-user", of("ann", session.Claims{Policy: list}), allow, allow, implicit, explicit, implicit},
		{"of-a-user-who-asked-for-everything", of("ann", session.Claims{Policy: all}), allow, allow, allow, explicit, implicit},
		{"of-a-user-by-a-managed-policy", of("ann", session.Claims{PolicyARNs: []string{tagARN}}), implicit, implicit, allow, explicit, implicit},
		{"of-a-role", of("app", session.Claims{Policy: list}), allow, allow, implicit, allow, implicit},
		{"of-root", of("root", session.Claims{Policy: list}), allow, allow, implicit, allow, implicit},
		{"of-root-with-a-deny", of("root", session.Claims{Policy: noDelete}), implicit, implicit, implicit, explicit, implicit},
		{"a-policy-that-is-gone", of("app", session.Claims{PolicyARNs: []string{goneARN}}), explicit, explicit, explicit, explicit, explicit},
		{"a-policy-that-is-broken", of("app", session.Claims{Policy: "{"}), explicit, explicit, explicit, explicit, explicit},
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

// TestDelegateIsFenced tests Q092: a resource's policy that names the principal, or
// everyone, lets its own sessions in and not its delegate's.
func TestDelegateIsFenced(t *testing.T) {
	s := open(t)
	const role = "arn:aws:iam::111122223333:role/svc/app"
	naming := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::111122223333:user/staff/ann"}}}`
	assume := strings.ReplaceAll(all, `"Action":"*"`, `"Action":"sts:AssumeRole"`)
	for _, tc := range []struct {
		name  string
		trust string
		limit session.Claims
		want  bool
	}{
		{"the-principal-itself", naming, session.Claims{Policy: list}, true},
		{"a-delegate-by-the-principal's-name", naming, session.Claims{Policy: list, Delegate: vendor}, false},
		{"a-delegate-among-everyone", trust, session.Claims{Policy: list, Delegate: vendor}, false},
		{"a-delegate-by-a-managed-policy", naming, session.Claims{PolicyARNs: []string{tagARN}, Delegate: vendor}, false},
		{"a-delegate-who-asked-for-it", naming, session.Claims{Policy: assume, Delegate: vendor}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := new(audit.Record)
			err := s.Authorize(t.Context(), rec, s.session(t, "ann", tc.limit), &authz.Env{Time: now},
				authz.Check{Action: "sts:AssumeRole", Resource: role, Policy: compile(t, tc.trust, policy.Trust)})
			if (err == nil) != tc.want {
				t.Fatalf("Authorize = %v, want success: %t", err, tc.want)
			}
			if e, ok := errors.AsType[*authz.DeniedError](err); ok && (e.Decision.Layer != policy.SessionLayer || !strings.Contains(e.Summary, "delegated")) {
				t.Errorf("refused by the %v (%s), want by the session policy, as not delegated", e.Decision.Layer, e.Summary)
			}
		})
	}
}

// TestDelegateNeedsPermission: what the principal may do without a permission, its
// delegate may not.
func TestDelegateNeedsPermission(t *testing.T) {
	s := open(t)
	open := authz.Check{Action: "iam:ChangePassword", Resource: "arn:aws:iam::111122223333:user/staff/ann", Open: true}
	for delegate, want := range map[string]bool{"": true, vendor: false} {
		err := s.Authorize(t.Context(), new(audit.Record), s.session(t, "ann", session.Claims{Policy: list, Delegate: delegate}), &authz.Env{Time: now}, open)
		if (err == nil) != want {
			t.Errorf("Authorize of an open action for the delegate %q = %v, want success: %t", delegate, err, want)
		}
	}
}
