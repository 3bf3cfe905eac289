// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// BenchCommit measures commits of one value of 600 bytes, by one writer and by many. open returns a new, empty store.
func BenchCommit(b *testing.B, open func(*testing.B) kv.DB) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db := open(b)
			value := make([]byte, 600)
			var left atomic.Int64
			left.Store(int64(b.N))
			var work sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for w := range writers {
				work.Go(func() {
					for n := left.Add(-1); n >= 0; n = left.Add(-1) {
						op := kv.Op{Key: fmt.Sprint(w, "/", n%1000), Value: value}
						if _, err := db.Commit(b.Context(), kv.Txn{Then: []kv.Op{op}}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			work.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchWatch measures from the start of a commit until every watch has yielded it.
func BenchWatch(b *testing.B, open func(*testing.B) kv.DB) {
	for _, watches := range []int{1, 16} {
		b.Run(fmt.Sprintf("watches=%d", watches), func(b *testing.B) {
			db := open(b)
			page, err := db.Range(b.Context(), "", "", 0, 1)
			if err != nil {
				b.Fatal(err)
			}
			got := make(chan bool, watches)
			var ready, ended sync.WaitGroup
			ready.Add(watches)
			for range watches {
				ended.Go(func() {
					begin := sync.OnceFunc(ready.Done)
					for batch, err := range db.Watch(b.Context(), "", "", page.Revision) {
						if begin(); err != nil {
							return
						}
						if len(batch.Events) > 0 {
							got <- true
						}
					}
				})
			}
			ready.Wait()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Commit(b.Context(), kv.Txn{Then: []kv.Op{set("k", "v")}}); err != nil {
					b.Fatal(err)
				}
				for range watches {
					<-got
				}
			}
			if err := db.Close(); err != nil {
				b.Error(err)
			}
			ended.Wait()
		})
	}
}

// BenchRange measures the reading of a whole store with values of 600 bytes.
func BenchRange(b *testing.B, open func(*testing.B) kv.DB) {
	for _, size := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("entries=%d", size), func(b *testing.B) {
			db := open(b)
			value := make([]byte, 600)
			for i := 0; i < size; i += kv.MaxOps {
				var t kv.Txn
				for j := i; j < min(i+kv.MaxOps, size); j++ {
					t.Then = append(t.Then, kv.Op{Key: fmt.Sprintf("k/%08d", j), Value: value})
				}
				if _, err := db.Commit(b.Context(), t); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				page, err := db.Range(b.Context(), "", "", 0, 0)
				if err != nil || len(page.Entries) != size {
					b.Fatalf("Range() = %d entries, %v, want %d", len(page.Entries), err, size)
				}
			}
		})
	}
}
