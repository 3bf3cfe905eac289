// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// Characters of a long run of pieces: a rune, a byte that is no UTF-8 above all
// runes, or one of these.
const (
	anyChar     rune = -1
	anyNotColon rune = -2
	brokenByte  rune = utf8.MaxRune + 1
)

func charAt(text string) (c rune, size int) {
	c, size = utf8.DecodeRuneInString(text)
	if c == utf8.RuneError && size == 1 {
		c = brokenByte + rune(text[0])
	}
	return c, size
}

// findLong is find for many pieces. It follows all places where they may have
// begun side by side, 64 in a word, so that a run of single characters costs its
// length times that of the text divided by 64.
func (e *evaluation) findLong(pieces []piece, text string, at int) (from, to int) {
	chars, ok := e.chars(pieces)
	if !ok {
		return -1, -1
	}
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
		case anyChar:
			others[word] |= bit
			masks[':'][word] |= bit
		case anyNotColon:
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
		c, size := charAt(text[at:])
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

// chars returns the characters of pieces without a star; ok is false if they
// match nothing.
func (e *evaluation) chars(pieces []piece) (chars []rune, ok bool) {
	for i := range pieces {
		if p := &pieces[i]; p.Kind == template.One {
			c := anyChar
			if p.Within {
				c = anyNotColon
			}
			chars = append(chars, c)
			continue
		}
		text, ok := e.text(&pieces[i])
		if !ok {
			return nil, false
		}
		for text != "" {
			c, size := charAt(text)
			chars = append(chars, c)
			text = text[size:]
		}
	}
	return chars, true
}
