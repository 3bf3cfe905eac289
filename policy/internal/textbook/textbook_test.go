// SPDX-License-Identifier: Apache-2.0

package textbook

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/arn"
)

func glob(text string) Pattern  { return Pattern(nil).Glob(text) }
func plain(text string) Pattern { return Pattern(nil).Text(text) }

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		name, pattern, text string
		want                bool
	}{
		{"nothing-matches-nothing", "", "", true},
		{"nothing-does-not-match-something", "", "a", false},
		{"a-star-matches-nothing", "*", "", true},
		{"a-star-matches-colons-and-slashes", "a*c", "a:/bc", true},
		{"a-star-at-the-end", "ab*", "ab", true},
		{"stars-share-the-text", "*a*b", "xaxb", true},
		{"stars-in-the-wrong-order", "*b*a", "xaxb", false},
		{"a-question-mark-is-one-character", "a?", "aé", true},
		{"a-question-mark-is-not-none", "a?", "a", false},
		{"a-broken-byte-is-a-character", "a?", "a\xff", true},
		{"broken-bytes-differ", "\xfe", "\xff", false},
		{"letter-case-counts", "A", "a", false},
		{"the-text-goes-on", "a*b", "abc", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := glob(tc.pattern).Match(plain(tc.text)); got != tc.want {
				t.Errorf("%q matches %q = %v, want %v", tc.pattern, tc.text, got, tc.want)
			}
		})
	}
	if plain("a*").Match(plain("ab")) || !plain("a*").Match(plain("a*")) {
		t.Error("a star of a plain text is a wildcard")
	}
	if p := plain("a").Value("*:").Glob("*"); p.String() != "a*:*" || !p.Match(plain("a*:x")) || p.Match(plain("ab:x")) {
		t.Errorf("%q: a star of a value is a wildcard", p)
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		name    string
		pattern Pattern
		want    string
	}{
		{"an-arn", plain("arn:aws:s3:::b/k:l"), "arn|aws|s3|||b/k:l"},
		{"fewer-parts", plain("arn:aws"), "arn|aws"},
		{"a-colon-of-a-value-does-not-part", plain("arn:").Value("a:b").Text(":c"), "arn|a:b|c"},
		{"a-broken-byte", plain("a:\xff"), "a|\xff"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var parts []string
			for _, p := range tc.pattern.Cut() {
				parts = append(parts, p.String())
			}
			if got := strings.Join(parts, "|"); got != tc.want {
				t.Errorf("Cut(%q) = %s, want %s", tc.pattern, got, tc.want)
			}
		})
	}
}

func TestMatchParts(t *testing.T) {
	text := plain("arn:aws:s3:::b/k").Cut()
	for pattern, want := range map[string]bool{
		"arn:aws:s3:::b/*": true, "arn:aws:s3:*:*:b/k": true, "arn:aws:s3*b/k": false, "arn:aws:s3:::b": false,
	} {
		if got := MatchParts(glob(pattern).Cut(), text); got != want {
			t.Errorf("MatchParts(%q) = %v, want %v", pattern, got, want)
		}
	}
	if MatchParts(glob("a:b").Cut(), plain("a:b").Cut()) {
		t.Error("MatchParts of two parts = true, want false")
	}
}

func TestMatchFold(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"GetObject", "getOBJECT", true}, {"Get*", "getobject", true}, {"get?bject", "GetObject", true}, {"Get", "GetObject", false},
		{"GetObject", "Get", false}, {"*object", "GETOBJECT", true}, {"", "", true}, {"", "a", false}, {"*", "", true}, {"?", "", false},
		{"k", "\u212a", false}, {"é*", "Éa", false},
	} {
		if got := MatchFold(tc.pattern, tc.text); got != tc.want {
			t.Errorf("MatchFold(%q, %q) = %v, want %v", tc.pattern, tc.text, got, tc.want)
		}
	}
}

// FuzzMatch compares with the matcher of package arn.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{{"a*b?c", "axxbyc"}, {"*", ""}, {"a**b", "ab"}, {"é?*", "éà"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || len(pattern)*len(text) > 1<<16 {
			return
		}
		if got, want := glob(pattern).Match(plain(text)), arn.Match(pattern, text); got != want {
			t.Errorf("%q matches %q = %v, want %v as arn.Match says", pattern, text, got, want)
		}
	})
}
