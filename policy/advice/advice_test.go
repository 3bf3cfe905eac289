// SPDX-License-Identifier: Apache-2.0

package advice_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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

var update = flag.Bool("update", false, "write testdata/advice.txt anew")

// TestTexts compares the summary and the advice of every case with testdata/advice.txt.
func TestTexts(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := policytest.Read("cases.json", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range f.Cases {
		if c.Run(policy.Decide).Failure != "" {
			t.Errorf("%s: %s", c.Name, c.Run(policy.Decide).Failure)
		}
		fmt.Fprintf(&b, "# %s\n%s\n", c.Name, policy.Explain(&c.Request, &c.Set).Summary)
		if a := check(t, &c.Request, &c.Set); !a.Allowed {
			if err := a.Write(&b); err != nil {
				t.Fatal(err)
			}
		}
	}
	const golden = "testdata/advice.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wants := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(got), len(wants)) {
		if got[i] != wants[i] {
			t.Fatalf("%s:%d: got\n%s\nwant\n%s", golden, i+1, got[i], wants[i])
		}
	}
	if len(got) != len(wants) {
		t.Errorf("%d lines, want %d", len(got), len(wants))
	}
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

// mixture makes a request of one case under policies of others.
func mixture(cases []policytest.Case, random *rand.Rand) (*policy.Request, *policy.Set) {
	pick := func() *policytest.Case { return &cases[random.IntN(len(cases))] }
	r := pick().Request
	s := &policy.Set{Identity: pick().Set.Identity, Boundary: pick().Set.Boundary, Session: pick().Set.Session,
		SCPs: pick().Set.SCPs, RCPs: pick().Set.RCPs, Resource: pick().Set.Resource, Endpoint: pick().Set.Endpoint,
		HasBoundary: random.IntN(20) == 0, HasSession: random.IntN(20) == 0}
	if random.IntN(3) == 0 {
		r.Context = pick().Request.Context
	}
	if random.IntN(4) == 0 {
		r.ResourceAccount = "444455556666"
	}
	if random.IntN(10) == 0 {
		s.Identity = append(slices.Clip(s.Identity), policy.Broken("broken", nil))
	}
	if random.IntN(30) == 0 {
		s.Resource = policy.Broken("broken", nil)
	}
	return &r, s
}

// TestAdviceForMixtures checks requests of the corpus under policies of other
// cases: every denied one gets advice or a reason why there is none, and a policy
// that grants lets nothing else pass.
func TestAdviceForMixtures(t *testing.T) {
	cases := corpus(t)
	random := rand.New(rand.NewPCG(1, 2))
	total, seen := 4000, make(map[string]int)
	if testing.Short() {
		total = 500
	}
	for range total {
		r, s := mixture(cases, random)
		a := check(t, r, s)
		switch {
		case a.Allowed:
			seen["allowed"]++
			continue
		case len(a.Changes) == 0:
			seen["none"]++
			if r.Principal.Type != policy.Anonymous && !strings.HasPrefix(a.Summary, "No policy can name") {
				text, _ := json.Marshal(r)
				t.Errorf("no advice for %s, denied by %v", text, policy.Decide(r, s))
			}
			continue
		}
		seen[map[bool]string{true: "one ", false: "several with "}[len(a.Changes) == 1]+a.Changes[0].Kind.String()]++
		if !slices.ContainsFunc(a.Changes, func(c advice.Change) bool { return c.Kind != advice.Grant || c.Layer == policy.RCPLayer }) {
			seen["grants compared"]++
			_, after := a.After()
			for range 5 {
				other := *r
				other.Action, other.Resource = cases[random.IntN(len(cases))].Request.Action, cases[random.IntN(len(cases))].Request.Resource
				if strings.HasPrefix(r.Action, "sts:") || s.Resource != nil && s.Resource.Kind() == policy.Trust {
					other.Resource = r.Resource // a trust policy does not repeat whose it is
				}
				same := strings.EqualFold(other.Action, r.Action) && other.Resource == r.Resource
				if !same && policy.Decide(&other, s).Outcome != policy.Allowed && policy.Decide(&other, after).Outcome == policy.Allowed {
					text, _ := a.JSON()
					t.Errorf("the advice for %s on %s also lets %s on %s pass: %s", r.Action, r.Resource, other.Action, other.Resource, text)
				}
			}
		}
	}
	t.Log(seen)
	for _, kind := range []string{"one circumstances", "one grant", "one lift", "several with grant", "several with repair", "grants compared"} {
		if seen[kind] == 0 {
			t.Errorf("no %s among the advice", kind)
		}
	}
}

// FuzzFor checks mixtures of the corpus.
func FuzzFor(f *testing.F) {
	cases := corpus(f)
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r, s := mixture(cases, rand.New(rand.NewPCG(a, b)))
		check(t, r, s)
	})
}

