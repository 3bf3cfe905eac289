// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// An evaluation is what one Decide knows. It is not kept.
type evaluation struct {
	r       *Request
	s       *Set
	action  []byte // in lower case
	colon   int    // where its service ends
	name    []byte // what follows the colon
	account string // that owns the resource
	bounded bool   // the caller has a permissions boundary
}

// errNoPolicy is the reason of a deny by a nil *Policy in the Set.
var errNoPolicy = errors.New("policy: a nil policy in the set")

// Decide answers r under the policies of s. It is pure: it reads nothing but its
// arguments, and it never allows because of an error (D-14). It is safe for
// concurrent use, and does not allocate unless the action is very long or a
// condition compares bytes.
func Decide(r *Request, s *Set) (d Decision) {
	defer func() {
		if v := recover(); v != nil {
			d = Decision{Outcome: ExplicitDeny, Err: fmt.Errorf("policy: evaluation failed: %v", v)}
		}
	}()
	var buf [128]byte
	e := evaluation{r: r, s: s, account: r.Account(), bounded: s.Boundary != nil || s.HasBoundary}
	e.action = appendLower(buf[:0], r.Action)
	e.colon = bytes.IndexByte(e.action, ':')
	if e.colon < 0 {
		e.colon = len(e.action)
	} else {
		e.name = e.action[e.colon+1:]
	}
	return e.decide()
}

func (e *evaluation) decide() Decision {
	caller := &e.r.Principal
	own := caller.Type == User || caller.Type == RoleSession || caller.Type == FederatedUser || caller.Type == Root
	if own && string(e.action) == "sts:getcalleridentity" {
		return Decision{Outcome: Allowed} // D-12: not even an explicit deny counts
	}
	if d := e.anyDeny(); d.Outcome == ExplicitDeny {
		return d
	}
	if (caller.Type == User || caller.Type == Root) && string(e.action) == "sts:getsessiontoken" {
		// quirk Q010: GetSessionToken needs no allow, but a deny counts.
		return Decision{Outcome: Allowed}
	}
	for _, level := range e.s.RCPs {
		if e.allowedBy(level) == nil { // D-3
			return Decision{Layer: RCPLayer}
		}
	}
	for _, level := range e.s.SCPs {
		if e.allowedBy(level) == nil { // D-4
			return Decision{Layer: SCPLayer}
		}
	}
	if e.s.Endpoint != nil { // D-11
		if r, _ := e.s.Endpoint.allows.find(e, e.s.Endpoint, false, true); r == nil {
			return Decision{Layer: EndpointLayer}
		}
	}
	granted, how := (*rule)(nil), noMatch
	if p := e.s.Resource; p != nil {
		granted, how = p.allows.find(e, p, false, true)
	}
	switch {
	case !own: // D-9: nothing counts but the resource policy, by name or by "*"
		if how == exactMatch || how == anyMatch {
			return allowedBy(ResourceLayer, granted)
		}
		return Decision{Layer: ResourceLayer}
	case caller.Account != "" && caller.Account == e.account:
		return e.sameAccount(granted, how)
	}
	return e.crossAccount(granted, how)
}

// sameAccount combines the layers when the caller's account owns the resource (D-5).
func (e *evaluation) sameAccount(granted *rule, how strength) Decision {
	needsBoth := e.needsBoth()
	switch {
	case needsBoth && how != noMatch:
		return e.identitySide(ResourceLayer, granted)
	case how == exactMatch, how == anyMatch:
		// quirk Q005: not even a session policy limits a grant to the session itself.
		// quirk Q013: nor, like a boundary, a grant to everyone.
		return allowedBy(ResourceLayer, granted)
	case how == sourceMatch:
		if layer := e.limited(); layer != NoLayer {
			return Decision{Layer: layer}
		}
		return allowedBy(ResourceLayer, granted)
	case !e.strict():
		return e.identitySide(IdentityLayer, nil)
	case how == accountMatch:
		return e.identitySide(ResourceLayer, granted)
	}
	return Decision{Layer: ResourceLayer}
}

