// SPDX-License-Identifier: Apache-2.0

package etcdkv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// askInterval is how often a member that is behind is asked for its progress. It answers only when it has caught up.
const askInterval = 50 * time.Millisecond

// Watch asks the cluster every [kv.ProgressInterval] for its latest revision, by a linearizable read, and yields a
// progress batch when the watch has reached it. What a slow reader has not taken yet is kept in memory.
func (d *DB) Watch(ctx context.Context, start, end string, after kv.Revision) iter.Seq2[kv.Batch, error] {
	return func(yield func(kv.Batch, error) bool) {
		w := &watch{db: d, start: start, end: end, yield: yield}
		w.at.Store(int64(max(after, 0)))
		if err := w.run(ctx); err != nil && !errors.Is(err, errStopped) {
			yield(kv.Batch{}, fmt.Errorf("etcdkv: watch at %d: %w", w.at.Load(), d.explain(ctx, err)))
		}
	}
}

var (
	errStopped = errors.New("the reader of the watch has stopped")
	errEnded   = errors.New("the connection of the watch has ended")
)

type watch struct {
	db         *DB
	start, end string
	at         atomic.Int64 // revision; everything up to it was yielded
	yield      func(kv.Batch, error) bool
}

// run watches until a failure that lasts.
func (w *watch) run(ctx context.Context) error {
	if err := kv.CheckRange(w.start, w.end); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.db.ctx, cancel)()
	for pause := retryPause; ; pause = min(2*pause, maxRetryPause) {
		began := time.Now()
		err := w.session(ctx)
		if ctx.Err() != nil && !errors.Is(err, errStopped) {
			return ctx.Err()
		}
		if !bridged(err) {
			return err
		}
		if time.Since(began) > 2*maxRetryPause {
			pause = retryPause
		}
		sleep(ctx, pause)
	}
}

// bridged reports whether a session that ended with err should be followed by another.
func bridged(err error) bool {
	for _, final := range []error{errStopped, kv.ErrCompacted, kv.ErrFuture, kv.ErrInvalid, kv.ErrTooLarge} {
		if errors.Is(err, final) {
			return false
		}
	}
	switch code(err) {
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.FailedPrecondition,
		codes.Unimplemented:
		return stale(err)
	}
	return true
}

// session watches over one stream of its own, so that no other watch keeps it from learning its progress.
func (w *watch) session(ctx context.Context) error {
	first := goal{asked: time.Now()}
	var err error
	if first.latest, err = w.latest(ctx, w.at.Load()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(
		clientv3.WithRequireLeader(ctx), "innkeeper-watch", strconv.FormatInt(w.db.watch.Add(1), 10)))
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	responses := w.db.client.Watch(ctx, w.db.from(w.start), clientv3.WithRange(w.db.to(w.end)),
		clientv3.WithRev(w.at.Load()+1), clientv3.WithFragment(), clientv3.WithProgressNotify())
	goals := make(chan goal)
	asking.Go(func() { w.ask(ctx, first, goals) })
	for g := (goal{}); ; {
		select {
		case r, ok := <-responses:
			if !ok {
				return errEnded
			}
			if err := r.Err(); err != nil {
				return w.db.explain(ctx, err)
			}
			if err := w.deliver(r); err != nil {
				return err
			}
		case g = <-goals:
		}
		if g.latest == 0 || w.at.Load() < g.latest {
			continue
		}
		fresh := time.Since(g.asked) < 2*kv.ProgressInterval
		g = goal{}
		if fresh && !w.yield(kv.Batch{Revision: kv.Revision(w.at.Load())}, nil) {
			return errStopped
		}
	}
}

// latest returns the latest revision of the cluster, or that revision at, if it is not 0, cannot be read.
func (w *watch) latest(ctx context.Context, at int64) (int64, error) {
	resp, err := w.db.get(ctx, "", "\x00", kv.Revision(at), 1) // an empty range
	if err != nil {
		return 0, err
	}
	return resp.Header.Revision, nil
}

// A goal says that latest was the latest revision of the cluster after asked. The zero goal is none.
type goal struct {
	latest int64
	asked  time.Time
}

// ask finds out the latest revision every kv.ProgressInterval and sends it to the session, g first. Until the session
// has reached it, it asks the member for its progress, since commits outside the range of the watch tell nothing.
func (w *watch) ask(ctx context.Context, g goal, out chan<- goal) {
	for {
		select {
		case out <- g:
		case <-ctx.Done():
			return
		}
		next := g.asked.Add(kv.ProgressInterval)
		for w.at.Load() < g.latest && time.Now().Before(next) {
			if err := w.db.client.RequestProgress(ctx); err != nil {
				return // the stream has ended, and the session with it
			}
			sleep(ctx, askInterval)
		}
		sleep(ctx, time.Until(next))
		for g.asked = time.Now(); ; g.asked = time.Now() {
			latest, err := w.latest(ctx, 0)
			if g.latest = latest; err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
			sleep(ctx, retryPause)
		}
	}
}

// deliver yields the events of a response by revision.
func (w *watch) deliver(r clientv3.WatchResponse) error {
	for rest := r.Events; len(rest) > 0; {
		rev := rest[0].Kv.ModRevision
		n := 1
		for n < len(rest) && rest[n].Kv.ModRevision == rev {
			n++
		}
		if rev <= w.at.Load() {
			return fmt.Errorf("revision %d follows %d", rev, w.at.Load())
		}
		b := kv.Batch{Revision: kv.Revision(rev), Events: w.events(rest[:n])}
		rest = rest[n:]
		w.at.Store(rev)
		if !w.yield(b, nil) {
			return errStopped
		}
	}
	if r.IsProgressNotify() {
		w.at.Store(max(w.at.Load(), r.Header.Revision))
	}
	return nil
}

// events translates the events of one revision, in key order.
func (w *watch) events(in []*clientv3.Event) []kv.Event {
	out := make([]kv.Event, 0, len(in))
	for _, e := range in {
		out = append(out, kv.Event{
			Key:     string(e.Kv.Key[len(w.db.prefix):]),
			Value:   e.Kv.Value,
			Deleted: e.Type == mvccpb.Event_DELETE,
		})
	}
	slices.SortFunc(out, func(a, b kv.Event) int { return strings.Compare(a.Key, b.Key) })
	return out
}
