// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// doc parses a document of statements.
func doc(t testing.TB, statements ...string) *policy.Document {
	t.Helper()
	d, err := policy.Parse("test", []byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	getObject   = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
	denyS3      = `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`
	onlyOnA     = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"}`
	conditional = `,"Condition":{"StringEquals":{"aws:username":"nobody"}}}`
)

// TestReach: the services that policies let somebody use. The cases of one level
// are those recorded on AWS, and what follows from its documents (quirk Q072).
func TestReach(t *testing.T) {
	for _, tt := range []struct {
		name   string
		levels [][]string
		want   string
	}{
		{"nothing", [][]string{{}}, ""},
		{"an-allow", [][]string{{getObject}}, "s3"},
		{"in-capitals", [][]string{{`{"Effect":"Allow","Action":"S3:GETOBJECT","Resource":"*"}`}}, "s3"},
		{"a-deny-alone", [][]string{{denyS3}}, ""},
		{"an-allow-and-a-deny", [][]string{{getObject, denyS3}}, ""},
		{"an-allow-with-a-condition", [][]string{{strings.TrimSuffix(getObject, "}") + conditional}}, "s3"},
		{"a-deny-with-a-condition", [][]string{{getObject, strings.TrimSuffix(denyS3, "}") + conditional}}, "s3"},
		{"an-action-that-is-not-known", [][]string{{`{"Effect":"Allow","Action":"s3:Frobnicate","Resource":"*"}`}}, ""},
		{"a-service-that-is-not-known", [][]string{{`{"Effect":"Allow","Action":"frob:*","Resource":"*"}`}}, ""},
		{"a-resource-of-another-service", [][]string{{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:iam::1:user/x"}`}}, ""},
		{"an-action-without-resources-on-an-arn", [][]string{{`{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::a"}`}}, ""},
		{"all-but-everything", [][]string{{`{"Effect":"Allow","Action":"s3:GetObject","NotResource":"*"}`}}, ""},
		{"pass-role-alone", [][]string{{`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`}}, "iam"},
		{"a-deny-elsewhere", [][]string{{getObject, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::a/*"}`}}, "s3"},
		{"a-deny-of-just-that", [][]string{{onlyOnA, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::a*"}`}}, ""},
		{"a-deny-of-all-but-another", [][]string{{onlyOnA, `{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}`}}, ""},
		{"a-deny-of-all-but-that", [][]string{{onlyOnA, `{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::a/x"}`}}, "s3"},
		{"a-deny-with-a-question-mark", [][]string{{onlyOnA, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::a/?"}`}}, "s3"},
		{"an-allow-with-a-variable", [][]string{{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}/*"}`}}, "s3"},
		{"a-deny-with-a-variable", [][]string{{onlyOnA, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}/*"}`}}, "s3"},
		{"a-deny-of-other-actions", [][]string{{getObject, `{"Effect":"Deny","NotAction":"s3:GetObject","Resource":"*"}`}}, "s3"},
		{"levels-that-agree", [][]string{{`{"Effect":"Allow","Action":"*","Resource":"*"}`}, {`{"Effect":"Allow","Action":["sqs:*","s3:*"],"Resource":"*"}`}, {onlyOnA}}, "s3"},
		{"levels-that-agree-on-nothing", [][]string{{onlyOnA}, {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`}}, ""},
		{"a-level-without-policies", [][]string{{getObject}, {}}, ""},
		{"a-deny-at-another-level", [][]string{{getObject, denyS3}, {getObject}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var levels [][]*policy.Document
			for _, level := range tt.levels {
				var docs []*policy.Document
				for _, s := range level {
					docs = append(docs, doc(t, s))
				}
				levels = append(levels, docs)
			}
			if got := strings.Join(reached(newReach(levels...)), " "); got != tt.want {
				t.Errorf("services = %q, want %q", got, tt.want)
			}
		})
	}
}

// reached returns the prefixes of the services within reach.
func reached(r *reach) []string {
	var list []string
	for service := range catalog.Services() {
		if len(r.actions(service, true)) > 0 {
			list = append(list, service.Prefix)
		}
	}
	return list
}

func TestReachOfEverything(t *testing.T) {
	every := 0
	for service := range catalog.Services() {
		for range service.Actions() {
			every++
			break
		}
	}
	all := doc(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	if got := len(reached(newReach([]*policy.Document{all}))); got != every {
		t.Errorf("* reaches %d services, want %d", got, every)
	}
	if got := len(reached(newReach())); got != every {
		t.Errorf("no levels at all reach %d services, want %d", got, every)
	}
	but := reached(newReach([]*policy.Document{doc(t, `{"Effect":"Allow","NotAction":["s3:*","sqs:SendMessage"],"Resource":"*"}`)}))
	if len(but) != every-1 || slices.Contains(but, "s3") || !slices.Contains(but, "sqs") {
		t.Errorf("all but s3:* reaches %d services, want %d, sqs among them and s3 not", len(but), every-1)
	}
}

// TestGrants: whether a policy alone grants a service (quirk Q073).
func TestGrants(t *testing.T) {
	for _, tt := range []struct {
		name       string
		statements []string
		want       bool
	}{
		{"an-allow", []string{getObject}, true},
		{"an-allow-of-another-service", []string{`{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`}, false},
		{"an-action-that-is-not-known", []string{`{"Effect":"Allow","Action":"s3:Frobnicate","Resource":"*"}`}, true},
		{"a-deny-of-that-action", []string{getObject, `{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`}, true},
		{"a-deny-of-the-service", []string{getObject, denyS3}, false},
		{"a-deny-of-everything", []string{getObject, `{"Effect":"Deny","Action":"*","Resource":"*"}`}, false},
		{"a-deny-of-the-service-somewhere", []string{getObject, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::*"}`}, true},
		{"a-deny-with-a-condition", []string{getObject, strings.TrimSuffix(denyS3, "}") + conditional}, true},
		{"all-but-the-service", []string{`{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`}, false},
		{"all-but-another", []string{`{"Effect":"Allow","NotAction":"sqs:*","Resource":"*"}`}, true},
		{"a-resource-of-another-service", []string{`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:iam::1:user/x"}`}, false},
		{"nothing-but-nothing", []string{`{"Effect":"Allow","Action":"s3:*","NotResource":"*"}`}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s3, _ := catalog.Lookup("s3")
			if got := grants(doc(t, tt.statements...), s3); got != tt.want {
				t.Errorf("grants s3 = %t, want %t", got, tt.want)
			}
		})
	}
}

// TestOverlap compares overlap and covers with all short texts.
func TestOverlap(t *testing.T) {
	texts := []string{""}
	for i := 0; len(texts[i]) < 7; i++ {
		texts = append(texts, texts[i]+"a", texts[i]+"b")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	pattern := func() string {
		var b strings.Builder
		for range rng.IntN(5) {
			b.WriteByte("aab*?"[rng.IntN(5)])
		}
		return b.String()
	}
	for range 5000 {
		p, q := pattern(), pattern()
		common, apart := false, false
		for _, s := range texts {
			inP, inQ := arn.Match(p, s), arn.Match(q, s)
			common = common || inP && inQ
			apart = apart || inQ && !inP
		}
		if got := overlap(p, q); got != common {
			t.Fatalf("overlap(%q, %q) = %t, want %t", p, q, got, common)
		}
		if covers(p, q) && apart {
			t.Fatalf("covers(%q, %q), but it does not", p, q)
		}
	}
}

// BenchmarkReach is the work of one job.
func BenchmarkReach(b *testing.B) {
	for name, statement := range map[string]string{
		"policy=administrator": `{"Effect":"Allow","Action":"*","Resource":"*"}`,
		"policy=reader":        `{"Effect":"Allow","Action":["s3:Get*","s3:List*","iam:Get*","iam:List*"],"Resource":["arn:aws:s3:::a/*","arn:aws:iam::*:user/*"]}`,
	} {
		for _, first := range []bool{true, false} {
			level := map[bool]string{true: "service", false: "action"}[first]
			b.Run(name+"/level="+level, func(b *testing.B) {
				d := doc(b, statement)
				b.ReportAllocs()
				for b.Loop() {
					r := newReach([]*policy.Document{d})
					for service := range catalog.Services() {
						r.actions(service, first)
					}
				}
			})
		}
	}
}
