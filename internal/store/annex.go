// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"fmt"
	"iter"
	"sync"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// An Annex is the rows that another package keeps in an account, at one revision:
// immutable, complete, and safe for concurrent use. The store carries their
// values and does not know what they say. A view of the account has the same
// Annex as the one before unless one of its rows changed.
type Annex struct {
	rows *btree.Map[string, annexed]

	mu      sync.Mutex // guards below
	done    bool       // derived is of this annex, and else of the last one before that it is of
	derived any
}

// An annexed is one row.
type annexed struct {
	value []byte // JSON
	mod   kv.Revision
}

// An AnnexOf names whose rows an Annex has: each owner has its own.
type AnnexOf int

// The owners of annexes.
const (
	AnnexOrganization AnnexOf = iota // package orgs
	AnnexDelegation                  // requests for delegated permissions
	AnnexIssuer                      // the account as an issuer of web identity tokens
	AnnexReport                      // jobs and reports
	AnnexLearning                    // package learning
	AnnexIAM                         // package iamapi
	AnnexBucket                      // package buckets: a row for each bucket
	AnnexS3                          // package buckets: what holds for all of them
	owners
)

var annexDirs = [owners]string{"org/", "delegation/", "issuer/", "report/", "learn/", "iam/", "bucket/", "s3/"}

// noAnnex is what accounts have in which nobody keeps anything.
var noAnnex = &Annex{rows: new(btree.Map[string, annexed])}

func noAnnexes() (a [owners]*Annex) {
	for of := range a {
		a[of] = noAnnex
	}
	return a
}

// Annex returns what another package keeps in the account.
func (v *View) Annex(of AnnexOf) *Annex { return v.s.annex[of] }

// Len returns the number of rows.
func (a *Annex) Len() int { return a.rows.Len() }

// Row returns the row of a key.
func (a *Annex) Row(key string) (Row, bool) {
	r, ok := a.rows.Get(key)
	return Row{key, r.value, r.mod}, ok
}

// A Row is a row of an Annex. Rows of one key with the same Revision are the same.
type Row struct {
	Key      string
	Value    []byte // JSON; shared, not to be modified
	Revision kv.Revision
}

// Rows lists the rows in the order of their keys.
func (a *Annex) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		a.rows.Scan(func(key string, r annexed) bool { return yield(Row{key, r.value, r.mod}) })
	}
}

// Derive returns what build makes of the rows, which is kept: build is called once
// for an Annex. before is what was derived from an earlier Annex of the account,
// or nil, for what can be used again.
func (a *Annex) Derive(build func(before any) any) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.done {
		a.derived, a.done = build(a.derived), true
	}
	return a.derived
}

// copy returns an Annex to be changed.
func (a *Annex) copy() *Annex {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &Annex{rows: a.rows.Copy(), derived: a.derived}
}

// applyAnnex makes one change of one of the account's annexes. Views may have the present
// one.
func (s *state) applyAnnex(of AnnexOf, rev kv.Revision, e kv.Event, key string) error {
	if s.annex[of] == noAnnex || s.annexShared[of] {
		s.annex[of], s.annexShared[of] = s.annex[of].copy(), false
	}
	if e.Deleted {
		s.annex[of].rows.Delete(key)
		return nil
	}
	if len(e.Value) == 0 || e.Value[0] != format {
		return fmt.Errorf("format %.1q, want %q: %w", e.Value, format, ErrFormat)
	}
	s.annex[of].rows.Set(key, annexed{e.Value[1:], rev})
	return nil
}

// PutAnnexed stores a row of one of the account's annexes, whose value is JSON. Like
// every row that the transaction reads, what is replaced is compared when it commits.
func (tx *Tx) PutAnnexed(of AnnexOf, key string, value []byte) {
	s := tx.annexed(of, key)
	s.now, s.put = new(annexed{value: bytes.Clone(value)}), true
}

// DeleteAnnexed deletes a row of one of the account's annexes; one that is absent
// stays so.
func (tx *Tx) DeleteAnnexed(of AnnexOf, key string) {
	s := tx.annexed(of, key)
	s.now, s.put = nil, true
}

func (tx *Tx) annexed(of AnnexOf, key string) *slot[annexed] {
	at := annexDirs[of] + key
	s, ok := tx.annex[at]
	if !ok {
		s = new(slot[annexed])
		if r, ok := tx.view.s.annex[of].rows.Get(key); ok {
			s.old, s.mod, s.now = &r, r.mod, &r
		}
		if tx.annex == nil {
			tx.annex = make(map[string]*slot[annexed])
		}
		tx.annex[at] = s
	}
	return s
}

// addAnnex appends the rows of the annexes to a transaction.
func (tx *Tx) addAnnex(t *kv.Txn, account string) error {
	for key, s := range tx.annex {
		key = contents(account) + key
		t.If = append(t.If, kv.Compare{Key: key, Modified: s.mod})
		switch {
		case s.now == nil && s.old != nil:
			t.Then = append(t.Then, kv.Op{Key: key, Delete: true})
		case s.now != nil:
			if len(s.now.value) >= quota.MaxRecord {
				return &LimitError{Quota: quota.RecordSize, Limit: quota.MaxRecord}
			}
			t.Then = append(t.Then, kv.Op{Key: key, Value: append([]byte{format}, s.now.value...)})
		}
	}
	return nil
}
