// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// An index finds the statements of one effect that may apply to a request: by
// the resource, whose literal beginning up to a separator is looked up, and then
// by the number of the action.
type index struct {
	rules   []rule           // in document order
	numbers map[string]int32 // action in lower case → its number
	exact   map[string][]candidate
	anchors map[string][]candidate
	lengths []int // of the anchors, ascending
	rest    []candidate
}

// A candidate is a statement that may apply, by one pattern of its Resource
// element; pattern is wholeElement for all of them.
type candidate struct{ rule, pattern int32 }

const wholeElement = -1

// number returns the number of an action, a new one if need be.
func (x *index) number(action string) int32 {
	if x.numbers == nil {
		x.numbers = make(map[string]int32)
	}
	n, ok := x.numbers[action]
	if !ok {
		n = int32(len(x.numbers))
		x.numbers[action] = n
	}
	return n
}

// build makes the tables when all rules are there.
func (x *index) build() {
	x.exact = make(map[string][]candidate)
	x.anchors = make(map[string][]candidate)
	for i := range x.rules {
		r := &x.rules[i]
		if r.notResource {
			x.rest = append(x.rest, candidate{int32(i), wholeElement})
			continue
		}
		for j := range r.resources {
			x.add(candidate{int32(i), int32(j)}, &r.resources[j])
		}
	}
	for anchor := range x.anchors {
		x.lengths = append(x.lengths, len(anchor))
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
}

func (x *index) add(c candidate, p *pattern) {
	prefix := p.literalPrefix()
	anchor := prefix[:strings.LastIndexAny(prefix, ":/")+1]
	switch {
	case p.kind == neverPattern:
	case p.kind == exactPattern:
		x.exact[p.text] = append(x.exact[p.text], c)
	case anchor == "":
		x.rest = append(x.rest, c)
	default:
		x.anchors[anchor] = append(x.anchors[anchor], c)
	}
}

// A search is one walk through an index. The best rule is the one whose
// principal element names the caller most closely, and the first of those.
type search struct {
	e        *evaluation
	rules    []rule
	deny     bool
	kind     Kind
	named    bool  // the layer's statements name their callers
	action   int32 // its number; -1 for one without
	best     int32
	strength strength
}

// find returns the best rule of the index that applies, or nil, and how closely
// it names the caller. Where no callers are named, and in a Deny, that is
// anyMatch.
func (x *index) find(e *evaluation, p *Policy, deny, named bool) (*rule, strength) {
	if len(x.rules) == 0 {
		return nil, noMatch
	}
	s := search{e: e, rules: x.rules, deny: deny, kind: p.kind, named: named, action: -1}
	if n, ok := x.numbers[string(e.action)]; ok {
		s.action = n
	}
	resource := e.r.Resource
	s.scan(x.rest)
	if len(x.exact) > 0 {
		s.scan(x.exact[resource])
	}
	for _, n := range x.lengths {
		if n > len(resource) {
			break
		}
		if c := resource[n-1]; c == '/' || c == ':' {
			s.scan(x.anchors[resource[:n]])
		}
	}
	if s.strength == noMatch {
		return nil, noMatch
	}
	return &x.rules[s.best], s.strength
}

func (s *search) scan(list []candidate) {
	for _, c := range list {
		if s.strength == anyMatch && c.rule >= s.best {
			return
		}
		m := s.match(&s.rules[c.rule], c.pattern)
		if m > s.strength || m == s.strength && m != noMatch && c.rule < s.best {
			s.strength, s.best = m, c.rule
		}
	}
}

// match returns how closely a rule that applies names the caller; noMatch if it
// does not apply.
func (s *search) match(r *rule, pattern int32) strength {
	if !s.matchAction(r) || !s.matchResource(r, pattern) {
		return noMatch
	}
	m := anyMatch
	if s.named {
		if r.principal == nil {
			return noMatch // M-16
		}
		m = r.principal.match(s.e, s.deny, s.kind)
		if m == noMatch {
			return noMatch
		}
		if s.deny {
			m = anyMatch
		}
	}
	for i := range r.conditions {
		if !r.conditions[i].holds(s.e) {
			return noMatch
		}
	}
	return m
}

// matchAction reports whether the Action or NotAction element matches.
//
// quirk Q021: an empty list matches nothing, so NotAction with one matches
// everything; likewise for resources and condition values (P-5, C-17).
func (s *search) matchAction(r *rule) bool {
	if r.anyAction || s.action >= 0 && slices.Contains(r.exact, s.action) {
		return !r.notAction
	}
	service, name := s.e.action[:s.e.colon], s.e.name
	for i := range r.actions {
		if r.actions[i].match(service, name) {
			return !r.notAction
		}
	}
	return r.notAction
}

func (s *search) matchResource(r *rule, pattern int32) bool {
	if pattern != wholeElement {
		return r.resources[pattern].match(s.e, s.e.r.Resource)
	}
	for i := range r.resources {
		if r.resources[i].match(s.e, s.e.r.Resource) {
			return !r.notResource
		}
	}
	return r.notResource
}

// match returns how closely the element names the caller.
func (p *principals) match(e *evaluation, deny bool, kind Kind) strength {
	caller := &e.r.Principal
	var seen [anyMatch + 1]bool
	best := noMatch
	for i := range p.names {
		m := p.names[i].match(caller)
		// quirk Q009: "*" in the Allow of a trust policy takes an authenticated
		// caller, which a federated identity is only by its provider (M-12).
		if m == anyMatch && kind == Trust && !deny && !p.not && (caller.Type == Anonymous || caller.Type == WebIdentity) {
			continue
		}
		seen[m] = true
		best = max(best, m)
	}
	switch {
	case !p.not:
		return best
	case deny && e.bounded:
		return anyMatch // M-15
	case deny && exempt(caller.Type, seen), !deny && best != noMatch:
		return noMatch
	}
	return anyMatch
}

// exempt reports whether NotPrincipal with Deny spares a caller (M-14).
//
// quirk Q004: it does when every form of the caller is listed: the account, for
// sessions the role, and the caller's own name. The account alone spares nobody
// but its root.
func exempt(t PrincipalType, seen [anyMatch + 1]bool) bool {
	if seen[anyMatch] {
		return true
	}
	switch t {
	case User, FederatedUser:
		return seen[exactMatch] && seen[accountMatch]
	case RoleSession:
		return seen[exactMatch] && seen[sourceMatch] && seen[accountMatch]
	case Root:
		return seen[accountMatch]
	case Service, WebIdentity:
		return seen[exactMatch]
	}
	return false
}

// match returns how closely n names the caller (M-7 to M-13).
func (n *principalName) match(c *Principal) strength {
	switch n.form {
	case everyoneForm:
		return anyMatch
	case accountForm:
		if c.Account != "" && c.Account == n.account && (c.Type == User || c.Type == RoleSession || c.Type == FederatedUser || c.Type == Root) {
			return accountMatch
		}
	case userForm:
		if c.Type == User && n.is(c.ID, c.ARN == n.text) {
			return exactMatch
		}
		if c.Type == FederatedUser && n.is(c.ID, c.User == n.text) {
			return sourceMatch
		}
	case roleForm:
		if c.Type == RoleSession && n.is(c.ID, n.isRole(c)) {
			return sourceMatch
		}
	case sessionForm:
		if c.Type == RoleSession && c.ARN == n.text && n.is(c.ID, true) {
			return exactMatch
		}
	case idForm:
		switch {
		case c.ID != n.text || c.ID == "":
		case c.Type == User:
			return exactMatch
		case c.Type == RoleSession, c.Type == FederatedUser:
			return sourceMatch
		}
	case canonicalForm: // quirk Q025: it names an account
		if c.CanonicalID != "" && c.CanonicalID == n.text {
			return accountMatch
		}
	case federatedForm, serviceForm, providerForm:
		if c.Type == n.form.callerType() && c.ARN == n.text {
			return exactMatch
		}
	}
	return noMatch
}

// is reports whether n is the principal with an id: by the id that it is bound
// to, or by name if there is none or the principal's is unknown (M-11).
func (n *principalName) is(id string, byName bool) bool {
	if n.id != "" && id != "" {
		return n.id == id
	}
	return byName
}

// isRole reports whether a session is of the role that n names. Without the
// role's ARN the path is not compared, since a session's ARN has none (M-9).
func (n *principalName) isRole(c *Principal) bool {
	if c.Role != "" {
		return c.Role == n.text
	}
	session, ok := arn.Split(c.ARN)
	return ok && c.Account == n.account && session.Partition == n.partition && sessionRole(c.ARN) == n.role
}

// callerType returns the only type of caller that a form names.
func (f principalForm) callerType() PrincipalType {
	switch f {
	case federatedForm:
		return FederatedUser
	case serviceForm:
		return Service
	case providerForm:
		return WebIdentity
	}
	return Anonymous
}
