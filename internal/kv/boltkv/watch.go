// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.etcd.io/bbolt"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

const (
	tailRecords = 4096    // kept in memory for the watches, at most
	tailBytes   = 4 << 20 // in them, at most, except that the last one is always kept
	readRecords = 256     // that a watch takes at once
	readBytes   = 1 << 20 // in them, about
)

// A record is what the log says about one revision. raw is immutable.
type record struct {
	revision kv.Revision
	raw      []byte
}

// A tail is the end of the log, in memory: consecutive revisions, the last of which is the latest.
type tail struct {
	records []record
	bytes   int
}

func (t *tail) add(r record) {
	t.records = append(t.records, r)
	t.bytes += len(r.raw)
	for len(t.records) > tailRecords || t.bytes > tailBytes && len(t.records) > 1 {
		t.bytes -= len(t.records[0].raw)
		t.records[0] = record{}
		t.records = t.records[1:]
	}
}

// after returns some of the records after rev, in order, or nil if the tail begins later.
func (t *tail) after(rev kv.Revision) []record {
	if len(t.records) == 0 || rev+1 < t.records[0].revision {
		return nil
	}
	from := int(rev + 1 - t.records[0].revision)
	return append([]record(nil), t.records[from:min(from+readRecords, len(t.records))]...)
}

// Watch reads what happened lately from memory and what is older from the file, so that a watch that is slow costs
// nothing but its reading.
func (d *DB) Watch(ctx context.Context, start, end string, after kv.Revision) iter.Seq2[kv.Batch, error] {
	return func(yield func(kv.Batch, error) bool) {
		w := &watch{db: d, start: start, end: end, at: max(after, 1), yield: yield}
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
	yield      func(kv.Batch, error) bool
}

func (w *watch) run(ctx context.Context) error {
	if err := kv.CheckRange(w.start, w.end); err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	ticker := time.NewTicker(kv.ProgressInterval)
	defer ticker.Stop()
	for progress := true; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		records, changed, err := w.next(ctx)
		if err != nil {
			return err
		}
		if err := w.deliver(records); err != nil {
			return err
		}
		if len(records) > 0 {
			continue
		}
		if progress && !w.yield(kv.Batch{Revision: w.at}, nil) {
			return errStopped
		}
		progress = false
		select {
		case <-changed:
		case <-ticker.C:
			progress = true
		case <-ctx.Done():
		}
	}
}

// check returns whether the watch can begin.
func (w *watch) check() error {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	switch st := w.db.state; {
	case w.db.stop != nil:
		return w.db.stop
	case w.at > st.revision:
		return fmt.Errorf("boltkv: watch after %d, latest is %d: %w", w.at, st.revision, kv.ErrFuture)
	case w.at < st.compacted:
		return fmt.Errorf("boltkv: watch after %d, earliest is %d: %w", w.at, st.compacted, kv.ErrCompacted)
	}
	return nil
}

// next returns some records that follow, or none and a channel that is closed when there may be more.
func (w *watch) next(ctx context.Context) ([]record, <-chan struct{}, error) {
	w.db.mu.Lock()
	if w.db.stop != nil {
		defer w.db.mu.Unlock()
		return nil, nil, w.db.stop
	}
	latest, changed := w.db.state.revision, w.db.changed
	records := w.db.tail.after(w.at)
	w.db.mu.Unlock()
	if w.at >= latest || records != nil {
		return records, changed, nil
	}
	records, err := w.readLog(ctx)
	return records, changed, err
}

// readLog returns some of the records that follow, from the file.
func (w *watch) readLog(ctx context.Context) (records []record, err error) {
	err = w.db.view(func(tx *bbolt.Tx) error {
		st, err := loadState(tx)
		if err != nil {
			return err
		}
		if w.at < st.compacted {
			return fmt.Errorf("watch at %d fell behind, earliest is %d: %w", w.at, st.compacted, kv.ErrCompacted)
		}
		size := 0
		c := tx.Bucket(bucketLog).Cursor()
		for k, raw := c.Seek(revisionKey(w.at + 1)); k != nil; k, raw = c.Next() {
			if len(records) == readRecords || size > readBytes {
				break
			}
			records = append(records, record{revision: keyRevision(k), raw: bytes.Clone(raw)})
			size += len(raw)
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("boltkv: %w", err)
	}
	return records, nil
}

// deliver yields what records did in the range of the watch.
func (w *watch) deliver(records []record) error {
	for _, r := range records {
		if r.revision != w.at+1 {
			return fmt.Errorf("boltkv: watch: revision %d follows %d: %w", r.revision, w.at, errRecord)
		}
		evs, err := events(r.raw, w.start, w.end)
		if err != nil {
			return fmt.Errorf("boltkv: watch: revision %d: %w", r.revision, err)
		}
		w.at = r.revision
		if len(evs) > 0 && !w.yield(kv.Batch{Revision: r.revision, Events: evs}, nil) {
			return errStopped
		}
	}
	return nil
}