// crossAccount combines them when it does not: both sides must allow (D-8).
func (e *evaluation) crossAccount(granted *rule, how strength) Decision {
	if how == noMatch {
		return Decision{Layer: ResourceLayer}
	}
	return e.identitySide(ResourceLayer, granted)
}

// identitySide allows if the caller's own policies do. The decision rests on
// layer and its rule, or when layer is IdentityLayer on the identity policy.
func (e *evaluation) identitySide(layer Layer, granted *rule) Decision {
	identity := (*rule)(nil)
	if e.r.Principal.Type != Root { // D-10: an account's root needs no policy
		identity = e.allowedBy(e.s.Identity)
		if identity == nil {
			return Decision{Layer: IdentityLayer}
		}
	}
	if limit := e.limited(); limit != NoLayer {
		return Decision{Layer: limit}
	}
	if layer == ResourceLayer {
		return allowedBy(ResourceLayer, granted)
	}
	if identity == nil {
		return Decision{Outcome: Allowed}
	}
	return allowedBy(IdentityLayer, identity)
}

// limited returns the layer that limits the caller by its silence, boundary
// before session, or NoLayer.
func (e *evaluation) limited() Layer {
	if e.bounded {
		p := e.s.Boundary
		if p == nil {
			return BoundaryLayer
		}
		if r, _ := p.allows.find(e, p, false, false); r == nil {
			return BoundaryLayer
		}
	}
	inForce := len(e.s.Session) > 0 || e.s.HasSession || e.r.Principal.Type == FederatedUser // D-7
	if inForce && e.allowedBy(e.s.Session) == nil {
		return SessionLayer
	}
	return NoLayer
}

// strict reports whether identity policies count only if the resource's own
// policy delegates to the account: for roles that are assumed, and keys (D-12).
func (e *evaluation) strict() bool {
	if p := e.s.Resource; p != nil && (p.kind == Trust || p.kind == Key) {
		return true
	}
	const assume = "sts:assumerole"
	return len(e.action) >= len(assume) && string(e.action[:len(assume)]) == assume
}

// needsBoth reports whether trust policy and identity policy must both allow,
// even if the trust policy names the caller.
//
// quirk Q011: sts:TagSession and sts:SetSourceIdentity do (D-12).
func (e *evaluation) needsBoth() bool {
	p := e.s.Resource
	return p != nil && p.kind == Trust &&
		(string(e.action) == "sts:tagsession" || string(e.action) == "sts:setsourceidentity")
}

// allowedBy returns the first rule of the policies that allows, or nil.
func (e *evaluation) allowedBy(policies []*Policy) *rule {
	for _, p := range policies {
		named := p.kind == RCP
		if r, _ := p.allows.find(e, p, false, named); r != nil {
			return r
		}
	}
	return nil
}

func allowedBy(layer Layer, r *rule) Decision {
	return Decision{Outcome: Allowed, Layer: layer, Statement: &r.ref}
}

// anyDeny returns the first explicit deny in the order of reporting (D-2, D-13),
// or the zero Decision. It looks at every policy of the Set, so that everything
// after it may rely on their being there, whole and in their place.
func (e *evaluation) anyDeny() Decision {
	for _, level := range e.s.RCPs {
		if d := e.denyIn(RCPLayer, level); d.Outcome == ExplicitDeny {
			return d
		}
	}
	for _, level := range e.s.SCPs {
		if d := e.denyIn(SCPLayer, level); d.Outcome == ExplicitDeny {
			return d
		}
	}
	if p := e.s.Endpoint; p != nil {
		if d := e.deny(EndpointLayer, p); d.Outcome == ExplicitDeny {
			return d
		}
	}
	if p := e.s.Resource; p != nil {
		if d := e.deny(ResourceLayer, p); d.Outcome == ExplicitDeny && !e.rootRepairs(d) {
			return d
		}
	}
	if d := e.denyIn(IdentityLayer, e.s.Identity); d.Outcome == ExplicitDeny {
		return d
	}
	if p := e.s.Boundary; p != nil {
		if d := e.deny(BoundaryLayer, p); d.Outcome == ExplicitDeny {
			return d
		}
	}
	return e.denyIn(SessionLayer, e.s.Session)
}

