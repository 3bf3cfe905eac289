// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/prose"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// circumstances returns the ways to make the request otherwise so that a statement
// that allows it applies, where nothing but its conditions is not met, or that one
// that denies it does not.
func (st state) circumstances() []move {
	var moves []move
	for i := range st.t.Layers {
		l := &st.t.Layers[i]
		for j := range l.Policies {
			for k := range l.Policies[j].Statements {
				if len(moves) >= maxCandidates {
					return moves
				}
				s := &l.Policies[j].Statements[k]
				if s.Effect == policy.Allow && (l.Verdict != policy.Allowed || l.Layer == policy.ResourceLayer) {
					moves = append(moves, st.meet(s)...)
				} else if s.Effect == policy.Deny && s.Applies {
					moves = append(moves, st.avoid(s)...)
				}
			}
		}
	}
	return moves
}

// meet changes every key of the conditions that a statement fails on.
func (st state) meet(s *policy.StatementTrace) []move {
	r := st.r
	var changes []Change
	for i := range s.Elements {
		e := &s.Elements[i]
		if e.Matched {
			continue
		}
		if e.Element != "Condition" {
			return nil
		}
		c, changed, ok := st.turn(r, e, s.Effect, true)
		if !ok {
			return nil
		}
		r, changes = changed, append(changes, c)
	}
	if len(changes) == 0 {
		return nil
	}
	return []move{{changes, newState(r, st.s)}}
}

// avoid changes one of the keys whose conditions make a statement apply.
func (st state) avoid(s *policy.StatementTrace) []move {
	var moves []move
	for i := range s.Elements {
		if e := &s.Elements[i]; e.Element == "Condition" {
			if c, r, ok := st.turn(st.r, e, s.Effect, false); ok {
				moves = append(moves, move{[]Change{c}, newState(r, st.s)})
			}
		}
	}
	return moves
}

// turn changes the key of a condition so that it is met or not met.
func (st state) turn(r *policy.Request, e *policy.ElementTrace, effect policy.Effect, met bool) (Change, *policy.Request, bool) {
	by, ok := changeable(e.Key)
	if !ok {
		return Change{}, nil, false
	}
	c := policy.Condition{Operator: e.Operator, Key: e.Key, Values: e.Wants}
	for _, values := range candidates(r, e, met) {
		changed := set(r, e.Key, values, len(values) > 1 || strings.HasPrefix(e.Operator, "For"))
		if holds(changed, c, effect) == met {
			return Change{Kind: Circumstances, Text: st.circumstance(e, met, values), By: by, Key: e.Key, Values: values}, changed, true
		}
	}
	return Change{}, nil, false
}

// holds reports whether a request meets a condition, alone.
func holds(r *policy.Request, c policy.Condition, effect policy.Effect) bool {
	any := []policy.Value{{Text: "*"}}
	d := &policy.Document{Version: "2012-10-17", Statements: []policy.Statement{
		{Effect: effect, Action: any, Resource: any, HasResource: true, Condition: []policy.Condition{c}}}}
	p, err := policy.Compile(d, policy.Identity)
	if err != nil {
		return false
	}
	t := policy.Explain(r, &policy.Set{Identity: []*policy.Policy{p}})
	return t.Layers[0].Policies[0].Statements[0].Applies
}

// set returns the request with other values of a key, without it if there are none.
func set(r *policy.Request, key string, values []string, list bool) *policy.Request {
	changed := *r
	same := func(k string) bool { return strings.EqualFold(k, key) }
	for k := range r.Lists {
		list = list || same(k)
	}
	changed.Context, changed.Lists = maps.Clone(r.Context), maps.Clone(r.Lists)
	maps.DeleteFunc(changed.Context, func(k, _ string) bool { return same(k) })
	maps.DeleteFunc(changed.Lists, func(k string, _ []string) bool { return same(k) })
	switch {
	case len(values) == 0:
	case list:
		if changed.Lists == nil {
			changed.Lists = make(map[string][]string)
		}
		changed.Lists[key] = values
	default:
		if changed.Context == nil {
			changed.Context = make(map[string]string)
		}
		changed.Context[key] = values[0]
	}
	return &changed
}

