// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"errors"
	"iter"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A user, group or role holds inline and attached policies alike; the functions
// below are common to the three.

// grants returns the policies of a holder and its name as stored.
func grants(c *api.Call, h store.Holder) (*store.Grants, string, error) {
	switch h.Kind {
	case store.KindUser:
		u, err := c.View.User(h.Name)
		if err != nil {
			return nil, "", iamop.Fail(err)
		}
		return &u.Grants, u.Name, nil
	case store.KindGroup:
		g, err := c.View.Group(h.Name)
		if err != nil {
			return nil, "", iamop.Fail(err)
		}
		return &g.Grants, g.Name, nil
	}
	r, err := c.View.Role(h.Name)
	if err != nil {
		return nil, "", iamop.Fail(err)
	}
	return &r.Grants, r.Name, nil
}

// holderCheck is the check for an operation that the boundary in force guards:
// one that changes a holder's policies, or a role (Service Authorization
// Reference, condition key iam:PermissionsBoundary).
func holderCheck(c *api.Call, h store.Holder) authz.Check {
	switch h.Kind {
	case store.KindUser:
		ck := iamop.UserCheck(c, h.Name)
		if u, err := c.View.User(h.Name); err == nil {
			iamop.BoundaryKey(&ck, u.Boundary)
		}
		return ck
	case store.KindGroup:
		return groupCheck(c, h.Name)
	}
	ck := roleCheck(c, h.Name)
	if r, err := c.View.Role(h.Name); err == nil {
		iamop.BoundaryKey(&ck, r.Boundary)
	}
	return ck
}

func holderTarget(c *api.Call, h store.Holder) ([]authz.Check, error) {
	return []authz.Check{holderCheck(c, h)}, nil
}

// changeHolder changes the policies of a holder that customers may change. The
// error is the store's or unprotected's; fn may run more than once.
func (s *iam) changeHolder(c *api.Call, h store.Holder, fn func(*store.Tx) error) error {
	return s.store.Update(c.Context(), string(c.Account), func(tx *store.Tx) error {
		if err := changeable(tx, h); err != nil {
			return err
		}
		return fn(tx)
	})
}

func (s *iam) putInline(c *api.Call, h store.Holder, name, text string) error {
	doc, err := document(name, text)
	if err != nil {
		return err
	}
	err = s.changeHolder(c, h, func(tx *store.Tx) error { return tx.PutInline(h, name, doc) })
	if e, ok := errors.AsType[*store.LimitError](err); ok && strings.HasSuffix(e.Quota, "PolicySize") {
		return awserr.LimitExceeded.Msg("Maximum policy size of %d bytes exceeded for %s %s", e.Limit, h.Kind, h.Name).Because(err)
	}
	return iamop.Fail(err)
}

// inline returns the text of an inline policy and the holder's name as stored.
func inline(c *api.Call, h store.Holder, name string) (text, holder string, err error) {
	g, holder, err := grants(c, h)
	if err != nil {
		return "", "", err
	}
	doc := g.InlineNamed(name)
	if doc == nil {
		return "", "", noInline(h, name)
	}
	return doc.Text(), holder, nil
}

func noInline(h store.Holder, name string) error {
	return awserr.NoSuchEntity.Msg("The %s policy with name %s cannot be found.", h.Kind, name)
}

func (s *iam) deleteInline(c *api.Call, h store.Holder, name string) error {
	err := s.changeHolder(c, h, func(tx *store.Tx) error { return tx.DeleteInline(h, name) })
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == store.KindInline {
		return noInline(h, name)
	}
	return iamop.Fail(err)
}

// inlineNames is one page of the names of a holder's inline policies.
func inlineNames(c *api.Call, h store.Holder, marker *string, maxItems *int32) (iamop.Page[string], error) {
	g, _, err := grants(c, h)
	if err != nil {
		return iamop.Page[string]{}, err
	}
	from := func(after string) iter.Seq2[string, store.Inline] {
		return iamop.Sorted(g.Inline, after, func(i store.Inline) string { return i.Name })
	}
	return iamop.Paginate(marker, maxItems, from, func(i store.Inline) string { return i.Name })
}

func putUserPolicyTarget(c *api.Call, in *PutUserPolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.UserHolder(in.UserName))
}

