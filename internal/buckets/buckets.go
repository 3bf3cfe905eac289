// SPDX-License-Identifier: Apache-2.0

// Package buckets keeps who owns a bucket, its policy and what blocks public access to it.
//
// What is in a bucket is a store's behind the gateway; this package never touches
// that. A bucket is a row of its owner's annex store.AnnexBucket under the bucket's
// name, written together with the directory row that makes the name the owner's
// among all accounts. The annex store.AnnexS3 has one row, block, with what the
// account blocks for all its buckets.
//
// The buckets of an account that is closed stay; their policies deny everything
// (quirk Q139).
package buckets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/principal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Bucket is who owns a bucket and what its owner has set. It is shared and must
// not be modified.
type Bucket struct {
	Name    string
	Account string // owner
	Region  string
	Created time.Time // or adopted
	Adopted bool      // it was there before it had an owner

	Policy   *store.Document // nil: none
	Block    Block           // in force: what the bucket blocks or its account does
	OwnBlock *Block          // what the bucket blocks; nil: not set

	public func() bool
	closed bool // the account is
}

// Block is what a public access block blocks (S3 User Guide, "Blocking public
// access to your Amazon S3 storage").
type Block struct {
	BlockPublicAcls       bool `json:"acls,omitempty"`
	IgnorePublicAcls      bool `json:"ignore,omitempty"`
	BlockPublicPolicy     bool `json:"policy,omitempty"`
	RestrictPublicBuckets bool `json:"restrict,omitempty"`
}

// everything is what new buckets block (S3 User Guide, "Default settings for new
// S3 buckets FAQ": since April 2023).
var everything = Block{true, true, true, true}

// or returns what either blocks.
func (b Block) or(c Block) Block {
	return Block{
		b.BlockPublicAcls || c.BlockPublicAcls, b.IgnorePublicAcls || c.IgnorePublicAcls,
		b.BlockPublicPolicy || c.BlockPublicPolicy, b.RestrictPublicBuckets || c.RestrictPublicBuckets,
	}
}

// errClosed is why the policy of a bucket whose owner is closed denies.
var errClosed = errors.New("buckets: the account that owns the bucket is closed")

// Compiled returns the policy compiled as policy.Resource; nil if there is none.
// That of a bucket whose owner is closed denies everything.
func (b *Bucket) Compiled() *policy.Policy {
	switch {
	case b.closed:
		return policy.Broken(arnOf(b.Name), errClosed)
	case b.Policy == nil:
		return nil
	}
	return b.Policy.Compiled(policy.Resource)
}

// Public reports whether the policy makes the bucket public, as
// GetBucketPolicyStatus says it.
func (b *Bucket) Public() bool { return b.public() }

// Restricted reports whether the policy is public and RestrictPublicBuckets is in
// force: then only the owner's principals and services of AWS may get in, whoever
// else the policy lets in.
func (b *Bucket) Restricted() bool { return b.Block.RestrictPublicBuckets && b.Public() }

// Closed reports whether the account that owns the bucket is closed.
func (b *Bucket) Closed() bool { return b.closed }

func arnOf(name string) string { return "arn:aws:s3:::" + name }

// A record is the row of a bucket.
type record struct {
	Region  string          `json:"region,omitempty"`
	Created time.Time       `json:"created"`
	Adopted bool            `json:"adopted,omitempty"`
	Policy  *store.Document `json:"bucketPolicy,omitempty"`
	Block   *Block          `json:"block,omitempty"`
}

const keyBlock = "block"

// A Registry is the buckets of a store. It is safe for concurrent use.
type Registry struct {
	store *store.Store
	now   func() time.Time
}

// New returns the Registry of a store.
func New(s *store.Store) *Registry { return &Registry{store: s, now: time.Now} }

// Get returns a bucket, from memory once its account is loaded. The error wraps
// store.ErrNotFound, or store.ErrFormat for what this version cannot read.
func (r *Registry) Get(ctx context.Context, name string) (*Bucket, error) {
	account, err := r.store.BucketOwner(name)
	if err != nil {
		return nil, err
	}
	v, err := r.store.View(ctx, account)
	if err != nil {
		return nil, err
	}
	return of(v, name)
}

