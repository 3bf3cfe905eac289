// SPDX-License-Identifier: Apache-2.0

//go:build !race

package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The largest documents that AWS stores, in characters (UG-Quotas, S3, and
// the largest of any service).
const (
	managedLimit = 6_144
	bucketLimit  = 20_480
	largestLimit = 131_072
)

// The longest texts of a request: of the longest ARN there is, of as many tags
// as there can be, and more than any service takes.
const (
	longestARN  = 2_048
	longestTags = 50
	huge        = 1 << 16
)

// A worstCase is a policy and a request that give an evaluator the most to do.
type worstCase struct {
	name  string
	kind  Kind
	doc   string // of at most limit characters
	limit int
	long  int                 // of the request's texts
	ask   func(n int) Request // with texts of n characters; the caller is filled in
	want  Outcome
}

// worstBound is what no decision may take.
const worstBound = time.Millisecond

// statements makes a document of as many statements as fit.
func statements(limit int, one func(i int) string) string {
	var b strings.Builder
	b.WriteString(`{"Version":"2012-10-17","Statement":[`)
	for i := 0; ; i++ {
		s := one(i)
		if b.Len()+len(s)+len(`,]}`) > limit {
			return strings.TrimSuffix(b.String(), ",") + "]}"
		}
		b.WriteString(s + ",")
	}
}

// statement makes a document of one statement, in which LIST is replaced by as
// many values as fit.
func statement(limit int, element string, value func(i int) string) string {
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":` + element + `}]}`
	var b strings.Builder
	for i := 0; ; i++ {
		v := value(i)
		if len(doc)-len("LIST")+b.Len()+len(v)+len(`"",`) > limit {
			return strings.Replace(doc, "LIST", strings.TrimSuffix(b.String(), ","), 1)
		}
		b.WriteString(`"` + v + `",`)
	}
}

// repeated makes a document of one statement, in which TEXT is replaced by a
// text repeated as often as it fits.
func repeated(limit int, element, text string) string {
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":` + element + `}]}`
	return strings.Replace(doc, "TEXT", strings.Repeat(text, (limit-len(doc))/len(text)), 1)
}

const (
	onAnything = `"Allow","Action":"*","Resource":`
	bucket     = "arn:aws:s3:::b/"
)

// on asks for a resource, which is a prefix and a text repeated up to n characters.
func on(prefix, text string) func(n int) Request {
	return func(n int) Request {
		return Request{Action: "s3:GetObject", Resource: prefix + strings.Repeat(text, max(n-len(prefix), 0)/len(text))}
	}
}

// with asks with a context key, whose value is a text repeated up to n characters.
func with(key, text string) func(n int) Request {
	return func(n int) Request {
		return Request{Action: "s3:GetObject", Resource: bucket + "key", Context: map[string]string{key: strings.Repeat(text, n/len(text))}}
	}
}

// withList asks with n values.
func withList(key string, value func(i int) string) func(n int) Request {
	return func(n int) Request {
		list := make([]string, n)
		for i := range list {
			list[i] = value(i)
		}
		return Request{Action: "s3:GetObject", Resource: bucket + "key", Lists: map[string][]string{key: list}}
	}
}

// do asks for an action, which is a prefix and a text repeated up to n characters.
func do(prefix, text string) func(n int) Request {
	return func(n int) Request {
		return Request{Action: prefix + strings.Repeat(text, n/len(text)), Resource: bucket + "key"}
	}
}

func plainRequest(int) Request { return Request{Action: "s3:GetObject", Resource: bucket + "key"} }

func numbered(format string) func(i int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

func ifKey(key, operator string) string {
	return `"Allow","Action":"*","Resource":"*","Condition":{"` + operator + `":{"` + key + `":[LIST]}}`
}

// set makes the policies in force of the document.
func (w *worstCase) set(tb testing.TB) *Set {
	tb.Helper()
	if len(w.doc) > w.limit || len(w.doc) < w.limit*9/10 {
		tb.Fatalf("the document has %d characters, want about %d", len(w.doc), w.limit)
	}
	p := compileJSON(tb, w.name, []byte(w.doc), w.kind)
	if w.kind == Identity {
		return &Set{Identity: []*Policy{p}}
	}
	return &Set{Resource: p}
}

func (w *worstCase) request(n int) *Request {
	r := w.ask(n)
	if r.Principal.Type == Anonymous {
		r.Principal = alice
	}
	r.ResourceAccount = accountA
	return &r
}

// TestWorstCases checks that the most hostile policies and requests are decided
// rightly, as Explain says for the same with texts that are less long, and none
// takes more than a millisecond.
func TestWorstCases(t *testing.T) {
	for _, w := range worstCases() {
		t.Run(w.name, func(t *testing.T) {
			s, r := w.set(t), w.request(w.long)
			if got := agree(t, w.request(min(w.long, 100)), s); got.Outcome != w.want {
				t.Errorf("with shorter texts: Decide = %v, want %v", got.Outcome, w.want)
			}
			best := time.Hour
			for i := 0; i < 3 || i < 500 && best > worstBound; i++ {
				start := time.Now()
				got := Decide(r, s)
				best = min(best, time.Since(start))
				if got.Outcome != w.want || got.Err != nil {
					t.Fatalf("Decide = %+v, want %v", got, w.want)
				}
			}
			t.Log(best)
			if best > worstBound {
				t.Errorf("Decide took %v, want at most %v", best, worstBound)
			}
		})
	}
}

func BenchmarkWorst(b *testing.B) {
	for _, w := range worstCases() {
		b.Run("case="+w.name, func(b *testing.B) {
			s, r := w.set(b), w.request(w.long)
			b.ReportAllocs()
			for b.Loop() {
				if Decide(r, s).Outcome != w.want {
					b.Fatal("wrong decision")
				}
			}
		})
	}
}
