// SPDX-License-Identifier: Apache-2.0

// Package relaykv is a store of kv that is elsewhere: a [Handler] serves one over HTTP, and a [DB] is that store at the
// other end, as far as the Handler lets it see and change it.
//
// # When the server is away
//
// A Range or Commit fails soon, and may be tried again. A watch waits for the server, however long that takes, and goes
// on from where it was; it yields no progress batches meanwhile. It also yields none that were under way for long: a
// reader that did not run for a while takes nothing old for new.
package relaykv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// ErrRefused says that this DB may not do what it was asked for.
var ErrRefused = errors.New("refused")

// A StatusError is an answer of the server, or of what stands before it, that
// does not come from the store: it does not let this DB in, for example.
type StatusError struct {
	Status  int    // of HTTP
	Message string // the beginning of its text
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answers %d: %s", e.Status, cmp.Or(e.Message, http.StatusText(e.Status)))
}

// Refused reports whether the server knows this DB and will not serve it: asking
// again will not help.
func (e *StatusError) Refused() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Options are what a DB is made of. Client and URL are required.
type Options struct {
	Client   *http.Client  // reaches the server; without a timeout of its own, since a watch lasts
	URL      string        // of the Handler: "https://inn.example.com:4290/relay"
	Patience time.Duration // how long the server may be silent within an answer; 0: five seconds
	Log      *slog.Logger  // told when a watch loses the server and has it back; nil: nothing is logged
}

// A DB is a store that a Handler serves. It implements [kv.DB], except for
// Compact.
type DB struct {
	client   *http.Client
	url      string
	patience time.Duration
	log      *slog.Logger

	life context.Context // ended by Close
	end  context.CancelFunc

	mu     sync.RWMutex // held for reading by every commit
	closed bool
}

var errClosed = fmt.Errorf("relaykv: %w", kv.ErrClosed)

// Open returns the store that a Handler serves. It does not wait for the server.
func Open(o Options) *DB {
	d := &DB{client: o.Client, url: strings.TrimSuffix(o.URL, "/") + "/", patience: cmp.Or(o.Patience, 5*time.Second), log: o.Log}
	d.life, d.end = context.WithCancel(context.Background())
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d
}

// Close waits for commits that have begun, and ends everything else.
func (d *DB) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.end()
	return nil
}

// use returns a context for one operation, which Close ends too. Whoever calls it
// calls done.
func (d *DB) use(ctx context.Context) (_ context.Context, done func(), err error) {
	if d.life.Err() != nil {
		return nil, nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(d.life, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil) }, nil
}

// Range reads from the server.
func (d *DB) Range(ctx context.Context, start, end string, rev kv.Revision, limit int) (kv.Page, error) {
	ctx, done, err := d.use(ctx)
	if err != nil {
		return kv.Page{}, err
	}
	defer done()
	page, err := d.read(ctx, span{start, end, rev, max(limit, 0)})
	if err != nil {
		return kv.Page{}, fmt.Errorf("relaykv: range from %q: %w", start, err)
	}
	return page, nil
}

func (d *DB) read(ctx context.Context, s span) (page kv.Page, err error) {
	a, err := d.ask(ctx, pathRange, kindRange, s.append(nil))
	if err != nil {
		return kv.Page{}, err
	}
	defer a.close()
	for {
		kind, payload, err := a.next()
		switch {
		case err != nil:
			return kv.Page{}, err
		case kind == kindEntries:
			if page.Entries, err = parseEntries(page.Entries, payload); err != nil {
				return kv.Page{}, err
			}
		case kind == kindPage:
			page.Revision, page.More, err = parsePage(payload)
			return page, err
		default:
			return kv.Page{}, errFrame
		}
	}
}

// Commit sends a transaction to the server. The error wraps ErrRefused for one
// that this DB may not commit.
func (d *DB) Commit(ctx context.Context, t kv.Txn) (kv.Revision, error) {
	if err := kv.Check(t); err != nil {
		return 0, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return 0, errClosed
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	rev, err := d.commit(ctx, t)
	if err != nil {
		return 0, fmt.Errorf("relaykv: commit: %w", err)
	}
	return rev, nil
}

func (d *DB) commit(ctx context.Context, t kv.Txn) (kv.Revision, error) {
	a, err := d.ask(ctx, pathCommit, kindCommit, appendTxn(nil, t))
	if err != nil {
		if status, ok := errors.AsType[*StatusError](err); errors.Is(err, errUnsent) || ok && status.Status < 500 {
			return 0, err
		}
		return 0, fmt.Errorf("%w: %w", kv.ErrUnknown, err)
	}
	defer a.close()
	kind, payload, err := a.next()
	if told := errors.Is(err, errTold); told && !errors.Is(err, errFailure) {
		return 0, err
	}
	var rev kv.Revision
	if err == nil && kind == kindDone {
		rev, err = parseDone(payload)
	} else if err == nil {
		err = errFrame
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", kv.ErrUnknown, err)
	}
	return rev, nil
}

// Compact refuses: the history is the server's.
func (d *DB) Compact(context.Context, kv.Revision) error {
	if d.life.Err() != nil {
		return errClosed
	}
	return fmt.Errorf("relaykv: compact: %w", ErrRefused)
}
