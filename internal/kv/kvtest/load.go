// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A Load is clients that read and write a few keys at once, while the store may be disturbed, and watches that look on.
// Run checks that
//
//   - what the clients saw is linearizable, key by key;
//   - every watch yields every acknowledged commit once, in order, and nothing that was said not to be applied;
//   - all watches agree.
type Load struct {
	DBs     []kv.DB // of one store; client i uses DB i modulo their number, and each is watched
	Clients int
	Ops     int // that each client tries, at least
	Keys    int

	// Disturb runs meanwhile, and the load goes on until it returns. Nil: no disturbance, and then every operation
	// must have a certain outcome.
	Disturb func()
	// Pause is the time between two operations of a client.
	Pause time.Duration
}

// Stats says what a Load did.
type Stats struct {
	Committed, Conflicts, Reads int
	Unknown, Failed             int           // commits; only with Disturb
	Gap                         time.Duration // longest time without a commit
}

// An operation is what one client did to one key.
type operation struct {
	client    int
	key       string
	write     string      // value, or empty for a read
	expect    kv.Revision // compared with the last modification, or -1 for none
	call, ret int64       // nanoseconds since the start
	err       error
	value     string      // read
	modified  kv.Revision // read, or written
}

// seen is one event of a watch.
type seen struct {
	revision   kv.Revision
	key, value string
	at         int64
}

const loadPrefix, loadEnd = "load/", "load0"

// Run puts the load on the store and checks what came of it.
func (l Load) Run(t *testing.T) Stats {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	begin := latest(t, l.DBs[0])
	start := time.Now()
	var until atomic.Int64 // revision at which the watches may stop
	watches := make([][]seen, max(2, len(l.DBs)))
	watchErrs := make([]error, len(watches))
	var watching sync.WaitGroup
	for i := range watches {
		watching.Go(func() {
			watches[i], watchErrs[i] = l.watch(ctx, l.DBs[i%len(l.DBs)], begin, start, &until)
		})
	}
	ops := l.drive(ctx, start)
	if err := l.finish(ctx, &until); err != nil {
		t.Errorf("Commit() after the load = %v, want nil", err)
		cancel()
	}
	watching.Wait()
	for i, err := range watchErrs {
		if err != nil {
			t.Fatalf("watch %d: %v", i, err)
		}
	}
	for i, w := range watches[1:] {
		if err := agree(watches[0], w); err != nil {
			t.Errorf("watches 0 and %d: %v", i+1, err)
		}
	}
	return l.check(t, ops, watches[0])
}

// drive runs the clients and returns what they did.
func (l Load) drive(ctx context.Context, start time.Time) []operation {
	var (
		clients   sync.WaitGroup
		mu        sync.Mutex
		all       []operation
		disturbed atomic.Bool
	)
	disturbed.Store(l.Disturb == nil)
	for c := range l.Clients {
		clients.Go(func() {
			r := rand.New(rand.NewPCG(rand.Uint64(), uint64(c)))
			var ops []operation
			known := map[string]kv.Revision{}
			for n := 0; (n < l.Ops || !disturbed.Load()) && ctx.Err() == nil; n++ {
				op := operation{client: c, key: fmt.Sprintf("%s%d", loadPrefix, r.IntN(l.Keys)), expect: -1}
				if kind := r.IntN(5); kind < 3 {
					op.write = fmt.Sprintf("%d.%d", c, n)
					if kind > 0 {
						op.expect = known[op.key]
					}
				}
				l.do(ctx, &op, start)
				known[op.key] = op.modified
				ops = append(ops, op)
				time.Sleep(l.Pause)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, ops...)
		})
	}
	if l.Disturb != nil {
		l.Disturb()
		disturbed.Store(true)
	}
	clients.Wait()
	return all
}

// do runs one operation and fills in its outcome.
func (l Load) do(ctx context.Context, op *operation, start time.Time) {
	db := l.DBs[op.client%len(l.DBs)]
	op.call = int64(time.Since(start))
	defer func() { op.ret = int64(time.Since(start)) }()
	if op.write == "" {
		var page kv.Page
		if page, op.err = db.Range(ctx, op.key, op.key+"\x00", 0, 1); len(page.Entries) > 0 {
			op.value, op.modified = string(page.Entries[0].Value), page.Entries[0].Modified
		}
		return
	}
	txn := kv.Txn{Then: []kv.Op{set(op.key, op.write)}}
	if op.expect >= 0 {
		txn.If = []kv.Compare{{Key: op.key, Modified: op.expect}}
	}
	op.modified, op.err = db.Commit(ctx, txn)
}

