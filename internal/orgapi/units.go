// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"iter"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
)

func (s *org) createUnitTarget(c *api.Call, in *CreateOrganizationalUnitInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, func(o *orgs.Org) []authz.Check { return resources(o, in.ParentId) })
	return withTags(list, in.Tags), err
}

func (s *org) createUnit(c *api.Call, in *CreateOrganizationalUnitInput) (*CreateOrganizationalUnitOutput, error) {
	o, err := s.enter(c, only)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	u := &orgs.Unit{Name: in.Name, Parent: in.ParentId, Tags: tags}
	if err := s.update(c, func(tx *orgs.Tx) error { return tx.CreateUnit(u) }); err != nil {
		return nil, err
	}
	return &CreateOrganizationalUnitOutput{OrganizationalUnit: new(showUnit(o, u))}, nil
}

func (s *org) updateUnit(c *api.Call, in *UpdateOrganizationalUnitInput) (*UpdateOrganizationalUnitOutput, error) {
	o, err := s.enter(c, only)
	if err != nil {
		return nil, err
	}
	var changed *orgs.Unit
	err = s.update(c, func(tx *orgs.Tx) error {
		u, err := tx.Unit(in.OrganizationalUnitId)
		if err != nil {
			return err
		}
		if in.Name != nil {
			u.Name = *in.Name
		}
		changed = u
		return tx.PutUnit(u)
	})
	if err != nil {
		return nil, err
	}
	return &UpdateOrganizationalUnitOutput{OrganizationalUnit: new(showUnit(o, changed))}, nil
}

func (s *org) describeUnit(c *api.Call, in *DescribeOrganizationalUnitInput) (*DescribeOrganizationalUnitOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	u, err := o.Unit(in.OrganizationalUnitId)
	if err != nil {
		return nil, fail(err)
	}
	return &DescribeOrganizationalUnitOutput{OrganizationalUnit: new(showUnit(o, u))}, nil
}

func (s *org) deleteUnit(c *api.Call, in *DeleteOrganizationalUnitInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	return s.update(c, func(tx *orgs.Tx) error { return tx.DeleteUnit(in.OrganizationalUnitId) })
}

func (s *org) listUnitsForParent(c *api.Call, in *ListOrganizationalUnitsForParentInput) (*ListOrganizationalUnitsForParentOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	if !o.Holds(in.ParentId) {
		return nil, awserr.ParentNotFoundException
	}
	from := func(after string) iter.Seq[string] { return o.Children(in.ParentId, false, after) }
	p, err := paginate(in.NextToken, in.MaxResults, from, itself, func(id string) OrganizationalUnit {
		u, err := o.Unit(id)
		if err != nil { // cannot be: the list is made of the units
			return OrganizationalUnit{}
		}
		return showUnit(o, u)
	})
	if err != nil {
		return nil, err
	}
	return &ListOrganizationalUnitsForParentOutput{OrganizationalUnits: p.items, NextToken: p.next}, nil
}

func (s *org) listChildren(c *api.Call, in *ListChildrenInput) (*ListChildrenOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	if !o.Holds(in.ParentId) {
		return nil, awserr.ParentNotFoundException
	}
	from := func(after string) iter.Seq[string] {
		return o.Children(in.ParentId, in.ChildType == ChildTypeAccount, after)
	}
	p, err := paginate(in.NextToken, in.MaxResults, from, itself, func(id string) Child {
		return Child{Id: &id, Type: &in.ChildType}
	})
	if err != nil {
		return nil, err
	}
	return &ListChildrenOutput{Children: p.items, NextToken: p.next}, nil
}

func (s *org) listParents(c *api.Call, in *ListParentsInput) (*ListParentsOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	if _, err := openToken(in.NextToken); err != nil {
		return nil, err
	}
	parent, err := o.Parent(in.ChildId)
	if err != nil {
		return nil, awserr.ChildNotFoundException.Because(err)
	}
	kind := ParentTypeOrganizationalUnit
	if parent == o.Record().Root {
		kind = ParentTypeRoot
	}
	return &ListParentsOutput{Parents: []Parent{{Id: &parent, Type: &kind}}}, nil
}
