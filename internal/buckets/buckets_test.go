// SPDX-License-Identifier: Apache-2.0

package buckets

import (
	"errors"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const (
	alpha = "111111111111"
	beta  = "222222222222"
)

var keeper = seal.New()

// open opens a store of a DB.
func open(t testing.TB, db kv.DB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// newRegistry returns the buckets of a new store with the accounts alpha and beta.
func newRegistry(t testing.TB) (*Registry, *store.Store) {
	t.Helper()
	db := memkv.Open(memkv.Options{})
	t.Cleanup(func() { db.Close() })
	s := open(t, db)
	for _, id := range []string{alpha, beta} {
		if _, err := s.CreateAccount(t.Context(), store.Account{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	return New(s), s
}

// get returns a bucket that exists.
func get(t testing.TB, r *Registry, name string) *Bucket {
	t.Helper()
	b, err := r.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const readers = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}]}`

func TestALifeOfABucket(t *testing.T) {
	r, _ := newRegistry(t)
	if _, err := r.Get(t.Context(), "photos"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get of no bucket: %v, want %v", err, store.ErrNotFound)
	}
	must(t, r.Create(t.Context(), alpha, "photos", "eu-west-1"))
	b := get(t, r, "photos")
	if b.Account != alpha || b.Region != "eu-west-1" || b.Created.IsZero() || b.Adopted || b.Policy != nil || b.Compiled() != nil || b.Public() ||
		b.Block != everything || b.OwnBlock == nil || *b.OwnBlock != everything || b.Restricted() || b.Closed() {
		t.Errorf("a new bucket is %+v", b)
	}
	must(t, r.SetPolicy(t.Context(), b, readers))
	b = get(t, r, "photos")
	d := policy.Decide(&policy.Request{
		Principal: policy.Principal{Type: policy.Root, Account: beta, ARN: "arn:aws:iam::" + beta + ":root"},
		Action:    "s3:GetObject", Resource: "arn:aws:s3:::photos/cat", ResourceAccount: alpha,
	}, &policy.Set{Resource: b.Compiled()})
	if d.Outcome != policy.Allowed {
		t.Errorf("the policy decides %v, want %v", d, policy.Allowed)
	}
	if b != get(t, r, "photos") {
		t.Error("Get of the same bucket is another one")
	}
	must(t, r.DeletePolicy(t.Context(), b))
	if b = get(t, r, "photos"); b.Policy != nil {
		t.Errorf("the policy is %v, want none", b.Policy)
	}
	must(t, r.Delete(t.Context(), b))
	if _, err := r.Get(t.Context(), "photos"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get of a bucket that is gone: %v, want %v", err, store.ErrNotFound)
	}
	if err := r.Delete(t.Context(), b); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delete of a bucket that is gone: %v, want %v", err, store.ErrNotFound)
	}
}
