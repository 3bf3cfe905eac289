// SPDX-License-Identifier: Apache-2.0

package words

import "unicode/utf8"

// Characters of a Find: a rune, a byte that is no UTF-8 above all runes, or one
// of these.
const (
	AnyChar     rune = -1
	AnyNotColon rune = -2
	brokenByte  rune = utf8.MaxRune + 1
)

// CharAt returns the first character of a text and its size.
func CharAt(text string) (c rune, size int) {
	c, size = utf8.DecodeRuneInString(text)
	if c == utf8.RuneError && size == 1 {
		c = brokenByte + rune(text[0])
	}
	return c, size
}

// Find returns the first place in a text, from at on, where characters stand one
// after the other; from is -1 if there is none. It follows all places where they
// may have begun side by side, 64 in a word, so that a run of single characters
// costs its length times that of the text divided by 64.
func Find(chars []rune, text string, at int) (from, to int) {
	switch {
	case len(chars) == 0:
		return at, at
	case len(chars) > len(text)-at: // so long values of variables take no memory
		return -1, -1
	}
	width := (len(chars) + 63) / 64
	others := make([]uint64, width) // where a character may stand that is not in masks
	masks := map[rune][]uint64{':': make([]uint64, width)}
	for i, c := range chars {
		word, bit := i/64, uint64(1)<<(i%64)
		switch c {
		case AnyChar:
			others[word] |= bit
			masks[':'][word] |= bit
		case AnyNotColon:
			others[word] |= bit
		default:
			if masks[c] == nil {
				masks[c] = make([]uint64, width)
			}
			masks[c][word] |= bit
		}
	}
	for c, mask := range masks {
		for i := range mask {
			if c != ':' {
				mask[i] |= others[i]
			}
		}
	}
	begun := make([]uint64, width) // bit i: the last i+1 characters are the first i+1 of chars
	starts := make([]int, len(chars))
	for n := 0; at < len(text); n++ {
		c, size := CharAt(text[at:])
		starts[n%len(starts)] = at
		at += size
		mask, ok := masks[c]
		if !ok {
			mask = others
		}
		carry := uint64(1)
		for i := range begun {
			next := begun[i] >> 63
			begun[i] = (begun[i]<<1 | carry) & mask[i]
			carry = next
		}
		if last := len(chars) - 1; begun[last/64]>>(last%64)&1 != 0 {
			return starts[(n+1)%len(starts)], at
		}
	}
	return -1, -1
}
