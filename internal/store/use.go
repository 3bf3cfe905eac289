// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// flushOps is the number of last uses that one transaction writes.
const flushOps = 100

// Touch notes that an access key, a role, a user's login (id is the user's) or
// the root user's login (id is the account) was used. It is kept in memory,
// written within a minute, and may be lost in a crash. Nothing happens if the
// account does not exist.
func (s *Store) Touch(account, id string, u Use) {
	a, err := s.find(account)
	if err != nil {
		return
	}
	u.Time = u.Time.UTC().Truncate(time.Minute)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seenLocked(id, u) {
		a.fresh[id] = true
	}
}

// LastUse returns when something was last used as far as this node knows, the
// zero Use if never. The account must have been viewed before.
func (s *Store) LastUse(account, id string) Use {
	a, err := s.find(account)
	if err != nil {
		return Use{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.uses[id]
}

// seenLocked keeps the later of two uses, and reports whether that is u.
func (a *account) seenLocked(id string, u Use) bool {
	have := a.uses[id]
	if u.Time.Before(have.Time) || u == have || u.Time.IsZero() {
		return false
	}
	a.uses[id] = u
	return true
}

// applyUsesLocked takes the last uses from the events of a commit, and reports
// whether there are others.
func (a *account) applyUsesLocked(events []kv.Event) (others bool) {
	for _, e := range events {
		id, ok := usedID(e.Key)
		switch {
		case !ok:
			others = true
		case e.Deleted:
			delete(a.uses, id)
			delete(a.fresh, id)
		default:
			u, err := decode[Use](e.Value)
			if err != nil {
				a.s.log.Warn("store: a last use is unreadable", "account", a.id, "id", id, "err", err)
				continue
			}
			if a.seenLocked(id, *u) {
				delete(a.fresh, id)
			} else if u.Time.Before(a.uses[id].Time) {
				a.fresh[id] = true // another node wrote an older one over ours
			}
		}
	}
	return others
}

func usedID(key string) (string, bool) { return strings.CutPrefix(key, dirUsed) }

func (s *Store) flushLoop(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := s.flush(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("store: last uses are not written yet", "err", err)
			}
		}
	}
}

// flush writes the uses that are not stored yet. What cannot be written is
// tried again at the next flush.
func (s *Store) flush(ctx context.Context) error {
	var errs []error
	s.directory.Load().Scan(func(_ string, a *account) bool {
		if err := a.flush(ctx); err != nil {
			errs = append(errs, err)
		}
		return ctx.Err() == nil
	})
	return errors.Join(errs...)
}

func (a *account) flush(ctx context.Context) error {
	a.mu.Lock()
	quiet := len(a.fresh) == 0
	a.mu.Unlock()
	if quiet {
		return nil
	}
	v, err := a.get(ctx)
	if err != nil {
		return err
	}
	for {
		taken := a.takeFresh(v, flushOps)
		if len(taken) == 0 {
			return nil
		}
		var t kv.Txn
		for id, u := range taken {
			value, err := encode(u)
			if err != nil {
				continue // not UTF-8: not worth keeping
			}
			t.Then = append(t.Then, kv.Op{Key: contents(a.id) + dirUsed + id, Value: value})
		}
		if len(t.Then) == 0 {
			continue
		}
		if _, err := a.s.db.Commit(ctx, t); err != nil {
			a.mu.Lock()
			for id := range taken {
				a.fresh[id] = true
			}
			a.mu.Unlock()
			return err
		}
	}
}

// takeFresh returns at most n uses to write, without those of credentials that
// are gone.
func (a *account) takeFresh(v *View, n int) map[string]Use {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := make(map[string]Use)
	for id := range a.fresh {
		if len(taken) == n {
			break
		}
		delete(a.fresh, id)
		if v.knows(id) {
			taken[id] = a.uses[id]
		} else {
			delete(a.uses, id)
		}
	}
	return taken
}

// knows reports whether id is what Touch takes.
func (v *View) knows(id string) bool {
	if id == v.s.id {
		return true
	}
	if _, ok := v.s.keys.Get(id); ok {
		return true
	}
	_, ok := v.s.ids.Get(id)
	return ok
}
