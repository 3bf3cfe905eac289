// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// fill gives alpha n users, each with a key, two groups, an attached and an
// inline policy, and returns the id of one of the keys.
func fill(b *testing.B, s *Store, n int) (key string) {
	b.Helper()
	groups := make([]*Group, 100)
	update(b, s, createPolicy("p"))
	for i := range groups {
		groups[i] = &Group{Name: fmt.Sprint("group-", i)}
		update(b, s, func(tx *Tx) error { return tx.CreateGroup(groups[i]) })
	}
	var source ids.Source
	var t kv.Txn
	for i := range n {
		k, _ := s.NewKey(alpha)
		u := &User{
			Name: fmt.Sprintf("user-%07d", i), Path: "/staff/", ID: source.Unique(ids.User, alpha), Created: time.Now(),
			Tags:   []Tag{{"department", fmt.Sprint(i % 50)}},
			Grants: Grants{Attached: []string{alphaPolicy("p")}, Inline: []Inline{{"own", doc()}}},
			Groups: []string{groups[i%100].ID, groups[(i+7)%100].ID}, Keys: []AccessKey{k},
		}
		value, err := encode(u)
		if err != nil {
			b.Fatal(err)
		}
		t.Then = append(t.Then, kv.Op{Key: contents(alpha) + dirUser + lower(u.Name), Value: value})
		if len(t.Then) == kv.MaxOps || i == n-1 {
			if _, err := s.db.Commit(b.Context(), t); err != nil {
				b.Fatal(err)
			}
			t.Then = t.Then[:0]
		}
		if i == n/2 {
			key = k.ID
		}
	}
	return key
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint("users=", n), func(b *testing.B) {
			s, x := newStore(b)
			fill(b, s, n)
			s.Close()
			b.ReportAllocs()
			for b.Loop() {
				fresh := x.node(b)
				if got := view(b, fresh, alpha).Usage(quota.Users); got != n {
					b.Fatalf("%d users, want %d", got, n)
				}
				b.StopTimer()
				fresh.Close()
				b.StartTimer()
			}
		})
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint("users=", n), func(b *testing.B) {
			s, x := newStore(b)
			key := fill(b, s, n)
			s = x.node(b)
			view(b, s, alpha)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					v, err := s.View(b.Context(), alpha)
					if err != nil {
						b.Fatal(err)
					}
					if _, _, err := v.UserByKey(key); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, sync := range []bool{false, true} {
		for _, writers := range []int{1, 32} {
			b.Run(fmt.Sprintf("sync=%v/users=10000/writers=%d", sync, writers), func(b *testing.B) {
				x := newSite(b)
				db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(b.TempDir(), "data"), NoSync: !sync})
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { db.Close() })
				x.db = db
				s := x.node(b)
				if _, err := s.CreateAccount(b.Context(), Account{ID: alpha}); err != nil {
					b.Fatal(err)
				}
				fill(b, s, 10_000)
				view(b, s, alpha)
				var next atomic.Int64
				b.SetParallelism(writers)
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						i := next.Add(1)
						name := fmt.Sprintf("user-%07d", i%10_000)
						if err := s.Update(b.Context(), alpha, func(tx *Tx) error {
							u, err := tx.User(name)
							if err != nil {
								return err
							}
							u.Tags[0].Value = fmt.Sprint(i)
							return tx.PutUser(u)
						}); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
	}
}
