// SPDX-License-Identifier: Apache-2.0

package store

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// A View is one account at one revision: immutable, complete, and safe for
// concurrent use. Every lookup by name ignores letter case. What it returns is
// shared and must not be modified. A lookup that finds nothing returns a
// *NotFoundError.
type View struct {
	s        *state
	revision kv.Revision
	provided *provided
}

// provided keeps the AWS managed policies that were asked for as records. The
// zero provided is ready.
type provided struct {
	mu    sync.RWMutex // guards below
	byARN map[string]*Policy
}

// Account returns the account's own record.
func (v *View) Account() *Account { return v.s.account.rec }

// Revision returns the revision of the last change that the view holds, or at
// which the account was loaded.
func (v *View) Revision() kv.Revision { return v.revision }

// User returns the user of that name.
func (v *View) User(name string) (*User, error) { return lookup(v.s.users, KindUser, name) }

// Group returns the group of that name.
func (v *View) Group(name string) (*Group, error) { return lookup(v.s.groups, KindGroup, name) }

// Role returns the role of that name.
func (v *View) Role(name string) (*Role, error) { return lookup(v.s.roles, KindRole, name) }

// PolicyNamed returns the account's own managed policy of that name.
func (v *View) PolicyNamed(name string) (*Policy, error) {
	return lookup(v.s.policies, KindPolicy, name)
}

// Profile returns the instance profile of that name.
func (v *View) Profile(name string) (*InstanceProfile, error) {
	return lookup(v.s.profiles, KindProfile, name)
}

func lookup[T any](t *rows[T], kind Kind, name string) (*T, error) {
	r, ok := t.Get(lower(name))
	if !ok {
		return nil, notFound(kind, name)
	}
	return r.rec, nil
}

// UserByID returns the user with that unique id.
func (v *View) UserByID(id string) (*User, error) { return byID[User](v, KindUser, id) }

// GroupByID returns the group with that unique id.
func (v *View) GroupByID(id string) (*Group, error) { return byID[Group](v, KindGroup, id) }

// RoleByID returns the role with that unique id.
func (v *View) RoleByID(id string) (*Role, error) { return byID[Role](v, KindRole, id) }

// PolicyByID returns the account's own managed policy with that unique id.
func (v *View) PolicyByID(id string) (*Policy, error) { return byID[Policy](v, KindPolicy, id) }

// ProfileByID returns the instance profile with that unique id.
func (v *View) ProfileByID(id string) (*InstanceProfile, error) {
	return byID[InstanceProfile](v, KindProfile, id)
}

func byID[T any](v *View, kind Kind, id string) (*T, error) {
	found, _ := v.s.ids.Get(id)
	rec, ok := found.(*T)
	if !ok {
		return nil, notFound(kind, id)
	}
	return rec, nil
}

// UserByKey returns the access key of that id and its user, who is nil for a
// key of the root user. The key may be inactive.
func (v *View) UserByKey(id string) (*User, *AccessKey, error) {
	user, ok := v.s.keys.Get(id)
	switch {
	case !ok:
		return nil, nil, notFound(KindKey, id)
	case user == nil:
		return nil, v.Account().Key(id), nil
	}
	return user, user.Key(id), nil
}

// Policy returns the managed policy with that ARN, compared exactly: one of
// this account or one of AWS's. Those of AWS have only their current version.
func (v *View) Policy(arn string) (*Policy, error) {
	if p := v.provided.policy(arn); p != nil {
		return p, nil
	}
	r, ok := v.s.policies.Get(lower(policyName(arn)))
	if !ok || !r.rec.is(arn) {
		return nil, notFound(KindPolicy, arn)
	}
	return r.rec, nil
}

func policyName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

const awsPolicies = "arn:aws:iam::" + awsAccount + ":policy/"

// policy returns a policy of AWS, or nil.
func (p *provided) policy(arn string) *Policy {
	if !strings.HasPrefix(arn, awsPolicies) {
		return nil
	}
	p.mu.RLock()
	have, ok := p.byARN[arn]
	p.mu.RUnlock()
	if ok {
		return have
	}
	m, ok := managed.Lookup(arn)
	if !ok {
		return nil
	}
	made := &Policy{
		Account: awsAccount,
		Name:    m.Name,
		Path:    m.Path,
		ID:      m.ID,
		Created: m.Created,
		Updated: m.Updated,
		Default: m.DefaultVersion,
		Versions: []PolicyVersion{{
			ID:       m.DefaultVersion,
			Created:  m.Updated,
			Document: NewDocument(arn, m.Document()),
		}},
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.byARN[arn]; ok {
		return have
	}
	if p.byARN == nil {
		p.byARN = make(map[string]*Policy)
	}
	p.byARN[arn] = made
	return made
}

// The lists are in the order of the lower-case names, and begin strictly after
// a name, which need not exist; "" lists all.

// Users lists the users after a name.
func (v *View) Users(after string) iter.Seq[*User] { return list(v.s.users, after) }

// Groups lists the groups after a name.
func (v *View) Groups(after string) iter.Seq[*Group] { return list(v.s.groups, after) }

// Roles lists the roles after a name.
func (v *View) Roles(after string) iter.Seq[*Role] { return list(v.s.roles, after) }

// Policies lists the account's own managed policies after a name.
func (v *View) Policies(after string) iter.Seq[*Policy] { return list(v.s.policies, after) }

// Profiles lists the instance profiles after a name.
func (v *View) Profiles(after string) iter.Seq[*InstanceProfile] { return list(v.s.profiles, after) }

// next is the least key greater than that of the name; names have no zero bytes.
func next(after string) string { return lower(after) + "\x00" }

func list[T any](t *rows[T], after string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		t.Ascend(next(after), func(_ string, r row[T]) bool { return yield(r.rec) })
	}
}

