// SPDX-License-Identifier: Apache-2.0

package etcdkv

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// Commit waits for a member to connect to as long as the timeout of the URL allows.
func (d *DB) Commit(ctx context.Context, t kv.Txn) (kv.Revision, error) {
	if err := kv.Check(t); err != nil {
		return 0, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := cmpErr(d.ctx.Err(), ctx.Err()); err != nil {
		return 0, fmt.Errorf("etcdkv: commit: %w", d.explain(ctx, err))
	}
	conditions, ops := d.translate(t)
	all, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	for pause := retryPause; ; pause = min(2*pause, maxRetryPause) {
		sent := new(atomic.Bool)
		resp, err := d.client.Txn(context.WithValue(all, sentKey{}, sent)).If(conditions...).Then(ops...).Commit()
		switch {
		case err == nil && resp.Succeeded:
			return kv.Revision(resp.Header.Revision), nil
		case err == nil:
			return 0, fmt.Errorf("etcdkv: commit of %q with %d comparisons: %w", t.Then[0].Key, len(t.If), kv.ErrConflict)
		case sent.Load() && !refused(err):
			return 0, fmt.Errorf("etcdkv: commit: %w: %w", kv.ErrUnknown, err)
		case all.Err() != nil || sent.Load() && !stale(err):
			return 0, fmt.Errorf("etcdkv: commit: %w", d.explainCommit(ctx, err))
		}
		sleep(all, pause)
	}
}

// explainCommit is explain for a commit, which Close does not interrupt.
func (d *DB) explainCommit(ctx context.Context, err error) error {
	if d.ctx.Err() != nil && ctx.Err() == nil {
		return err
	}
	return d.explain(ctx, err)
}

func (d *DB) translate(t kv.Txn) (conditions []clientv3.Cmp, ops []clientv3.Op) {
	for _, c := range t.If {
		conditions = append(conditions, clientv3.Compare(clientv3.ModRevision(d.prefix+c.Key), "=", int64(c.Modified)))
	}
	for _, op := range t.Then {
		if op.Delete {
			ops = append(ops, clientv3.OpDelete(d.prefix+op.Key))
		} else {
			ops = append(ops, clientv3.OpPut(d.prefix+op.Key, string(op.Value)))
		}
	}
	return conditions, ops
}

// refused reports whether err is etcd's own decision not to apply a transaction. Everything else, above all what it
// calls unavailable, may come from a member that has passed the transaction on.
func refused(err error) bool {
	e, ok := errors.AsType[rpctypes.EtcdError](err)
	if !ok {
		return false
	}
	switch e.Code() {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.PermissionDenied, codes.Unauthenticated,
		codes.ResourceExhausted, codes.OutOfRange:
		return true
	}
	return false
}

type sentKey struct{}

// departures notes, for a call whose context has a *atomic.Bool under sentKey, that the call was sent to a member.
type departures struct{}

func (departures) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.OutHeader); !ok {
		return
	}
	if sent, ok := ctx.Value(sentKey{}).(*atomic.Bool); ok {
		sent.Store(true)
	}
}

func (departures) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (departures) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (departures) HandleConn(context.Context, stats.ConnStats) {}

// Compact forgets the history of the whole cluster, whatever the prefix.
func (d *DB) Compact(ctx context.Context, before kv.Revision) error {
	err := d.read(ctx, func(ctx context.Context) error { // may be repeated as a read may
		_, err := d.client.Compact(ctx, int64(before))
		return err
	})
	if err != nil && !errors.Is(err, kv.ErrCompacted) {
		return fmt.Errorf("etcdkv: compact before %d: %w", before, err)
	}
	return nil
}
