// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// setThreshold is how many plain texts a condition needs to be looked up in a
// map instead of compared one by one.
const setThreshold = 8

// A condition is a compiled condition key under its operator. Exactly one of the
// value lists is used, by op.class.
type condition struct {
	op   operatorInfo
	key  string // as written
	deny bool   // it belongs to a Deny statement

	patterns []pattern           // strings and ARNs, letter case counts
	set      map[string]struct{} // the exact ones of many patterns; nil when there are few
	folded   [][]piece           // strings and booleans, letter case does not count
	numbers  []number
	dates    []time.Time
	prefixes []netip.Prefix
	binaries []string
	absent   [2]bool // Null: whether "false" and "true" are listed
}

// newCondition compiles c. A literal that its operator cannot read is an error,
// because a condition that never matches lets a Deny fail open (P-11).
func newCondition(c *Condition, variables bool, effect Effect) (condition, []Problem) {
	op, ok := parseOperator(c.Operator) // quirk Q014: in one letter case only (C-2)
	if !ok {
		return condition{}, []Problem{uncompilable(c.OpPos, "unknown condition operator %q", c.Operator)}
	}
	n := condition{op: op, key: c.Key, deny: effect == Deny}
	var problems []Problem
	for _, v := range c.Values {
		if err := n.add(v.Text, variables && op.variables); err != nil {
			problems = append(problems, uncompilable(v.Pos, "%s value %q: %v", c.Operator, v.Text, err))
		}
	}
	n.buildSet()
	return n, problems
}

// add compiles one policy value.
func (c *condition) add(text string, variables bool) error {
	var ok bool
	switch c.op.class {
	case stringClass, arnClass:
		return c.addText(text, variables)
	case boolClass:
		// quirk Q026: a variable may stand for a boolean (C-9).
		pieces, err := parseTemplate(text, false, variables)
		if err != nil {
			return err
		}
		if _, ok = parseBool(text); !ok && !(variables && strings.Contains(text, "${")) {
			return errors.New(`want "true" or "false"`)
		}
		c.folded = append(c.folded, pieces)
		return nil
	case nullClass:
		absent, ok := parseBool(text)
		if !ok {
			return errors.New(`want "true" or "false"`)
		}
		if absent {
			c.absent[1] = true
		} else {
			c.absent[0] = true
		}
		return nil
	case numericClass:
		c.numbers, ok = addLiteral(c.numbers, text, parseNumber)
	case dateClass:
		c.dates, ok = addLiteral(c.dates, text, parseDate)
	case ipClass:
		c.prefixes, ok = addLiteral(c.prefixes, text, parsePrefix)
	case binaryClass:
		c.binaries, ok = addLiteral(c.binaries, text, parseBinary)
	}
	if !ok {
		return fmt.Errorf("want %s", literalNames[c.op.class])
	}
	return nil
}

// literalNames says what the values of a class look like.
var literalNames = map[valueClass]string{
	numericClass: "a number",
	dateClass:    "an ISO 8601 date or seconds since 1970",
	ipClass:      "an IP address or CIDR range",
	binaryClass:  "base64",
}

func addLiteral[T any](list []T, text string, parse func(string) (T, bool)) ([]T, bool) {
	v, ok := parse(text)
	if !ok {
		return list, false
	}
	return append(list, v), true
}

func (c *condition) addText(text string, variables bool) error {
	pieces, err := parseTemplate(text, c.op.like, variables)
	if err != nil {
		return err
	}
	switch {
	case c.op.ignoreCase:
		c.folded = append(c.folded, pieces)
	case c.op.class == arnClass:
		// C-12: what has not the six parts of an ARN matches none.
		p := pattern{kind: neverPattern}
		if parts := template.Split(pieces); len(parts) == 6 {
			p = newARNPattern(parts)
		}
		c.patterns = append(c.patterns, p)
	default:
		c.patterns = append(c.patterns, newPattern(pieces))
	}
	return nil
}

// buildSet moves the exact texts of a long list into a map.
func (c *condition) buildSet() {
	if len(c.patterns) < setThreshold {
		return
	}
	rest := c.patterns[:0]
	c.set = make(map[string]struct{}, len(c.patterns))
	for _, p := range c.patterns {
		if p.kind == exactPattern {
			c.set[p.text] = struct{}{}
		} else {
			rest = append(rest, p)
		}
	}
	c.patterns = rest
}

