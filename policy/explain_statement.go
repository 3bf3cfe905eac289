// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// statement evaluates one statement: principal, action, resource and every
// condition must match.
func (x *explainer) statement(layer Layer, p *Policy, s *Statement) StatementTrace {
	st := StatementTrace{
		StatementRef: StatementRef{Policy: p.Document().Name, Sid: s.Sid, Index: s.Index, Start: s.Start, End: s.End},
		Effect:       s.Effect,
		strength:     anyMatch,
	}
	fail := func(element, pattern, value string) StatementTrace {
		st.Element, st.Pattern, st.Value, st.strength = element, pattern, value, noMatch
		return st
	}
	named := layer == ResourceLayer || layer == RCPLayer || layer == EndpointLayer
	if named {
		if s.Principal == nil {
			return fail("Principal", "a Principal element", x.t.Principal)
		}
		st.strength = x.principal(p, s)
		if st.strength == noMatch {
			element := "Principal"
			if s.Principal.Not {
				element = "NotPrincipal"
			}
			return fail(element, describePrincipal(s.Principal), x.t.Principal)
		}
	}
	if x.action(s) == s.NotAction {
		return fail(pick(s.NotAction, "NotAction", "Action"), oneOf(s.Action), x.r.Action)
	}
	if s.HasResource && x.resource(p, s) == s.NotResource {
		return fail(pick(s.NotResource, "NotResource", "Resource"), oneOf(s.Resource), x.r.Resource)
	}
	variables := p.Document().Version == "2012-10-17"
	for i := range s.Condition {
		c := &s.Condition[i]
		if !x.condition(c, s.Effect, variables) {
			return fail("Condition "+c.Operator+" "+c.Key, oneOf(c.Values), x.describeKey(c.Key))
		}
	}
	st.Applies = true
	if layer == ResourceLayer {
		st.Match = strengthNames[st.strength]
	}
	return st
}

func pick(not bool, yes, no string) string {
	if not {
		return yes
	}
	return no
}

func oneOf(values []Value) string {
	if len(values) == 0 {
		return "an empty list"
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = fmt.Sprintf("%q", v.Text)
	}
	return strings.Join(quoted, " or ")
}

func describePrincipal(b *PrincipalBlock) string {
	var parts []string
	if b.Everyone {
		parts = append(parts, `"*"`)
	}
	for _, list := range []struct {
		name   string
		values []Value
	}{{"AWS", b.AWS}, {"Service", b.Service}, {"Federated", b.Federated}, {"CanonicalUser", b.Canonical}} {
		if len(list.values) > 0 {
			parts = append(parts, list.name+" "+oneOf(list.values))
		}
	}
	return strings.Join(parts, " or ")
}

// describeKey returns what the request has under a context key.
func (x *explainer) describeKey(key string) string {
	values := x.values(key)
	if values == nil {
		return "no value"
	}
	return fmt.Sprintf("%q", values)
}

// values returns the values of a context key; nil if it has none.
func (x *explainer) values(key string) []string {
	if k, ok := sameKey(key, keysOf(x.r.Lists)); ok {
		if len(x.r.Lists[k]) == 0 {
			return nil
		}
		return x.r.Lists[k]
	}
	if k, ok := sameKey(key, keysOf(x.r.Context)); ok {
		return []string{x.r.Context[k]}
	}
	return nil
}

func keysOf[V any](m map[string]V) []string {
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
		if lowerASCII(k) == lowerASCII(key) {
			return k, true
		}
	}
	return "", false
}

// variable returns the value of a variable: that of a key with one value (V-2).
func (x *explainer) variable(p piece) (string, bool) {
	if _, multi := sameKey(p.Text, keysOf(x.r.Lists)); !multi {
		if values := x.values(p.Text); values != nil {
			return values[0], true
		}
	}
	return p.Fallback, p.HasFallback
}

