// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

func TestYAML(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain-scalars-keep-their-text", "a: b c\nd: 2012-10-17\ne: 203.0.113.7\nf: 12:30:45\ng: 2012-10-17T00:00:00Z", `{"a":"b c","d":"2012-10-17","e":"203.0.113.7","f":"12:30:45","g":"2012-10-17T00:00:00Z"}`},
		{"numbers-json-can-write-stay-numbers", "a: 15\nb: -1.5\nc: 1.5e3\nd: 1.50", `{"a":15,"b":-1.5,"c":1.5e3,"d":1.50}`},
		{"numbers-json-cannot-write-are-strings", "a: 012345678901\nb: 0x1F\nc: 1_000\nd: +5\ne: .inf\nf: .nan\ng: 0o17\nh: .5", `{"a":"012345678901","b":"0x1F","c":"1_000","d":"+5","e":".inf","f":".nan","g":"0o17","h":".5"}`},
		{"twelve-digits-without-a-leading-zero-are-a-number", "a: 111122223333", `{"a":111122223333}`},
		{"quoted-numbers-are-strings", `a: "111122223333"` + "\nb: '012'", `{"a":"111122223333","b":"012"}`},
		{"true-and-false-in-three-spellings", "a: true\nb: True\nc: FALSE", `{"a":true,"b":true,"c":false}`},
		{"yes-no-on-off-are-strings", "a: yes\nb: no\nc: on\nd: off\ne: y", `{"a":"yes","b":"no","c":"on","d":"off","e":"y"}`},
		{"null-in-every-spelling", "a: null\nb: ~\nc: NULL\nd:\ne: ''", `{"a":null,"b":null,"c":null,"d":null,"e":""}`},
		{"keys-are-strings", "1: a\n012: b\ntrue: c\nnull: d\n'e f': g\n\"h\\ti\": j", `{"1":"a","012":"b","true":"c","null":"d","e f":"g","h\ti":"j"}`},
		{"flow-collections", "a: {b: [1, 'x', {c: d}], e: {}}\nf: []", `{"a":{"b":[1,"x",{"c":"d"}],"e":{}},"f":[]}`},
		{"flow-over-lines-with-a-trailing-comma", "a: [1,\n 2,\n]\nb: {\n  c: d,\n}", `{"a":[1,2],"b":{"c":"d"}}`},
		{"json-is-yaml", `{"a": ["b", 1, true, null], "c": {"d": "e"}}`, `{"a":["b",1,true,null],"c":{"d":"e"}}`},
		{"sequences-in-sequences", "- - a\n  - b\n- - c", `[["a","b"],["c"]]`},
		{"a-sequence-not-indented-under-its-key", "a:\n- b\n- c: d\n  e: f\ng: h", `{"a":["b",{"c":"d","e":"f"}],"g":"h"}`},
		{"literal-block", "a: |\n  x\n   y\n\n  z\nb: c", `{"a":"x\n y\n\nz\n","b":"c"}`},
		{"literal-block-stripped", "a: |-\n  x\n  y\n", `{"a":"x\ny"}`},
		{"folded-block", "a: >-\n  x\n  y\nb: c", `{"a":"x y","b":"c"}`},
		{"policy-document-in-a-block-is-a-string", "a: |\n  {\"Version\": \"2012-10-17\"}\n", `{"a":"{\"Version\": \"2012-10-17\"}\n"}`},
		{"quoted-over-lines", "a: \"x\n  y\"\nb: 'c\n\n  d'", `{"a":"x y","b":"c\nd"}`},
		{"escapes", `a: "\u00e9\x41\n\t\"\\"` + "\nb: 'it''s'", `{"a":"éA\n\t\"\\","b":"it's"}`},
		{"comments", "# top\na: b # end\n# between\nc: 'd#e' # f\ng: h#i\n", `{"a":"b","c":"d#e","g":"h#i"}`},
		{"aliases-of-scalars-lists-and-maps", "a: &x 1\nb: &y [p, q]\nc: &z {r: s}\nd: [*x, *y, *z]", `{"a":1,"b":["p","q"],"c":{"r":"s"},"d":[1,["p","q"],{"r":"s"}]}`},
		{"a-later-anchor-of-the-name-wins", "a: &x 1\nb: *x\nc: &x 2\nd: *x", `{"a":1,"b":1,"c":2,"d":2}`},
		{"an-anchor-before-a-block", "a: &x\n  b: c\nd: *x", `{"a":{"b":"c"},"d":{"b":"c"}}`},
		{"windows-line-ends", "a: b\r\nc:\r\n  - d\r\ne: |\r\n  f\r\n  g\r\n", `{"a":"b","c":["d"],"e":"f\ng\n"}`},
		{"byte-order-mark", "\ufeffa: b", `{"a":"b"}`},
		{"document-marks", "%YAML 1.2\n---\na: b\n...\n", `{"a":"b"}`},
		{"dots-in-keys-do-not-clash", "\"a.b\": 1\na:\n  b: 2", `{"a.b":1,"a":{"b":2}}`},
		{"variables-and-stars-in-quotes", `a: "${aws:username}/*"` + "\nb: s3:Get*\nc: arn:aws:s3:::b/*", `{"a":"${aws:username}/*","b":"s3:Get*","c":"arn:aws:s3:::b/*"}`},
		{"one-scalar", "a", `"a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, _, err := yamlToJSON([]byte(tt.in))
			if err != nil {
				t.Fatalf("yamlToJSON(%q): %v", tt.in, err)
			}
			var got bytes.Buffer
			if err := json.Compact(&got, out); err != nil {
				t.Fatalf("yamlToJSON(%q) = %s, no JSON: %v", tt.in, out, err)
			}
			if got.String() != tt.want {
				t.Errorf("yamlToJSON(%q) = %s, want %s", tt.in, &got, tt.want)
			}
		})
	}
}

func TestYAMLFaults(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [" + strings.Repeat("x, ", 9) + "x]\n")
	for i := range 12 {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "1:1: the file is empty"},
		{"only-comments", "# nothing\n", "1:1: the file is empty"},
		{"two-documents", "a: 1\n---\nb: 1\n", "3:1: one YAML document is expected, this begins another"},
		{"duplicate-key", "a: 1\nb: 2\na: 3", `3:1: the key "a" stands in line 1 already`},
		{"duplicate-key-in-flow", "x: {a: 1, a: 2}", `1:11: the key "a" stands in line 1 already`},
		{"duplicate-key-in-other-quotes", "a: 1\n'a': 2", `2:1: the key "a" stands in line 1 already`},
		{"duplicate-key-in-a-list-item", "x:\n  - a: 1\n    a: 2", `3:5: the key "a" stands in line 2 already`},
		{"tab-for-indentation", "a:\n\tb: 1", "2:1: found character '\t' that cannot start any token"},
		{"unclosed-bracket", "a: [1, 2", "1:4: "},
		{"unclosed-quote", "a: b\nc: \"d", "2:4: "},
		{"second-colon", "a: b: c", "1:4: mapping value is not allowed in this context"},
		{"reserved-at-sign", "a: @x", "1:4: '@' is a reserved character"},
		{"star-without-quotes-is-an-alias", "Resource: *", "1:"},
		{"unknown-alias", "a: 1\nb: *nope", "2:4: there is no anchor &nope before this alias"},
		{"alias-of-itself", "a: &x [*x]", "1:8: there is no anchor &x before this alias"},
		{"alias-bomb", bomb.String(), "with its aliases the file is too large"},
		{"alias-bomb-of-a-long-string", "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a, ", 1000) + "]", "with its aliases the file is too large"},
		{"merge-key", "a: &x {b: 1}\nc:\n  <<: *x", "3:3: merge keys are not supported"},
		{"tag", "a: !!str 12", "1:4: tags are not supported"},
		{"own-tag", "a: !Sub x", "1:4: tags are not supported"},
		{"complex-key", "? [a, b]\n: c", "1:1: a key must be on one line, before its colon"},
		{"list-as-key", "[a]: b", "1:"},
		{"alias-as-key", "a: &x b\n*x : c", "2:1: a key must be a string"},
		{"two-anchors", "a: &x &y b", "1:7: a value has one anchor at most"},
		{"not-utf-8", "a: b\ncé\xff: d", "2:3: this is not UTF-8"},
		{"zero-byte", "a: b\x00", "1:1: the file holds a zero byte"},
		{"half-a-surrogate-pair", `a: "\ud800"`, "1:"},
		{"deep-flow", strings.Repeat("[", 100_000), "1:65: nested too deeply"},
		{"deep-flow-mappings", strings.Repeat("{a: ", 100_000), "nested too deeply"},
		{"deep-dashes", strings.Repeat("- ", 100_000), "1:513: nested too deeply"},
		{"deep-dashes-within-the-indentation", strings.Repeat("- ", 200) + "a", "nested too deeply"},
		{"many-tags", strings.Repeat("!a ", 100_000), "1:1: tags are not supported"},
		{"many-question-marks", strings.Repeat("? ", 100_000), "1:1: a key"},
		{"huge", "a: " + strings.Repeat("b", maxYAML), "1:1: the file is larger than 4 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			started := time.Now()
			out, _, err := yamlToJSON([]byte(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("yamlToJSON(%.60q) = %.60q, error %v, want %q", tt.in, out, err, tt.want)
			}
			if _, ok := errors.AsType[*yamlFault](err); !ok {
				t.Errorf("yamlToJSON(%.60q): error %T, want a *yamlFault", tt.in, err)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("yamlToJSON(%.60q) took %v", tt.in, took)
			}
		})
	}
}

// TestYAMLLines holds that each string of the JSON is on its line of the YAML,
// and mappings in their column unless the line before them is denser in YAML.
func TestYAMLLines(t *testing.T) {
	const in = `# access tests
policies:
  readers:
    Version: "2012-10-17"
    Statement:
      - Sid: one
        Effect: Allow

      - Sid: two   # the second
        "Condition": {StringLike: {"s3:prefix": three}}
cases:
  - name: four
    text: |
      over
      lines
    identity: [five, {Sid: six}]
`
	out, from, err := yamlToJSON([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	lines, want := strings.Split(string(out), "\n"), strings.Split(in, "\n")
	for _, word := range []string{"policies", "one", "Allow", "two", "three", "four", "five", "six"} {
		at := func(lines []string) int {
			for i, line := range lines {
				if strings.Contains(line, word) {
					return i + 1
				}
			}
			return 0
		}
		if got, want := at(lines), at(want); got != want {
			t.Errorf("%s is on line %d of the JSON, want %d", word, got, want)
		}
		line := at(lines)
		column := strings.Index(lines[line-1], `"`+word) + 1
		got := from.in(policy.Position{Line: line, Column: column})
		wantColumn := strings.Index(want[line-1], word) + 1
		if word == "three" { // it comes after what it is looked for by
			wantColumn = strings.LastIndex(want[line-1], word) + 1
		}
		if got != (policy.Position{Line: line, Column: wantColumn}) {
			t.Errorf("places.in(%d:%d) = %v for %s, want %d:%d", line, column, got, word, line, wantColumn)
		}
	}
	for _, line := range []int{6, 9} {
		if got, want := strings.Index(lines[line-1], "{"), strings.Index(want[line-1], "Sid"); got != want {
			t.Errorf("line %d: the statement begins in column %d, want %d", line, got+1, want+1)
		}
	}
}

