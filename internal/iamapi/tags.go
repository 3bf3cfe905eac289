// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func tagUserTarget(c *api.Call, in *TagUserInput) ([]authz.Check, error) {
	checks, err := iamop.UserTarget(c, in.UserName)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *iam) tagUser(c *api.Call, in *TagUserInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.User(in.UserName)
		if err != nil {
			return err
		}
		if e.Tags, err = iamop.NewTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutUser(e)
	})
	return err
}

func untagUserTarget(c *api.Call, in *UntagUserInput) ([]authz.Check, error) {
	checks, err := iamop.UserTarget(c, in.UserName)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagUser(c *api.Call, in *UntagUserInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.User(in.UserName)
		if err != nil {
			return err
		}
		e.Tags = iamop.WithoutTags(e.Tags, in.TagKeys)
		return tx.PutUser(e)
	})
	return err
}

func listUserTagsTarget(c *api.Call, in *ListUserTagsInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *iam) listUserTags(c *api.Call, in *ListUserTagsInput) (*ListUserTagsOutput, error) {
	e, err := c.View.User(in.UserName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	p, err := iamop.TagPage[Tag](e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListUserTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func tagRoleTarget(c *api.Call, in *TagRoleInput) ([]authz.Check, error) {
	checks, err := roleTarget(c, in.RoleName)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *iam) tagRole(c *api.Call, in *TagRoleInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Role(in.RoleName)
		if err != nil {
			return err
		}
		if e.Tags, err = iamop.NewTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutRole(e)
	})
	return err
}

func untagRoleTarget(c *api.Call, in *UntagRoleInput) ([]authz.Check, error) {
	checks, err := roleTarget(c, in.RoleName)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagRole(c *api.Call, in *UntagRoleInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Role(in.RoleName)
		if err != nil {
			return err
		}
		e.Tags = iamop.WithoutTags(e.Tags, in.TagKeys)
		return tx.PutRole(e)
	})
	return err
}

func listRoleTagsTarget(c *api.Call, in *ListRoleTagsInput) ([]authz.Check, error) {
	return roleTarget(c, in.RoleName)
}

func (s *iam) listRoleTags(c *api.Call, in *ListRoleTagsInput) (*ListRoleTagsOutput, error) {
	e, err := c.View.Role(in.RoleName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	p, err := iamop.TagPage[Tag](e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListRoleTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func tagInstanceProfileTarget(c *api.Call, in *TagInstanceProfileInput) ([]authz.Check, error) {
	checks, err := profileTarget(c, in.InstanceProfileName)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *iam) tagInstanceProfile(c *api.Call, in *TagInstanceProfileInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Profile(in.InstanceProfileName)
		if err != nil {
			return err
		}
		if e.Tags, err = iamop.NewTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutProfile(e)
	})
	return err
}

func untagInstanceProfileTarget(c *api.Call, in *UntagInstanceProfileInput) ([]authz.Check, error) {
	checks, err := profileTarget(c, in.InstanceProfileName)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagInstanceProfile(c *api.Call, in *UntagInstanceProfileInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Profile(in.InstanceProfileName)
		if err != nil {
			return err
		}
		e.Tags = iamop.WithoutTags(e.Tags, in.TagKeys)
		return tx.PutProfile(e)
	})
	return err
}

func listInstanceProfileTagsTarget(c *api.Call, in *ListInstanceProfileTagsInput) ([]authz.Check, error) {
	return profileTarget(c, in.InstanceProfileName)
}

func (s *iam) listInstanceProfileTags(c *api.Call, in *ListInstanceProfileTagsInput) (*ListInstanceProfileTagsOutput, error) {
	e, err := c.View.Profile(in.InstanceProfileName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	p, err := iamop.TagPage[Tag](e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListInstanceProfileTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func tagPolicyTarget(c *api.Call, in *TagPolicyInput) ([]authz.Check, error) {
	checks, err := policyTarget(c, in.PolicyArn)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *iam) tagPolicy(c *api.Call, in *TagPolicyInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Policy(in.PolicyArn)
		if err != nil {
			return err
		}
		if e.Tags, err = iamop.NewTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutPolicy(e)
	})
	return noPolicy(err, in.PolicyArn)
}

func untagPolicyTarget(c *api.Call, in *UntagPolicyInput) ([]authz.Check, error) {
	checks, err := policyTarget(c, in.PolicyArn)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagPolicy(c *api.Call, in *UntagPolicyInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Policy(in.PolicyArn)
		if err != nil {
			return err
		}
		e.Tags = iamop.WithoutTags(e.Tags, in.TagKeys)
		return tx.PutPolicy(e)
	})
	return noPolicy(err, in.PolicyArn)
}

func listPolicyTagsTarget(c *api.Call, in *ListPolicyTagsInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) listPolicyTags(c *api.Call, in *ListPolicyTagsInput) (*ListPolicyTagsOutput, error) {
	e, err := c.View.Policy(in.PolicyArn)
	if err != nil {
		return nil, noPolicy(err, in.PolicyArn)
	}
	p, err := iamop.TagPage[Tag](e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListPolicyTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
