// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
)

// claim and release make the account the owner of a bucket, and no longer.
func claim(t testing.TB, name string) func(*Tx) error {
	return func(tx *Tx) error {
		tx.PutAnnexed(AnnexBucket, name, []byte("{}"))
		return tx.ClaimBucket(t.Context(), name)
	}
}

func release(t testing.TB, name string) func(*Tx) error {
	return func(tx *Tx) error {
		tx.DeleteAnnexed(AnnexBucket, name)
		return tx.ReleaseBucket(t.Context(), name)
	}
}

func TestABucketHasOneOwner(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	if _, err := s.BucketOwner("photos"); !errors.Is(err, ErrNotFound) {
		t.Errorf("BucketOwner of none = %v, want %v", err, ErrNotFound)
	}
	update(t, s, claim(t, "photos"))
	if owner, err := s.BucketOwner("photos"); owner != alpha || err != nil {
		t.Errorf("BucketOwner = %q, %v, want %s", owner, err, alpha)
	}
	for _, account := range []string{alpha, beta} {
		if err := s.Update(ctx, account, claim(t, "photos")); !errors.Is(err, ErrExists) {
			t.Errorf("%s claims it again: %v, want %v", account, err, ErrExists)
		}
	}
	if err := s.Update(ctx, beta, release(t, "photos")); !errors.Is(err, ErrNotFound) {
		t.Errorf("another account releases it: %v, want %v", err, ErrNotFound)
	}
	if n := view(t, s, beta).Annex(AnnexBucket).Len(); n != 0 {
		t.Errorf("the other account has %d rows of buckets, want none", n)
	}
	update(t, s, release(t, "photos"))
	if err := s.Update(ctx, beta, claim(t, "photos")); err != nil {
		t.Errorf("claiming what was released: %v", err)
	}
	for _, name := range []string{"", "ab", "a/b", "a\x00bc", "a bc", "bücher", strings.Repeat("a", 256)} {
		if err := s.Update(ctx, alpha, claim(t, name)); !errors.Is(err, ErrInvalid) {
			t.Errorf("ClaimBucket(%q) = %v, want %v", name, err, ErrInvalid)
		}
	}
}

func TestBucketsAreListedInOrder(t *testing.T) {
	s, _ := newStore(t)
	for _, name := range []string{"ccc", "aaa", "bbb"} {
		update(t, s, claim(t, name))
	}
	for after, want := range map[string]string{"": "aaa bbb ccc", "aaa": "bbb ccc", "aab": "bbb ccc", "ccc": ""} {
		var got []string
		for name, owner := range s.Buckets(after) {
			got = append(got, name)
			if owner != alpha {
				t.Errorf("%s is %s's, want %s", name, owner, alpha)
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("Buckets(%q) = %s, want %s", after, got, want)
		}
	}
}

// TestOwnersAgreeWithRows: whatever claims and releases race on two nodes, an
// account is the owner of a bucket just when it has the row.
func TestOwnersAgreeWithRows(t *testing.T) {
	s, x := newStore(t)
	nodes := []*Store{s, x.node(t)}
	accounts := []string{alpha, beta}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 25 {
				name := fmt.Sprintf("bucket-%d", (n+i)%3)
				if nodes[i%2].Update(t.Context(), accounts[i/2], claim(t, name)) == nil {
					continue
				}
				err := nodes[i%2].Update(t.Context(), accounts[i/2], release(t, name))
				if err != nil && !errors.Is(err, ErrNotFound) {
					t.Errorf("releasing: %v", err)
				}
			}
		})
	}
	all.Wait()
	eventually(t, "the nodes agree", func() bool { return nodes[0].Revision() == nodes[1].Revision() })
	for _, s := range nodes {
		rows := make(map[string]string)
		for _, account := range accounts {
			for row := range view(t, s, account).Annex(AnnexBucket).Rows() {
				rows[row.Key] += account
			}
		}
		if owners := maps.Collect(s.Buckets("")); !maps.Equal(owners, rows) {
			t.Errorf("owners %v, rows %v", owners, rows)
		}
	}
}

func TestOwnersAfterACompactedWatchAndAReopening(t *testing.T) {
	s, x := newStore(t)
	line := &frail{DB: x.db}
	other := x.node(t, func(o *Options) { o.DB = line })
	update(t, s, claim(t, "old"))
	eventually(t, "the node sees old", func() bool { _, err := other.BucketOwner("old"); return err == nil })
	line.set(true)
	update(t, s, release(t, "old"))
	update(t, s, claim(t, "new"))
	if err := x.db.Compact(t.Context(), s.Revision()); err != nil {
		t.Fatal(err)
	}
	line.set(false)
	eventually(t, "the node is at the latest revision", func() bool { return other.Revision() >= s.Revision() })
	want := map[string]string{"new": alpha}
	for name, node := range map[string]*Store{"reloaded": other, "reopened": x.node(t)} {
		if got := maps.Collect(node.Buckets("")); !maps.Equal(got, want) {
			t.Errorf("%s: Buckets = %v, want %v", name, got, want)
		}
	}
}

func BenchmarkBucketOwner(b *testing.B) {
	s, _ := newStore(b)
	const n = 300
	for i := range n {
		update(b, s, claim(b, fmt.Sprintf("bucket-%d", i)))
	}
	b.Run(fmt.Sprintf("buckets=%d", n), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.BucketOwner("bucket-150"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