// action reports whether some value of the Action element matches (M-1, P-10).
func (x *explainer) action(s *Statement) bool {
	service, name, _ := strings.Cut(lowerASCII(x.r.Action), ":")
	for _, v := range s.Action {
		text := lowerASCII(v.Text)
		if text != "" && strings.ReplaceAll(text, "*", "") == "" {
			return true
		}
		wantService, wantName, ok := strings.Cut(text, ":")
		if ok && !strings.ContainsAny(text, ", \t\r\n") &&
			matchChars(plain(wantService), service) && matchChars(plain(wantName), name) {
			return true
		}
	}
	return false
}

// A char is one character of a pattern.
type char struct {
	text     string // "*" and "?" are wildcards if wildcard is set
	wildcard bool
	value    bool // from a variable
}

func split(text string, value bool) []char {
	chars := make([]char, 0, len(text))
	for text != "" {
		_, n := utf8.DecodeRuneInString(text)
		chars = append(chars, char{text: text[:n], value: value})
		text = text[n:]
	}
	return chars
}

// plain makes a pattern without variables.
func plain(text string) []char {
	chars := split(text, false)
	for i := range chars {
		chars[i].wildcard = chars[i].text == "*" || chars[i].text == "?"
	}
	return chars
}

// expand makes a pattern of a value with its variables resolved; ok is false if
// one has no value (V-5).
func (x *explainer) expand(text string, wildcards, variables bool) (chars []char, ok bool) {
	pieces, err := parseTemplate(text, wildcards, variables)
	if err != nil {
		return nil, false
	}
	for _, p := range pieces {
		switch p.Kind {
		case template.Literal:
			chars = append(chars, split(p.Text, false)...)
		case template.Star:
			chars = append(chars, char{text: "*", wildcard: true})
		case template.One:
			chars = append(chars, char{text: "?", wildcard: true})
		case template.Variable:
			value, ok := x.variable(p)
			if !ok {
				return nil, false
			}
			chars = append(chars, split(value, true)...)
		}
	}
	return chars, true
}

// matchChars compares by the textbook table: can[j] says whether the pattern so
// far matches the first j characters of text.
func matchChars(pattern []char, text string) bool {
	chars := split(text, false)
	can, next := make([]bool, len(chars)+1), make([]bool, len(chars)+1)
	can[0] = true
	for _, p := range pattern {
		clear(next)
		star := p.wildcard && p.text == "*"
		next[0] = star && can[0]
		for j, c := range chars {
			switch {
			case star:
				next[j+1] = can[j+1] || next[j]
			case p.wildcard || p.text == c.text:
				next[j+1] = can[j]
			}
		}
		can, next = next, can
	}
	return can[len(chars)]
}

// resource reports whether some value of the Resource element matches (M-3).
func (x *explainer) resource(p *Policy, s *Statement) bool {
	variables := p.Document().Version == "2012-10-17"
	pads := p.kind == Identity || p.kind == Boundary || p.kind == Session || p.kind == SCP
	wide := s.Effect == Deny && !s.NotResource || s.Effect == Allow && s.NotResource
	for _, v := range s.Resource {
		if v.Text != "" && strings.Trim(v.Text, "*") == "" {
			return true
		}
		chars, ok := x.expand(v.Text, true, variables)
		if !ok {
			continue
		}
		if wide && x.wideResource(chars) || !wide && x.narrowResource(chars, v.Text, pads, variables) {
			return true
		}
	}
	return false
}

// cut cuts a pattern at its first five colons outside variables.
func cut(chars []char) [][]char {
	parts := [][]char{nil}
	for _, c := range chars {
		if c.text == ":" && !c.value && len(parts) < 6 {
			parts = append(parts, nil)
			continue
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], c)
	}
	return parts
}

var star = char{text: "*", wildcard: true}

// wideResource matches over all colons, missing parts being stars.
func (x *explainer) wideResource(chars []char) bool {
	padded := slices.Clone(chars)
	for range 6 - len(cut(chars)) {
		padded = append(padded, char{text: ":"}, star)
	}
	return matchChars(chars, x.r.Resource) || matchChars(padded, x.r.Resource)
}

