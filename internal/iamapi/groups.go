// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"iter"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// groupCheck is the check for an operation on a group.
func groupCheck(c *api.Call, name string) authz.Check {
	if g, err := c.View.Group(name); err == nil {
		return authz.Check{Resource: c.View.GroupARN(g), Shown: "group " + name}
	}
	return authz.Check{Resource: string(arn.Group(c.Account, "/", name)), Shown: "group " + name}
}

func groupTarget(c *api.Call, name string) ([]authz.Check, error) {
	return []authz.Check{groupCheck(c, name)}, nil
}

func createGroupTarget(c *api.Call, in *CreateGroupInput) ([]authz.Check, error) {
	return []authz.Check{{Resource: string(arn.Group(c.Account, wire.Value(in.Path, "/"), in.GroupName))}}, nil
}

func (s *iam) createGroup(c *api.Call, in *CreateGroupInput) (*CreateGroupOutput, error) {
	if err := checkPath(in.Path); err != nil {
		return nil, err
	}
	var made *store.Group
	err := s.update(c, func(tx *store.Tx) error {
		made = &store.Group{Name: in.GroupName, Path: wire.Value(in.Path, "/")}
		return tx.CreateGroup(made)
	})
	if err != nil {
		return nil, err
	}
	return &CreateGroupOutput{Group: showGroup(c, made)}, nil
}

func deleteGroupTarget(c *api.Call, in *DeleteGroupInput) ([]authz.Check, error) {
	return groupTarget(c, in.GroupName)
}

func (s *iam) deleteGroup(c *api.Call, in *DeleteGroupInput) error {
	return s.update(c, func(tx *store.Tx) error { return tx.DeleteGroup(in.GroupName) })
}

func getGroupTarget(c *api.Call, in *GetGroupInput) ([]authz.Check, error) {
	return groupTarget(c, in.GroupName)
}

func (s *iam) getGroup(c *api.Call, in *GetGroupInput) (*GetGroupOutput, error) {
	g, err := c.View.Group(in.GroupName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	from := func(after string) iter.Seq2[string, *store.User] {
		return iamop.Under(c.View.Members(g.Name, after), nil, userKey)
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(u *store.User) User { return s.briefUser(c, u) })
	if err != nil {
		return nil, err
	}
	return &GetGroupOutput{Group: showGroup(c, g), Users: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func listGroupsTarget(c *api.Call, _ *ListGroupsInput) ([]authz.Check, error) {
	return iamop.List(c, "group/")
}

func (s *iam) listGroups(c *api.Call, in *ListGroupsInput) (*ListGroupsOutput, error) {
	from := func(after string) iter.Seq2[string, *store.Group] {
		return iamop.Under(c.View.Groups(after), in.PathPrefix, groupKey)
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(g *store.Group) Group { return showGroup(c, g) })
	if err != nil {
		return nil, err
	}
	return &ListGroupsOutput{Groups: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func listGroupsForUserTarget(c *api.Call, in *ListGroupsForUserInput) ([]authz.Check, error) {
	return []authz.Check{iamop.UserCheck(c, in.UserName)}, nil
}

func (s *iam) listGroupsForUser(c *api.Call, in *ListGroupsForUserInput) (*ListGroupsForUserOutput, error) {
	u, err := c.View.User(in.UserName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	from := func(after string) iter.Seq2[string, *store.Group] {
		return iamop.Sorted(c.View.GroupsOf(u), after, groupName)
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(g *store.Group) Group { return showGroup(c, g) })
	if err != nil {
		return nil, err
	}
	return &ListGroupsForUserOutput{Groups: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// updateGroupTarget asks for both names, as updateUserTarget does.
func updateGroupTarget(c *api.Call, in *UpdateGroupInput) ([]authz.Check, error) {
	now, path := groupCheck(c, in.GroupName), "/"
	if g, err := c.View.Group(in.GroupName); err == nil {
		path = g.Path
	}
	then := authz.Check{Resource: string(arn.Group(c.Account, wire.Value(in.NewPath, path), wire.Value(in.NewGroupName, in.GroupName)))}
	if then.Resource == now.Resource {
		return []authz.Check{now}, nil
	}
	return []authz.Check{now, then}, nil
}

func (s *iam) updateGroup(c *api.Call, in *UpdateGroupInput) error {
	if err := checkPath(in.NewPath); err != nil {
		return err
	}
	return s.update(c, func(tx *store.Tx) error {
		g, err := tx.Group(in.GroupName)
		if err != nil {
			return err
		}
		return tx.RenameGroup(in.GroupName, wire.Value(in.NewGroupName, g.Name), wire.Value(in.NewPath, g.Path))
	})
}

func addUserToGroupTarget(c *api.Call, in *AddUserToGroupInput) ([]authz.Check, error) {
	return groupTarget(c, in.GroupName)
}

func (s *iam) addUserToGroup(c *api.Call, in *AddUserToGroupInput) error {
	return s.update(c, func(tx *store.Tx) error { return tx.AddMember(in.GroupName, in.UserName) })
}

func removeUserFromGroupTarget(c *api.Call, in *RemoveUserFromGroupInput) ([]authz.Check, error) {
	return groupTarget(c, in.GroupName)
}

func (s *iam) removeUserFromGroup(c *api.Call, in *RemoveUserFromGroupInput) error {
	return s.update(c, func(tx *store.Tx) error { return tx.RemoveMember(in.GroupName, in.UserName) })
}

func showGroup(c *api.Call, g *store.Group) Group {
	return Group{Path: g.Path, GroupName: g.Name, GroupId: g.ID, Arn: c.View.GroupARN(g), CreateDate: g.Created}
}

func groupKey(g *store.Group) (name, path string) { return g.Name, g.Path }
func groupName(g *store.Group) string             { return g.Name }
func userKey(u *store.User) (name, path string)   { return u.Name, u.Path }
