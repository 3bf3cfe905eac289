// SPDX-License-Identifier: Apache-2.0

package doctest

import (
	"slices"
	"strings"
)

// An ellipsis within a line of expected output stands for any text, even none;
// alone on its line, for any number of lines.
var ellipses = []string{"…", "[..]"}

// matchLines reports whether got is what want describes. Blanks at the end of a
// line and blank lines at the beginning and the end do not count.
func matchLines(want, got []string) bool {
	return matchFrom(trim(want), trim(got))
}

func matchFrom(want, got []string) bool {
	for i, w := range want {
		if isEllipsis(w) {
			for skip := range len(got) - i + 1 {
				if matchFrom(want[i+1:], got[i+skip:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || !matchLine(w, got[i]) {
			return false
		}
	}
	return len(want) == len(got)
}

func isEllipsis(line string) bool { return slices.Contains(ellipses, strings.TrimSpace(line)) }

// matchLine reports whether got is want with each ellipsis replaced by some text.
func matchLine(want, got string) bool {
	parts := strings.Split(strings.ReplaceAll(want, ellipses[1], ellipses[0]), ellipses[0])
	rest, ok := strings.CutPrefix(got, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

// trim returns lines without blanks at their ends and without blank lines
// before the first and after the last.
func trim(lines []string) []string {
	lines = slices.Clone(lines)
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// merge returns got, with the lines of want kept that still match, ellipses
// included, from the top down to the first difference and from the bottom up
// to the last.
func merge(want, got []string) []string {
	want, got = trim(want), slices.Clone(trim(got))
	top := 0
	for top < min(len(want), len(got)) && !isEllipsis(want[top]) && matchLine(want[top], got[top]) {
		got[top] = want[top]
		top++
	}
	for w, g := len(want)-1, len(got)-1; w >= top && g >= top && !isEllipsis(want[w]) && matchLine(want[w], got[g]); w, g = w-1, g-1 {
		got[g] = want[w]
	}
	return got
}
