// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/innkeeper-iam/innkeeper/policy/internal/given"
	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// searchThreshold is how many texts or names are searched in order instead of
// compared one by one.
const searchThreshold = 8

// A condition is a compiled condition key under its operator. Its policy values
// are from..to of the list that the operator's class has in values; a single
// pattern is in it.
type condition struct {
	key      string // as written
	hash     uint32 // of the key without regard to letter case
	from, to uint32
	exact    uint32 // how many of the patterns come first, exact and in order

	// Of the single pattern, neverPattern if there is none.
	text string
	more *more
	kind patternKind

	// Of the operator.
	class    operator.Class
	relation operator.Relation
	set      operator.Set
	traits
}

// traits say more of an operator and where it stands.
type traits uint8

const (
	negated traits = 1 << iota
	ifExists
	like
	ignoreCase
	inDeny      // the condition belongs to a Deny statement
	nullIsFalse // Null lists "false"
	nullIsTrue  // Null lists "true"
	last        // of its statement
)

func (t traits) has(one traits) bool { return t&one != 0 }

func newTraits(op operator.Operator, effect Effect) traits {
	return negated.when(op.Negated) | ifExists.when(op.IfExists) | like.when(op.Like) | ignoreCase.when(op.IgnoreCase) | inDeny.when(effect == Deny)
}

func (t traits) when(is bool) traits {
	if is {
		return t
	}
	return 0
}

// values are the policy values of all conditions of a Policy, compiled; those of
// other classes are in its extra.
type values struct {
	patterns []pattern // of strings, ARNs and booleans
	prefixes []netip.Prefix
}

// condition compiles a condition. A literal that its operator cannot read is an
// error, because a condition that never matches lets a Deny fail open (P-11).
func (c *compiler) condition(s *Condition, effect Effect) {
	op, ok := operator.Parse(s.Operator) // quirk Q014: in one letter case only (C-2)
	if !ok {
		c.fail(s.OpPos, "unknown condition operator %q", s.Operator)
		return
	}
	n := condition{key: shared(s.Key), hash: given.Hash(s.Key), class: op.Class, relation: op.Relation, set: op.Set,
		traits: newTraits(op, effect)}
	p := c.policy
	n.from = p.countValues(n.class)
	for i := range s.Values {
		if err := n.add(p, s.Values[i].Text, c.variables && op.Variables); err != nil {
			c.fail(s.Values[i].Pos, "%s value %q: %v", s.Operator, s.Values[i].Text, err)
		}
	}
	switch n.class {
	case operator.String, operator.ARN:
		n.sort(p.values.patterns[n.from:])
	case operator.Numeric:
		p.extra.numbers = reduce(p.extra.numbers, n.from, n.relation, literal.Number.Compare)
	case operator.Date:
		p.extra.dates = reduce(p.extra.dates, n.from, n.relation, time.Time.Compare)
	}
	n.to = p.countValues(n.class)
	switch n.class {
	case operator.String, operator.ARN, operator.Bool:
		if n.to == n.from+1 {
			one := &p.values.patterns[n.from]
			n.text, n.more, n.kind = one.text, one.more, one.kind
			n.to, n.exact = n.from, 0
			p.values.patterns = slices.Delete(p.values.patterns, int(n.from), int(n.from)+1)
		}
	}
	p.conditions = append(p.conditions, n)
}

// shared returns s as the one copy that all policies share, for texts that many
// of them have: so a policy takes less memory, and what they have in common is
// in the processor's cache.
func shared(s string) string { return unique.Make(s).Value() }

// countValues returns how many values of a class there are.
func (p *Policy) countValues(class operator.Class) uint32 {
	switch class {
	case operator.String, operator.ARN, operator.Bool:
		return uint32(len(p.values.patterns))
	case operator.Numeric:
		return uint32(len(p.extra.numbers))
	case operator.Date:
		return uint32(len(p.extra.dates))
	case operator.IP:
		return uint32(len(p.values.prefixes))
	case operator.Binary:
		return uint32(len(p.extra.binaries))
	}
	return 0
}

