// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// Explain answers r under the policies of s as Decide does, and says why. It is
// the slow, obvious evaluator: it walks the documents themselves and shares
// nothing with Decide but the parsers of literals, so that comparing the two is
// a test of both.
func Explain(r *Request, s *Set) (t *Trace) {
	t = &Trace{Principal: "anonymous", Action: r.Action, Resource: r.Resource, ResourceAccount: r.ResourceAccount}
	t.Principal = cmp.Or(r.Principal.ARN, t.Principal)
	defer func() {
		if v := recover(); v != nil {
			t.Decision = Decision{Outcome: ExplicitDeny, Err: fmt.Errorf("policy: evaluation failed: %v", v)}
			t.Summary = t.summarize("")
		}
	}()
	if t.ResourceAccount == "" {
		t.ResourceAccount = r.Principal.Account
		if parts := strings.SplitN(r.Resource, ":", 6); len(parts) == 6 && parts[0] == "arn" && arn.IsAccountID(parts[4]) {
			t.ResourceAccount = parts[4]
		}
	}
	x := &explainer{r: r, s: s, t: t, caller: &r.Principal}
	switch r.Principal.Type {
	case User, RoleSession, FederatedUser, Root:
		x.own = true
		t.CrossAccount = r.Principal.Account == "" || r.Principal.Account != t.ResourceAccount
	}
	x.collect()
	what := x.combine()
	t.Summary = t.summarize(what)
	return t
}

// An explainer is one Explain at work.
type explainer struct {
	r      *Request
	s      *Set
	t      *Trace
	caller *Principal
	own    bool // the caller belongs to an account and has policies of its own
}

// collect evaluates every layer in force, in the order of reporting.
func (x *explainer) collect() {
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
	} else if x.caller.Type == FederatedUser {
		x.layer(SessionLayer, 0, nil).Note = "a federated user without a session policy has no permissions of its own"
	}
}

