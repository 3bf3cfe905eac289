// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

const (
	maxGroup      = 512      // requests that share a bbolt transaction
	maxGroupBytes = 16 << 20 // and their keys and values, about
	trimStep      = 32       // log records dropped with each request, so that trimming outruns writing
	trimIdle      = 1024     // log records dropped at once when nothing else is to do
)

// A request is a transaction, or a compaction if txn has no operations, on its way to the writer.
type request struct {
	txn     kv.Txn
	compact kv.Revision
	taken   atomic.Bool // by the writer, which will answer, or by the caller, who gave up

	// Set by the writer.
	revision kv.Revision
	err      error
	done     chan struct{}
}

func (r *request) size() int {
	n := 0
	for _, op := range r.txn.Then {
		n += len(op.Key) + len(op.Value)
	}
	return n
}

// Commit never returns early once the writer has begun, even if ctx ends: its answer is certain.
func (d *DB) Commit(ctx context.Context, t kv.Txn) (kv.Revision, error) {
	if err := kv.Check(t); err != nil {
		return 0, err
	}
	return d.submit(ctx, &request{txn: t, done: make(chan struct{})})
}

// Compact forgets the older revisions at once; their space is reused little by little.
func (d *DB) Compact(ctx context.Context, before kv.Revision) error {
	_, err := d.submit(ctx, &request{compact: before, done: make(chan struct{})})
	return err
}

func (d *DB) submit(ctx context.Context, r *request) (kv.Revision, error) {
	if err := d.stopped(); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	select {
	case d.reqs <- r:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-d.done:
		return 0, d.stopped()
	}
	select {
	case <-r.done:
		return r.revision, r.err
	case <-ctx.Done():
		if r.taken.CompareAndSwap(false, true) {
			return 0, ctx.Err()
		}
	case <-d.done:
		if r.taken.CompareAndSwap(false, true) {
			return 0, d.stopped()
		}
	}
	<-r.done
	return r.revision, r.err
}

// write is the writer: it takes requests until Close.
func (d *DB) write() {
	defer close(d.done)
	always := make(chan struct{})
	close(always)
	for more := true; ; {
		var (
			first *request
			trim  chan struct{} // ready while there is something to trim
		)
		if more {
			trim = always
		}
		select {
		case first = <-d.reqs:
		case <-trim:
		case <-d.quit:
			return
		}
		more = d.writeGroup(d.gather(first))
	}
}

// gather returns first, which may be nil, and the requests that wait behind it.
func (d *DB) gather(first *request) []*request {
	var group []*request
	size := 0
	for r := first; r != nil; {
		if r.taken.CompareAndSwap(false, true) {
			group = append(group, r)
			size += r.size()
		}
		if len(group) == maxGroup || size >= maxGroupBytes {
			break
		}
		select {
		case r = <-d.reqs:
		default:
			r = nil
		}
	}
	return group
}

// writeGroup applies and answers requests in one bbolt transaction and trims the log. It reports whether there is more
// to trim.
func (d *DB) writeGroup(group []*request) (more bool) {
	d.mu.Lock()
	st, stop := d.state, d.stop
	d.mu.Unlock()
	g := &groupTx{state: st}
	err := stop
	if err == nil {
		more, err = d.apply(g, group)
	}
	var unknown bool
	if err != nil && stop == nil {
		unknown = d.settle(st, err)
		err = fmt.Errorf("boltkv: commit: %w", err)
	}
	for _, r := range group {
		switch {
		case err != nil && unknown && r.err == nil:
			r.revision, r.err = 0, fmt.Errorf("%w: %w", kv.ErrUnknown, err)
		case err != nil:
			r.revision, r.err = 0, err
		}
		close(r.done)
	}
	return more && err == nil
}

// apply runs the requests in one bbolt transaction and publishes what became durable. After an error nothing was
// published.
func (d *DB) apply(g *groupTx, group []*request) (more bool, err error) {
	before := g.state
	tx, err := d.bolt.Begin(true)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // does nothing after Commit
	g.data, g.log = tx.Bucket(bucketData), tx.Bucket(bucketLog)
	g.log.FillPercent = 0.95 // it only grows at its end
	for _, r := range group {
		if r.err = g.run(r); r.err != nil && !answerable(r.err) {
			return false, r.err
		}
	}
	steps := trimIdle
	if len(group) > 0 {
		steps = trimStep * len(group)
	}
	if more, err = g.trim(d.logKeep, d.logBytes, steps); err != nil {
		return false, err
	}
	if g.state == before {
		return more, nil
	}
	if err := storeState(tx, g.state); err != nil {
		return false, err
	}
	if err := d.commit(tx); err != nil {
		return false, err
	}
	d.publish(g)
	return more, nil
}

