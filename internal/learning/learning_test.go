// SPDX-License-Identifier: Apache-2.0

package learning_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/learning"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const account = "111122223333"

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open returns a store with the users ann and both, and the roles app and both.
func open(t testing.TB) *store.Store {
	t.Helper()
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true})
	must(t, err)
	keeper, err := seal.Create(filepath.Join(dir, "key"))
	must(t, err)
	s, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
	must(t, err)
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	_, err = s.CreateAccount(t.Context(), store.Account{ID: account})
	must(t, err)
	trust := store.NewTrust(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}`, nil)
	must(t, s.Update(t.Context(), account, func(tx *store.Tx) error {
		return errors.Join(
			tx.CreateUser(&store.User{Name: "ann", Path: "/staff/"}), tx.CreateUser(&store.User{Name: "both", Path: "/"}),
			tx.CreateRole(&store.Role{Name: "app", Path: "/svc/", Trust: trust}), tx.CreateRole(&store.Role{Name: "both", Path: "/", Trust: trust}),
		)
	}))
	return s
}

func view(t testing.TB, s *store.Store) *store.View {
	t.Helper()
	v, err := s.View(t.Context(), account)
	must(t, err)
	return v
}

func start(t testing.TB, s *store.Store, principal string, m learning.Mode) (e learning.Entry, err error) {
	t.Helper()
	err = s.Update(t.Context(), account, func(tx *store.Tx) (err error) {
		e, err = learning.Start(tx, principal, m)
		return err
	})
	return e, err
}

func mode(left time.Duration) learning.Mode {
	return learning.Mode{Since: now, Until: now.Add(left)}
}

// callers of the store, by name.
func callers(t testing.TB, s *store.Store) map[string]*authn.Caller {
	v := view(t, s)
	ann, err := v.User("ann")
	must(t, err)
	app, err := v.Role("app")
	must(t, err)
	return map[string]*authn.Caller{
		"ann":         {Account: account, View: v, User: ann, Principal: policy.Principal{Type: policy.User}},
		"ann-session": {Account: account, View: v, User: ann, Principal: policy.Principal{Type: policy.User}, Session: &session.Claims{Kind: session.User}},
		"federated":   {Account: account, View: v, User: ann, Principal: policy.Principal{Type: policy.FederatedUser}, Session: &session.Claims{Kind: session.Federated}},
		"app":         {Account: account, View: v, Role: app, Principal: policy.Principal{Type: policy.RoleSession}, Session: &session.Claims{Kind: session.Role}},
		"delegate":    {Account: account, View: v, Role: app, Principal: policy.Principal{Type: policy.RoleSession}, Session: &session.Claims{Kind: session.Role, Delegate: "444455556666"}},
		"root":        {Account: account, View: v, Principal: policy.Principal{Type: policy.Root}},
		"vouched":     {Account: account, View: v, Proof: &authn.Proof{}, Principal: policy.Principal{Type: policy.WebIdentity}},
		"nobody":      nil,
	}
}

// TestOf also tests quirk Q157.
func TestOf(t *testing.T) {
	for _, tt := range []struct {
		name, principal string
		want            string // who learns
	}{
		{"user", "ann", "ann ann-session"},
		{"user-by-arn", "arn:aws:iam::111122223333:user/staff/ann", "ann ann-session"},
		{"role", "app", "app"},
		{"role-by-arn", "arn:aws:iam::111122223333:role/svc/app", "app"},
		{"role-by-a-session", "arn:aws:sts::111122223333:assumed-role/app/i-1", "app"},
		{"root", "arn:aws:iam::111122223333:root", "root"},
		{"account", "", "ann ann-session app federated root"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			if _, err := start(t, s, tt.principal, mode(time.Hour)); err != nil {
				t.Fatal(err)
			}
			for who, c := range callers(t, s) {
				want := strings.Contains(" "+tt.want+" ", " "+who+" ")
				if m, got := learning.Of(c, now); got != want || got && !m.Until.Equal(now.Add(time.Hour)) {
					t.Errorf("Of(%s) = %+v, %v, want %v", who, m, got, want)
				}
			}
		})
	}
}

func TestTimes(t *testing.T) {
	s := open(t)
	if _, err := start(t, s, "ann", mode(learning.Max)); err != nil {
		t.Fatal(err)
	}
	ann := callers(t, s)["ann"]
	for _, tt := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"at-the-start", now, true},
		{"just-before-the-end", now.Add(learning.Max - 1), true},
		{"at-the-end", now.Add(learning.Max), false},
		{"long-after", now.Add(10 * learning.Max), false},
		{"a-clock-set-back", now.Add(-time.Second), false},
		{"no-clock", time.Time{}, false},
	} {
		if _, got := learning.Of(ann, tt.at); got != tt.want {
			t.Errorf("%s: Of = %v, want %v", tt.name, got, tt.want)
		}
	}
	if list := learning.List(view(t, s), now.Add(learning.Max)); len(list) != 1 || list[0].Active {
		t.Errorf("List after the end = %+v, want one that is over", list)
	}
}

func TestBothModes(t *testing.T) {
	s := open(t)
	account := mode(time.Hour)
	account.Explicit = true
	for principal, m := range map[string]learning.Mode{"": account, "ann": mode(2 * time.Hour)} {
		if _, err := start(t, s, principal, m); err != nil {
			t.Fatal(err)
		}
	}
	ann := callers(t, s)["ann"]
	if m, ok := learning.Of(ann, now); !ok || !m.Explicit || !m.Until.Equal(now.Add(2*time.Hour)) {
		t.Errorf("Of = %+v, %v, want explicit denies for two hours", m, ok)
	}
	if m, ok := learning.Of(ann, now.Add(90*time.Minute)); !ok || m.Explicit {
		t.Errorf("Of when the account's mode is over = %+v, %v, want no explicit denies", m, ok)
	}
}

func TestStartRefuses(t *testing.T) {
	s := open(t)
	for _, tt := range []struct {
		name, principal string
		m               learning.Mode
		want            string
	}{
		{"no-end", "ann", learning.Mode{Since: now}, "must lie ahead"},
		{"end-in-the-past", "ann", mode(-time.Hour), "must lie ahead"},
		{"end-too-far-ahead", "ann", mode(learning.Max + 1), "at most 90 days"},
		{"nobody", "zoe", mode(time.Hour), "no user and no role zoe"},
		{"user-and-role", "both", mode(time.Hour), "give the ARN"},
		{"another-account", "arn:aws:iam::444455556666:user/ann", mode(time.Hour), "not of account"},
		{"another-path", "arn:aws:iam::111122223333:user/ann", mode(time.Hour), "has no user"},
		{"a-group", "arn:aws:iam::111122223333:group/ann", mode(time.Hour), "has no user"},
		{"no-principal-at-all", "arn:aws:s3:::b", mode(time.Hour), "neither the ARN"},
	} {
		if _, err := start(t, s, tt.principal, tt.m); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Start = %v, want %q", tt.name, err, tt.want)
		}
	}
	if list := learning.List(view(t, s), now); len(list) != 0 {
		t.Errorf("List = %+v, want none", list)
	}
}

// TestWhoIsMadeAnewDoesNotLearn: a row is of a unique id, and can be taken back
// when its principal is gone.
func TestWhoIsMadeAnewDoesNotLearn(t *testing.T) {
	s := open(t)
	e, err := start(t, s, "ann", mode(time.Hour))
	must(t, err)
	must(t, s.Update(t.Context(), account, func(tx *store.Tx) error {
		return errors.Join(tx.DeleteUser("ann"), tx.CreateUser(&store.User{Name: "ann", Path: "/new/"}))
	}))
	if _, ok := learning.Of(callers(t, s)["ann"], now); ok {
		t.Error("who was made anew learns")
	}
	must(t, s.Update(t.Context(), account, func(tx *store.Tx) error {
		_, err := learning.Stop(tx, e.Principal)
		return err
	}))
	if list := learning.List(view(t, s), now); len(list) != 0 {
		t.Errorf("List = %+v, want none", list)
	}
}

func TestStop(t *testing.T) {
	s := open(t)
	for _, principal := range []string{"", "ann"} {
		_, err := start(t, s, principal, mode(time.Hour))
		must(t, err)
		stop := func() error {
			return s.Update(t.Context(), account, func(tx *store.Tx) error {
				_, err := learning.Stop(tx, principal)
				return err
			})
		}
		must(t, stop())
		if _, ok := learning.Of(callers(t, s)["ann"], now); ok {
			t.Errorf("%q still learns", principal)
		}
		if err := stop(); err == nil || !strings.Contains(err.Error(), "is not learning") {
			t.Errorf("stopping %q again = %v", principal, err)
		}
	}
}

// TestRowsThatCannotBeRead are nobody's.
func TestRowsThatCannotBeRead(t *testing.T) {
	s := open(t)
	must(t, s.Update(t.Context(), account, func(tx *store.Tx) error {
		tx.PutAnnexed(store.AnnexLearning, "account", []byte(`{"until":7}`))
		return nil
	}))
	if _, ok := learning.Of(callers(t, s)["ann"], now); ok {
		t.Error("a row that cannot be read lets somebody learn")
	}
}

func BenchmarkOf(b *testing.B) {
	s := open(b)
	_, err := start(b, s, "ann", mode(time.Hour))
	must(b, err)
	for who, c := range callers(b, s) {
		b.Run("caller="+who, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				learning.Of(c, now)
			}
		})
	}
}
