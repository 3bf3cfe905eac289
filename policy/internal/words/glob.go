// SPDX-License-Identifier: Apache-2.0

package words

import (
	"strings"
	"unicode/utf8"
)

// Glob reports whether text as a whole matches a pattern of '*', '?' and
// literal characters, without regard to the case of ASCII letters.
func Glob(pattern, text string) bool {
	if last := strings.LastIndexByte(pattern, '*'); last >= 0 {
		for i := len(pattern) - 1; i > last; i-- { // what follows the last star is at the end
			if text == "" || pattern[i] != '?' && LowerByte(pattern[i]) != LowerByte(text[len(text)-1]) {
				return false
			}
			n := 1
			if pattern[i] == '?' {
				_, n = utf8.DecodeLastRuneInString(text)
			}
			text = text[:len(text)-n]
		}
		pattern = pattern[:last+1]
	}
	i, at := 0, 0
	star, starAt := -1, 0
	for at < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			if i++; i == len(pattern) {
				return true
			}
			star, starAt = i, at
			continue
		case i < len(pattern) && pattern[i] == '?':
			_, n := utf8.DecodeRuneInString(text[at:])
			at += n
			i++
			continue
		case i < len(pattern) && LowerByte(pattern[i]) == LowerByte(text[at]):
			at++
			i++
			continue
		case star < 0:
			return false
		}
		_, n := utf8.DecodeRuneInString(text[starAt:])
		starAt += n
		at, i = starAt, star
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// LowerByte returns an ASCII letter in lower case, and any other byte as it is.
func LowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
