// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A simulation is a request of the policy simulator, with every policy that it
// brings or names. The engine that decides it is the one that decides requests.
type simulation struct {
	actions   []string
	resources []string // at least one
	every     bool     // no resource was given, or only "*"

	gathered bool             // the policies of a principal are in the set
	place    *orgs.Membership // of the principal's account in its organization; nil if it is in none

	set     policy.Set
	sources map[policy.Layer][]source // what the policies of set are, in their order
	caller  policy.Principal
	owner   string // account that owns resources whose ARN has none; "" means the caller's
	context map[string]string
	lists   map[string][]string
}

// A source says where a policy of a simulation comes from, in the words of its
// results.
type source struct {
	id, kind string
	doc      *policy.Document
}

// The kinds of source.
const (
	sourceIdentity = "IAM Policy"
	sourceResource = "Resource Policy"
	sourceBoundary = "Permissions Boundary Policy"
)

// A simulated is what both operations of the simulator have in common.
type simulated struct {
	policies, boundaries []string
	actions, resources   []string
	resourcePolicy       *string
	owner, caller        *string
	entries              []ContextEntry
	maxItems             *int32
	marker               *string
}

func (s *iam) simulateCustomPolicy(c *api.Call, in *SimulateCustomPolicyInput) (*SimulateCustomPolicyOutput, error) {
	p, err := simulate(c, new(simulation), &simulated{
		policies: in.PolicyInputList, boundaries: in.PermissionsBoundaryPolicyInputList,
		actions: in.ActionNames, resources: in.ResourceArns, resourcePolicy: in.ResourcePolicy,
		owner: in.ResourceOwner, caller: in.CallerArn, entries: in.ContextEntries, maxItems: in.MaxItems, marker: in.Marker,
	})
	if err != nil {
		return nil, err
	}
	return &SimulateCustomPolicyOutput{EvaluationResults: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func simulatePrincipalPolicyTarget(c *api.Call, in *SimulatePrincipalPolicyInput) ([]authz.Check, error) {
	return sourceTarget(c, in.PolicySourceArn)
}

// sourceTarget is the target of an operation on the policies of a user, group or
// role.
func sourceTarget(c *api.Call, sourceARN string) ([]authz.Check, error) {
	e, ok := arn.SplitEntity(sourceARN)
	if ok {
		switch e.Kind {
		case arn.KindUser:
			return iamop.UserTarget(c, e.Name)
		case arn.KindGroup:
			return groupTarget(c, e.Name)
		case arn.KindRole:
			return roleTarget(c, e.Name)
		}
	}
	return nil, awserr.InvalidInput.Msg("Invalid Entity Arn: %s does not clearly define entity type and name.", sourceARN)
}

func (s *iam) simulatePrincipalPolicy(c *api.Call, in *SimulatePrincipalPolicyInput) (*SimulatePrincipalPolicyOutput, error) {
	sim := new(simulation)
	if err := sim.gather(c, in.PolicySourceArn); err != nil {
		return nil, err
	}
	place, err := orgs.Find(c.Context(), s.store, c.View)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	sim.organize(place)
	p, err := simulate(c, sim, &simulated{
		policies: in.PolicyInputList, boundaries: in.PermissionsBoundaryPolicyInputList,
		actions: in.ActionNames, resources: in.ResourceArns, resourcePolicy: in.ResourcePolicy,
		owner: in.ResourceOwner, caller: in.CallerArn, entries: in.ContextEntries, maxItems: in.MaxItems, marker: in.Marker,
	})
	if err != nil {
		return nil, err
	}
	return &SimulatePrincipalPolicyOutput{EvaluationResults: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// gather adds the policies in force for a user with its groups, a group or a
// role, and makes it the caller.
func (m *simulation) gather(c *api.Call, sourceARN string) error {
	m.gathered = true
	e, _ := arn.SplitEntity(sourceARN)
	switch e.Kind {
	case arn.KindUser:
		u, err := c.View.User(e.Name)
		if err != nil || c.View.UserARN(u) != sourceARN {
			return noEntity(store.KindUser, e.Name)
		}
		m.grants(c, "user", u.Name, &u.Grants, u.Boundary)
		for _, g := range c.View.GroupsOf(u) {
			m.grants(c, "group", g.Name, &g.Grants, "")
		}
		m.asUser(c, u)
	case arn.KindGroup:
		g, err := c.View.Group(e.Name)
		if err != nil || c.View.GroupARN(g) != sourceARN {
			return noEntity(store.KindGroup, e.Name)
		}
		m.grants(c, "group", g.Name, &g.Grants, "")
	case arn.KindRole:
		r, err := c.View.Role(e.Name)
		if err != nil || c.View.RoleARN(r) != sourceARN {
			return noEntity(store.KindRole, e.Name)
		}
		m.grants(c, "role", r.Name, &r.Grants, r.Boundary)
		m.asRole(c, r)
	}
	return nil
}

// organize adds what the organization of the principal's account has to say. Not
// in force are policies over service-linked roles (D-4).
func (m *simulation) organize(place *orgs.Membership) {
	if m.place = place; place != nil && !strings.Contains(m.caller.Role, ":role/aws-service-role/") {
		m.set.SCPs = place.SCPs
	}
}

func noEntity(kind store.Kind, name string) error {
	return iamop.Fail(&store.NotFoundError{Kind: kind, Name: name})
}

// grants adds the policies of one principal, as package authz gathers them for
// its requests.
func (m *simulation) grants(c *api.Call, kind, name string, g *store.Grants, boundary string) {
	for _, in := range g.Inline {
		m.add(policy.IdentityLayer, source{id: kind + "_" + name + "_" + in.Name, kind: sourceIdentity}, in.Document.Compiled(policy.Identity))
	}
	for _, a := range g.Attached {
		if p := authz.Managed(c.View, a, policy.Identity); p != nil {
			m.add(policy.IdentityLayer, source{id: policyName(a), kind: sourceIdentity}, p)
		}
	}
	if boundary == "" {
		return
	}
	m.set.HasBoundary = true
	if p := authz.Managed(c.View, boundary, policy.Boundary); p != nil {
		m.add(policy.BoundaryLayer, source{id: policyName(boundary), kind: sourceBoundary}, p)
	}
}

// policyName returns the name in a policy's ARN.
func policyName(policyARN string) string { return policyARN[strings.LastIndexByte(policyARN, '/')+1:] }

// add puts a policy into a layer of the set.
func (m *simulation) add(layer policy.Layer, from source, p *policy.Policy) {
	if m.sources == nil {
		m.sources = make(map[policy.Layer][]source)
	}
	from.doc = p.Document()
	m.sources[layer] = append(m.sources[layer], from)
	switch layer {
	case policy.IdentityLayer:
		m.set.Identity = append(m.set.Identity, p)
	case policy.BoundaryLayer:
		m.set.Boundary, m.set.HasBoundary = p, true
	case policy.ResourceLayer:
		m.set.Resource = p
	}
}

// asUser makes a user the caller.
//
// quirk Q027: what is known of the caller need not be given.
func (m *simulation) asUser(c *api.Call, u *store.User) {
	userARN := c.View.UserARN(u)
	m.caller = policy.Principal{Type: policy.User, ARN: userARN, Account: string(c.Account), ID: u.ID}
	m.context = map[string]string{
		"aws:PrincipalArn": userARN, "aws:PrincipalAccount": string(c.Account), "aws:PrincipalType": "User",
		"aws:username": u.Name, "aws:userid": u.ID,
	}
	authz.Tags(m.context, "aws:PrincipalTag/", u.Tags)
}

// asRole makes a session of a role the caller. What a session adds, such as its
// name, is not known.
func (m *simulation) asRole(c *api.Call, r *store.Role) {
	roleARN := c.View.RoleARN(r)
	m.caller = policy.Principal{
		Type: policy.RoleSession, ARN: arn.AssumedRole(c.Account, r.Name, "simulation").String(),
		Account: string(c.Account), ID: r.ID, Role: roleARN,
	}
	m.context = map[string]string{
		"aws:PrincipalArn": roleARN, "aws:PrincipalAccount": string(c.Account), "aws:PrincipalType": "AssumedRole",
	}
	authz.Tags(m.context, "aws:PrincipalTag/", r.Tags)
}

// maxWork bounds one answer of the simulator, in statements looked at.
const maxWork = 200_000

// simulate completes a simulation with what the request says and returns one
// page of its results, one for each action. The marker is the number of the
// action with which the next page begins: the request repeats all of them.
func simulate(c *api.Call, m *simulation, in *simulated) (iamop.Page[EvaluationResult], error) {
	p := iamop.Page[EvaluationResult]{Items: []EvaluationResult{}}
	if err := m.complete(c, in); err != nil {
		return p, err
	}
	first, err := openNumber(in.marker, len(m.actions))
	if err != nil {
		return p, err
	}
	cost := m.statements() * len(m.resources)
	if cost > maxWork {
		return p, awserr.InvalidInput.Msg("The simulation is too large: %d statements for each of %d resources.", m.statements(), len(m.resources))
	}
	size := min(int(wire.Value(in.maxItems, iamop.PageSize)), max(1, maxWork/max(1, cost)))
	for i, action := range m.actions[first:] {
		if i == size {
			p.Truncated, p.Marker = true, numberMarker(first+i)
			break
		}
		p.Items = append(p.Items, m.action(action))
	}
	return p, nil
}

// statements returns how many statements the policies have, and at least one.
func (m *simulation) statements() int {
	n := 1
	for _, level := range m.set.SCPs {
		for _, p := range level {
			n += len(p.Document().Statements)
		}
	}
	for _, list := range m.sources {
		for _, s := range list {
			if s.doc != nil {
				n += len(s.doc.Statements)
			}
		}
	}
	return n
}