// finish makes a last commit and tells the watches to stop there.
func (l Load) finish(ctx context.Context, until *atomic.Int64) error {
	for {
		rev, err := l.DBs[0].Commit(ctx, kv.Txn{Then: []kv.Op{set(loadPrefix+"end", "")}})
		if err == nil {
			until.Store(int64(rev))
			return nil
		}
		if l.Disturb == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (l Load) watch(
	ctx context.Context, db kv.DB, after kv.Revision, start time.Time, until *atomic.Int64,
) (out []seen, err error) {
	at := after
	for b, err := range db.Watch(ctx, loadPrefix, loadEnd, after) {
		if err != nil {
			return nil, fmt.Errorf("ended after revision %d: %w", at, err)
		}
		if err := follows(b, at, loadPrefix, loadEnd); err != nil {
			return nil, err
		}
		at = b.Revision
		for _, e := range b.Events {
			out = append(out, seen{revision: b.Revision, key: e.Key, value: string(e.Value), at: int64(time.Since(start))})
		}
		if last := until.Load(); last > 0 && int64(at) >= last {
			return out, nil
		}
	}
	return nil, errors.New("ended without an error")
}

func agree(a, b []seen) error {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if x.revision != y.revision || x.key != y.key || x.value != y.value {
			return fmt.Errorf("event %d is %d %s=%s and %d %s=%s", i, x.revision, x.key, x.value, y.revision, y.key, y.value)
		}
	}
	// One may stop at progress past the last event that the other has seen, but not before it.
	if len(a) != len(b) {
		return fmt.Errorf("they have %d and %d events", len(a), len(b))
	}
	return nil
}

// check compares what the clients were told with what a watch saw.
func (l Load) check(t *testing.T, ops []operation, events []seen) Stats {
	t.Helper()
	var st Stats
	by := map[string]seen{}
	for i, e := range events {
		if _, twice := by[e.key+"="+e.value]; twice {
			t.Errorf("%s=%s was yielded twice", e.key, e.value)
		}
		by[e.key+"="+e.value] = e
		if i > 0 {
			st.Gap = max(st.Gap, time.Duration(e.at-events[i-1].at))
		}
	}
	history := make([]porcupine.Operation, 0, len(ops))
	for _, op := range ops {
		e, happened := by[op.key+"="+op.write]
		switch {
		case op.write == "" && op.err != nil:
			if l.Disturb == nil {
				t.Errorf("Range() = %v, want nil", op.err)
			}
			continue
		case op.write == "":
			st.Reads++
		case op.err == nil:
			st.Committed++
			if !happened || e.revision != op.modified {
				t.Errorf("%s=%s was committed at %d, but the watches saw it at %d", op.key, op.write, op.modified, e.revision)
			}
		case errors.Is(op.err, kv.ErrUnknown) && l.Disturb != nil:
			st.Unknown++
			if !happened {
				continue
			}
			op.err, op.modified, op.ret = nil, e.revision, max(e.at, op.call+1)
		default:
			if happened {
				t.Errorf("%s=%s failed with %v, but the watches saw it", op.key, op.write, op.err)
			}
			if errors.Is(op.err, kv.ErrConflict) {
				st.Conflicts++
				break
			}
			if st.Failed++; l.Disturb == nil {
				t.Errorf("Commit() = %v, want nil or a conflict", op.err)
			}
			continue
		}
		history = append(history, porcupine.Operation{ClientId: op.client, Input: op, Output: op, Call: op.call, Return: op.ret})
	}
	if got := porcupine.CheckOperationsTimeout(register, history, patience); got != porcupine.Ok {
		t.Errorf("linearizability of %d operations: %s, want %s", len(history), got, porcupine.Ok)
	}
	return st
}

// cell is the state of one key.
type cell struct {
	modified kv.Revision
	value    string
}

// register is what one key does: it is written, unconditionally or if it was not modified since, and read.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		by := map[string][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(operation).key
			by[key] = append(by[key], op)
		}
		var out [][]porcupine.Operation
		for _, ops := range by {
			out = append(out, ops)
		}
		return out
	},
	Init: func() any { return cell{} },
	Step: func(state, input, _ any) (bool, any) {
		s, op := state.(cell), input.(operation)
		switch {
		case op.write == "":
			return s == cell{op.modified, op.value}, s
		case op.err != nil: // a conflict
			return op.expect >= 0 && op.expect != s.modified, s
		default:
			ok := (op.expect < 0 || op.expect == s.modified) && op.modified > s.modified
			return ok, cell{op.modified, op.write}
		}
	},
}
