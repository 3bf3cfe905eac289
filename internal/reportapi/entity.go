// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"cmp"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// An entity is what a report is about: one of the four. All are nil for one that
// does not exist.
type entity struct {
	user   *store.User
	group  *store.Group
	role   *store.Role
	policy *store.Policy
}

// find returns the entity with an ARN, whose path counts for policies only (as
// recorded on AWS). The error is the answer to an ARN that can be none of the
// given kinds in the caller's account; the texts are AWS's.
func find(c *api.Call, text string, kinds ...arn.Kind) (entity, error) {
	a, err := arn.Parse(text)
	switch {
	case err != nil:
		return entity{}, awserr.ValidationError.Msg("ARN %s is not valid.", text)
	case a.Parts().Partition != arn.Partition:
		return entity{}, awserr.ValidationError.Msg("Invalid ARN partition")
	case a.Service() != "iam":
		return entity{}, awserr.ValidationError.Msg("Invalid service in ARN")
	}
	e, ok := a.Entity()
	if ok && e.Kind == arn.KindRoot && !slices.Contains(kinds, arn.KindPolicy) {
		return entity{}, awserr.InvalidInput.Msg("Could not extract entity from ARN : %s", text)
	}
	if !ok || !slices.Contains(kinds, e.Kind) {
		return entity{}, awserr.InvalidInput.Msg("Invalid Entity Arn: %s is not supported.", text)
	}
	ours := e.Account == string(c.Account) || e.Kind == arn.KindPolicy && e.Account == string(arn.ManagedAccount)
	if !ours {
		return entity{}, awserr.AccessDenied.Msg("User: %s is not authorized to perform the operation on %s", c.Caller.ARN, text)
	}
	var found entity
	switch e.Kind {
	case arn.KindUser:
		found.user, err = c.View.User(e.Name)
	case arn.KindGroup:
		found.group, err = c.View.Group(e.Name)
	case arn.KindRole:
		found.role, err = c.View.Role(e.Name)
	default:
		found.policy, err = c.View.Policy(text)
	}
	if err != nil {
		return entity{}, nil
	}
	return found, nil
}

// check is the permission to report on an entity, which the request calls by an
// ARN.
func (e *entity) check(v *store.View, text string) authz.Check {
	ck := authz.Check{Resource: text, Shown: text}
	switch {
	case e.user != nil:
		ck.Resource = v.UserARN(e.user)
		iamop.ResourceTags(&ck, e.user.Tags)
	case e.group != nil:
		ck.Resource = v.GroupARN(e.group)
	case e.role != nil:
		ck.Resource = v.RoleARN(e.role)
		iamop.ResourceTags(&ck, e.role.Tags)
	case e.policy != nil:
		iamop.ResourceTags(&ck, e.policy.Tags)
	}
	return ck
}

// exists returns AWS's answer for an entity that does not.
func (e *entity) exists(text string) error {
	if *e == (entity{}) {
		return awserr.NoSuchEntity.Msg("ARN %s does not exist.", text)
	}
	return nil
}

// A source is a policy that an entity has, and through whom.
type source struct {
	name   string
	arn    string // of a managed policy, else ""
	owner  string // the kind of the holder of an inline policy
	holder string
	doc    *policy.Document
}

// sources returns the permissions policies of an entity, those of a user's groups
// included, a managed policy once. A policy that is gone or cannot be read is left
// out: it grants nothing.
func (e *entity) sources(v *store.View) []source {
	var list []source
	switch {
	case e.user != nil:
		list = held(list, v, e.user.Grants, PolicyOwnerEntityTypeUser, e.user.Name)
		for _, g := range v.GroupsOf(e.user) {
			list = held(list, v, g.Grants, PolicyOwnerEntityTypeGroup, g.Name)
		}
	case e.group != nil:
		list = held(list, v, e.group.Grants, PolicyOwnerEntityTypeGroup, e.group.Name)
	case e.role != nil:
		list = held(list, v, e.role.Grants, PolicyOwnerEntityTypeRole, e.role.Name)
	case e.policy != nil:
		list = managed(list, v, e.policy)
	}
	return list
}

// held adds the policies of one holder.
func held(list []source, v *store.View, g store.Grants, owner, holder string) []source {
	for i := range g.Inline {
		if doc, err := policy.Parse(g.Inline[i].Name, []byte(g.Inline[i].Document.Text())); err == nil {
			list = append(list, source{name: g.Inline[i].Name, owner: owner, holder: holder, doc: doc})
		}
	}
	for _, name := range g.Attached {
		if p, err := v.Policy(name); err == nil {
			list = managed(list, v, p)
		}
	}
	return list
}

// managed adds a managed policy unless it is in the list.
func managed(list []source, v *store.View, p *store.Policy) []source {
	name, ver := v.PolicyARN(p), p.DefaultVersion()
	if ver == nil || slices.ContainsFunc(list, func(s source) bool { return s.arn == name }) {
		return list
	}
	doc, err := policy.Parse(name, []byte(ver.Document.Text()))
	if err != nil {
		return list
	}
	return append(list, source{name: p.Name, arn: name, doc: doc})
}

// users returns the unique ids of the users and roles that have what the entity
// grants.
func (e *entity) users(v *store.View) []string {
	switch {
	case e.user != nil:
		return []string{e.user.ID}
	case e.role != nil:
		return []string{e.role.ID}
	case e.group != nil:
		return members(v, nil, e.group)
	}
	users, groups, roles := v.Holders(v.PolicyARN(e.policy))
	var list []string
	for _, u := range users {
		list = append(list, u.ID)
	}
	for _, g := range groups {
		list = members(v, list, g)
	}
	for _, r := range roles {
		list = append(list, r.ID)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func members(v *store.View, list []string, g *store.Group) []string {
	for u := range v.Members(g.Name, "") {
		list = append(list, u.ID)
	}
	return list
}

// info returns what is shown of a user or role, and whether it still exists.
func info(v *store.View, id string) (EntityInfo, bool) {
	if u, err := v.UserByID(id); err == nil {
		return EntityInfo{Arn: v.UserARN(u), Name: u.Name, Type: PolicyOwnerEntityTypeUser, Id: u.ID, Path: &u.Path}, true
	}
	if r, err := v.RoleByID(id); err == nil {
		return EntityInfo{Arn: v.RoleARN(r), Name: r.Name, Type: PolicyOwnerEntityTypeRole, Id: r.ID, Path: &r.Path}, true
	}
	return EntityInfo{}, false
}

// compareInfo orders users before roles, each by name.
func compareInfo(a, b EntityInfo) int {
	return cmp.Or(-strings.Compare(a.Type, b.Type), iamop.CompareFold(a.Name, b.Name))
}