func TestPlaces(t *testing.T) {
	from := places{{1, 1, 1, 1}, {2, 5, 2, 3}, {2, 9, 2, 6}, {4, 1, 4, 1}}
	for _, tt := range []struct{ pos, want policy.Position }{
		{policy.Position{Line: 2, Column: 5}, policy.Position{Line: 2, Column: 3}},
		{policy.Position{Line: 2, Column: 11}, policy.Position{Line: 2, Column: 8}},
		{policy.Position{Line: 3, Column: 1}, policy.Position{Line: 2, Column: 6}},
		{policy.Position{Line: 5, Column: 1}, policy.Position{Line: 4, Column: 1}},
	} {
		if got := from.in(tt.pos); got != tt.want {
			t.Errorf("in(%v) = %v, want %v", tt.pos, got, tt.want)
		}
	}
	if got, want := places(nil).in(policy.Position{Line: 3, Column: 4}), (policy.Position{Line: 3, Column: 4}); got != want {
		t.Errorf("in(3:4) of no places = %v, want 3:4", got)
	}
}

// TestPlacesOfFlowStyle has statements behind each other in one line, where the
// JSON is longer than the YAML.
func TestPlacesOfFlowStyle(t *testing.T) {
	const in = `cases:
  - {name: x, principal: anonymous, action: "s3:Get", resource: "*", expect: deny,
     identity: [{Version: "2012-10-17", Statement: [{Sid: One, Effect: Allow, Action: "*", Resource: "*"}, {Sid: Two, Effect: Deny, Action: "*", Resource: "*"}]}]}
`
	data, from, err := yamlToJSON([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	f, err := policytest.Source{Name: "f.yaml", Place: from.in}.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Split(in, "\n")[2]
	for i, s := range f.Cases[0].Set.Identity[0].Document().Statements {
		begin := strings.Index(line, "{Sid: "+s.Sid) + 1
		end := begin + strings.Index(line[begin:], "}") + 2
		if s.Start != (policy.Position{Line: 3, Column: begin}) || s.End != (policy.Position{Line: 3, Column: end}) {
			t.Errorf("statement %d from %v to %v, want 3:%d to 3:%d", i, s.Start, s.End, begin, end)
		}
	}
}

// FuzzYAML holds that every text becomes valid JSON or a fault within the text,
// and that the JSON means what the YAML library decodes.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"policies:\n  a: {Version: \"2012-10-17\"}\ncases:\n  - name: x\n    expect: allow\n", "a: &x [1, 'b']\nc: *x\n",
		"a: |\n  b\n  c\n", "a: >-\n  b\n\n  c\nd: ~", "- - 1\n  - -2.5e3\n- yes\n", "\"a\\n\": 'b''c'\n# d\n", "a: b\r\nc: d\r\n",
		"a: 012\nb: 0x1F\nc: .inf\nd: 1_000\n", "%YAML 1.2\n---\na: b\n...\n", "? a\n: b\n", "<<: {a: b}", "a: !!str 1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, from, err := yamlToJSON([]byte(in))
		if err != nil {
			fault, ok := errors.AsType[*yamlFault](err)
			if !ok || fault.line < 1 || fault.column < 1 || fault.line > 1+strings.Count(in, "\n")+strings.Count(in, "\r") {
				t.Fatalf("yamlToJSON(%q): %v, a %T; want a fault within the text", in, err, err)
			}
			return
		}
		dec := json.NewDecoder(bytes.NewReader(out))
		dec.UseNumber()
		var got, want any
		if err := dec.Decode(&got); err != nil || !json.Valid(out) {
			t.Fatalf("yamlToJSON(%q) = %q, no JSON: %v", in, out, err)
		}
		for i := 1; i < len(from); i++ {
			a, b := from[i-1], from[i]
			if a.jsonLine > b.jsonLine || a.jsonLine == b.jsonLine && a.jsonColumn > b.jsonColumn {
				t.Fatalf("yamlToJSON(%q): places %v are not in order", in, from)
			}
		}
		if err := yaml.Unmarshal([]byte(strings.TrimPrefix(in, "\ufeff")), &want); err != nil {
			return // it refuses more, such as numbers that are too large
		}
		if !sameMeaning(got, want) {
			t.Errorf("yamlToJSON(%q) = %s, want what decodes to %#v", in, out, want)
		}
	})
}

// sameMeaning compares decoded JSON with decoded YAML. Numbers may be strings in
// the JSON, and keys that are no strings in the YAML have another form there.
func sameMeaning(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok || len(got) < len(want) {
			return false
		}
		if len(got) > len(want) {
			return true // keys such as 0 and 0x0 are one there
		}
		for k, v := range got {
			if w, ok := want[k]; ok && !sameMeaning(v, w) {
				return false
			}
		}
		return true
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return false
		}
		for i := range got {
			if !sameMeaning(got[i], want[i]) {
				return false
			}
		}
		return true
	case string, bool, nil:
		return got == want
	}
	number, ok := got.(json.Number)
	if !ok {
		_, ok := got.(string)
		return ok
	}
	a, errA := strconv.ParseFloat(number.String(), 64)
	b, errB := strconv.ParseFloat(fmt.Sprint(want), 64)
	return errA != nil || errB != nil || a == b
}