// holds reports whether the condition is true for the request.
func (c *condition) holds(e *evaluation) bool {
	// quirk Q002: a lone empty string is a value, an empty list is none (C-5, C-14).
	one, list, found := e.r.lookup(c.key)
	missing := found == noValue
	switch {
	case c.op.class == nullClass:
		if missing {
			return c.absent[1]
		}
		return c.absent[0]
	case missing && (c.op.ifExists || c.op.set == forAllValues):
		return true // C-4, C-14, C-16
	case missing && c.op.set == forAnyValue:
		return false // C-15
	case missing:
		return c.op.negated // C-3
	case found == oneValue:
		return c.test(e, one)
	case c.op.set == single && len(list) > 1:
		// quirk Q006: several values without a set operator refuse: the
		// condition of an Allow fails, that of a Deny holds (C-13).
		return c.deny
	case c.op.set == forAnyValue:
		for _, v := range list {
			if c.test(e, v) {
				return true
			}
		}
		return false
	}
	for _, v := range list {
		if !c.test(e, v) {
			return false
		}
	}
	return true
}

// test compares one request value with every policy value. A value that the
// operator cannot read relates to none.
//
// quirk Q007: so a negated operator is true for it.
func (c *condition) test(e *evaluation, value string) bool {
	return c.relates(e, value) != c.op.negated
}

func (c *condition) relates(e *evaluation, value string) bool {
	switch c.op.class {
	case stringClass, arnClass:
		return c.relatesText(e, value)
	case boolClass:
		_, ok := parseBool(value) // quirk Q017: in any letter case
		return ok && c.relatesFolded(e, value)
	case numericClass:
		v, ok := parseNumber(value)
		for i := 0; ok && i < len(c.numbers); i++ {
			if c.op.relation.holds(v.compare(c.numbers[i])) {
				return true
			}
		}
	case dateClass:
		v, ok := parseDate(value)
		for i := 0; ok && i < len(c.dates); i++ {
			if c.op.relation.holds(v.Compare(c.dates[i])) { // quirk Q016: to the nanosecond
				return true
			}
		}
	case ipClass:
		v, ok := parseAddress(value)
		for i := 0; ok && i < len(c.prefixes); i++ {
			if c.prefixes[i].Contains(v) {
				return true
			}
		}
	case binaryClass:
		return c.relatesBinary(value)
	}
	return false
}

func (c *condition) relatesText(e *evaluation, value string) bool {
	if c.op.ignoreCase {
		return c.relatesFolded(e, value)
	}
	if c.op.class == arnClass && !isARN(value) {
		return false
	}
	if c.set != nil {
		if _, ok := c.set[value]; ok {
			return true
		}
	}
	for i := range c.patterns {
		if c.patterns[i].match(e, value) {
			return true
		}
	}
	return false
}

func (c *condition) relatesFolded(e *evaluation, value string) bool {
	for _, pieces := range c.folded {
		if matchFold(e, pieces, value) {
			return true
		}
	}
	return false
}

// relatesBinary compares bytes (C-10).
//
// quirk Q008: the request value is read both as the bytes themselves and as
// their base64, which is how simulators carry it.
func (c *condition) relatesBinary(value string) bool {
	decoded, ok := parseBinary(value)
	for _, b := range c.binaries {
		if b == value || ok && b == decoded {
			return true
		}
	}
	return false
}

// holds reports whether a comparison's sign (request value with policy value)
// is what the relation asks for.
func (r relation) holds(sign int) bool {
	switch r {
	case equal:
		return sign == 0
	case less:
		return sign < 0
	case lessOrEqual:
		return sign <= 0
	case greater:
		return sign > 0
	case greaterOrEqual:
		return sign >= 0
	}
	return false
}

// isARN reports whether s has the six parts of an ARN.
func isARN(s string) bool {
	colons := 0
	for i := 0; i < len(s) && colons < 5; i++ {
		if s[i] == ':' {
			colons++
		}
	}
	return colons == 5 && s[:4] == "arn:"
}
