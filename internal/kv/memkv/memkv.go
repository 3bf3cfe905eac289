// SPDX-License-Identifier: Apache-2.0

// Package memkv is the engine of kv that keeps nothing: a store in memory, for servers that tests throw away.
//
// Every revision is an immutable tree that shares what it did not change with the one before, so that reading an older
// one, or watching from it, costs what reading the latest does. Revisions of this engine increase by one.
package memkv

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// Options say how much history a store keeps. The zero value is right for most.
type Options struct {
	Keep  int   // latest revisions that can be read and watched after; 0: 1,024
	Clock Clock // by which a Late store lags; nil: the real one
}

const defaultKeep = 1024

// A Clock is a clock that may be moved.
type Clock interface {
	Now() time.Time
	// Moved returns a channel that is closed when the clock is moved next.
	Moved() <-chan struct{}
}

type realClock struct{}

func (realClock) Now() time.Time         { return time.Now() }
func (realClock) Moved() <-chan struct{} { return nil }

// A DB is an open store. It implements [kv.DB].
type DB struct {
	keep  int
	clock Clock

	mu       sync.Mutex // guards below
	data     *btree.Map[string, value]
	versions []version     // consecutive; the last is the latest
	changed  chan struct{} // closed and replaced when versions or closed change
	closed   bool
}

type value struct {
	bytes    []byte // never modified
	modified kv.Revision
}

// A version is the store at one revision.
type version struct {
	revision kv.Revision
	at       time.Time // of the commit
	data     *btree.Map[string, value]
	events   []kv.Event // what the commit did, in key order
}

// Open returns a new, empty store.
func Open(o Options) *DB {
	d := &DB{keep: cmp.Or(max(o.Keep, 0), defaultKeep), clock: o.Clock, data: new(btree.Map[string, value]), changed: make(chan struct{})}
	if d.clock == nil {
		d.clock = realClock{}
	}
	d.versions = []version{{revision: 1, at: d.clock.Now(), data: d.data.Copy()}}
	return d
}

var errClosed = fmt.Errorf("memkv: %w", kv.ErrClosed)

func (d *DB) latestLocked() kv.Revision { return d.versions[len(d.versions)-1].revision }

// versionLocked returns the store at a revision, by which the reader can see as
// far as latest.
func (d *DB) versionLocked(rev, latest kv.Revision) (*version, error) {
	first := d.versions[0].revision
	switch {
	case rev > latest:
		return nil, fmt.Errorf("memkv: revision %d, latest is %d: %w", rev, latest, kv.ErrFuture)
	case rev < first:
		return nil, fmt.Errorf("memkv: revision %d, earliest is %d: %w", rev, first, kv.ErrCompacted)
	}
	return &d.versions[rev-first], nil
}

// Range reads the tree of the revision.
func (d *DB) Range(ctx context.Context, start, end string, rev kv.Revision, limit int) (kv.Page, error) {
	return d.read(ctx, start, end, rev, limit, d.latestLocked)
}

// read reads the tree of a revision, if 0 of the one that latest returns, which
// is called with the lock held.
func (d *DB) read(ctx context.Context, start, end string, rev kv.Revision, limit int, latest func() kv.Revision) (kv.Page, error) {
	if err := ctx.Err(); err != nil {
		return kv.Page{}, err
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return kv.Page{}, errClosed
	}
	last := latest()
	v, err := d.versionLocked(cmp.Or(rev, last), last)
	if err != nil {
		d.mu.Unlock()
		return kv.Page{}, err
	}
	page, data := kv.Page{Revision: v.revision}, v.data
	d.mu.Unlock()
	data.Ascend(start, func(key string, v value) bool {
		if end != "" && key >= end {
			return false
		}
		if page.More = limit > 0 && len(page.Entries) == limit; page.More {
			return false
		}
		page.Entries = append(page.Entries, kv.Entry{Key: key, Value: v.bytes, Modified: v.modified})
		return true
	})
	return page, nil
}

// Commit applies a transaction at once.
func (d *DB) Commit(ctx context.Context, t kv.Txn) (kv.Revision, error) {
	if err := kv.Check(t); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, errClosed
	}
	for _, c := range t.If {
		if v, _ := d.data.Get(c.Key); v.modified != c.Modified {
			return 0, fmt.Errorf("memkv: key %q was modified at %d, not %d: %w", c.Key, v.modified, c.Modified, kv.ErrConflict)
		}
	}
	rev := d.latestLocked() + 1
	events := d.applyLocked(rev, t.Then)
	if len(events) == 0 {
		return rev - 1, nil
	}
	slices.SortFunc(events, func(a, b kv.Event) int { return strings.Compare(a.Key, b.Key) })
	d.versions = append(d.versions, version{revision: rev, at: d.clock.Now(), data: d.data.Copy(), events: events})
	if len(d.versions) > d.keep {
		d.versions[0] = version{} // so that its tree can go
		d.versions = d.versions[1:]
	}
	d.changedLocked()
	return rev, nil
}

func (d *DB) applyLocked(rev kv.Revision, ops []kv.Op) []kv.Event {
	events := make([]kv.Event, 0, len(ops))
	for _, op := range ops {
		if op.Delete {
			if _, there := d.data.Delete(op.Key); there {
				events = append(events, kv.Event{Key: op.Key, Deleted: true})
			}
			continue
		}
		bytes := slices.Clone(op.Value)
		d.data.Set(op.Key, value{bytes, rev})
		events = append(events, kv.Event{Key: op.Key, Value: bytes})
	}
	return events
}

func (d *DB) changedLocked() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Compact forgets the older revisions.
func (d *DB) Compact(ctx context.Context, before kv.Revision) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	if latest := d.latestLocked(); before > latest {
		return fmt.Errorf("memkv: compaction before %d, latest is %d: %w", before, latest, kv.ErrFuture)
	}
	if n := int(before - d.versions[0].revision); n > 0 {
		d.versions = slices.Delete(d.versions, 0, n)
	}
	return nil
}

// Close ends the watches and forgets everything.
func (d *DB) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.data, d.versions = nil, nil
	d.changedLocked()
	return nil
}
