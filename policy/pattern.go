// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// patternKind says how a pattern is compared: the cheapest way that will do.
type patternKind uint8

const (
	neverPattern  patternKind = iota // matches nothing
	anyPattern                       // matches everything
	exactPattern                     // text
	prefixPattern                    // text and anything after it
	piecesPattern                    // pieces in order
	partsPattern                     // six parts of an ARN, each a pattern; none matches across its colon
)

// A pattern is a compiled Resource or condition value. Variables are looked up
// while matching and compared as text; no substituted string is ever built.
//
// quirk Q001: so a wildcard in a value is an ordinary character (V-6).
type pattern struct {
	kind   patternKind
	text   string
	pieces []piece
	parts  []pattern
}

// newPattern compiles a template that is matched against a whole text.
func newPattern(pieces []piece) pattern {
	switch {
	case template.IsStar(pieces):
		return pattern{kind: anyPattern}
	case len(pieces) == 0:
		return pattern{kind: exactPattern}
	case len(pieces) == 1 && pieces[0].Kind == template.Literal:
		return pattern{kind: exactPattern, text: pieces[0].Text}
	case len(pieces) == 2 && pieces[0].Kind == template.Literal && pieces[1].Kind == template.Star:
		return pattern{kind: prefixPattern, text: pieces[0].Text}
	}
	return pattern{kind: piecesPattern, pieces: pieces}
}

// newARNPattern compiles six parts whose wildcards stay within their part.
func newARNPattern(parts [][]piece) pattern {
	if !slices.ContainsFunc(parts[:5], func(part []piece) bool { return template.Has(part, template.Star, template.One, template.Variable) }) {
		return newPattern(template.Join(parts)) // the same, because the colons before the sixth part are literal
	}
	p := pattern{kind: partsPattern, parts: make([]pattern, 6)}
	for i, part := range parts {
		p.parts[i] = newPattern(part)
	}
	return p
}

// literalPrefix returns the text that everything that matches p starts with.
func (p *pattern) literalPrefix() string {
	switch p.kind {
	case exactPattern, prefixPattern:
		return p.text
	case piecesPattern:
		if p.pieces[0].Kind == template.Literal {
			return p.pieces[0].Text
		}
	case partsPattern:
		var b strings.Builder
		for i := range p.parts {
			b.WriteString(p.parts[i].literalPrefix())
			if p.parts[i].kind != exactPattern {
				break
			}
			b.WriteByte(':')
		}
		return b.String()
	}
	return ""
}

// match reports whether text as a whole matches p.
func (p *pattern) match(e *evaluation, text string) bool {
	switch p.kind {
	case anyPattern:
		return true
	case exactPattern:
		return text == p.text
	case prefixPattern:
		return strings.HasPrefix(text, p.text)
	case piecesPattern:
		return matchPieces(e, p.pieces, text)
	case partsPattern:
		return p.matchParts(e, text)
	}
	return false
}

func (p *pattern) matchParts(e *evaluation, text string) bool {
	for i := range p.parts[:5] {
		part, rest, ok := strings.Cut(text, ":")
		if !ok || !p.parts[i].match(e, part) {
			return false
		}
		text = rest
	}
	return p.parts[5].match(e, text)
}

// matchPieces reports whether text is pieces one after the other. It never goes
// back beyond the last star, so its time is at most the product of both lengths.
func matchPieces(e *evaluation, pieces []piece, text string) bool {
	at, i := 0, 0
	star, starAt := -1, 0 // the last star, and where the text after it was tried last
	for {
		switch {
		case i == len(pieces):
			if at == len(text) {
				return true
			}
		case pieces[i].Kind == template.Star:
			if i == len(pieces)-1 {
				return true
			}
			star, starAt = i, at
			i++
			continue
		default:
			n, fits, never := e.fit(&pieces[i], text[at:])
			if never {
				return false
			}
			if fits {
				at += n
				i++
				continue
			}
		}
		if star < 0 || starAt == len(text) {
			return false
		}
		starAt = nextStart(&pieces[star+1], text, starAt)
		if starAt < 0 {
			return false
		}
		at, i = starAt, star+1
	}
}

