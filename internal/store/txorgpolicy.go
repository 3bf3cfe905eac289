// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"slices"
	"unicode/utf8"
)

// ErrLastPolicy says that a target would be left without any policy of a type
// that has to have one.
var ErrLastPolicy = errors.New("the last policy of its type at this target")

// EnableType enables a type of policies and gives every target its default.
func (tx *Tx) EnableType(name string) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	now := tx.o().self.now.clone()
	if now.Type(name) != nil {
		return exists(KindPolicyType, name)
	}
	i := slices.IndexFunc(now.Types, func(t PolicyType) bool { return t.Name == name })
	if i < 0 {
		now.Types, i = append(now.Types, PolicyType{Name: name}), len(now.Types)
	}
	now.Types[i].Enabled = true
	now.Types[i].Epoch++
	tx.o().self.set(now)
	return nil
}

// DisableType disables a type of policies and so detaches all policies of it.
func (tx *Tx) DisableType(name string) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	now := tx.o().self.now.clone()
	t := now.Type(name)
	if t == nil {
		return notFound(KindPolicyType, name)
	}
	t.Enabled = false
	tx.o().self.set(now)
	return nil
}

// OrgPolicy returns the organization policy of that id.
func (tx *Tx) OrgPolicy(id string) (*OrgPolicy, error) {
	s, err := tx.orgPolicy(id)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

func (tx *Tx) orgPolicy(id string) (*slot[OrgPolicy], error) {
	if providedOrgPolicy(id) != nil {
		return nil, ErrReadOnly
	}
	s, err := tx.o().policies.find(id)
	if err == nil && s.now.ID != id {
		return nil, notFound(KindOrgPolicy, id)
	}
	return s, err
}

// CreateOrgPolicy stores a new policy, and fills ID and Updated.
func (tx *Tx) CreateOrgPolicy(p *OrgPolicy) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	n := 0
	for range o.Policies(p.Type, "") {
		n++
	}
	if err := tx.account.now.within(QuotaOrgPolicies, n, n+1); err != nil {
		return err
	}
	p.ID, p.Updated = "p-"+tx.a.s.ids.Lower(8), stamp(tx.a.s.now())
	s, err := tx.o().policies.vacant(p.ID)
	if err != nil {
		return err
	}
	if err := tx.checkOrgPolicy(o, nil, p); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

// PutOrgPolicy replaces a policy and fills Updated. Its type stays.
func (tx *Tx) PutOrgPolicy(p *OrgPolicy) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	s, err := tx.orgPolicy(p.ID)
	if err != nil {
		return err
	}
	if p.Type != s.now.Type {
		return invalid("policy %s: another type", p.ID)
	}
	if err := tx.checkOrgPolicy(o, s.now, p); err != nil {
		return err
	}
	p.Updated = stamp(tx.a.s.now())
	s.set(p.clone())
	return nil
}

func (tx *Tx) checkOrgPolicy(o *Org, was, p *OrgPolicy) error {
	if err := p.Document.check(); err != nil {
		return err
	}
	for other := range o.Policies(p.Type, "") {
		if other.Name == p.Name && other.ID != p.ID {
			return exists(KindOrgPolicy, p.Name)
		}
	}
	size, tags := 0, 0
	if was != nil {
		size, tags = utf8.RuneCountInString(was.Document.Text()), len(was.Tags)
	}
	account := tx.account.now
	if err := account.within(orgPolicySize(p.Type), size, utf8.RuneCountInString(p.Document.Text())); err != nil {
		return err
	}
	return account.within(QuotaTags, tags, len(p.Tags))
}

// DeleteOrgPolicy deletes a policy that is attached to nothing.
func (tx *Tx) DeleteOrgPolicy(id string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	s, err := tx.orgPolicy(id)
	if err != nil {
		return err
	}
	for range o.Targets(s.now) {
		return &InUseError{Kind: KindOrgPolicy, Name: id, Reason: ReasonTargets}
	}
	s.set(nil)
	return nil
}

// AttachOrgPolicy attaches a policy to a root, unit or account. Its type must be
// enabled.
func (tx *Tx) AttachOrgPolicy(id, target string) error {
	return tx.reattach(id, target, func(ids []string, p *OrgPolicy) ([]string, error) {
		if slices.Contains(ids, id) {
			return nil, exists(KindAttachment, id)
		}
		return append(slices.Clone(ids), id), tx.account.now.within(QuotaOrgAttachments, len(ids), len(ids)+1)
	})
}

// DetachOrgPolicy detaches a policy. The error is ErrLastPolicy if the target
// would be left without one of a type that allows.
func (tx *Tx) DetachOrgPolicy(id, target string) error {
	return tx.reattach(id, target, func(ids []string, p *OrgPolicy) ([]string, error) {
		i := slices.Index(ids, id)
		switch {
		case i < 0:
			return nil, notFound(KindAttachment, id)
		case id == FullResourceAccess:
			return nil, ErrReadOnly
		case len(ids) == 1 && defaultPolicies[p.Type] != nil:
			return nil, ErrLastPolicy
		}
		return slices.Delete(slices.Clone(ids), i, i+1), nil
	})
}

func (tx *Tx) reattach(id, target string, edit func([]string, *OrgPolicy) ([]string, error)) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	p, err := o.Policy(id)
	if err != nil {
		return err
	}
	if _, err := o.Member(target); err != nil && !o.Holds(target) {
		return notFound(KindTarget, target)
	}
	t := tx.o().self.now.Type(p.Type)
	if t == nil {
		return notFound(KindPolicyType, p.Type)
	}
	now := o.attachments(target)
	ids, err := edit(now.of(t), p)
	if err != nil {
		return err
	}
	now = now.with(t, ids)
	switch {
	case target == o.self.rec.Root:
		self := tx.o().self.now.clone()
		self.Attached = now
		tx.o().self.set(self)
	case isUnit(target):
		s := tx.o().units.slot(target)
		u := s.now.clone()
		u.Attached = now
		s.set(u)
	default:
		s := tx.o().members.slot(target)
		m := s.now.clone()
		m.Attached = now
		s.set(m)
	}
	return nil
}
