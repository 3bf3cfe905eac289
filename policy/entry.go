// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"strings"
	"unique"

	"github.com/innkeeper-iam/innkeeper/policy/internal/action"
)

// An entry is one pattern of a Resource element, or a NotResource element, with
// the rest of its statement.
type entry struct {
	name, second unique.Handle[action.Pattern] // the first actions, as flags say
	more         *more                         // of the pattern
	number       int32                         // of the statement

	// Of Policy.actions, from actions on: so many exact ones in the order of their
	// hashes, and the rest in the order of their services'.
	actions, exact, rest uint32

	principal, principals uint32 // of Policy.names, from principal on
	conditions            uint32 // of Policy.conditions, from there to the last

	flags
	kind patternKind
	size uint8 // of text
	text [maxText]byte
}

// maxText is the longest text that an entry has room for.
const maxText = 40

// flags say what sort of statement and pattern it is.
type flags uint16

const (
	deny         flags = 1 << iota
	notAction          // it has NotAction
	anyName            // Action or NotAction is or holds "*"
	firstName          // the first action is in name
	secondName         // the next one is in second
	moreNames          // there are actions in Policy.actions
	notPrincipal       // it has NotPrincipal
	conditional        // it has conditions
	inline             // the pattern's text is in text, else in more
	inAWS              // and it follows prefixAWS
)

// prefixAWS is what nearly all patterns begin with.
const prefixAWS = "arn:aws:"

// setPattern sets the pattern; its text stands in the entry if it is short, so
// that both come from memory together.
func (k *entry) setPattern(p pattern) {
	k.kind, k.more = p.kind, p.more
	text := p.text
	if p.kind == piecesPattern {
		if glob, ok := p.more.glob(text); ok && len(glob) <= maxText {
			k.kind, k.more, text = starsPattern, nil, glob
		}
	}
	if rest, ok := strings.CutPrefix(text, prefixAWS); ok {
		text = rest
		k.flags |= inAWS
	}
	if len(text) <= maxText {
		k.flags |= inline
		k.size = uint8(copy(k.text[:], text))
		return
	}
	k.flags &^= inAWS
	m := more{}
	if p.more != nil {
		m = *p.more
	}
	m.text = p.text
	k.kind, k.more = p.kind, &m
}

// matchResource reports whether the request's resource matches the pattern.
func (k *entry) matchResource(e *evaluation) bool {
	text := e.q.text
	if k.flags&inline == 0 {
		return matchText(e, k.kind, k.more.text, k.more, text)
	}
	if k.flags&inAWS != 0 {
		if len(text) < len(prefixAWS) || text[:len(prefixAWS)] != prefixAWS {
			return false
		}
		text = text[len(prefixAWS):]
	}
	want := k.text[:k.size]
	switch k.kind {
	case prefixPattern:
		return len(text) >= len(want) && text[:len(want)] == string(want)
	case exactPattern:
		return text == string(want)
	case starsPattern:
		return matchStars(want, text)
	case piecesPattern:
		return len(text) >= len(want) && text[:len(want)] == string(want) && matchPieces(e, k.more.pieces, text[len(want):])
	}
	return matchText(e, k.kind, "", k.more, text)
}

// matchStars reports whether text is what stands before, between and after the
// stars of a starsPattern, in this order.
func matchStars(want []byte, text string) bool {
	star := bytes.IndexByte(want, '*')
	if len(text) < star || text[:star] != string(want[:star]) {
		return false
	}
	for text = text[star:]; ; {
		want = want[star+1:]
		if star = bytes.IndexByte(want, '*'); star < 0 {
			return len(text) >= len(want) && text[len(text)-len(want):] == string(want)
		}
		skip := strings.Index(text, string(want[:star])) // short enough not to allocate
		if skip < 0 {
			return false
		}
		text = text[skip+star:]
	}
}

func (p *Policy) matchConditions(k *entry, e *evaluation) bool {
	for i := k.conditions; ; i++ {
		c := &p.conditions[i]
		if !c.holds(e, p) {
			return false
		}
		if c.has(last) {
			return true
		}
	}
}

// matchAction reports whether the Action or NotAction element matches.
//
// quirk Q021: an empty list matches nothing, so NotAction with one matches
// everything; likewise for resources and condition values (P-5, C-17).
func (p *Policy) matchAction(k *entry, q *query) bool {
	matched := k.flags&notAction == 0
	switch {
	case k.flags&firstName != 0 && k.name.Value().Match(&q.Name),
		k.flags&secondName != 0 && k.second.Value().Match(&q.Name),
		k.flags&moreNames != 0 && p.matchMore(k, q),
		k.flags&anyName != 0:
		return matched
	}
	return !matched
}

// matchMore reports whether the action is one of those in Policy.actions.
func (p *Policy) matchMore(k *entry, q *query) bool {
	rest := k.actions + k.exact
	return action.Search(p.actions[k.actions:rest], p.actions[rest:rest+k.rest], &q.Name)
}
