// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/innkeeper-iam/innkeeper/policy/internal/given"
	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// An evaluation is what one Decide knows. It is not kept.
type evaluation struct {
	r       *Request
	s       *Set
	q       query
	keys    *given.Table // nil: the context is in the maps of r
	callers uint64       // mask of the caller; 0: not made yet
	g       grants
	passed  int      // how many keys were passed over in the maps of r
	last    resolved // the last variable that was looked up
}

// A resolved variable.
type resolved struct {
	key, value string
	found      bool
}

// maxPassed is how many keys are passed over in maps before a table is made of them.
const maxPassed = 1000

// errNoPolicy is the reason of a deny by a nil *Policy in the Set.
var errNoPolicy = errors.New("policy: a nil policy in the set")

// Decide answers r under the policies of s. It is pure: it reads nothing but its
// arguments, and it never allows because of an error (D-14). It is safe for
// concurrent use. It does not allocate, but for an action without a colon, a
// condition that compares bytes, more than eight characters or variables in a row
// between two stars, and conditions on hundreds of keys that the request lacks.
func Decide(r *Request, s *Set) (d Decision) {
	decided := false
	defer func() {
		if !decided {
			d = failed(recover())
		}
	}()
	var e evaluation
	e.r, e.s = r, s
	e.q.read(r)
	d = e.decide()
	decided = true
	return d
}

// failed makes a panic a deny.
func failed(v any) Decision {
	return Decision{Outcome: ExplicitDeny, Err: fmt.Errorf("policy: evaluation failed: %v", v)}
}

// ownTypes are the callers that have policies of their own, as bits.
const ownTypes = 1<<User | 1<<RoleSession | 1<<FederatedUser | 1<<Root

// A grant is the statement by which a layer allows.
type grant struct {
	policy    *Policy // nil: it does not
	statement int32
	strength  strength // how closely it names the caller, anyMatch where none is named
}

func (g grant) decision(layer Layer) Decision {
	return Decision{Outcome: Allowed, Layer: layer, Statement: &g.policy.refs[g.statement]}
}

// grants is what the layers say.
type grants struct {
	denied Decision                 // by the first that denies
	silent Layer                    // the first of the RCP, SCP and endpoint layers that does not allow
	by     [EndpointLayer + 1]grant // each layer; of RCPs and SCPs, the level that was asked last

	// Of the policy that is asked.
	layer  Layer
	sought bool  // statements that allow matter
	named  bool  // its statements name their callers
	deny   int32 // the first statement that denies, -1 if none
}

func (e *evaluation) decide() Decision {
	own := ownTypes>>(e.q.caller&31)&1 != 0
	if own && e.q.STS && e.q.Is("sts:getcalleridentity") {
		return Decision{Outcome: Allowed} // D-12: not even an explicit deny counts
	}
	g := &e.g
	if e.askAll() {
		return g.denied
	}
	if e.q.STS && (e.q.caller == User || e.q.caller == Root) && e.q.Is("sts:getsessiontoken") {
		// quirk Q010: GetSessionToken needs no allow, but a deny counts.
		return Decision{Outcome: Allowed}
	}
	how := g.by[ResourceLayer].strength
	switch {
	case g.silent != NoLayer: // D-3, D-4, D-11
		return Decision{Layer: g.silent}
	case !own: // D-9: nothing counts but the resource policy, by name or by "*"
		if how == exactMatch || how == anyMatch {
			return g.by[ResourceLayer].decision(ResourceLayer)
		}
		return Decision{Layer: ResourceLayer}
	case !e.q.owns: // D-8: across accounts both sides must allow
		if how == noMatch {
			return Decision{Layer: ResourceLayer}
		}
		return e.identitySide(true)
	case e.s.Resource == nil && !e.q.STS:
		return e.identitySide(false)
	}
	return e.sameAccount()
}

// sameAccount combines the layers when the caller's account owns the resource (D-5).
func (e *evaluation) sameAccount() Decision {
	g := &e.g
	how := g.by[ResourceLayer].strength
	needsBoth := e.needsBoth()
	switch {
	case needsBoth && how != noMatch:
		return e.identitySide(true)
	case how == exactMatch, how == anyMatch:
		// quirk Q005: not even a session policy limits a grant to the session itself.
		// quirk Q013: nor, like a boundary, a grant to everyone.
		return g.by[ResourceLayer].decision(ResourceLayer)
	case how == sourceMatch:
		if layer := e.limited(); layer != NoLayer {
			return Decision{Layer: layer}
		}
		return g.by[ResourceLayer].decision(ResourceLayer)
	case !e.strict():
		return e.identitySide(false)
	case how == accountMatch:
		return e.identitySide(true)
	}
	return Decision{Layer: ResourceLayer}
}

