// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/bits"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// principals compiles a Principal or NotPrincipal element.
func (c *compiler) principals(b *PrincipalBlock, k *keyed) {
	if b.Not {
		k.flags |= notPrincipal
	}
	p := c.policy
	k.principal = uint32(len(p.names.texts))
	add := func(n principalName) {
		p.names.add(n)
		k.callers |= n.mask(p.extra.bound)
	}
	k.callers = 0
	if b.Everyone {
		add(principalName{form: everyoneForm, text: "*"})
	}
	for _, v := range b.AWS {
		add(parsePrincipalName(v.Text, p.extra.bound))
	}
	for _, list := range []struct {
		form   principalForm
		values []Value
	}{{serviceForm, b.Service}, {providerForm, b.Federated}, {canonicalForm, b.Canonical}} {
		for _, v := range list.values {
			add(principalName{form: list.form, text: v.Text})
		}
	}
	k.principals = uint32(len(p.names.texts)) - k.principal
	if b.Not {
		k.callers = ^uint64(0)
	}
}

// The mask of a principal element has a bit for each way to know a caller that it
// names; that of a caller has those of all the ways to name it. Where the two have
// no bit in common, the element does not name the caller.
const (
	everyoneBit uint64 = 1 << iota
	accountBit         // all accounts have this one
)

func nameBit(name string) uint64 { return 4 << (words.Ending(name) % 62) }

func (n *principalName) mask(ids map[string]string) (mask uint64) {
	switch n.form {
	case everyoneForm:
		mask = everyoneBit
	case accountForm, canonicalForm:
		mask = accountBit
	case roleForm:
		role, _ := arn.SplitEntity(n.text)
		mask = nameBit(n.text) | nameBit(role.Name)
	default:
		mask = nameBit(n.text)
	}
	if n.bound {
		mask |= nameBit(ids[n.text])
	}
	return mask
}

// bit returns the place of a bit that the mask of every caller has whom n names.
func (n *principalName) bit() uint8 {
	switch {
	case n.form == everyoneForm, n.bound:
		return uint8(bits.TrailingZeros64(everyoneBit))
	case n.form == accountForm, n.form == canonicalForm:
		return uint8(bits.TrailingZeros64(accountBit))
	}
	return uint8(bits.TrailingZeros64(nameBit(n.text)))
}

// callerMask returns the mask of the caller.
func (e *evaluation) callerMask() uint64 {
	if e.callers != 0 {
		return e.callers
	}
	c := &e.r.Principal
	mask := everyoneBit | nameBit(c.ARN)
	if c.Account != "" || c.CanonicalID != "" {
		mask |= accountBit
	}
	if c.ID != "" {
		mask |= nameBit(c.ID)
	}
	switch {
	case c.Type == FederatedUser:
		mask |= nameBit(c.User)
	case c.Type == RoleSession && c.Role != "":
		mask |= nameBit(c.Role)
	case c.Type == RoleSession:
		mask |= nameBit(sessionRole(c.ARN))
	}
	e.callers = mask
	return mask
}

// matchPrincipal returns how closely a statement names the caller; for one that
// denies, anyMatch. It takes an evaluation that has the mask of the caller.
func (p *Policy) matchPrincipal(k *entry, e *evaluation, denies bool) strength {
	if k.flags&notPrincipal != 0 {
		return p.matchNotNames(k, e, denies)
	}
	callers := e.callers
	if c := &e.r.Principal; c.Type == RoleSession && c.Role == "" {
		callers = ^uint64(0) // its role has another name than its ARN
	}
	best := noMatch // of no principal element, too: M-16
	for i := range k.principals {
		if callers>>(p.names.kinds[k.principal+i].bit&63)&1 == 0 {
			continue
		}
		m := p.matchName(p.names.at(k.principal+i), &e.r.Principal)
		// quirk Q009: "*" in the Allow of a trust policy takes an authenticated
		// caller, which a federated identity is only by its provider (M-12).
		if m == anyMatch && p.kind == Trust && !denies && (e.r.Principal.Type == Anonymous || e.r.Principal.Type == WebIdentity) {
			continue
		}
		best = max(best, m)
	}
	if denies && best != noMatch {
		return anyMatch
	}
	return best
}

// matchNotNames is matchPrincipal for NotPrincipal.
func (p *Policy) matchNotNames(k *entry, e *evaluation, denies bool) strength {
	caller := &e.r.Principal
	var seen [anyMatch + 1]bool
	best := noMatch
	for i := range k.principals {
		m := p.matchName(p.names.at(k.principal+i), caller)
		seen[m] = true
		best = max(best, m)
	}
	switch {
	case denies && e.s.bounded():
		return anyMatch // M-15
	case denies && exempt(caller.Type, seen), !denies && best != noMatch:
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

// matchName returns how closely n names the caller (M-7 to M-13).
func (p *Policy) matchName(n principalName, c *Principal) strength {
	switch n.form {
	case everyoneForm:
		return anyMatch
	case accountForm:
		if c.Account != "" && c.Account == n.text && (c.Type == User || c.Type == RoleSession || c.Type == FederatedUser || c.Type == Root) {
			return accountMatch
		}
	case userForm:
		if c.Type == User && p.is(n, c.ID, c.ARN == n.text) {
			return exactMatch
		}
		if c.Type == FederatedUser && p.is(n, c.ID, c.User == n.text) {
			return sourceMatch
		}
	case roleForm:
		if c.Type == RoleSession && p.is(n, c.ID, n.isRole(c)) {
			return sourceMatch
		}
	case sessionForm:
		if c.Type == RoleSession && c.ARN == n.text && p.is(n, c.ID, true) {
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
func (p *Policy) is(n principalName, id string, byName bool) bool {
	if n.bound && id != "" {
		return p.extra.bound[n.text] == id
	}
	return byName
}

// isRole reports whether a session is of the role that n names. Without the
// role's ARN the path is not compared, since a session's ARN has none (M-9).
func (n principalName) isRole(c *Principal) bool {
	if c.Role != "" {
		return c.Role == n.text
	}
	role, _ := arn.SplitEntity(n.text)
	session, ok := arn.Split(c.ARN)
	return ok && c.Account == role.Account && session.Partition == role.Partition && sessionRole(c.ARN) == role.Name
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
