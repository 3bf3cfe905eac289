// SPDX-License-Identifier: Apache-2.0

package advice_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/advice"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

// corpus returns every case of the policy corpus.
func corpus(t testing.TB) []policytest.Case {
	t.Helper()
	files, err := filepath.Glob("../testdata/corpus/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("corpus files: %v, %v", files, err)
	}
	var cases []policytest.Case
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := policytest.Read(filepath.Base(name), data, nil)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, f.Cases...)
	}
	return cases
}

// check fails the test unless an advice keeps its promises.
func check(t *testing.T, r *policy.Request, s *policy.Set) advice.Advice {
	t.Helper()
	before := policy.Decide(r, s)
	a := advice.For(r, s)
	fail := func(format string, args ...any) {
		t.Helper()
		var b strings.Builder
		_ = policy.Explain(r, s).Write(&b)
		text, _ := a.JSON()
		t.Fatalf(format+"\n%s\n%s", append(args, b.String(), text)...)
	}
	if a.Allowed != (before.Outcome == policy.Allowed) || a.Allowed && len(a.Changes) > 0 {
		fail("Allowed = %v with %d changes, want the decision %v", a.Allowed, len(a.Changes), before.Outcome)
	}
	if a.Summary == "" || strings.ContainsAny(a.Summary, "\n\r") {
		fail("Summary = %q", a.Summary)
	}
	after, set := a.After()
	if got := policy.Decide(after, set); len(a.Changes) > 0 && got.Outcome != policy.Allowed {
		fail("after the changes Decide = %+v, want allow", got)
	}
	if again := policy.Decide(r, s); again.Outcome != before.Outcome || again.Layer != before.Layer {
		fail("For changed what it was given")
	}
	for _, c := range a.Changes {
		if c.Text == "" || c.By == 0 || c.Kind == 0 || (c.Document == nil) != (c.Kind == advice.Circumstances) {
			fail("an incomplete change: %+v", c)
		}
	}
	return a
}

// TestAdviceForTheCorpus checks every case of the corpus: what is denied and not
// for lack of a name that a policy could use is let pass by some change.
func TestAdviceForTheCorpus(t *testing.T) {
	seen := make(map[string]int)
	for _, c := range corpus(t) {
		a := check(t, &c.Request, &c.Set)
		switch {
		case a.Allowed:
			seen["allowed"]++
		case len(a.Changes) == 1:
			seen["one "+a.Changes[0].Kind.String()]++
		case len(a.Changes) > 1:
			seen["several"]++
		default:
			seen["none"]++
			t.Logf("%s: %s", c.Name, a.Summary)
		}
	}
	t.Log(seen)
}

// TestAdviceForMixtures checks requests of the corpus under policies of other cases.
func TestAdviceForMixtures(t *testing.T) {
	cases := corpus(t)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() *policytest.Case { return &cases[random.IntN(len(cases))] }
	total, seen := 4000, make(map[string]int)
	if testing.Short() {
		total = 500
	}
	for range total {
		r := pick().Request
		s := policy.Set{Identity: pick().Set.Identity, Boundary: pick().Set.Boundary, Session: pick().Set.Session,
			SCPs: pick().Set.SCPs, RCPs: pick().Set.RCPs, Resource: pick().Set.Resource, Endpoint: pick().Set.Endpoint,
			HasBoundary: random.IntN(20) == 0, HasSession: random.IntN(20) == 0}
		if random.IntN(3) == 0 {
			r.Context = pick().Request.Context
		}
		if random.IntN(4) == 0 {
			r.ResourceAccount = "444455556666"
		}
		a := check(t, &r, &s)
		switch {
		case a.Allowed:
			seen["allowed"]++
			continue
		case len(a.Changes) == 0:
			seen["none"]++
			if r.Principal.Type != policy.Anonymous && !strings.HasPrefix(a.Summary, "No policy can name") {
				text, _ := json.Marshal(r)
				seen["unexplained"]++
				t.Logf("%s %s %v", a.Summary, text, policy.Decide(&r, &s))
			}
			continue
		}
		seen[map[bool]string{true: "one ", false: "several with "}[len(a.Changes) == 1]+a.Changes[0].Kind.String()]++
	}
	t.Log(seen)
}
