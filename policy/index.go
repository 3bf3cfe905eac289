// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/bits"
	"slices"
	"strings"
	"unique"

	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// An index finds the statements of a Policy that may apply to a request. Each
// pattern of a Resource element is an entry under the hash of its anchor: of its
// whole text if that is literal, or else of the literal text that it begins with,
// up to the last multiple of eight bytes. A pattern without an anchor is among the
// first entries, which every request looks at. The anchors of a policy have few
// lengths, and a request looks up its own beginnings of those lengths.
type index struct {
	all, denied uint64    // masks of the actions of all entries, and of those that deny
	filter      [4]uint64 // has a bit of every hash
	steps       uint32    // lengths of anchors: bits of words.Resource.Have
	always      uint32    // how many entries come first, without an anchor
	kind        Kind
	layers      uint8 // that take the policy, as bits; 0 for a Broken one
	shift       uint8 // a hash's bucket is in its bits from here

	few     [1 << fewBits]uint8 // the ends of the buckets in entries, if they are few
	starts  *[]uint32           // the starts of the buckets, and the end of the last, if they are many
	entries []entry
}

const fewBits = 5

// An entry is one pattern of a Resource element, or a NotResource element, with
// the rest of its statement. What most requests look at comes first and fills a
// line of the cache.
type entry struct {
	names   uint64 // mask of the actions of the statement
	literal uint64 // the bytes of the pattern after its anchor, at most eight
	text    string // of the pattern, as is kind
	tag     uint32 // the low half of the hash
	callers uint32 // mask of the statement's principals
	number  int32  // of the statement
	size    uint8  // of literal
	kind    patternKind
	flags
	name unique.Handle[actionPattern] // if it has firstName
	more *more                        // of the pattern

	principal, principals uint32 // of Policy.names, from principal on

	// Of Policy.actions, from actions on: so many exact ones, ones of a literal
	// service, both in the order of their hashes, and others.
	actions, exact, services, others uint32

	conditions, when uint32 // of Policy.conditions, from conditions on
}

// flags say what sort of statement it is.
type flags uint8

const (
	deny         flags = 1 << iota
	notAction          // it has NotAction
	anyName            // Action or NotAction is or holds "*"
	firstName          // the first exact action is in name
	moreNames          // there are actions in Policy.actions
	hasPrincipal       // it has a principal element
	notPrincipal       // which is NotPrincipal
)

// keyed is an entry with the hash that it stands under, 0 without an anchor.
type keyed struct {
	entry
	hash uint64
	step int8 // its anchor's, or noAnchor
}

const noAnchor = -1

// under returns the entry of a pattern of k's statement.
func (k keyed) under(p pattern) keyed {
	var r words.Resource
	r.Read(p.text)
	r.Finish(p.text)
	k.text, k.kind, k.more = p.text, p.kind, p.more
	if p.kind == exactPattern {
		k.step, k.hash = words.Whole, r.Hash[words.Whole]
		return k
	}
	n := bits.Len32(r.Have&^(1<<words.Whole)) - 1
	if n >= 0 {
		k.step, k.hash = int8(n), r.Hash[n]
	}
	k.size = uint8(min(len(p.text)-8*(n+1), 8))
	k.literal = words.At(p.text, 8*(n+1)) & words.First(k.size)
	return k
}

// filterBit returns the bit of a hash in a filter.
func filterBit(hash uint64) (word, bit uint64) { return hash >> 38 & 3, hash >> 32 & 63 }

// build makes the tables.
func (x *index) build(list []keyed) {
	width := min(bits.Len(uint(len(list))), 24)
	if len(list) < 1<<8 {
		width = min(width, fewBits)
	}
	x.shift = uint8(64 - width)
	starts := make([]uint32, 1<<width+1)
	for i := range list {
		k := &list[i]
		k.tag = uint32(k.hash)
		x.all |= k.names
		if k.flags&deny != 0 {
			x.denied |= k.names
		}
		if k.step == noAnchor {
			x.always++
			continue
		}
		x.steps |= 1 << k.step
		word, bit := filterBit(k.hash)
		x.filter[word] |= 1 << bit
		starts[1+k.hash>>x.shift]++
	}
	starts[0] = x.always
	for i := range starts[1:] {
		starts[i+1] += starts[i]
	}
	if len(list) < 1<<8 {
		for i, end := range starts[1:] {
			x.few[i] = uint8(end)
		}
	} else {
		many := slices.Clone(starts)
		x.starts = &many
	}
	x.entries = make([]entry, len(list))
	first := 0
	for i := range list {
		if list[i].step == noAnchor {
			x.entries[first] = list[i].entry
			first++
			continue
		}
		bucket := list[i].hash >> x.shift
		x.entries[starts[bucket]] = list[i].entry
		starts[bucket]++
	}
}

// bucket returns the entries that may stand under a hash.
func (x *index) bucket(hash uint64) []entry {
	n := hash >> x.shift
	if x.starts != nil {
		starts := *x.starts
		return x.entries[starts[n]:starts[n+1]]
	}
	start := x.always
	if n > 0 {
		start = uint32(x.few[(n-1)%(1<<fewBits)])
	}
	return x.entries[start:x.few[n%(1<<fewBits)]]
}

