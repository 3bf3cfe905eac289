// SPDX-License-Identifier: Apache-2.0

package memkv

import (
	"context"
	"iter"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A Late is a DB seen late: what was committed since it was made appears after a
// delay, in order, as on a replica that lags behind. Its Commit, Compact and
// Close are those of the DB.
type Late struct {
	*DB
	delay time.Duration
	at    kv.Revision // that is seen; guarded by DB.mu
}

// Late returns the store as it is seen with a delay by its Clock. A clock that is
// moved on shows what is due by then; one that is moved back hides nothing that
// was shown, and shows at once what was committed later than it shows.
func (d *DB) Late(delay time.Duration) *Late {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &Late{DB: d, delay: delay}
	if !d.closed {
		l.at = d.latestLocked()
	}
	return l
}

// Revision returns the latest revision that is seen by now, 0 after Close.
func (l *Late) Revision() kv.Revision {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0
	}
	return l.seenLocked()
}

// Range reads what is seen.
func (l *Late) Range(ctx context.Context, start, end string, rev kv.Revision, limit int) (kv.Page, error) {
	return l.read(ctx, start, end, rev, limit, l.seenLocked)
}

// Watch yields what is seen.
func (l *Late) Watch(ctx context.Context, start, end string, after kv.Revision) iter.Seq2[kv.Batch, error] {
	return l.watch(ctx, start, end, after, l.reachLocked)
}

func (l *Late) seenLocked() kv.Revision {
	rev, _ := l.reachLocked()
	return rev
}

// reachLocked returns the latest revision that is seen, and when the next one is
// due, 0 if there is none. A revision that is not kept any more is seen.
func (l *Late) reachLocked() (kv.Revision, time.Duration) {
	now := l.clock.Now()
	first := l.versions[0].revision
	l.at = max(l.at, first)
	for _, v := range l.versions[l.at-first+1:] {
		if age := now.Sub(v.at); age >= 0 && age < l.delay {
			return l.at, l.delay - age
		}
		l.at = v.revision
	}
	return l.at, 0
}
