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
		StatementRef: StatementRef{Policy: d.Name, Sid: s.Sid, Index: s.Index, Start: s.Start, End: s.End},
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
					x.expand(v.Text, true, true) // for what is missing
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
	if k, ok := sameKey(key, x.lists); ok {
		if len(x.r.Lists[k]) == 0 {
			return nil
		}
		return x.r.Lists[k]
	}
	if k, ok := sameKey(key, x.singles); ok {
		return []string{x.r.Context[k]}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// sameKey returns the one of sorted keys that is key, or else the first that is
// key but for letter case.
func sameKey(key string, keys []string) (string, bool) {
	if slices.Contains(keys, key) {
		return key, true
	}
	for _, k := range keys {
		if len(k) == len(key) && lowerASCII(k) == lowerASCII(key) {
			return k, true
		}
	}
	return "", false
}

// variable returns the value of a variable: that of a key with one value (V-2).
func (x *explainer) variable(p piece) (string, bool) {
	if _, multi := sameKey(p.Text, x.lists); multi {
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

// action reports whether some value of the Action element matches, and which (M-1, P-10).
func (x *explainer) action(s *Statement) (bool, Value) {
	service, name, _ := strings.Cut(x.r.Action, ":")
	for _, v := range s.Action {
		if v.Text != "" && strings.Trim(v.Text, "*") == "" {
			return true, v
		}
		wantService, wantName, ok := strings.Cut(v.Text, ":")
		if ok && textbook.MatchFold(wantService, service) && textbook.MatchFold(wantName, name) && !strings.ContainsAny(v.Text, ", \t\r\n") {
			return true, v
		}
	}
	return false, Value{}
}

// expand makes a pattern of a value with its variables resolved; ok is false if
// one has no value (V-5).
func (x *explainer) expand(text string, wildcards, variables bool) (p textbook.Pattern, ok bool) {
	pieces, err := parseTemplate(text, wildcards, variables)
	if err != nil {
		return nil, false
	}
	ok = true
	for _, piece := range pieces {
		switch piece.Kind {
		case template.Literal:
			p = p.Text(piece.Text)
		case template.Star:
			p = p.Glob("*")
		case template.One:
			p = p.Glob("?")
		case template.Variable:
			value, found := x.variable(piece)
			ok = ok && found
			p = p.Value(value)
		}
	}
	return p, ok
}

// resource reports whether some value of the Resource element matches, which, and
// its text with the variables resolved (M-3).
func (x *explainer) resource(kind Kind, s *Statement, variables bool) (bool, Value, string) {
	pads := kind == Identity || kind == Boundary || kind == Session || kind == SCP
	wide := s.Effect == Deny && !s.NotResource || s.Effect == Allow && s.NotResource
	for _, v := range s.Resource {
		if v.Text != "" && strings.Trim(v.Text, "*") == "" {
			return true, v, v.Text
		}
		p, ok := x.expand(v.Text, true, variables)
		if !ok {
			continue
		}
		if wide && x.wideResource(p) || !wide && x.narrowResource(p, v.Text, pads, variables) {
			return true, v, p.String()
		}
	}
	return false, Value{}, ""
}

// wideResource matches over all colons, missing parts being stars.
func (x *explainer) wideResource(p textbook.Pattern) bool {
	if p.Match(x.resourceText) {
		return true
	}
	missing := 6 - len(p.Cut())
	return missing > 0 && slices.Clone(p).Glob(strings.Repeat(":*", missing)).Match(x.resourceText)
}

// narrowResource matches part by part.
func (x *explainer) narrowResource(p textbook.Pattern, text string, pads, variables bool) bool {
	parts := p.Cut()
	if len(parts) < 6 && !pads {
		return false
	}
	if len(parts) == 6 && parts[2].Wild() {
		return false
	}
	for len(parts) < 6 {
		parts = append(parts, textbook.Pattern(nil).Glob("*"))
	}
	return textbook.MatchParts(parts, x.resourceParts) && !(variables && x.variableBeforeResource(text))
}

// variableBeforeResource reports whether a variable stands before the fifth colon.
func (x *explainer) variableBeforeResource(text string) bool {
	colons := 0
	pieces, _ := parseTemplate(text, true, true)
	for _, p := range pieces {
		if p.Kind == template.Variable && colons < 5 {
			return true
		}
		if p.Kind == template.Literal {
			colons += strings.Count(p.Text, ":")
		}
	}
	return false
}

// condition evaluates one key of a condition block, given its values in the
// request (section "Conditions"). It also returns the first policy value that one
// of them relates to.
func (x *explainer) condition(c *Condition, values []string, effect Effect, variables bool) (matched bool, by Value) {
	op, ok := operator.Parse(c.Operator)
	if !ok {
		return effect == Deny, by // P-11; Compile refuses it
	}
	if op.Class == operator.Null {
		for _, v := range c.Values {
			if absent, _ := parseBool(v.Text); absent == (values == nil) {
				return true, v
			}
		}
		return false, by
	}
	if values == nil {
		switch {
		case op.IfExists, op.Set == operator.ForAllValues:
			return true, by
		case op.Set == operator.ForAnyValue:
			return false, by
		}
		return op.Negated, by
	}
	results := make([]bool, len(values))
	for i, value := range values {
		related := slices.IndexFunc(c.Values, func(v Value) bool { return x.relates(op, value, v.Text, variables && op.Variables) })
		if related >= 0 && by == (Value{}) {
			by = c.Values[related]
		}
		results[i] = (related >= 0) != op.Negated
	}
	switch {
	case op.Set == operator.Single && len(values) > 1:
		return effect == Deny, by // quirk Q006: several values without a set operator refuse
	case op.Set == operator.ForAnyValue:
		return slices.Contains(results, true), by
	}
	return !slices.Contains(results, false), by
}

// relates compares one request value with one policy value, negation aside.
func (x *explainer) relates(op operator.Operator, value, want string, variables bool) bool {
	switch op.Class {
	case operator.String, operator.ARN, operator.Bool:
		p, ok := x.expand(want, op.Like, variables)
		return ok && relatesText(op, value, p)
	case operator.Numeric:
		v, ok := parseNumber(value)
		w, ok2 := parseNumber(want)
		return ok && ok2 && compares(op.Relation, v.compare(w))
	case operator.Date:
		v, ok := parseDate(value)
		w, ok2 := parseDate(want)
		return ok && ok2 && compares(op.Relation, v.Compare(w))
	case operator.IP:
		v, ok := parseAddress(value)
		w, ok2 := parsePrefix(want)
		return ok && ok2 && w.Contains(v)
	case operator.Binary:
		w, _ := parseBinary(want)
		v, ok := parseBinary(value)
		return value == w || ok && v == w // quirk Q008: raw or base64
	}
	return false
}

func relatesText(op operator.Operator, value string, want textbook.Pattern) bool {
	switch {
	case op.Class == operator.Bool:
		v, ok := parseBool(value)
		w, ok2 := parseBool(want.String())
		return ok && ok2 && v == w
	case op.Class == operator.ARN:
		return strings.HasPrefix(value, "arn:") && textbook.MatchParts(want.Cut(), textbook.Pattern(nil).Text(value).Cut())
	case op.IgnoreCase:
		return strings.EqualFold(value, want.String())
	case op.Like:
		return want.Match(textbook.Pattern(nil).Text(value))
	}
	return value == want.String()
}

// signs lists what comparing a request value with a policy value must give.
var signs = map[operator.Relation][]int{
	operator.Equal: {0}, operator.Less: {-1}, operator.LessOrEqual: {-1, 0}, operator.Greater: {1}, operator.GreaterOrEqual: {1, 0},
}

func compares(r operator.Relation, sign int) bool { return slices.Contains(signs[r], sign) }