// lookup returns the values of a key of a request, nil if it has none.
func lookup(r *policy.Request, key string) []string {
	for k, v := range r.Lists {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	for k, v := range r.Context {
		if strings.EqualFold(k, key) {
			return []string{v}
		}
	}
	return nil
}

// fixed are the beginnings of the keys that say who the caller is and whose the
// resource, which no circumstance changes.
var fixed = []string{"aws:username", "aws:userid", "aws:principal", "aws:resourceaccount", "aws:resourceorg", "aws:federatedprovider",
	"aws:sourceaccount", "aws:sourceorg", "aws:sourcearn", "aws:sourceowner"}

// changeable says who can change a key's value; false if nobody can.
func changeable(key string) (Side, bool) {
	key = strings.ToLower(key)
	switch {
	case strings.HasPrefix(key, "aws:principaltag/"):
		return Account, true
	case strings.HasPrefix(key, "aws:resourcetag/"), strings.Contains(key, ":resourcetag/"), strings.HasPrefix(key, "s3:existingobjecttag/"):
		return Owner, true
	}
	return Caller, !slices.ContainsFunc(fixed, func(f string) bool { return strings.HasPrefix(key, f) })
}

// elsewhere are addresses outside of what policies commonly name.
var elsewhere = []string{"192.0.2.1", "198.51.100.1", "203.0.113.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "1.1.1.1", "2001:db8::1", "2606:4700::1"}

// candidates returns values of a key that may make a condition met or not, the
// most natural first; nil is its absence.
func candidates(r *policy.Request, e *policy.ElementTrace, met bool) [][]string {
	var list [][]string
	add := func(values ...string) { list = append(list, values) }
	var all []string
	for _, want := range e.Wants {
		text := concrete(r, want.Text, strings.Contains(e.Operator, "Like") || strings.Contains(e.Operator, "Arn"))
		all = append(all, text)
		add(text)
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			add(strconv.FormatFloat(n-1, 'f', -1, 64))
			add(strconv.FormatFloat(n+1, 'f', -1, 64))
		}
		if at, ok := literal.ParseDate(text); ok {
			add(at.Add(-time.Second).UTC().Format(time.RFC3339Nano))
			add(at.Add(time.Second).UTC().Format(time.RFC3339Nano))
		}
		if p, ok := literal.ParsePrefix(text); ok {
			add(p.Addr().String())
		}
	}
	if strings.HasPrefix(e.Operator, "ForA") {
		add(all...)
		for _, v := range e.Has {
			add(v)
		}
	}
	if strings.Contains(e.Operator, "Null") && (slices.ContainsFunc(all, func(v string) bool { return strings.EqualFold(v, "true") }) == met) {
		list = slices.Insert(list, 0, nil)
	}
	if strings.Contains(e.Operator, "IpAddress") {
		for _, a := range elsewhere {
			add(a)
		}
	}
	for _, v := range []string{"true", "false", "0", "1", "x"} {
		add(v)
	}
	return append(list, nil)
}

// concrete returns a text that a policy value matches: its variables resolved and
// nothing, or one character, in the place of wildcards.
func concrete(r *policy.Request, text string, wildcards bool) string {
	pieces, err := template.Parse(text, wildcards, true)
	if err != nil {
		return text
	}
	var b strings.Builder
	for _, p := range pieces {
		switch p.Kind {
		case template.Literal:
			b.WriteString(p.Text)
		case template.One:
			b.WriteByte('x')
		case template.Variable:
			if values := lookup(r, p.Text); len(values) == 1 {
				b.WriteString(values[0])
			} else {
				b.WriteString(p.Fallback)
			}
		}
	}
	return b.String()
}

// circumstance says how to make the request, given the values that were found to
// meet a condition or not to.
func (st state) circumstance(e *policy.ElementTrace, met bool, values []string) string {
	if len(values) == 0 {
		return "make the request without " + e.Key
	}
	wants := make([]string, len(e.Wants))
	listed := false // the values are among those that the policy names, any of which will do
	for i, v := range e.Wants {
		wants[i] = v.Text
		listed = listed || slices.Equal(values, []string{v.Text})
	}
	value, either := prose.AllOf(values), prose.OneOf(wants)
	if listed {
		value = either
	}
	has := func(part string) bool { return strings.Contains(e.Operator, part) }
	ranged := has("Less") || has("Greater") || has("Like") || has("Arn") || has("IpAddress")
	key := strings.ToLower(e.Key)
	_, tag, _ := strings.Cut(e.Key, "/")
	wanted := prose.Element{Operator: e.Operator, Key: e.Key, Wants: wants}
	switch {
	case (key == "aws:sourceip" || key == "aws:vpcsourceip") && has("IpAddress") && met != has("NotIp"):
		return "call from an address in " + either
	case (key == "aws:sourceip" || key == "aws:vpcsourceip") && has("IpAddress"):
		return "call from an address outside of " + either
	case key == "aws:multifactorauthpresent" && strings.EqualFold(values[0], "true"):
		return "sign in with MFA"
	case key == "aws:multifactorauthage":
		return "sign in with MFA anew (" + e.Key + " = " + value + ")"
	case key == "aws:securetransport" && strings.EqualFold(values[0], "true"):
		return "use HTTPS"
	case (key == "aws:currenttime" || key == "aws:epochtime") && met:
		return "make the request when " + wanted.Wanted()
	case key == "aws:requestedregion" && listed:
		return "call in " + value
	case key == "aws:sourcevpce" && listed:
		return "call through " + value
	case key == "sts:externalid" && listed:
		return "give the external id " + value
	case strings.HasPrefix(key, "aws:principaltag/"):
		return "tag " + st.caller() + " with " + tag + " = " + value
	case strings.Contains(key, "resourcetag/"), strings.HasPrefix(key, "s3:existingobjecttag/"):
		return "tag " + prose.Resource(st.r.Resource) + " with " + tag + " = " + value
	case met && (ranged || !listed):
		return "make the request so that " + wanted.Wanted()
	case !met && !ranged && !listed && !has("Not") && !has("Null"):
		return "make the request with another " + e.Key + " than " + either
	}
	return "make the request with " + e.Key + " = " + value
}
