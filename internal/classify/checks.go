// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

// maxChecks is how many permissions one request may need.
const maxChecks = 1000

// accounts are members that name the account in which an operation works.
var accounts = map[string]string{"ecr": "registryId", "sqs": "QueueOwnerAWSAccountId"}

// checks returns the permissions that the request needs.
func (c *call) checks() ([]Check, error) {
	b := c.op.bound()
	if b == nil {
		return nil, fail(Unknown, "there is no action %s:%s, and nobody said which the operation takes", c.model.prefix, c.op.name)
	}
	if name, ok := accounts[c.model.prefix]; ok {
		n, err := c.member(name)
		if err != nil {
			return nil, err
		}
		if n.kind != absent {
			if _, err := c.owner(n.text); err != nil {
				return nil, err
			}
		}
	}
	var all []Check
	for i := range b.lines {
		found, err := c.line(&b.lines[i])
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			if !slices.ContainsFunc(all, func(o Check) bool { return o.Action == one.Action && o.Resource == one.Resource }) {
				all = append(all, one)
			}
		}
		if len(all) > maxChecks {
			return nil, fail(Malformed, "the request is about more than %d resources", maxChecks)
		}
	}
	if len(all) == 0 {
		return nil, fail(Malformed, "the request names nothing to work on")
	}
	return all, c.conditions(b, all)
}

