// SPDX-License-Identifier: Apache-2.0

package arn

import "unicode/utf8"

// Match reports whether pattern matches all of s. In a pattern '*' stands for
// any run of characters, also none, and '?' for exactly one; everything else,
// '/' and ':' included, stands for itself, case-sensitively. The pattern must
// be valid UTF-8; a byte of s that is not counts as one character. Match does
// not allocate or recurse, and takes at most len(pattern) × len(s) steps.
func Match(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0 // the last star, and where in s its run ends
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			i += width(s[i:])
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star < 0:
			return false
		default:
			mark += width(s[mark:])
			p, i = star+1, mark
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// width returns the length of the first character of s, which is not empty.
func width(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}
