// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy/internal/textbook"
)

// Explain answers r under the policies of s as Decide does, and says why: it
// looks at every element of every statement. It is the slow, obvious evaluator:
// it walks the documents themselves and shares nothing with Decide but the
// parsers of literals, so that comparing the two is a test of both.
func Explain(r *Request, s *Set) (t *Trace) {
	t = &Trace{Principal: "anonymous", Action: r.Action, Resource: r.Resource, ResourceAccount: r.ResourceAccount}
	t.Principal = cmp.Or(r.Principal.ARN, t.Principal)
	x := &explainer{r: r, s: s, t: t, lists: slices.Sorted(maps.Keys(r.Lists)), singles: slices.Sorted(maps.Keys(r.Context)),
		has: [...]string{t.Principal, r.Action, r.Resource}, resourceOf: textbook.ReadResource(r.Resource)}
	defer func() {
		if v := recover(); v != nil {
			t.Decision = Decision{Outcome: ExplicitDeny, Err: fmt.Errorf("policy: evaluation failed: %v", v)}
			t.Summary = "Denied: " + t.Decision.Err.Error() + "."
		}
	}()
	if t.ResourceAccount == "" {
		t.ResourceAccount = r.Principal.Account
		if parts := strings.SplitN(r.Resource, ":", 6); len(parts) == 6 && parts[0] == "arn" && arn.IsAccountID(parts[4]) {
			t.ResourceAccount = parts[4]
		}
	}
	c := &r.Principal
	x.caller = textbook.Caller{Type: textbook.CallerType(c.Type), ARN: c.ARN, Account: c.Account, ID: c.ID, Role: c.Role, User: c.User, CanonicalID: c.CanonicalID}
	if x.own = x.caller.Own(); x.own {
		t.CrossAccount = r.Principal.Account == "" || r.Principal.Account != t.ResourceAccount
	}
	x.collect()
	x.combine()
	t.Summary = x.summary()
	return t
}

// Revise compiles d to take the place of p: as the same kind, its principals bound
// to the ids that p's are bound to (CompileBound).
func (p *Policy) Revise(d *Document) (*Policy, error) { return CompileBound(d, p.kind, p.ids()) }

// An explainer is one Explain at work.
type explainer struct {
	r      *Request
	s      *Set
	t      *Trace
	caller textbook.Caller
	own    bool // the caller belongs to an account and has policies of its own

	lists, singles []string  // keys of the request, sorted
	has            [3]string // the caller, the action and the resource
	resourceOf     textbook.Resource

	missing  []string      // keys without a value that the element at hand asked for
	blockers []*LayerTrace // layers that would have to allow and are silent, in the order of reporting
	exempt   string        // why the request needs no permission
}

// collect evaluates every layer in force, in the order of reporting.
func (x *explainer) collect() {
	x.t.Layers = make([]LayerTrace, 0, len(x.s.RCPs)+len(x.s.SCPs)+5)
	for i, level := range x.s.RCPs {
		x.layer(RCPLayer, i+1, level)
	}
	for i, level := range x.s.SCPs {
		x.layer(SCPLayer, i+1, level)
	}
	if x.s.Endpoint != nil {
		x.layer(EndpointLayer, 0, []*Policy{x.s.Endpoint})
	}
	if x.s.Resource != nil {
		x.layer(ResourceLayer, 0, []*Policy{x.s.Resource})
	}
	if x.own || len(x.s.Identity) > 0 {
		x.layer(IdentityLayer, 0, x.s.Identity)
	}
	if x.s.Boundary != nil {
		x.layer(BoundaryLayer, 0, []*Policy{x.s.Boundary})
	} else if x.s.HasBoundary {
		x.layer(BoundaryLayer, 0, nil).Note = "in force without a policy"
	}
	if len(x.s.Session) > 0 {
		x.layer(SessionLayer, 0, x.s.Session)
	} else if x.s.HasSession {
		x.layer(SessionLayer, 0, nil).Note = "in force without a policy"
	} else if x.caller.Type == textbook.FederatedUser {
		x.layer(SessionLayer, 0, nil).Note = "a federated user without a session policy has no permissions of its own"
	}
}

// layer evaluates the policies of a layer: explicit deny over allow over silence.
func (x *explainer) layer(layer Layer, level int, policies []*Policy) *LayerTrace {
	l := LayerTrace{Layer: layer, Level: level, Policies: make([]PolicyTrace, 0, len(policies))}
	for _, p := range policies {
		pt := PolicyTrace{}
		var d *Document
		if p != nil {
			d = p.Document()
			pt.Policy = d.Name
		}
		if err := x.unusable(layer, p, pt.Policy); err != nil {
			pt.Error = err.Error()
			if l.Verdict != ExplicitDeny {
				l.Verdict, l.err = ExplicitDeny, err
			}
			l.Policies = append(l.Policies, pt)
			continue
		}
		pt.Statements = make([]StatementTrace, len(d.Statements))
		for i := range d.Statements {
			pt.Statements[i] = x.statement(layer, p, d, &d.Statements[i])
			l.weigh(&pt.Statements[i])
		}
		l.Policies = append(l.Policies, pt)
	}
	if l.Verdict == Allowed && layer == ResourceLayer {
		l.Match = strengthNames[l.strength]
	}
	x.t.Layers = append(x.t.Layers, l)
	return &x.t.Layers[len(x.t.Layers)-1]
}