// settle decides what a failed transaction means: if it may have become the current one, nothing can be trusted until
// the file is opened again.
func (d *DB) settle(before state, cause error) (unknown bool) {
	var now state
	err := d.bolt.View(func(tx *bbolt.Tx) (err error) {
		now, err = loadState(tx)
		return err
	})
	if err == nil && now == before {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stop == nil {
		d.stopLocked(fmt.Errorf("boltkv: %s must be opened again: a commit failed half way: %w", d.path, cause))
	}
	return true
}

// publish makes a durable group visible to watches.
func (d *DB) publish(g *groupTx) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = g.state
	for _, rec := range g.records {
		d.tail.add(rec)
	}
	close(d.changed)
	d.changed = make(chan struct{})
}

// A groupTx is the state of one bbolt transaction of the writer.
type groupTx struct {
	data, log *bbolt.Bucket
	state     state
	records   []record
}

// answerable reports whether err concerns one request only.
func answerable(err error) bool {
	return errors.Is(err, kv.ErrConflict) || errors.Is(err, kv.ErrFuture)
}

func (g *groupTx) run(r *request) error {
	if len(r.txn.Then) == 0 {
		if r.compact > g.state.revision {
			return fmt.Errorf("boltkv: compact before %d, latest is %d: %w", r.compact, g.state.revision, kv.ErrFuture)
		}
		g.state.compacted = max(g.state.compacted, r.compact)
		return nil
	}
	for _, c := range r.txn.If {
		if modified, _ := splitValue(g.data.Get([]byte(c.Key))); modified != c.Modified {
			return fmt.Errorf("boltkv: key %q was modified at %d, not %d: %w", c.Key, modified, c.Modified, kv.ErrConflict)
		}
	}
	raw, err := g.put(r.txn.Then, g.state.revision+1)
	if err != nil {
		return err
	}
	if len(raw) > 0 {
		g.state.revision++
		g.state.logBytes += int64(len(raw))
		g.records = append(g.records, record{revision: g.state.revision, raw: raw})
		if err := g.log.Put(revisionKey(g.state.revision), raw); err != nil {
			return err
		}
	}
	r.revision = g.state.revision
	return nil
}

// put applies ops as revision rev and returns the log record, empty if nothing changed.
func (g *groupTx) put(ops []kv.Op, rev kv.Revision) (raw []byte, err error) {
	ops = slices.SortedFunc(slices.Values(ops), func(a, b kv.Op) int { return strings.Compare(a.Key, b.Key) })
	for _, op := range ops {
		key := []byte(op.Key)
		modified, previous := splitValue(g.data.Get(key))
		if op.Delete && modified == 0 {
			continue
		}
		raw = appendChange(raw, change{
			key: key, value: op.Value, deleted: op.Delete, modified: modified, previous: previous,
		})
		if op.Delete {
			err = g.data.Delete(key)
		} else {
			err = g.data.Put(key, appendValue(nil, rev, op.Value))
		}
		if err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// trim drops up to steps of the oldest log records that are not to be kept, and reports whether there are more.
func (g *groupTx) trim(keep kv.Revision, keepBytes int64, steps int) (more bool, err error) {
	floor := max(g.state.compacted, (g.state.revision-keep)/trimStep*trimStep) // not one by one: each costs a page
	c := g.log.Cursor()
	var drop [][]byte
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		rev := keyRevision(k)
		if rev > floor && g.state.logBytes <= keepBytes {
			break
		}
		if more = len(drop) == steps; more {
			break
		}
		drop = append(drop, bytes.Clone(k))
		g.state.logBytes -= int64(len(raw))
		g.state.compacted = max(g.state.compacted, rev)
	}
	for _, k := range drop {
		if err := g.log.Delete(k); err != nil {
			return false, err
		}
	}
	return more, nil
}
