// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A level says which accounts may call an operation at all (API reference of
// Organizations, first lines of each operation; User Guide, "Delegated
// administrator for AWS Organizations").
type level int

const (
	anyone  level = iota // every account
	member               // every account of the organization
	reader               // the management account, delegated administrators, whom the resource policy lets
	manager              // the management account, and whom the resource policy lets
	only                 // the management account
)

// place finds the caller's place in its organization, which the rest of the
// request goes by.
func (s *org) place(c *api.Call) (*orgs.Membership, error) {
	m, err := orgs.Find(c.Context(), s.store, c.View)
	c.Membership = m
	return m, err
}

// checks returns what an operation has to be allowed: what of returns for an
// organization, or on everything for an account that is in none. A caller whom
// nothing but the organization's resource policy entitles needs that to allow
// it, beside its own policies.
func (s *org) checks(c *api.Call, l level, of func(*orgs.Org) []authz.Check) ([]authz.Check, error) {
	m, err := s.place(c)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return []authz.Check{{Resource: "*"}}, nil
	}
	list := of(m.Org)
	if rp := m.Org.Record().Policy; rp != nil && s.needsPolicy(c, l) {
		for i := range list {
			list[i].Account, list[i].Policy = m.Org.Management(), rp.Compiled(policy.Resource)
		}
	}
	return list, nil
}

// needsPolicy reports whether nothing but a resource policy could let the caller,
// which is in an organization, call an operation of this level.
func (s *org) needsPolicy(c *api.Call, l level) bool {
	switch {
	case c.Membership.Management, l == anyone, l == member, l == only:
		return false
	case l == manager:
		return true
	}
	m, err := c.Membership.Org.Member(string(c.Account))
	return err != nil || len(m.Delegated) == 0
}

// enter returns the caller's organization if its account may call operations of
// this level. It comes after the checks, so that the resource policy, if it was
// needed, has allowed the request.
func (s *org) enter(c *api.Call, l level) (*orgs.Org, error) {
	m := c.Membership
	if m == nil {
		return nil, awserr.AWSOrganizationsNotInUseException
	}
	if l == only && !m.Management || s.needsPolicy(c, l) && m.Org.Record().Policy == nil {
		return nil, awserr.AccessDeniedException
	}
	return m.Org, nil
}

// whole is the target of an operation on the organization as a whole.
func whole[I any](s *org, l level) func(*api.Call, I) ([]authz.Check, error) {
	return func(c *api.Call, _ I) ([]authz.Check, error) {
		return s.checks(c, l, everything)
	}
}

func everything(*orgs.Org) []authz.Check { return []authz.Check{{Resource: "*"}} }

// one is the target of an operation on things of the organization, given by ids.
func one[I any](s *org, l level, idsOf func(I) []string) func(*api.Call, I) ([]authz.Check, error) {
	return func(c *api.Call, in I) ([]authz.Check, error) {
		return s.checks(c, l, func(o *orgs.Org) []authz.Check { return resources(o, idsOf(in)...) })
	}
}

// resources returns a check for each thing of an organization, with its tags. The
// ARN of one that is missing is the one that it would have.
func resources(o *orgs.Org, ids ...string) []authz.Check {
	list := make([]authz.Check, 0, len(ids))
	for _, id := range ids {
		name, tags := resource(o, id)
		ck := authz.Check{Resource: name, Keys: make(map[string]string)}
		authz.Tags(ck.Keys, "aws:ResourceTag/", tags)
		if p, err := o.Policy(id); err == nil {
			ck.Keys["organizations:PolicyType"] = p.Type
		}
		list = append(list, ck)
	}
	return list
}

// resource returns the ARN and the tags of a thing of an organization.
func resource(o *orgs.Org, id string) (string, []store.Tag) {
	self := o.Record()
	switch kind, _, _ := strings.Cut(id, "-"); kind {
	case "r":
		if id == self.Root {
			return rootARN(o, id), self.Tags
		}
		return rootARN(o, id), nil
	case "ou":
		if u, err := o.Unit(id); err == nil {
			return unitARN(o, id), u.Tags
		}
		return unitARN(o, id), nil
	case "p":
		if p, err := o.Policy(id); err == nil {
			return policyARN(o, p), p.Tags
		}
		return policyARN(o, &orgs.Policy{ID: id, Type: orgs.TypeSCP}), nil
	case "rp":
		return thing(o, "resourcepolicy", id), self.PolicyTags
	case "h":
		if h, err := o.Handshake(id); err == nil {
			return handshakeARN(o, h), h.Tags
		}
		return handshakeARN(o, &orgs.Handshake{ID: id, Action: ActionTypeInvite}), nil
	}
	if m, err := o.Member(id); err == nil {
		return accountARN(o, id), m.Tags
	}
	return accountARN(o, id), nil
}

// thing is the ARN of a thing of an organization.
func thing(o *orgs.Org, kind, id string) string {
	return string(arn.Make(arn.Partition, "organizations", "", o.Management(), kind+"/"+o.Record().ID+"/"+id))
}

func organizationARN(o *orgs.Org) string {
	return string(arn.Make(arn.Partition, "organizations", "", o.Management(), "organization/"+o.Record().ID))
}

func rootARN(o *orgs.Org, id string) string    { return thing(o, "root", id) }
func unitARN(o *orgs.Org, id string) string    { return thing(o, "ou", id) }
func accountARN(o *orgs.Org, id string) string { return thing(o, "account", id) }

func handshakeARN(o *orgs.Org, h *orgs.Handshake) string {
	return string(arn.Make(arn.Partition, "organizations", "", o.Management(),
		"handshake/"+o.Record().ID+"/"+strings.ToLower(h.Action)+"/"+h.ID))
}

func policyARN(o *orgs.Org, p *orgs.Policy) string {
	kind := strings.ToLower(p.Type)
	if p.Provided {
		return string(arn.Make(arn.Partition, "organizations", "", "aws", "policy/"+kind+"/"+p.ID))
	}
	return string(arn.Make(arn.Partition, "organizations", "", o.Management(), "policy/"+o.Record().ID+"/"+kind+"/"+p.ID))
}

// withKey adds a condition key to every check.
func withKey(list []authz.Check, key, value string) []authz.Check {
	for i := range list {
		if list[i].Keys == nil {
			list[i].Keys = make(map[string]string)
		}
		list[i].Keys[key] = value
	}
	return list
}

// withTags adds the tags of a request to the checks, and when there are tags the
// permission to tag, which is one of its own (User Guide of Organizations,
// "Tagging AWS Organizations resources").
func withTags(list []authz.Check, tags []Tag) []authz.Check {
	if len(tags) == 0 {
		return list
	}
	list = requestTags(list, tags)
	tag := list[0]
	tag.Action = "organizations:TagResource"
	return append(list, tag)
}

func requestTags(list []authz.Check, tags []Tag) []authz.Check {
	keys := make([]string, len(tags))
	for i, t := range tags {
		keys[i] = t.Key
		list = withKey(list, "aws:RequestTag/"+t.Key, t.Value)
	}
	return tagKeys(list, keys)
}

func tagKeys(list []authz.Check, keys []string) []authz.Check {
	for i := range list {
		list[i].Lists = map[string][]string{"aws:TagKeys": keys}
	}
	return list
}
