// SPDX-License-Identifier: Apache-2.0

// Package textbook evaluates the elements of statements the slow and obvious way, as an oracle for faster matchers.
package textbook

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Pattern is a text of characters, some of which may be wildcards. A plain
// text is a Pattern without any.
type Pattern []char

// A char is one character of a pattern: a rune, or a byte that is part of none
// as a negative number.
type char struct {
	r        rune
	wildcard bool // '*' for any run of characters, '?' for one
	value    bool // from a variable: its colons do not part an ARN
}

func appendChars(p Pattern, text string, make func(r rune) char) Pattern {
	for text != "" {
		r, n := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && n == 1 {
			r = -1 - rune(text[0])
		}
		p = append(p, make(r))
		text = text[n:]
	}
	return p
}

// Text appends ordinary characters.
func (p Pattern) Text(text string) Pattern {
	return appendChars(slices.Grow(p, len(text)), text, func(r rune) char { return char{r: r} })
}

// Value appends the value of a variable.
func (p Pattern) Value(text string) Pattern {
	return appendChars(p, text, func(r rune) char { return char{r: r, value: true} })
}

// Glob appends characters of which '*' and '?' are wildcards.
func (p Pattern) Glob(text string) Pattern {
	return appendChars(slices.Grow(p, len(text)), text, func(r rune) char { return char{r: r, wildcard: r == '*' || r == '?'} })
}

// String returns the characters as text.
func (p Pattern) String() string {
	var b strings.Builder
	for _, c := range p {
		if c.r < 0 {
			b.WriteByte(byte(-1 - c.r))
			continue
		}
		b.WriteRune(c.r)
	}
	return b.String()
}

// Match reports whether the pattern matches all of a plain text. After the
// characters before the first star it fills the textbook table: can[j] says
// whether the pattern so far matches the first j characters of text.
func (p Pattern) Match(text Pattern) bool {
	for len(p) > 0 && !p[0].star() {
		if len(text) == 0 || !p[0].wildcard && p[0].r != text[0].r {
			return false
		}
		p, text = p[1:], text[1:]
	}
	if len(p) <= 1 { // nothing, or a star, is left
		return len(p) == 1 || len(text) == 0
	}
	can, next := make([]bool, len(text)+1), make([]bool, len(text)+1)
	can[0] = true
	for _, c := range p {
		clear(next)
		next[0] = c.star() && can[0]
		for j := range text {
			switch {
			case c.star():
				next[j+1] = can[j+1] || next[j]
			case c.wildcard || c.r == text[j].r:
				next[j+1] = can[j]
			}
		}
		can, next = next, can
	}
	return can[len(text)]
}

func (c char) star() bool { return c.wildcard && c.r == '*' }

// Wild reports whether the pattern has wildcards.
func (p Pattern) Wild() bool {
	return slices.ContainsFunc(p, func(c char) bool { return c.wildcard })
}

// Cut cuts the pattern at its first five colons outside values of variables: the
// parts of an ARN.
func (p Pattern) Cut() []Pattern {
	parts := make([]Pattern, 0, 6)
	for len(parts) < 5 {
		i := slices.IndexFunc(p, func(c char) bool { return c.r == ':' && !c.value })
		if i < 0 {
			break
		}
		parts, p = append(parts, p[:i:i]), p[i+1:]
	}
	return append(parts, p)
}

// MatchParts reports whether six parts match the six parts of a plain text.
func MatchParts(pattern, text []Pattern) bool {
	if len(pattern) != 6 || len(text) != 6 {
		return false
	}
	for i := range pattern {
		if !pattern[i].Match(text[i]) {
			return false
		}
	}
	return true
}

// MatchFold reports whether a pattern with '*' and '?' matches all of text, the
// letters A to Z being those of a to z.
func MatchFold(pattern, text string) bool {
	for pattern != "" && text != "" && pattern[0] != '*' && pattern[0] != '?' && pattern[0] < utf8.RuneSelf {
		if lower(pattern[0]) != lower(text[0]) {
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	if pattern == "" || pattern == "*" {
		return pattern != "" || text == ""
	}
	return Pattern(nil).Glob(Lower(pattern)).Match(Pattern(nil).Text(Lower(text)))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Lower returns text with its ASCII letters in lower case.
func Lower(text string) string {
	b := []byte(text)
	for i := range b {
		b[i] = lower(b[i])
	}
	return string(b)
}
