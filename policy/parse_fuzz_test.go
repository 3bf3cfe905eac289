// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// withoutPositions returns a copy of d that equals that of any document of the
// same meaning, however it is written.
func withoutPositions(d *Document) *Document {
	c := &Document{Version: d.Version, ID: d.ID}
	for _, s := range d.Statements {
		n := Statement{Index: s.Index, Sid: s.Sid, Effect: s.Effect, NotAction: s.NotAction, NotResource: s.NotResource, HasResource: s.HasResource,
			Action: bareValues(s.Action), Resource: bareValues(s.Resource)}
		if p := s.Principal; p != nil {
			n.Principal = &PrincipalBlock{Not: p.Not, Everyone: p.Everyone,
				AWS: bareValues(p.AWS), Service: bareValues(p.Service), Federated: bareValues(p.Federated), Canonical: bareValues(p.Canonical)}
		}
		for _, x := range s.Condition {
			n.Condition = append(n.Condition, Condition{Operator: x.Operator, Key: x.Key, Values: bareValues(x.Values)})
		}
		c.Statements = append(c.Statements, n)
	}
	return c
}

func bareValues(list []Value) []Value {
	if list == nil {
		return nil
	}
	out := make([]Value, len(list))
	for i, v := range list {
		out[i].Text = v.Text
	}
	return out
}

func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/parse.txt")
	if err != nil {
		f.Fatal(err)
	}
	for block := range strings.SplitSeq(string(data), "\n=== ") {
		_, text, _ := strings.Cut(block, "\n")
		text, _, _ = strings.Cut(text, "--- want")
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Deny","NotPrincipal":{"AWS":["*","111122223333"]},"NotAction":[],` +
		`"Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"ForAllValues:StringLike":{"a:b":[1,true,"\u00e9\n"]}}}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := Parse("fuzz", src)
		if json.Valid(src) != (len(Problems(err)) == 0 || !isForm(Problems(err)[0].Code)) && len(src) < MaxSize {
			// encoding/json takes broken UTF-8 and deep nesting, nothing else.
			if c := Problems(err); len(c) == 0 || c[0].Code == InvalidJSON && !strings.Contains(c[0].Message, "surrogate") {
				t.Errorf("Parse(%q) = %v, encoding/json says valid = %v", src, err, json.Valid(src))
			}
		}
		if err != nil {
			checkPositions(t, src, Problems(err))
			return
		}
		var b bytes.Buffer
		if err := d.Print(&b); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) {
			t.Fatalf("Print of %q is not JSON: %s", src, b.Bytes())
		}
		again, err := Parse("again", b.Bytes())
		if err != nil {
			t.Fatalf("Parse(%s), printed from %q: %v", b.Bytes(), src, err)
		}
		if got, want := withoutPositions(again), withoutPositions(d); !reflect.DeepEqual(got, want) {
			t.Errorf("Print of %q changed it\ngot  %+v\nwant %+v", src, got, want)
		}
		for kind := Identity; kind <= Endpoint; kind++ {
			if err := d.Validate(kind); err != nil {
				checkPositions(t, src, Problems(err))
				if AWSMessage(err, kind) == "" {
					t.Errorf("AWSMessage(%v, %v) is empty", err, kind)
				}
			} else if _, err := Compile(d, kind); err != nil {
				t.Errorf("Validate(%v) accepts %q, Compile does not: %v", kind, src, err)
			}
		}
	})
}

func isForm(code Code) bool { return code == InvalidJSON || code == InvalidUTF8 || code == TooDeep }

// checkPositions fails unless every problem lies within the text and they are in order.
func checkPositions(t *testing.T, src []byte, problems []Problem) {
	t.Helper()
	lines := bytes.Split(src, []byte("\n"))
	last := Position{}
	for _, p := range problems {
		if p.Pos.Line < 1 || p.Pos.Line > len(lines) || p.Pos.Column < 1 || p.Pos.Column > len(lines[p.Pos.Line-1])+1 {
			t.Errorf("problem outside of %q: %+v", src, p)
		}
		if p.Pos.compare(last) < 0 || p.Message == "" || p.Code == "" {
			t.Errorf("problems of %q are out of order or empty: %+v", src, problems)
		}
		last = p.Pos
	}
	if len(problems) == 0 {
		t.Errorf("no problems for %q", src)
	}
}
