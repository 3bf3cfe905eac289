// SPDX-License-Identifier: Apache-2.0

package memkv

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A hand is a clock that stands still until it is moved.
type hand struct {
	mu    sync.Mutex
	now   time.Time
	moved chan struct{}
}

func newHand() *hand { return &hand{now: time.Unix(1_800_000_000, 0), moved: make(chan struct{})} }

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) Moved() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.moved
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	close(h.moved)
	h.moved = make(chan struct{})
}

// seen returns the value of a key, "" when there is none.
func seen(t *testing.T, db kv.DB, key string) string {
	t.Helper()
	page, err := db.Range(t.Context(), key, key+"\x00", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) == 0 {
		return ""
	}
	return string(page.Entries[0].Value)
}

func TestLateShowsCommitsAfterTheDelay(t *testing.T) {
	clock := newHand()
	db := Open(Options{Clock: clock})
	put(t, db, "k", "old")
	late := db.Late(2 * time.Second)
	if got := seen(t, late, "k"); got != "old" {
		t.Errorf("what was there before = %q, want it seen at once", got)
	}
	put(t, late, "k", "new")
	if got := seen(t, db, "k"); got != "new" {
		t.Errorf("the store itself has %q, want new", got)
	}
	clock.move(1999 * time.Millisecond)
	if got := seen(t, late, "k"); got != "old" {
		t.Errorf("just before the delay is over: %q, want old", got)
	}
	clock.move(time.Millisecond)
	if got := seen(t, late, "k"); got != "new" {
		t.Errorf("after the delay: %q, want new", got)
	}
}

func TestLateNeverGoesBack(t *testing.T) {
	clock := newHand()
	db := Open(Options{Clock: clock})
	late := db.Late(2 * time.Second)
	put(t, db, "k", "1")
	clock.move(2 * time.Second)
	if got := seen(t, late, "k"); got != "1" {
		t.Fatalf("after the delay: %q, want 1", got)
	}
	clock.move(-time.Second)
	if got := seen(t, late, "k"); got != "1" {
		t.Errorf("with the clock moved back: %q, want what was seen before", got)
	}
	put(t, db, "k", "2")
	clock.move(-time.Hour)
	if got := seen(t, late, "k"); got != "2" {
		t.Errorf("committed later than the clock shows: %q, want it seen", got)
	}
}

// TestLateWatchFollowsTheRealClock and the next: a watch wakes when something is
// due, by time that passes and by a clock that is moved.
func TestLateWatchFollowsTheRealClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := Open(Options{})
		late := db.Late(2 * time.Second)
		begun := time.Now()
		rev := put(t, db, "k", "1")
		for b, err := range late.Watch(t.Context(), "", "", 1) {
			if err != nil {
				t.Fatal(err)
			}
			if b.Revision == rev {
				break
			}
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("the watch yields a commit after %v, want 2s", took)
		}
	})
}

func TestLateWatchFollowsAMovedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newHand()
		db := Open(Options{Clock: clock})
		late := db.Late(time.Hour)
		rev := put(t, db, "k", "1")
		begun := time.Now()
		time.AfterFunc(10*time.Millisecond, func() { clock.move(time.Hour) })
		for b, err := range late.Watch(t.Context(), "", "", 1) {
			if err != nil {
				t.Fatal(err)
			}
			if b.Revision == rev {
				break
			}
		}
		if took := time.Since(begun); took != 10*time.Millisecond {
			t.Errorf("the watch yields a commit %v after the clock was moved, want at once", took-10*time.Millisecond)
		}
	})
}
