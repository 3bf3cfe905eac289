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

func createUserTarget(c *api.Call, in *CreateUserInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: string(arn.User(c.Account, wire.Value(in.Path, "/"), in.UserName))}
	if err := newBoundaryTarget(&ck, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	return iamop.WithTags(ck, "iam:TagUser", in.Tags), nil
}

func (s *iam) createUser(c *api.Call, in *CreateUserInput) (*CreateUserOutput, error) {
	if err := checkPath(in.Path); err != nil {
		return nil, err
	}
	if err := attachable(store.KindUser, wire.Value(in.PermissionsBoundary, "")); err != nil {
		return nil, err
	}
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	u := &store.User{
		Name: in.UserName, Path: wire.Value(in.Path, "/"),
		Tags: tags, Boundary: wire.Value(in.PermissionsBoundary, ""),
	}
	var made *store.User
	err = noBoundary(s.store.Update(c.Context(), string(c.Account), func(tx *store.Tx) error {
		made = new(*u)
		return tx.CreateUser(made)
	}))
	if err != nil {
		return nil, err
	}
	return &CreateUserOutput{User: new(s.fullUser(c, made))}, nil
}

func deleteUserTarget(c *api.Call, in *DeleteUserInput) ([]authz.Check, error) {
	return []authz.Check{iamop.UserCheck(c, in.UserName)}, nil
}

func (s *iam) deleteUser(c *api.Call, in *DeleteUserInput) error {
	return s.update(c, func(tx *store.Tx) error { return tx.DeleteUser(in.UserName) })
}

func getUserTarget(c *api.Call, in *GetUserInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *iam) getUser(c *api.Call, in *GetUserInput) (*GetUserOutput, error) {
	if in.UserName == nil && c.Caller.Root() {
		return &GetUserOutput{User: s.rootUser(c)}, nil
	}
	name, err := iamop.Self(c, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := c.View.User(name)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	return &GetUserOutput{User: s.fullUser(c, u)}, nil
}

func listUsersTarget(c *api.Call, _ *ListUsersInput) ([]authz.Check, error) {
	return iamop.List(c, "user/")
}

func (s *iam) listUsers(c *api.Call, in *ListUsersInput) (*ListUsersOutput, error) {
	from := func(after string) iter.Seq2[string, *store.User] {
		return iamop.Under(c.View.Users(after), in.PathPrefix, userKey)
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(u *store.User) User { return s.briefUser(c, u) })
	if err != nil {
		return nil, err
	}
	return &ListUsersOutput{Users: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// updateUserTarget asks for both ARNs: who may rename fred may not thereby make
// him somebody else's user.
func updateUserTarget(c *api.Call, in *UpdateUserInput) ([]authz.Check, error) {
	now := iamop.UserCheck(c, in.UserName)
	path := "/"
	if u, err := c.View.User(in.UserName); err == nil {
		path = u.Path
	}
	then := now
	then.Shown = ""
	then.Resource = string(arn.User(c.Account, wire.Value(in.NewPath, path), wire.Value(in.NewUserName, in.UserName)))
	if then.Resource == now.Resource {
		return []authz.Check{now}, nil
	}
	return []authz.Check{now, then}, nil
}

func (s *iam) updateUser(c *api.Call, in *UpdateUserInput) error {
	if err := checkPath(in.NewPath); err != nil {
		return err
	}
	return s.update(c, func(tx *store.Tx) error {
		u, err := tx.User(in.UserName)
		if err != nil {
			return err
		}
		return tx.RenameUser(in.UserName, wire.Value(in.NewUserName, u.Name), wire.Value(in.NewPath, u.Path))
	})
}

// briefUser is a user as lists and groups show it.
func (s *iam) briefUser(c *api.Call, u *store.User) User {
	return User{
		Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: c.View.UserARN(u), CreateDate: u.Created,
		PasswordLastUsed: s.lastUse(c, u.ID).Time,
	}
}

// rootUser is the root user as answers show it.
func (s *iam) rootUser(c *api.Call) User {
	a := c.View.Account()
	return User{
		UserName: a.Name, UserId: a.ID, Arn: string(arn.Root(c.Account)), CreateDate: a.Created, Path: "/",
		PasswordLastUsed: s.lastUse(c, a.ID).Time,
	}
}

// fullUser is a user with its tags and boundary.
func (s *iam) fullUser(c *api.Call, u *store.User) User {
	out := s.briefUser(c, u)
	out.PermissionsBoundary, out.Tags = boundary(u.Boundary), iamop.ShowTags[Tag](u.Tags)
	return out
}

// boundary shows a permissions boundary; nil when there is none.
func boundary(policyARN string) *AttachedPermissionsBoundary {
	if policyARN == "" {
		return nil
	}
	return &AttachedPermissionsBoundary{
		PermissionsBoundaryType: new("Policy"), PermissionsBoundaryArn: new(policyARN),
	}
}
