// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// follow keeps the accounts up to date until ctx ends, beginning after rev. It
// calls synced whenever they are.
func (s *Store) follow(ctx context.Context, rev kv.Revision, synced func()) {
	for pause := time.Duration(0); ; {
		begun := time.Now()
		var err error
		if rev, err = s.watch(ctx, rev, synced); ctx.Err() != nil {
			return
		}
		s.log.Warn("store: the watch ended", "revision", rev, "err", err)
		if errors.Is(err, kv.ErrCompacted) || errors.Is(err, kv.ErrFuture) {
			var latest kv.Revision
			if latest, err = s.reload(ctx); err == nil {
				rev = latest
				continue
			}
			s.log.Warn("store: cannot read the accounts again", "err", err)
		}
		if time.Since(begun) > time.Minute {
			pause = 0
		}
		pause = min(max(2*pause, 10*time.Millisecond), 2*time.Second)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// watch applies what happens after rev, and returns the revision it got to and
// why it ended.
func (s *Store) watch(ctx context.Context, rev kv.Revision, synced func()) (kv.Revision, error) {
	for batch, err := range s.db.Watch(ctx, "", "", rev) {
		if err != nil {
			return rev, err
		}
		s.apply(batch.Revision, batch.Events)
		rev = batch.Revision
		s.applied.Pass(rev)
		if len(batch.Events) == 0 {
			s.confirmed.Store(int64(time.Since(s.started)))
			synced()
		}
	}
	return rev, errors.New("the watch ended without an error")
}

// apply hands the events of one commit to their accounts.
func (s *Store) apply(rev kv.Revision, events []kv.Event) {
	for len(events) > 0 {
		id, _, ok := owner(events[0].Key)
		if !ok {
			s.applySystem(events[0])
			events = events[1:]
			continue
		}
		var mine []kv.Event
		rest := events[:0:0]
		for _, e := range events {
			if other, key, ok := owner(e.Key); ok && other == id {
				e.Key = key
				mine = append(mine, e)
			} else {
				rest = append(rest, e)
			}
		}
		events = rest
		s.applyAccount(rev, id, mine)
	}
}

func (s *Store) applySystem(e kv.Event) {
	if name, ok := strings.CutPrefix(e.Key, dirBucket); ok {
		s.applyBucket(name, e)
		return
	}
	if e.Key != keyFormat || e.Deleted {
		return
	}
	if err := checkFormat(e.Value); err != nil {
		s.fail(err)
	}
}

func (s *Store) applyAccount(rev kv.Revision, id string, events []kv.Event) {
	a, err := s.find(id)
	if err != nil {
		if slices.ContainsFunc(events, func(e kv.Event) bool { return e.Key == "" && !e.Deleted }) {
			a = s.enter(id)
		}
	}
	if a != nil {
		a.apply(rev, events)
	}
}

// enter adds an account to the directory. Only the goroutine that follows the
// watch changes the directory.
func (s *Store) enter(id string) *account {
	d := s.directory.Load().Copy()
	a := newAccount(s, id)
	d.Set(id, a)
	s.directory.Store(d)
	return a
}

// loadDirectory finds every account and the owners of buckets, and returns the
// revision at which it looked.
func (s *Store) loadDirectory(ctx context.Context) (kv.Revision, error) {
	start, end := kv.Prefix(dirAccount)
	d := new(btree.Map[string, *account])
	rev, err := kv.Scan(ctx, s.db, start, end, 0, func(e kv.Entry) error {
		id, _, _ := owner(e.Key)
		a, err := s.find(id)
		if err != nil {
			a = newAccount(s, id)
		}
		d.Set(id, a)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := s.loadBuckets(ctx, rev); err != nil {
		return 0, err
	}
	s.directory.Store(d)
	return rev, nil
}

// reload reads every loaded account again, for a watch that cannot go on. It
// returns a revision after which the watch can begin: whatever an account was
// read at is that or later.
func (s *Store) reload(ctx context.Context) (kv.Revision, error) {
	rev, err := s.loadDirectory(ctx)
	if err != nil {
		return 0, err
	}
	s.directory.Load().Scan(func(_ string, a *account) bool {
		err = a.reload(ctx)
		return err == nil
	})
	if err != nil {
		return 0, err
	}
	s.applied.Reset(rev)
	return rev, nil
}
