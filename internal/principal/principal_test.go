// SPDX-License-Identifier: Apache-2.0

package principal

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const account = "111111111111"

// open returns a store whose account has the user ann and the role svc/app, and
// their ids.
func open(t *testing.T) (s *store.Store, ann, app string) {
	t.Helper()
	db := memkv.Open(memkv.Options{})
	s, err := store.Open(t.Context(), store.Options{DB: db, Keeper: seal.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); db.Close() })
	u, r := &store.User{Name: "ann", Path: "/"}, &store.Role{Name: "app", Path: "/svc/", Trust: store.NewTrust("{}", nil)}
	if _, err = s.CreateAccount(t.Context(), store.Account{ID: account}); err == nil {
		err = s.Update(t.Context(), account, func(tx *store.Tx) error { return errors.Join(tx.CreateUser(u), tx.CreateRole(r)) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, u.ID, r.ID
}

// naming returns a policy that names a principal.
func naming(name string) string {
	return fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":[%q]},"Action":"s3:GetObject","Resource":"*"}]}`, name)
}

func TestBind(t *testing.T) {
	s, ann, app := open(t)
	const iam, sts = "arn:aws:iam::" + account + ":", "arn:aws:sts::" + account + ":"
	for _, tc := range []struct {
		name, principal string
		id              string // that it is bound to
		gone            bool
	}{
		{"a-user", iam + "user/ann", ann, false},
		{"a-role-with-its-path", iam + "role/svc/app", app, false},
		{"everyone", "*", "", false},
		{"an-account", account, "", false},
		{"an-account-s-root", iam + "root", "", false},
		{"a-session", sts + "assumed-role/app/s", "", false},
		{"a-federated-user", sts + "federated-user/bob", "", false},
		{"an-id", ann, "", false},
		{"no-such-user", iam + "user/bob", "", true},
		{"a-user-in-another-letter-case", iam + "user/Ann", "", true},
		{"a-role-without-its-path", iam + "role/app", "", true},
		{"a-session-of-no-role", sts + "assumed-role/none/s", "", true},
		{"no-such-account", "222222222222", "", true},
		{"a-user-of-no-account", "arn:aws:iam::222222222222:user/ann", "", true},
		{"a-group", iam + "group/staff", "", true},
		{"no-such-id", ann[:len(ann)-4] + "ZZZZ", "", true},
		{"nonsense", "ann", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := policy.Parse("", []byte(naming(tc.principal)))
			if err != nil {
				t.Fatal(err)
			}
			bound, err := Bind(t.Context(), s, d)
			if tc.gone {
				if e, ok := errors.AsType[*UnknownError](err); !ok || e.Name != tc.principal || e.Pos.Line != 1 {
					t.Errorf("Bind(%s) = %v, %v, want an UnknownError", tc.principal, bound, err)
				}
				return
			}
			want := map[string]string{}
			if tc.id != "" {
				want[tc.principal] = tc.id
			}
			if err != nil || !maps.Equal(bound, want) {
				t.Errorf("Bind(%s) = %v, %v, want %v", tc.principal, bound, err, want)
			}
		})
	}
}

func TestShow(t *testing.T) {
	s, ann, _ := open(t)
	const name = "arn:aws:iam::" + account + ":user/ann"
	doc := store.NewBound("", naming(name), map[string]string{name: ann})
	if got := Show(t.Context(), s, doc); got != doc.Text() {
		t.Errorf("Show = %s, want %s", got, doc.Text())
	}
	if err := s.Update(t.Context(), account, func(tx *store.Tx) error { return tx.DeleteUser("ann") }); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"gone", "made anew"} {
		if got, want := Show(t.Context(), s, doc), naming(ann); got != want {
			t.Errorf("Show of a user that is %s = %s, want %s", when, got, want)
		}
		if err := s.Update(t.Context(), account, func(tx *store.Tx) error { return tx.CreateUser(&store.User{Name: "ann", Path: "/"}) }); when == "gone" && err != nil {
			t.Fatal(err)
		}
	}
}
