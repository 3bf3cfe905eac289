// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy"
)

const data = "../policy/testdata/bench"

func slice(t *testing.T, name string, n int) *workload {
	t.Helper()
	w, err := readWorkload(data, name)
	if err != nil {
		t.Fatal(err)
	}
	return w.slice(n)
}

// TestEngines asks every engine a part of every workload. The command asks
// everything.
func TestEngines(t *testing.T) {
	for _, name := range workloadNames {
		w := slice(t, name, 150)
		for _, e := range engines {
			t.Run(name+"/"+e.name, func(t *testing.T) {
				docs, err := e.write(w)
				if err != nil {
					t.Fatal(err)
				}
				ready, err := e.load(clone(docs))
				if err != nil {
					t.Fatal(err)
				}
				ask, err := ready(w.requests)
				if err != nil {
					t.Fatal(err)
				}
				for i, q := range w.requests {
					if got := ask(i); got != q.want {
						t.Errorf("request %d: %s on %s by %s = %v, want %v", i, q.action, q.resource, q.principal, got, q.want)
					}
				}
			})
		}
	}
}

// TestWorkloads holds the workloads to what the pages say of them.
func TestWorkloads(t *testing.T) {
	for _, tt := range []struct {
		name                         string
		owners, statements, requests int
	}{
		{"W1", 1, 10, 1}, {"W2", 1, 100, 1024}, {"W3", 1000, 20000, 8192}, {"W4", 1, 500, 4096},
	} {
		w, err := readWorkload(data, tt.name)
		if err != nil {
			t.Fatal(err)
		}
		if len(w.owners) != tt.owners || w.statements() != tt.statements || len(w.requests) != tt.requests {
			t.Errorf("%s = %d owners, %d statements, %d requests, want %d, %d, %d", tt.name,
				len(w.owners), w.statements(), len(w.requests), tt.owners, tt.statements, tt.requests)
		}
	}
	if w := slice(t, "W3", 12); len(w.requests) != 12 || len(w.owners) > 12 {
		t.Errorf("a slice of 12 requests has %d and %d owners", len(w.requests), len(w.owners))
	}
}

// yes is an engine that allows everything.
var yes = engine{
	name:  "yes",
	write: func(*workload) ([]document, error) { return nil, nil },
	load: func([]document) (prepare, error) {
		return func([]request) (ask, error) { return func(int) policy.Outcome { return policy.Allowed }, nil }, nil
	},
}

func quietly(string, ...any) {}

func TestDifferencesShow(t *testing.T) {
	w := slice(t, "W2", 300)
	want := 0
	for _, q := range w.requests {
		if q.want != policy.Allowed {
			want++
		}
	}
	rows := []*engine{&innkeeperStrings, &yes}
	cells, err := run(w, rows, 15*time.Millisecond, quietly)
	if err != nil {
		t.Fatal(err)
	}
	if c := cells[0]; c.Different != 0 || c.Ratio != 1 || c.Allocs > 0.01 {
		t.Errorf("innkeeper: %+v, want no difference, ratio 1 and no allocation", c)
	}
	if c := cells[1]; c.Different != want || !strings.Contains(c.First, "allow, want implicit-deny") || c.Ratio <= 0 {
		t.Errorf("yes: %+v, want %d differences and the first", c, want)
	}
	r := newReport(rows)
	r.Cells = cells
	notes := strings.Join(r.notes(), "\n")
	if says := fmt.Sprintf("yes decides %d of W2 otherwise; request ", want); !strings.Contains(notes, says) {
		t.Errorf("notes = %q, want %q in it", notes, says)
	}
}

// BenchmarkNothing is what the harness adds to every decision of the table.
func BenchmarkNothing(b *testing.B) {
	w, err := readWorkload(data, "W3")
	if err != nil {
		b.Fatal(err)
	}
	p := &player{wrong: map[int]bool{}}
	p.ask = func(i int) policy.Outcome { return p.want[i] }
	for i := range w.requests {
		p.sample = append(p.sample, i)
		p.want = append(p.want, w.requests[i].want)
	}
	p.Timed = len(w.requests)
	p.rounds = 100
	for b.Loop() {
		p.repeat(w)
	}
	slices.Sort(p.times)
	b.ReportMetric(p.times[0], "ns/decision")
}

