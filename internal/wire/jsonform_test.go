// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

func TestParseJSONRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"text":                       `hello`,
		"a-list":                     `[]`,
		"a-string":                   `"x"`,
		"null":                       `null`,
		"half-an-object":             `{"A":`,
		"a-missing-brace":            `{"A":1`,
		"two-objects":                `{}{}`,
		"a-comma-too-many":           `{"A":1,}`,
		"a-member-twice":             `{"A":1,"A":2}`,
		"a-member-twice-with-escape": `{"A":1,"\u0041":2}`,
		"a-member-twice-deep-inside": `{"A":[{"B":1,"B":2}]}`,
		"a-null-in-a-list":           `{"A":[null]}`,
		"not-utf-8":                  "{\"A\":\"\xff\"}",
		"too-deep":                   strings.Repeat(`{"A":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1),
		"too-many-values":            `{"A":[` + strings.Repeat("1,", MaxParameters) + `1]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseJSON([]byte(body)); awserr.From(err).Code != "SerializationException" {
				t.Errorf("ParseJSON(%.80s) = %v, want SerializationException", body, err)
			}
		})
	}
}

func TestJSONTypes(t *testing.T) {
	one := func(f *Form) string { return f.Required("Key", nil) }
	for _, tt := range []struct {
		name, body string
		read       func(*Form) any
		want       any
		err        string // "": none
	}{
		{"a-string", `{"A":"x"}`, func(f *Form) any { return f.Required("A", nil) }, "x", ""},
		{"a-string-of-digits-is-no-number", `{"A":"1"}`, func(f *Form) any { return f.OptionalInt("A", nil) == nil }, true, "'a' is not an integer"},
		{"a-number-is-no-string", `{"A":1}`, func(f *Form) any { return f.Optional("A", nil) == nil }, true, "'a' is not a string"},
		{"a-fraction-is-no-integer", `{"A":1.5}`, func(f *Form) any { return f.OptionalInt("A", nil) == nil }, true, "'a' is not an integer"},
		{"a-number", `{"A":-7}`, func(f *Form) any { return f.RequiredInt("A", nil) }, int32(-7), ""},
		{"a-truth-value", `{"A":true}`, func(f *Form) any { return f.Bool("A") }, true, ""},
		{"a-string-is-no-truth-value", `{"A":"true"}`, func(f *Form) any { return f.Bool("A") }, false, "'a' is neither true nor false"},
		{"null-is-absent", `{"A":null}`, func(f *Form) any { return f.Optional("A", nil) == nil }, true, ""},
		{"an-object-is-no-string", `{"A":{}}`, func(f *Form) any { return f.Optional("A", nil) == nil }, true, "'a' is not a string"},
		{"a-list-is-no-string", `{"A":["x"]}`, func(f *Form) any { return f.Optional("A", nil) == nil }, true, "'a' is not a string"},
		{"strings", `{"A":["x","y"]}`, func(f *Form) any { return strings.Join(f.RequiredStrings("A", nil, nil), "+") }, "x+y", ""},
		{"no-strings", `{"A":[]}`, func(f *Form) any { return f.RequiredStrings("A", nil, nil) != nil }, true, ""},
		{"a-string-is-no-list", `{"A":""}`, func(f *Form) any { f.OptionalStrings("A", nil, nil); return 0 }, 0, "'a' is not a list"},
		{"an-object-is-no-list", `{"A":{"member":{"1":"x"}}}`, func(f *Form) any { f.OptionalStrings("A", nil, nil); return 0 }, 0, "'a' is not a list"},
		{"numbers-are-no-strings", `{"A":["x",1]}`, func(f *Form) any { f.OptionalStrings("A", nil, nil); return 0 }, 0, "'a' is not a list of strings"},
		{"objects-are-no-strings", `{"A":[{}]}`, func(f *Form) any { f.OptionalStrings("A", nil, nil); return 0 }, 0, "'a' is not a list of strings"},
		{"a-list-in-a-list", `{"A":[["x"]]}`, func(f *Form) any { f.OptionalStrings("A", nil, nil); return 0 }, 0, "'a' has an element"},
		{"structures", `{"A":[{"Key":"x"},{"Key":"y"}]}`, func(f *Form) any { return strings.Join(OptionalList(f, "A", nil, one), "+") }, "x+y", ""},
		{"an-empty-structure-is-an-element", `{"A":[{}]}`, func(f *Form) any { return len(OptionalList(f, "A", nil, one)) }, 1, "'a.1.member.key'"},
		{"strings-are-no-structures", `{"A":["x"]}`, func(f *Form) any { OptionalList(f, "A", nil, one); return 0 }, 0, "'a' is not a list of structures"},
		{"a-structure", `{"A":{"Key":"x"}}`, func(f *Form) any { return RequiredStruct(f, "A", one) }, "x", ""},
		{"an-empty-structure-is-there", `{"A":{}}`, func(f *Form) any { return OptionalStruct(f, "A", one) != nil }, true, "'a.key'"},
		{"a-list-is-no-structure", `{"A":[]}`, func(f *Form) any { OptionalStruct(f, "A", one); return 0 }, 0, "'a' is not a structure"},
		{"a-string-is-no-structure", `{"A":"x"}`, func(f *Form) any { OptionalStruct(f, "A", one); return 0 }, 0, "'a' is not a structure"},
		{"a-name-with-a-dot-is-nobody's", `{"A.Key":"x","A.member.1":"y"}`, func(f *Form) any {
			return OptionalStruct(f, "A", one) == nil && f.OptionalStrings("A", nil, nil) == nil
		}, true, ""},
		{"a-time", `{"A":1767323045.9}`, func(f *Form) any { return f.RequiredTime("A") }, time.Unix(1767323045, 0).UTC(), ""},
		{"no-time", `{}`, func(f *Form) any { return f.OptionalTime("A").IsZero() }, true, ""},
		{"no-required-time", `{}`, func(f *Form) any { return f.RequiredTime("A").IsZero() }, true, "Member must not be null"},
		{"a-time-out-of-this-world", `{"A":1e300}`, func(f *Form) any { return f.OptionalTime("A").IsZero() }, true, "'a' is not a time"},
		{"an-empty-body", ``, func(f *Form) any { return f.Optional("A", nil) == nil }, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ParseJSON([]byte(tt.body))
			if err != nil {
				t.Fatalf("ParseJSON(%s) = %v", tt.body, err)
			}
			if got := tt.read(f); got != tt.want {
				t.Errorf("reading %s = %v, want %v", tt.body, got, tt.want)
			}
			err = f.Err()
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Err() = %v, want …%s…", err, tt.err)
			}
		})
	}
}

