// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// same reports whether two decisions are the same, reason and all, and that an
// error refuses.
func same(got, want Decision) bool {
	return got.Outcome == want.Outcome && got.Layer == want.Layer && reflect.DeepEqual(got.Statement, want.Statement) &&
		fmt.Sprint(got.Err) == fmt.Sprint(want.Err) && (got.Err == nil || got.Outcome == ExplicitDeny)
}

// disagreement describes how the decisions differ, with the request and its trace.
func disagreement(r *Request, got Decision, trace *Trace) string {
	var b strings.Builder
	_ = trace.Write(&b)
	request, _ := json.MarshalIndent(r, "", " ")
	want := trace.Decision
	return fmt.Sprintf("Decide = %v %v %v %v, Explain = %v %v %v %v\n%s\n%s", got.Outcome, got.Layer, got.Statement, got.Err,
		want.Outcome, want.Layer, want.Statement, want.Err, request, b.String())
}

// compare decides in all three ways; problem says how they differ, if they do.
func compare(r *Request, s *Set) (got Decision, trace *Trace, problem string) {
	got, trace = Decide(r, s), Explain(r, s)
	if !same(got, trace.Decision) {
		return got, trace, disagreement(r, got, trace)
	}
	if lowered := Lower(r).Decide(s); !same(lowered, got) {
		return got, trace, "once lowered: " + disagreement(r, lowered, trace)
	}
	return got, trace, ""
}

// agree fails the test unless Decide, Explain and Lowered.Decide give the same
// decision.
func agree(t testing.TB, r *Request, s *Set) Decision {
	t.Helper()
	got, _, problem := compare(r, s)
	if problem != "" {
		t.Fatal(problem)
	}
	return got
}

// perSet is how many requests are compared under each generated set.
const perSet = 10

// FuzzDecide compares the evaluators on policies and a request made from data.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, []byte{})
	}
	f.Add(uint64(1), []byte("a choice a byte, as long as they last"))
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		g := newGenerator(seed, data)
		r := g.request()
		s, err := g.set().compile()
		if err != nil {
			t.Fatal(err)
		}
		agree(t, r, s)
	})
}
