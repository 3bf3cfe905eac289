// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
)

// A naming is how closely a value of a principal element names the caller.
type naming struct {
	strength
	by Value
}

// principal evaluates a statement's principal element: what of it named or spared
// the caller, and how closely.
func (x *explainer) principal(p *Policy, s *Statement) (e ElementTrace, by Value, found strength) {
	if s.Principal == nil {
		return ElementTrace{Element: "Principal", Position: s.Start, Has: x.has[:1:1]}, by, noMatch
	}
	b := s.Principal
	e = ElementTrace{Element: pick(b.Not, "NotPrincipal", "Principal"), Position: b.Pos, Wants: b.AWS, Has: x.has[:1:1]}
	if b.Everyone {
		e.Wants = []Value{{Text: "*", Pos: b.Pos}}
	}
	for _, typ := range form.PrincipalTypes[1:] {
		for _, v := range *b.list(typ) {
			e.Wants = append(e.Wants[:len(e.Wants):len(e.Wants)], Value{Text: typ + ":" + v.Text, Pos: v.Pos})
		}
	}
	names := x.named(p, b)
	if p.kind == Trust && s.Effect == Allow && !b.Not && !x.authenticated() {
		// quirk Q009: "*" in a trust policy takes an authenticated caller.
		names = slices.DeleteFunc(names, func(n naming) bool { return n.strength == anyMatch })
	}
	for _, n := range names {
		if n.strength > found {
			found, by = n.strength, n.by
		}
	}
	if b.Not {
		found = x.notPrincipal(s, names)
	}
	e.Matched, e.By = found != noMatch, by.Text
	return e, by, found
}

func (x *explainer) authenticated() bool {
	return x.caller.Type != Anonymous && x.caller.Type != WebIdentity
}

// notPrincipal evaluates NotPrincipal (M-14, M-15).
func (x *explainer) notPrincipal(s *Statement, names []naming) strength {
	if s.Effect == Allow {
		if len(names) > 0 {
			return noMatch
		}
		return anyMatch
	}
	if x.s.Boundary != nil || x.s.HasBoundary {
		return anyMatch
	}
	// quirk Q004: every form of the caller must be listed to spare it.
	required := map[PrincipalType][]strength{
		User:          {exactMatch, accountMatch},
		FederatedUser: {exactMatch, accountMatch},
		RoleSession:   {exactMatch, sourceMatch, accountMatch},
		Root:          {accountMatch},
		Service:       {exactMatch},
		WebIdentity:   {exactMatch},
		Anonymous:     {anyMatch},
	}[x.caller.Type]
	for _, m := range required {
		if !slices.ContainsFunc(names, func(n naming) bool { return n.strength == m || n.strength == anyMatch }) {
			return anyMatch
		}
	}
	return noMatch
}

// named returns every value of a principal element that names the caller.
func (x *explainer) named(p *Policy, b *PrincipalBlock) []naming {
	var names []naming
	add := func(m strength, v Value) {
		if m != noMatch {
			names = append(names, naming{m, v})
		}
	}
	if b.Everyone {
		add(anyMatch, Value{Text: "*", Pos: b.Pos})
	}
	for _, v := range b.AWS {
		add(x.namedAWS(p, v.Text), v)
	}
	for _, v := range b.Service {
		if x.caller.Type == Service && x.caller.ARN == v.Text {
			add(exactMatch, v)
		}
	}
	for _, v := range b.Federated {
		if x.caller.Type == WebIdentity && x.caller.ARN == v.Text {
			add(exactMatch, v)
		}
	}
	for _, v := range b.Canonical {
		if x.caller.CanonicalID != "" && x.caller.CanonicalID == v.Text {
			add(accountMatch, v)
		}
	}
	return names
}

// namedAWS compares one value of the AWS member with the caller (M-7 to M-11).
func (x *explainer) namedAWS(p *Policy, text string) strength {
	c := x.caller
	bound := p.ids()[text]
	byID := bound != "" && c.ID != ""
	switch {
	case text == "*":
		return anyMatch
	case arn.IsAccountID(text):
		if x.own && text == c.Account {
			return accountMatch
		}
		return noMatch
	}
	entity, ok := arn.SplitEntity(text)
	if !ok {
		return x.namedID(text)
	}
	switch entity.Kind {
	case arn.KindRoot:
		if x.own && entity.Account == c.Account {
			return accountMatch
		}
	case arn.KindUser:
		if c.Type == User && (byID && bound == c.ID || !byID && text == c.ARN) {
			return exactMatch
		}
		if c.Type == FederatedUser && (byID && bound == c.ID || !byID && text == c.User) {
			return sourceMatch
		}
	case arn.KindRole:
		if c.Type == RoleSession && (byID && bound == c.ID || !byID && x.sessionOf(entity, text)) {
			return sourceMatch
		}
	case arn.KindAssumedRole:
		if c.Type == RoleSession && text == c.ARN && (!byID || bound == c.ID) {
			return exactMatch
		}
	case arn.KindFederatedUser:
		if c.Type == FederatedUser && text == c.ARN {
			return exactMatch
		}
	default:
		return x.namedID(text)
	}
	return noMatch
}

// namedID compares a unique id with the caller's.
func (x *explainer) namedID(text string) strength {
	switch {
	case text == "" || text != x.caller.ID:
	case x.caller.Type == User:
		return exactMatch
	case x.caller.Type == RoleSession || x.caller.Type == FederatedUser:
		return sourceMatch
	}
	return noMatch
}

// sessionOf reports whether the caller is a session of a role: of its Role if
// known, else of the one with its account and name (M-9).
func (x *explainer) sessionOf(role arn.Entity, text string) bool {
	if x.caller.Role != "" {
		return x.caller.Role == text
	}
	session, ok := arn.SplitEntity(x.caller.ARN)
	return ok && session.Kind == arn.KindAssumedRole && session.Partition == role.Partition &&
		x.caller.Account == role.Account && session.Name == role.Name
}