// identitySide allows if the caller's own policies do. The decision rests on the
// identity policy, or if granted on the resource policy.
func (e *evaluation) identitySide(granted bool) Decision {
	g := &e.g
	root := e.q.caller == Root // D-10: an account's root needs no policy
	if !root && g.by[IdentityLayer].policy == nil {
		return Decision{Layer: IdentityLayer}
	}
	if limit := e.limited(); limit != NoLayer {
		return Decision{Layer: limit}
	}
	switch {
	case granted:
		return g.by[ResourceLayer].decision(ResourceLayer)
	case root:
		return Decision{Outcome: Allowed}
	}
	return g.by[IdentityLayer].decision(IdentityLayer)
}

// limited returns the layer that limits the caller by its silence, boundary
// before session, or NoLayer.
func (e *evaluation) limited() Layer {
	if e.s.bounded() && e.g.by[BoundaryLayer].policy == nil {
		return BoundaryLayer
	}
	inForce := len(e.s.Session) > 0 || e.s.HasSession || e.q.caller == FederatedUser // D-7
	if inForce && e.g.by[SessionLayer].policy == nil {
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
	return e.q.STS && words.HasPrefixFold(e.q.Text, "sts:assumerole")
}

// needsBoth reports whether trust policy and identity policy must both allow,
// even if the trust policy names the caller.
//
// quirk Q011: sts:TagSession and sts:SetSourceIdentity do (D-12).
func (e *evaluation) needsBoth() bool {
	return e.q.STS && e.s.Resource != nil && e.s.Resource.kind == Trust && (e.q.Is("sts:tagsession") || e.q.Is("sts:setsourceidentity"))
}

// askAll looks at every policy of the Set, in the order of reporting (D-2, D-13),
// until one denies. If none does, e.g is what allows.
func (e *evaluation) askAll() (denied bool) {
	s, g := e.s, &e.g
	if len(s.RCPs)|len(s.SCPs) != 0 || s.Endpoint != nil {
		if e.askGates() {
			return true
		}
	}
	if s.Resource != nil && e.ask(ResourceLayer, s.Resource) && !e.rootRepairs(g.denied) {
		return true
	}
	switch len(s.Identity) {
	case 0:
	case 1:
		if e.ask(IdentityLayer, s.Identity[0]) {
			return true
		}
	default:
		if e.union(IdentityLayer, s.Identity) {
			return true
		}
	}
	if s.Boundary != nil && e.ask(BoundaryLayer, s.Boundary) {
		return true
	}
	return len(s.Session) > 0 && e.union(SessionLayer, s.Session)
}

// askGates is askAll for the layers of which each level must allow.
func (e *evaluation) askGates() (denied bool) {
	s := e.s
	for _, level := range s.RCPs {
		if e.gate(RCPLayer, level) {
			return true
		}
	}
	for _, level := range s.SCPs {
		if e.gate(SCPLayer, level) {
			return true
		}
	}
	return s.Endpoint != nil && e.gate(EndpointLayer, []*Policy{s.Endpoint})
}

// gate asks one level of a layer that must allow.
func (e *evaluation) gate(layer Layer, level []*Policy) (denied bool) {
	e.g.by[layer] = grant{}
	if e.union(layer, level) {
		return true
	}
	if e.g.by[layer].policy == nil && e.g.silent == NoLayer {
		e.g.silent = layer
	}
	return false
}

// union asks policies of which one must allow: the first that does has granted. If
// one denies, e.g.denied says how. It looks at the head of each before it looks
// into any, because a policy that was not used lately takes its time to come from
// memory.
func (e *evaluation) union(layer Layer, policies []*Policy) (denied bool) {
	const batch = 64
	for bit := uint8(1) << (layer & 7); len(policies) > 0; {
		n := min(len(policies), batch)
		concerned := uint64(0)
		for i := n - 1; i >= 0; i-- {
			one := uint64(1)
			if p := policies[i]; p != nil && p.layers&bit != 0 {
				one = p.concerns(&e.q)
			}
			concerned = 2*concerned + one
		}
		for ; concerned != 0; concerned &= concerned - 1 {
			if p := policies[bits.TrailingZeros64(concerned)]; p == nil || p.layers&bit == 0 {
				e.g.misplaced(layer, p)
				return true
			} else if e.search(layer, p) {
				return true
			}
		}
		policies = policies[n:]
	}
	return false
}

// ask is union for one policy.
func (e *evaluation) ask(layer Layer, p *Policy) (denied bool) {
	if p == nil || p.layers>>(layer&7)&1 == 0 {
		e.g.misplaced(layer, p)
		return true
	}
	return p.concerns(&e.q) != 0 && e.search(layer, p)
}

// search is ask for a policy that concerns the request: it looks for the statement
// that allows whose principal element names the caller most closely, of those the
// first, and for the first that denies.
func (e *evaluation) search(layer Layer, p *Policy) (denied bool) {
	g := &e.g
	g.layer, g.sought, g.named, g.deny = layer, g.by[layer&7].policy == nil, namingLayers>>(layer&7)&1 != 0, -1
	if !g.sought && p.denied&e.q.Mask == 0 {
		return false
	}
	callers := ^uint64(0)
	if g.named {
		callers = e.callerMask()
	}
	if p.first > 0 {
		p.scan(e, 0, 0, 0, callers)
	}
	for m := p.steps & e.q.resource.Have; m != 0; m &= m - 1 {
		n := bits.TrailingZeros32(m) % (words.None + 1)
		hash := e.q.resource.Hash[n]
		if first, ok := p.bucket(hash); ok {
			p.scan(e, first, hash, 8*n, callers)
		}
	}
	if g.deny < 0 {
		return false
	}
	g.denied = Decision{Outcome: ExplicitDeny, Layer: layer, Statement: &p.refs[g.deny]}
	return true
}

// misplaced denies because of a policy that is missing, broken or of a kind that
// its layer does not take.
func (g *grants) misplaced(layer Layer, p *Policy) {
	g.denied = Decision{Outcome: ExplicitDeny, Layer: layer, Err: errNoPolicy}
	switch {
	case p == nil:
	case p.fault() != nil:
		g.denied.Err = p.fault()
	default:
		g.denied.Err = fmt.Errorf("policy: %s is of kind %v, which is no %v", p.name, p.kind, layer)
	}
}

// kindLayers lists the layers that take a kind of policy, as bits. The three kinds
// that are attached to callers have the same form and take each other's place.
var kindLayers = [...]uint8{
	Identity: 1<<IdentityLayer | 1<<BoundaryLayer | 1<<SessionLayer,
	Boundary: 1<<IdentityLayer | 1<<BoundaryLayer | 1<<SessionLayer,
	Session:  1<<IdentityLayer | 1<<BoundaryLayer | 1<<SessionLayer,
	SCP:      1 << SCPLayer,
	RCP:      1 << RCPLayer,
	Resource: 1 << ResourceLayer,
	Trust:    1 << ResourceLayer,
	Key:      1 << ResourceLayer,
	Endpoint: 1 << EndpointLayer,
}

// namingLayers are the layers whose statements name their callers, as bits.
const namingLayers = 1<<ResourceLayer | 1<<EndpointLayer | 1<<RCPLayer

// rootRepairs reports whether the resource policy's deny does not bind: an
// account's root may always repair the policy of its own bucket or queue (D-10).
//
// quirk Q012: the actions that count as repairs.
func (e *evaluation) rootRepairs(d Decision) bool {
	if e.r.Principal.Type != Root || e.r.Principal.Account != e.r.Account() || d.Err != nil {
		return false
	}
	switch lowerASCII(e.q.Text) {
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
	if p.Text != e.last.key {
		v := e.lookup(p.Text, 0)
		e.last.key, e.last.value, e.last.found = p.Text, v.One, v.Kind == given.One
	}
	if e.last.found {
		return e.last.value, true
	}
	return p.Fallback, p.HasFallback
}

// lookup returns what the request has under a context key. The hash is the key's, or 0.
func (e *evaluation) lookup(key string, hash uint32) given.Value {
	if e.keys != nil {
		if hash == 0 {
			hash = given.Hash(key)
		}
		return e.keys.Find(key, hash)
	}
	if len(e.r.Lists) > 0 {
		if list, ok := e.lists(key); ok {
			return given.Texts(list)
		}
	}
	one, ok := e.r.Context[key]
	if !ok {
		one, ok = given.Fold(e.r.Context, key)
		if e.passed += len(e.r.Context); e.passed > maxPassed {
			keys := given.NewTable(e.r.Context, e.r.Lists, nil)
			e.keys = &keys
		}
	}
	if ok {
		return given.Text(one)
	}
	return given.Value{}
}

func (e *evaluation) lists(key string) ([]string, bool) {
	if list, ok := e.r.Lists[key]; ok {
		return list, true
	}
	e.passed += len(e.r.Lists)
	return given.Fold(e.r.Lists, key)
}
