// SPDX-License-Identifier: Apache-2.0

package template

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func lit(s string) Piece { return Piece{Text: s} }

func TestParse(t *testing.T) {
	star, one := Piece{Kind: Star}, Piece{Kind: One}
	variable := func(key string) Piece { return Piece{Kind: Variable, Text: key} }
	for _, tc := range []struct {
		name, text           string
		wildcards, variables bool
		want                 []Piece
	}{
		{"nothing", "", true, true, nil},
		{"text", "abc", true, true, []Piece{lit("abc")}},
		{"wildcards", "a*b?c", true, true, []Piece{lit("a"), star, lit("b"), one, lit("c")}},
		{"wildcards-as-text", "a*b?c", false, true, []Piece{lit("a*b?c")}},
		{"a-run-of-stars-is-one", "***", true, true, []Piece{star}},
		{"a-star-on-each-side-of-a-text", "*a*", true, true, []Piece{star, lit("a"), star}},
		{"a-variable", "a${k:x}b", true, true, []Piece{lit("a"), variable("k:x"), lit("b")}},
		{"a-variable-as-text", "a${k:x}b", true, false, []Piece{lit("a${k:x}b")}},
		{"variables-side-by-side", "${a}${b}", true, true, []Piece{variable("a"), variable("b")}},
		{"a-default", "${a, 'b c'}", true, true, []Piece{{Kind: Variable, Text: "a", Fallback: "b c", HasFallback: true}}},
		{"a-default-without-a-blank", "${a,'b'}", true, true, []Piece{{Kind: Variable, Text: "a", Fallback: "b", HasFallback: true}}},
		{"an-empty-default", "${a,''}x", true, true, []Piece{{Kind: Variable, Text: "a", HasFallback: true}, lit("x")}},
		{"a-default-with-a-brace-and-a-quote", "${a,'}''}", true, true, []Piece{{Kind: Variable, Text: "a", Fallback: "}'", HasFallback: true}}},
		{"literal-characters", "a${*}b${?}${$}", true, true, []Piece{lit("a*b?$")}},
		{"a-literal-star-between-stars", "*${*}*", true, true, []Piece{star, lit("*"), star}},
		{"a-dollar-alone", "$a$", true, true, []Piece{lit("$a$")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Parse(tc.text, tc.wildcards, tc.variables)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("Parse(%q) = %+v, %v, want %+v", tc.text, got, err, tc.want)
			}
		})
	}
	for _, text := range []string{"${", "${a", "${}", "${ a}", "${a }", "${a b}", "${a*}", "${a, b}", "${a, 'b}", "${a, 'b'", "${a,}", "${'a'}", "${${a}}"} {
		if got, err := Parse(text, true, true); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", text, got)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       int
	}{
		{"nothing", "", 1}, {"no-colon", "a*", 1}, {"an-arn", "arn:aws:s3:::b/*", 6}, {"colons-in-the-last-part", "a:b:c:d:e:f:g:*", 6},
		{"a-variable-has-no-colons", "a:${b:c}:d", 3}, {"a-literal-colon-counts", "::", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pieces, err := Parse(tc.text, true, true)
			if err != nil {
				t.Fatal(err)
			}
			parts := Split(pieces)
			if len(parts) != tc.want {
				t.Errorf("Split(%q) has %d parts, want %d", tc.text, len(parts), tc.want)
			}
			if got := Join(parts); !reflect.DeepEqual(got, pieces) && len(got)+len(pieces) > 0 {
				t.Errorf("Join(Split(%q)) = %+v, want %+v", tc.text, got, pieces)
			}
		})
	}
}

// TestParseIsBounded checks that many pieces take time in proportion.
func TestParseIsBounded(t *testing.T) {
	for _, unit := range []string{"${$}", "*?", "${a}", "*a", "${a,'b'}"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		start := time.Now()
		if _, err := Parse(text, true, true); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 20*time.Second { // in proportion to the square, it is minutes
			t.Errorf("Parse of a megabyte of %q took %v", unit, took)
		}
	}
}
