// SPDX-License-Identifier: Apache-2.0

package textbook

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// A CallerType says what kind of caller a Caller is.
type CallerType uint8

// The types of caller, numbered as policy.PrincipalType.
const (
	Anonymous CallerType = iota
	User
	RoleSession
	FederatedUser
	Root
	Service
	WebIdentity
)

// A Caller is the caller of a request, with the fields of policy.Principal.
type Caller struct {
	Type                                      CallerType
	ARN, Account, ID, Role, User, CanonicalID string
}

// Own reports whether the caller belongs to an account and has policies of its own.
func (c *Caller) Own() bool {
	return c.Type == User || c.Type == RoleSession || c.Type == FederatedUser || c.Type == Root
}

// A Closeness says how closely a principal element names a caller.
type Closeness uint8

// The ways to name a caller, the closest last but for everyone.
const (
	Unnamed   Closeness = iota
	ByAccount           // M-8
	BySource            // by the role or user that the session was made from (M-9, M-10)
	ByName              // its own
	AsAnyone            // by "*"
)

// A Name is a value of a principal element.
type Name struct {
	Type string // "AWS", "Service", "Federated" or "CanonicalUser"
	Text string
	ID   string // unique id that an ARN is bound to, or "" (M-11)
}

// Principals is a Principal or NotPrincipal element.
type Principals struct {
	Names   []Name
	Not     bool
	Deny    bool // of a statement that denies
	Trust   bool // of a trust policy
	Bounded bool // the caller has a permissions boundary
}

// Match returns how closely the element names the caller, of a NotPrincipal
// AsAnyone where it does not spare it. By is the place of the closest name, -1 if
// there is none.
func (p *Principals) Match(c *Caller) (found Closeness, by int) {
	by = -1
	var names []Closeness
	for i := range p.Names {
		n := c.named(&p.Names[i])
		if n == AsAnyone && p.Trust && !p.Deny && !p.Not && (c.Type == Anonymous || c.Type == WebIdentity) {
			continue // quirk Q009: "*" in a trust policy takes an authenticated caller.
		}
		if n > found {
			found, by = n, i
		}
		if n != Unnamed {
			names = append(names, n)
		}
	}
	if p.Not {
		found = p.others(c, names)
	}
	return found, by
}

// others evaluates NotPrincipal, given how it names the caller (M-14, M-15).
func (p *Principals) others(c *Caller, names []Closeness) Closeness {
	if !p.Deny {
		if len(names) > 0 {
			return Unnamed
		}
		return AsAnyone
	}
	if p.Bounded {
		return AsAnyone
	}
	// quirk Q004: every form of the caller must be listed to spare it.
	required := map[CallerType][]Closeness{
		User:          {ByName, ByAccount},
		FederatedUser: {ByName, ByAccount},
		RoleSession:   {ByName, BySource, ByAccount},
		Root:          {ByAccount},
		Service:       {ByName},
		WebIdentity:   {ByName},
		Anonymous:     {AsAnyone},
	}[c.Type]
	for _, m := range required {
		if !slices.Contains(names, m) && !slices.Contains(names, AsAnyone) {
			return AsAnyone
		}
	}
	return Unnamed
}

// named compares one value with the caller.
func (c *Caller) named(n *Name) Closeness {
	switch {
	case n.Type == "AWS":
		return c.namedAWS(n)
	case n.Type == "Service" && c.Type == Service && c.ARN == n.Text:
		return ByName
	case n.Type == "Federated" && c.Type == WebIdentity && c.ARN == n.Text:
		return ByName
	case n.Type == "CanonicalUser" && c.CanonicalID != "" && c.CanonicalID == n.Text:
		return ByAccount
	}
	return Unnamed
}

// namedAWS compares one value of the AWS member with the caller (M-7 to M-11).
func (c *Caller) namedAWS(n *Name) Closeness {
	text, bound := n.Text, n.ID
	byID := bound != "" && c.ID != ""
	switch {
	case text == "*":
		return AsAnyone
	case arn.IsAccountID(text):
		if c.Own() && text == c.Account {
			return ByAccount
		}
		return Unnamed
	}
	entity, ok := arn.SplitEntity(text)
	if !ok {
		return c.namedID(text)
	}
	switch entity.Kind {
	case arn.KindRoot:
		if c.Own() && entity.Account == c.Account {
			return ByAccount
		}
	case arn.KindUser:
		if c.Type == User && (byID && bound == c.ID || !byID && text == c.ARN) {
			return ByName
		}
		if c.Type == FederatedUser && (byID && bound == c.ID || !byID && text == c.User) {
			return BySource
		}
	case arn.KindRole:
		if c.Type == RoleSession && (byID && bound == c.ID || !byID && c.sessionOf(entity, text)) {
			return BySource
		}
	case arn.KindAssumedRole:
		if c.Type == RoleSession && text == c.ARN && (!byID || bound == c.ID) {
			return ByName
		}
	case arn.KindFederatedUser:
		if c.Type == FederatedUser && text == c.ARN {
			return ByName
		}
	default:
		return c.namedID(text)
	}
	return Unnamed
}

// namedID compares a unique id with the caller's.
func (c *Caller) namedID(text string) Closeness {
	switch {
	case text == "" || text != c.ID:
	case c.Type == User:
		return ByName
	case c.Type == RoleSession || c.Type == FederatedUser:
		return BySource
	}
	return Unnamed
}

// sessionOf reports whether the caller is a session of a role: of its Role if
// known, else of the one with its account and name (M-9).
func (c *Caller) sessionOf(role arn.Entity, text string) bool {
	if c.Role != "" {
		return c.Role == text
	}
	session, ok := arn.SplitEntity(c.ARN)
	return ok && session.Kind == arn.KindAssumedRole && session.Partition == role.Partition &&
		c.Account == role.Account && session.Name == role.Name
}
