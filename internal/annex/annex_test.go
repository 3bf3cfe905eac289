// SPDX-License-Identifier: Apache-2.0

package annex

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// keys is a build for Derive: the keys of a table.
func keys(t *Table) (list []string) {
	for r := range t.Rows() {
		list = append(list, r.Key)
	}
	return list
}

func TestACopyLeavesItsOriginalAsItIs(t *testing.T) {
	a := New()
	a.Set(Row{Key: "b", Value: []byte("1"), Revision: 1})
	a.Set(Row{Key: "a", Value: []byte("2"), Revision: 2})
	b := a.Copy()
	b.Set(Row{Key: "a", Value: []byte("3"), Revision: 3})
	b.Delete("b")
	b.Delete("c")
	if got, want := keys(a), []string{"a", "b"}; !slices.Equal(got, want) || a.Len() != 2 {
		t.Errorf("the original has %q (%d), want %q", got, a.Len(), want)
	}
	if r, ok := a.Row("a"); !ok || string(r.Value) != "2" || r.Revision != 2 {
		t.Errorf("Row(a) of the original = %v, %t", r, ok)
	}
	if r, ok := b.Row("a"); !ok || string(r.Value) != "3" || r.Revision != 3 || b.Len() != 1 {
		t.Errorf("Row(a) of the copy = %v, %t", r, ok)
	}
	if _, ok := b.Row("b"); ok {
		t.Error("Row(b) of the copy is there, want none")
	}
}

func TestDeriveIsOnceForATableAndSeesTheLastOne(t *testing.T) {
	a := New()
	a.Set(Row{Key: "x"})
	var built atomic.Int32
	build := func(before any) any {
		built.Add(1)
		return before == nil
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if first := a.Derive(build); first != true {
				t.Errorf("Derive = %v, want true: nothing was derived before", first)
			}
		})
	}
	all.Wait()
	skipped := a.Copy() // of which nobody derives anything
	if b := skipped.Copy(); b.Derive(build) != false {
		t.Error("Derive of a copy does not see what was derived before")
	}
	if n := built.Load(); n != 2 {
		t.Errorf("build was called %d times, want 2", n)
	}
}
