// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// defaultSession is the longest session of a role, in seconds, unless it says
// otherwise (IAM API reference, CreateRole).
const defaultSession = 3600

// Role returns the role of that name.
func (tx *Tx) Role(name string) (*Role, error) {
	s, err := tx.roles.find(name)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateRole stores a new role, and fills ID, Created, an empty Path and a
// MaxSession of 0. It needs a trust policy, and must have no attached policies
// yet; a boundary must exist. Roles that are linked to a service count against
// the quota, but alone may exceed it (UG "Create a service-linked role").
func (tx *Tx) CreateRole(r *Role) error {
	s, err := tx.roles.vacant(r.Name)
	if err != nil {
		return err
	}
	if len(r.Attached) > 0 {
		return invalid("new role %q with attached policies", r.Name)
	}
	if !r.ServiceLinked() {
		if err := tx.create(quota.Roles); err != nil {
			return err
		}
	}
	r.Path, r.MaxSession = cmp.Or(r.Path, "/"), cmp.Or(r.MaxSession, defaultSession)
	r.ID, r.Created = tx.a.s.ids.Unique(ids.Role, tx.a.id), stamp(tx.a.s.now())
	if err := tx.checkRole(new(Role), r); err != nil {
		return err
	}
	if err := tx.refer(r.Boundary); err != nil {
		return err
	}
	s.set(r.clone())
	return nil
}

// PutRole replaces a role. Its name, id, time of creation, attached policies
// and boundary must be as they were.
func (tx *Tx) PutRole(r *Role) error {
	s, err := tx.roles.find(r.Name)
	if err != nil {
		return err
	}
	was := s.now
	if r.Name != was.Name || r.ID != was.ID || !r.Created.Equal(was.Created) || r.Boundary != was.Boundary ||
		!slices.Equal(r.Attached, was.Attached) {
		return invalid("role %q: something changed that PutRole does not change", r.Name)
	}
	if err := tx.checkRole(was, r); err != nil {
		return err
	}
	s.set(r.clone())
	return nil
}

func (tx *Tx) checkRole(was, r *Role) error {
	if err := tx.checkRecord(r.Path, was.Tags, r.Tags); err != nil {
		return err
	}
	if err := tx.checkDocument(quota.AssumePolicySize, was.Trust, r.Trust); err != nil {
		return err
	}
	return tx.checkInline(quota.RolePolicySize, &was.Grants, &r.Grants)
}

// DeleteRole deletes a role without policies that is in no instance profile.
func (tx *Tx) DeleteRole(name string) error {
	s, err := tx.roles.find(name)
	if err != nil {
		return err
	}
	r := s.now
	profiles := tx.view.s.linked(linkProfile, lower(r.Name)) +
		tx.profiles.changed(func(p *InstanceProfile) bool { return lower(p.Role) == lower(r.Name) })
	if err := inUse(KindRole, name, []reason{
		{profiles > 0, ReasonProfile},
		{len(r.Attached) > 0, ReasonAttached},
		{len(r.Inline) > 0, ReasonInline},
	}); err != nil {
		return err
	}
	tx.gone[r.ID] = true
	s.set(nil)
	return nil
}

// Profile returns the instance profile of that name.
func (tx *Tx) Profile(name string) (*InstanceProfile, error) {
	s, err := tx.profiles.find(name)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateProfile stores a new instance profile, and fills ID, Created and an
// empty Path. It must hold no role yet.
func (tx *Tx) CreateProfile(p *InstanceProfile) error {
	s, err := tx.profiles.vacant(p.Name)
	if err != nil {
		return err
	}
	if p.Role != "" {
		return invalid("new instance profile %q with a role", p.Name)
	}
	if err := tx.create(quota.Profiles); err != nil {
		return err
	}
	p.Path = cmp.Or(p.Path, "/")
	p.ID, p.Created = tx.a.s.ids.Unique(ids.InstanceProfile, tx.a.id), stamp(tx.a.s.now())
	if err := tx.checkRecord(p.Path, nil, p.Tags); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

// PutProfile replaces an instance profile. Its name, id, time of creation and
// role must be as they were.
func (tx *Tx) PutProfile(p *InstanceProfile) error {
	s, err := tx.profiles.find(p.Name)
	if err != nil {
		return err
	}
	was := s.now
	if p.Name != was.Name || p.ID != was.ID || !p.Created.Equal(was.Created) || p.Role != was.Role {
		return invalid("instance profile %q: something changed that PutProfile does not change", p.Name)
	}
	if err := tx.checkRecord(p.Path, was.Tags, p.Tags); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

// DeleteProfile deletes an instance profile without a role.
func (tx *Tx) DeleteProfile(name string) error {
	s, err := tx.profiles.find(name)
	if err != nil {
		return err
	}
	if err := inUse(KindProfile, name, []reason{{s.now.Role != "", ReasonProfile}}); err != nil {
		return err
	}
	s.set(nil)
	return nil
}

// AddRole puts a role into an instance profile, which holds one at most.
func (tx *Tx) AddRole(profile, role string) error {
	p, err := tx.profiles.find(profile)
	if err != nil {
		return err
	}
	r, err := tx.roles.find(role)
	if err != nil {
		return err
	}
	if p.now.Role != "" {
		return &LimitError{Quota: quota.RolesPerProfile, Limit: 1}
	}
	now := p.now.clone()
	now.Role = r.now.Name
	p.set(now)
	r.touch()
	return nil
}

// RemoveRole takes a role out of an instance profile; it must be in it.
func (tx *Tx) RemoveRole(profile, role string) error {
	p, err := tx.profiles.find(profile)
	if err != nil {
		return err
	}
	if p.now.Role == "" || lower(p.now.Role) != lower(role) {
		return notFound(KindRole, role)
	}
	now := p.now.clone()
	now.Role = ""
	p.set(now)
	return nil
}