func TestReadStatements(t *testing.T) {
	statement := func(members string) string {
		return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` + members + `}]}`
	}
	for _, tt := range []struct{ name, doc, want string }{
		{"what-the-workloads-have", statement(`"Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::b/${aws:username}/*"],
			"Condition": {"Bool": {"aws:SecureTransport": ["true"]}}`), ""},
		{"another-element", statement(`"NotAction": ["s3:Get*"], "Resource": ["*"]`), `unknown field "NotAction"`},
		{"another-operator", statement(`"Action": ["s3:Get*"], "Resource": ["*"], "Condition": {"Null": {"a": ["true"]}}`), "the operator Null"},
		{"another-variable", statement(`"Action": ["s3:Get*"], "Resource": ["${aws:userid}"]`), `"${aws:userid}"`},
		{"a-question-mark", statement(`"Action": ["s3:Get?"], "Resource": ["*"]`), `"s3:Get?"`},
		{"a-pattern-of-principals", statement(`"Principal": {"AWS": ["a*"]}, "Action": ["s3:Get*"], "Resource": ["*"]`), "no principal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readStatements([]byte(tt.doc), "arn:aws:iam::111122223333:user/team/fred")
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("readStatements: %v", err)
			case tt.want == "" && got[0].resources[0] != "arn:aws:s3:::b/fred/*":
				t.Errorf("readStatements: resource %q, want that of fred", got[0].resources[0])
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("readStatements = %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestLike(t *testing.T) {
	for _, tt := range []struct {
		pattern, value string
		want           bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"a", "a", true}, {"a", "ab", false},
		{"a*", "ab", true}, {"a*", "ba", false}, {"*a", "ba", true}, {"*a", "ab", false}, {"a*c", "abcc", true}, {"a*c", "ac", true},
		{"a*a", "a", false}, {"a*b*c", "a-b-b-c", true}, {"a*b*c", "a-c-b", false}, {"a**b", "ab", true},
	} {
		if got := like(tt.pattern, tt.value); got != tt.want {
			t.Errorf("like(%q, %q) = %v, want %v", tt.pattern, tt.value, got, tt.want)
		}
	}
}

func TestMillion(t *testing.T) {
	r, err := measureMillion(3000, 0, quietly)
	if err != nil {
		t.Fatal(err)
	}
	implicit := r.Requests - r.Allowed - r.Denied
	if r.Different != 0 || r.Checked < millionChecked || r.Allowed == 0 || r.Denied == 0 || implicit == 0 {
		t.Errorf("%+v: want decisions of each kind, enough of them checked and none different", r)
	}
	if r.Policies != 30 || r.Heap <= r.PoliciesHeap || r.PoliciesHeap <= 0 || r.Decide <= 0 || r.Find <= 0 {
		t.Errorf("%+v: want 30 policies, and figures for all", r)
	}
}

func TestCommand(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		status     int
		want       string // in what is printed
	}{
		{"help", "--help", 0, "-workload"},
		{"no-such-flag", "--fast", 2, "-fast"},
		{"no-such-workload", "--workload W1,W5", 2, `no "W5"; there are W1, W2, W3, W4`},
		{"no-such-engine", "--engine minio", 2, `no "minio"; there are innkeeper, `},
		{"no-such-output", "--output html", 2, `no "html"`},
		{"no-time", "--time 0s", 2, "no time"},
		{"nobody", "--million --principals 0", 2, "too few"},
		{"an-argument", "W1", 2, `unexpected argument "W1"`},
		{"no-data", "--data testdata", 1, "W1.json.gz"},
		{"text", "--workload W1 --engine innkeeper,cel-go --time 15ms", 0, "0 of 1"},
		{"markdown", "--workload W1 --engine innkeeper,cel-go --time 15ms --output markdown", 0, "| engine | W1 |\n| --- | --- |\n| innkeeper |"},
		{"million", "--million --principals 500 --time 1ms", 0, "0 of 1,000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			status := command(strings.Fields(tt.args), &out, &out)
			if status != tt.status || !strings.Contains(out.String(), tt.want) {
				t.Errorf("bench %s = %d, %s\nwant %d, and %q", tt.args, status, out.String(), tt.status, tt.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	var out, failed bytes.Buffer
	if status := command(strings.Fields("--workload W1 --engine innkeeper,OPA --time 15ms --output json"), &out, &failed); status != 0 {
		t.Fatalf("bench = %d, %s", status, failed.String())
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Engines) != 2 || len(r.Cells) != 2 || r.Cells[1].Ratio <= 1 || r.Cells[1].Requests != 1 || r.Go == "" || failed.Len() > 0 {
		t.Errorf("bench --output json = %s%s", out.String(), failed.String())
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{number(0), "0"}, {number(0.004), "0"}, {number(0.25), "0.2"}, {number(8), "8"}, {number(9.94), "9.9"}, {number(9.96), "10"},
		{number(999), "999"}, {number(1234), "1,234"}, {number(1234567), "1,234,567"},
		{duration(1500 * time.Nanosecond), "1.5 µs"}, {duration(12 * time.Millisecond), "12 ms"}, {duration(90 * time.Second), "90 s"},
		{size(512), "0.5 KiB"}, {size(20 << 20), "20 MiB"}, {size(11 << 30), "11 GiB"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