// narrowResource matches part by part.
func (x *explainer) narrowResource(chars []char, text string, pads, variables bool) bool {
	parts := cut(chars)
	if len(parts) < 6 && !pads {
		return false
	}
	if len(parts) == 6 && slices.ContainsFunc(parts[2], func(c char) bool { return c.wildcard }) {
		return false
	}
	if variables && x.variableBeforeResource(text) {
		return false
	}
	for len(parts) < 6 {
		parts = append(parts, []char{star})
	}
	return matchParts(parts, x.r.Resource)
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

// matchParts compares six parts with the six parts of a text.
func matchParts(parts [][]char, text string) bool {
	values := strings.SplitN(text, ":", 6)
	if len(values) != 6 {
		return false
	}
	for i := range parts {
		if !matchChars(parts[i], values[i]) {
			return false
		}
	}
	return true
}

// condition evaluates one key of a condition block (section "Conditions").
func (x *explainer) condition(c *Condition, effect Effect, variables bool) bool {
	op, ok := parseOperator(c.Operator)
	if !ok {
		return effect == Deny // P-11; Compile refuses it
	}
	values := x.values(c.Key)
	if op.class == nullClass {
		for _, v := range c.Values {
			if absent, _ := parseBool(v.Text); absent == (values == nil) {
				return true
			}
		}
		return false
	}
	if values == nil {
		switch {
		case op.ifExists, op.set == forAllValues:
			return true
		case op.set == forAnyValue:
			return false
		}
		return op.negated
	}
	results := make([]bool, len(values))
	for i, value := range values {
		for _, v := range c.Values {
			if x.relates(op, value, v.Text, variables && op.variables) {
				results[i] = true
			}
		}
		results[i] = results[i] != op.negated
	}
	switch {
	case op.set == single && len(values) > 1:
		return effect == Deny // quirk Q006: several values without a set operator refuse
	case op.set == forAnyValue:
		return slices.Contains(results, true)
	}
	return !slices.Contains(results, false)
}

// relates compares one request value with one policy value, negation aside.
func (x *explainer) relates(op operatorInfo, value, want string, variables bool) bool {
	switch op.class {
	case stringClass, arnClass, boolClass:
		chars, ok := x.expand(want, op.like, variables)
		return ok && relatesText(op, value, chars)
	case numericClass:
		v, ok := parseNumber(value)
		w, ok2 := parseNumber(want)
		return ok && ok2 && compares(op.relation, v.compare(w))
	case dateClass:
		v, ok := parseDate(value)
		w, ok2 := parseDate(want)
		return ok && ok2 && compares(op.relation, v.Compare(w))
	case ipClass:
		v, ok := parseAddress(value)
		w, ok2 := parsePrefix(want)
		return ok && ok2 && w.Contains(v)
	case binaryClass:
		w, _ := parseBinary(want)
		v, ok := parseBinary(value)
		return value == w || ok && v == w // quirk Q008: raw or base64
	}
	return false
}

func relatesText(op operatorInfo, value string, chars []char) bool {
	var want strings.Builder
	for _, c := range chars {
		want.WriteString(c.text)
	}
	switch {
	case op.class == boolClass:
		v, ok := parseBool(value)
		w, ok2 := parseBool(want.String())
		return ok && ok2 && v == w
	case op.class == arnClass:
		parts := cut(chars)
		return len(parts) == 6 && strings.HasPrefix(value, "arn:") && matchParts(parts, value)
	case op.ignoreCase:
		return strings.EqualFold(value, want.String())
	case op.like:
		return matchChars(chars, value)
	}
	return value == want.String()
}

// signs lists what comparing a request value with a policy value must give.
var signs = map[relation][]int{
	equal: {0}, less: {-1}, lessOrEqual: {-1, 0}, greater: {1}, greaterOrEqual: {1, 0},
}

func compares(r relation, sign int) bool { return slices.Contains(signs[r], sign) }
