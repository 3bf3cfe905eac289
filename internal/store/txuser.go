// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// User returns the user of that name.
func (tx *Tx) User(name string) (*User, error) {
	s, err := tx.users.find(name)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateUser stores a new user, and fills ID, Created and an empty Path. It
// must have no groups and no attached policies yet; a boundary must exist.
func (tx *Tx) CreateUser(u *User) error {
	s, err := tx.users.vacant(u.Name)
	if err != nil {
		return err
	}
	if len(u.Groups)+len(u.Attached) > 0 {
		return invalid("new user %q with groups or attached policies", u.Name)
	}
	if err := tx.create(quota.Users); err != nil {
		return err
	}
	u.Path = cmp.Or(u.Path, "/")
	u.ID, u.Created = tx.a.s.ids.Unique(ids.User, tx.a.id), stamp(tx.a.s.now())
	if err := tx.checkUser(new(User), u); err != nil {
		return err
	}
	if err := tx.refer(u.Boundary); err != nil {
		return err
	}
	s.set(u.clone())
	return nil
}

// PutUser replaces a user. Its name, id, time of creation, groups, attached
// policies and boundary must be as they were: they have methods of their own.
func (tx *Tx) PutUser(u *User) error {
	s, err := tx.users.find(u.Name)
	if err != nil {
		return err
	}
	was := s.now
	if u.Name != was.Name || u.ID != was.ID || !u.Created.Equal(was.Created) || u.Boundary != was.Boundary ||
		!slices.Equal(u.Groups, was.Groups) || !slices.Equal(u.Attached, was.Attached) {
		return invalid("user %q: something changed that PutUser does not change", u.Name)
	}
	if err := tx.checkUser(was, u); err != nil {
		return err
	}
	s.set(u.clone())
	return nil
}

// checkUser checks what holds within one user, who was before.
func (tx *Tx) checkUser(was, u *User) error {
	if err := tx.checkRecord(u.Path, was.Tags, u.Tags); err != nil {
		return err
	}
	if err := tx.checkInline(quota.UserPolicySize, &was.Grants, &u.Grants); err != nil {
		return err
	}
	if err := tx.checkCredentials(was, u); err != nil {
		return err
	}
	return tx.checkKeys(u.ID, was.Keys, u.Keys)
}

// checkRecord checks what holds for every kind of record.
func (tx *Tx) checkRecord(path string, before, after []Tag) error {
	if err := checkPath(path); err != nil {
		return err
	}
	return tx.account.now.within(quota.Tags, len(before), len(after))
}

// RenameUser changes a user's name, path or both; "" leaves one as it is. Id,
// memberships and policies stay.
func (tx *Tx) RenameUser(name, newName, newPath string) error {
	s, err := tx.users.find(name)
	if err != nil {
		return err
	}
	u := s.now.clone()
	u.Name, u.Path = cmp.Or(newName, u.Name), cmp.Or(newPath, u.Path)
	if err := checkPath(u.Path); err != nil {
		return err
	}
	return tx.users.rename(s, name, u.Name, u)
}

// DeleteUser deletes a user that has nothing left: no policies, credentials or
// groups. The reasons are in the order in which AWS tells them.
func (tx *Tx) DeleteUser(name string) error {
	s, err := tx.users.find(name)
	if err != nil {
		return err
	}
	u := s.now
	if err := inUse(KindUser, name, []reason{
		{len(u.Attached) > 0, ReasonAttached},
		{len(u.Inline) > 0, ReasonInline},
		{len(u.Keys) > 0, ReasonKeys},
		{u.Login != nil, ReasonLogin},
		{tx.devicesOf(u.ID) > 0, ReasonDevice},
		{len(u.Certs) > 0, ReasonCerts},
		{len(u.SSHKeys)+len(u.Services) > 0, ReasonOthers},
		{len(u.Groups) > 0, ReasonMember},
	}); err != nil {
		return err
	}
	tx.gone[u.ID] = true
	s.set(nil)
	return nil
}

type reason struct {
	holds bool
	text  string
}

// inUse returns an InUseError with the first reason that holds, or nil.
func inUse(kind Kind, name string, reasons []reason) error {
	for _, r := range reasons {
		if r.holds {
			return &InUseError{Kind: kind, Name: name, Reason: r.text}
		}
	}
	return nil
}

// Group returns the group of that name.
func (tx *Tx) Group(name string) (*Group, error) {
	s, err := tx.groups.find(name)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateGroup stores a new group, and fills ID, Created and an empty Path. It
// must have no attached policies yet.
func (tx *Tx) CreateGroup(g *Group) error {
	s, err := tx.groups.vacant(g.Name)
	if err != nil {
		return err
	}
	if len(g.Attached) > 0 {
		return invalid("new group %q with attached policies", g.Name)
	}
	if err := tx.create(quota.Groups); err != nil {
		return err
	}
	g.Path = cmp.Or(g.Path, "/")
	g.ID, g.Created = tx.a.s.ids.Unique(ids.Group, tx.a.id), stamp(tx.a.s.now())
	if err := tx.checkGroup(new(Group), g); err != nil {
		return err
	}
	s.set(g.clone())
	return nil
}

// PutGroup replaces a group. Its name, id, time of creation and attached
// policies must be as they were.
func (tx *Tx) PutGroup(g *Group) error {
	s, err := tx.groups.find(g.Name)
	if err != nil {
		return err
	}
	was := s.now
	if g.Name != was.Name || g.ID != was.ID || !g.Created.Equal(was.Created) || !slices.Equal(g.Attached, was.Attached) {
		return invalid("group %q: something changed that PutGroup does not change", g.Name)
	}
	if err := tx.checkGroup(was, g); err != nil {
		return err
	}
	s.set(g.clone())
	return nil
}

func (tx *Tx) checkGroup(was, g *Group) error {
	if err := checkPath(g.Path); err != nil {
		return err
	}
	return tx.checkInline(quota.GroupPolicySize, &was.Grants, &g.Grants)
}

// RenameGroup changes a group's name, path or both; "" leaves one as it is.
// Id, members and policies stay.
func (tx *Tx) RenameGroup(name, newName, newPath string) error {
	s, err := tx.groups.find(name)
	if err != nil {
		return err
	}
	g := s.now.clone()
	g.Name, g.Path = cmp.Or(newName, g.Name), cmp.Or(newPath, g.Path)
	if err := checkPath(g.Path); err != nil {
		return err
	}
	return tx.groups.rename(s, name, g.Name, g)
}

// DeleteGroup deletes a group without members and policies.
func (tx *Tx) DeleteGroup(name string) error {
	s, err := tx.groups.find(name)
	if err != nil {
		return err
	}
	g := s.now
	members := tx.view.s.linked(linkMember, g.ID) +
		tx.users.changed(func(u *User) bool { return slices.Contains(u.Groups, g.ID) })
	if err := inUse(KindGroup, name, []reason{
		{members > 0, ReasonMember},
		{len(g.Attached) > 0, ReasonAttached},
		{len(g.Inline) > 0, ReasonInline},
	}); err != nil {
		return err
	}
	s.set(nil)
	return nil
}

// AddMember adds a user to a group. A user that is in it already stays so.
func (tx *Tx) AddMember(group, user string) error {
	g, u, err := tx.groupAndUser(group, user)
	if err != nil {
		return err
	}
	if slices.Contains(u.now.Groups, g.now.ID) {
		return nil
	}
	n := len(u.now.Groups)
	if err := tx.account.now.within(quota.GroupsPerUser, n, n+1); err != nil {
		return err
	}
	now := u.now.clone()
	now.Groups = append(now.Groups, g.now.ID)
	u.set(now)
	g.touch()
	return nil
}

// RemoveMember removes a user from a group; it must be in it.
func (tx *Tx) RemoveMember(group, user string) error {
	g, u, err := tx.groupAndUser(group, user)
	if err != nil {
		return err
	}
	i := slices.Index(u.now.Groups, g.now.ID)
	if i < 0 {
		return notFound(KindMember, u.now.Name+" in "+g.now.Name)
	}
	now := u.now.clone()
	now.Groups = slices.Delete(now.Groups, i, i+1)
	u.set(now)
	return nil
}

func (tx *Tx) groupAndUser(group, user string) (*slot[Group], *slot[User], error) {
	g, err := tx.groups.find(group)
	if err != nil {
		return nil, nil, err
	}
	u, err := tx.users.find(user)
	return g, u, err
}
