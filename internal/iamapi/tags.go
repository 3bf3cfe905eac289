// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// newTags returns have with the tags of a request set. Keys compare without
// regard to letter case: a new value keeps the key as it was first written (IAM
// User Guide, "Rules for tagging"). A key twice in one request is an error.
func newTags(have []store.Tag, set []Tag) ([]store.Tag, error) {
	out := slices.Clone(have)
	for i, t := range set {
		if slices.ContainsFunc(set[:i], func(p Tag) bool { return strings.EqualFold(p.Key, t.Key) }) {
			return nil, awserr.InvalidInput.Msg("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, awserr.InvalidInput.Msg("Tag keys that begin with aws: are reserved.")
		}
		if j := tagIndex(out, t.Key); j >= 0 {
			out[j].Value = t.Value
		} else {
			out = append(out, store.Tag{Key: t.Key, Value: t.Value})
		}
	}
	return out, nil
}

// withoutTags returns have without the given keys; unknown keys are ignored.
func withoutTags(have []store.Tag, keys []string) []store.Tag {
	return slices.DeleteFunc(slices.Clone(have), func(t store.Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, t.Key) })
	})
}

func tagIndex(tags []store.Tag, key string) int {
	return slices.IndexFunc(tags, func(t store.Tag) bool { return strings.EqualFold(t.Key, key) })
}

// showTags shows tags; nil for none, which leaves the element out.
func showTags(tags []store.Tag) []Tag {
	if len(tags) == 0 {
		return nil
	}
	out := make([]Tag, len(tags))
	for i, t := range tags {
		out[i] = Tag{Key: t.Key, Value: t.Value}
	}
	return out
}

// tagTarget adds the tags of a Tag request to the target of the entity.
func tagTarget(checks []authz.Check, err error, tags []Tag) ([]authz.Check, error) {
	for i := range checks {
		requestTags(&checks[i], tags)
	}
	return checks, err
}

// untagTarget adds the keys of an Untag request to the target of the entity.
func untagTarget(checks []authz.Check, err error, keys []string) ([]authz.Check, error) {
	for i := range checks {
		tagKeys(&checks[i], keys)
	}
	return checks, err
}

// tagPage is one page of an entity's tags.
func tagPage(tags []store.Tag, marker *string, maxItems *int32) (page[Tag], error) {
	from := func(after string) iter.Seq2[string, store.Tag] {
		return sorted(tags, after, func(t store.Tag) string { return t.Key })
	}
	return paginate(marker, maxItems, from, func(t store.Tag) Tag { return Tag{Key: t.Key, Value: t.Value} })
}

func tagUserTarget(c *api.Call, in *TagUserInput) ([]authz.Check, error) {
	checks, err := userTarget(c, in.UserName)
	return tagTarget(checks, err, in.Tags)
}

func (s *iam) tagUser(c *api.Call, in *TagUserInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.User(in.UserName)
		if err != nil {
			return err
		}
		if e.Tags, err = newTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutUser(e)
	})
	return err
}

func untagUserTarget(c *api.Call, in *UntagUserInput) ([]authz.Check, error) {
	checks, err := userTarget(c, in.UserName)
	return untagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagUser(c *api.Call, in *UntagUserInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.User(in.UserName)
		if err != nil {
			return err
		}
		e.Tags = withoutTags(e.Tags, in.TagKeys)
		return tx.PutUser(e)
	})
	return err
}

func listUserTagsTarget(c *api.Call, in *ListUserTagsInput) ([]authz.Check, error) {
	return userTarget(c, in.UserName)
}

func (s *iam) listUserTags(c *api.Call, in *ListUserTagsInput) (*ListUserTagsOutput, error) {
	e, err := c.View.User(in.UserName)
	if err != nil {
		return nil, fail(err)
	}
	p, err := tagPage(e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListUserTagsOutput{Tags: p.items, IsTruncated: p.truncated, Marker: p.marker}, nil
}

func tagRoleTarget(c *api.Call, in *TagRoleInput) ([]authz.Check, error) {
	checks, err := roleTarget(c, in.RoleName)
	return tagTarget(checks, err, in.Tags)
}

func (s *iam) tagRole(c *api.Call, in *TagRoleInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Role(in.RoleName)
		if err != nil {
			return err
		}
		if e.Tags, err = newTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutRole(e)
	})
	return err
}

func untagRoleTarget(c *api.Call, in *UntagRoleInput) ([]authz.Check, error) {
	checks, err := roleTarget(c, in.RoleName)
	return untagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagRole(c *api.Call, in *UntagRoleInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Role(in.RoleName)
		if err != nil {
			return err
		}
		e.Tags = withoutTags(e.Tags, in.TagKeys)
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
		return nil, fail(err)
	}
	p, err := tagPage(e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListRoleTagsOutput{Tags: p.items, IsTruncated: p.truncated, Marker: p.marker}, nil
}

func tagInstanceProfileTarget(c *api.Call, in *TagInstanceProfileInput) ([]authz.Check, error) {
	checks, err := profileTarget(c, in.InstanceProfileName)
	return tagTarget(checks, err, in.Tags)
}

func (s *iam) tagInstanceProfile(c *api.Call, in *TagInstanceProfileInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Profile(in.InstanceProfileName)
		if err != nil {
			return err
		}
		if e.Tags, err = newTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutProfile(e)
	})
	return err
}

func untagInstanceProfileTarget(c *api.Call, in *UntagInstanceProfileInput) ([]authz.Check, error) {
	checks, err := profileTarget(c, in.InstanceProfileName)
	return untagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagInstanceProfile(c *api.Call, in *UntagInstanceProfileInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Profile(in.InstanceProfileName)
		if err != nil {
			return err
		}
		e.Tags = withoutTags(e.Tags, in.TagKeys)
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
		return nil, fail(err)
	}
	p, err := tagPage(e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListInstanceProfileTagsOutput{Tags: p.items, IsTruncated: p.truncated, Marker: p.marker}, nil
}

func tagPolicyTarget(c *api.Call, in *TagPolicyInput) ([]authz.Check, error) {
	checks, err := policyTarget(c, in.PolicyArn)
	return tagTarget(checks, err, in.Tags)
}

func (s *iam) tagPolicy(c *api.Call, in *TagPolicyInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Policy(in.PolicyArn)
		if err != nil {
			return err
		}
		if e.Tags, err = newTags(e.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutPolicy(e)
	})
	return noPolicy(err, in.PolicyArn)
}

func untagPolicyTarget(c *api.Call, in *UntagPolicyInput) ([]authz.Check, error) {
	checks, err := policyTarget(c, in.PolicyArn)
	return untagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagPolicy(c *api.Call, in *UntagPolicyInput) error {
	err := s.update(c, func(tx *store.Tx) error {
		e, err := tx.Policy(in.PolicyArn)
		if err != nil {
			return err
		}
		e.Tags = withoutTags(e.Tags, in.TagKeys)
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
	p, err := tagPage(e.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListPolicyTagsOutput{Tags: p.items, IsTruncated: p.truncated, Marker: p.marker}, nil
}
