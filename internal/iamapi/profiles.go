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

// profileCheck is the check for an operation on an instance profile.
func profileCheck(c *api.Call, name string) authz.Check {
	p, err := c.View.Profile(name)
	if err != nil {
		return authz.Check{Resource: string(arn.InstanceProfile(c.Account, "/", name)), Shown: "instance profile " + name}
	}
	ck := authz.Check{Resource: c.View.ProfileARN(p), Shown: "instance profile " + name}
	iamop.ResourceTags(&ck, p.Tags)
	return ck
}

func profileTarget(c *api.Call, name string) ([]authz.Check, error) {
	return []authz.Check{profileCheck(c, name)}, nil
}

func createInstanceProfileTarget(c *api.Call, in *CreateInstanceProfileInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: string(arn.InstanceProfile(c.Account, wire.Value(in.Path, "/"), in.InstanceProfileName))}
	return iamop.WithTags(ck, "iam:TagInstanceProfile", in.Tags), nil
}

func (s *iam) createInstanceProfile(c *api.Call, in *CreateInstanceProfileInput) (*CreateInstanceProfileOutput, error) {
	if err := checkPath(in.Path); err != nil {
		return nil, err
	}
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	var made *store.InstanceProfile
	err = s.update(c, func(tx *store.Tx) error {
		made = &store.InstanceProfile{Name: in.InstanceProfileName, Path: wire.Value(in.Path, "/"), Tags: tags}
		return tx.CreateProfile(made)
	})
	if err != nil {
		return nil, err
	}
	return &CreateInstanceProfileOutput{InstanceProfile: s.fullProfile(c, made)}, nil
}

func deleteInstanceProfileTarget(c *api.Call, in *DeleteInstanceProfileInput) ([]authz.Check, error) {
	return profileTarget(c, in.InstanceProfileName)
}

func (s *iam) deleteInstanceProfile(c *api.Call, in *DeleteInstanceProfileInput) error {
	return s.update(c, func(tx *store.Tx) error { return tx.DeleteProfile(in.InstanceProfileName) })
}

func getInstanceProfileTarget(c *api.Call, in *GetInstanceProfileInput) ([]authz.Check, error) {
	return profileTarget(c, in.InstanceProfileName)
}

func (s *iam) getInstanceProfile(c *api.Call, in *GetInstanceProfileInput) (*GetInstanceProfileOutput, error) {
	p, err := c.View.Profile(in.InstanceProfileName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	out := s.fullProfile(c, p)
	out.Tags = tagsOrNone(p.Tags)
	return &GetInstanceProfileOutput{InstanceProfile: out}, nil
}

func listInstanceProfilesTarget(c *api.Call, _ *ListInstanceProfilesInput) ([]authz.Check, error) {
	return iamop.List(c, "instance-profile/")
}

func (s *iam) listInstanceProfiles(c *api.Call, in *ListInstanceProfilesInput) (*ListInstanceProfilesOutput, error) {
	from := func(after string) iter.Seq2[string, *store.InstanceProfile] {
		return iamop.Under(c.View.Profiles(after), in.PathPrefix, profileKey)
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(p *store.InstanceProfile) InstanceProfile { return s.showProfile(c, p) })
	if err != nil {
		return nil, err
	}
	return &ListInstanceProfilesOutput{InstanceProfiles: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func listInstanceProfilesForRoleTarget(c *api.Call, in *ListInstanceProfilesForRoleInput) ([]authz.Check, error) {
	return roleTarget(c, in.RoleName)
}

func (s *iam) listInstanceProfilesForRole(c *api.Call, in *ListInstanceProfilesForRoleInput) (*ListInstanceProfilesForRoleOutput, error) {
	r, err := c.View.Role(in.RoleName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	from := func(after string) iter.Seq2[string, *store.InstanceProfile] {
		return iamop.Sorted(profilesOf(c, r), after, profileName)
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(p *store.InstanceProfile) InstanceProfile { return s.showProfile(c, p) })
	if err != nil {
		return nil, err
	}
	return &ListInstanceProfilesForRoleOutput{InstanceProfiles: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// addRoleToInstanceProfileTarget asks for the profile, and for passing the role
// to the instances that will use it (IAM User Guide, "Granting a user
// permissions to pass a role to an AWS service").
func addRoleToInstanceProfileTarget(c *api.Call, in *AddRoleToInstanceProfileInput) ([]authz.Check, error) {
	pass := roleCheck(c, in.RoleName)
	pass.Action, pass.Shown = "iam:PassRole", "" // AWS shows the ARN here
	iamop.SetKey(&pass, "iam:PassedToService", "ec2.amazonaws.com")
	return []authz.Check{profileCheck(c, in.InstanceProfileName), pass}, nil
}

func (s *iam) addRoleToInstanceProfile(c *api.Call, in *AddRoleToInstanceProfileInput) error {
	return iamop.Fail(s.changeHolder(c, store.RoleHolder(in.RoleName), func(tx *store.Tx) error { return tx.AddRole(in.InstanceProfileName, in.RoleName) }))
}

func removeRoleFromInstanceProfileTarget(c *api.Call, in *RemoveRoleFromInstanceProfileInput) ([]authz.Check, error) {
	return profileTarget(c, in.InstanceProfileName)
}

func (s *iam) removeRoleFromInstanceProfile(c *api.Call, in *RemoveRoleFromInstanceProfileInput) error {
	return iamop.Fail(s.changeHolder(c, store.RoleHolder(in.RoleName), func(tx *store.Tx) error { return tx.RemoveRole(in.InstanceProfileName, in.RoleName) }))
}

// profilesOf collects the profiles that hold a role.
func profilesOf(c *api.Call, r *store.Role) []*store.InstanceProfile {
	var out []*store.InstanceProfile
	for p := range c.View.ProfilesOfRole(r.Name) {
		out = append(out, p)
	}
	return out
}

// showProfile is a profile as lists show it: with its role, of which it tells
// less than ListRoles, and without tags.
func (s *iam) showProfile(c *api.Call, p *store.InstanceProfile) InstanceProfile {
	out := InstanceProfile{
		Path: p.Path, InstanceProfileName: p.Name, InstanceProfileId: p.ID,
		Arn: c.View.ProfileARN(p), CreateDate: p.Created, Roles: []Role{},
	}
	if p.Role != "" {
		if r, err := c.View.Role(p.Role); err == nil {
			role := s.briefRole(c, r)
			role.Description, role.MaxSessionDuration = nil, nil
			out.Roles = append(out.Roles, role)
		}
	}
	return out
}

func (s *iam) fullProfile(c *api.Call, p *store.InstanceProfile) InstanceProfile {
	out := s.showProfile(c, p)
	out.Tags = iamop.ShowTags[Tag](p.Tags)
	return out
}

func profileKey(p *store.InstanceProfile) (name, path string) { return p.Name, p.Path }
func profileName(p *store.InstanceProfile) string             { return p.Name }
