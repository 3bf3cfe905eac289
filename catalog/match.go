// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"slices"
	"strings"
)

// Matches reports whether name is the name of k, in any letter case, or has text
// where k's has a variable part.
func (k ConditionKey) Matches(name string) bool {
	return fill(strings.ToLower(k.Name), strings.ToLower(name), 1)
}

// Matches reports whether an ARN has the form of one of the type's templates. A
// variable, or a "*", stands for one character or more of the resource part, and
// in the parts before it for any text without a colon.
func (t ResourceType) Matches(arn string) bool {
	return slices.ContainsFunc(t.ARNs, func(template string) bool { return matchARN(template, arn) })
}

// matchARN compares the parts of an ARN before the resource one by one: there a
// text may be empty, as the region often is.
func matchARN(template, arn string) bool {
	for range 5 {
		var want, got string
		var ok bool
		if want, template, ok = strings.Cut(template, ":"); !ok {
			return false
		}
		if got, arn, ok = strings.Cut(arn, ":"); !ok || !fill(want, got, 0) {
			return false
		}
	}
	return fill(template, arn, 1)
}

// fill reports whether text is template with at least n bytes in the place of
// each variable, "${Name}" or "*".
func fill(template, text string, n int) bool {
	literal, rest, found := cutVariable(template)
	text, ok := strings.CutPrefix(text, literal)
	for ok && found {
		// A variable takes as little as it can: that leaves the most to the rest.
		template = rest
		literal, rest, found = cutVariable(template)
		if len(text) < n {
			return false
		}
		if !found {
			return strings.HasSuffix(text[n:], literal)
		}
		var i int
		if i = strings.Index(text[n:], literal); i < 0 {
			return false
		}
		text = text[n+i+len(literal):]
	}
	return ok && text == ""
}

// cutVariable cuts a template around its first variable.
func cutVariable(template string) (before, after string, found bool) {
	i := strings.IndexAny(template, "$*")
	if i < 0 {
		return template, "", false
	}
	if template[i] == '*' {
		return template[:i], template[i+1:], true
	}
	_, after, found = strings.Cut(template[i:], "}")
	if !found || !strings.HasPrefix(template[i:], "${") {
		return template, "", false
	}
	return template[:i], after, true
}

func findKey(keys []ConditionKey, name string) (ConditionKey, bool) {
	if i, ok := find(keys, name, func(k ConditionKey) string { return k.Name }); ok {
		return keys[i], true
	}
	for _, k := range keys {
		if strings.Contains(k.Name, "${") && k.Matches(name) {
			return k, true
		}
	}
	return ConditionKey{}, false
}

// find returns the index of the element of the given name in a list that is
// sorted by the names in lower case.
func find[T any](list []T, name string, nameOf func(T) string) (int, bool) {
	return slices.BinarySearchFunc(list, name, func(x T, name string) int { return compareFold(nameOf(x), name) })
}

// compareFold compares two texts without regard to the case of ASCII letters,
// which all names here are made of.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