// add compiles one policy value.
func (c *condition) add(p *Policy, text string, variables bool) error {
	var ok bool
	switch c.class {
	case operator.String, operator.ARN:
		return c.addText(&p.values, text, variables)
	case operator.Bool:
		// quirk Q026: a variable may stand for a boolean (C-9).
		pieces, err := parseTemplate(text, false, variables)
		if err != nil {
			return err
		}
		if _, ok = literal.ParseBool(text); !ok && !(variables && strings.Contains(text, "${")) {
			return errors.New(`want "true" or "false"`)
		}
		p.values.patterns = append(p.values.patterns, newFoldPattern(pieces))
		return nil
	case operator.Null:
		absent, ok := literal.ParseBool(text)
		if !ok {
			return errors.New(`want "true" or "false"`)
		}
		if absent {
			c.traits |= nullIsTrue
		} else {
			c.traits |= nullIsFalse
		}
		return nil
	case operator.Numeric:
		p.extra.numbers, ok = addLiteral(p.extra.numbers, text, literal.ParseNumber)
	case operator.Date:
		p.extra.dates, ok = addLiteral(p.extra.dates, text, literal.ParseDate)
	case operator.IP:
		p.values.prefixes, ok = addLiteral(p.values.prefixes, text, literal.ParsePrefix)
	case operator.Binary:
		p.extra.binaries, ok = addLiteral(p.extra.binaries, text, literal.ParseBinary)
	}
	if !ok {
		return fmt.Errorf("want %s", c.class.Literal())
	}
	return nil
}

func addLiteral[T any](list []T, text string, parse func(string) (T, bool)) ([]T, bool) {
	v, ok := parse(text)
	if !ok {
		return list, false
	}
	return append(list, v), true
}

func (c *condition) addText(v *values, text string, variables bool) error {
	if p, ok := plainPattern(text); ok && c.class == operator.String && !c.has(ignoreCase) && (c.has(like) || p.kind == exactPattern) {
		v.patterns = append(v.patterns, p)
		return nil
	}
	pieces, err := parseTemplate(text, c.has(like), variables)
	if err != nil {
		return err
	}
	p := pattern{kind: neverPattern}
	switch {
	case c.has(ignoreCase):
		p = newFoldPattern(pieces)
	case c.class == operator.ARN:
		// C-12: what has not the six parts of an ARN matches none.
		if parts := template.Split(pieces); len(parts) == 6 {
			p = newARNPattern(parts)
		}
	default:
		p = newPattern(pieces)
	}
	v.patterns = append(v.patterns, p)
	return nil
}

// reduce leaves those of the values after from that matter: of several bounds the
// one that is met most easily; equal ones are brought into order.
func reduce[T any](list []T, from uint32, r operator.Relation, compare func(T, T) int) []T {
	values := list[from:]
	switch {
	case len(values) < 2:
	case r == operator.Equal:
		slices.SortFunc(values, compare)
	case r == operator.Less || r == operator.LessOrEqual:
		return append(list[:from], slices.MaxFunc(values, compare))
	default:
		return append(list[:from], slices.MinFunc(values, compare))
	}
	return list
}

// relatesTo reports whether v relates to one of the values that reduce left.
func relatesTo[T any](values []T, v T, r operator.Relation, compare func(T, T) int) bool {
	if r == operator.Equal && len(values) > searchThreshold {
		_, found := slices.BinarySearchFunc(values, v, compare)
		return found
	}
	for i := range values {
		if r.Holds(compare(v, values[i])) {
			return true
		}
	}
	return false
}

// sort brings the exact patterns, or those without variables of an operator for
// which letter case does not count, to the front and into order.
func (c *condition) sort(patterns []pattern) {
	literal := func(p *pattern) bool { return p.kind == exactPattern || p.kind == foldPattern && p.more == nil }
	slices.SortStableFunc(patterns, func(a, b pattern) int {
		switch aFirst, bFirst := literal(&a), literal(&b); {
		case aFirst && bFirst:
			return strings.Compare(a.text, b.text)
		case aFirst:
			return -1
		case bFirst:
			return 1
		}
		return 0
	})
	for c.exact < uint32(len(patterns)) && literal(&patterns[c.exact]) {
		c.exact++
	}
}

