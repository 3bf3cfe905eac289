// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

var modelTests = []suite{
	{"random-transactions-agree-with-a-map", modelRandom},
}

// A model is the store as simply as it can be written: a map for every revision.
type model struct {
	revisions []kv.Revision
	states    []map[string]kv.Entry // by index of revisions
	batches   []kv.Batch            // from the second on
}

func (m *model) now() map[string]kv.Entry { return m.states[len(m.states)-1] }

// holds reports whether every comparison holds.
func (m *model) holds(when []kv.Compare) bool {
	for _, c := range when {
		if m.now()[c.Key].Modified != c.Modified {
			return false
		}
	}
	return true
}

// apply notes that ops became revision rev; ops that change nothing have none.
func (m *model) apply(rev kv.Revision, ops []kv.Op) {
	next := maps.Clone(m.now())
	b := kv.Batch{Revision: rev}
	for _, op := range slices.SortedFunc(slices.Values(ops), func(a, b kv.Op) int { return strings.Compare(a.Key, b.Key) }) {
		_, exists := next[op.Key]
		switch {
		case !op.Delete:
			next[op.Key] = kv.Entry{Key: op.Key, Value: op.Value, Modified: rev}
		case exists:
			delete(next, op.Key)
		default:
			continue
		}
		b.Events = append(b.Events, kv.Event{Key: op.Key, Value: op.Value, Deleted: op.Delete})
	}
	if len(b.Events) > 0 {
		m.revisions = append(m.revisions, rev)
		m.states = append(m.states, next)
		m.batches = append(m.batches, b)
	}
}

// page returns what Range must return of state i.
func (m *model) page(i int, start, end string, limit int) kv.Page {
	p := kv.Page{Revision: m.revisions[i]}
	for _, key := range slices.Sorted(maps.Keys(m.states[i])) {
		if key < start || end != "" && key >= end {
			continue
		}
		if p.More = limit > 0 && len(p.Entries) == limit; p.More {
			break
		}
		p.Entries = append(p.Entries, m.states[i][key])
	}
	return p
}

// events returns what Watch must yield after state i.
func (m *model) events(i int, start, end string) []kv.Batch {
	var out []kv.Batch
	for _, b := range m.batches[i:] {
		b.Events = slices.DeleteFunc(slices.Clone(b.Events), func(e kv.Event) bool {
			return e.Key < start || end != "" && e.Key >= end
		})
		if len(b.Events) > 0 {
			out = append(out, b)
		}
	}
	return out
}

func modelRandom(t *testing.T, db kv.DB) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	m := &model{revisions: []kv.Revision{latest(t, db)}, states: []map[string]kv.Entry{{}}}
	key := func() string { return fmt.Sprintf("%c%c", 'a'+r.IntN(3), 'a'+r.IntN(4)) }
	for step := range 300 {
		txn := randomTxn(r, m, key, step)
		rev, err := db.Commit(within(t), txn)
		switch holds := m.holds(txn.If); {
		case holds && err != nil, !holds && !errors.Is(err, kv.ErrConflict):
			t.Fatalf("Commit(if %v then %s) = %v, but that the comparisons hold is %t", txn.If, showOps(txn.Then), err, holds)
		case holds:
			m.apply(rev, txn.Then)
		}
	}
	last := len(m.revisions) - 1
	for range 300 {
		i, limit := r.IntN(last+1), r.IntN(6)
		start, end := key(), key()
		got, want := scan(t, db, start, end, m.revisions[i], limit), m.page(i, start, end, limit)
		if !equalPages(got, want) {
			t.Fatalf("Range(%q, %q, %d, %d) = %+v, want %+v", start, end, m.revisions[i], limit, got, want)
		}
	}
	for range 30 {
		i, start, end := r.IntN(last+1), key(), key()
		if start < end {
			got := collect(t, db, start, end, m.revisions[i], m.revisions[last])
			wantBatches(t, fmt.Sprintf("Watch(%q, %q, %d)", start, end, m.revisions[i]), got, m.events(i, start, end))
		}
	}
}

// randomTxn makes a transaction with comparisons that mostly hold.
func randomTxn(r *rand.Rand, m *model, key func() string, step int) kv.Txn {
	var txn kv.Txn
	for range r.IntN(3) {
		c := kv.Compare{Key: key()}
		c.Modified = m.now()[c.Key].Modified
		if r.IntN(10) == 0 {
			c.Modified = m.revisions[r.IntN(len(m.revisions))]
		}
		txn.If = append(txn.If, c)
	}
	seen := map[string]bool{}
	for n := range 1 + r.IntN(4) {
		k := key()
		if seen[k] {
			continue
		}
		seen[k] = true
		if r.IntN(3) == 0 {
			txn.Then = append(txn.Then, del(k))
		} else {
			txn.Then = append(txn.Then, set(k, fmt.Sprintf("%d.%d", step, n)))
		}
	}
	return txn
}

func equalPages(a, b kv.Page) bool {
	return a.Revision == b.Revision && a.More == b.More && slices.EqualFunc(a.Entries, b.Entries, func(a, b kv.Entry) bool {
		return a.Key == b.Key && a.Modified == b.Modified && string(a.Value) == string(b.Value)
	})
}
