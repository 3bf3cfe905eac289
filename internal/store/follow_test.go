// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A frail is a DB whose watch can be cut.
type frail struct {
	kv.DB

	mu      sync.Mutex
	broken  bool
	cancel  context.CancelFunc // of the running watch
	watches int
}

var errCut = errors.New("the line was cut")

// set cuts or mends the line.
func (f *frail) set(broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken = broken; broken && f.cancel != nil {
		f.cancel()
	}
}

func (f *frail) begun() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watches
}

func (f *frail) Watch(ctx context.Context, start, end string, after kv.Revision) iter.Seq2[kv.Batch, error] {
	return func(yield func(kv.Batch, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		f.mu.Lock()
		broken := f.broken
		f.cancel = cancel
		f.watches++
		f.mu.Unlock()
		if broken {
			yield(kv.Batch{}, errCut)
			return
		}
		for b, err := range f.DB.Watch(inner, start, end, after) {
			if err != nil && inner.Err() != nil && ctx.Err() == nil {
				err = errCut
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

func TestOtherNodesFollow(t *testing.T) {
	s, x := newStore(t)
	other := x.node(t)
	view(t, other, alpha)
	for i := range 20 {
		name := fmt.Sprint("u", i)
		update(t, s, createUser(name))
		eventually(t, "the other node sees "+name, func() bool { _, err := view(t, other, alpha).User(name); return err == nil })
		if got, want := other.Revision(), s.Revision(); got != want {
			t.Errorf("revision of the other node = %d, want %d", got, want)
		}
	}
	if lag := other.Lag(); lag > 5*time.Second {
		t.Errorf("Lag = %v, want little", lag)
	}
}

func TestACutWatchGoesOn(t *testing.T) {
	s, x := newStore(t)
	line := &frail{DB: x.db}
	other := x.node(t, func(o *Options) { o.DB, o.StaleAfter = line, 300*time.Millisecond })
	view(t, other, alpha)
	if err := other.Ready(); err != nil {
		t.Errorf("Ready = %v", err)
	}
	line.set(true)
	update(t, s, createUser("ann"))
	eventually(t, "the node notices that it is out of touch", func() bool { return errors.Is(other.Ready(), ErrStale) })
	if _, err := view(t, other, alpha).User("ann"); !errors.Is(err, ErrNotFound) {
		t.Errorf("User(ann) through a cut line = %v, want ErrNotFound", err)
	}
	// It can write, but cannot confirm it.
	if err := other.Update(t.Context(), alpha, createUser("bob")); !errors.Is(err, ErrStale) {
		t.Errorf("Update through a cut line = %v, want ErrStale", err)
	}
	line.set(false)
	for _, name := range []string{"ann", "bob"} {
		eventually(t, "the node sees "+name, func() bool { _, err := view(t, other, alpha).User(name); return err == nil })
	}
	eventually(t, "the node is ready", func() bool { return other.Ready() == nil })
	checkSound(t, view(t, other, alpha))
}

func TestACompactedWatchReloads(t *testing.T) {
	s, x := newStore(t)
	line := &frail{DB: x.db}
	other := x.node(t, func(o *Options) { o.DB = line })
	update(t, s, all(createUser("ann"), createUser("old"), createGroup("g")))
	eventually(t, "the node sees old", func() bool { _, err := view(t, other, alpha).User("old"); return err == nil })
	held := view(t, other, alpha)
	line.set(true)
	update(t, s, func(tx *Tx) error { return errors.Join(tx.AddMember("g", "ann"), tx.DeleteUser("old")) })
	made, err := s.CreateAccount(t.Context(), Account{ID: "777788889999"})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.db.Compact(t.Context(), s.Revision()); err != nil {
		t.Fatal(err)
	}
	begun := line.begun()
	line.set(false)
	eventually(t, "the node is at the latest revision", func() bool { return other.Revision() >= s.Revision() })
	if line.begun() < begun+2 {
		t.Error("the watch was not begun anew, so nothing was compacted away")
	}
	v := view(t, other, alpha)
	checkSound(t, v)
	if got, want := v.s.indexes(), view(t, s, alpha).s.indexes(); got != want {
		t.Errorf("after reloading:\n%s\nwant\n%s", got, want)
	}
	if _, err := held.User("old"); err != nil {
		t.Errorf("a view from before lost a user: %v", err)
	}
	if _, err := other.View(t.Context(), made.ID); err != nil {
		t.Errorf("View of an account made meanwhile = %v", err)
	}
	update(t, s, createUser("later"))
	eventually(t, "the node goes on following", func() bool { _, err := view(t, other, alpha).User("later"); return err == nil })
	if err := other.Update(t.Context(), alpha, createUser("own")); err != nil {
		t.Errorf("Update = %v", err)
	}
}

func TestNewerRecordsAreRefused(t *testing.T) {
	const newer = `2{"name":"x"}`
	t.Run("at-loading", func(t *testing.T) {
		s, x := newStore(t)
		put(t, x.db, contents(alpha)+"user/x", newer)
		for range 2 {
			_, err := s.View(t.Context(), alpha)
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "user/x") {
				t.Errorf("View = %v, want ErrFormat naming the record", err)
			}
		}
		if err := s.Update(t.Context(), alpha, createUser("ann")); !errors.Is(err, ErrFormat) {
			t.Errorf("Update = %v, want ErrFormat", err)
		}
		view(t, s, beta)
	})
	t.Run("while-running", func(t *testing.T) {
		s, x := newStore(t)
		view(t, s, alpha)
		put(t, x.db, contents(alpha)+"role/x", newer)
		eventually(t, "the account is refused", func() bool { _, err := s.View(t.Context(), alpha); return errors.Is(err, ErrFormat) })
		view(t, s, beta)
	})
	t.Run("the-whole-store", func(t *testing.T) {
		s, x := newStore(t)
		put(t, x.db, keyFormat, "2")
		eventually(t, "the node is not ready", func() bool { return errors.Is(s.Ready(), ErrFormat) })
		if err := s.Update(t.Context(), alpha, createUser("ann")); !errors.Is(err, ErrFormat) {
			t.Errorf("Update = %v, want ErrFormat", err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		s, x := newStore(t)
		put(t, x.db, contents(alpha)+"user/x", `1{"name":`)
		if _, err := s.View(t.Context(), alpha); err == nil || !strings.Contains(err.Error(), "user/x") {
			t.Errorf("View = %v, want an error naming the record", err)
		}
	})
}

func TestLastUse(t *testing.T) {
	s, x := newStore(t)
	other := x.node(t, func(o *Options) { o.FlushEvery = 5 * time.Millisecond })
	update(t, s, all(createUser("ann"), addKey(s, "ann"), createRole("app")))
	u, _ := view(t, s, alpha).User("ann")
	r, _ := view(t, s, alpha).Role("app")
	key := u.Keys[0].ID
	at := func(minute, second int) Use {
		return Use{Time: time.Date(2026, 1, 2, 3, minute, second, 7, time.UTC), Region: "us-east-1", Service: "iam"}
	}
	eventually(t, "the other node sees ann", func() bool { _, err := view(t, other, alpha).User("ann"); return err == nil })
	if got := s.LastUse(alpha, key); got != (Use{}) {
		t.Errorf("LastUse of an unused key = %v, want none", got)
	}
	before := s.Revision()
	for second := range 60 {
		for range 100 {
			s.Touch(alpha, key, at(10, second))
		}
	}
	s.Touch(alpha, key, at(9, 0)) // late news
	s.Touch(alpha, u.ID, at(11, 30))
	s.Touch(alpha, alpha, at(12, 0))
	s.Touch(alpha, "AKIAGONE", at(12, 0))
	want := at(10, 0)
	want.Time = want.Time.Truncate(time.Minute)
	if got := s.LastUse(alpha, key); got != want {
		t.Errorf("LastUse = %v, want %v", got, want)
	}
	if got := s.Revision(); got != before {
		t.Errorf("revision after Touch = %d, want %d: nothing written per request", got, before)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close = %v", err)
	}
	page, err := x.db.Range(t.Context(), contents(alpha)+dirUsed, contents(alpha)+dirUsed+"~", 0, 0)
	if err != nil || len(page.Entries) != 3 {
		t.Errorf("stored uses = %d, %v, want 3: nothing of keys that are gone", len(page.Entries), err)
	}
	eventually(t, "the other node knows", func() bool { return other.LastUse(alpha, key) == want && other.LastUse(alpha, u.ID) != Use{} })
	fresh := x.node(t)
	view(t, fresh, alpha)
	if got := fresh.LastUse(alpha, key); got != want {
		t.Errorf("LastUse on a fresh node = %v, want %v", got, want)
	}

	other.Touch(alpha, r.ID, at(20, 0))
	other.Touch(alpha, key, at(21, 0))
	eventually(t, "the use is written by the minute", func() bool { return !fresh.LastUse(alpha, r.ID).Time.IsZero() })
	if view(t, fresh, alpha).Revision() >= fresh.Revision() {
		t.Error("a last use makes a new view")
	}
	update(t, fresh, func(tx *Tx) error {
		u, err := tx.User("ann")
		u.Keys = nil
		return errors.Join(err, tx.PutUser(u), tx.DeleteRole("app"))
	})
	for _, id := range []string{key, r.ID} {
		if got := fresh.LastUse(alpha, id); got != (Use{}) {
			t.Errorf("LastUse(%s) after it was deleted = %v, want none", id, got)
		}
	}
}