func (s *iam) putUserPolicy(c *api.Call, in *PutUserPolicyInput) error {
	return s.putInline(c, store.UserHolder(in.UserName), in.PolicyName, in.PolicyDocument)
}

func getUserPolicyTarget(c *api.Call, in *GetUserPolicyInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *iam) getUserPolicy(c *api.Call, in *GetUserPolicyInput) (*GetUserPolicyOutput, error) {
	text, holder, err := inline(c, store.UserHolder(in.UserName), in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &GetUserPolicyOutput{UserName: holder, PolicyName: in.PolicyName, PolicyDocument: text}, nil
}

func deleteUserPolicyTarget(c *api.Call, in *DeleteUserPolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.UserHolder(in.UserName))
}

func (s *iam) deleteUserPolicy(c *api.Call, in *DeleteUserPolicyInput) error {
	return s.deleteInline(c, store.UserHolder(in.UserName), in.PolicyName)
}

func listUserPoliciesTarget(c *api.Call, in *ListUserPoliciesInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *iam) listUserPolicies(c *api.Call, in *ListUserPoliciesInput) (*ListUserPoliciesOutput, error) {
	p, err := inlineNames(c, store.UserHolder(in.UserName), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListUserPoliciesOutput{PolicyNames: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func putGroupPolicyTarget(c *api.Call, in *PutGroupPolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.GroupHolder(in.GroupName))
}

func (s *iam) putGroupPolicy(c *api.Call, in *PutGroupPolicyInput) error {
	return s.putInline(c, store.GroupHolder(in.GroupName), in.PolicyName, in.PolicyDocument)
}

func getGroupPolicyTarget(c *api.Call, in *GetGroupPolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.GroupHolder(in.GroupName))
}

func (s *iam) getGroupPolicy(c *api.Call, in *GetGroupPolicyInput) (*GetGroupPolicyOutput, error) {
	text, holder, err := inline(c, store.GroupHolder(in.GroupName), in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &GetGroupPolicyOutput{GroupName: holder, PolicyName: in.PolicyName, PolicyDocument: text}, nil
}

func deleteGroupPolicyTarget(c *api.Call, in *DeleteGroupPolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.GroupHolder(in.GroupName))
}

func (s *iam) deleteGroupPolicy(c *api.Call, in *DeleteGroupPolicyInput) error {
	return s.deleteInline(c, store.GroupHolder(in.GroupName), in.PolicyName)
}

func listGroupPoliciesTarget(c *api.Call, in *ListGroupPoliciesInput) ([]authz.Check, error) {
	return holderTarget(c, store.GroupHolder(in.GroupName))
}

func (s *iam) listGroupPolicies(c *api.Call, in *ListGroupPoliciesInput) (*ListGroupPoliciesOutput, error) {
	p, err := inlineNames(c, store.GroupHolder(in.GroupName), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListGroupPoliciesOutput{PolicyNames: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func putRolePolicyTarget(c *api.Call, in *PutRolePolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

func (s *iam) putRolePolicy(c *api.Call, in *PutRolePolicyInput) error {
	return s.putInline(c, store.RoleHolder(in.RoleName), in.PolicyName, in.PolicyDocument)
}

func getRolePolicyTarget(c *api.Call, in *GetRolePolicyInput) ([]authz.Check, error) {
	return roleTarget(c, in.RoleName)
}

func (s *iam) getRolePolicy(c *api.Call, in *GetRolePolicyInput) (*GetRolePolicyOutput, error) {
	text, holder, err := inline(c, store.RoleHolder(in.RoleName), in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &GetRolePolicyOutput{RoleName: holder, PolicyName: in.PolicyName, PolicyDocument: text}, nil
}

func deleteRolePolicyTarget(c *api.Call, in *DeleteRolePolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

func (s *iam) deleteRolePolicy(c *api.Call, in *DeleteRolePolicyInput) error {
	return s.deleteInline(c, store.RoleHolder(in.RoleName), in.PolicyName)
}

func listRolePoliciesTarget(c *api.Call, in *ListRolePoliciesInput) ([]authz.Check, error) {
	return roleTarget(c, in.RoleName)
}

func (s *iam) listRolePolicies(c *api.Call, in *ListRolePoliciesInput) (*ListRolePoliciesOutput, error) {
	p, err := inlineNames(c, store.RoleHolder(in.RoleName), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListRolePoliciesOutput{PolicyNames: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
