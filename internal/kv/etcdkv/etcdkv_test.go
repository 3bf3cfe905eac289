// SPDX-License-Identifier: Apache-2.0

package etcdkv_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdkv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdtest"
	"github.com/innkeeper-iam/innkeeper/internal/kv/kvtest"
)

func TestConformance(t *testing.T) {
	cluster := etcdtest.Start(t, etcdtest.Options{})
	kvtest.Run(t, func(t *testing.T) kv.DB { return create(t, cluster) })
}

var created atomic.Int64

// create opens a new, empty store; whoever called closes it.
func create(t testing.TB, cluster *etcdtest.Cluster) kv.DB {
	t.Helper()
	db, err := etcdkv.Open(t.Context(), fmt.Sprintf("etcd://%s/test%d", cluster.Endpoints(), created.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func BenchmarkCommit(b *testing.B) { bench(b, kvtest.BenchCommit) }

func BenchmarkRange(b *testing.B) { bench(b, kvtest.BenchRange) }

func BenchmarkWatch(b *testing.B) { bench(b, kvtest.BenchWatch) }

// bench measures with one member.
func bench(b *testing.B, run func(*testing.B, func(*testing.B) kv.DB)) {
	cluster := etcdtest.Start(b, etcdtest.Options{})
	run(b, func(b *testing.B) kv.DB {
		db := create(b, cluster)
		b.Cleanup(func() {
			if err := db.Close(); err != nil {
				b.Error(err)
			}
		})
		return db
	})
}
