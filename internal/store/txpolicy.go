// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// Policy returns the managed policy with that ARN, of the account or of AWS.
func (tx *Tx) Policy(arn string) (*Policy, error) {
	s, err := tx.policy(arn)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return tx.view.provided.policy(arn).clone(), nil
	}
	return s.now.clone(), nil
}

// policy returns the slot of a policy, nil for one of AWS.
func (tx *Tx) policy(arn string) (*slot[Policy], error) {
	if tx.view.provided.policy(arn) != nil {
		return nil, nil
	}
	s := tx.policies.slot(policyName(arn))
	if s.now == nil || !s.now.is(arn) {
		return nil, notFound(KindPolicy, arn)
	}
	return s, nil
}

// ownPolicy returns the slot of a policy of the account.
func (tx *Tx) ownPolicy(arn string) (*slot[Policy], error) {
	s, err := tx.policy(arn)
	if err == nil && s == nil {
		err = fmt.Errorf("policy %s: %w", arn, ErrReadOnly)
	}
	return s, err
}

// refer checks that a managed policy exists, or that arn is "", and keeps it
// from being deleted at the same moment.
func (tx *Tx) refer(arn string) error {
	if arn == "" {
		return nil
	}
	s, err := tx.policy(arn)
	if err == nil && s != nil {
		s.touch()
	}
	return err
}

// CreatePolicy stores a new managed policy with one version, and fills all but
// Name, Path, Description and Tags.
func (tx *Tx) CreatePolicy(p *Policy, d *Document) error {
	s, err := tx.policies.vacant(p.Name)
	if err != nil {
		return err
	}
	if err := tx.create(quota.Policies, quota.VersionsInUse); err != nil {
		return err
	}
	p.Path = cmp.Or(p.Path, "/")
	if err := tx.checkRecord(p.Path, nil, p.Tags); err != nil {
		return err
	}
	if err := tx.checkDocument(quota.PolicySize, nil, d); err != nil {
		return err
	}
	p.Account, p.ID, p.Created = tx.a.id, tx.a.s.ids.Unique(ids.Policy, tx.a.id), stamp(tx.a.s.now())
	p.Updated = p.Created
	p.Default, p.Last, p.Versions = "v1", 1, []PolicyVersion{{ID: "v1", Created: p.Created, Document: d}}
	s.set(p.clone())
	return nil
}

// PutPolicy replaces a managed policy. Only tags and description may differ.
func (tx *Tx) PutPolicy(p *Policy) error {
	s, err := tx.ownPolicy(policyARN(p))
	if err != nil {
		return err
	}
	was := s.now
	if p.ID != was.ID || !p.Created.Equal(was.Created) || p.Default != was.Default || p.Last != was.Last ||
		!slices.Equal(p.Versions, was.Versions) {
		return invalid("policy %s: something changed that PutPolicy does not change", policyARN(p))
	}
	if err := tx.checkRecord(p.Path, was.Tags, p.Tags); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

// DeletePolicy deletes a managed policy that nobody holds, as permissions or
// as boundary, and that has no version but the default one.
func (tx *Tx) DeletePolicy(arn string) error {
	s, err := tx.ownPolicy(arn)
	if err != nil {
		return err
	}
	if err := inUse(KindPolicy, arn, []reason{
		{tx.holders(arn) > 0, ReasonHolders},
		{len(s.now.Versions) > 1, ReasonVersions},
	}); err != nil {
		return err
	}
	s.set(nil)
	return nil
}

func (tx *Tx) holders(arn string) int {
	return tx.view.AttachmentCount(arn) + tx.view.BoundaryCount(arn) +
		tx.users.changed(func(u *User) bool { return slices.Contains(u.Attached, arn) }) +
		tx.users.changed(func(u *User) bool { return u.Boundary == arn }) +
		tx.groups.changed(func(g *Group) bool { return slices.Contains(g.Attached, arn) }) +
		tx.roles.changed(func(r *Role) bool { return slices.Contains(r.Attached, arn) }) +
		tx.roles.changed(func(r *Role) bool { return r.Boundary == arn })
}

// AddVersion adds a version to a managed policy, and puts it in force if
// setDefault. Version numbers are never used again.
func (tx *Tx) AddVersion(arn string, d *Document, setDefault bool) (*PolicyVersion, error) {
	s, err := tx.ownPolicy(arn)
	if err != nil {
		return nil, err
	}
	n := len(s.now.Versions)
	if err := tx.account.now.within(quota.Versions, n, n+1); err != nil {
		return nil, err
	}
	if err := tx.create(quota.VersionsInUse); err != nil {
		return nil, err
	}
	if err := tx.checkDocument(quota.PolicySize, nil, d); err != nil {
		return nil, err
	}
	p := s.now.clone()
	p.Last++
	p.Updated = stamp(tx.a.s.now())
	v := PolicyVersion{ID: "v" + strconv.Itoa(p.Last), Created: p.Updated, Document: d}
	p.Versions = append(p.Versions, v)
	if setDefault {
		p.Default = v.ID
	}
	s.set(p)
	return &v, nil
}

// DeleteVersion deletes a version that is not in force.
func (tx *Tx) DeleteVersion(arn, id string) error {
	s, err := tx.version(arn, id)
	if err != nil {
		return err
	}
	if err := inUse(KindVersion, id, []reason{{s.now.Default == id, ReasonInDefault}}); err != nil {
		return err
	}
	p := s.now.clone()
	p.Versions = slices.DeleteFunc(p.Versions, func(v PolicyVersion) bool { return v.ID == id })
	p.Updated = stamp(tx.a.s.now())
	s.set(p)
	return nil
}

// SetDefault puts a version in force.
func (tx *Tx) SetDefault(arn, id string) error {
	s, err := tx.version(arn, id)
	if err != nil {
		return err
	}
	p := s.now.clone()
	p.Default, p.Updated = id, stamp(tx.a.s.now())
	s.set(p)
	return nil
}

// version returns the slot of a policy of the account that has the version.
func (tx *Tx) version(arn, id string) (*slot[Policy], error) {
	s, err := tx.ownPolicy(arn)
	if err != nil {
		return nil, err
	}
	if s.now.Version(id) == nil {
		return nil, notFound(KindVersion, id)
	}
	return s, nil
}
