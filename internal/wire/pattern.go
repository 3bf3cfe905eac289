// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// Patterns of the API models that get a matcher of their own: Go's regexp has no look-ahead, and paths
// are in most IAM requests.
var handWritten = map[string]func(string) bool{
	`^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`: isAccountAlias,
	`(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`:   isPath,
	`\u002F[\u0021-\u007F]*`:                    isPathPrefix,
}

// compilePattern returns a matcher of whole strings for a Java regular expression as the API models
// write them. It panics when the pattern is beyond Go's regexp and not hand-written.
func compilePattern(java string) func(string) bool {
	if match, ok := handWritten[java]; ok {
		return match
	}
	pattern := goPattern(java)
	if match := compileClass(pattern); match != nil {
		return match
	}
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString
}

// unicodeEscape is Java's \uXXXX. The models also write five and six digits, meaning what one would expect
// and not what Java makes of it.
var unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4,6})`)

func goPattern(java string) string { return unicodeEscape.ReplaceAllString(java, `\x{$1}`) }

// compileClass returns a fast matcher for one character class under * or +, and nil for another pattern.
func compileClass(pattern string) func(string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || (re.Op != syntax.OpStar && re.Op != syntax.OpPlus) || re.Sub[0].Op != syntax.OpCharClass {
		return nil
	}
	emptyOK := re.Op == syntax.OpStar
	ranges := re.Sub[0].Rune // pairs of first and last
	var ascii [utf8.RuneSelf]bool
	for r := range rune(utf8.RuneSelf) {
		ascii[r] = inRanges(r, ranges)
	}
	return func(s string) bool {
		for i := 0; i < len(s); {
			if c := s[i]; c < utf8.RuneSelf {
				if !ascii[c] {
					return false
				}
				i++
				continue
			}
			r, n := utf8.DecodeRuneInString(s[i:])
			if !inRanges(r, ranges) {
				return false
			}
			i += n
		}
		return emptyOK || s != ""
	}
}

// inRanges reports whether r is in one of the ranges, which are sorted.
func inRanges(r rune, ranges []rune) bool {
	lo, hi := 0, len(ranges)/2
	for lo < hi {
		mid := (lo + hi) / 2
		switch {
		case r < ranges[2*mid]:
			hi = mid
		case r > ranges[2*mid+1]:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

// isAccountAlias: 3 to 63 lower-case letters, digits and single hyphens, no hyphen at either end.
func isAccountAlias(s string) bool {
	if len(s) < 3 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return false
	}
	for _, c := range []byte(s) {
		if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// isPath: "/", or printable ASCII between two slashes.
func isPath(s string) bool {
	if s == "/" {
		return true
	}
	return len(s) >= 3 && s[0] == '/' && s[len(s)-1] == '/' && allBytes(s, '!', '~')
}

// isPathPrefix: a slash, then ASCII above the space, DEL included.
func isPathPrefix(s string) bool {
	return s != "" && s[0] == '/' && allBytes(s, '!', 0x7F)
}

func allBytes(s string, first, last byte) bool {
	for _, c := range []byte(s) {
		if c < first || c > last {
			return false
		}
	}
	return true
}
