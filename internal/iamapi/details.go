// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"iter"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// getAccountAuthorizationDetails lists users, groups, roles and policies, in
// this order and each kind by name; a page may end in any of them.
func (s *iam) getAccountAuthorizationDetails(c *api.Call, in *GetAccountAuthorizationDetailsInput) (*GetAccountAuthorizationDetailsOutput, error) {
	var list []section
	for _, kind := range []struct {
		filter string
		section
	}{
		{EntityTypeUser, userSection("1", c.View.Users)},
		{EntityTypeGroup, groupSection("2", c.View.Groups)},
		{EntityTypeRole, roleSection("3", c.View.Roles)},
		{EntityTypeLocalManagedPolicy, policySection("4", c.View.Policies)},
		{EntityTypeAWSManagedPolicy, policySection("5", awsPoliciesInUse(c))},
	} {
		if len(in.Filter) == 0 || slices.Contains(in.Filter, kind.filter) {
			list = append(list, kind.section)
		}
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, sections(list), func(e entity) entity { return e })
	if err != nil {
		return nil, err
	}
	out := &GetAccountAuthorizationDetailsOutput{
		UserDetailList: []UserDetail{}, GroupDetailList: []GroupDetail{}, RoleDetailList: []RoleDetail{}, Policies: []ManagedPolicyDetail{},
		IsTruncated: p.Truncated, Marker: p.Marker,
	}
	for _, e := range p.Items {
		switch {
		case e.user != nil:
			out.UserDetailList = append(out.UserDetailList, userDetail(c, e.user))
		case e.group != nil:
			out.GroupDetailList = append(out.GroupDetailList, groupDetail(c, e.group))
		case e.role != nil:
			out.RoleDetailList = append(out.RoleDetailList, s.roleDetail(c, e.role))
		case e.policy != nil:
			out.Policies = append(out.Policies, s.policyDetail(c, e.policy))
		}
	}
	return out, nil
}

// awsPoliciesInUse lists those of AWS's policies that somebody in the account
// has, attached or as boundary.
func awsPoliciesInUse(c *api.Call) func(after string) iter.Seq[*store.Policy] {
	return func(after string) iter.Seq[*store.Policy] {
		return func(yield func(*store.Policy) bool) {
			for _, m := range awsAfter(after) {
				if c.View.AttachmentCount(m.ARN)+c.View.BoundaryCount(m.ARN) == 0 {
					continue
				}
				if p, err := c.View.Policy(m.ARN); err == nil && !yield(p) {
					return
				}
			}
		}
	}
}

func userDetail(c *api.Call, u *store.User) UserDetail {
	groups := []string{}
	for _, g := range c.View.GroupsOf(u) {
		groups = append(groups, g.Name)
	}
	return UserDetail{
		Path: new(u.Path), UserName: new(u.Name), UserId: new(u.ID), Arn: new(c.View.UserARN(u)), CreateDate: u.Created,
		UserPolicyList: inlineDetails(&u.Grants), GroupList: groups, AttachedManagedPolicies: attachedPolicies(c, &u.Grants, "/"),
		PermissionsBoundary: boundary(u.Boundary), Tags: tagsOrNone(u.Tags),
	}
}

func groupDetail(c *api.Call, g *store.Group) GroupDetail {
	return GroupDetail{
		Path: new(g.Path), GroupName: new(g.Name), GroupId: new(g.ID), Arn: new(c.View.GroupARN(g)), CreateDate: g.Created,
		GroupPolicyList: inlineDetails(&g.Grants), AttachedManagedPolicies: attachedPolicies(c, &g.Grants, "/"),
	}
}

func (s *iam) roleDetail(c *api.Call, r *store.Role) RoleDetail {
	profiles := []InstanceProfile{}
	for _, p := range profilesOf(c, r) {
		profiles = append(profiles, s.showProfile(c, p))
	}
	return RoleDetail{
		Path: new(r.Path), RoleName: new(r.Name), RoleId: new(r.ID), Arn: new(c.View.RoleARN(r)), CreateDate: r.Created,
		AssumeRolePolicyDocument: new(s.showTrust(c, r)), InstanceProfileList: profiles,
		RolePolicyList: inlineDetails(&r.Grants), AttachedManagedPolicies: attachedPolicies(c, &r.Grants, "/"),
		PermissionsBoundary: boundary(r.Boundary), Tags: tagsOrNone(r.Tags), RoleLastUsed: s.roleLastUsed(c, r),
	}
}

func (s *iam) policyDetail(c *api.Call, p *store.Policy) ManagedPolicyDetail {
	brief := s.briefPolicy(c, p)
	out := ManagedPolicyDetail{
		PolicyName: brief.PolicyName, PolicyId: brief.PolicyId, Arn: brief.Arn, Path: brief.Path,
		DefaultVersionId: brief.DefaultVersionId, AttachmentCount: brief.AttachmentCount,
		PermissionsBoundaryUsageCount: brief.PermissionsBoundaryUsageCount, IsAttachable: brief.IsAttachable,
		Description: wire.NonZero(p.Description), CreateDate: p.Created, UpdateDate: p.Updated,
		PolicyVersionList: []PolicyVersion{},
	}
	for _, v := range newestFirst(p, "") {
		version := showVersion(p, v)
		version.Document = new(v.Document.Text())
		out.PolicyVersionList = append(out.PolicyVersionList, version)
	}
	return out
}

// inlineDetails shows the inline policies of a user, group or role.
func inlineDetails(g *store.Grants) []PolicyDetail {
	out := []PolicyDetail{}
	for _, in := range g.Inline {
		out = append(out, PolicyDetail{PolicyName: new(in.Name), PolicyDocument: new(in.Document.Text())})
	}
	return out
}

// awsAfter returns AWS's policies after a name, in order of names.
func awsAfter(after string) []*managed.Policy {
	all := managed.All()
	at, found := slices.BinarySearchFunc(all, after, func(p *managed.Policy, name string) int { return iamop.CompareFold(p.Name, name) })
	if found {
		at++
	}
	return all[at:]
}
