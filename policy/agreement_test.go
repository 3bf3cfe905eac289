// SPDX-License-Identifier: Apache-2.0

//go:build !race

package policy

import (
	"testing"
	"time"
)

// TestDecideAgreesWithExplain compares the evaluators on 25,000 random
// requests, and checks that the requests are of use: that everything that a
// policy can say and a request can be is among them, with all that may come of it.
func TestDecideAgreesWithExplain(t *testing.T) {
	total := 25_000
	if testing.Short() {
		total = 10_000
	}
	seen := make(coverage)
	start := time.Now()
	for seed := range total / perSet {
		g := newGenerator(uint64(seed), nil)
		made := g.set()
		s, err := made.compile()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		shapes := shapesOf(made)
		for range perSet {
			r := g.request()
			_, trace, problem := compare(r, s)
			if problem != "" {
				t.Fatalf("seed %d: %s", seed, problem)
			}
			seen.add(r, made, shapes, trace)
		}
	}
	t.Logf("%d comparisons in %v", total, time.Since(start).Round(time.Millisecond))
	seen.report(t, testing.Short())
}
