// SPDX-License-Identifier: Apache-2.0

package arn

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*", "", true},
		{"**", "", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ab", false},
		{"?", "é", true},
		{"??", "é", false},
		{"?", "€", true},
		{"*???cd", "€acd", false},
		{"*", "a/b:c", true},
		{"a*", "a", true},
		{"*a", "ba", true},
		{"a*c", "abcc", true},
		{"a*c", "abcd", false},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "acb", false},
		{"*.amazonaws.com", "sts.amazonaws.com", true},
		{"s3:Get*", "s3:get", false},
		{"a.c", "abc", false},
		{"a[b]c", "abc", false},
		{`a\*`, "a*", false},
		{`a\*`, `a\x`, true},
		{"a?c*", "abcdef", true},
		{"*é*", "caféteria", true},
		{"*?", "", false},
		{"?*?", "ab", true},
		{"?*?", "a", false},
		{"arn:aws:s3:::b/*/x", "arn:aws:s3:::b/a/b/x", true},
		{"?", "\xff", true},
	}
	for _, tt := range tests {
		if got := Match(tt.pattern, tt.s); got != tt.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tt.pattern, tt.s, got, tt.want)
		}
	}
}

func TestMatchIsBounded(t *testing.T) {
	value := strings.Repeat("a", 100_000)
	start := time.Now()
	for _, pattern := range []string{
		strings.Repeat("a*", 1000) + "b",
		strings.Repeat("*", 100_000) + "b",
		strings.Repeat("?*", 1000) + "b",
		"*" + strings.Repeat("a", 1000) + "b",
	} {
		if Match(pattern, value) {
			t.Errorf("Match(%.20q…, a…) = true, want false", pattern)
		}
	}
	if took := time.Since(start); took > 10*time.Second { // 10^8 steps
		t.Errorf("hostile patterns took %v", took)
	}
}

// matchTable is the obvious matcher: a table of which prefixes match.
func matchTable(pattern, s string) bool {
	p, v := characters(pattern), characters(s)
	row := make([]bool, len(v)+1)
	row[0] = true
	for _, c := range p {
		next := make([]bool, len(v)+1)
		for j := range next {
			switch {
			case c == "*":
				next[j] = row[j] || j > 0 && next[j-1]
			case j > 0 && (c == "?" || c == v[j-1]):
				next[j] = row[j-1]
			}
		}
		row = next
	}
	return row[len(v)]
}

func characters(s string) []string {
	var list []string
	for len(s) > 0 {
		_, n := utf8.DecodeRuneInString(s)
		list = append(list, s[:n])
		s = s[n:]
	}
	return list
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{{"a*b?c", "aXbYc"}, {"*?é*", "café"}, {"*???cd", "€acd"}, {"a**b", "ab"}, {"?", "\xff"}, {"*a*a*b", "aaaaaab"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if !utf8.ValidString(pattern) || len(pattern)*len(s) > 1<<16 {
			return
		}
		got := Match(pattern, s)
		if want := matchTable(pattern, s); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", pattern, s, got, want)
		}
		// path.Match has classes and escapes, and its star, which stops at '/',
		// can end within a character.
		if strings.ContainsAny(pattern, `[\`) || strings.Contains(s, "/") || !isASCII(pattern+s) {
			return
		}
		if want, err := path.Match(pattern, s); err == nil && got != want {
			t.Errorf("Match(%q, %q) = %v, path.Match says %v", pattern, s, got, want)
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

func BenchmarkMatch(b *testing.B) {
	b.Run("kind=literal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Match("arn:aws:s3:::bucket/home/ann/file", "arn:aws:s3:::bucket/home/ann/file")
		}
	})
	b.Run("kind=prefix", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Match("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/home/ann/file")
		}
	})
	for _, stars := range []int{8, 64, 1000} {
		pattern := strings.Repeat("a*", stars) + "b"
		value := strings.Repeat("a", 1000)
		b.Run(fmt.Sprintf("stars=%d", stars), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Match(pattern, value)
			}
		})
	}
}
