// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// Range reads an older revision by undoing what the log says happened after it, which takes time in proportion to the
// number of those commits.
func (d *DB) Range(ctx context.Context, start, end string, rev kv.Revision, limit int) (kv.Page, error) {
	if err := ctx.Err(); err != nil {
		return kv.Page{}, err
	}
	var page kv.Page
	err := d.view(func(tx *bbolt.Tx) error {
		st, err := loadState(tx)
		if err != nil {
			return err
		}
		r := reader{ctx: ctx, start: start, end: end, limit: limit}
		page.Revision = st.revision
		if rev > 0 {
			page.Revision = rev
		}
		switch {
		case rev > st.revision:
			return fmt.Errorf("range at %d, latest is %d: %w", rev, st.revision, kv.ErrFuture)
		case rev > 0 && rev < st.compacted:
			return fmt.Errorf("range at %d, earliest is %d: %w", rev, st.compacted, kv.ErrCompacted)
		case rev > 0 && rev < st.revision:
			if err := r.undo(tx.Bucket(bucketLog), rev); err != nil {
				return err
			}
		}
		if err := r.read(tx.Bucket(bucketData)); err != nil {
			return err
		}
		page.Entries, page.More = r.entries, r.more
		return nil
	})
	if err != nil {
		return kv.Page{}, fmt.Errorf("boltkv: %w", err)
	}
	return page, nil
}

// A reader collects the entries of one range.
type reader struct {
	ctx        context.Context
	start, end string
	limit      int

	before  map[string]kv.Entry // what changed later, as it was; Modified 0: it did not exist
	entries []kv.Entry
	more    bool
	steps   int
}

// undo fills before with the state of the range's keys that changed after rev.
func (r *reader) undo(log *bbolt.Bucket, rev kv.Revision) error {
	r.before = make(map[string]kv.Entry)
	c := log.Cursor()
	for k, record := c.Seek(revisionKey(rev + 1)); k != nil; k, record = c.Next() {
		if err := r.step(); err != nil {
			return err
		}
		for ch, err := range changes(record) {
			if err != nil {
				return err
			}
			if !within(ch.key, r.start, r.end) {
				continue
			}
			if _, ok := r.before[string(ch.key)]; !ok { // the earliest change knows how it was at rev
				r.before[string(ch.key)] = kv.Entry{
					Key: string(ch.key), Value: bytes.Clone(ch.previous), Modified: ch.modified,
				}
			}
		}
	}
	return nil
}

// read merges the data bucket with before, which wins.
func (r *reader) read(data *bbolt.Bucket) error {
	older := slices.Sorted(maps.Keys(r.before))
	c := data.Cursor()
	for k, v := c.Seek([]byte(r.start)); k != nil && within(k, r.start, r.end); k, v = c.Next() {
		if err := r.step(); err != nil {
			return err
		}
		for len(older) > 0 && older[0] < string(k) {
			if !r.add(r.before[older[0]]) {
				return nil
			}
			older = older[1:]
		}
		if len(older) > 0 && older[0] == string(k) {
			continue // taken from before in the next round
		}
		modified, value := splitValue(v)
		if !r.add(kv.Entry{Key: string(k), Value: bytes.Clone(value), Modified: modified}) {
			return nil
		}
	}
	for _, key := range older {
		if !r.add(r.before[key]) {
			return nil
		}
	}
	return nil
}

// add appends an entry, unless it stands for a key that did not exist, and reports whether there was room for it.
func (r *reader) add(e kv.Entry) bool {
	if e.Modified == 0 {
		return true
	}
	if r.limit > 0 && len(r.entries) == r.limit {
		r.more = true
		return false
	}
	r.entries = append(r.entries, e)
	return true
}

// step returns the context's error, looking now and then.
func (r *reader) step() error {
	if r.steps++; r.steps%1024 == 0 {
		return r.ctx.Err()
	}
	return nil
}
