// SPDX-License-Identifier: Apache-2.0

// Package annex is the rows that other packages than the store keep in an account, and what they make of them.
package annex

import (
	"iter"
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A Table is the rows that a package keeps in an account, at one revision. Once a
// view has it, it is immutable, complete, and safe for concurrent use. A view of
// the account has the same Table as the one before unless one of its rows changed.
type Table struct {
	rows *btree.Map[string, Row]

	done    atomic.Bool // derived is of this table, and else of the last one before that it is of
	mu      sync.Mutex  // guards derived until done
	derived any
}

// A Row is a row of a Table. Rows of one key with the same Revision are the same.
type Row struct {
	Key      string
	Value    []byte // JSON; shared, not to be modified
	Revision kv.Revision
}

// New returns an empty table.
func New() *Table { return &Table{rows: new(btree.Map[string, Row])} }

// Len returns the number of rows.
func (t *Table) Len() int { return t.rows.Len() }

// Row returns the row of a key.
func (t *Table) Row(key string) (Row, bool) { return t.rows.Get(key) }

// Rows lists the rows in the order of their keys.
func (t *Table) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		t.rows.Scan(func(_ string, r Row) bool { return yield(r) })
	}
}

// Derive returns what build makes of the rows, which is kept: build is called once
// for a Table. before is what was derived from an earlier Table of the account, or
// nil, for what can be used again.
func (t *Table) Derive(build func(before any) any) any {
	if t.done.Load() {
		return t.derived
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		t.derived = build(t.derived)
		t.done.Store(true)
	}
	return t.derived
}

// Copy returns a table to be changed. What follows is for its only owner.
func (t *Table) Copy() *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &Table{rows: t.rows.Copy(), derived: t.derived}
}

// Set puts a row in the place of the one of its key.
func (t *Table) Set(r Row) { t.rows.Set(r.Key, r) }

// Delete takes the row of a key away, if there is one.
func (t *Table) Delete(key string) { t.rows.Delete(key) }
