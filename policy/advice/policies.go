// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/internal/prose"
)

// policies returns the changes of policies that take away what decided.
func (st state) policies() []move {
	d := &st.t.Decision
	if d.Outcome == policy.ImplicitDeny {
		return st.grants(d.Layer, st.level())
	}
	for i := range st.t.Layers {
		l := &st.t.Layers[i]
		if l.Layer != d.Layer || l.Verdict != policy.ExplicitDeny {
			continue
		}
		for j := range l.Policies {
			switch p := &l.Policies[j]; {
			case p.Error != "":
				return st.repairs(l, j)
			case slices.ContainsFunc(p.Statements, denies):
				return st.lifts(l, j)
			}
		}
	}
	return nil
}

func denies(s policy.StatementTrace) bool { return s.Applies && s.Effect == policy.Deny }

// A place is where a policy of a Set stands.
type place struct {
	layer policy.Layer
	level int // of SCPs and RCPs, from 1
	index int // in its list; the end of it is the place of a new policy
}

// list returns the policies of a layer, or of a level of it.
func list(s *policy.Set, layer policy.Layer, level int) []*policy.Policy {
	one := func(p *policy.Policy) []*policy.Policy {
		if p == nil {
			return nil
		}
		return []*policy.Policy{p}
	}
	switch layer {
	case policy.IdentityLayer:
		return s.Identity
	case policy.SessionLayer:
		return s.Session
	case policy.SCPLayer:
		return s.SCPs[level-1]
	case policy.RCPLayer:
		return s.RCPs[level-1]
	case policy.BoundaryLayer:
		return one(s.Boundary)
	case policy.EndpointLayer:
		return one(s.Endpoint)
	}
	return one(s.Resource)
}

// with returns the set with a policy put in a place.
func with(s *policy.Set, at place, p *policy.Policy) *policy.Set {
	changed := *s
	policies := append(slices.Clone(list(s, at.layer, at.level)), nil)
	policies[at.index] = p
	if policies[len(policies)-1] == nil && at.index < len(policies)-1 {
		policies = policies[:len(policies)-1]
	}
	switch at.layer {
	case policy.IdentityLayer:
		changed.Identity = policies
	case policy.SessionLayer:
		changed.Session = policies
	case policy.SCPLayer:
		changed.SCPs = slices.Clone(s.SCPs)
		changed.SCPs[at.level-1] = policies
	case policy.RCPLayer:
		changed.RCPs = slices.Clone(s.RCPs)
		changed.RCPs[at.level-1] = policies
	case policy.BoundaryLayer:
		changed.Boundary = p
	case policy.EndpointLayer:
		changed.Endpoint = p
	default:
		changed.Resource = p
	}
	return &changed
}

// revise returns the move to the document that edit makes of a policy's, or of a
// new one of a kind; false if it does not compile.
func (st state) revise(at place, fresh policy.Kind, c Change, edit func(*policy.Document)) (move, bool) {
	d := &policy.Document{Version: "2012-10-17"}
	compile := func(d *policy.Document) (*policy.Policy, error) { return policy.Compile(d, fresh) }
	if policies := list(st.s, at.layer, at.level); at.index < len(policies) && fresh == 0 {
		have := policies[at.index]
		copied := *have.Document()
		copied.Statements = slices.Clone(copied.Statements)
		d, compile = &copied, have.Revise
		c.Policy = d.Name
	}
	d.Name = cmp.Or(c.Policy, d.Name)
	edit(d)
	for i := range d.Statements {
		d.Statements[i].Index = i
	}
	p, err := compile(reread(d))
	if err != nil {
		return move{}, false
	}
	c.Layer, c.Level, c.By, c.Document = at.layer, at.level, st.side(at.layer), p.Document()
	return move{[]Change{c}, newState(st.r, with(st.s, at, p))}, true
}

// reread returns the document as its own text gives it, so that its positions are
// those of the text.
func reread(d *policy.Document) *policy.Document {
	text, err := d.MarshalJSON()
	if err != nil {
		return d
	}
	again, err := policy.Parse(d.Name, text)
	if err != nil {
		return d
	}
	return again
}

// side returns who can change the policies of a layer.
func (st state) side(layer policy.Layer) Side {
	switch layer {
	case policy.SCPLayer, policy.RCPLayer:
		return Organization
	case policy.EndpointLayer:
		return Network
	case policy.SessionLayer:
		return Caller
	case policy.ResourceLayer:
		if st.t.CrossAccount || !st.own() {
			return Owner
		}
	}
	return Account
}

