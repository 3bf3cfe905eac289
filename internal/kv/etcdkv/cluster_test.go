// SPDX-License-Identifier: Apache-2.0

package etcdkv_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdkv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdtest"
	"github.com/innkeeper-iam/innkeeper/internal/kv/kvtest"
)

// openAll opens the same store as often as the cluster has members.
func openAll(t *testing.T, cluster *etcdtest.Cluster, query string) []kv.DB {
	t.Helper()
	var dbs []kv.DB
	for range cluster.Members {
		dbs = append(dbs, dial(t, fmt.Sprintf("etcd://%s/all%s", cluster.Endpoints(), query)))
	}
	return dbs
}

func dial(t *testing.T, url string) *etcdkv.DB {
	t.Helper()
	db, err := etcdkv.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("Open(%s) = %v, want nil", url, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	return db
}

func TestLeaderKilledUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("three members, killed and restarted, take a while")
	}
	cluster := etcdtest.Start(t, etcdtest.Options{Members: 3})
	cluster.Leader()
	load := kvtest.Load{
		DBs: openAll(t, cluster, "?timeout=2s"), Clients: 9, Ops: 10, Keys: 12, Pause: 2 * time.Millisecond,
		Disturb: func() {
			for range 3 {
				time.Sleep(500 * time.Millisecond)
				leader := cluster.Leader()
				leader.Kill()
				time.Sleep(1500 * time.Millisecond)
				leader.Restart()
			}
			cluster.Leader()
		},
	}
	st := load.Run(t)
	t.Logf("%+v", st)
	if st.Committed < 100 || st.Gap > 10*time.Second {
		t.Errorf("the load was %+v, want it to go on between the kills", st)
	}
}

func TestWithoutAQuorum(t *testing.T) {
	if testing.Short() {
		t.Skip("three members, killed and restarted, take a while")
	}
	t.Parallel()
	cluster := etcdtest.Start(t, etcdtest.Options{Members: 3})
	cluster.Leader()
	db := dial(t, "etcd://"+cluster.Endpoints()+"?timeout=1s")
	rev, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a", Value: []byte("1")}}})
	if err != nil {
		t.Fatal(err)
	}
	batches := make(chan kv.Batch, 100)
	ended := make(chan error, 1)
	go func() {
		for b, err := range db.Watch(t.Context(), "", "", rev) {
			if err != nil {
				ended <- err
				break
			}
			batches <- b
		}
	}()
	<-batches
	cluster.Members[0].Kill()
	cluster.Members[1].Kill()
	time.Sleep(2500 * time.Millisecond) // what was confirmed before has been yielded
	for len(batches) > 0 {
		<-batches
	}
	start := time.Now()
	if page, err := db.Range(t.Context(), "", "", 0, 0); err == nil {
		t.Errorf("Range() without a quorum = %+v, want an error", page)
	}
	if _, err = db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a", Value: []byte("2")}}}); err == nil {
		t.Error("Commit() without a quorum = nil, want an error")
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("two operations failed after %v, want the timeout of a second each", took)
	}
	select {
	case b := <-batches:
		t.Errorf("watch without a quorum yielded %+v, want silence", b)
	case err := <-ended:
		t.Fatalf("watch without a quorum ended with %v, want it to wait", err)
	default:
	}
	cluster.Members[0].Restart()
	cluster.Members[1].Restart()
	cluster.Leader()
	select {
	case <-batches:
	case err := <-ended:
		t.Errorf("watch ended with %v, want it to go on with the quorum", err)
	case <-time.After(20 * time.Second):
		t.Error("watch is silent although the quorum is back")
	}
}

func TestCommitThatNeverLeftIsNotUnknown(t *testing.T) {
	t.Parallel()
	cluster := etcdtest.Start(t, etcdtest.Options{})
	db := dial(t, "etcd://"+cluster.Endpoints()+"?timeout=1s")
	cluster.Members[0].Kill()
	time.Sleep(200 * time.Millisecond) // the connection is known to be lost
	txn := kv.Txn{Then: []kv.Op{{Key: "a", Value: []byte("1")}}}
	if _, err := db.Commit(t.Context(), txn); err == nil || errors.Is(err, kv.ErrUnknown) {
		t.Errorf("Commit() without a member = %v, want a certain failure", err)
	}
	time.AfterFunc(300*time.Millisecond, cluster.Members[0].Restart)
	again := dial(t, "etcd://"+cluster.Endpoints()+"?timeout=10s")
	if _, err := again.Commit(t.Context(), txn); err != nil {
		t.Errorf("Commit() while the member restarts = %v, want nil after a while", err)
	}
}
