// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
	"github.com/innkeeper-iam/innkeeper/policy/internal/textbook"
)

// statement evaluates one statement: principal, action, resource and every
// condition must match. It looks at all of them, whatever the first ones say.
func (x *explainer) statement(layer Layer, p *Policy, d *Document, s *Statement) StatementTrace {
	st := StatementTrace{
		StatementRef: StatementRef{Policy: d.Name, Sid: s.Sid, Index: s.Index, Start: s.Start},
		End:          s.End,
		Effect:       s.Effect,
		Applies:      true,
		Elements:     make([]ElementTrace, 0, 3+len(s.Condition)),
		strength:     anyMatch,
	}
	add := func(e ElementTrace, by Value) {
		if by.Pos != (Position{}) {
			e.Position = by.Pos
		}
		e.Missing, x.missing = x.missing, nil
		st.Applies = st.Applies && e.Matched
		st.Elements = append(st.Elements, e)
	}
	if layer == ResourceLayer || layer == RCPLayer || layer == EndpointLayer {
		var e ElementTrace
		var by Value
		e, by, st.strength = x.principal(p, s)
		add(e, by)
	}
	variables := d.Version == "2012-10-17"
	found, by := x.action(s)
	add(ElementTrace{Element: pick(s.NotAction, "NotAction", "Action"), Position: s.ActionPos, Wants: s.Action, Has: x.has[1:2:2],
		Matched: found != s.NotAction, By: by.Text}, by)
	if s.HasResource {
		found, by, text := x.resource(p.kind, s, variables)
		add(ElementTrace{Element: pick(s.NotResource, "NotResource", "Resource"), Position: s.ResourcePos, Wants: s.Resource, Has: x.has[2:],
			Matched: found != s.NotResource, By: text}, by)
	}
	for i := range s.Condition {
		c := &s.Condition[i]
		values := x.values(c.Key)
		if values == nil {
			x.missing = append(x.missing, c.Key)
			for _, v := range c.Values {
				if variables && strings.Contains(v.Text, "${") {
					textbook.Expand(v.Text, true, true, x.variable) // for what is missing
				}
			}
		}
		matched, by := x.condition(c, values, s.Effect, variables)
		add(ElementTrace{Element: "Condition", Operator: c.Operator, Key: c.Key, Position: c.KeyPos, Wants: c.Values, Has: values,
			Matched: matched, By: by.Text}, by)
	}
	switch {
	case !st.Applies:
		st.strength = noMatch
	case layer == ResourceLayer:
		st.Match = strengthNames[st.strength]
	}
	return st
}

func pick[T any](is bool, yes, no T) T {
	if is {
		return yes
	}
	return no
}

// values returns the values of a context key; nil if it has none.
func (x *explainer) values(key string) []string {
	if k, ok := textbook.SameKey(key, x.lists); ok {
		if len(x.r.Lists[k]) == 0 {
			return nil
		}
		return x.r.Lists[k]
	}
	if k, ok := textbook.SameKey(key, x.singles); ok {
		return []string{x.r.Context[k]}
	}
	return nil
}

// variable returns the value of a variable: that of a key with one value (V-2).
func (x *explainer) variable(p template.Piece) (string, bool) {
	if _, multi := textbook.SameKey(p.Text, x.lists); multi {
		return p.Fallback, p.HasFallback
	}
	if values := x.values(p.Text); values != nil {
		return values[0], true
	}
	if !p.HasFallback && !slices.Contains(x.missing, p.Text) {
		x.missing = append(x.missing, p.Text)
	}
	return p.Fallback, p.HasFallback
}

// action reports whether some value of the Action element matches, and which.
func (x *explainer) action(s *Statement) (bool, Value) {
	for _, v := range s.Action {
		if textbook.MatchAction(v.Text, x.r.Action) {
			return true, v
		}
	}
	return false, Value{}
}

// resource reports whether some value of the Resource element matches, which, and
// its text with the variables resolved (M-3).
func (x *explainer) resource(kind Kind, s *Statement, variables bool) (bool, Value, string) {
	pads := kind == Identity || kind == Boundary || kind == Session || kind == SCP
	wide := s.Effect == Deny && !s.NotResource || s.Effect == Allow && s.NotResource
	for _, v := range s.Resource {
		if textbook.IsStars(v.Text) {
			return true, v, v.Text
		}
		p, ok := textbook.Expand(v.Text, true, variables, x.variable)
		if !ok {
			continue
		}
		if wide && x.resourceOf.Wide(p) || !wide && x.resourceOf.Narrow(p, v.Text, pads, variables) {
			return true, v, p.String()
		}
	}
	return false, Value{}, ""
}

// condition evaluates one key of a condition block, given its values in the
// request. It also returns the first policy value that one of them relates to.
func (x *explainer) condition(c *Condition, values []string, effect Effect, variables bool) (matched bool, by Value) {
	op, ok := operator.Parse(c.Operator)
	if !ok {
		return effect == Deny, by // P-11; Compile refuses it
	}
	t := textbook.Condition{Operator: op, Wants: texts(c.Values), Has: values, Deny: effect == Deny}
	t.Expand = func(text string, wildcards bool) (textbook.Pattern, bool) {
		return textbook.Expand(text, wildcards, variables && op.Variables, x.variable)
	}
	matched, i := t.Met()
	if i >= 0 {
		by = c.Values[i]
	}
	return matched, by
}

// texts returns values without their places.
func texts(values []Value) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.Text
	}
	return list
}
