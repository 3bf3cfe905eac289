// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/kvtest"
)

// hold makes the next bbolt commits wait until they are released, and counts them.
func hold(db *DB) (release func(), count *atomic.Int64) {
	gate, n := make(chan struct{}), new(atomic.Int64)
	db.commit = func(tx *bbolt.Tx) error {
		<-gate
		n.Add(1)
		return tx.Commit()
	}
	return func() { close(gate) }, n
}

// queued waits until n requests wait behind the one that is held.
func queued(t *testing.T, db *DB, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(db.reqs) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests wait, want %d", len(db.reqs), n)
		}
	}
}

func TestCommitsThatWaitShareATransaction(t *testing.T) {
	db := open(t, Options{})
	release, count := hold(db)
	var work sync.WaitGroup
	work.Go(func() { put(t, db, "first", "1") })
	for len(db.reqs) > 0 || !taken(db) {
		time.Sleep(time.Millisecond)
	}
	const n = 40
	revs, errs := make([]kv.Revision, n), make([]error, n)
	for i := range n {
		work.Go(func() {
			txn := kv.Txn{Then: []kv.Op{{Key: fmt.Sprint("k", i), Value: []byte("v")}}}
			if i%4 == 0 {
				txn.If = []kv.Compare{{Key: "absent", Modified: 1}} // fails, alone
			}
			revs[i], errs[i] = db.Commit(t.Context(), txn)
		})
	}
	queued(t, db, n)
	release()
	work.Wait()
	if got := count.Load(); got != 2 {
		t.Errorf("%d commits took %d transactions, want 2", n+1, got)
	}
	var ok []kv.Revision
	for i, err := range errs {
		if i%4 == 0 != errors.Is(err, kv.ErrConflict) || err == nil != (i%4 != 0) {
			t.Errorf("commit %d = %v, want a conflict: %t", i, err, i%4 == 0)
		}
		if err == nil {
			ok = append(ok, revs[i])
		}
	}
	slices.Sort(ok)
	if len(slices.Compact(ok)) != n-n/4 {
		t.Errorf("revisions = %v, want a different one each", ok)
	}
	consistent(t, db)
}

// taken reports whether the writer holds bbolt's write lock.
func taken(db *DB) bool {
	done := make(chan struct{})
	go func() {
		if tx, err := db.bolt.Begin(true); err == nil {
			_ = tx.Rollback()
		}
		close(done)
	}()
	select {
	case <-done:
		return false
	case <-time.After(20 * time.Millisecond):
		return true
	}
}

func TestCommitGivenUpWhileWaitingIsNotApplied(t *testing.T) {
	db := open(t, Options{})
	release, _ := hold(db)
	var work sync.WaitGroup
	work.Go(func() { put(t, db, "first", "1") })
	for len(db.reqs) > 0 || !taken(db) {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	work.Go(func() {
		_, err := db.Commit(ctx, kv.Txn{Then: []kv.Op{{Key: "given-up"}}})
		if !errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrUnknown) {
			t.Errorf("Commit() given up = %v, want the context's error only", err)
		}
		release()
	})
	queued(t, db, 1)
	cancel()
	work.Wait()
	put(t, db, "last", "1")
	if got := entries(t, db, 0); len(got) != 2 {
		t.Errorf("store = %v, want first and last only", got)
	}
}

func TestCommitThatFailedBeforeItsLastStepIsNotApplied(t *testing.T) {
	db := open(t, Options{})
	before := put(t, db, "a", "1")
	cause := errors.New("broken")
	db.commit = func(*bbolt.Tx) error { return cause }
	_, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a"}}})
	if !errors.Is(err, cause) || errors.Is(err, kv.ErrUnknown) {
		t.Errorf("Commit() = %v, want the cause, and certain", err)
	}
	db.commit = (*bbolt.Tx).Commit
	if rev := put(t, db, "b", "2"); rev != before+1 {
		t.Errorf("next commit = %d, want %d", rev, before+1)
	}
	consistent(t, db)
}

func TestCommitThatFailedInItsLastStepStopsTheStore(t *testing.T) {
	db := open(t, Options{})
	before := put(t, db, "a", "1")
	cause := errors.New("broken")
	db.commit = func(tx *bbolt.Tx) error { return errors.Join(tx.Commit(), cause) }
	_, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a"}}})
	if !errors.Is(err, cause) || !errors.Is(err, kv.ErrUnknown) {
		t.Errorf("Commit() = %v, want the cause and ErrUnknown", err)
	}
	stopped := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, cause) || errors.Is(err, kv.ErrUnknown) || !strings.Contains(err.Error(), "opened again") {
			t.Errorf("%s = %v, want that the store must be opened again", what, err)
		}
	}
	_, err = db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "b"}}})
	stopped("next Commit()", err)
	_, err = db.Range(t.Context(), "", "", 0, 0)
	stopped("Range()", err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, err := range db.Watch(ctx, "", "", before) {
		stopped("Watch()", err)
	}
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	again := open(t, Options{Path: db.path})
	if got := consistent(t, again); len(got) != 1 {
		t.Errorf("store opened again = %v, want a", got)
	}
}

func BenchmarkCommit(b *testing.B) {
	kvtest.BenchCommit(b, func(b *testing.B) kv.DB { return open(b, Options{}) })
}

func BenchmarkRange(b *testing.B) {
	kvtest.BenchRange(b, func(b *testing.B) kv.DB { return open(b, Options{NoSync: true}) })
}

func BenchmarkWatch(b *testing.B) {
	kvtest.BenchWatch(b, func(b *testing.B) kv.DB { return open(b, Options{}) })
}