// TestExactGrants: what looks like a pattern in the name of a resource is granted
// as the name that it is, whatever the version of the policy.
func TestExactGrants(t *testing.T) {
	caller, err := policy.PrincipalOf("arn:aws:iam::111122223333:user/fred")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		version, resource, other, text string
	}{
		{"2012-10-17", "arn:aws:s3:::b/a*", "arn:aws:s3:::b/ab", "add s3:GetObject on arn:aws:s3:::b/a* to own"},
		{"2012-10-17", "arn:aws:s3:::b/a?", "arn:aws:s3:::b/ab", "add s3:GetObject on arn:aws:s3:::b/a? to own"},
		{"2012-10-17", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/fred", "add s3:GetObject on arn:aws:s3:::b/${aws:username} to own"},
		{"2008-10-17", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/fred", "add s3:GetObject on arn:aws:s3:::b/${aws:username} to own"},
		{"2008-10-17", "arn:aws:s3:::b/a*", "arn:aws:s3:::b/ab", "give fred a policy that allows s3:GetObject on arn:aws:s3:::b/a*"},
	} {
		t.Run(tc.version+" "+tc.resource, func(t *testing.T) {
			d, err := policy.Parse("own", []byte(`{"Version": "`+tc.version+`", "Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`))
			if err != nil {
				t.Fatal(err)
			}
			p, err := policy.Compile(d, policy.Identity)
			if err != nil {
				t.Fatal(err)
			}
			r := &policy.Request{Principal: caller, Action: "s3:GetObject", Resource: tc.resource, ResourceAccount: "111122223333",
				Context: map[string]string{"aws:username": "fred"}}
			a := check(t, r, &policy.Set{Identity: []*policy.Policy{p}})
			if len(a.Changes) != 1 || a.Changes[0].Text != tc.text {
				t.Fatalf("For = %s, want to %s", a.Summary, tc.text)
			}
			_, after := a.After()
			other := *r
			other.Resource = tc.other
			if policy.Decide(&other, after).Outcome == policy.Allowed {
				t.Errorf("the advice for %s also lets %s pass", tc.resource, tc.other)
			}
		})
	}
}

// TestBoundPrincipals: a changed policy keeps what its principals are bound to.
func TestBoundPrincipals(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/app"
	d, err := policy.Parse("trust", []byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "`+role+`"}, "Action": "sts:TagSession"}}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.CompileBound(d, policy.Trust, map[string]string{role: "AROAOLD"})
	if err != nil {
		t.Fatal(err)
	}
	caller := policy.Principal{Type: policy.RoleSession, Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/app/s1", Role: role, ID: "AROANEW"}
	a := check(t, &policy.Request{Principal: caller, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/target"}, &policy.Set{Resource: p})
	if want := "To let it pass, add sts:AssumeRole for role app (session s1) to the trust policy of role target."; a.Summary != want {
		t.Errorf("Summary = %s, want %s: the role's ARN is bound to another role", a.Summary, want)
	}
}

func TestJSON(t *testing.T) {
	cases := corpus(t)
	for _, c := range cases {
		a := advice.For(&c.Request, &c.Set)
		text, err := a.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Summary string
			Allowed *bool
			Changes []struct {
				Kind, Text, By string
				Document       json.RawMessage
			}
		}
		if err := json.Unmarshal(text, &got); err != nil || got.Summary != a.Summary || got.Allowed == nil || len(got.Changes) != len(a.Changes) {
			t.Fatalf("JSON = %s, %v", text, err)
		}
		for i, change := range got.Changes {
			if change.Kind != a.Changes[i].Kind.String() || change.By != a.Changes[i].By.String() || change.Text == "" {
				t.Fatalf("JSON = %s", text)
			}
			if change.Document == nil {
				continue
			}
			if _, err := policy.Parse("", change.Document); err != nil {
				t.Fatalf("the document of %s: %v", text, err)
			}
		}
	}
}

// TestWebIdentity: a grant names the caller whom the provider vouches for.
func TestWebIdentity(t *testing.T) {
	d, err := policy.Parse("trust", []byte(`{"Version": "2012-10-17", "Statement": []}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Compile(d, policy.Trust)
	if err != nil {
		t.Fatal(err)
	}
	r := &policy.Request{Principal: policy.Principal{Type: policy.WebIdentity, ARN: "accounts.google.com"}, Action: "sts:AssumeRoleWithWebIdentity",
		Resource: "arn:aws:iam::111122223333:role/target", Context: map[string]string{"accounts.google.com:sub": "42", "accounts.google.com:aud": "me"}}
	a := check(t, r, &policy.Set{Resource: p})
	_, after := a.After()
	other := *r
	other.Context = map[string]string{"accounts.google.com:sub": "43", "accounts.google.com:aud": "me"}
	if len(a.Changes) != 1 || policy.Decide(&other, after).Outcome == policy.Allowed {
		t.Errorf("For(%v) = %+v lets another of the provider's callers pass", r, a)
	}
}

func BenchmarkFor(b *testing.B) {
	cases := corpus(b)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		c := &cases[i%len(cases)]
		advice.For(&c.Request, &c.Set)
		i++
	}
}
