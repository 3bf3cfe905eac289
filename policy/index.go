// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/bits"

	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// An index finds the statements of a Policy that may apply to a request. Each
// pattern of a Resource element is an entry under the hash of its anchor: of its
// whole text if that is literal, or else of the literal text that it begins with,
// up to the last multiple of eight bytes. A pattern without an anchor is among the
// first entries, which every request looks at. The anchors of a policy have few
// lengths, and a request looks up its own beginnings of those lengths.
//
// What most requests look at comes first and fills two lines of the cache.
type index struct {
	common      uint64 // the hash of what all texts begin with
	all, denied uint32 // masks of the actions of all entries, and of those that deny
	steps       uint32 // lengths of anchors, as bits of words.Resource.Have
	first       uint32 // how many entries come first, without an anchor
	keys        []key  // of the entries
	step        uint8  // of common, or words.None
	kind        Kind
	layers      uint8 // that take the policy, as bits; 0 for a Broken one
	shift       uint8 // a hash's bucket is in its bits from here

	few     [1 << fewBits]uint16 // the buckets, if they are few: the first entry, and below it a filter
	many    []uint32             // the buckets, if they are many: likewise
	entries []entry
}

const (
	fewBits    = 5
	maxFew     = 48 // entries in few buckets
	filterBits = 8
)

// A key is what an entry is found by. Where one does not fit, the entry need not
// be looked at.
type key struct {
	callers uint64 // mask of the principals of the statement
	names   uint32 // mask of its actions

	// The hash of the anchor and so many bytes that follow it in the pattern; the
	// low bits are that number and whether the key is the last of its bucket.
	tag uint32
}

const (
	lastKey    = 8
	followMask = 7
	tagBits    = 4 // below the hash

	tagFactor = 0x9e3779b97f4a7c15
)

// A keyed entry has the hash that it stands under, 0 without an anchor.
type keyed struct {
	entry
	key
	text string // of the pattern
	hash uint64
	step int // of the anchor, or noAnchor
}

const noAnchor = -1

// under returns the entry of a pattern of k's statement.
func (k keyed) under(p pattern) keyed {
	var r words.Resource
	r.Read(p.text)
	k.setPattern(p)
	k.text = p.text
	if p.kind == exactPattern {
		k.step, k.hash = words.Whole, r.Hash[words.Whole]
		k.tag = tag(k.hash, 0, 0)
		return k
	}
	n := bits.Len32(r.Have) - 1
	if n > 0 {
		k.step, k.hash = n, r.Hash[n]
	}
	end := 8 * n
	k.tag = tag(k.hash, words.At(p.text, end), uint32(min(len(p.text)-end, followMask)))
	return k
}

// tag returns the tag of a key under an anchor, which so many bytes of a word follow.
func tag(anchor, next uint64, following uint32) uint32 {
	next &= 1<<(following&followMask*8) - 1
	return uint32((anchor^next)*tagFactor>>32)&^(1<<tagBits-1) | following&followMask
}

// filterBit returns the place of the bit of a hash in the filter of its bucket.
func filterBit(hash uint64) uint64 { return hash >> 24 & 7 }

// bestShift returns where in their hashes the anchors differ most, for few buckets.
func bestShift(list []keyed) (best uint8) {
	least := len(list) + 1
	for shift := uint8(64 - fewBits); shift > 32; shift -= 3 {
		var buckets [1 << fewBits]uint64
		shared := 0
		for i := range list {
			hash := list[i].hash
			b := &buckets[hash>>shift%(1<<fewBits)]
			if *b != 0 && *b != hash {
				shared++
			}
			*b = hash
		}
		if shared < least {
			best, least = shift, shared
		}
	}
	return best
}

