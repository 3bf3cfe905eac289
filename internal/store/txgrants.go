// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Holder names a user, group or role, which may hold policies.
type Holder struct {
	Kind Kind // KindUser, KindGroup or KindRole
	Name string
}

// UserHolder names a user.
func UserHolder(name string) Holder { return Holder{KindUser, name} }

// GroupHolder names a group.
func GroupHolder(name string) Holder { return Holder{KindGroup, name} }

// RoleHolder names a role.
func RoleHolder(name string) Holder { return Holder{KindRole, name} }

// A held is a copy of one holder's record that is being changed.
type held struct {
	*Grants
	boundary *string // nil for groups, which have none
	attached string  // quota of attached policies
	size     string  // quota of the inline policies' size
	save     func()
}

func (tx *Tx) hold(h Holder) (*held, error) {
	switch h.Kind {
	case KindUser:
		s, err := tx.users.find(h.Name)
		if err != nil {
			return nil, err
		}
		u := s.now.clone()
		return &held{&u.Grants, &u.Boundary, quota.UserPolicies, quota.UserPolicySize, func() { s.set(u) }}, nil
	case KindGroup:
		s, err := tx.groups.find(h.Name)
		if err != nil {
			return nil, err
		}
		g := s.now.clone()
		return &held{&g.Grants, nil, quota.GroupPolicies, quota.GroupPolicySize, func() { s.set(g) }}, nil
	case KindRole:
		s, err := tx.roles.find(h.Name)
		if err != nil {
			return nil, err
		}
		r := s.now.clone()
		return &held{&r.Grants, &r.Boundary, quota.RolePolicies, quota.RolePolicySize, func() { s.set(r) }}, nil
	}
	return nil, invalid("a %s holds no policies", h.Kind)
}

// Attach attaches a managed policy, which may be one of AWS's. One that is
// attached already stays so.
func (tx *Tx) Attach(h Holder, policyARN string) error {
	x, err := tx.hold(h)
	if err != nil {
		return err
	}
	if policyARN == "" {
		return notFound(KindPolicy, policyARN)
	}
	if err := tx.refer(policyARN); err != nil {
		return err
	}
	if slices.Contains(x.Attached, policyARN) {
		return nil
	}
	n := len(x.Attached)
	if err := tx.account.now.within(x.attached, n, n+1); err != nil {
		return err
	}
	x.Attached = append(x.Attached, policyARN)
	x.save()
	return nil
}

// Detach detaches a managed policy; it must be attached.
func (tx *Tx) Detach(h Holder, policyARN string) error {
	x, err := tx.hold(h)
	if err != nil {
		return err
	}
	i := slices.Index(x.Attached, policyARN)
	if i < 0 {
		return notFound(KindPolicy, policyARN)
	}
	x.Attached = slices.Delete(x.Attached, i, i+1)
	x.save()
	return nil
}

// SetBoundary makes a managed policy the permissions boundary of a user or
// role; "" removes it, and there must be one to remove.
func (tx *Tx) SetBoundary(h Holder, policyARN string) error {
	x, err := tx.hold(h)
	if err != nil {
		return err
	}
	if x.boundary == nil {
		return invalid("a %s has no permissions boundary", h.Kind)
	}
	if policyARN == "" && *x.boundary == "" {
		return notFound(KindBoundary, h.Name)
	}
	if err := tx.refer(policyARN); err != nil {
		return err
	}
	*x.boundary = policyARN
	x.save()
	return nil
}

// PutInline adds or replaces an inline policy.
func (tx *Tx) PutInline(h Holder, name string, d *Document) error {
	x, err := tx.hold(h)
	if err != nil {
		return err
	}
	if err := checkName(KindInline, name); err != nil {
		return err
	}
	before := *x.Grants
	x.Inline = slices.Clone(x.Inline)
	i, found := x.find(name)
	if found {
		x.Inline[i].Document = d
	} else {
		x.Inline = slices.Insert(x.Inline, i, Inline{Name: name, Document: d})
	}
	if err := tx.checkInline(x.size, &before, x.Grants); err != nil {
		return err
	}
	x.save()
	return nil
}

// DeleteInline deletes an inline policy.
func (tx *Tx) DeleteInline(h Holder, name string) error {
	x, err := tx.hold(h)
	if err != nil {
		return err
	}
	i, found := x.find(name)
	if !found {
		return notFound(KindInline, name)
	}
	x.Inline = slices.Delete(x.Inline, i, i+1)
	x.save()
	return nil
}

// find returns where the inline policy of that name is, or belongs.
func (g *Grants) find(name string) (int, bool) {
	return slices.BinarySearchFunc(g.Inline, name, func(in Inline, name string) int { return cmp.Compare(in.Name, name) })
}

// checkInline checks that inline policies are well-formed and sorted, and that
// their total size is within the quota.
func (tx *Tx) checkInline(quota string, before, after *Grants) error {
	for i := range after.Inline {
		in := &after.Inline[i]
		if err := in.Document.check(); err != nil {
			return err
		}
		if i > 0 && after.Inline[i-1].Name >= in.Name {
			return invalid("inline policies are not sorted by name")
		}
	}
	return tx.account.now.within(quota, before.size(), after.size())
}

func (g *Grants) size() int {
	n := 0
	for i := range g.Inline {
		n += policy.SizeWithoutSpace(g.Inline[i].Document.Text())
	}
	return n
}

// checkDocument checks a document that replaces before, which may be nil.
func (tx *Tx) checkDocument(quota string, before, d *Document) error {
	if err := d.check(); err != nil {
		return err
	}
	was := 0
	if before != nil {
		was = policy.SizeWithoutSpace(before.Text())
	}
	return tx.account.now.within(quota, was, policy.SizeWithoutSpace(d.Text()))
}

// check refuses documents that could not be stored byte for byte.
func (d *Document) check() error {
	if d == nil || !utf8.ValidString(d.text) {
		return invalid("a document that is missing or not UTF-8")
	}
	return nil
}
