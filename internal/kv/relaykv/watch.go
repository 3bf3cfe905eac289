// SPDX-License-Identifier: Apache-2.0

package relaykv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

const (
	firstPause = 10 * time.Millisecond  // before a watch comes back, then doubled
	shortPause = 100 * time.Millisecond // at most, if something came
	maxPause   = 2 * time.Second

	maxAge  = 2 * kv.ProgressInterval // of a progress batch: an older one is not yielded
	maxLate = 5 * kv.ProgressInterval // of older ones only, then the session ends
	settled = 5 * time.Second         // a session of that length was a good one
)

// Watch yields what the server sends, session by session.
func (d *DB) Watch(ctx context.Context, start, end string, after kv.Revision) iter.Seq2[kv.Batch, error] {
	return func(yield func(kv.Batch, error) bool) {
		w := &watch{db: d, span: span{start: start, end: end, rev: max(after, 0)}, yield: yield}
		if err := w.run(ctx); err != nil && !errors.Is(err, errStopped) {
			yield(kv.Batch{}, fmt.Errorf("relaykv: watch at %d: %w", w.span.rev, err))
		}
	}
}

var (
	errStopped = errors.New("the reader of the watch has stopped")
	errOld     = errors.New("what comes is old")
)

type watch struct {
	db    *DB
	span  span // rev is the revision up to which everything was yielded
	yield func(kv.Batch, error) bool
	away  bool // the log says so

	batches int // that came
}

func (w *watch) run(ctx context.Context) error {
	ctx, done, err := w.db.use(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := kv.CheckRange(w.span.start, w.span.end); err != nil {
		return err
	}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		began, at := time.Now(), w.batches
		err := w.session(ctx)
		if errors.Is(err, errStopped) {
			return err
		}
		if errors.Is(context.Cause(ctx), errClosed) {
			return errClosed
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if lasting(err) {
			return err
		}
		if time.Since(began) > settled {
			pause = firstPause
		} else if w.batches > at {
			pause = min(pause, shortPause) // the server is there
		} else if !w.away && pause > 10*firstPause {
			w.away = true
			w.db.log.Warn("the server is away", "err", err)
		}
		sleep(ctx, pause)
	}
}

// lasting reports whether there is no point in another session.
func lasting(err error) bool {
	for _, final := range []error{kv.ErrCompacted, kv.ErrFuture, kv.ErrInvalid, kv.ErrTooLarge, ErrRefused} {
		if errors.Is(err, final) {
			return true
		}
	}
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Refused()
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// session yields one answer of the server, and returns why it ended.
func (w *watch) session(ctx context.Context) error {
	a, err := w.db.ask(ctx, PathWatch, kindWatch, w.span.append(nil))
	if err != nil {
		return err
	}
	defer a.close()
	var on delay
	for {
		kind, payload, err := a.next()
		if err != nil {
			return err
		}
		if kind != kindBatch {
			return errFrame
		}
		batch, sent, err := parseBatch(payload)
		if err != nil {
			return err
		}
		if batch.Revision < w.span.rev || batch.Revision == w.span.rev && len(batch.Events) > 0 {
			return fmt.Errorf("revision %d follows %d", batch.Revision, w.span.rev)
		}
		w.span.rev = batch.Revision
		w.batches++
		if late := on.of(sent) > maxAge; late && len(batch.Events) == 0 {
			if on.lasts() {
				return errOld
			}
			continue
		}
		if len(batch.Events) == 0 {
			on.late = time.Time{}
		}
		if w.away {
			w.away = false
			w.db.log.Info("the server is back")
		}
		if !w.yield(batch, nil) {
			return errStopped
		}
	}
}

// A delay tells how much longer a batch was under way than the first one of its
// session, from the clocks of both sides, of which neither needs to be right.
type delay struct {
	began time.Time     // when the first one came
	first time.Duration // when it was sent, by the server's clock
	late  time.Time     // since when progress batches come late; zero: the latest did not
}

func (d *delay) of(sent time.Duration) time.Duration {
	if d.began.IsZero() {
		d.began, d.first = time.Now(), sent
	}
	return time.Since(d.began) - (sent - d.first)
}

// lasts notes that a progress batch came late, and reports whether they do for
// too long: then one of the clocks may be to blame.
func (d *delay) lasts() bool {
	if d.late.IsZero() {
		d.late = time.Now()
	}
	return time.Since(d.late) > maxLate
}
