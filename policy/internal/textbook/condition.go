// SPDX-License-Identifier: Apache-2.0

package textbook

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
)

// A Condition is one key of a condition block with what a request has under it.
type Condition struct {
	Operator operator.Operator
	Wants    []string // policy values
	Has      []string // of the request; nil: it has no such key
	Deny     bool     // of a statement that denies

	// Expand makes a pattern of a policy value; ok is false if one of its
	// variables has no value.
	Expand func(text string, wildcards bool) (p Pattern, ok bool)
}

// Met evaluates the condition (section "Conditions"). By is the place of the first
// policy value that a value of the request relates to; -1 if none does.
func (c *Condition) Met() (met bool, by int) {
	op := &c.Operator
	if op.Class == operator.Null {
		by = slices.IndexFunc(c.Wants, func(want string) bool {
			absent, _ := literal.ParseBool(want)
			return absent == (c.Has == nil)
		})
		return by >= 0, by
	}
	if c.Has == nil {
		switch {
		case op.IfExists, op.Set == operator.ForAllValues:
			return true, -1
		case op.Set == operator.ForAnyValue:
			return false, -1
		}
		return op.Negated, -1
	}
	by = -1
	results := make([]bool, len(c.Has))
	for i, value := range c.Has {
		related := slices.IndexFunc(c.Wants, func(want string) bool { return c.relates(value, want) })
		if by < 0 {
			by = related
		}
		results[i] = (related >= 0) != op.Negated
	}
	switch {
	case op.Set == operator.Single && len(c.Has) > 1:
		return c.Deny, by // quirk Q006: several values without a set operator refuse
	case op.Set == operator.ForAnyValue:
		return slices.Contains(results, true), by
	}
	return !slices.Contains(results, false), by
}

// relates compares one request value with one policy value, negation aside.
func (c *Condition) relates(value, want string) bool {
	switch c.Operator.Class {
	case operator.String, operator.ARN, operator.Bool:
		p, ok := c.Expand(want, c.Operator.Like)
		return ok && relatesText(&c.Operator, value, p)
	case operator.Numeric:
		v, ok := literal.ParseNumber(value)
		w, ok2 := literal.ParseNumber(want)
		return ok && ok2 && compares(c.Operator.Relation, v.Compare(w))
	case operator.Date:
		v, ok := literal.ParseDate(value)
		w, ok2 := literal.ParseDate(want)
		return ok && ok2 && compares(c.Operator.Relation, v.Compare(w))
	case operator.IP:
		v, ok := literal.ParseAddress(value)
		w, ok2 := literal.ParsePrefix(want)
		return ok && ok2 && w.Contains(v)
	case operator.Binary:
		w, _ := literal.ParseBinary(want)
		v, ok := literal.ParseBinary(value)
		return value == w || ok && v == w // quirk Q008: raw or base64
	}
	return false
}

func relatesText(op *operator.Operator, value string, want Pattern) bool {
	switch {
	case op.Class == operator.Bool:
		v, ok := literal.ParseBool(value)
		w, ok2 := literal.ParseBool(want.String())
		return ok && ok2 && v == w
	case op.Class == operator.ARN:
		return strings.HasPrefix(value, "arn:") && MatchParts(want.Cut(), Pattern(nil).Text(value).Cut())
	case op.IgnoreCase:
		return strings.EqualFold(value, want.String())
	case op.Like:
		return want.Match(Pattern(nil).Text(value))
	}
	return value == want.String()
}

// signs lists what comparing a request value with a policy value must give.
var signs = map[operator.Relation][]int{
	operator.Equal: {0}, operator.Less: {-1}, operator.LessOrEqual: {-1, 0}, operator.Greater: {1}, operator.GreaterOrEqual: {1, 0},
}

func compares(r operator.Relation, sign int) bool { return slices.Contains(signs[r], sign) }
