// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/policy"
)

func TestOpenRefuses(t *testing.T) {
	t.Run("another-master-key", func(t *testing.T) {
		_, x := newStore(t)
		if _, err := Open(t.Context(), Options{DB: x.db, Keeper: newSite(t).keeper}); !errors.Is(err, seal.ErrKey) {
			t.Errorf("Open = %v, want seal.ErrKey", err)
		}
	})
	t.Run("a-newer-format", func(t *testing.T) {
		_, x := newStore(t)
		put(t, x.db, keyFormat, "2")
		if _, err := Open(t.Context(), Options{DB: x.db, Keeper: x.keeper}); !errors.Is(err, ErrFormat) {
			t.Errorf("Open = %v, want ErrFormat", err)
		}
	})
	t.Run("data-of-others", func(t *testing.T) {
		x := newSite(t)
		put(t, x.db, "hello", "world")
		if _, err := Open(t.Context(), Options{DB: x.db, Keeper: x.keeper}); !errors.Is(err, ErrInvalid) {
			t.Errorf("Open = %v, want ErrInvalid", err)
		}
	})
	t.Run("ended-context", func(t *testing.T) {
		x := newSite(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(ctx, Options{DB: x.db, Keeper: x.keeper}); !errors.Is(err, context.Canceled) {
			t.Errorf("Open = %v, want context.Canceled", err)
		}
	})
}

func put(t testing.TB, db kv.DB, key, value string) {
	t.Helper()
	if _, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: key, Value: []byte(value)}}}); err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentFirstOpensAgree(t *testing.T) {
	x := newSite(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := Open(t.Context(), Options{DB: x.db, Keeper: x.keeper})
			if err != nil {
				t.Errorf("Open = %v", err)
				return
			}
			defer s.Close()
			if err := s.Ready(); err != nil {
				t.Errorf("Ready after Open = %v", err)
			}
		})
	}
	wg.Wait()
}

func TestDocuments(t *testing.T) {
	s, x := newStore(t)
	bound := map[string]string{"arn:aws:iam::" + alpha + ":user/ann": "AIDAQNZGKIQY56JQ7WMLZ"}
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + alpha + `:user/ann"}}}`
	update(t, s, all(createRole("plain"), createPolicy("p"), createUser("ann"),
		func(tx *Tx) error { return tx.CreateRole(&Role{Name: "bound", Trust: NewTrust(text, bound)}) },
		func(tx *Tx) error {
			return tx.PutInline(RoleHolder("bound"), "odd", NewDocument("", " {\"<a>\": \"%3A & é\"}\n"))
		}))
	for _, s := range []*Store{s, x.node(t)} {
		v := view(t, s, alpha)
		r, err := v.Role("bound")
		if err != nil {
			t.Fatal(err)
		}
		if r.Trust.Text() != text || len(r.Trust.Bound()) != 1 || r.Trust.name != v.RoleARN(r) {
			t.Errorf("trust policy = %q %v %q, want it as stored under the role's ARN", r.Trust.Text(), r.Trust.Bound(), r.Trust.name)
		}
		d := r.InlineNamed("odd")
		if d.Text() != " {\"<a>\": \"%3A & é\"}\n" || d.name != "odd" {
			t.Errorf("inline policy = %q named %q, want it byte for byte", d.Text(), d.name)
		}
		if d.Compiled(policy.Identity) == nil {
			t.Error("a broken document compiles to nil, want a policy that denies")
		}
		p, err := v.PolicyNamed("p")
		if err != nil {
			t.Fatal(err)
		}
		d = p.DefaultVersion().Document
		before := d.Compiled(policy.Identity)
		if d.name != v.PolicyARN(p) || d.Compiled(policy.Identity) != before || d.Compiled(policy.Boundary) == before {
			t.Error("a managed policy is not compiled once for each kind, under its ARN")
		}
		update(t, s, func(tx *Tx) error { // touches the policy
			if err := tx.Attach(UserHolder("ann"), alphaPolicy("p")); err != nil {
				return err
			}
			return nil
		})
		p, _ = view(t, s, alpha).PolicyNamed("p")
		if p.DefaultVersion().Document.Compiled(policy.Identity) != before {
			t.Error("a document that did not change was compiled again")
		}
	}
}