// line returns the checks of one line of a binding.
func (c *call) line(l *line) ([]Check, error) {
	s, _ := catalog.Lookup(l.prefix)
	actions, err := c.actions(s, l)
	if err != nil {
		return nil, err
	}
	var all []Check
	for _, a := range actions {
		resources, err := c.resources(s, a, l)
		if err != nil {
			return nil, err
		}
		for _, r := range resources {
			one := Check{Action: l.prefix + ":" + a.Name, Resource: r, Vague: strings.ContainsAny(r, "*?")}
			if r == none {
				one.Resource = "*"
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// none is the resource of what works on none.
const none = ""

// resources returns the ARNs, "*" or none, on which an action is asked for.
func (c *call) resources(s *catalog.Service, a *catalog.Action, l *line) ([]string, error) {
	var all []string
	for i := range l.terms {
		found, err := c.alternatives(s, a, &l.terms[i])
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	switch {
	case len(a.Resources) == 0 && len(all) == 0 && l.suggested:
		all = append(all, none)
	case !l.whole || l.suggested && len(all) == 0:
		all = append(all, "*")
	}
	return all, nil
}

// alternatives returns the ARNs of those terms of which the request has every path.
func (c *call) alternatives(s *catalog.Service, a *catalog.Action, alts *alternatives) ([]string, error) {
	var all []string
	var used []path
	for i := range alts.terms {
		t := &alts.terms[i]
		if len(t.paths) == 0 || within(t.paths, used) {
			continue
		}
		found, ok, err := c.term(s, a, t)
		if err != nil {
			return nil, err
		}
		if ok {
			all, used = append(all, found...), append(used, t.paths...)
		}
	}
	if len(all) > 0 || alts.optional {
		return all, nil
	}
	last := &alts.terms[len(alts.terms)-1]
	switch {
	case last.kind == "any":
		return []string{none}, nil
	case last.kind == "arn":
		return []string{"*"}, nil
	case last.form == "logs group":
		return []string{last.template.arn(c, last.template.fill()+":log-stream:")}, nil
	}
	return []string{last.template.arn(c, last.template.fill())}, nil
}

// within reports whether every one of the paths is among those used.
func within(paths, used []path) bool {
	for _, p := range paths {
		if !slices.ContainsFunc(used, func(u path) bool { return slices.Equal(p, u) }) {
			return false
		}
	}
	return true
}

// term returns the ARNs of a term, and whether the request has all of its paths.
func (c *call) term(s *catalog.Service, a *catalog.Action, t *term) ([]string, bool, error) {
	var columns [][]string
	for _, p := range t.paths {
		values, err := c.values(p, t.form == "events buses")
		if err != nil || len(values) == 0 {
			return nil, false, err
		}
		columns = append(columns, values)
	}
	var all []string
	for _, v := range columns[0] {
		values := []string{v}
		for _, column := range columns[1:] {
			if len(column) != 1 || len(columns[0]) != 1 {
				return nil, false, fail(Malformed, "a list was not expected")
			}
			values = append(values, column[0])
		}
		one, err := c.one(s, a, t, values)
		if err != nil {
			return nil, false, err
		}
		all = append(all, one)
	}
	return all, true, nil
}

func (c *call) one(s *catalog.Service, a *catalog.Action, t *term, values []string) (string, error) {
	if t.kind == "arn" {
		return c.anyType(s, a, values[0])
	}
	if f, ok := forms[t.form]; ok {
		return f.make(c, &t.template, values)
	}
	return t.template.resource(c, values...)
}

// values returns what the request has at a path. buses says that an element is an entry of PutEvents, which
// stands for its event bus.
func (c *call) values(p path, buses bool) ([]string, error) {
	if p[0].fixed {
		return []string{p[0].name}, nil
	}
	first, err := c.member(p[0].name)
	if err != nil {
		return nil, err
	}
	at := []node{first}
	for i, s := range p {
		var next []node
		for _, n := range at {
			if i > 0 {
				if n.kind != object && n.kind != absent {
					return nil, fail(Malformed, "member %s is not in a structure", s.name)
				}
				if n, err = n.get(s.name); err != nil {
					return nil, err
				}
			}
			more, err := n.step(s)
			if err != nil {
				return nil, err
			}
			next = append(next, more...)
		}
		at = next
	}
	var values []string
	for _, n := range at {
		if buses {
			if n, err = n.get("EventBusName"); err != nil {
				return nil, err
			}
			if n.kind == absent {
				n = node{kind: text, text: defaultBus}
			}
		}
		if n.kind == absent {
			continue
		}
		v, err := n.string(p[len(p)-1].name)
		if err != nil {
			return nil, err
		}
		if v == "" {
			return nil, fail(Malformed, "member %s is empty", p[len(p)-1].name)
		}
		values = append(values, v)
	}
	return values, nil
}

// step returns the elements or the keys of n, or n itself.
func (n node) step(s step) ([]node, error) {
	if n.kind == absent || !s.each && !s.keys {
		return []node{n}, nil
	}
	var all []node
	if s.keys {
		if n.kind != object {
			return nil, fail(Malformed, "member %s is not a map", s.name)
		}
		for i := range n.kids {
			all = append(all, node{kind: text, text: n.kids[i].name})
		}
		return all, nil
	}
	kids, err := n.elements()
	for i := range kids {
		all = append(all, kids[i].node)
	}
	return all, err
}

// actions returns the action of a line; those that statements in PartiQL take when they say it.
func (c *call) actions(s *catalog.Service, l *line) ([]*catalog.Action, error) {
	if l.action != nil {
		return []*catalog.Action{l.action}, nil
	}
	statements, err := c.values(l.path, false)
	if err != nil {
		return nil, err
	}
	var all []*catalog.Action
	for _, text := range statements {
		word := strings.ToLower(strings.Join(strings.Fields(text)[:min(1, len(strings.Fields(text)))], ""))
		name, ok := partiql[word]
		if !ok {
			return nil, fail(Unknown, "a statement begins with %q, not select, insert, update or delete", clip(word))
		}
		a, _ := s.Action(name)
		all = append(all, &a)
	}
	return all, nil
}

// partiql has the actions of statements by their first word. Which table a statement is about is not read, so that
// every table is asked for (quirk Q143).
var partiql = map[string]string{"select": "PartiQLSelect", "insert": "PartiQLInsert", "update": "PartiQLUpdate", "delete": "PartiQLDelete"}