// List returns the buckets of an account, in the order of names. The caller owns
// the slice.
func (r *Registry) List(ctx context.Context, account string) ([]*Bucket, error) {
	v, err := r.store.View(ctx, account)
	if err != nil {
		return nil, err
	}
	annex := v.Annex(store.AnnexBucket)
	list := make([]*Bucket, 0, annex.Len())
	for row := range annex.Rows() {
		b, err := of(v, row.Key)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

// Text returns the bucket's policy as GetBucketPolicy shows it: as it was set, except
// that a principal that is gone appears as its unique id. It is "" without one.
func (r *Registry) Text(ctx context.Context, b *Bucket) string {
	if b.Policy == nil {
		return ""
	}
	return principal.Show(ctx, r.store, b.Policy)
}

// AccountBlock returns what an account blocks for all its buckets; nil if that is
// not set.
func (r *Registry) AccountBlock(ctx context.Context, account string) (*Block, error) {
	v, err := r.store.View(ctx, account)
	if err != nil {
		return nil, err
	}
	block, _, err := accountBlock(v)
	return block, err
}

func accountBlock(v *store.View) (*Block, annex.Row, error) {
	row, ok := v.Annex(store.AnnexS3).Row(keyBlock)
	if !ok {
		return nil, row, nil
	}
	block := new(Block)
	if err := json.Unmarshal(row.Value, block); err != nil {
		return nil, row, fmt.Errorf("buckets: public access block of account %s: %w: %w", v.Account().ID, store.ErrFormat, err)
	}
	return block, row, nil
}

// shelf is the buckets of an account that were read, for all its annexes: a bucket
// is of one row, and of one row of what the account blocks.
type shelf struct {
	buckets sync.Map // name → *reading
	n       atomic.Int64
}

type reading struct {
	row, block kv.Revision // of the rows
	bucket     *Bucket
}

// of returns a bucket of the view's account.
func of(v *store.View, name string) (*Bucket, error) {
	annex := v.Annex(store.AnnexBucket)
	row, ok := annex.Row(name)
	if !ok {
		return nil, &store.NotFoundError{Kind: store.KindBucket, Name: name}
	}
	blockRow, _ := v.Annex(store.AnnexS3).Row(keyBlock)
	s := annex.Derive(func(before any) any {
		// Buckets that are gone stay on a shelf until it has twice as many as there are.
		if s, ok := before.(*shelf); ok && s.n.Load() <= 2*int64(annex.Len())+16 {
			return s
		}
		return new(shelf)
	}).(*shelf)
	if x, ok := s.buckets.Load(name); ok {
		if x := x.(*reading); x.row == row.Revision && x.block == blockRow.Revision {
			return x.bucket.seen(v), nil
		}
	}
	return s.read(v, row)
}

// read reads a bucket's row and puts it on the shelf.
func (s *shelf) read(v *store.View, row annex.Row) (*Bucket, error) {
	block, blockRow, err := accountBlock(v)
	if err != nil {
		return nil, err
	}
	var rec record
	if err := json.Unmarshal(row.Value, &rec); err != nil {
		return nil, fmt.Errorf("bucket %s: %w: %w", row.Key, store.ErrFormat, err)
	}
	var old *store.Document
	if x, ok := s.buckets.Load(row.Key); ok {
		old = x.(*reading).bucket.Policy
	}
	b := rec.bucket(row.Key, v.Account().ID, old)
	if block != nil {
		b.Block = b.Block.or(*block)
	}
	if _, was := s.buckets.Swap(row.Key, &reading{row.Revision, blockRow.Revision, b}); !was {
		s.n.Add(1)
	}
	return b.seen(v), nil
}

// bucket returns what the record says. old is what the policy may be the same as,
// or nil: it may be compiled already.
func (rec *record) bucket(name, account string, old *store.Document) *Bucket {
	b := &Bucket{
		Name: name, Account: account, Region: rec.Region, Created: rec.Created, Adopted: rec.Adopted, OwnBlock: rec.Block,
		public: func() bool { return false },
	}
	if rec.Block != nil {
		b.Block = *rec.Block
	}
	if rec.Policy != nil {
		b.Policy = store.NewBound(arnOf(name), rec.Policy.Text(), rec.Policy.Bound())
		if old != nil && old.Text() == b.Policy.Text() && maps.Equal(old.Bound(), b.Policy.Bound()) {
			b.Policy = old
		}
		b.public = sync.OnceValue(func() bool { return isPublic(b.Policy) })
	}
	return b
}

// seen returns the bucket as the view has its account.
func (b *Bucket) seen(v *store.View) *Bucket {
	if !v.Account().Closed() {
		return b
	}
	c := *b
	c.closed = true
	return &c
}