// weigh adds a statement's say to its layer's verdict.
func (l *LayerTrace) weigh(s *StatementTrace) {
	switch {
	case !s.Applies:
	case s.Effect == Deny:
		if l.Verdict != ExplicitDeny {
			l.Verdict, l.denied = ExplicitDeny, &s.StatementRef
		}
	case s.strength > l.strength:
		l.granted, l.strength = &s.StatementRef, s.strength
		if l.Verdict != ExplicitDeny {
			l.Verdict = Allowed
		}
	}
}

// layerKinds lists the kinds of policy that may speak for a layer.
var layerKinds = [...][]Kind{
	IdentityLayer: {Identity, Boundary, Session},
	BoundaryLayer: {Identity, Boundary, Session},
	SessionLayer:  {Identity, Boundary, Session},
	SCPLayer:      {SCP},
	RCPLayer:      {RCP},
	ResourceLayer: {Resource, Trust, Key},
	EndpointLayer: {Endpoint},
}

// unusable returns why a policy cannot speak for its layer.
func (x *explainer) unusable(layer Layer, p *Policy, name string) error {
	if p == nil {
		return errNoPolicy
	}
	if err := p.fault(); err != nil {
		return err
	}
	if !slices.Contains(layerKinds[layer], p.kind) {
		return fmt.Errorf("policy: %s is of kind %v, which is no %v", name, p.kind, layer)
	}
	return nil
}

// find returns the layers of one kind.
func (x *explainer) find(layer Layer) []*LayerTrace {
	var found []*LayerTrace
	for i := range x.t.Layers {
		if x.t.Layers[i].Layer == layer {
			found = append(found, &x.t.Layers[i])
		}
	}
	return found
}

// combine makes the decision from the layers' verdicts (section "The decision").
func (x *explainer) combine() {
	action := textbook.Lower(x.r.Action)
	if action == "sts:getcalleridentity" && x.own {
		x.exempt = "sts:GetCallerIdentity needs no permission and cannot be denied"
		x.t.Decision = Decision{Outcome: Allowed}
		return
	}
	root := x.caller.Type == textbook.Root
	for i := range x.t.Layers {
		l := &x.t.Layers[i]
		if l.Verdict != ExplicitDeny {
			continue
		}
		repairs := []string{"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy", "sqs:getqueueattributes", "sqs:setqueueattributes"}
		if l.Layer == ResourceLayer && root && !x.t.CrossAccount && l.err == nil && slices.Contains(repairs, action) {
			l.Note = "does not bind the account's root, which may always repair this policy"
			continue
		}
		x.t.Decision = Decision{Outcome: ExplicitDeny, Layer: l.Layer, Statement: l.denied, Err: l.err}
		return
	}
	if action == "sts:getsessiontoken" && (root || x.caller.Type == textbook.User) {
		x.exempt = "sts:GetSessionToken needs no permission"
		x.t.Decision = Decision{Outcome: Allowed}
		return
	}
	x.block(RCPLayer, SCPLayer, EndpointLayer)
	x.combineGrants(action)
}

// block notes the layers among these that are in force and do not allow.
func (x *explainer) block(layers ...Layer) {
	for _, layer := range layers {
		for _, l := range x.find(layer) {
			if l.Verdict != Allowed {
				x.blockers = append(x.blockers, l)
			}
		}
	}
}

// combineGrants weighs the resource policy's grant against the caller's own policies (D-5 to D-12).
func (x *explainer) combineGrants(action string) {
	resource := &LayerTrace{Layer: ResourceLayer}
	if found := x.find(ResourceLayer); len(found) > 0 {
		resource = found[0]
	}
	kind := Resource
	if x.s.Resource != nil {
		kind = x.s.Resource.kind
	}
	both := x.t.CrossAccount || kind == Trust && (action == "sts:tagsession" || action == "sts:setsourceidentity")
	strict := kind == Trust || kind == Key || strings.HasPrefix(action, "sts:assumerole")
	named := resource.strength == exactMatch || resource.strength == anyMatch
	source := resource.strength == sourceMatch

	refused := !x.own && !named || x.own && (both || strict) && resource.strength == noMatch
	if refused {
		x.blockers = append(x.blockers, resource)
	}
	if x.own && (both || !named && !refused) { // else a grant of the resource policy is, or would be, enough
		if x.caller.Type != textbook.Root && (both || !source) {
			x.block(IdentityLayer)
		}
		x.block(BoundaryLayer, SessionLayer)
	}
	d := &x.t.Decision
	switch {
	case len(x.blockers) > 0:
		*d = Decision{Layer: x.blockers[0].Layer}
	case !x.own || both || strict || named || source:
		*d = Decision{Outcome: Allowed, Layer: ResourceLayer, Statement: resource.granted}
	case x.caller.Type == textbook.Root:
		x.exempt = "an account's root user may do everything in its account"
		*d = Decision{Outcome: Allowed}
	default:
		*d = Decision{Outcome: Allowed, Layer: IdentityLayer, Statement: x.find(IdentityLayer)[0].granted}
	}
}
