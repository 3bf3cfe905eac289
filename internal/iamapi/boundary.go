// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"errors"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// putBoundaryTarget asks with the boundary that is to be set, so that a policy
// can say which one must be (IAM User Guide, "Permissions boundaries").
func putBoundaryTarget(c *api.Call, h store.Holder, policyARN string) ([]authz.Check, error) {
	if err := checkPolicyARN(policyARN); err != nil {
		return nil, err
	}
	ck := holderCheck(c, h)
	iamop.BoundaryKey(&ck, policyARN)
	return []authz.Check{ck}, nil
}

func (s *iam) setBoundary(c *api.Call, h store.Holder, policyARN string) error {
	if err := attachable(h.Kind, policyARN); err != nil {
		return err
	}
	err := s.changeHolder(c, h, func(tx *store.Tx) error { return tx.SetBoundary(h, policyARN) })
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == store.KindBoundary {
		return awserr.NoSuchEntity.Msg("The %s with name %s does not have a permissions boundary.", h.Kind, h.Name).Because(err)
	}
	return noBoundary(err)
}

// newBoundaryTarget adds the boundary of something that is to be made to the
// check of its making.
func newBoundaryTarget(ck *authz.Check, policyARN *string) error {
	if policyARN == nil {
		return nil
	}
	iamop.BoundaryKey(ck, *policyARN)
	return checkPolicyARN(*policyARN)
}

// noBoundary is iamop.Fail for operations that name a policy as permissions boundary.
func noBoundary(err error) error {
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == store.KindPolicy {
		return awserr.NoSuchEntity.Msg("Scope ARN: %s does not exist or is not attachable.", e.Name).Because(err)
	}
	return iamop.Fail(err)
}

func putUserPermissionsBoundaryTarget(c *api.Call, in *PutUserPermissionsBoundaryInput) ([]authz.Check, error) {
	return putBoundaryTarget(c, store.UserHolder(in.UserName), in.PermissionsBoundary)
}

func (s *iam) putUserPermissionsBoundary(c *api.Call, in *PutUserPermissionsBoundaryInput) error {
	return s.setBoundary(c, store.UserHolder(in.UserName), in.PermissionsBoundary)
}

func deleteUserPermissionsBoundaryTarget(c *api.Call, in *DeleteUserPermissionsBoundaryInput) ([]authz.Check, error) {
	return holderTarget(c, store.UserHolder(in.UserName))
}

func (s *iam) deleteUserPermissionsBoundary(c *api.Call, in *DeleteUserPermissionsBoundaryInput) error {
	return s.setBoundary(c, store.UserHolder(in.UserName), "")
}

func putRolePermissionsBoundaryTarget(c *api.Call, in *PutRolePermissionsBoundaryInput) ([]authz.Check, error) {
	return putBoundaryTarget(c, store.RoleHolder(in.RoleName), in.PermissionsBoundary)
}

func (s *iam) putRolePermissionsBoundary(c *api.Call, in *PutRolePermissionsBoundaryInput) error {
	return s.setBoundary(c, store.RoleHolder(in.RoleName), in.PermissionsBoundary)
}

func deleteRolePermissionsBoundaryTarget(c *api.Call, in *DeleteRolePermissionsBoundaryInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

func (s *iam) deleteRolePermissionsBoundary(c *api.Call, in *DeleteRolePermissionsBoundaryInput) error {
	return s.setBoundary(c, store.RoleHolder(in.RoleName), "")
}
