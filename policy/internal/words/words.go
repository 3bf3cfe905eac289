// SPDX-License-Identifier: Apache-2.0

// Package words reads text eight bytes at a time: hashes, letter case and the
// beginnings of an ARN.
//
// A hash is a function of the text alone, the same in every process. It is not
// secret: what finds something by hash must still compare the text.
package words

import "strings"

const (
	low7   = 0x7f7f7f7f7f7f7f7f
	high   = 0x8080808080808080
	ones   = 0x0101010101010101
	blanks = ' ' * ones // makes the letters of a word small
	seed   = 0x9e3779b97f4a7c15
	prime  = 0xd6e8feb86659fd93

	// Of the words of an action.
	middlePrime = 0xa24baed4963ee407
	endPrime    = 0x9fb21c651e98df25
)

// load returns the eight bytes of s from i, the first in the lowest byte.
func load(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// At returns the eight bytes of s from i, zero where s has ended. It takes an i
// of at most len(s).
func At(s string, i int) uint64 {
	if i <= len(s)-8 {
		return load(s, i)
	}
	if i == len(s) {
		return 0
	}
	if len(s) >= 8 {
		return load(s, len(s)-8) >> (8 * uint(8-len(s)+i) & 63)
	}
	return short(s, i)
}

// short is At of a text of less than eight bytes.
func short(s string, i int) (w uint64) {
	for j := len(s) - 1; j >= i; j-- {
		w = w<<8 | uint64(s[j])
	}
	return w
}

// First returns a mask of the first n bytes of a word; n is at most 8.
func First(n uint8) uint64 { return ^uint64(0) >> (64 - 8*uint(n)) }

// lower returns w with its ASCII letters in lower case.
func lower(w uint64) uint64 {
	heptets := w & low7
	above := heptets + (0x7f-'Z')*ones // its high bits: the byte is above 'Z'
	from := heptets + (0x80-'A')*ones  // its high bits: the byte is 'A' or above
	upper := (above ^ from) &^ w & high
	return w | upper>>2
}

// Equal reports whether two texts are equal, soonest if they have 8 to 16 bytes.
func Equal(a, b string) bool {
	n := len(a)
	if n != len(b) {
		return false
	}
	if n < 8 || n > 16 {
		return a == b
	}
	return load(a, 0) == load(b, 0) && load(a, n-8) == load(b, n-8)
}

// EqualFold reports whether two texts are equal but for the case of ASCII letters.
func EqualFold(a, b string) bool { return len(a) == len(b) && HasPrefixFold(a, b) }

// HasPrefixFold reports whether s begins with prefix but for the case of ASCII letters.
func HasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	s = s[:len(prefix)]
	if s == prefix {
		return true
	}
	for i := 0; i <= len(s); i += 8 {
		if lower(At(s, i)) != lower(At(prefix, i)) {
			return false
		}
	}
	return true
}

// An Action is the name of an operation, "service:Name", as hashes without regard to
// the case of ASCII letters.
type Action struct {
	Hash    uint32 // of the text
	Service uint32 // of the service with the colon

	// A bit for the text, and one for the service; see NameBit and ServiceBit.
	Mask uint32
}

// Read hashes an action: of its text the words at the ends and in the middle, which
// tell nearly all names apart. It is false without a colon.
func (a *Action) Read(s string) (ok bool) {
	var first, h, service uint64
	if len(s) >= 8 {
		first = load(s, 0)
		middle, end := load(s, len(s)/2-4)|blanks, load(s, len(s)-8)|blanks
		h = mix((first|blanks)^middle*middlePrime^end*endPrime, seed^uint64(len(s)))
	} else {
		first = short(s, 0)
		h = mix(first|blanks, seed)
	}
	if colon := zeros(first ^ ':'*ones); colon != 0 {
		service = mix((first|blanks)&(colon^(colon-1)), seed)
	} else {
		colon := strings.IndexByte(s, ':')
		service = Fold(s[:colon+1])
		if colon < 0 {
			return false
		}
	}
	a.Hash, a.Service = uint32(h), uint32(service)
	a.Mask = NameBit(a.Hash) | ServiceBit(a.Service)
	return true
}

// nameBits is how many bits of a mask are for names.
const nameBits = 20

// NameBit returns the bit of a mask for the hash of a name.
func NameBit(hash uint32) uint32 { return 1 << (uint64(hash) * nameBits >> 32 & 31) }

// ServiceBit returns the bit of a mask for the hash of a service.
func ServiceBit(hash uint32) uint32 {
	return 1 << (nameBits + uint64(hash)*(32-nameBits)>>32&31)
}

// zeros returns a word in which the lowest high bit tells the first byte of w that is 0.
func zeros(w uint64) uint64 { return (w - ones) &^ w & high }

const (
	// Steps is how many steps a Resource holds; those after are left out.
	Steps = 14

	// Whole is the place of the hash of the whole text.
	Whole = 0

	// None is a place that holds the hash 0.
	None = 15
)

// A Resource is a text, such as an ARN, as the hashes of what it begins with: the
// n-th step, from 1 on, is its first 8n bytes.
type Resource struct {
	Have uint32 // bit n: it has the n-th step; bit Whole: always
	Hash [None + 1]uint64
}

// Read hashes a text. It takes a zero Resource.
func (r *Resource) Read(s string) {
	h, i, n, hash := uint64(seed), 0, uint(1), &r.Hash
	steps := s[:min(len(s), 8*Steps)]
	for ; i <= len(steps)-16; i += 16 { // two at once
		h = chain(h, load(steps, i))
		hash[n%(None+1)] = h
		h = chain(h, load(steps, i+8))
		hash[(n+1)%(None+1)] = h
		n += 2
	}
	if i <= len(steps)-8 {
		h = chain(h, load(steps, i))
		hash[n%(None+1)] = h
		i += 8
		n++
	}
	r.Have = 1<<(n&31) - 1
	for ; i <= len(s)-8; i += 8 {
		h = chain(h, load(s, i))
	}
	switch {
	case i == len(s):
	case len(s) >= 8:
		h = chain(h, load(s, len(s)-8)>>(8*uint(i+8-len(s))&63))
	default:
		h = chain(h, short(s, 0))
	}
	hash[Whole] = ^h
}

// Ending hashes the last eight bytes of any text and its length.
func Ending(s string) uint64 {
	if len(s) < 8 {
		return mix(At(s, 0), seed)
	}
	return mix(load(s[len(s)-8:], 0), seed+prime*uint64(len(s)))
}

// Fold hashes any text without regard to the case of ASCII letters.
func Fold(s string) (h uint64) {
	for i, k := 0, uint64(seed); i < len(s); i, k = i+8, k+prime {
		h += mix(At(s, i)|blanks, k)
	}
	return h
}
