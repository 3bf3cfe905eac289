// SPDX-License-Identifier: Apache-2.0

package buckets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// ErrPublic says that a policy would make the bucket public while
// BlockPublicPolicy is in force.
var ErrPublic = errors.New("buckets: public policies are blocked by the BlockPublicPolicy setting")

// Create makes an account the owner of a new bucket, which blocks all public
// access. The error is a *store.ExistsError if the bucket has an owner, though it
// be this account; a *store.LimitError; or wraps store.ErrInvalid for a name that
// S3 does not take, or store.ErrNotFound if there is no such account.
func (r *Registry) Create(ctx context.Context, account, name, region string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return r.claim(ctx, account, name, record{Region: region})
}

// Adopt makes an account the owner of a bucket that exists already. It is Create,
// but the name may be one that S3 took until 2018: with capital letters and "_", up
// to 255 characters.
func (r *Registry) Adopt(ctx context.Context, account, name, region string) error {
	return r.claim(ctx, account, name, record{Region: region, Adopted: true})
}

func (r *Registry) claim(ctx context.Context, account, name string, rec record) error {
	rec.Created, rec.Block = r.now().UTC().Truncate(time.Second), new(everything)
	return r.store.Update(ctx, account, func(tx *store.Tx) error {
		if err := tx.ClaimBucket(ctx, name); err != nil {
			return err
		}
		return put(tx, name, &rec)
	})
}

// Delete takes the bucket's owner away, and its policy with that. The error wraps
// store.ErrNotFound if the owner is another one by now.
func (r *Registry) Delete(ctx context.Context, b *Bucket) error {
	return r.store.Update(ctx, b.Account, func(tx *store.Tx) error {
		if err := tx.ReleaseBucket(ctx, b.Name); err != nil {
			return err
		}
		tx.DeleteAnnexed(store.AnnexBucket, b.Name)
		return nil
	})
}

// SetPolicy replaces the bucket's policy. The error is a *PolicyError for a text
// that is no bucket policy, ErrPublic, or wraps store.ErrNotFound if the bucket is
// gone or another account's by now.
func (r *Registry) SetPolicy(ctx context.Context, b *Bucket, text string) error {
	doc, err := r.check(ctx, b.Name, text)
	if err != nil {
		return err
	}
	public := isPublic(doc)
	return r.update(ctx, b, func(v *store.View, rec *record) error {
		block, _, err := accountBlock(v)
		if err != nil {
			return err
		}
		if public && (rec.Block != nil && rec.Block.BlockPublicPolicy || block != nil && block.BlockPublicPolicy) {
			return ErrPublic
		}
		rec.Policy = doc
		return nil
	})
}

// DeletePolicy takes the bucket's policy away, if it has one. The error wraps
// store.ErrNotFound if the bucket is gone or another account's by now.
func (r *Registry) DeletePolicy(ctx context.Context, b *Bucket) error {
	return r.update(ctx, b, func(_ *store.View, rec *record) error { rec.Policy = nil; return nil })
}

// SetBlock replaces what the bucket blocks. It errs as DeletePolicy does.
func (r *Registry) SetBlock(ctx context.Context, b *Bucket, block Block) error {
	return r.update(ctx, b, func(_ *store.View, rec *record) error { rec.Block = &block; return nil })
}

// DeleteBlock makes the bucket block nothing but what its account does. It errs as
// DeletePolicy does.
func (r *Registry) DeleteBlock(ctx context.Context, b *Bucket) error {
	return r.update(ctx, b, func(_ *store.View, rec *record) error { rec.Block = nil; return nil })
}

// SetAccountBlock replaces what an account blocks for all its buckets.
func (r *Registry) SetAccountBlock(ctx context.Context, account string, block Block) error {
	value, err := json.Marshal(block)
	if err != nil {
		return err
	}
	return r.store.Update(ctx, account, func(tx *store.Tx) error {
		tx.PutAnnexed(store.AnnexS3, keyBlock, value)
		return nil
	})
}

// DeleteAccountBlock makes an account block nothing but what its buckets do.
func (r *Registry) DeleteAccountBlock(ctx context.Context, account string) error {
	return r.store.Update(ctx, account, func(tx *store.Tx) error {
		tx.DeleteAnnexed(store.AnnexS3, keyBlock)
		return nil
	})
}

// update changes the record of a bucket that is still b's owner's.
func (r *Registry) update(ctx context.Context, b *Bucket, change func(*store.View, *record) error) error {
	return r.store.Update(ctx, b.Account, func(tx *store.Tx) error {
		row, ok := tx.View().Annex(store.AnnexBucket).Row(b.Name)
		if !ok {
			return &store.NotFoundError{Kind: store.KindBucket, Name: b.Name}
		}
		var rec record
		if err := json.Unmarshal(row.Value, &rec); err != nil {
			return fmt.Errorf("bucket %s: %w: %w", b.Name, store.ErrFormat, err)
		}
		if err := change(tx.View(), &rec); err != nil {
			return err
		}
		return put(tx, b.Name, &rec)
	})
}

func put(tx *store.Tx, name string, rec *record) error {
	value, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	tx.PutAnnexed(store.AnnexBucket, name, value)
	return nil
}

// Beginnings and endings of names that S3 keeps for itself.
var (
	keptPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	keptSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

// checkName refuses what is no name of a new bucket (S3 User Guide, "General
// purpose bucket naming rules"). The error wraps store.ErrInvalid.
func checkName(name string) error {
	alnum := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
	_, notIP := netip.ParseAddr(name)
	ok := len(name) >= 3 && len(name) <= 63 && alnum(name[0]) && alnum(name[len(name)-1]) &&
		!strings.Contains(name, "..") && notIP != nil &&
		!strings.ContainsFunc(name, func(c rune) bool { return c > 'z' || !alnum(byte(c)) && c != '.' && c != '-' }) &&
		!slices.ContainsFunc(keptPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) &&
		!slices.ContainsFunc(keptSuffixes, func(s string) bool { return strings.HasSuffix(name, s) })
	if !ok {
		return fmt.Errorf("bucket name %.70q: %w", name, store.ErrInvalid)
	}
	return nil
}
