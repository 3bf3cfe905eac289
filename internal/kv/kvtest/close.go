// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

var closeTests = []suite{
	{"a-closed-store-refuses-everything", closeAll},
	{"closing-ends-the-watches", closeWatch},
	{"closing-answers-every-commit", closeCommits},
}

func closeAll(t *testing.T, db kv.DB) {
	commit(t, db, set("a", "1"))
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatalf("Close() = %v, want nil", err)
		}
	}
	_, err := db.Range(within(t), "", "", 0, 0)
	wantError(t, "Range()", err, kv.ErrClosed)
	_, err = db.Commit(within(t), kv.Txn{Then: []kv.Op{set("a", "2")}})
	wantError(t, "Commit()", err, kv.ErrClosed)
	wantError(t, "Compact()", db.Compact(within(t), 1), kv.ErrClosed)
	wantEnd(t, db, "", "", 0, kv.ErrClosed)
}

func closeWatch(t *testing.T, db kv.DB) {
	rev := commit(t, db, set("a", "1"))
	ended := make(chan error)
	ready := make(chan struct{})
	go func() {
		var last error
		first := true
		for _, err := range db.Watch(t.Context(), "", "", rev) {
			if last = err; first {
				close(ready)
			}
			first = false
		}
		ended <- last
	}()
	<-ready
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	select {
	case err := <-ended:
		wantError(t, "last error of the watch", err, kv.ErrClosed)
	case <-time.After(patience):
		t.Fatal("the watch goes on after Close")
	}
}

func closeCommits(t *testing.T, db kv.DB) {
	const writers = 8
	ended := make(chan error, writers)
	for range writers {
		go func() {
			for {
				if _, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{set("a", "1")}}); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	if err := db.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	for range writers {
		select {
		case err := <-ended:
			wantError(t, "Commit() while closing", err, kv.ErrClosed)
		case <-time.After(patience):
			t.Fatal("Commit() does not return after Close")
		}
	}
}
