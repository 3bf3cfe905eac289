// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
)

// A published is a Set with the answers that it gives to each request.
type published struct {
	set  *Set
	want []Decision
}

// TestDecideWhilePoliciesAreReplaced lets eight goroutines decide and explain
// while their policies are compiled anew and swapped. Each answer must be that
// of the Set it was asked of. It is of use with the race detector: the documents
// and some of the policies are shared by all Sets, old and new.
func TestDecideWhilePoliciesAreReplaced(t *testing.T) {
	const deciders, sets, requests = 8, 16, 32
	swaps := 400
	if testing.Short() {
		swaps = 100
	}
	shared := compiled(t, full(Identity).doc, Identity) // as a managed policy is
	asked, made, want := raceRequests(requests), make([]*genSet, sets), make([][]Decision, sets)
	compile := func(i int) *Set {
		s, err := made[i].compile()
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			s.Identity, s.Boundary = append(s.Identity, shared), shared
		}
		return s
	}
	lowered := make([]*Lowered, requests)
	for i, r := range asked {
		lowered[i] = Lower(r)
	}
	for i := range made {
		made[i] = newGenerator(uint64(i), nil).set()
		s := compile(i)
		for _, r := range asked {
			want[i] = append(want[i], Explain(r, s).Decision)
		}
	}
	current := new(atomic.Pointer[published])
	publish := func(i int) { current.Store(&published{set: compile(i % sets), want: want[i%sets]}) }
	publish(0)
	var wg sync.WaitGroup
	var done atomic.Bool
	var answers, replaced atomic.Int64
	for d := range deciders {
		wg.Go(func() {
			for i, last := d, current.Load(); !done.Load(); i++ {
				p, n := current.Load(), i%requests
				if p != last {
					replaced.Add(1)
					last = p
				}
				var got Decision
				switch {
				case i%64 == 0:
					got = Explain(asked[n], p.set).Decision
				case i%3 == 0:
					got = lowered[n].Decide(p.set)
				default:
					got = Decide(asked[n], p.set)
				}
				if !same(got, p.want[n]) {
					t.Errorf("request %d: got %+v, want %+v", n, got, p.want[n])
					return
				}
				answers.Add(1)
			}
		})
	}
	for i := range swaps {
		publish(i + 1)
	}
	done.Store(true)
	wg.Wait()
	if replaced.Load() < deciders {
		t.Errorf("the deciders saw %d new Sets, want some each", replaced.Load())
	}
	t.Logf("%d answers while %d Sets were published", answers.Load(), swaps)
}

// raceRequests returns requests of several worlds.
func raceRequests(n int) (list []*Request) {
	for i := range n {
		g := newGenerator(uint64(i%8), nil)
		for range i / 8 {
			g.request()
		}
		list = append(list, g.request())
	}
	return list
}

// TestCompileSharedDocument compiles one Document as several kinds at once, while
// what came of it before decides: a Document is not written after Parse.
func TestCompileSharedDocument(t *testing.T) {
	g := newGenerator(1, nil)
	for range 10 {
		p := &genPolicy{doc: g.document(Identity), kind: Identity}
		before := (&genSet{identity: []*genPolicy{p}}).clone().identity[0].doc
		r := g.request()
		want := Decide(r, &Set{Identity: []*Policy{compiled(t, p.doc, Identity)}})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				kind := []Kind{Identity, Boundary, Session, SCP}[i%4]
				s := &Set{Identity: []*Policy{compiled(t, p.doc, Identity)}}
				if kind == SCP {
					compiled(t, p.doc, kind)
				} else {
					s.Identity[0] = compiled(t, p.doc, kind)
				}
				if got := Decide(r, s); !same(got, want) {
					t.Errorf("as %v: got %+v, want %+v", kind, got, want)
				}
			})
		}
		wg.Wait()
		if !reflect.DeepEqual(p.doc, before) {
			t.Errorf("Compile changed its document")
		}
	}
}

func compiled(t testing.TB, d *Document, kind Kind) *Policy {
	t.Helper()
	p, err := Compile(d, kind)
	if err != nil {
		t.Error(err)
	}
	return p
}