// own reports whether the caller belongs to an account.
func (st state) own() bool {
	switch st.r.Principal.Type {
	case policy.User, policy.RoleSession, policy.FederatedUser, policy.Root:
		return true
	}
	return false
}

// lifts takes the denies out of a policy, and if it can be done excepts the caller instead.
func (st state) lifts(l *policy.LayerTrace, index int) []move {
	p := &l.Policies[index]
	c := Change{Kind: Lift}
	var names []string
	hit := make(map[int]bool)
	for i := range p.Statements {
		if s := &p.Statements[i]; denies(*s) {
			c.Statements = append(c.Statements, s.StatementRef)
			names = append(names, strings.TrimPrefix(prose.Statement("", s.Sid, s.Index, 0, 0), "statement "))
			hit[s.Index] = true
		}
	}
	what := "statement " + names[0]
	if len(names) > 1 {
		what = "statements " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
	what += " of " + st.called(p.Policy, l.Layer)
	at := place{l.Layer, l.Level, index}
	c.Text = "remove the Deny in " + what
	removed, ok := st.revise(at, 0, c, func(d *policy.Document) {
		d.Statements = slices.DeleteFunc(d.Statements, func(s policy.Statement) bool { return hit[s.Index] })
	})
	if !ok {
		return nil
	}
	who := lookup(st.r, "aws:PrincipalArn")
	if len(who) != 1 || managed(p.Policy) {
		if managed(p.Policy) {
			removed.changes[0].Text = "replace " + prose.Policy(p.Policy) + ", which denies it in " + what + " and is managed by AWS"
		}
		return []move{removed}
	}
	c.Text += ", or except " + prose.Principal(who[0]) + " from it"
	excepted, ok := st.revise(at, 0, c, func(d *policy.Document) {
		for i := range d.Statements {
			if s := &d.Statements[i]; hit[s.Index] {
				s.Condition = append(slices.Clone(s.Condition), policy.Condition{
					Operator: "ArnNotEquals", Key: "aws:PrincipalArn", Values: []policy.Value{{Text: who[0]}}})
			}
		}
	})
	if !ok || excepted.state.denies() != removed.state.denies() {
		return []move{removed}
	}
	return []move{excepted}
}

// repairs puts a policy that works in the place of one that does not: one that
// allows nothing, else one that allows the request.
func (st state) repairs(l *policy.LayerTrace, index int) []move {
	p := &l.Policies[index]
	at := place{l.Layer, l.Level, index}
	c := Change{Kind: Repair, Policy: p.Policy, Text: "repair " + st.called(p.Policy, l.Layer) + ", which cannot be evaluated: " + p.Error}
	kind := st.kind(l.Layer)
	var moves []move
	if m, ok := st.revise(at, kind, c, func(*policy.Document) {}); ok {
		moves = append(moves, m)
	}
	for _, s := range st.statements(kind, "2012-10-17") {
		c.Text = "repair " + st.called(p.Policy, l.Layer) + ", which cannot be evaluated (" + p.Error + "), so that it allows " + st.asked(kind)
		if m, ok := st.revise(at, kind, c, func(d *policy.Document) { d.Statements = []policy.Statement{s} }); ok && m.state.allowed() {
			moves = append(moves, m)
		}
	}
	return moves
}

// kind returns the kind of a new policy of a layer.
func (st state) kind(layer policy.Layer) policy.Kind {
	switch layer {
	case policy.ResourceLayer:
		if strings.HasPrefix(strings.ToLower(st.r.Action), "sts:") {
			return policy.Trust
		}
		return policy.Resource
	}
	return [...]policy.Kind{policy.IdentityLayer: policy.Identity, policy.BoundaryLayer: policy.Boundary, policy.SessionLayer: policy.Session,
		policy.SCPLayer: policy.SCP, policy.RCPLayer: policy.RCP, policy.EndpointLayer: policy.Endpoint}[layer]
}

// grants adds a statement that allows the request, and no more, to a policy of a
// layer, or makes a policy of it where there is none.
func (st state) grants(layer policy.Layer, level int) []move {
	if layer == policy.NoLayer {
		return nil
	}
	var moves []move
	policies := list(st.s, layer, level)
	for _, i := range st.nearest(layer, level, len(policies)) {
		at := place{layer, level, i}
		if i == len(policies) {
			moves = append(moves, st.fresh(at)...)
			continue
		}
		p := policies[i]
		for _, s := range st.statements(p.Kind(), p.Document().Version) {
			c := Change{Kind: Grant, Text: "add " + st.granting(&s, p.Kind()) + " to " + st.called(p.Document().Name, layer)}
			if m, ok := st.revise(at, 0, c, func(d *policy.Document) { d.Statements = append(d.Statements, s) }); ok {
				moves = append(moves, m)
			}
		}
	}
	return moves
}

// fresh makes a new policy.
func (st state) fresh(at place) []move {
	kind := st.kind(at.layer)
	if kind == policy.RCP {
		// AWS keeps this policy on every level; no other may allow (Organizations User Guide, "RCP syntax").
		all := policy.Statement{Effect: policy.Allow, HasResource: true, Principal: &policy.PrincipalBlock{Everyone: true},
			Action: []policy.Value{{Text: "*"}}, Resource: []policy.Value{{Text: "*"}}}
		c := Change{Kind: Grant, Policy: "RCPFullAWSAccess", Text: fmt.Sprintf("attach RCPFullAWSAccess, which every level must have, to level %d", at.level)}
		m, ok := st.revise(at, kind, c, func(d *policy.Document) { d.Statements = []policy.Statement{all} })
		return slices.DeleteFunc([]move{m}, func(move) bool { return !ok })
	}
	var moves []move
	for _, s := range st.statements(kind, "2012-10-17") {
		c := Change{Kind: Grant, Text: fmt.Sprintf("give %s that allows %s", st.target(at, kind), st.granting(&s, kind))}
		if m, ok := st.revise(at, kind, c, func(d *policy.Document) { d.Statements = []policy.Statement{s} }); ok {
			moves = append(moves, m)
		}
	}
	return moves
}

// target says what gets a new policy.
func (st state) target(at place, kind policy.Kind) string {
	switch {
	case at.layer == policy.IdentityLayer:
		return st.caller() + " a policy"
	case at.layer == policy.BoundaryLayer:
		return st.caller() + " a permissions boundary"
	case at.layer == policy.SessionLayer:
		return "the session a policy"
	case at.layer == policy.SCPLayer:
		return fmt.Sprintf("level %d a service control policy", at.level)
	case kind == policy.Trust:
		return prose.Principal(st.r.Resource) + " a trust policy"
	case at.layer == policy.EndpointLayer:
		return "the VPC endpoint a policy"
	}
	return prose.Resource(st.r.Resource) + " a resource policy"
}

// nearest returns the places in a layer where a statement may be added, the best
// first: the policy that names the action, one that names its service, any other
// that is not AWS's; a new one last, where there may be several, and first where
// there is none. No statement can be added to a resource control policy.
func (st state) nearest(layer policy.Layer, level, n int) []int {
	single := layer == policy.BoundaryLayer || layer == policy.ResourceLayer || layer == policy.EndpointLayer
	type scored struct{ index, score int }
	var found []scored
	for i := range st.t.Layers {
		l := &st.t.Layers[i]
		if l.Layer != layer || l.Level != level || layer == policy.RCPLayer {
			continue
		}
		for j := range l.Policies {
			p := &l.Policies[j]
			if p.Error == "" && !managed(p.Policy) {
				found = append(found, scored{j, st.score(p)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return b.score - a.score })
	var places []int
	for _, f := range found {
		places = append(places, f.index)
	}
	if !single || n == 0 {
		places = append(places, n)
	}
	return places
}

// score says how near a policy is to allowing the request.
func (st state) score(p *policy.PolicyTrace) int {
	best := 0
	service, _, _ := strings.Cut(st.r.Action, ":")
	for i := range p.Statements {
		for _, e := range p.Statements[i].Elements {
			switch {
			case e.Element != "Action" || p.Statements[i].Effect != policy.Allow:
			case e.Matched:
				best = max(best, 2)
			case slices.ContainsFunc(e.Wants, func(v policy.Value) bool {
				of, _, _ := strings.Cut(v.Text, ":")
				return strings.EqualFold(of, service)
			}):
				best = max(best, 1)
			}
		}
	}
	return best
}

// managed reports whether AWS owns a policy, so that nobody can change it.
func managed(name string) bool { return strings.Contains(name, ":iam::aws:policy/") }

// called is what people call a policy of a layer.
func (st state) called(name string, layer policy.Layer) string {
	noun := [...]string{policy.BoundaryLayer: "boundary", policy.SessionLayer: "session policy", policy.SCPLayer: "service control policy",
		policy.RCPLayer: "resource control policy", policy.ResourceLayer: "resource policy", policy.EndpointLayer: "VPC endpoint policy"}[max(layer, policy.BoundaryLayer)]
	switch {
	case layer == policy.ResourceLayer && st.s.Resource.Kind() == policy.Trust:
		return "the trust policy of " + prose.Principal(st.r.Resource)
	case layer == policy.ResourceLayer && st.s.Resource.Kind() == policy.Key:
		noun = "key policy"
	}
	switch {
	case layer == policy.IdentityLayer && name != "":
		return prose.Policy(name)
	case layer == policy.IdentityLayer:
		return "the identity-based policy"
	case name == "" || name == noun:
		return "the " + noun
	}
	return "the " + noun + " " + prose.Policy(name)
}

func (st state) caller() string {
	switch {
	case st.r.Principal.ARN == "":
		return "the caller"
	case st.r.Principal.Type == policy.Root:
		return "the root user"
	}
	return prose.Principal(st.r.Principal.ARN)
}

// statements returns the statements that allow the request and nothing else in a
// policy of a kind, the best first: they differ in how they name the caller.
func (st state) statements(kind policy.Kind, version string) []policy.Statement {
	service, name, ok := strings.Cut(st.r.Action, ":")
	if !ok || service == "" || name == "" || strings.ContainsAny(st.r.Action, "*?, \t\r\n") {
		return nil // no policy can name it
	}
	s := policy.Statement{Effect: policy.Allow, Action: []policy.Value{{Text: st.r.Action}}}
	if kind != policy.Trust {
		resource, ok := escape(st.r.Resource, version)
		if !ok {
			return nil
		}
		s.HasResource, s.Resource = true, []policy.Value{{Text: resource}}
	}
	if kind == policy.Trust && st.r.Principal.Type == policy.WebIdentity {
		s.Condition = st.identified(version) // a provider vouches for many
	}
	switch kind {
	case policy.Resource, policy.Trust, policy.Key, policy.Endpoint:
		var all []policy.Statement
		for _, b := range st.principals() {
			named := s
			named.Principal = &b
			all = append(all, named)
		}
		return all
	}
	return []policy.Statement{s}
}

// identified returns conditions on the keys by which a provider tells its callers
// apart, as far as the request has them.
func (st state) identified(version string) (list []policy.Condition) {
	for _, key := range slices.Sorted(maps.Keys(st.r.Context)) {
		if !strings.HasSuffix(key, ":sub") && !strings.HasSuffix(key, ":aud") {
			continue
		}
		text := st.r.Context[key]
		if version == "2012-10-17" {
			text = strings.ReplaceAll(text, "${", "${$}{")
		}
		list = append(list, policy.Condition{Operator: "StringEquals", Key: key, Values: []policy.Value{{Text: text}}})
	}
	return list
}

// escape returns text as a policy value that matches it alone; false if a policy
// of that version has none. An action without resources has the resource "*".
func escape(text, version string) (string, bool) {
	if text == "*" {
		return text, true
	}
	if version != "2012-10-17" {
		return text, !strings.ContainsAny(text, "*?")
	}
	return strings.NewReplacer("${", "${$}{", "*", "${*}", "?", "${?}").Replace(text), true
}

// principals returns the ways to name the caller, and no one else, in a policy.
func (st state) principals() []policy.PrincipalBlock {
	p := &st.r.Principal
	aws := func(texts ...string) (blocks []policy.PrincipalBlock) {
		for _, t := range texts {
			if t != "" && t != "*" {
				blocks = append(blocks, policy.PrincipalBlock{AWS: []policy.Value{{Text: t}}})
			}
		}
		return blocks
	}
	switch p.Type {
	case policy.RoleSession:
		role := p.Role
		if e, ok := arn.SplitEntity(p.ARN); ok && role == "" {
			role = string(arn.Make(e.Partition, "iam", "", e.Account, "role/"+e.Name))
		}
		return aws(role, p.ARN, p.ID)
	case policy.User:
		return aws(p.ARN, p.ID)
	case policy.FederatedUser, policy.Root:
		return aws(p.ARN)
	case policy.Service:
		return []policy.PrincipalBlock{{Service: []policy.Value{{Text: p.ARN}}}}
	case policy.WebIdentity:
		return []policy.PrincipalBlock{{Federated: []policy.Value{{Text: p.ARN}}}}
	}
	return nil
}

// asked is the request's action and resource, as a policy of a kind names them.
func (st state) asked(kind policy.Kind) string {
	if kind == policy.Trust || st.r.Resource == "*" {
		return st.r.Action
	}
	return st.r.Action + " on " + st.r.Resource
}

// granting is what a new statement grants, and to whom.
func (st state) granting(s *policy.Statement, kind policy.Kind) string {
	if s.Principal == nil {
		return st.asked(kind)
	}
	for _, values := range [][]policy.Value{s.Principal.AWS, s.Principal.Service, s.Principal.Federated} {
		if len(values) > 0 {
			return st.asked(kind) + " for " + prose.Principal(values[0].Text)
		}
	}
	return st.asked(kind)
}
