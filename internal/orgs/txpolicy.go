// SPDX-License-Identifier: Apache-2.0

package orgs

import (
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// ErrLastPolicy says that a target would be left without any policy of a type
// that has to have one.
var ErrLastPolicy = errors.New("the last policy of its type at this target")

// EnableType enables a type of policies and gives every target its default.
func (tx *Tx) EnableType(name string) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	now := tx.self.clone()
	if now.Type(name) != nil {
		return exists(store.KindPolicyType, name)
	}
	i := slices.IndexFunc(now.Types, func(t PolicyType) bool { return t.Name == name })
	if i < 0 {
		now.Types, i = append(now.Types, PolicyType{Name: name}), len(now.Types)
	}
	now.Types[i].Enabled = true
	now.Types[i].Epoch++
	tx.set(now)
	return nil
}

// DisableType disables a type of policies and so detaches all policies of it.
func (tx *Tx) DisableType(name string) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	now := tx.self.clone()
	t := now.Type(name)
	if t == nil {
		return notFound(store.KindPolicyType, name)
	}
	t.Enabled = false
	tx.set(now)
	return nil
}

// Policy returns the policy of that id.
func (tx *Tx) Policy(id string) (*Policy, error) {
	o, err := tx.changing()
	if err != nil {
		return nil, err
	}
	p, err := own(o, id)
	if err != nil {
		return nil, err
	}
	return p.clone(), nil
}

// own returns a policy that is the organization's to change.
func own(o *Org, id string) (*Policy, error) {
	if provided(id) != nil {
		return nil, store.ErrReadOnly
	}
	return o.Policy(id)
}

// CreatePolicy stores a new policy, and fills ID and Updated.
func (tx *Tx) CreatePolicy(p *Policy) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	n := 0
	for range o.Policies(p.Type, "") {
		n++
	}
	if err := tx.quota(quota.OrgPolicies, n, n+1); err != nil {
		return err
	}
	p.ID, p.Updated = "p-"+tx.r.IDs.Lower(8), tx.stamp()
	if err := tx.checkPolicy(o, nil, p); err != nil {
		return err
	}
	tx.put(dirPolicy+p.ID, p)
	return nil
}

// PutPolicy replaces a policy and fills Updated. Its type stays.
func (tx *Tx) PutPolicy(p *Policy) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	was, err := own(o, p.ID)
	if err != nil {
		return err
	}
	if p.Type != was.Type {
		return invalid("policy %s: another type", p.ID)
	}
	if err := tx.checkPolicy(o, was, p); err != nil {
		return err
	}
	p.Updated = tx.stamp()
	tx.put(dirPolicy+p.ID, p)
	return nil
}

func (tx *Tx) checkPolicy(o *Org, was, p *Policy) error {
	if p.Document == nil || !utf8.ValidString(p.Document.Text()) {
		return invalid("policy %s: a document that is missing or not UTF-8", p.ID)
	}
	for other := range o.Policies(p.Type, "") {
		if other.Name == p.Name && other.ID != p.ID {
			return exists(store.KindOrgPolicy, p.Name)
		}
	}
	size, tags := 0, 0
	if was != nil {
		size, tags = utf8.RuneCountInString(was.Document.Text()), len(was.Tags)
	}

	if err := tx.quota(sizeQuota(p.Type), size, utf8.RuneCountInString(p.Document.Text())); err != nil {
		return err
	}
	return tx.quota(quota.Tags, tags, len(p.Tags))
}

// DeletePolicy deletes a policy that is attached to nothing.
func (tx *Tx) DeletePolicy(id string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	p, err := own(o, id)
	if err != nil {
		return err
	}
	for range o.Targets(p) {
		return &store.InUseError{Kind: store.KindOrgPolicy, Name: id, Reason: store.ReasonTargets}
	}
	tx.tx.DeleteAnnexed(store.AnnexOrganization, dirPolicy+id)
	return nil
}

// AttachPolicy attaches a policy to a root, unit or account. Its type must be
// enabled.
func (tx *Tx) AttachPolicy(id, target string) error {
	return tx.reattach(id, target, func(ids []string, p *Policy) ([]string, error) {
		if slices.Contains(ids, id) {
			return nil, exists(store.KindAttachment, id)
		}
		return append(slices.Clone(ids), id), tx.quota(quota.OrgAttachments, len(ids), len(ids)+1)
	})
}

// DetachPolicy detaches a policy. The error is ErrLastPolicy if the target
// would be left without one of a type that allows.
func (tx *Tx) DetachPolicy(id, target string) error {
	return tx.reattach(id, target, func(ids []string, p *Policy) ([]string, error) {
		i := slices.Index(ids, id)
		switch {
		case i < 0:
			return nil, notFound(store.KindAttachment, id)
		case id == FullResourceAccess:
			return nil, store.ErrReadOnly
		case len(ids) == 1 && defaultPolicies[p.Type] != nil:
			return nil, ErrLastPolicy
		}
		return slices.Delete(slices.Clone(ids), i, i+1), nil
	})
}

func (tx *Tx) reattach(id, target string, edit func([]string, *Policy) ([]string, error)) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	p, err := o.Policy(id)
	if err != nil {
		return err
	}
	if _, err := o.Member(target); err != nil && !o.Holds(target) {
		return notFound(store.KindTarget, target)
	}
	t := tx.self.Type(p.Type)
	if t == nil {
		return notFound(store.KindPolicyType, p.Type)
	}
	now := o.attachments(target)
	ids, err := edit(now.of(t), p)
	if err != nil {
		return err
	}
	now = now.with(t, ids)
	switch {
	case target == o.self.Root:
		self := tx.self.clone()
		self.Attached = now
		tx.set(self)
	case isUnit(target):
		u, err := o.Unit(target)
		if err != nil {
			return err
		}
		u = u.clone()
		u.Attached = now
		tx.put(dirUnit+target, u)
	default:
		m, err := o.Member(target)
		if err != nil {
			return err
		}
		m = m.clone()
		m.Attached = now
		tx.put(dirMember+target, m)
	}
	return nil
}

// sizeQuota returns the quota of the size of policies of a type.
func sizeQuota(typ string) string {
	switch typ {
	case TypeSCP:
		return quota.SCPSize
	case TypeRCP:
		return quota.RCPSize
	case "AISERVICES_OPT_OUT_POLICY":
		return quota.AIPolicySize
	}
	return quota.OrgPolicySize
}