// linkedFrom yields the records of t that have a link of the kind to target.
func linkedFrom[T any](s *state, t *rows[T], kind, target, after string) iter.Seq[*T] {
	prefix := linkTo(kind, target) + "\x00"
	return func(yield func(*T) bool) {
		s.links.Ascend(prefix+next(after), func(link string, _ struct{}) bool {
			name, ok := strings.CutPrefix(link, prefix)
			if !ok {
				return false
			}
			r, ok := t.Get(name)
			return !ok || yield(r.rec)
		})
	}
}

// Members lists the users of a group after a name. A group that does not exist
// has none.
func (v *View) Members(group, after string) iter.Seq[*User] {
	g, err := v.Group(group)
	if err != nil {
		return func(func(*User) bool) {}
	}
	return linkedFrom(v.s, v.s.users, linkMember, g.ID, after)
}

// MemberCount returns the number of users of a group.
func (v *View) MemberCount(g *Group) int { return v.s.linked(linkMember, g.ID) }

// GroupsOf returns the groups of a user, in order of joining. The caller owns
// the slice.
func (v *View) GroupsOf(u *User) []*Group {
	if len(u.Groups) == 0 {
		return nil
	}
	groups := make([]*Group, 0, len(u.Groups))
	for _, id := range u.Groups {
		if g, err := v.GroupByID(id); err == nil {
			groups = append(groups, g)
		}
	}
	return groups
}

// ProfilesOfRole lists the instance profiles that hold a role.
func (v *View) ProfilesOfRole(role string) iter.Seq[*InstanceProfile] {
	return linkedFrom(v.s, v.s.profiles, linkProfile, lower(role), "")
}

// Holders returns who has a managed policy attached, one of the account's or of
// AWS's, in the order of names. The caller owns the slices.
func (v *View) Holders(policyARN string) (users []*User, groups []*Group, roles []*Role) {
	return slices.Collect(linkedFrom(v.s, v.s.users, linkUser, policyARN, "")),
		slices.Collect(linkedFrom(v.s, v.s.groups, linkGroup, policyARN, "")),
		slices.Collect(linkedFrom(v.s, v.s.roles, linkRole, policyARN, ""))
}

// BoundaryUsers returns who has a managed policy as permissions boundary, in
// the order of names. The caller owns the slices.
func (v *View) BoundaryUsers(policyARN string) (users []*User, roles []*Role) {
	return slices.Collect(linkedFrom(v.s, v.s.users, linkUserBoundary, policyARN, "")),
		slices.Collect(linkedFrom(v.s, v.s.roles, linkRoleBoundary, policyARN, ""))
}

// AttachmentCount returns how many users, groups and roles of the account have
// a managed policy attached.
func (v *View) AttachmentCount(policyARN string) int {
	return v.s.linked(linkUser, policyARN) + v.s.linked(linkGroup, policyARN) + v.s.linked(linkRole, policyARN)
}

// BoundaryCount returns how many users and roles of the account have a managed
// policy as permissions boundary.
func (v *View) BoundaryCount(policyARN string) int {
	return v.s.linked(linkUserBoundary, policyARN) + v.s.linked(linkRoleBoundary, policyARN)
}

// Quota returns the account's limit of that name; see package quota.
func (v *View) Quota(name string) int { return v.Account().quota(name) }

// Usage returns how much of a quota of the whole account is used. It is 0 for
// other quotas.
func (v *View) Usage(name string) int { return v.s.usage(name) }

func (s *state) usage(name string) int {
	switch name {
	case quota.Users:
		return s.users.Len()
	case quota.Groups:
		return s.groups.Len()
	case quota.Roles:
		return s.roles.Len()
	case quota.Policies:
		return s.policies.Len()
	case quota.Profiles:
		return s.profiles.Len()
	case quota.OIDCProviders:
		return s.oidc.Len()
	case quota.SAMLProviders:
		return s.saml.Len()
	case quota.VirtualDevices:
		return s.devices.Len()
	case quota.ServerCerts:
		return s.certs.Len()
	case quota.VersionsInUse:
		return s.versions
	case quota.Buckets:
		return s.annex[AnnexBucket].Len()
	}
	return 0
}

// awsAccount stands in the place of the account in the ARNs of AWS's policies.
const awsAccount = "aws"

// UserARN returns the ARN of a user of this account.
func (v *View) UserARN(u *User) string { return arnOf(v.s.id, "user", u.Path, u.Name) }

// GroupARN returns the ARN of a group of this account.
func (v *View) GroupARN(g *Group) string { return arnOf(v.s.id, "group", g.Path, g.Name) }

// RoleARN returns the ARN of a role of this account.
func (v *View) RoleARN(r *Role) string { return roleARN(v.s.id, r) }

// PolicyARN returns the ARN of a managed policy of this account or of AWS.
func (v *View) PolicyARN(p *Policy) string { return policyARN(p) }

// ProfileARN returns the ARN of an instance profile of this account.
func (v *View) ProfileARN(p *InstanceProfile) string {
	return arnOf(v.s.id, "instance-profile", p.Path, p.Name)
}

func roleARN(account string, r *Role) string { return arnOf(account, "role", r.Path, r.Name) }
func policyARN(p *Policy) string             { return arnOf(p.Account, "policy", p.Path, p.Name) }

// is reports whether arn is that of p. It does not allocate.
func (p *Policy) is(arn string) bool {
	for _, part := range [...]string{"arn:aws:iam::", p.Account, ":policy", p.Path} {
		var ok bool
		if arn, ok = strings.CutPrefix(arn, part); !ok {
			return false
		}
	}
	return arn == p.Name
}

func arnOf(account, kind, path, name string) string {
	return "arn:aws:iam::" + account + ":" + kind + path + name
}
