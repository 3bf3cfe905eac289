// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// principal returns how closely a statement's principal element names the caller.
func (x *explainer) principal(p *Policy, s *Statement) strength {
	matches := x.named(p, s.Principal)
	if s.Principal.Not {
		return x.notPrincipal(s, matches)
	}
	if p.kind == Trust && s.Effect == Allow && !x.authenticated() {
		// quirk Q009: "*" in a trust policy takes an authenticated caller.
		matches = slices.DeleteFunc(matches, func(m strength) bool { return m == anyMatch })
	}
	if len(matches) == 0 {
		return noMatch
	}
	return slices.Max(matches)
}

func (x *explainer) authenticated() bool {
	return x.caller.Type != Anonymous && x.caller.Type != WebIdentity
}

// notPrincipal evaluates NotPrincipal (M-14, M-15).
func (x *explainer) notPrincipal(s *Statement, matches []strength) strength {
	if s.Effect == Allow {
		if len(matches) > 0 {
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
		if !slices.Contains(matches, m) && !slices.Contains(matches, anyMatch) {
			return anyMatch
		}
	}
	return noMatch
}

// named returns how each value of a principal element that names the caller does.
func (x *explainer) named(p *Policy, b *PrincipalBlock) []strength {
	var matches []strength
	add := func(m strength) {
		if m != noMatch {
			matches = append(matches, m)
		}
	}
	if b.Everyone {
		add(anyMatch)
	}
	for _, v := range b.AWS {
		add(x.namedAWS(p, v.Text))
	}
	for _, v := range b.Service {
		if x.caller.Type == Service && x.caller.ARN == v.Text {
			add(exactMatch)
		}
	}
	for _, v := range b.Federated {
		if x.caller.Type == WebIdentity && x.caller.ARN == v.Text {
			add(exactMatch)
		}
	}
	for _, v := range b.Canonical {
		if x.caller.CanonicalID != "" && x.caller.CanonicalID == v.Text {
			add(accountMatch)
		}
	}
	return matches
}

// namedAWS compares one value of the AWS member with the caller (M-7 to M-11).
func (x *explainer) namedAWS(p *Policy, text string) strength {
	c := x.caller
	bound := p.extra.ids[text]
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
