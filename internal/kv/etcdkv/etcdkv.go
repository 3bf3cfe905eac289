// SPDX-License-Identifier: Apache-2.0

// Package etcdkv is the distributed engine of kv: a store in an etcd cluster, under a prefix of its keys.
//
// Revisions are those of the cluster, so other users of it advance them too, and Compact forgets their history as well.
// The history grows until it is compacted, by Compact or by etcd's own --auto-compaction-mode and
// --auto-compaction-retention.
//
// # When members fail
//
// Reads are tried again until the timeout of the URL, on other members. A commit is tried again only while it never
// left this process; once it may have reached a member and the answer is lost, it returns [kv.ErrUnknown]. A watch
// goes on with another member from where it was, and without a quorum it waits for one, however long that takes: it
// yields no progress batches then.
package etcdkv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

const (
	tryTimeout       = 1500 * time.Millisecond // for one try of a read: longer than an election
	retryPause       = 50 * time.Millisecond   // before the first repetition, then doubled
	maxRetryPause    = time.Second
	diagnoseTimeout  = 200 * time.Millisecond
	keepaliveTime    = 10 * time.Second // the least that etcd and gRPC allow
	keepaliveTimeout = 3 * time.Second
)

// A DB is a connection to a cluster. It implements [kv.DB].
type DB struct {
	client  *clientv3.Client
	prefix  string
	timeout time.Duration

	ctx   context.Context // ended by Close
	end   context.CancelFunc
	watch atomic.Int64 // number of the latest watch

	mu     sync.RWMutex // held for reading by every commit
	closed bool
}

// Open connects to a cluster and reads from it once. The URL is
//
//	etcd://[user:password@]host[:port],…[/prefix][?parameter=value&…]
//
// or etcds:// for TLS, with the members of the cluster, port 2379 if none is given, and the prefix innkeeper/. Without
// TLS every member must be on the loopback interface. The parameters are
//
//	ca             file with the certificates of the authorities to trust; without it, the system's
//	cert, key      files with the client's certificate and key
//	password-file  file with the password, instead of user:password
//	timeout        of one operation, with its repetitions; 5s without it
//	insecure=true  allows etcd:// to other machines
func Open(ctx context.Context, rawURL string) (*DB, error) {
	t, err := parseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("etcdkv: the URL %w", err)
	}
	life, end := context.WithCancel(context.Background())
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            t.endpoints,
		TLS:                  t.tls,
		Username:             t.user,
		Password:             t.password,
		DialTimeout:          t.timeout, // of the login
		DialKeepAliveTime:    keepaliveTime,
		DialKeepAliveTimeout: keepaliveTimeout,
		MaxUnaryRetries:      1, // this package knows better what may be repeated
		Logger:               zap.NewNop(),
		DialOptions:          []grpc.DialOption{grpc.WithStatsHandler(departures{})},
	})
	if err != nil {
		end()
		return nil, fmt.Errorf("etcdkv: connect to %v: %w", t.endpoints, err)
	}
	d := &DB{client: client, prefix: t.prefix, timeout: t.timeout, ctx: life, end: end}
	if _, err := d.Range(ctx, "", "", 0, 1); err != nil {
		if errors.Is(err, errNoAnswer) {
			err = d.diagnose(err)
		}
		return nil, errors.Join(fmt.Errorf("etcdkv: connect to %v: %w", t.endpoints, err), d.Close())
	}
	return d, nil
}

var errNoAnswer = errors.New("no answer")

// diagnose adds to err why there is no connection, which the client keeps to itself.
func (d *DB) diagnose(err error) error {
	ctx, cancel := context.WithTimeout(d.ctx, diagnoseTimeout)
	defer cancel()
	request := &etcdserverpb.RangeRequest{Key: []byte(d.prefix), CountOnly: true}
	if _, cause := etcdserverpb.NewKVClient(d.client.ActiveConnection()).Range(ctx, request); cause != nil {
		return fmt.Errorf("%w: %s", err, status.Convert(cause).Message())
	}
	return err
}

// Close ends watches and reads, waits for the commits, and disconnects.
func (d *DB) Close() error {
	d.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	if err := d.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("etcdkv: close: %w", err)
	}
	return nil
}

// from returns the key of the cluster for the start of a range.
func (d *DB) from(start string) string { return d.prefix + start }

// to returns the key of the cluster for the end of a range, which may be empty.
func (d *DB) to(end string) string {
	if end == "" {
		_, end := kv.Prefix(d.prefix)
		return end
	}
	return d.prefix + end
}

// joined returns a context that ends with ctx, after d.timeout and when d is closed.
func (d *DB) joined(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	stop := context.AfterFunc(d.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// read runs fn, and again after failures that may pass, until the timeout.
func (d *DB) read(ctx context.Context, fn func(context.Context) error) error {
	if err := cmpErr(d.ctx.Err(), ctx.Err()); err != nil {
		return d.explain(ctx, err)
	}
	all, cancel := d.joined(ctx)
	defer cancel()
	var cause error // of the latest failure that says more than that it took too long
	for pause := retryPause; ; pause = min(2*pause, maxRetryPause) {
		one, cancel := context.WithTimeout(all, min(tryTimeout, d.timeout))
		err := fn(one)
		lost := one.Err() != nil
		cancel()
		if err == nil || !lost && !mayPass(err) {
			return d.explain(ctx, err)
		}
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			cause = err
		}
		if sleep(all, pause); all.Err() == nil {
			continue
		}
		if cause != nil && d.ctx.Err() == nil && ctx.Err() == nil {
			return fmt.Errorf("%w within %v: %w", errNoAnswer, d.timeout, cause)
		}
		return d.explain(ctx, err)
	}
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// mayPass reports whether a failure may be gone in a moment, or with another member.
func mayPass(err error) bool {
	return code(err) == codes.Unavailable || stale(err)
}

// stale reports whether the login has expired or must be repeated; the client has done so already.
func stale(err error) bool {
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) || errors.Is(err, rpctypes.ErrAuthOldRevision)
}

func code(err error) codes.Code {
	if e, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		return e.Code()
	}
	return status.Code(err)
}

// explain turns an error of the client into one of the contract. ctx is the caller's.
func (d *DB) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case d.ctx.Err() != nil:
		return kv.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, rpctypes.ErrCompacted):
		return kv.ErrCompacted
	case errors.Is(err, rpctypes.ErrFutureRev):
		return kv.ErrFuture
	case errors.Is(err, rpctypes.ErrRequestTooLarge), errors.Is(err, rpctypes.ErrTooManyOps):
		return fmt.Errorf("the cluster is set to smaller limits: %w: %w", err, kv.ErrTooLarge)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w within %v", errNoAnswer, d.timeout)
	}
	return err
}