// layer evaluates the policies of a layer: explicit deny over allow over silence.
func (x *explainer) layer(layer Layer, level int, policies []*Policy) *LayerTrace {
	l := LayerTrace{Layer: layer, Level: level}
	for _, p := range policies {
		pt := PolicyTrace{}
		if err := x.unusable(layer, p); err != nil {
			if p != nil {
				pt.Policy = p.Document().Name
			}
			pt.Error = err.Error()
			if l.Verdict != ExplicitDeny {
				l.Verdict, l.err = ExplicitDeny, err
			}
			l.Policies = append(l.Policies, pt)
			continue
		}
		pt.Policy = p.Document().Name
		for i := range p.Document().Statements {
			pt.Statements = append(pt.Statements, x.statement(layer, p, &p.Document().Statements[i]))
		}
		for i := range pt.Statements {
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

// unusable returns why a policy cannot speak for its layer.
func (x *explainer) unusable(layer Layer, p *Policy) error {
	if p == nil {
		return errNoPolicy
	}
	if err := p.fault(); err != nil {
		return err
	}
	kinds := map[Layer][]Kind{
		IdentityLayer: {Identity, Boundary, Session},
		BoundaryLayer: {Identity, Boundary, Session},
		SessionLayer:  {Identity, Boundary, Session},
		SCPLayer:      {SCP},
		RCPLayer:      {RCP},
		ResourceLayer: {Resource, Trust, Key},
		EndpointLayer: {Endpoint},
	}
	if !slices.Contains(kinds[layer], p.kind) {
		return fmt.Errorf("policy: %s is of kind %v, which is no %v", p.Document().Name, p.kind, layer)
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

// allows reports whether every part of a layer that is in force allows.
func (x *explainer) allows(layer Layer) bool {
	for _, l := range x.find(layer) {
		if l.Verdict != Allowed {
			return false
		}
	}
	return true
}

// combine makes the decision from the layers' verdicts (section "The decision")
// and returns what the summary calls the layer or the reason.
func (x *explainer) combine() string {
	action := lowerASCII(x.r.Action)
	if action == "sts:getcalleridentity" && x.own {
		return x.allow(NoLayer, nil, "sts:GetCallerIdentity needs no permission and cannot be denied")
	}
	root := x.caller.Type == Root
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
		return x.name(l)
	}
	if action == "sts:getsessiontoken" && (root || x.caller.Type == User) {
		return x.allow(NoLayer, nil, "sts:GetSessionToken needs no permission")
	}
	for _, gate := range []Layer{RCPLayer, SCPLayer, EndpointLayer} {
		for _, l := range x.find(gate) {
			if l.Verdict != Allowed {
				return x.refuse(gate, x.name(l))
			}
		}
	}
	return x.combineGrants(action)
}

// combineGrants weighs the resource policy's grant against the caller's own policies (D-5 to D-12).
func (x *explainer) combineGrants(action string) string {
	resource := &LayerTrace{Layer: ResourceLayer}
	kind := Resource
	if found := x.find(ResourceLayer); len(found) > 0 && found[0].strength != noMatch {
		resource = found[0]
	}
	if x.s.Resource != nil {
		kind = x.s.Resource.kind
	}
	named := resource.strength == exactMatch || resource.strength == anyMatch
	limitsOK := x.allows(BoundaryLayer) && x.allows(SessionLayer)
	identityOK := x.caller.Type == Root || x.allows(IdentityLayer)
	both := kind == Trust && (action == "sts:tagsession" || action == "sts:setsourceidentity")
	strict := kind == Trust || kind == Key || strings.HasPrefix(action, "sts:assumerole")

	switch {
	case !x.own:
		if named {
			return x.allow(ResourceLayer, resource.granted, x.name(resource))
		}
		return x.refuse(ResourceLayer, x.name(resource))
	case x.t.CrossAccount || both:
		if resource.strength == noMatch {
			return x.refuse(ResourceLayer, x.name(resource))
		}
		if identityOK && limitsOK {
			return x.allow(ResourceLayer, resource.granted, x.name(resource))
		}
		return x.refuseCaller(identityOK)
	case named:
		return x.allow(ResourceLayer, resource.granted, x.name(resource))
	case resource.strength == sourceMatch:
		if limitsOK {
			return x.allow(ResourceLayer, resource.granted, x.name(resource))
		}
		return x.refuseCaller(true)
	case strict && resource.strength == noMatch:
		return x.refuse(ResourceLayer, x.name(resource))
	case !identityOK || !limitsOK:
		return x.refuseCaller(identityOK)
	case strict:
		return x.allow(ResourceLayer, resource.granted, x.name(resource))
	case x.caller.Type == Root:
		return x.allow(NoLayer, nil, "an account's root user may do everything in its account")
	}
	identity := x.find(IdentityLayer)[0]
	return x.allow(IdentityLayer, identity.granted, x.name(identity))
}

func (x *explainer) allow(layer Layer, ref *StatementRef, what string) string {
	x.t.Decision = Decision{Outcome: Allowed, Layer: layer, Statement: ref}
	return what
}

func (x *explainer) refuse(layer Layer, what string) string {
	x.t.Decision = Decision{Layer: layer}
	return what
}

// refuseCaller refuses because of the first of the caller's own layers that does
// not allow.
func (x *explainer) refuseCaller(identityOK bool) string {
	layers := []Layer{IdentityLayer, BoundaryLayer, SessionLayer}
	if identityOK {
		layers = layers[1:]
	}
	for _, layer := range layers {
		for _, l := range x.find(layer) {
			if l.Verdict != Allowed {
				return x.refuse(layer, x.name(l))
			}
		}
	}
	panic(errors.New("nothing refuses"))
}

// name returns what the summary calls a layer.
func (x *explainer) name(l *LayerTrace) string {
	switch {
	case l.Layer == ResourceLayer && (x.s.Resource != nil && x.s.Resource.kind == Trust ||
		x.s.Resource == nil && strings.HasPrefix(lowerASCII(x.r.Action), "sts:assumerole")):
		return "role trust policy"
	case l.Level > 0:
		return fmt.Sprintf("%v at level %d", l.Layer, l.Level)
	}
	return l.Layer.String()
}