func TestViolated(t *testing.T) {
	name, sizes := &Text{Min: 2, Max: 4, Pattern: `[a-z]+`, Enum: []string{"ab", "abc"}}, &Range{Min: 1, Max: 5}
	for body, want := range map[string]Constraint{
		`{"A":"ab","N":5}`: "", `{"N":1}`: NotNull, `{"A":"a"}`: MinLength, `{"A":"abcde"}`: MaxLength, `{"A":"AB"}`: Pattern,
		`{"A":"abd"}`: Enum, `{"A":"ab","N":0}`: MinValue, `{"A":"ab","N":6}`: MaxValue, `{"A":"ab","L":["x"]}`: Element, `{"A":1,"N":6}`: "",
	} {
		f, err := ParseJSON([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		f.Required("A", name)
		f.OptionalInt("N", sizes)
		f.OptionalStrings("L", nil, name)
		got, ok := f.Violated()
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("Violated() of %s = %q, want %q", body, got, want)
		}
		if code := awserr.From(f.Err()); want != "" && code.Code != "ValidationException" {
			t.Errorf("Err() of %s = %v, want ValidationException", body, code)
		}
	}
}

// FuzzJSON: whatever encoding/json takes for an object with distinct members of
// our sizes is taken, and nothing else; and its strings are read as they are.
func FuzzJSON(f *testing.F) {
	f.Add(`{"A":"x","B":[{"Key":"k"}],"C":{"D":null}}`)
	f.Add(`{"A":"\ud83d\ude00","A":1}`)
	f.Fuzz(func(t *testing.T, body string) {
		form, err := ParseJSON([]byte(body))
		var want map[string]any
		if json.Unmarshal([]byte(body), &want) != nil || want == nil {
			if err == nil && strings.TrimSpace(body) != "" {
				t.Fatalf("ParseJSON(%q) took what is no object", body)
			}
			return
		}
		if err != nil {
			return // of more than one kind: ours are stricter
		}
		if !utf8.ValidString(body) {
			t.Fatalf("ParseJSON(%q) took what is not UTF-8", body)
		}
		for name, v := range want {
			if s, ok := v.(string); ok && name != "" && !strings.Contains(name, ".") {
				if got := form.Optional(name, nil); got == nil || *got != s {
					t.Errorf("%q of %q = %v, want %q", name, body, got, s)
				}
			}
		}
		if err := form.Err(); err != nil {
			t.Errorf("Err() = %v", err)
		}
	})
}
