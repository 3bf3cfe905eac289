// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A workload is a set of policies and requests with the decisions wanted, from
// testdata/bench.
type workload struct {
	requests []*Request
	sets     []*Set // of each request
	want     []Outcome
	policies []json.RawMessage
}

var workloads = []string{"W1", "W2", "W3", "W4"}

func loadWorkload(tb testing.TB, name string) *workload {
	tb.Helper()
	f, err := os.Open("testdata/bench/" + name + ".json.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var file struct {
		Principals map[string][]json.RawMessage
		Resource   json.RawMessage
		Reqs       []struct {
			A, P, R, Want string
			Ctx           map[string]string
		}
	}
	if err := json.NewDecoder(z).Decode(&file); err != nil {
		tb.Fatal(err)
	}
	w := &workload{}
	sets := make(map[string]*Set)
	var shared *Policy
	if file.Resource != nil {
		shared = compileJSON(tb, "resource", file.Resource, Resource)
		w.policies = append(w.policies, file.Resource)
	}
	for arn, docs := range file.Principals {
		s := &Set{}
		for _, doc := range docs {
			s.Identity = append(s.Identity, compileJSON(tb, arn, doc, Identity))
			w.policies = append(w.policies, doc)
		}
		sets[arn] = s
	}
	outcomes := map[string]Outcome{"A": Allowed, "D": ExplicitDeny, "I": ImplicitDeny}
	// The names of actions and keys are one string each, as in a server, where
	// they are constants, and so are callers.
	names := make(map[string]string)
	intern := func(s string) string {
		if _, ok := names[s]; !ok {
			names[s] = s
		}
		return names[s]
	}
	callers := make(map[string]Principal)
	requests := make([]Request, len(file.Reqs))
	for i, q := range file.Reqs {
		s := sets[q.P]
		if s == nil {
			s = &Set{Resource: shared}
			sets[q.P] = s
		}
		if _, ok := callers[q.P]; !ok {
			callers[q.P] = workloadPrincipal(tb, q.P)
		}
		context := make(map[string]string, len(q.Ctx))
		for key, value := range q.Ctx {
			context[intern(key)] = intern(value)
		}
		requests[i] = Request{Principal: callers[q.P], Action: intern(q.A), Resource: q.R, ResourceAccount: accountA, Context: context}
		w.requests = append(w.requests, &requests[i])
		w.sets = append(w.sets, s)
		w.want = append(w.want, outcomes[q.Want])
	}
	return w
}

