// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"iter"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// defaultSession is a role's maximum session duration unless it says, in seconds.
const defaultSession = 3600

// roleCheck is the check for an operation on a role.
func roleCheck(c *api.Call, name string) authz.Check {
	r, err := c.View.Role(name)
	if err != nil {
		return authz.Check{Resource: string(arn.Role(c.Account, "/", name)), Shown: "role " + name}
	}
	ck := authz.Check{Resource: c.View.RoleARN(r), Shown: "role " + name}
	iamop.ResourceTags(&ck, r.Tags)
	return ck
}

func roleTarget(c *api.Call, name string) ([]authz.Check, error) {
	return []authz.Check{roleCheck(c, name)}, nil
}

func createRoleTarget(c *api.Call, in *CreateRoleInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: string(arn.Role(c.Account, wire.Value(in.Path, "/"), in.RoleName))}
	if err := newBoundaryTarget(&ck, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	return iamop.WithTags(ck, "iam:TagRole", in.Tags), nil
}

func (s *iam) createRole(c *api.Call, in *CreateRoleInput) (*CreateRoleOutput, error) {
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkPath(in.Path); err != nil {
		return nil, err
	}
	if err := attachable(store.KindRole, wire.Value(in.PermissionsBoundary, "")); err != nil {
		return nil, err
	}
	trust, err := s.trust(c, in.AssumeRolePolicyDocument)
	if err != nil {
		return nil, err
	}
	var made *store.Role
	err = noBoundary(s.store.Update(c.Context(), string(c.Account), func(tx *store.Tx) error {
		made = &store.Role{
			Name: in.RoleName, Path: wire.Value(in.Path, "/"), Trust: trust, Tags: tags,
			Description: wire.Value(in.Description, ""), Boundary: wire.Value(in.PermissionsBoundary, ""),
			MaxSession: int(wire.Value(in.MaxSessionDuration, defaultSession)),
		}
		return tx.CreateRole(made)
	}))
	if err != nil {
		return nil, err
	}
	return &CreateRoleOutput{Role: s.newRole(c, made)}, nil
}

// newRole is a role as the answer to its creation shows it: without
// MaxSessionDuration and RoleLastUsed.
func (s *iam) newRole(c *api.Call, r *store.Role) Role {
	out := s.briefRole(c, r)
	out.MaxSessionDuration = nil
	out.PermissionsBoundary, out.Tags = boundary(r.Boundary), iamop.ShowTags[Tag](r.Tags)
	return out
}

func deleteRoleTarget(c *api.Call, in *DeleteRoleInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

func (s *iam) deleteRole(c *api.Call, in *DeleteRoleInput) error {
	return s.update(c, func(tx *store.Tx) error {
		if err := changeable(tx, store.RoleHolder(in.RoleName)); err != nil {
			return err
		}
		return tx.DeleteRole(in.RoleName)
	})
}

func getRoleTarget(c *api.Call, in *GetRoleInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

func (s *iam) getRole(c *api.Call, in *GetRoleInput) (*GetRoleOutput, error) {
	r, err := c.View.Role(in.RoleName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	return &GetRoleOutput{Role: s.fullRole(c, r)}, nil
}

func listRolesTarget(c *api.Call, _ *ListRolesInput) ([]authz.Check, error) {
	return iamop.List(c, "role/")
}

func (s *iam) listRoles(c *api.Call, in *ListRolesInput) (*ListRolesOutput, error) {
	from := func(after string) iter.Seq2[string, *store.Role] {
		return iamop.Under(c.View.Roles(after), in.PathPrefix, roleKey)
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(r *store.Role) Role { return s.briefRole(c, r) })
	if err != nil {
		return nil, err
	}
	return &ListRolesOutput{Roles: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func updateRoleTarget(c *api.Call, in *UpdateRoleInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

// updateRole changes what the request has. Of a role that is linked to a service,
// customers may edit the description only (UG "Create a service-linked role",
// "Edit a service-linked role").
//
// quirk Q031: a request without MaxSessionDuration sets the default.
func (s *iam) updateRole(c *api.Call, in *UpdateRoleInput) (*UpdateRoleOutput, error) {
	err := s.changeRole(c, in.RoleName, func(r *store.Role) error {
		if in.MaxSessionDuration != nil || !r.ServiceLinked() {
			if err := unprotected(r); err != nil {
				return err
			}
		}
		r.Description = wire.Value(in.Description, r.Description)
		r.MaxSession = int(wire.Value(in.MaxSessionDuration, defaultSession))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &UpdateRoleOutput{}, nil
}

func updateRoleDescriptionTarget(c *api.Call, in *UpdateRoleDescriptionInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

func (s *iam) updateRoleDescription(c *api.Call, in *UpdateRoleDescriptionInput) (*UpdateRoleDescriptionOutput, error) {
	var changed *store.Role
	err := s.changeRole(c, in.RoleName, func(r *store.Role) error {
		r.Description = in.Description
		changed = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &UpdateRoleDescriptionOutput{Role: new(s.fullRole(c, changed))}, nil
}

func updateAssumeRolePolicyTarget(c *api.Call, in *UpdateAssumeRolePolicyInput) ([]authz.Check, error) {
	return holderTarget(c, store.RoleHolder(in.RoleName))
}

func (s *iam) updateAssumeRolePolicy(c *api.Call, in *UpdateAssumeRolePolicyInput) error {
	trust, err := s.trust(c, in.PolicyDocument)
	if err != nil {
		return err
	}
	return s.changeRole(c, in.RoleName, func(r *store.Role) error {
		r.Trust = trust
		return unprotected(r)
	})
}

// changeRole applies change, which may run more than once, to a role.
func (s *iam) changeRole(c *api.Call, name string, change func(*store.Role) error) error {
	return s.update(c, func(tx *store.Tx) error {
		r, err := tx.Role(name)
		if err != nil {
			return err
		}
		if err := change(r); err != nil {
			return err
		}
		return tx.PutRole(r)
	})
}

// briefRole is a role as lists and profiles show it.
func (s *iam) briefRole(c *api.Call, r *store.Role) Role {
	return Role{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: c.View.RoleARN(r), CreateDate: r.Created,
		AssumeRolePolicyDocument: new(s.showTrust(c, r)), MaxSessionDuration: new(int32(r.MaxSession)),
		Description: wire.NonZero(r.Description),
	}
}

// fullRole is a role as GetRole shows it.
func (s *iam) fullRole(c *api.Call, r *store.Role) Role {
	out := s.briefRole(c, r)
	out.PermissionsBoundary, out.Tags = boundary(r.Boundary), iamop.ShowTags[Tag](r.Tags)
	out.RoleLastUsed = s.roleLastUsed(c, r)
	return out
}

// roleLastUsed is present, though empty, for a role that was never used.
func (s *iam) roleLastUsed(c *api.Call, r *store.Role) *RoleLastUsed {
	use := s.lastUse(c, r.ID)
	return &RoleLastUsed{LastUsedDate: use.Time, Region: wire.NonZero(use.Region)}
}

func roleKey(r *store.Role) (name, path string) { return r.Name, r.Path }
