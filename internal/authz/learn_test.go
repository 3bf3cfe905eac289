// SPDX-License-Identifier: Apache-2.0

package authz_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/learning"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// learn makes somebody learn for an hour.
func (s *site) learn(t testing.TB, principal string, explicit bool) {
	t.Helper()
	must(t, s.store.Update(t.Context(), account, func(tx *store.Tx) error {
		_, err := learning.Start(tx, principal, learning.Mode{Since: now, Until: now.Add(time.Hour), Explicit: explicit})
		return err
	}))
}

// TestLearning also tests quirks Q155 and Q156: what is let pass, and what never is.
func TestLearning(t *testing.T) {
	deny := store.NewDocument("b", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`).Compiled(policy.Resource)
	narrow := session.Claims{Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/mine/*"}}`}
	get := authz.Check{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Account: account, Learnable: true}
	mine := get
	mine.Resource = "arn:aws:s3:::b/mine/k"
	change := func(f func(*authz.Check)) authz.Check { ck := get; f(&ck); return ck }
	for _, tt := range []struct {
		name     string
		learns   string // who; "-" for nobody
		explicit bool
		by       string // user ann or max, a session of app, root …; "" for nobody
		claims   *session.Claims
		check    authz.Check
		at       time.Time
		want     bool
	}{
		{"what-no-policy-allows", "ann", false, "ann", nil, get, now, true},
		{"with-the-whole-account", "", false, "ann", nil, get, now, true},
		{"every-session-of-a-role", "app", false, "app", nil, change(func(ck *authz.Check) { ck.Resource = "arn:aws:s3:::b/k" }), now, true},
		{"beyond-a-boundary", "max", false, "max", nil, get, now, true},
		{"a-resource-without-an-account-is-the-callers", "ann", false, "ann", nil, change(func(ck *authz.Check) { ck.Account = "" }), now, true},

		{"nobody-learns", "-", false, "ann", nil, get, now, false},
		{"somebody-else-learns", "app", false, "ann", nil, get, now, false},
		{"over", "ann", false, "ann", nil, get, now.Add(time.Hour), false},
		{"no-clock", "ann", false, "ann", nil, get, time.Time{}, false},
		{"not-at-a-gateway", "ann", false, "ann", nil, change(func(ck *authz.Check) { ck.Learnable = false }), now, false},
		{"iam-itself", "", true, "ann", nil, authz.Check{Action: "iam:CreateUser", Resource: "*"}, now, false},
		{"the-bucket-of-another-account", "", true, "ann", nil, change(func(ck *authz.Check) { ck.Account = "444455556666" }), now, false},
		{"a-queue-of-another-account", "", true, "ann", nil, change(func(ck *authz.Check) {
			ck.Action, ck.Resource, ck.Account = "sqs:SendMessage", "arn:aws:sqs:us-east-1:444455556666:q", ""
		}), now, false},
		{"nobody", "", true, "", nil, get, now, false},
		{"explicit-deny", "ann", false, "ann", nil, change(func(ck *authz.Check) { ck.Policy = deny }), now, false},
		{"explicit-deny-if-asked-for", "ann", true, "ann", nil, change(func(ck *authz.Check) { ck.Policy = deny }), now, true},
		{"beyond-the-session-policy", "app", true, "app", &narrow, get, now, false},
		{"beyond-the-session-policy-of-the-account", "", true, "ann", &narrow, get, now, false},
		{"within-the-session-policy", "", false, "ann", &narrow, mine, now, true},
		{"a-delegate", "", true, "ann", &session.Claims{Delegate: "444455556666", Policy: narrow.Policy}, mine, now, false},
		{"what-only-a-deny-refuses", "ann", true, "ann", nil, change(func(ck *authz.Check) { ck.Open, ck.Policy = true, deny }), now, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			if tt.by == "app" { // which may do everything
				must(t, s.store.Update(t.Context(), account, func(tx *store.Tx) error {
					r, err := tx.Role("app")
					if err != nil {
						return err
					}
					r.Grants = store.Grants{}
					return tx.PutRole(r)
				}))
			}
			if tt.learns != "-" {
				s.learn(t, tt.learns, tt.explicit)
			}
			var c *authn.Caller
			switch {
			case tt.claims != nil || tt.by == "app":
				var claims session.Claims
				if tt.claims != nil {
					claims = *tt.claims
				}
				c = s.session(t, tt.by, claims)
			case tt.by != "":
				c = s.key(t, tt.by)
			}
			var rec audit.Record
			err := s.Authorize(t.Context(), &rec, c, &authz.Env{Time: tt.at}, tt.check)
			denied, refused := errors.AsType[*authz.DeniedError](err)
			if err != nil && !refused || refused == tt.want {
				t.Fatalf("Authorize = %v, want let pass %v", err, tt.want)
			}
			if d := rec.Decision; d.Learned != tt.want || d.Outcome == audit.Allow || d.Reason == "" {
				t.Errorf("the record says %+v, want a denial with its reason that was let pass: %v", d, tt.want)
			}
			if refused && denied.Action != tt.check.Action {
				t.Errorf("refused is %s", denied.Action)
			}
		})
	}
}

// TestLearningAmongOtherChecks also tests quirk Q158: what is let pass is in the
// record, or it is not let pass.
func TestLearningAmongOtherChecks(t *testing.T) {
	s := open(t)
	s.learn(t, "ann", false)
	ann := s.key(t, "ann")
	check := func(key string, learnable bool) authz.Check {
		return authz.Check{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/" + key, Account: account, Learnable: learnable}
	}
	var rec audit.Record
	err := s.Authorize(context.Background(), &rec, ann, &authz.Env{Time: now},
		check("1", true), authz.Check{Action: "iam:GetUser", Resource: "*"}, check("2", true), check("3", false))
	if e, ok := errors.AsType[*authz.DeniedError](err); !ok || e.Resource != "arn:aws:s3:::b/3" {
		t.Fatalf("Authorize = %v, want a refusal of the third object", err)
	}
	var got []string
	for _, c := range append(rec.Decision.Checks, rec.Decision.Check) {
		got = append(got, fmt.Sprintf("%s %s %v", c.Resource, c.Outcome, c.Learned))
	}
	want := "[arn:aws:s3:::b/1 implicit-deny true * allow false arn:aws:s3:::b/2 implicit-deny true arn:aws:s3:::b/3 implicit-deny false]"
	if fmt.Sprint(got) != want {
		t.Errorf("the record has %v, want %s", got, want)
	}

	rec = audit.Record{}
	passed := 0
	for i := range 150 {
		if s.Authorize(t.Context(), &rec, ann, &authz.Env{Time: now}, check(fmt.Sprint(i), true)) == nil {
			passed++
		}
	}
	learned := 0
	for _, c := range rec.Decision.Checks {
		if c.Learned {
			learned++
		}
	}
	if passed != 100 || learned != passed {
		t.Errorf("%d checks were let pass and the record has %d, want 100 of both", passed, learned)
	}
}
