// SPDX-License-Identifier: Apache-2.0

package memkv

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// maxBatches is how many batches a watch takes at once.
const maxBatches = 256

// Watch yields from the revisions that are kept: a watch that falls further
// behind than that ends with ErrCompacted.
func (d *DB) Watch(ctx context.Context, start, end string, after kv.Revision) iter.Seq2[kv.Batch, error] {
	return d.watch(ctx, start, end, after, func() (kv.Revision, time.Duration) { return d.latestLocked(), 0 })
}

// watch yields what happened up to the revision that reach returns, and looks
// again after the duration that it returns, unless that is 0. reach is called
// with the lock held.
func (d *DB) watch(ctx context.Context, start, end string, after kv.Revision, reach func() (kv.Revision, time.Duration)) iter.Seq2[kv.Batch, error] {
	return func(yield func(kv.Batch, error) bool) {
		w := &watch{db: d, start: start, end: end, at: max(after, 1), reach: reach, yield: yield}
		if err := w.run(ctx); err != nil && !errors.Is(err, errStopped) {
			yield(kv.Batch{}, err)
		}
	}
}

var errStopped = errors.New("the reader of the watch has stopped")

type watch struct {
	db         *DB
	start, end string
	at         kv.Revision // everything up to it was yielded; a new store is at 1
	reach      func() (kv.Revision, time.Duration)
	yield      func(kv.Batch, error) bool
}

// A pause is what a watch that has yielded everything waits for.
type pause struct {
	changed, moved <-chan struct{}
	more           time.Duration // until there is more to yield; 0: nobody knows
}

func (w *watch) run(ctx context.Context) error {
	if err := kv.CheckRange(w.start, w.end); err != nil {
		return err
	}
	ticker := time.NewTicker(kv.ProgressInterval)
	defer ticker.Stop()
	for progress := true; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		batches, p, err := w.next()
		if err != nil {
			return err
		}
		for _, b := range batches {
			if len(b.Events) > 0 && !w.yield(b, nil) {
				return errStopped
			}
			w.at = b.Revision
		}
		if len(batches) > 0 {
			continue
		}
		if progress && !w.yield(kv.Batch{Revision: w.at}, nil) {
			return errStopped
		}
		progress = p.wait(ctx, ticker.C)
	}
}

// wait returns when there may be more to do, and reports whether it is time to
// tell of progress.
func (p *pause) wait(ctx context.Context, tick <-chan time.Time) bool {
	var due <-chan time.Time
	if p.more > 0 {
		timer := time.NewTimer(p.more)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-p.changed:
	case <-p.moved:
	case <-due:
	case <-ctx.Done():
	case <-tick:
		return true
	}
	return false
}

// next returns some batches that follow, or none and what to wait for.
func (w *watch) next() ([]kv.Batch, pause, error) {
	d := w.db
	moved := d.clock.Moved() // before the clock is read
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, pause{}, errClosed
	}
	latest, more := w.reach()
	if _, err := d.versionLocked(w.at, latest); err != nil {
		return nil, pause{}, err
	}
	first := d.versions[0].revision
	var batches []kv.Batch
	for rev := w.at + 1; rev <= latest && len(batches) < maxBatches; rev++ {
		v := &d.versions[rev-first]
		batches = append(batches, kv.Batch{Revision: rev, Events: w.within(v.events)})
	}
	return batches, pause{d.changed, moved, more}, nil
}

// within returns the events in the range of the watch.
func (w *watch) within(events []kv.Event) []kv.Event {
	var out []kv.Event
	for _, e := range events {
		if e.Key >= w.start && (w.end == "" || e.Key < w.end) {
			out = append(out, e)
		}
	}
	return out
}
