// SPDX-License-Identifier: Apache-2.0

// Package kvtest is the conformance suite of kv: what every engine must do, down to linearizability.
package kvtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// patience is how long a step may take before the engine is taken to be stuck.
const patience = 30 * time.Second

type suite struct {
	name string
	run  func(*testing.T, kv.DB)
}

// Run tests an engine. open returns a new, empty store each time; Run closes it. The stores may share one history of
// revisions, in which others commit; the tests that compact it come last.
func Run(t *testing.T, open func(*testing.T) kv.DB) {
	for _, group := range []struct {
		name  string
		tests []suite
	}{
		{"range", rangeTests},
		{"commit", commitTests},
		{"watch", watchTests},
		{"model", modelTests},
		{"concurrent", concurrentTests},
		{"close", closeTests},
		{"compact", compactTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, s := range group.tests {
				t.Run(s.name, func(t *testing.T) {
					db := open(t)
					t.Cleanup(func() {
						if err := db.Close(); err != nil {
							t.Errorf("Close() = %v, want nil", err)
						}
					})
					s.run(t, db)
				})
			}
		})
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func set(key, value string) kv.Op { return kv.Op{Key: key, Value: []byte(value)} }

func del(key string) kv.Op { return kv.Op{Key: key, Delete: true} }

// commit applies ops without comparisons.
func commit(t *testing.T, db kv.DB, ops ...kv.Op) kv.Revision {
	t.Helper()
	rev, err := db.Commit(within(t), kv.Txn{Then: ops})
	if err != nil {
		t.Fatalf("Commit(%s) = %v, want nil", showOps(ops), err)
	}
	return rev
}

func scan(t *testing.T, db kv.DB, start, end string, rev kv.Revision, limit int) kv.Page {
	t.Helper()
	page, err := db.Range(within(t), start, end, rev, limit)
	if err != nil {
		t.Fatalf("Range(%q, %q, %d, %d) = %v, want nil", start, end, rev, limit, err)
	}
	return page
}

// latest returns the latest revision of the store.
func latest(t *testing.T, db kv.DB) kv.Revision {
	t.Helper()
	return scan(t, db, "none", "none0", 0, 1).Revision
}

// wantPairs checks the keys and values of a page, given in turns.
func wantPairs(t *testing.T, page kv.Page, want ...string) {
	t.Helper()
	got := []string{}
	for _, e := range page.Entries {
		got = append(got, e.Key, string(e.Value))
	}
	if !slices.Equal(got, want) {
		t.Errorf("range at %d = %.300q, want %.300q", page.Revision, got, want)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want an error that wraps %q", what, err, want)
	}
}

// collect returns the batches with events of a watch, up to the first batch of any kind at or past revision until.
func collect(t *testing.T, db kv.DB, start, end string, after, until kv.Revision) []kv.Batch {
	t.Helper()
	var out []kv.Batch
	at := after
	for b, err := range db.Watch(within(t), start, end, after) {
		if err != nil {
			t.Fatalf("Watch(%q, %q, %d) after revision %d = %v, want nil", start, end, after, at, err)
		}
		if err := follows(b, at, start, end); err != nil {
			t.Fatalf("Watch(%q, %q, %d): %v", start, end, after, err)
		}
		at = b.Revision
		if len(b.Events) > 0 {
			out = append(out, b)
		}
		if b.Revision >= until {
			return out
		}
	}
	t.Fatalf("Watch(%q, %q, %d) ended without an error", start, end, after)
	return nil
}

// follows returns what is wrong with a batch that comes when everything up to at was yielded, or nil.
func follows(b kv.Batch, at kv.Revision, start, end string) error {
	if b.Revision < at || b.Revision == at && len(b.Events) > 0 {
		return fmt.Errorf("batch %s follows revision %d", showBatch(b), at)
	}
	for i, e := range b.Events {
		if i > 0 && e.Key <= b.Events[i-1].Key {
			return fmt.Errorf("batch %s is not in key order", showBatch(b))
		}
		if e.Key < start || end != "" && e.Key >= end {
			return fmt.Errorf("batch %s is not in the range from %q to %q", showBatch(b), start, end)
		}
		if e.Deleted && len(e.Value) > 0 {
			return fmt.Errorf("batch %s has a deletion with a value", showBatch(b))
		}
	}
	return nil
}

// wantBatches compares by revision and content.
func wantBatches(t *testing.T, what string, got, want []kv.Batch) {
	t.Helper()
	if !slices.EqualFunc(got, want, equalBatches) {
		t.Errorf("%s yielded %d batches:\n%.1000s\nwant %d:\n%.1000s", what, len(got), showBatches(got), len(want), showBatches(want))
	}
}

func equalBatches(a, b kv.Batch) bool {
	return a.Revision == b.Revision && slices.EqualFunc(a.Events, b.Events, func(a, b kv.Event) bool {
		return a.Key == b.Key && a.Deleted == b.Deleted && string(a.Value) == string(b.Value)
	})
}

// batch makes the expected batch of a commit of ops, given in key order.
func batch(rev kv.Revision, ops ...kv.Op) kv.Batch {
	b := kv.Batch{Revision: rev}
	for _, op := range ops {
		b.Events = append(b.Events, kv.Event{Key: op.Key, Value: op.Value, Deleted: op.Delete})
	}
	return b
}

func showBatches(bs []kv.Batch) string {
	s := ""
	for _, b := range bs {
		s += showBatch(b) + "\n"
	}
	return s
}

func showBatch(b kv.Batch) string {
	s := fmt.Sprintf("%d:", b.Revision)
	for _, e := range b.Events {
		if e.Deleted {
			s += fmt.Sprintf(" -%.40q", e.Key)
		} else {
			s += fmt.Sprintf(" %.40q=%.20q", e.Key, e.Value)
		}
	}
	return s
}

func showOps(ops []kv.Op) string {
	b := batch(0, ops...)
	return showBatch(b)[2:]
}
