// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// A goldenCase is a text and what is said of it.
type goldenCase struct{ name, text, want string }

// golden runs answer on each case of a file of testdata: a preface, then cases
// of "=== name", text, "--- want" and the wanted answer. With -update it writes
// the answers instead.
func golden(t *testing.T, file string, answer func(t *testing.T, c goldenCase) string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	preface, rest, _ := strings.Cut(string(data), "=== ")
	var b strings.Builder
	b.WriteString(preface)
	seen := make(map[string]bool)
	for block := range strings.SplitSeq(rest, "\n=== ") {
		var c goldenCase
		c.name, c.text, _ = strings.Cut(block, "\n")
		var found bool
		if c.text, c.want, found = strings.Cut(c.text, "--- want\n"); !found || seen[c.name] {
			t.Fatalf("%s: case %q has no answer or comes twice", file, c.name)
		}
		seen[c.name] = true
		c.text, c.want = strings.TrimSuffix(c.text, "\n"), strings.TrimSpace(c.want)
		t.Run(c.name, func(t *testing.T) {
			got := strings.TrimSpace(answer(t, c))
			if got != c.want && !*update {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", c.text, got, c.want)
			}
			fmt.Fprintf(&b, "=== %s\n%s\n--- want\n%s\n\n", c.name, c.text, got)
		})
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimSuffix(b.String(), "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// describe writes problems for a golden file.
func describe(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%d:%d %s %s: %s", p.Pos.Line, p.Pos.Column, p.Path, p.Code, p.Message)
		if p.Fix != "" {
			fmt.Fprintf(&b, " (%s)", p.Fix)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestParseProblems(t *testing.T) {
	golden(t, "parse.txt", func(t *testing.T, c goldenCase) string {
		d, err := Parse(c.name, []byte(c.text))
		bad, ok := errors.AsType[*ParseError](err)
		if !ok || d != nil {
			t.Fatalf("Parse = %v, %v, want a *ParseError", d, err)
		}
		if bad.Name != c.name || len(bad.Problems) == 0 {
			t.Errorf("error has name %q and %d problems", bad.Name, len(bad.Problems))
		}
		return describe(bad.Problems)
	})
}

func TestParseErrorText(t *testing.T) {
	_, err := Parse("bucket.json", []byte("{\n \"Statement\": {\"Effect\": \"allow\", \"Sids\": \"x\"}}"))
	const want = `bucket.json:2:26: Effect must be Allow or Deny, not "allow" (write "Allow")
bucket.json:2:35: unknown element "Sids" (did you mean "Sid"?)`
	if err == nil || err.Error() != want {
		t.Errorf("Error() = %v, want %s", err, want)
	}
	_, err = Parse("", []byte("{}"))
	if want := `1:1: Statement is missing (add "Statement": [...])`; err == nil || err.Error() != want {
		t.Errorf("Error() without a name = %v, want %s", err, want)
	}
}

func TestParseUnreadableText(t *testing.T) {
	tests := []struct {
		name, src string
		pos       Position
		code      Code
		message   string
	}{
		{"latin-1-byte", "{\n \"Id\": \"caf\xe9\"}", Position{2, 12}, InvalidUTF8, "the byte 0xe9 is not UTF-8"},
		{"cut-character", "{\"Id\": \"\xe2\x82", Position{1, 9}, InvalidUTF8, "the byte 0xe2 is not UTF-8"},
		{"replacement-character-before-it", "{\"Id\": \"\ufffd\xff\"}", Position{1, 12}, InvalidUTF8, "the byte 0xff is not UTF-8"},
		{"overlong-form", "\xc0\xaf", Position{1, 1}, InvalidUTF8, "the byte 0xc0 is not UTF-8"},
		{"utf-16", "\xff\xfe{\x00}\x00", Position{1, 1}, InvalidUTF8, "the text is UTF-16"},
		{"byte-order-mark", "\ufeff{}", Position{1, 1}, InvalidJSON, "the text begins with a byte order mark"},
		{"tab-in-a-string", "{\"Id\": \"a\tb\"}", Position{1, 10}, InvalidJSON, "a tab in a string"},
		{"nul-in-a-string", "{\"Id\": \"a\x00b\"}", Position{1, 10}, InvalidJSON, "the control character U+0000 in a string"},
		{"nul-between-values", "{\x00}", Position{1, 2}, InvalidJSON, `"\x00" where a name in double quotes should be`},
		{"form-feed", "\f{}", Position{1, 1}, InvalidJSON, `"\f" where a value should be`},
		{"next-line-space", "{\u0085}", Position{1, 2}, InvalidJSON, `"\u0085" where a name in double quotes should be`},
		{"ends-in-an-escape", `{"Id": "\`, Position{1, 9}, InvalidJSON, "the text ends after a backslash"},
		{"ends-in-a-unicode-escape", `{"Id": "\u00`, Position{1, 9}, InvalidJSON, `\u needs four hexadecimal digits`},
		{"ends-after-a-name", `{"Id"`, Position{1, 6}, InvalidJSON, `the name "Id" has no value`},
		{"ends-after-a-colon", `{"Id":`, Position{1, 7}, InvalidJSON, "the end of the text where a value should be"},
		{"ends-after-a-brace", `{`, Position{1, 2}, InvalidJSON, "the object that starts at 1:1 is not closed"},
		{"carriage-returns", "{\r\n\r\n x}", Position{3, 2}, InvalidJSON, `the name "x" is not in double quotes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("", []byte(tt.src))
			problems := Problems(err)
			if len(problems) != 1 {
				t.Fatalf("Parse(%q) = %v, want one problem", tt.src, err)
			}
			p := problems[0]
			if p.Pos != tt.pos || p.Code != tt.code || p.Message != tt.message {
				t.Errorf("Parse(%q) = %v %s %q, want %v %s %q", tt.src, p.Pos, p.Code, p.Message, tt.pos, tt.code, tt.message)
			}
		})
	}
}

func TestParseDocument(t *testing.T) {
	const src = `{
  "Version": "2012-10-17",
  "Id": "caf\u00e9",
  "Statement": [
    {
      "Sid": "One",
      "Effect": "Allow",
      "Principal": {"AWS": ["111122223333", "*"], "Service": "ec2.amazonaws.com"},
      "Action": "s3:GetObject",
      "Resource": ["*", "arn:aws:s3:::b/\u002a"],
      "Condition": {"StringEquals": {"a:b": ["x", 10, 1.50, true]}, "Null": {"a:c": false}}
    },
    {"Effect": "Deny", "NotPrincipal": "*", "NotAction": [], "NotResource": "*", "Condition": {}}
  ]
}
`
	got, err := Parse("doc", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{
		Name: "doc", Source: src, Version: "2012-10-17", ID: "café", VersionPos: Position{2, 14},
		Statements: []Statement{
			{
				Index: 0, Sid: "One", Effect: Allow, Start: Position{5, 5}, End: Position{12, 6},
				SidPos: Position{6, 7}, EffectPos: Position{7, 7}, ActionPos: Position{9, 7}, ResourcePos: Position{10, 7},
				Principal: &PrincipalBlock{
					Pos:     Position{8, 7},
					AWS:     []Value{{"111122223333", Position{8, 29}}, {"*", Position{8, 45}}},
					Service: []Value{{"ec2.amazonaws.com", Position{8, 62}}},
				},
				Action:      []Value{{"s3:GetObject", Position{9, 17}}},
				Resource:    []Value{{"*", Position{10, 20}}, {"arn:aws:s3:::b/*", Position{10, 25}}},
				HasResource: true,
				Condition: []Condition{
					{"StringEquals", Position{11, 21}, "a:b", Position{11, 38}, []Value{
						{"x", Position{11, 46}}, {"10", Position{11, 51}}, {"1.50", Position{11, 55}}, {"true", Position{11, 61}}}},
					{"Null", Position{11, 69}, "a:c", Position{11, 78}, []Value{{"false", Position{11, 85}}}},
				},
			},
			{
				Index: 1, Effect: Deny, Start: Position{13, 5}, End: Position{13, 98},
				EffectPos: Position{13, 6}, ActionPos: Position{13, 45}, ResourcePos: Position{13, 62},
				Principal: &PrincipalBlock{Pos: Position{13, 24}, Not: true, Everyone: true},
				Action:    []Value{}, NotAction: true,
				Resource: []Value{{"*", Position{13, 77}}}, NotResource: true, HasResource: true,
			},
		},
	}
	want.parsed = want
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Parse = %+v\nwant %+v", got, want)
	}
}

func TestParseAcceptsOddJSON(t *testing.T) {
	for name, src := range map[string]string{
		"spaces-everywhere":      " \r\n\t{ \"Statement\" : [ ] } \n",
		"no-spaces":              `{"Statement":{"Effect":"Deny","Condition":{"StringLike":{"a:b":[]}}}}`,
		"escaped-name":           `{"\u0053tatement": {"Effect": "\u0041llow"}}`,
		"surrogate-pair":         `{"Id": "\ud83d\ude00", "Statement": []}`,
		"every-escape":           `{"Id": "\"\\\/\b\f\n\r\t", "Statement": []}`,
		"numbers":                `{"Statement": {"Effect": "Deny", "Condition": {"NumericEquals": {"a:b": [0, -0, 1.5, 1e9, 1E+2, 1e-2, -12.50]}}}}`,
		"unknown-empty-operator": `{"Statement": {"Effect": "Deny", "Condition": {"x": {}}}}`,
		"version-2008":           `{"Version": "2008-10-17", "Statement": []}`,
	} {
		if _, err := Parse(name, []byte(src)); err != nil {
			t.Errorf("Parse(%s) = %v", src, err)
		}
	}
}

func TestParseIsBounded(t *testing.T) {
	full := func(prefix, repeat, suffix string) string {
		return prefix + strings.Repeat(repeat, (MaxSize-len(prefix)-len(suffix))/len(repeat)) + suffix
	}
	tests := []struct {
		name, src string
		code      Code // "" for a document that can be read
	}{
		{"ten-mebibytes", `{"Id": "` + strings.Repeat("a", 10<<20) + `"}`, TooLarge},
		{"one-byte-too-many", strings.Repeat(" ", MaxSize+1), TooLarge},
		{"deep-arrays", full("", "[", ""), WrongType},
		{"deep-arrays-in-an-element", full(`{"Statement": `, "[", ""), TooDeep},
		{"deep-objects", full("", `{"a":`, ""), TooDeep},
		{"statements-without-effect", full(`{"Statement": [`, "{},", "{}]}"), MissingElement},
		{"a-hundred-thousand-wrong-statements", `{"Statement": [` + strings.Repeat("0,", 100_000) + "0]}", WrongType},
		{"many-statements", full(`{"Statement": [`, `{"Effect":"Deny"},`, `{"Effect":"Deny"}]}`), ""},
		{"many-actions", full(`{"Statement": {"Effect":"Deny","Action":[`, `"",`, `""]}}`), ""},
		{"many-broken-bytes", full("{", "\xff", "}"), InvalidUTF8},
		{"one-escape-after-another", full(`{"Statement":[],"Id":"`, `\u0041`, `"}`), ""},
		{"many-unknown-elements", manyMembers(`{"Statement":[]`, `,"k%d":0`, "}"), UnknownElement},
		{"many-condition-keys", manyMembers(`{"Statement":{"Effect":"Deny","Condition":{"Null":{"x":0`, `,"k%d":0`, "}}}}"), ""},
		{"many-operators", manyMembers(`{"Statement":{"Effect":"Deny","Condition":{"x":{}`, `,"k%d":{"a":"b"}`, "}}}"), ""},
		{"long-unknown-element", full(`{"Statement":[],"`, "a", `":0}`), UnknownElement},
		{"long-number", full(`{"Statement":{"Effect":"Deny","Condition":{"NumericEquals":{"a":1`, "0", "}}}}"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := []byte(tt.src)
			var d *Document
			var err error
			bounded(t, "Parse", 200<<20, func() { d, err = Parse("", src) })
			problems := Problems(err)
			if tt.code == "" && err != nil || tt.code != "" && (len(problems) == 0 || problems[0].Code != tt.code) {
				t.Fatalf("Parse = %.200v, want %q", err, tt.code)
			}
			if len(problems) > maxProblems || err != nil && len(err.Error()) > 20_000 {
				t.Errorf("Parse gives %d problems in %d bytes", len(problems), len(err.Error()))
			}
			if d == nil {
				return
			}
			bounded(t, "Validate", 10<<20, func() { err = d.Validate(Identity) })
			if n := len(Problems(err)); n > maxProblems {
				t.Errorf("Validate gives %d problems", n)
			}
		})
	}
}

// bounded fails if f takes more than two seconds or allocates more than limit
// bytes, freed ones included.
func bounded(t *testing.T, what string, limit uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; took > 2*time.Second || n > limit {
		t.Errorf("%s took %v and %d MiB", what, took, n>>20)
	}
}

// manyMembers repeats a format of a number up to the size that Parse reads.
func manyMembers(prefix, format, suffix string) string {
	b := []byte(prefix)
	for i := 0; len(b)+len(format)+10+len(suffix) < MaxSize; i++ {
		b = fmt.Appendf(b, format, i)
	}
	return string(b) + suffix
}

func BenchmarkValidate(b *testing.B) {
	d, err := Parse("", []byte(`{"Version": "2012-10-17", "Statement": {"Sid": "ReadOwn", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
		"Resource": "arn:aws:s3:::bucket/home/${aws:username}/*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:SecureTransport": true}}}}`))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("statements=1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := d.Validate(Identity); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	statement := `{"Sid": "ReadOwn%d", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::bucket/home/${aws:username}/*",
		"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:SecureTransport": true}}}`
	for _, n := range []int{1, 100, 1000} {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(statement, i)
		}
		src := []byte(`{"Version": "2012-10-17", "Statement": [` + strings.Join(list, ",") + "]}")
		b.Run(fmt.Sprintf("statements=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if _, err := Parse("", src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
