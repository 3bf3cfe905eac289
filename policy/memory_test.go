// SPDX-License-Identifier: Apache-2.0

//go:build !race

package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/managed"
)

// A corpus is documents that are loaded together.
type corpus struct {
	name       string
	kind       Kind
	documents  [][]byte
	statements int
}

// corpora returns the policies of the workloads and the AWS managed policies.
func corpora(tb testing.TB) []corpus {
	tb.Helper()
	var list []corpus
	for _, name := range workloads {
		c := corpus{name: name, kind: Identity}
		if name == "W4" {
			c.kind = Resource
		}
		for _, d := range loadWorkload(tb, name).policies {
			c.documents = append(c.documents, d)
		}
		list = append(list, c)
	}
	aws := corpus{name: "managed", kind: Identity}
	for _, p := range managed.All() {
		aws.documents = append(aws.documents, []byte(p.Document()))
	}
	list = append(list, aws)
	for i := range list {
		for _, d := range list[i].documents {
			parsed, err := Parse(list[i].name, d)
			if err != nil {
				tb.Fatal(err)
			}
			list[i].statements += len(parsed.Statements)
		}
	}
	return list
}

func (c *corpus) load(tb testing.TB) []*Policy {
	policies := make([]*Policy, len(c.documents))
	for i, d := range c.documents {
		policies[i] = compileJSON(tb, c.name, d, c.kind)
	}
	return policies
}

// heap returns the bytes in use that nothing can free.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// resident returns how many bytes of the heap what load makes keeps.
func resident[T any](load func() T) (loaded T, bytes int64) {
	before := heap()
	loaded = load()
	return loaded, heap() - before
}

// BenchmarkLoad reports the time of a statement from JSON to compiled, and the
// memory that it keeps, its share of the Document included.
func BenchmarkLoad(b *testing.B) {
	for _, c := range corpora(b) {
		b.Run("policies="+c.name, func(b *testing.B) {
			kept, bytes := resident(func() []*Policy { return c.load(b) })
			b.ReportAllocs()
			for b.Loop() {
				c.load(b)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.statements), "ns/statement")
			b.ReportMetric(float64(bytes)/float64(c.statements), "B/statement")
			runtime.KeepAlive(kept)
		})
	}
}

// BenchmarkPrincipals decides for a million principals with 20 statements each,
// in 5 of 10,000 policies that they share, and reports the memory of a principal
// and of all.
func BenchmarkPrincipals(b *testing.B) {
	const policies, each = 10_000, 5
	for _, principals := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("principals=%d", principals), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 1))
			sets, bytes := resident(func() []Set {
				shared := make([]*Policy, policies)
				for i := range shared {
					shared[i] = compileJSON(b, "shared", fmt.Appendf(nil, sharedPolicy, i), Identity)
				}
				sets := make([]Set, principals)
				for i := range sets {
					sets[i].Identity = make([]*Policy, each)
					for j := range sets[i].Identity {
						sets[i].Identity[j] = shared[random.IntN(policies)]
					}
				}
				return sets
			})
			r := Request{Principal: alice, Action: "s3:GetObject", ResourceAccount: accountA, Context: map[string]string{"aws:username": "alice"}}
			at, resources := make([]int, 4096), make([]string, 4096)
			for i := range at {
				at[i] = random.IntN(principals)
				var shared struct{ Statement []struct{ Resource string } }
				if err := json.Unmarshal([]byte(sets[at[i]].Identity[each-1].Document().Source), &shared); err != nil {
					b.Fatal(err)
				}
				resources[i] = shared.Statement[0].Resource[:len(shared.Statement[0].Resource)-1] + "key"
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				r.Resource = resources[i]
				if Decide(&r, &sets[at[i]]).Outcome != Allowed {
					b.Fatal("wrong decision")
				}
				if i++; i == len(at) {
					i = 0
				}
			}
			b.ReportMetric(float64(bytes)/float64(principals), "B/principal")
			b.ReportMetric(float64(bytes)/(1<<20), "MiB")
			runtime.KeepAlive(sets)
		})
	}
}

// sharedPolicy has four statements about the buckets of a number.
const sharedPolicy = `{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::data-%[1]d/*"},
	{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::data-%[1]d", "Condition": {"StringLike": {"s3:prefix": "home/*"}}},
	{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home-%[1]d/${aws:username}/*"},
	{"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::data-%[1]d/locked/*"}]}`

// TestLoadedPoliciesAreFreed checks that nothing but their owner keeps compiled
// policies: no cache of the package grows with what was ever loaded.
func TestLoadedPoliciesAreFreed(t *testing.T) {
	all := corpora(t)
	c := &all[slices.IndexFunc(all, func(c corpus) bool { return c.name == "W3" })]
	_, size := resident(func() []*Policy { return c.load(t) })
	if _, left := resident(func() any { c.load(t); return nil }); left > size/10 {
		t.Errorf("%d bytes are left of %d policies that nobody has, which took %d", left, len(c.documents), size)
	}
	t.Logf("%d bytes a statement", size/int64(c.statements))
}
