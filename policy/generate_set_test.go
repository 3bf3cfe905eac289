// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"slices"
)

// A genPolicy is what a policy of a generated set is compiled from.
type genPolicy struct {
	doc    *Document // nil for a policy that cannot speak
	kind   Kind
	ids    map[string]string
	absent bool // of those without doc: a nil Policy, else a Broken one
}

// A genSet is what a Set is compiled from. A genPolicy that it has twice becomes
// one Policy.
type genSet struct {
	identity, session            []*genPolicy
	boundary, resource, endpoint *genPolicy
	scps, rcps                   [][]*genPolicy
	hasBoundary, hasSession      bool
}

var errGenBroken = errors.New("unreadable")

func (s *genSet) compile() (*Set, error) {
	var errs []error
	made := make(map[*genPolicy]*Policy)
	one := func(p *genPolicy) *Policy {
		switch {
		case p == nil || p.doc == nil && p.absent:
			return nil
		case p.doc == nil:
			return Broken("broken", errGenBroken)
		case made[p] == nil:
			var err error
			if made[p], err = CompileBound(p.doc, p.kind, p.ids); err != nil {
				errs = append(errs, err)
			}
		}
		return made[p]
	}
	list := func(from []*genPolicy) (to []*Policy) {
		for _, p := range from {
			to = append(to, one(p))
		}
		return to
	}
	levels := func(from [][]*genPolicy) (to [][]*Policy) {
		for _, level := range from {
			to = append(to, list(level))
		}
		return to
	}
	set := &Set{
		Identity: list(s.identity), Boundary: one(s.boundary), Session: list(s.session), SCPs: levels(s.scps), RCPs: levels(s.rcps),
		Resource: one(s.resource), Endpoint: one(s.endpoint), HasBoundary: s.hasBoundary, HasSession: s.hasSession,
	}
	return set, errors.Join(errs...)
}

// policies returns every policy of the set.
func (s *genSet) policies() []*genPolicy {
	all := slices.Concat(s.identity, s.session, slices.Concat(s.scps...), slices.Concat(s.rcps...), []*genPolicy{s.boundary, s.resource, s.endpoint})
	return slices.DeleteFunc(all, func(p *genPolicy) bool { return p == nil || p.doc == nil })
}

// policy makes a policy; now and then one that cannot speak, or that another
// layer has too.
func (g *generator) policy(kind Kind) *genPolicy {
	if g.oneIn(300) {
		return &genPolicy{absent: g.oneIn(2)}
	}
	if len(g.made) > 0 && g.oneIn(8) {
		attached := []Kind{Identity, Boundary, Session}
		if p := g.made[g.n(len(g.made))]; p.kind == kind || slices.Contains(attached, p.kind) && slices.Contains(attached, kind) {
			return p
		}
	}
	if g.oneIn(300) {
		kind = Identity + Kind(g.n(int(Endpoint)))
	}
	p := &genPolicy{kind: kind, ids: map[string]string{}}
	for i := range g.callers {
		c := &g.callers[i]
		for _, name := range []string{c.ARN, c.Role, c.User} {
			switch {
			case name == "" || !g.oneIn(4):
			case g.oneIn(2):
				p.ids[name] = c.ID
			default:
				p.ids[name] = g.of(genIDs)
			}
		}
	}
	p.doc = g.document(kind)
	g.made = append(g.made, p)
	return p
}

func (g *generator) policies(n int, kind Kind) (list []*genPolicy) {
	for range n {
		list = append(list, g.policy(kind))
	}
	return list
}

// full makes a policy that allows everything.
func full(kind Kind) *genPolicy {
	d := &Document{Name: "full", Statements: []Statement{{Effect: Allow, HasResource: true, Action: []Value{{Text: "*"}}, Resource: []Value{{Text: "*"}}}}}
	if kind == RCP || kind == Endpoint {
		d.Statements[0].Principal = &PrincipalBlock{Everyone: true}
	}
	return &genPolicy{doc: d, kind: kind}
}

func (g *generator) levels(kind Kind) (levels [][]*genPolicy) {
	if !g.oneIn(4) {
		return nil
	}
	for range 1 + g.n(3) {
		level := g.policies(g.n(3), kind)
		if !g.oneIn(6) {
			level = append(level, full(kind))
		}
		levels = append(levels, level)
	}
	return levels
}

func (g *generator) set() *genSet {
	s := &genSet{hasBoundary: g.oneIn(20), hasSession: g.oneIn(20)}
	s.identity = g.policies(g.size(3, 5, 8), Identity)
	if g.oneIn(4) {
		s.identity = append(s.identity, full(Identity))
	}
	if g.oneIn(3) {
		s.boundary = g.policy(Boundary)
		if g.oneIn(3) {
			s.boundary = full(Boundary)
		}
	}
	if g.oneIn(3) {
		s.session = g.policies(g.n(4), Session)
		if g.oneIn(3) {
			s.session = append(s.session, full(Session))
		}
	}
	s.scps, s.rcps = g.levels(SCP), g.levels(RCP)
	if !g.oneIn(3) {
		s.resource = g.policy([]Kind{Resource, Resource, Resource, Trust, Key}[g.n(5)])
	}
	if g.oneIn(6) {
		s.endpoint = g.policy(Endpoint)
		if g.oneIn(2) && s.endpoint.doc != nil && s.endpoint.kind == Endpoint {
			s.endpoint.doc.Statements = append(s.endpoint.doc.Statements, full(Endpoint).doc.Statements...)
			s.endpoint.doc.Statements[len(s.endpoint.doc.Statements)-1].Index = len(s.endpoint.doc.Statements) - 1
		}
	}
	return s
}
