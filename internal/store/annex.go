// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"fmt"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// An AnnexOf names the package that keeps rows in an account: each has its own table.
// The store carries their values and does not know what they say.
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
var noAnnex = annex.New()

func noAnnexes() (a [owners]*annex.Table) {
	for of := range a {
		a[of] = noAnnex
	}
	return a
}

// Annex returns what another package keeps in the account.
func (v *View) Annex(of AnnexOf) *annex.Table { return v.s.annex[of] }

// applyAnnex makes one change of one of the account's annexes. Views may have the present
// one.
func (s *state) applyAnnex(of AnnexOf, rev kv.Revision, e kv.Event, key string) error {
	if s.annex[of] == noAnnex || s.annexShared[of] {
		s.annex[of], s.annexShared[of] = s.annex[of].Copy(), false
	}
	if e.Deleted {
		s.annex[of].Delete(key)
		return nil
	}
	if len(e.Value) == 0 || e.Value[0] != format {
		return fmt.Errorf("format %.1q, want %q: %w", e.Value, format, ErrFormat)
	}
	s.annex[of].Set(annex.Row{Key: key, Value: e.Value[1:], Revision: rev})
	return nil
}

// PutAnnexed stores a row of one of the account's annexes, whose value is JSON. Like
// every row that the transaction reads, what is replaced is compared when it commits.
func (tx *Tx) PutAnnexed(of AnnexOf, key string, value []byte) {
	s := tx.annexed(of, key)
	s.now, s.put = &annex.Row{Key: key, Value: bytes.Clone(value)}, true
}

// DeleteAnnexed deletes a row of one of the account's annexes; one that is absent
// stays so.
func (tx *Tx) DeleteAnnexed(of AnnexOf, key string) {
	s := tx.annexed(of, key)
	s.now, s.put = nil, true
}

func (tx *Tx) annexed(of AnnexOf, key string) *slot[annex.Row] {
	at := annexDirs[of] + key
	s, ok := tx.annex[at]
	if !ok {
		s = new(slot[annex.Row])
		if r, ok := tx.view.s.annex[of].Row(key); ok {
			s.old, s.mod, s.now = &r, r.Revision, &r
		}
		if tx.annex == nil {
			tx.annex = make(map[string]*slot[annex.Row])
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
			if len(s.now.Value) >= quota.MaxRecord {
				return &LimitError{Quota: quota.RecordSize, Limit: quota.MaxRecord}
			}
			t.Then = append(t.Then, kv.Op{Key: key, Value: append([]byte{format}, s.now.Value...)})
		}
	}
	return nil
}
