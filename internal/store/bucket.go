// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"iter"
	"strings"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// Names of buckets are unique in all accounts. The directory says which account
// owns one; package buckets has the rest, in that account's Annex.

// BucketOwner returns the account that owns a bucket, from memory, as View does.
// The error wraps ErrNotFound if nobody does.
func (s *Store) BucketOwner(name string) (account string, err error) {
	if s.reads != nil {
		return s.reads.BucketOwner(name)
	}
	account, ok := s.buckets.Load().Get(name)
	if !ok {
		return "", notFound(KindBucket, name)
	}
	return account, nil
}

// Buckets lists the buckets of all accounts and their owners, in the order of
// names and after one, from memory.
func (s *Store) Buckets(after string) iter.Seq2[string, string] {
	if s.reads != nil {
		return s.reads.Buckets(after)
	}
	all := s.buckets.Load()
	return func(yield func(name, account string) bool) { all.Ascend(after+"\x00", yield) }
}

// ClaimBucket makes the account the owner of a bucket; the transaction must also
// put the bucket's row into AnnexBucket. The error wraps ErrExists if the bucket
// has an owner, though it be this account. That nobody else comes first is compared
// when the transaction commits. ctx is that of the Update.
func (tx *Tx) ClaimBucket(ctx context.Context, name string) error {
	if err := checkBucket(name); err != nil {
		return err
	}
	have, err := kv.Get(ctx, tx.a.s.db, dirBucket+name)
	if err != nil {
		return err
	}
	if have != nil {
		return exists(KindBucket, name)
	}
	if err := tx.create(quota.Buckets); err != nil {
		return err
	}
	tx.extra.If = append(tx.extra.If, kv.Compare{Key: dirBucket + name})
	tx.extra.Then = append(tx.extra.Then, kv.Op{Key: dirBucket + name, Value: []byte(tx.a.id)})
	return nil
}

// ReleaseBucket takes a bucket's owner away; the transaction must also delete the
// bucket's row. The error wraps ErrNotFound if that
// is not this account. ctx is that of the Update.
func (tx *Tx) ReleaseBucket(ctx context.Context, name string) error {
	have, err := kv.Get(ctx, tx.a.s.db, dirBucket+name)
	if err != nil {
		return err
	}
	if have == nil || string(have.Value) != tx.a.id {
		return notFound(KindBucket, name)
	}
	tx.extra.If = append(tx.extra.If, kv.Compare{Key: have.Key, Modified: have.Modified})
	tx.extra.Then = append(tx.extra.Then, kv.Op{Key: have.Key, Delete: true})
	return nil
}

// applyBucket follows one change of the directory of buckets. Only the goroutine
// that follows the watch calls it.
func (s *Store) applyBucket(name string, e kv.Event) {
	d := s.buckets.Load().Copy()
	if e.Deleted {
		d.Delete(name)
	} else {
		d.Set(name, string(e.Value))
	}
	s.buckets.Store(d)
}

// loadBuckets reads the directory of buckets at a revision.
func (s *Store) loadBuckets(ctx context.Context, rev kv.Revision) error {
	start, end := kv.Prefix(dirBucket)
	d := new(btree.Map[string, string])
	_, err := kv.Scan(ctx, s.db, start, end, rev, func(e kv.Entry) error {
		d.Set(strings.TrimPrefix(e.Key, dirBucket), string(e.Value))
		return nil
	})
	if err == nil {
		s.buckets.Store(d)
	}
	return err
}

// checkBucket refuses what no name of a bucket ever contained, so that no name
// can be mistaken for another part of a key (S3 User Guide, "Buckets naming
// rules": until 2018 letters of both cases, "_" and up to 255 characters).
func checkBucket(name string) error {
	ok := len(name) >= 3 && len(name) <= 255
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-", c) >= 0
	}
	if !ok {
		return invalid("bucket name %.260q", name)
	}
	return nil
}