// nextStart returns the next place after from, on a character boundary, where
// next may match; -1 if there is none.
func nextStart(next *piece, text string, from int) int {
	_, n := utf8.DecodeRuneInString(text[from:])
	from += n
	if next.Kind != template.Literal {
		return from
	}
	skip := strings.Index(text[from:], next.Text)
	if skip < 0 {
		return -1
	}
	return from + skip
}

// fit reports whether text starts with a piece, and how much of it that takes;
// never means that the piece fits nowhere, because its variable has no value (V-5).
func (e *evaluation) fit(p *piece, text string) (n int, fits, never bool) {
	switch p.Kind {
	case template.Literal:
		return len(p.Text), strings.HasPrefix(text, p.Text), false
	case template.One:
		_, n = utf8.DecodeRuneInString(text)
		return n, n > 0, false
	}
	value, ok := e.variable(p)
	return len(value), ok && strings.HasPrefix(text, value), !ok
}

// matchFold reports whether text is pieces one after the other, without regard to
// letter case. The pieces have no wildcards.
func matchFold(e *evaluation, pieces []piece, text string) bool {
	for i := range pieces {
		want := pieces[i].Text
		if pieces[i].Kind == template.Variable {
			var ok bool
			if want, ok = e.variable(&pieces[i]); !ok {
				return false
			}
		}
		var ok bool
		if text, ok = cutFold(text, want); !ok {
			return false
		}
	}
	return text == ""
}

// cutFold takes prefix off text, character by character without regard to letter case.
func cutFold(text, prefix string) (rest string, ok bool) {
	for prefix != "" {
		_, n := utf8.DecodeRuneInString(prefix)
		_, m := utf8.DecodeRuneInString(text)
		if m == 0 || !strings.EqualFold(prefix[:n], text[:m]) {
			return "", false
		}
		prefix, text = prefix[n:], text[m:]
	}
	return text, true
}

// An actionPattern is a compiled value of an Action element. Its text is in
// lower case, as is what it is compared with (M-1).
type actionPattern struct {
	service, name glob
}

// newActionPattern compiles an action.
//
// quirk Q022: ok is false for text that is neither "*" nor "service:name", or has
// a comma or blank: it matches nothing (P-10).
func newActionPattern(text string) (p actionPattern, ok bool) {
	text = lowerASCII(text)
	if strings.Trim(text, "*") == "" && text != "" {
		return actionPattern{glob{kind: anyPattern}, glob{kind: anyPattern}}, true
	}
	service, name, found := strings.Cut(text, ":")
	if !found || strings.ContainsAny(text, ", \t\r\n") {
		return actionPattern{}, false
	}
	return actionPattern{newGlob(service), newGlob(name)}, true
}

// exact returns the one action that p matches, "" if it has wildcards.
func (p *actionPattern) exact() string {
	if p.service.kind != exactPattern || p.name.kind != exactPattern {
		return ""
	}
	return p.service.text + ":" + p.name.text
}

// everything reports whether p is "*".
func (p *actionPattern) everything() bool {
	return p.service.kind == anyPattern && p.name.kind == anyPattern
}

// match compares with the two halves of an action, in lower case.
func (p *actionPattern) match(service, name []byte) bool {
	return p.service.match(service) && p.name.match(name)
}

// A glob is a pattern without variables, for short texts.
type glob struct {
	kind patternKind
	text string
}

func newGlob(text string) glob {
	switch star := strings.IndexByte(text, '*'); {
	case text == "*":
		return glob{kind: anyPattern}
	case strings.IndexByte(text, '?') >= 0:
	case star < 0:
		return glob{kind: exactPattern, text: text}
	case star == len(text)-1:
		return glob{kind: prefixPattern, text: text[:star]}
	}
	return glob{kind: piecesPattern, text: text}
}

func (g *glob) match(text []byte) bool {
	switch g.kind {
	case anyPattern:
		return true
	case exactPattern:
		return string(text) == g.text
	case prefixPattern:
		return len(text) >= len(g.text) && string(text[:len(g.text)]) == g.text
	}
	return arn.Match(g.text, string(text))
}

// lowerASCII returns s with its ASCII letters in lower case.
//
// quirk Q015: other letters stay, so that no action or key can be spelt with a
// letter that merely folds to it.
func lowerASCII(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return string(appendLower(nil, s))
		}
	}
	return s
}

// appendLower appends s to dst with its ASCII letters in lower case.
func appendLower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// equalLower reports whether two strings are equal but for the case of ASCII letters.
func equalLower(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}
