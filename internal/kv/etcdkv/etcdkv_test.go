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
	var n atomic.Int64
	kvtest.Run(t, func(t *testing.T) kv.DB {
		db, err := etcdkv.Open(t.Context(), fmt.Sprintf("etcd://%s/test%d", cluster.Endpoints(), n.Add(1)))
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
