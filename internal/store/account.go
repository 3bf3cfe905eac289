// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// An account is what a Store has in memory of one account.
type account struct {
	s  *Store
	id string

	view    atomic.Pointer[View] // nil until loaded
	reading chan struct{}        // holds an element while someone reads the account from the DB
	queue   chan struct{}        // holds an element while an update that was disturbed tries again

	mu        sync.Mutex // guards below; never held while waiting
	state     *state     // at the revision at; nil until loaded
	at        kv.Revision
	buffering bool    // someone reads the account: events go to pending
	pending   []batch // in order
	broken    error   // why it cannot be loaded, ever
	creating  map[string]int
	created   chan struct{} // closed when creating shrinks; nil while nobody waits
	uses      map[string]Use
	fresh     map[string]bool // ids of uses that are not stored yet
}

type batch struct {
	rev    kv.Revision
	events []kv.Event
}

func newAccount(s *Store, id string) *account {
	return &account{
		s:        s,
		id:       id,
		reading:  make(chan struct{}, 1),
		queue:    make(chan struct{}, 1),
		creating: make(map[string]int),
		uses:     make(map[string]Use),
		fresh:    make(map[string]bool),
	}
}

// get returns the latest view, and loads the account if need be.
func (a *account) get(ctx context.Context) (*View, error) {
	if v := a.view.Load(); v != nil {
		return v, nil
	}
	if err := acquire(ctx, a.reading); err != nil {
		return nil, err
	}
	defer func() { <-a.reading }()
	if v := a.view.Load(); v != nil {
		return v, nil
	}
	a.mu.Lock()
	err := a.broken
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := a.read(ctx); err != nil {
		return nil, err
	}
	if v := a.view.Load(); v != nil {
		return v, nil
	}
	return nil, notFound(KindAccount, a.id)
}

// reload reads the account again if it is loaded, and waits for whoever is
// loading it.
func (a *account) reload(ctx context.Context) error {
	if err := acquire(ctx, a.reading); err != nil {
		return err
	}
	defer func() { <-a.reading }()
	a.mu.Lock()
	loaded := a.state != nil
	a.broken = nil
	a.mu.Unlock()
	if !loaded {
		return nil
	}
	return a.read(ctx)
}

func acquire(ctx context.Context, slot chan struct{}) error {
	select {
	case slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// read replaces what is in memory by what is in the DB. The caller holds the
// slot of reading. Events of the watch that come meanwhile are kept and applied
// to what was read, unless that has them already.
func (a *account) read(ctx context.Context) error {
	a.mu.Lock()
	a.buffering = true
	a.mu.Unlock()

	st, uses, rev, err := a.fetch(ctx)

	a.mu.Lock()
	defer a.mu.Unlock()
	pending := a.pending
	a.buffering, a.pending = false, nil
	if errors.Is(err, ErrFormat) {
		a.broken = err
	}
	if err != nil {
		return err
	}
	a.state, a.at = st, rev
	for id, u := range uses {
		a.seenLocked(id, u)
	}
	if st.account.rec == nil {
		a.state = nil
	}
	a.publishLocked()
	for _, b := range pending {
		a.applyLocked(b)
	}
	return nil
}

// fetch reads the account at the latest revision, which it returns.
func (a *account) fetch(ctx context.Context) (*state, map[string]Use, kv.Revision, error) {
	for {
		st, uses, rev, err := a.fetchOnce(ctx)
		if err == nil || !errors.Is(err, kv.ErrCompacted) {
			return st, uses, rev, err
		}
	}
}

func (a *account) fetchOnce(ctx context.Context) (*state, map[string]Use, kv.Revision, error) {
	st, uses := newState(a.id), make(map[string]Use)
	add := func(e kv.Entry) error {
		_, key, _ := owner(e.Key)
		if id, ok := usedID(key); ok {
			u, err := decode[Use](e.Value)
			if err != nil {
				return fmt.Errorf("%q: %w", e.Key, err)
			}
			uses[id] = *u
			return nil
		}
		if err := st.applyOne(e.Modified, kv.Event{Key: key, Value: e.Value}); err != nil {
			return fmt.Errorf("%q: %w", e.Key, err)
		}
		return nil
	}
	start, end := kv.Prefix(contents(a.id))
	rev, err := kv.Scan(ctx, a.s.db, start, end, 0, add)
	if err == nil {
		_, err = kv.Scan(ctx, a.s.db, dirAccount+a.id, dirAccount+a.id+"\x00", rev, add)
	}
	if err != nil {
		return nil, nil, 0, fmt.Errorf("loading account %s: %w", a.id, err)
	}
	return st, uses, rev, nil
}

// apply brings the account up to a commit. The keys of the events are without
// the account's prefix.
func (a *account) apply(rev kv.Revision, events []kv.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.buffering:
		a.pending = append(a.pending, batch{rev, events})
	case a.state != nil:
		a.applyLocked(batch{rev, events})
	}
}

func (a *account) applyLocked(b batch) {
	if a.state == nil || b.rev <= a.at {
		return
	}
	a.at = b.rev
	changed, err := a.applyUsesLocked(b.events), error(nil)
	if changed {
		err = a.state.apply(b.rev, b.events)
	}
	if err != nil {
		a.s.log.Error("store: an account is unreadable from now on", "account", a.id, "err", err)
		a.broken = err
		a.state = nil
	} else if a.state.account.rec == nil {
		a.state = nil
	}
	if changed {
		a.publishLocked()
	}
}

// publishLocked makes a.state the view.
func (a *account) publishLocked() {
	if a.state == nil {
		a.view.Store(nil)
		return
	}
	a.view.Store(&View{s: a.state.snapshot(), revision: a.at, provided: &a.s.provided})
}

// reserve counts one creation that is under way against a quota of the whole
// account, unless that would exceed it. If other creations under way are to
// blame, which may yet fail, crowded is true.
func (a *account) reserve(quota string, own int) (crowded bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state == nil {
		return true, nil // being read again
	}
	limit := a.state.account.rec.quota(quota)
	used := a.state.usage(quota)
	switch {
	case used+own >= limit:
		return false, &LimitError{Quota: quota, Limit: limit}
	case used+a.creating[quota] >= limit:
		return true, nil
	}
	a.creating[quota]++
	return false, nil
}

// release takes back reservations, once the records are in the view or will
// never be.
func (a *account) release(reserved map[string]int) {
	if len(reserved) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for quota, n := range reserved {
		a.creating[quota] -= n
	}
	if a.created != nil {
		close(a.created)
		a.created = nil
	}
}

// released returns a channel that is closed at the next release.
func (a *account) released() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.created == nil {
		a.created = make(chan struct{})
	}
	return a.created
}
