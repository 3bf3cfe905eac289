// SPDX-License-Identifier: Apache-2.0

// Package action matches the names of operations, "service:Name", with the values
// of Action elements. The case of ASCII letters does not count (M-1).
package action

import (
	"cmp"
	"strings"
	"unique"

	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// A Name is the action of a request. Its mask has a bit for the name and one for the
// service; that of an Action element has those of its patterns. Where the two have no
// bit in common, the element does not match the name.
type Name struct {
	Text string // with a colon
	words.Action
	STS bool // its service is "sts"
}

// Any is the mask of an Action element that matches names of any service.
const Any = ^uint32(0)

// Read reads a text; one without a colon is a service.
func (n *Name) Read(text string) {
	if n.Text = text; !n.Action.Read(text) {
		n.Text += ":"
		n.Action.Read(n.Text)
	}
	n.STS = n.Service == sts.Service && words.HasPrefixFold(n.Text, "sts:")
}

var sts = func() (a words.Action) { a.Read("sts:"); return a }()

// Is reports whether the name is one, in small letters.
func (n *Name) Is(name string) bool { return words.EqualFold(n.Text, name) }

// A Pattern is a compiled value of an Action element. Policies have most of them
// in common, so they keep handles.
type Pattern struct {
	text string
	hash uint32 // of the text of an exact one, else of a literal service with its colon; 0 if there is none
	kind kind
	star int // of oneStar: its place
}

type kind uint8

const (
	glob    kind = iota
	exact        // it has no wildcard
	prefix       // text and anything after it
	oneStar      // the only wildcard is a star in its name
	all          // "*"
)

// Parse compiles a value. The mask is that of every name that it matches.
//
// quirk Q022: ok is false for text that is neither "*" nor "service:name", or has
// a comma or blank: it matches nothing (P-10).
func Parse(text string) (p Pattern, mask uint32, ok bool) {
	if strings.Trim(text, "*") == "" && text != "" {
		return Pattern{kind: all}, Any, true
	}
	colon := strings.IndexByte(text, ':')
	if colon < 0 || strings.ContainsAny(text, ", \t\r\n") {
		return Pattern{}, 0, false
	}
	wildcard := strings.IndexAny(text, "*?")
	var a words.Action
	a.Read(text)
	p.text = unique.Make(text).Value()
	switch {
	case wildcard < 0:
		p.kind, p.hash = exact, a.Hash
		return p, words.NameBit(p.hash), true
	case wildcard < colon:
		return p, Any, true
	}
	p.hash = a.Service
	switch last := strings.LastIndexAny(text, "*?"); {
	case last != wildcard || text[wildcard] != '*':
	case last == len(text)-1:
		p.text, p.kind = p.text[:wildcard], prefix
	default:
		p.kind, p.star = oneStar, wildcard
	}
	return p, words.ServiceBit(p.hash), true
}

// IsAll reports whether the pattern matches everything.
func (p *Pattern) IsAll() bool { return p.kind == all }

// IsExact reports whether the pattern has no wildcard.
func (p *Pattern) IsExact() bool { return p.kind == exact }

// Compare orders patterns as Search wants them: exact ones in the order of their
// hashes, then others in the order of their services', those with none first.
func Compare(a, b Pattern) int {
	switch {
	case a.IsExact() == b.IsExact():
		return cmp.Compare(a.hash, b.hash)
	case a.IsExact():
		return -1
	}
	return 1
}

// Match reports whether the pattern matches a name.
func (p Pattern) Match(n *Name) bool { return (p.hash == n.Hash || p.kind != exact) && p.spells(n) }

// spells is Match but for the hash of an exact pattern.
func (p Pattern) spells(n *Name) bool {
	switch p.kind {
	case exact: // most are spelt alike
		return words.Equal(n.Text, p.text) || words.EqualFold(n.Text, p.text)
	case prefix:
		return strings.HasPrefix(n.Text, p.text) || words.HasPrefixFold(n.Text, p.text)
	case all:
		return true
	case oneStar:
		from := len(n.Text) - (len(p.text) - p.star - 1)
		return from >= p.star && words.HasPrefixFold(n.Text, p.text[:p.star]) && words.EqualFold(n.Text[from:], p.text[p.star+1:])
	}
	service, name, _ := strings.Cut(p.text, ":")
	ownService, ownName, _ := strings.Cut(n.Text, ":")
	return words.Glob(service, ownService) && words.Glob(name, ownName)
}

// Search reports whether one of the patterns matches a name. Exact are the exact
// ones, rest the others, each as Compare orders them.
func Search(exact, rest []unique.Handle[Pattern], n *Name) bool {
	if i := first(exact, n.Hash); matchUnder(exact[i:], n.Hash, n) {
		return true
	}
	return matchUnder(rest, 0, n) || matchUnder(rest[first(rest, n.Service):], n.Service, n)
}

// matchUnder reports whether one of the first patterns of a list, those with a hash,
// matches a name.
func matchUnder(list []unique.Handle[Pattern], hash uint32, n *Name) bool {
	for _, handle := range list {
		p := handle.Value()
		if p.hash != hash {
			break
		}
		if p.spells(n) {
			return true
		}
	}
	return false
}

// first returns the place of the first pattern with a hash, or above it.
func first(list []unique.Handle[Pattern], hash uint32) uint32 {
	from, to := uint32(0), uint32(len(list))
	for from < to {
		if middle := (from + to) / 2; list[middle].Value().hash < hash {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}