// workloadPrincipal returns a user, or a session of a role.
func workloadPrincipal(tb testing.TB, name string) Principal {
	role, isRole := strings.CutPrefix(name, "arn:aws:iam::"+accountA+":role/")
	if isRole {
		return Principal{Type: RoleSession, Account: accountA, Role: name, ARN: "arn:aws:sts::" + accountA + ":assumed-role/" + role + "/session"}
	}
	p, err := PrincipalOf(name)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func compileJSON(tb testing.TB, name string, doc []byte, kind Kind) *Policy {
	tb.Helper()
	d, err := Parse(name, doc)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := Compile(d, kind)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// TestWorkloads checks every decision of the benchmarks, by both evaluators.
func TestWorkloads(t *testing.T) {
	for _, name := range workloads {
		t.Run(name, func(t *testing.T) {
			w := loadWorkload(t, name)
			for i, r := range w.requests {
				if got := Decide(r, w.sets[i]); got.Outcome != w.want[i] {
					t.Fatalf("request %d: Decide(%s on %s by %s) = %v, want %v", i, r.Action, r.Resource, r.Principal.ARN, got.Outcome, w.want[i])
				}
				if i%8 == 0 { // the slow evaluator takes its time
					agree(t, r, w.sets[i])
				}
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, name := range workloads {
		b.Run("workload="+name, func(b *testing.B) {
			w := loadWorkload(b, name)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if Decide(w.requests[i], w.sets[i]).Outcome != w.want[i] {
					b.Fatal("wrong decision")
				}
				if i++; i == len(w.requests) {
					i = 0
				}
			}
		})
	}
}

// BenchmarkLowered decides the same requests, made ready beforehand.
func BenchmarkLowered(b *testing.B) {
	for _, name := range workloads {
		b.Run("workload="+name, func(b *testing.B) {
			w := loadWorkload(b, name)
			lowered := make([]*Lowered, len(w.requests))
			for i, r := range w.requests {
				lowered[i] = Lower(r)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if lowered[i].Decide(w.sets[i]).Outcome != w.want[i] {
					b.Fatal("wrong decision")
				}
				if i++; i == len(lowered) {
					i = 0
				}
			}
		})
	}
}

func BenchmarkLower(b *testing.B) {
	r := loadWorkload(b, "W1").requests[0]
	b.ReportAllocs()
	for b.Loop() {
		Lower(r)
	}
}

// allLayers is a request that every layer is asked about.
func allLayers(tb testing.TB) (*Request, *Set) {
	const full = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
	const fullPrincipal = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}`
	const secure = `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
		"Condition": {"Bool": {"aws:SecureTransport": "false"}}}}`
	const region = `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
		"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}}}`
	const data = `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"},
		{"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::data/locked/*"}]}`
	const delegate = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:*",
		"Resource": "arn:aws:s3:::data/*"}}`
	s := &Set{
		Identity: []*Policy{compileJSON(tb, "data", []byte(data), Identity)},
		Boundary: compileJSON(tb, "boundary", []byte(full), Boundary),
		Session:  []*Policy{compileJSON(tb, "session", []byte(data), Session)},
		SCPs: [][]*Policy{
			{compileJSON(tb, "full", []byte(full), SCP), compileJSON(tb, "region", []byte(region), SCP)},
			{compileJSON(tb, "full", []byte(full), SCP)},
		},
		RCPs: [][]*Policy{
			{compileJSON(tb, "full", []byte(fullPrincipal), RCP), compileJSON(tb, "secure", []byte(secure), RCP)},
			{compileJSON(tb, "full", []byte(fullPrincipal), RCP)},
		},
		Resource: compileJSON(tb, "bucket", []byte(delegate), Resource),
		Endpoint: compileJSON(tb, "endpoint", []byte(fullPrincipal), Endpoint),
	}
	r := &Request{
		Principal: Principal{Type: RoleSession, Account: accountA, ARN: "arn:aws:sts::" + accountA + ":assumed-role/app/s1",
			Role: "arn:aws:iam::" + accountA + ":role/app", ID: "AROA1"},
		Action: "s3:GetObject", Resource: "arn:aws:s3:::data/red/2026/report.csv", ResourceAccount: accountB,
		Context: map[string]string{"aws:SecureTransport": "true", "aws:RequestedRegion": "eu-west-1", "aws:PrincipalTag/team": "red",
			"aws:SourceIp": "10.0.0.1", "aws:userid": "AROA1:s1"},
	}
	return r, s
}

func TestAllLayers(t *testing.T) {
	r, s := allLayers(t)
	if got := agree(t, r, s); got.Outcome != Allowed || got.Layer != ResourceLayer {
		t.Errorf("Decide = %v by %v, want allow by the resource-based policy", got.Outcome, got.Layer)
	}
}

func BenchmarkDecideAllLayers(b *testing.B) {
	r, s := allLayers(b)
	b.ReportAllocs()
	for b.Loop() {
		if Decide(r, s).Outcome != Allowed {
			b.Fatal("wrong decision")
		}
	}
}

func BenchmarkExplainAllLayers(b *testing.B) {
	r, s := allLayers(b)
	b.ReportAllocs()
	for b.Loop() {
		if Explain(r, s).Decision.Outcome != Allowed {
			b.Fatal("wrong decision")
		}
	}
}

// BenchmarkCompile reports the time and memory of a statement, from JSON.
func BenchmarkCompile(b *testing.B) {
	for _, name := range workloads {
		b.Run("workload="+name, func(b *testing.B) {
			w := loadWorkload(b, name)
			doc := w.policies[0]
			kind := Identity
			if name == "W4" {
				kind = Resource
			}
			statements := len(compileJSON(b, name, doc, kind).Document().Statements)
			b.ReportAllocs()
			for b.Loop() {
				compileJSON(b, name, doc, kind)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*statements), "ns/statement")
		})
	}
}

// BenchmarkMatch measures patterns that make backtracking matchers slow.
func BenchmarkMatch(b *testing.B) {
	for _, stars := range []string{"6", "8", "1000"} {
		n := map[string]int{"6": 6, "8": 8, "1000": 1000}[stars]
		b.Run("stars="+stars, func(b *testing.B) {
			doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
				"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::" + strings.Repeat("a*", n) + "b"}})
			if err != nil {
				b.Fatal(err)
			}
			s := &Set{Identity: []*Policy{compileJSON(b, "stars", doc, Identity)}}
			r := &Request{Principal: Principal{Type: User, Account: accountA}, Action: "s3:GetObject", Resource: "arn:aws:s3:::" + strings.Repeat("a", 1000)}
			b.ReportAllocs()
			for b.Loop() {
				if Decide(r, s).Outcome != ImplicitDeny {
					b.Fatal("wrong decision")
				}
			}
		})
	}
}
