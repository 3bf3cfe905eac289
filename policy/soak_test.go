// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	soakFor  = flag.Duration("soak", 0, "how long TestAgreementSoak compares Decide with Explain; it ends earlier if -timeout is near")
	soakSeed = flag.Uint64("soakseed", 1_000_000, "the first seed of TestAgreementSoak")
)

// TestAgreementSoak compares Decide with Explain on every core for as long as
// -soak says. The seeds count up from -soakseed, so a run can be repeated, and
// begun with the seed that failed.
func TestAgreementSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("takes -soak 10m")
	}
	start := time.Now()
	end := start.Add(*soakFor)
	if deadline, ok := t.Deadline(); ok && deadline.Add(-20*time.Second).Before(end) {
		end = deadline.Add(-20 * time.Second)
	}
	var seed, compared atomic.Uint64
	var outcomes [Allowed + 1]atomic.Uint64
	seed.Store(*soakSeed - 1)
	var failed atomic.Bool
	var first sync.Once
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Now().Before(end) && !failed.Load() {
				n := seed.Add(1)
				done, problem := soak(n, outcomes[:])
				compared.Add(uint64(done))
				if problem != "" {
					failed.Store(true)
					first.Do(func() {
						t.Errorf("-soakseed %d, after %d comparisons in %v: %s", n, compared.Load(), time.Since(start).Round(time.Millisecond), problem)
					})
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	t.Logf("%.3f million decisions of seeds %d to %d compared in %v, %.0f a second: %d allow, %d explicit-deny, %d implicit-deny",
		float64(compared.Load())/1e6, *soakSeed, seed.Load(), took.Round(time.Second), float64(compared.Load())/took.Seconds(),
		outcomes[Allowed].Load(), outcomes[ExplicitDeny].Load(), outcomes[ImplicitDeny].Load())
}

// soak compares the requests of a seed. It returns how many, and what is wrong
// with the last of them.
func soak(seed uint64, outcomes []atomic.Uint64) (done int, problem string) {
	g := newGenerator(seed, nil)
	made := g.set()
	s, err := made.compile()
	if err != nil {
		return 0, err.Error()
	}
	for range perSet {
		r := g.request()
		got, _, problem := compare(r, s)
		done++
		if problem != "" {
			return done, shrunk(made, r)
		}
		outcomes[got.Outcome].Add(1)
	}
	return done, ""
}

// shrunk describes a disagreement in the smallest form that still is one.
func shrunk(made *genSet, r *Request) string {
	made, r = made.clone(), cloneRequest(r)
	differs := func() bool {
		s, err := made.compile()
		if err != nil {
			return false
		}
		_, _, problem := compare(r, s)
		return problem != ""
	}
	if !differs() {
		return "the evaluators disagree once, and not again"
	}
	made.shrink(r, differs)
	s, _ := made.compile()
	var b strings.Builder
	_, _, problem := compare(r, s)
	fmt.Fprintln(&b, problem)
	for _, p := range made.policies() {
		fmt.Fprintf(&b, "%s, version %q, ids %v:\n", p.doc.Name, p.doc.Version, p.ids)
		_ = p.doc.Print(&b)
	}
	return b.String()
}
