// SPDX-License-Identifier: Apache-2.0

package form

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// newReader returns a Reader whose problems are added to the list.
func newReader(src string, problems *[]string) *Reader {
	r := &Reader{Reader: jsontext.NewReader(src, func(string, jsontext.Position, jsontext.Position) {}), Source: src}
	r.Path.Push("Action", 0)
	r.Wrong = func(pos jsontext.Position, fix, message string) {
		*problems = append(*problems, fmt.Sprintf("%d:%d %s %s (%s)", pos.Line, pos.Column, r.Path, message, fix))
	}
	return r
}

func TestValues(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		scalars   bool
		want      string // the values
		problem   string
		broken    bool
	}{
		{"one", `"a"`, false, "a@1:1", "", false},
		{"several", `["a", "b"]`, false, "a@1:2 b@1:7", "", false},
		{"none", `[]`, false, "", "", false},
		{"scalars", `[1.50, true, "x"]`, true, "1.50@1:2 true@1:8 x@1:14", "", false},
		{"a-number-where-there-are-none", `7`, false, "", `1:1 Action Action must be a string or an array of strings, not a number (write "7")`, false},
		{"a-number-in-a-list", `["a", 7]`, false, "a@1:2", `1:7 Action[1] Action must be a string, not a number (write "7")`, false},
		{"an-object", `{}`, true, "", `1:1 Action Action must be a string, a number, a boolean or an array of them, not an object ()`, false},
		{"a-list-in-a-list", `[["a"]]`, true, "", `1:2 Action[0] Action must be a string, a number or a boolean, not an array ()`, false},
		{"broken", `["a", `, false, "a@1:2", "", true},
		{"broken-text", `"a`, false, "", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var problems, values []string
			r := newReader(tc.src, &problems)
			ok := r.Values(tc.scalars, func(text string, pos jsontext.Position) {
				values = append(values, fmt.Sprintf("%s@%d:%d", text, pos.Line, pos.Column))
			})
			if got := strings.Join(values, " "); got != tc.want || ok == tc.broken || strings.Join(problems, "|") != tc.problem {
				t.Errorf("Values of %s = %q, %v with %q, want %q, %v with %q", tc.src, got, ok, problems, tc.want, !tc.broken, tc.problem)
			}
			if ok && r.Path.String() != "Action" {
				t.Errorf("Values leaves the path %s, want Action", r.Path)
			}
		})
	}
}

func TestOneString(t *testing.T) {
	for src, want := range map[string]string{`"a"`: "a true []", `[1]`: " true [1:1 Action Action must be a string, not an array ()]", `"`: " false []"} {
		var problems []string
		text, ok := newReader(src, &problems).OneString()
		if got := fmt.Sprint(text, " ", ok, " ", problems); got != want {
			t.Errorf("OneString of %s = %s, want %s", src, got, want)
		}
	}
}

func TestNotDocument(t *testing.T) {
	for src, want := range map[string]string{
		`"{\"Version\": 1}"`: "the document is quoted as a string (remove the quotes around it, and the backslashes)",
		`"text"`:             "the document must be an object, not a string ()",
		`[]`:                 `the document must be an object, not an array (write {"Version": "2012-10-17", "Statement": [...]})`,
		`7`:                  "the document must be an object, not a number ()",
	} {
		var problems []string
		r := newReader(src, &problems)
		r.Done()
		if r.NotDocument(r.Peek()); !slices.Equal(problems, []string{"1:1  " + want}) {
			t.Errorf("NotDocument of %s reports %q, want %q", src, problems, want)
		}
	}
}