func (e *evaluation) denyIn(layer Layer, policies []*Policy) Decision {
	for _, p := range policies {
		if d := e.deny(layer, p); d.Outcome == ExplicitDeny {
			return d
		}
	}
	return Decision{}
}

// deny returns the first explicit deny of a policy. A policy that is missing,
// broken or of a kind that its layer does not take denies with an error.
func (e *evaluation) deny(layer Layer, p *Policy) Decision {
	switch {
	case p == nil:
		return Decision{Outcome: ExplicitDeny, Layer: layer, Err: errNoPolicy}
	case p.err != nil:
		return Decision{Outcome: ExplicitDeny, Layer: layer, Err: p.err}
	case !layer.takes(p.kind):
		return Decision{Outcome: ExplicitDeny, Layer: layer, Err: fmt.Errorf("policy: %s is of kind %v, which is no %v", p.doc.Name, p.kind, layer)}
	}
	named := layer == ResourceLayer || layer == EndpointLayer || layer == RCPLayer
	if r, _ := p.denies.find(e, p, true, named); r != nil {
		return Decision{Outcome: ExplicitDeny, Layer: layer, Statement: &r.ref}
	}
	return Decision{}
}

// takes reports whether a layer takes policies of a kind. The three kinds that
// are attached to callers have the same form and take each other's place.
func (l Layer) takes(k Kind) bool {
	switch l {
	case IdentityLayer, BoundaryLayer, SessionLayer:
		return k == Identity || k == Boundary || k == Session
	case SCPLayer:
		return k == SCP
	case RCPLayer:
		return k == RCP
	case ResourceLayer:
		return k == Resource || k == Trust || k == Key
	case EndpointLayer:
		return k == Endpoint
	}
	return false
}

// rootRepairs reports whether a resource policy's deny does not bind: an
// account's root may always repair the policy of its own bucket or queue (D-10).
//
// quirk Q012: the actions that count as repairs.
func (e *evaluation) rootRepairs(d Decision) bool {
	if e.r.Principal.Type != Root || e.r.Principal.Account != e.account || d.Err != nil {
		return false
	}
	switch string(e.action) {
	case "s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy", "sqs:getqueueattributes", "sqs:setqueueattributes":
		return true
	}
	return false
}

// variable returns the text that a variable stands for; ok is false when its key
// has no value and there is no default (V-3).
//
// quirk Q020: a key with a list has no value, however long the list (V-2).
// quirk Q023: letter case does not count in its name.
func (e *evaluation) variable(p *piece) (value string, ok bool) {
	if one, _, found := e.r.lookup(p.Text); found == oneValue {
		return one, true
	}
	return p.Fallback, p.HasFallback
}

// foundKind says what a request has under a context key.
type foundKind uint8

const (
	noValue foundKind = iota // the key is absent or its list empty
	oneValue
	valueList
)

// lookup returns what the request has under a context key, whose letter case
// does not count (C-2).
func (r *Request) lookup(key string) (one string, list []string, found foundKind) {
	if len(r.Lists) > 0 {
		if list, ok := lookupFold(r.Lists, key); ok {
			if len(list) == 0 {
				return "", nil, noValue
			}
			return "", list, valueList
		}
	}
	if one, ok := lookupFold(r.Context, key); ok {
		return one, nil, oneValue
	}
	return "", nil, noValue
}

// lookupFold returns the value under key, else under the first in byte order of
// the keys that differ from it only in letter case.
//
// quirk Q018: so two keys that differ only in letter case are never mixed up.
func lookupFold[V any](m map[string]V, key string) (value V, ok bool) {
	if value, ok = m[key]; ok {
		return value, true
	}
	first := ""
	for k, v := range m {
		if equalLower(k, key) && (!ok || strings.Compare(k, first) < 0) {
			first, value, ok = k, v, true
		}
	}
	return value, ok
}
