// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// agree fails the test unless Decide and Explain give the same decision.
func agree(t *testing.T, r *Request, s *Set) Decision {
	t.Helper()
	got, trace := Decide(r, s), Explain(r, s)
	want := trace.Decision
	if got.Outcome == want.Outcome && got.Layer == want.Layer && reflect.DeepEqual(got.Statement, want.Statement) &&
		fmt.Sprint(got.Err) == fmt.Sprint(want.Err) && (got.Err == nil || got.Outcome == ExplicitDeny) {
		return got
	}
	var b strings.Builder
	_ = trace.Write(&b)
	request, _ := json.MarshalIndent(r, "", " ")
	t.Fatalf("Decide = %v %v %v %v, Explain = %v %v %v %v\n%s\n%s", got.Outcome, got.Layer, got.Statement, got.Err,
		want.Outcome, want.Layer, want.Statement, want.Err, request, b.String())
	return got
}

// TestDecideAgreesWithExplain compares the two evaluators on 50,000 random
// requests, and checks that the requests are of use: that each outcome and layer
// is among the answers.
func TestDecideAgreesWithExplain(t *testing.T) {
	total := 50_000
	if testing.Short() {
		total = 20_000
	}
	const perSet = 10
	seen := make(map[string]int)
	start := time.Now()
	for seed := range total / perSet {
		g := newGenerator(uint64(seed), nil)
		s, err := g.set()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range perSet {
			d := agree(t, g.request(), s)
			seen[d.Outcome.String()+" "+d.Layer.String()]++
		}
	}
	t.Logf("%d comparisons in %v: %v", total, time.Since(start).Round(time.Millisecond), seen)
	for layer := IdentityLayer; layer <= EndpointLayer; layer++ {
		for _, outcome := range []Outcome{ExplicitDeny, ImplicitDeny} {
			if seen[outcome.String()+" "+layer.String()] == 0 {
				t.Errorf("no %v by %v among the answers", outcome, layer)
			}
		}
	}
	for _, layer := range []Layer{NoLayer, IdentityLayer, ResourceLayer} {
		if seen["allow "+layer.String()] == 0 {
			t.Errorf("no allow by %q among the answers", layer)
		}
	}
}

// FuzzDecide compares the two evaluators on policies and a request made from data.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, []byte{})
	}
	f.Add(uint64(1), []byte("a choice a byte, as long as they last"))
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		g := newGenerator(seed, data)
		r := g.request()
		s, err := g.set()
		if err != nil {
			t.Fatal(err)
		}
		agree(t, r, s)
	})
}
