// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// patternKind says how a pattern is compared: the cheapest way that will do.
type patternKind uint8

const (
	neverPattern  patternKind = iota // matches nothing
	anyPattern                       // matches everything
	exactPattern                     // text
	prefixPattern                    // text and anything after it
	piecesPattern                    // pieces in order
	starsPattern                     // a text with stars; of an entry only
	foldPattern                      // pieces in order, letter case does not count; no wildcards
	exceptPattern                    // what none of some patterns matches
)

// A pattern is a compiled Resource or condition value. Variables are looked up
// while matching and compared as text; no substituted string is ever built.
//
// quirk Q001: so a wildcard in a value is an ordinary character (V-6).
type pattern struct {
	text string // of a pattern without more, and what piecesPattern begins with
	more *more  // of piecesPattern, exceptPattern, and foldPattern with variables; without, its text is folded
	kind patternKind
}

// more is what a pattern has if a text does not say it all.
type more struct {
	text   string  // of an entry that has no room for it
	pieces []piece // of piecesPattern, those after its text
	except []pattern
}

// newMore keeps a copy of pieces. Few of them stand beside the rest, so that they
// come from memory together.
func newMore(pieces []piece) *more {
	if len(pieces) > 3 {
		return &more{pieces: slices.Clone(pieces)}
	}
	m := new(struct {
		more
		few [3]piece
	})
	m.pieces = append(m.few[:0], pieces...)
	return &m.more
}

// maxInline is how long a text between two stars of a starsPattern may be: a copy
// of one that is no longer needs no memory.
const maxInline = 32

// glob returns a text with stars that says the same as a text followed by the
// pieces; ok is false if there is none.
func (m *more) glob(text string) (glob string, ok bool) {
	if strings.IndexByte(text, '*') >= 0 {
		return "", false
	}
	for i := range m.pieces {
		switch p := &m.pieces[i]; {
		case p.Kind == template.Star && !p.Within:
			text += "*"
		case p.Kind != template.Literal || strings.IndexByte(p.Text, '*') >= 0 || len(p.Text) > maxInline:
			return "", false
		default:
			text += p.Text
		}
	}
	return text, true
}

// plainPattern compiles a text without variables and wildcards but for a star at
// its end; ok is false for others.
func plainPattern(text string) (p pattern, ok bool) {
	i := strings.IndexAny(text, "*?$")
	switch {
	case i < 0:
		return pattern{kind: exactPattern, text: text}, true
	case i == len(text)-1 && i > 0 && text[i] == '*':
		return pattern{kind: prefixPattern, text: text[:i]}, true
	}
	return pattern{}, false
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
	case pieces[0].Kind == template.Literal:
		return pattern{kind: piecesPattern, text: pieces[0].Text, more: newMore(pieces[1:])}
	}
	return pattern{kind: piecesPattern, more: newMore(pieces)}
}

// newFoldPattern compiles a template without wildcards.
func newFoldPattern(pieces []piece) pattern {
	if p := newPattern(pieces); p.kind == exactPattern {
		return pattern{kind: foldPattern, text: shared(strings.Map(foldRune, p.text))}
	}
	return pattern{kind: foldPattern, more: &more{pieces: slices.Clone(pieces)}}
}

// newARNPattern compiles six parts whose wildcards and variables stay within
// their part.
func newARNPattern(parts [][]piece) pattern {
	for _, part := range parts[:5] {
		for i := range part {
			part[i].Within = part[i].Kind != template.Literal
		}
	}
	return newPattern(template.Join(parts))
}

// match reports whether text as a whole matches p.
func (p *pattern) match(e *evaluation, text string) bool {
	return matchText(e, p.kind, p.text, p.more, text)
}

// matchText is match for a pattern in parts.
func matchText(e *evaluation, kind patternKind, want string, more *more, text string) bool {
	switch kind {
	case anyPattern:
		return true
	case exactPattern:
		return text == want
	case prefixPattern:
		return strings.HasPrefix(text, want)
	case piecesPattern:
		return strings.HasPrefix(text, want) && matchPieces(e, more.pieces, text[len(want):])
	case foldPattern:
		if more != nil {
			return matchFold(e, more.pieces, text)
		}
		return text == want || compareFold(want, text) == 0
	case exceptPattern:
		for i := range more.except {
			if more.except[i].match(e, text) {
				return false
			}
		}
		return true
	}
	return false
}

// matchPieces reports whether text is pieces one after the other: those before
// the first star at its beginning, those after the last at its end, and those
// between two stars at the first place where they fit. Nothing is tried again, so
// its time is at most the product of both lengths.
func matchPieces(e *evaluation, pieces []piece, text string) bool {
	first, last := 0, len(pieces)-1
	for first < len(pieces) && pieces[first].Kind != template.Star {
		first++
	}
	at := e.fit(pieces[:first], text)
	if at < 0 || first == len(pieces) {
		return at == len(text)
	}
	for pieces[last].Kind != template.Star {
		last--
	}
	end := e.fitEnd(pieces[last+1:], text, at)
	if end < 0 {
		return false
	}
	for first < last {
		next := first + 1
		for pieces[next].Kind != template.Star {
			next++
		}
		from, to := e.find(pieces[first+1:next], text[:end], at)
		if from < 0 || !within(&pieces[first], text[at:from]) {
			return false
		}
		first, at = next, to
	}
	return within(&pieces[last], text[at:end])
}

