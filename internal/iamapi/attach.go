// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"errors"
	"iter"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// attachTarget is the target of attaching and detaching a managed policy.
func attachTarget(c *api.Call, h store.Holder, policyARN string) ([]authz.Check, error) {
	if err := checkPolicyARN(policyARN); err != nil {
		return nil, err
	}
	ck := holderCheck(c, h)
	iamop.SetKey(&ck, "iam:PolicyARN", policyARN)
	return []authz.Check{ck}, nil
}

func (s *iam) attach(c *api.Call, h store.Holder, policyARN string) error {
	if err := attachable(h.Kind, policyARN); err != nil {
		return err
	}
	err := s.changeHolder(c, h, func(tx *store.Tx) error { return tx.Attach(h, policyARN) })
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == store.KindPolicy {
		return awserr.NoSuchEntity.Msg("Policy %s does not exist or is not attachable.", policyARN).Because(err)
	}
	return iamop.Fail(err)
}

// attachable refuses the policies of service-linked roles for everybody else.
func attachable(to store.Kind, policyARN string) error {
	if p, ok := managed.Lookup(policyARN); ok && p.ServiceLinked() {
		return awserr.PolicyNotAttachable.Msg("Cannot attach a Service Role Policy to a customer %s.", to)
	}
	return nil
}

func (s *iam) detach(c *api.Call, h store.Holder, policyARN string) error {
	err := s.changeHolder(c, h, func(tx *store.Tx) error { return tx.Detach(h, policyARN) })
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == store.KindPolicy {
		return awserr.NoSuchEntity.Msg("Policy %s was not found.", policyARN).Because(err)
	}
	return iamop.Fail(err)
}

// attached is one page of the managed policies that a holder has.
func (s *iam) attached(c *api.Call, h store.Holder, prefix, marker *string, maxItems *int32) (iamop.Page[AttachedPolicy], error) {
	g, _, err := grants(c, h)
	if err != nil {
		return iamop.Page[AttachedPolicy]{}, err
	}
	shown := attachedPolicies(c, g, wire.Value(prefix, "/"))
	from := func(after string) iter.Seq2[string, AttachedPolicy] {
		return iamop.Sorted(shown, after, func(p AttachedPolicy) string { return *p.PolicyName + " " + string(arn.ARN(*p.PolicyArn).Account()) })
	}
	return iamop.Paginate(marker, maxItems, from, func(p AttachedPolicy) AttachedPolicy { return p })
}

// attachedPolicies shows the managed policies attached to a user, group or role
// whose path begins with prefix.
func attachedPolicies(c *api.Call, g *store.Grants, prefix string) []AttachedPolicy {
	out := []AttachedPolicy{}
	for _, policyARN := range g.Attached {
		p, err := c.View.Policy(policyARN)
		if err == nil && strings.HasPrefix(p.Path, prefix) {
			out = append(out, AttachedPolicy{PolicyName: new(p.Name), PolicyArn: new(policyARN)})
		}
	}
	return out
}

func attachUserPolicyTarget(c *api.Call, in *AttachUserPolicyInput) ([]authz.Check, error) {
	return attachTarget(c, store.UserHolder(in.UserName), in.PolicyArn)
}

func (s *iam) attachUserPolicy(c *api.Call, in *AttachUserPolicyInput) error {
	return s.attach(c, store.UserHolder(in.UserName), in.PolicyArn)
}

func detachUserPolicyTarget(c *api.Call, in *DetachUserPolicyInput) ([]authz.Check, error) {
	return attachTarget(c, store.UserHolder(in.UserName), in.PolicyArn)
}

func (s *iam) detachUserPolicy(c *api.Call, in *DetachUserPolicyInput) error {
	return s.detach(c, store.UserHolder(in.UserName), in.PolicyArn)
}

func listAttachedUserPoliciesTarget(c *api.Call, in *ListAttachedUserPoliciesInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *iam) listAttachedUserPolicies(c *api.Call, in *ListAttachedUserPoliciesInput) (*ListAttachedUserPoliciesOutput, error) {
	p, err := s.attached(c, store.UserHolder(in.UserName), in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListAttachedUserPoliciesOutput{AttachedPolicies: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func attachGroupPolicyTarget(c *api.Call, in *AttachGroupPolicyInput) ([]authz.Check, error) {
	return attachTarget(c, store.GroupHolder(in.GroupName), in.PolicyArn)
}

func (s *iam) attachGroupPolicy(c *api.Call, in *AttachGroupPolicyInput) error {
	return s.attach(c, store.GroupHolder(in.GroupName), in.PolicyArn)
}

func detachGroupPolicyTarget(c *api.Call, in *DetachGroupPolicyInput) ([]authz.Check, error) {
	return attachTarget(c, store.GroupHolder(in.GroupName), in.PolicyArn)
}

func (s *iam) detachGroupPolicy(c *api.Call, in *DetachGroupPolicyInput) error {
	return s.detach(c, store.GroupHolder(in.GroupName), in.PolicyArn)
}

func listAttachedGroupPoliciesTarget(c *api.Call, in *ListAttachedGroupPoliciesInput) ([]authz.Check, error) {
	return holderTarget(c, store.GroupHolder(in.GroupName))
}

func (s *iam) listAttachedGroupPolicies(c *api.Call, in *ListAttachedGroupPoliciesInput) (*ListAttachedGroupPoliciesOutput, error) {
	p, err := s.attached(c, store.GroupHolder(in.GroupName), in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListAttachedGroupPoliciesOutput{AttachedPolicies: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func attachRolePolicyTarget(c *api.Call, in *AttachRolePolicyInput) ([]authz.Check, error) {
	return attachTarget(c, store.RoleHolder(in.RoleName), in.PolicyArn)
}

func (s *iam) attachRolePolicy(c *api.Call, in *AttachRolePolicyInput) error {
	return s.attach(c, store.RoleHolder(in.RoleName), in.PolicyArn)
}

func detachRolePolicyTarget(c *api.Call, in *DetachRolePolicyInput) ([]authz.Check, error) {
	return attachTarget(c, store.RoleHolder(in.RoleName), in.PolicyArn)
}

func (s *iam) detachRolePolicy(c *api.Call, in *DetachRolePolicyInput) error {
	return s.detach(c, store.RoleHolder(in.RoleName), in.PolicyArn)
}

func listAttachedRolePoliciesTarget(c *api.Call, in *ListAttachedRolePoliciesInput) ([]authz.Check, error) {
	return roleTarget(c, in.RoleName)
}

func (s *iam) listAttachedRolePolicies(c *api.Call, in *ListAttachedRolePoliciesInput) (*ListAttachedRolePoliciesOutput, error) {
	p, err := s.attached(c, store.RoleHolder(in.RoleName), in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListAttachedRolePoliciesOutput{AttachedPolicies: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
