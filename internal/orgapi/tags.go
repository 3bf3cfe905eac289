// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func (s *org) tagTarget(c *api.Call, in *TagResourceInput) ([]authz.Check, error) {
	list, err := s.checks(c, manager, func(o *orgs.Org) []authz.Check { return resources(o, in.ResourceId) })
	return requestTags(list, in.Tags), err
}

func (s *org) tagResource(c *api.Call, in *TagResourceInput) error {
	return s.retag(c, in.ResourceId, func(have []store.Tag) ([]store.Tag, error) { return newTags(have, in.Tags) })
}

func (s *org) untagTarget(c *api.Call, in *UntagResourceInput) ([]authz.Check, error) {
	list, err := s.checks(c, manager, func(o *orgs.Org) []authz.Check { return resources(o, in.ResourceId) })
	return tagKeys(list, in.TagKeys), err
}

func (s *org) untagResource(c *api.Call, in *UntagResourceInput) error {
	return s.retag(c, in.ResourceId, func(have []store.Tag) ([]store.Tag, error) {
		return slices.DeleteFunc(slices.Clone(have), func(t store.Tag) bool { return slices.Contains(in.TagKeys, t.Key) }), nil
	})
}

// retag changes the tags of a thing of the organization.
func (s *org) retag(c *api.Call, id string, edit func([]store.Tag) ([]store.Tag, error)) error {
	if _, err := s.enter(c, manager); err != nil {
		return err
	}
	return s.update(c, func(tx *orgs.Tx) (err error) {
		tags, save, err := taggable(tx, id)
		if err != nil {
			return err
		}
		if *tags, err = edit(*tags); err != nil {
			return err
		}
		return save()
	})
}

// taggable returns the tags of a thing, to be changed, and what then saves them.
func taggable(tx *orgs.Tx, id string) (tags *[]store.Tag, save func() error, err error) {
	switch kind, _, _ := strings.Cut(id, "-"); kind {
	case "ou":
		u, err := tx.Unit(id)
		if err != nil {
			return nil, nil, awserr.TargetNotFoundException.Because(err)
		}
		return &u.Tags, func() error { return tx.PutUnit(u) }, nil
	case "p":
		p, err := tx.Policy(id)
		if err != nil {
			return nil, nil, err
		}
		return &p.Tags, func() error { return tx.PutPolicy(p) }, nil
	case "r", "rp":
		o, err := tx.Organization()
		if err != nil {
			return nil, nil, err
		}
		switch id {
		case o.Root:
			return &o.Tags, func() error { return tx.PutOrganization(o) }, nil
		case o.PolicyID:
			return &o.PolicyTags, func() error { return tx.PutOrganization(o) }, nil
		}
	default:
		m, err := tx.Member(id)
		if err != nil {
			return nil, nil, awserr.TargetNotFoundException.Because(err)
		}
		return &m.Tags, func() error { return tx.PutMember(m) }, nil
	}
	return nil, nil, awserr.TargetNotFoundException
}

func (s *org) listTags(c *api.Call, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	if !there(o, in.ResourceId) {
		return nil, awserr.TargetNotFoundException
	}
	_, tags := resource(o, in.ResourceId)
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b store.Tag) int { return strings.Compare(a.Key, b.Key) })
	from := func(last string) iter.Seq[store.Tag] {
		return after(sorted, last, func(t store.Tag) string { return t.Key })
	}
	limit := int32(len(sorted))
	p, err := paginate(in.NextToken, &limit, from, func(t store.Tag) string { return t.Key },
		func(t store.Tag) Tag { return Tag{Key: t.Key, Value: t.Value} })
	if err != nil {
		return nil, err
	}
	return &ListTagsForResourceOutput{Tags: p.items, NextToken: p.next}, nil
}

// there reports whether something that can have tags exists.
func there(o *orgs.Org, id string) bool {
	if _, err := o.Policy(id); err == nil {
		return true
	}
	return exists(o, id) || id == o.Record().PolicyID && id != ""
}
