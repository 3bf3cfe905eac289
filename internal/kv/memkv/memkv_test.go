// SPDX-License-Identifier: Apache-2.0

package memkv

import (
	"errors"
	"fmt"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/kvtest"
)

func TestConformance(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.DB { return Open(Options{}) })
}

// TestConformanceOfALateStoreWithoutDelay: what sees everything at once is a
// store like any other.
func TestConformanceOfALateStoreWithoutDelay(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.DB { return Open(Options{}).Late(0) })
}

func put(t testing.TB, db kv.DB, key, text string) kv.Revision {
	t.Helper()
	rev, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: key, Value: []byte(text)}}})
	if err != nil {
		t.Fatalf("Commit(%s) = %v", key, err)
	}
	return rev
}

func TestOnlySoManyRevisionsAreKept(t *testing.T) {
	db := Open(Options{Keep: 3})
	var last kv.Revision
	for i := range 10 {
		last = put(t, db, "k", fmt.Sprint(i))
	}
	if _, err := db.Range(t.Context(), "", "", last-2, 0); err != nil {
		t.Errorf("Range(at %d) = %v, want nil", last-2, err)
	}
	if _, err := db.Range(t.Context(), "", "", last-3, 0); !errors.Is(err, kv.ErrCompacted) {
		t.Errorf("Range(at %d) = %v, want ErrCompacted", last-3, err)
	}
	for _, err := range db.Watch(t.Context(), "", "", last-3) {
		if !errors.Is(err, kv.ErrCompacted) {
			t.Errorf("Watch(after %d) = %v, want ErrCompacted", last-3, err)
		}
		break
	}
	late := db.Late(1)
	for i := range 10 {
		last = put(t, db, "k", fmt.Sprint(i))
	}
	if got := late.Revision(); got < last-2 {
		t.Errorf("Revision() of a late store = %d, want one of those that are kept, up to %d", got, last)
	}
}

func TestValuesAreCopied(t *testing.T) {
	db := Open(Options{})
	text := []byte("before")
	if _, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "k", Value: text}}}); err != nil {
		t.Fatal(err)
	}
	copy(text, "after ")
	page, err := db.Range(t.Context(), "", "", 0, 0)
	if err != nil || len(page.Entries) != 1 || string(page.Entries[0].Value) != "before" {
		t.Errorf("Range() = %+v, %v, want what was committed", page, err)
	}
}

func BenchmarkCommit(b *testing.B) {
	kvtest.BenchCommit(b, func(*testing.B) kv.DB { return Open(Options{}) })
}
