// SPDX-License-Identifier: Apache-2.0

//go:build !race

package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// growths are the workloads that are made larger: how the resources of a copy
// are named, so that it has the same shape and answers no request.
var growths = []struct {
	name, workload string
	rename         func(resource string, copy int) string
}{
	{"W2", "W2", func(s string, copy int) string { return strings.Replace(s, ":::", fmt.Sprintf(":::c%d-", copy), 1) }},
	{"W2-wildcards", "W2", func(s string, copy int) string { return strings.Replace(s, ":::", fmt.Sprintf(":::c%d-*-", copy), 1) }},
	{"W4", "W4", func(s string, copy int) string { return strings.Replace(s, "/", fmt.Sprintf("/c%d-", copy), 1) }},
}

// grown returns a workload whose policies have each statement so many times, once
// as it was and otherwise with other resources. All its requests have the same Set.
func grown(tb testing.TB, name string, times int, rename func(string, int) string) (w *workload, s *Set, statements int) {
	tb.Helper()
	w, s = loadWorkload(tb, name), &Set{}
	kind := Identity
	if name == "W4" {
		kind = Resource
	}
	for _, raw := range w.policies {
		d, err := Parse(name, raw)
		if err != nil {
			tb.Fatal(err)
		}
		original := d.Statements
		for copy := 1; copy < times; copy++ {
			for _, st := range original {
				st.Index = len(d.Statements)
				st.Resource = slices.Clone(st.Resource)
				for i, v := range st.Resource {
					st.Resource[i].Text = rename(v.Text, copy)
				}
				d.Statements = append(d.Statements, st)
			}
		}
		statements += len(d.Statements)
		p := compiled(tb, d, kind)
		if kind == Resource {
			s.Resource = p
		} else {
			s.Identity = append(s.Identity, p)
		}
	}
	return w, s, statements
}

// TestGrowthKeepsDecisions checks that statements about other resources change no
// decision, however many.
func TestGrowthKeepsDecisions(t *testing.T) {
	for _, g := range growths {
		for _, times := range []int{1, 10, 100} {
			if times == 100 && testing.Short() {
				continue
			}
			t.Run(fmt.Sprintf("%s-times-%d", g.name, times), func(t *testing.T) {
				w, s, statements := grown(t, g.workload, times, g.rename)
				if want := map[string]int{"W2": 100, "W4": 500}[g.workload] * times; statements != want {
					t.Fatalf("%d statements, want %d", statements, want)
				}
				for i, r := range w.requests {
					if got := Decide(r, s); got.Outcome != w.want[i] {
						t.Fatalf("request %d: Decide(%s on %s by %s) = %v, want %v", i, r.Action, r.Resource, r.Principal.ARN, got.Outcome, w.want[i])
					}
					if i%(16*times) == 0 {
						agree(t, r, s)
					}
				}
			})
		}
	}
}

// BenchmarkGrowth measures a decision under policies of the same shape with 10
// and 100 times the statements; with -v it logs what that is relative to the first.
func BenchmarkGrowth(b *testing.B) {
	for _, g := range growths {
		took := make(map[int]float64)
		var table strings.Builder
		for _, times := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("workload=%s/times=%d", g.name, times), func(b *testing.B) {
				w, s, statements := grown(b, g.workload, times, g.rename)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if Decide(w.requests[i], s).Outcome != w.want[i] {
						b.Fatal("wrong decision")
					}
					if i++; i == len(w.requests) {
						i = 0
					}
				}
				ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
				if took[times] == 0 || ns < took[times] {
					took[times] = ns
				}
				b.ReportMetric(float64(statements), "statements")
			})
			if took[times] > 0 && took[1] > 0 {
				fmt.Fprintf(&table, "  ×%d: %.0f ns (%.2f)", times, took[times], took[times]/took[1])
			}
		}
		b.Logf("%s:%s", g.name, table.String())
	}
}
