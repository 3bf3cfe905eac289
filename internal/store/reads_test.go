// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
)

// TestReadsOfAnotherStore: views come late, changes are made to what is there now.
func TestReadsOfAnotherStore(t *testing.T) {
	keeper := seal.New()
	db := memkv.Open(memkv.Options{})
	open := func(o Options) *Store {
		o.Keeper = keeper
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	first := open(Options{DB: db})
	if _, err := first.CreateAccount(t.Context(), Account{ID: alpha}); err != nil {
		t.Fatal(err)
	}
	const delay = 200 * time.Millisecond
	s := open(Options{DB: db, Reads: open(Options{DB: db.Late(delay)})})
	begun := time.Now()
	update(t, s, createUser("ann"))
	if took := time.Since(begun); took >= delay {
		t.Skipf("the update took %v: nothing can be said", took)
	}
	_, err := view(t, s, alpha).User("ann")
	if soon := time.Since(begun) < delay; soon && !errors.Is(err, ErrNotFound) {
		t.Errorf("User(ann) at once = %v, want ErrNotFound", err)
	}
	if err := s.Update(t.Context(), alpha, createUser("ann")); !errors.Is(err, ErrExists) {
		t.Errorf("Update(create ann again) = %v, want ErrExists", err)
	}
	eventually(t, "ann is seen", func() bool {
		_, err := view(t, s, alpha).User("ann")
		return err == nil
	})
	if took := time.Since(begun); took < delay {
		t.Errorf("ann is seen after %v, want %v at least", took, delay)
	}
}

func TestKeyOf(t *testing.T) {
	s, _ := newStore(t)
	key := s.KeyOf(alpha, "test", "secret")
	if got, err := s.Secret(alpha, &key); key.ID != "test" || key.Created.IsZero() || key.Inactive || got != "secret" || err != nil {
		t.Errorf("KeyOf(test, secret) = %+v with the secret %q, %v", key, got, err)
	}
}