// A hit is what a walk through a Policy found: the statement that allows whose
// principal element names the caller most closely, of those the first, and the
// first that denies; -1 where there is none.
type hit struct {
	allow, deny int32
	strength    strength // of allow
}

// always is where a walk looks at the entries without an anchor, among the places
// of words.Resource.
const always = words.Whole + 1

// places returns where in the index something may apply to a request: bits of
// words.Resource.Have, and always.
func (x *index) places(q *query) (places uint32) {
	if x.all&q.actions == 0 {
		return 0
	}
	if x.always > 0 {
		places = 1 << always
	}
	if x.steps&^q.resource.Have>>words.Whole != 0 {
		q.resource.Finish(q.name)
	}
	for m := x.steps & q.resource.Have; m != 0; m &= m - 1 {
		n := bits.TrailingZeros32(m) & words.Whole
		word, bit := filterBit(q.resource.Hash[n])
		places |= uint32(x.filter[word]>>bit&1) << n
	}
	return places
}

// find walks through places of the index. Named says that the layer's statements
// name their callers, and grants that statements that allow are sought as well.
func (p *Policy) find(e *evaluation, places uint32, named, grants bool) hit {
	q, resource := e.q, e.r.Resource
	callers := ^uint32(0)
	if named {
		callers = e.callerMask()
	}
	h := hit{allow: -1, deny: -1}
	for ; places != 0; places &= places - 1 {
		n := bits.TrailingZeros32(places)
		list, tag, end := p.entries[:p.always], uint32(0), 0
		if n != always {
			hash := q.resource.Hash[n&words.Whole]
			list, tag, end = p.bucket(hash), uint32(hash), 8*(n+1)
		}
		next, bytes := uint64(0), uint64(0) // what follows the anchor, and the bytes of it that are compared at a glance
		if len(list) > 1 {
			bytes = ^bytes
			if end < len(resource) {
				next = words.At(resource, end)
			}
		}
		for i := range list {
			k := &list[i]
			denies := k.flags&deny != 0
			switch {
			case k.tag != tag || k.names&q.actions == 0 || k.callers&callers == 0 || (k.literal^next)&bytes&words.First(k.size) != 0:
				continue
			case denies && h.deny >= 0 && k.number >= h.deny, !denies && (!grants || h.strength == anyMatch && k.number >= h.allow):
				continue // it would be no better
			case !k.isNamed(q) && !p.matchAction(k, q):
				continue
			case k.kind == prefixPattern:
				if !strings.HasPrefix(resource, k.text) {
					continue
				}
			case !matchText(e, k.kind, k.text, k.more, resource):
				continue
			}
			m := anyMatch
			if named {
				if m = p.matchPrincipal(k, e, denies); m == noMatch {
					continue
				}
			}
			if k.when > 0 && !p.matchConditions(k, e) {
				continue
			}
			switch {
			case denies:
				h.deny = k.number
			case m > h.strength || m == h.strength && k.number < h.allow:
				h.allow, h.strength = k.number, m
			}
		}
	}
	return h
}

func (p *Policy) matchConditions(k *entry, e *evaluation) bool {
	conditions := p.conditions[k.conditions : k.conditions+k.when]
	for i := range conditions {
		if !conditions[i].holds(e, p) {
			return false
		}
	}
	return true
}

// isNamed reports that the Action element names the action, as most do that match,
// by its first name or by "*".
func (k *entry) isNamed(q *query) bool {
	return k.flags&(firstName|notAction) == firstName && k.name.Value().hash == q.hash && k.name.Value().text == q.action
}

// matchAction reports whether the Action or NotAction element matches.
//
// quirk Q021: an empty list matches nothing, so NotAction with one matches
// everything; likewise for resources and condition values (P-5, C-17).
func (p *Policy) matchAction(k *entry, q *query) bool {
	matched := k.flags&notAction == 0
	switch {
	case k.flags&anyName != 0:
		return matched
	case k.flags&firstName != 0:
		if a := k.name.Value(); a.hash == q.hash && (a.text == q.action || words.EqualFold(a.text, q.action)) {
			return matched
		}
	}
	if k.flags&moreNames == 0 {
		return !matched
	}
	from, to := k.actions, k.actions+k.exact
	if k.exact > searchThreshold {
		from += firstHash(p.actions[from:to], q.hash)
	}
	for ; from < to; from++ {
		if a := p.actions[from].Value(); a.hash == q.hash && (a.text == q.action || words.EqualFold(a.text, q.action)) {
			return matched
		} else if a.hash > q.hash {
			break
		}
	}
	services, others := p.actions[to:to+k.services], p.actions[to+k.services:to+k.services+k.others]
	for _, handle := range services[firstHash(services, q.service):] {
		a := handle.Value()
		if a.hash != q.service {
			break
		}
		if a.match(q.action, q.colon) {
			return matched
		}
	}
	for _, handle := range others {
		if a := handle.Value(); a.match(q.action, q.colon) {
			return matched
		}
	}
	return !matched
}

// firstHash returns the place of the first pattern with a hash, or above it, in a
// list in the order of hashes.
func firstHash(list []unique.Handle[actionPattern], hash uint32) uint32 {
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