// build makes the tables.
func (x *index) build(list []keyed) {
	width := fewBits
	if len(list) <= maxFew {
		x.shift = bestShift(list)
	} else {
		anchors := make(map[uint64]struct{}, len(list))
		for i := range list {
			anchors[list[i].hash] = struct{}{}
		}
		width = bits.Len(uint(len(anchors)))
		x.shift = uint8(64 - width)
	}
	buckets := make([]struct{ filter, first, end uint32 }, 1<<width)
	for i := range list {
		k := &list[i]
		x.all |= k.names
		if k.flags&deny != 0 {
			x.denied |= k.names
		}
		if k.step == noAnchor {
			x.first++
			continue
		}
		x.steps |= 1 << k.step
		b := &buckets[k.hash>>x.shift&(1<<width-1)]
		b.filter |= 1 << filterBit(k.hash)
		b.end++
	}
	at := x.first
	for i := range buckets {
		b := &buckets[i]
		b.first, b.end, at = at, at, at+b.end
	}
	x.keys, x.entries = make([]key, len(list)), make([]entry, len(list))
	first := uint32(0)
	for i := range list {
		k := &list[i]
		to := &first
		if k.step != noAnchor {
			to = &buckets[k.hash>>x.shift&(1<<width-1)].end
		}
		x.entries[*to] = k.entry
		x.keys[*to] = k.key
		*to++
	}
	if x.first > 0 {
		x.keys[x.first-1].tag |= lastKey
	}
	if len(list) > maxFew {
		x.many = make([]uint32, len(buckets))
	}
	for i, b := range buckets {
		if b.filter == 0 {
			continue
		}
		x.keys[b.end-1].tag |= lastKey
		if x.many != nil {
			x.many[i] = b.first<<filterBits | b.filter
		} else {
			x.few[i] = uint16(b.first<<filterBits | b.filter)
		}
	}
	x.findCommon(list)
}

// findCommon finds what all texts begin with.
func (x *index) findCommon(list []keyed) {
	x.step = words.None
	if x.first > 0 || len(list) == 0 {
		return
	}
	common := list[0].text
	n := min(len(common)/8, words.Steps)
	for i := range list {
		for n = min(n, len(list[i].text)/8); list[i].text[:8*n] != common[:8*n]; {
			n--
		}
	}
	if n > 0 {
		var r words.Resource
		r.Read(common[:8*n])
		x.step, x.common = uint8(n), r.Hash[n]
	}
}

// bucket returns the first entry of the bucket of a hash; ok is false where no
// anchor there has the hash.
func (x *index) bucket(hash uint64) (first uint32, ok bool) {
	b := uint32(x.few[hash>>(x.shift&63)%(1<<fewBits)])
	if x.many != nil {
		b = x.many[hash>>(x.shift&63)]
	}
	return b >> filterBits, b>>filterBit(hash)&1 != 0
}

// concerns returns 1 if an entry may apply to a request, else 0. It does not
// branch, because which policies do cannot be told beforehand.
func (x *index) concerns(q *query) uint64 {
	begins, named := uint64(0), uint64(0)
	if q.resource.Hash[x.step%(words.None+1)] == x.common {
		begins = 1
	}
	if x.all&q.Mask != 0 {
		named = 1
	}
	return begins & named
}

// scan looks through a bucket, or the entries without an anchor. The anchor ends at
// a place in the resource.
func (p *Policy) scan(e *evaluation, first uint32, anchor uint64, end int, callers uint64) {
	keys, i, actions := p.keys, uint(first), e.q.Mask
	if k := &keys[i]; k.tag&lastKey != 0 {
		if k.callers&callers != 0 && k.names&actions != 0 {
			p.try(e, &p.entries[i])
		}
		return
	}
	next := words.At(e.q.text, end)
	for {
		if i = fit(keys, i, actions, anchor, next, callers); i >= uint(len(keys)) {
			return
		}
		p.try(e, &p.entries[i])
		if keys[i].tag&lastKey != 0 {
			return
		}
		i++
	}
}

// fit returns the first key of a bucket that fits, from i on, or noFit.
func fit(keys []key, i uint, actions uint32, anchor, next, callers uint64) uint {
	for ; i < uint(len(keys)); i++ {
		k := &keys[i]
		if k.callers&callers != 0 && k.names&actions != 0 && (tag(anchor, next, k.tag)^k.tag)&^lastKey == 0 {
			return i
		}
		if k.tag&lastKey != 0 {
			break
		}
	}
	return noFit
}

const noFit = ^uint(0)

// try looks whether an entry applies, and keeps it if it is a better one.
func (p *Policy) try(e *evaluation, k *entry) {
	g := &e.g
	at, denies := &g.by[g.layer], k.flags&deny != 0
	switch {
	case denies && g.deny >= 0 && k.number >= g.deny, !denies && (!g.sought || at.strength == anyMatch && k.number >= at.statement):
		return // it would be no better
	case !p.matchAction(k, &e.q), !k.matchResource(e):
		return
	}
	m := anyMatch
	if g.named {
		if m = p.matchPrincipal(k, e, denies); m == noMatch {
			return
		}
	}
	if k.flags&conditional != 0 && !p.matchConditions(k, e) {
		return
	}
	switch {
	case denies:
		g.deny = k.number
	case m > at.strength || m == at.strength && k.number < at.statement:
		*at = grant{policy: p, statement: k.number, strength: m}
	}
}