// holds reports whether the condition is true for the request.
func (c *condition) holds(e *evaluation, p *Policy) bool {
	if e.keys == nil && len(e.r.Lists) == 0 {
		if one, ok := e.r.Context[c.key]; ok && c.class != operator.Null {
			return c.test(e, p, one, nil)
		}
	}
	// quirk Q002: a lone empty string is a value, an empty list is none (C-5, C-14).
	value := e.lookup(c.key, c.hash)
	missing := value.Kind == given.Nothing
	switch {
	case c.class == operator.Null:
		if missing {
			return c.has(nullIsTrue)
		}
		return c.has(nullIsFalse)
	case missing && (c.has(ifExists) || c.set == operator.ForAllValues):
		return true // C-4, C-14, C-16
	case missing && c.set == operator.ForAnyValue:
		return false // C-15
	case missing:
		return c.has(negated) // C-3
	case value.Kind == given.One:
		return c.test(e, p, value.One, value.Typed)
	case c.set == operator.Single && len(value.List) > 1:
		// quirk Q006: several values without a set operator refuse: the
		// condition of an Allow fails, that of a Deny holds (C-13).
		return c.has(inDeny)
	case c.set == operator.ForAnyValue:
		for _, one := range value.List {
			if c.test(e, p, one, nil) {
				return true
			}
		}
		return false
	}
	for _, one := range value.List {
		if !c.test(e, p, one, nil) {
			return false
		}
	}
	return true
}

// test compares one request value with every policy value; typed is what the
// request value was read as, or nil. A value that the operator cannot read
// relates to none.
//
// quirk Q007: so a negated operator is true for it.
func (c *condition) test(e *evaluation, p *Policy, value string, typed *literal.Value) bool {
	return c.relates(e, p, value, typed) != c.has(negated)
}

func (c *condition) relates(e *evaluation, p *Policy, value string, typed *literal.Value) bool {
	switch c.class {
	case operator.String, operator.ARN:
		return c.relatesText(e, p.values.patterns[c.from:c.to], value)
	case operator.Bool:
		_, ok := literal.ParseBool(value) // quirk Q017: in any letter case
		return ok && c.relatesText(e, p.values.patterns[c.from:c.to], value)
	case operator.Numeric:
		n, ok := typed.Number(value)
		return ok && relatesTo(p.extra.numbers[c.from:c.to], n, c.relation, literal.Number.Compare)
	case operator.Date: // quirk Q016: to the nanosecond
		t, ok := typed.Date(value)
		return ok && relatesTo(p.extra.dates[c.from:c.to], t, c.relation, time.Time.Compare)
	case operator.IP:
		a, ok := typed.Address(value)
		for i := c.from; ok && i < c.to; i++ {
			if p.values.prefixes[i].Contains(a) {
				return true
			}
		}
	case operator.Binary:
		return relatesBinary(p.extra.binaries[c.from:c.to], value)
	}
	return false
}

func (c *condition) relatesText(e *evaluation, patterns []pattern, value string) bool {
	if c.class == operator.ARN && !isARN(value) {
		return false
	}
	if c.exact > searchThreshold {
		compare := strings.Compare
		if c.has(ignoreCase) {
			compare = compareFold
		}
		if _, ok := slices.BinarySearchFunc(patterns[:c.exact], value, func(p pattern, value string) int {
			return compare(p.text, value)
		}); ok {
			return true
		}
		patterns = patterns[c.exact:]
	}
	if c.kind != neverPattern {
		return matchText(e, c.kind, c.text, c.more, value)
	}
	for i := range patterns {
		if p := &patterns[i]; matchText(e, p.kind, p.text, p.more, value) {
			return true
		}
	}
	return false
}

// relatesBinary compares bytes (C-10).
//
// quirk Q008: the request value is read both as the bytes themselves and as
// their base64, which is how simulators carry it.
func relatesBinary(binaries []string, value string) bool {
	decoded, ok := literal.ParseBinary(value)
	for _, b := range binaries {
		if b == value || ok && b == decoded {
			return true
		}
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