// within reports whether a star may stand for a text: one within a part of an
// ARN has no colon.
func within(star *piece, text string) bool {
	return !star.Within || strings.IndexByte(text, ':') < 0
}

// fit returns the length of what pieces without a star match at the beginning of
// a text; -1 if they do not.
func (e *evaluation) fit(pieces []piece, text string) int {
	at := 0
	for i := range pieces {
		n := e.fitOne(&pieces[i], text[at:])
		if n < 0 {
			return -1
		}
		at += n
	}
	return at
}

func (e *evaluation) fitOne(p *piece, text string) int {
	if p.Kind == template.One {
		_, n := utf8.DecodeRuneInString(text)
		if n == 0 || p.Within && text[0] == ':' {
			return -1
		}
		return n
	}
	want, ok := e.text(p)
	if !ok || !strings.HasPrefix(text, want) {
		return -1
	}
	return len(want)
}

// text returns what a literal or a variable stands for; ok is false if it stands
// for nothing that could match (V-5).
func (e *evaluation) text(p *piece) (text string, ok bool) {
	if p.Kind == template.Literal {
		return p.Text, true
	}
	text, ok = e.variable(p)
	return text, ok && !(p.Within && strings.IndexByte(text, ':') >= 0)
}

// fitEnd returns where what pieces without a star match at the end of a text
// begins, at from or later; -1 if they do not.
func (e *evaluation) fitEnd(pieces []piece, text string, from int) int {
	end := len(text)
	for i := len(pieces) - 1; i >= 0; i-- {
		p, rest := &pieces[i], text[from:end]
		if p.Kind == template.One {
			_, n := utf8.DecodeLastRuneInString(rest)
			if n == 0 || p.Within && rest[len(rest)-1] == ':' {
				return -1
			}
			end -= n
			continue
		}
		want, ok := e.text(p)
		if !ok || !strings.HasSuffix(rest, want) {
			return -1
		}
		end -= len(want)
	}
	if end < len(text) && !utf8.RuneStart(text[end]) && !isBoundary(text[from:], end-from) {
		return -1
	}
	return end
}

// isBoundary reports whether a character of the text begins or ends at a place.
func isBoundary(text string, place int) bool {
	at := 0
	for at < place {
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	return at == place
}

// find returns the first place in a text, from at on, that pieces without a star
// match; from is -1 if there is none.
func (e *evaluation) find(pieces []piece, text string, at int) (from, to int) {
	switch {
	case len(pieces) > searchThreshold:
		chars, ok := e.chars(pieces)
		if !ok {
			return -1, -1
		}
		return words.Find(chars, text, at)
	case len(pieces) == 1 && pieces[0].Kind == template.Literal:
		if skip := strings.Index(text[at:], pieces[0].Text); skip >= 0 {
			return at + skip, at + skip + len(pieces[0].Text)
		}
		return -1, -1
	}
	for {
		if pieces[0].Kind == template.Literal {
			skip := strings.Index(text[at:], pieces[0].Text)
			if skip < 0 {
				return -1, -1
			}
			at += skip
		}
		if n := e.fit(pieces, text[at:]); n >= 0 {
			return at, at + n
		}
		if at == len(text) {
			return -1, -1
		}
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
}

// chars returns the characters of pieces without a star; ok is false if they
// match nothing.
func (e *evaluation) chars(pieces []piece) (chars []rune, ok bool) {
	for i := range pieces {
		if p := &pieces[i]; p.Kind == template.One {
			c := words.AnyChar
			if p.Within {
				c = words.AnyNotColon
			}
			chars = append(chars, c)
			continue
		}
		text, ok := e.text(&pieces[i])
		if !ok {
			return nil, false
		}
		for text != "" {
			c, size := words.CharAt(text)
			chars = append(chars, c)
			text = text[size:]
		}
	}
	return chars, true
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
		c, n := utf8.DecodeRuneInString(prefix)
		d, m := utf8.DecodeRuneInString(text)
		if m == 0 || c != d && foldRune(c) != foldRune(d) {
			return "", false
		}
		prefix, text = prefix[n:], text[m:]
	}
	return text, true
}

// foldRune returns the one of the characters that differ from c only in letter
// case that stands for them all.
func foldRune(c rune) rune {
	first := c
	for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
		first = min(first, other)
	}
	if 'A' <= first && first <= 'Z' {
		return first + 'a' - 'A'
	}
	return first
}

// compareFold compares a folded text with any other as strings.Compare would if
// that were folded, too.
func compareFold(folded, text string) int {
	for folded != "" && text != "" {
		c, n := utf8.DecodeRuneInString(folded)
		d, m := utf8.DecodeRuneInString(text)
		if c != d {
			if d = foldRune(d); c != d {
				return cmp.Compare(c, d)
			}
		}
		folded, text = folded[n:], text[m:]
	}
	return cmp.Compare(len(folded), len(text))
}

// lowerASCII returns s with its ASCII letters in lower case.
//
// quirk Q015: other letters stay, so that no action or key can be spelt with a
// letter that merely folds to it.
func lowerASCII(s string) string {
	for i := range len(s) {
		if words.LowerByte(s[i]) != s[i] {
			b := []byte(s)
			for j := range b {
				b[j] = words.LowerByte(b[j])
			}
			return string(b)
		}
	}
	return s
}
