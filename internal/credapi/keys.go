// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"cmp"
	"iter"
	"slices"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Access keys belong to a user, or to the root user when the root user calls
// without a UserName.

// changeKeys applies change, which may run more than once, to the keys of the
// user that a request means, and returns that user's name.
func (s *service) changeKeys(c *api.Call, userName *string, change func([]store.AccessKey) ([]store.AccessKey, error)) (string, error) {
	return s.changeOwn(c, userName,
		func(a *store.Account) (err error) { a.Keys, err = change(a.Keys); return err },
		func(u *store.User) (err error) { u.Keys, err = change(u.Keys); return err })
}

// changeOwn applies one of two changes, which may run more than once, to the
// user that an optional UserName means, the root user or another, and returns
// that user's name.
func (s *service) changeOwn(c *api.Call, userName *string, root func(*store.Account) error, user func(*store.User) error) (string, error) {
	if userName == nil && c.Caller.Root() {
		return iamop.RootName, s.update(c, func(tx *store.Tx) error {
			a := tx.Account()
			if err := root(a); err != nil {
				return err
			}
			return tx.PutAccount(a)
		})
	}
	name, err := iamop.Self(c, userName)
	if err != nil {
		return "", err
	}
	err = s.changeUser(c, name, func(u *store.User) error {
		name = u.Name
		return user(u)
	})
	return name, err
}

func createAccessKeyTarget(c *api.Call, in *CreateAccessKeyInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) createAccessKey(c *api.Call, in *CreateAccessKeyInput) (*CreateAccessKeyOutput, error) {
	key, secret := s.store.NewKey(string(c.Account))
	name, err := s.changeKeys(c, in.UserName, func(keys []store.AccessKey) ([]store.AccessKey, error) {
		return append(keys, key), nil
	})
	if err != nil {
		return nil, err
	}
	return &CreateAccessKeyOutput{AccessKey: AccessKey{
		UserName: name, AccessKeyId: key.ID, Status: StatusTypeActive, SecretAccessKey: secret, CreateDate: key.Created,
	}}, nil
}

func deleteAccessKeyTarget(c *api.Call, in *DeleteAccessKeyInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) deleteAccessKey(c *api.Call, in *DeleteAccessKeyInput) error {
	_, err := s.changeKeys(c, in.UserName, func(keys []store.AccessKey) ([]store.AccessKey, error) {
		i, err := keyIndex(keys, in.AccessKeyId)
		if err != nil {
			return nil, err
		}
		return slices.Delete(keys, i, i+1), nil
	})
	return err
}

func updateAccessKeyTarget(c *api.Call, in *UpdateAccessKeyInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) updateAccessKey(c *api.Call, in *UpdateAccessKeyInput) error {
	off, err := iamop.SwitchedOff(in.Status)
	if err != nil {
		return err
	}
	_, err = s.changeKeys(c, in.UserName, func(keys []store.AccessKey) ([]store.AccessKey, error) {
		i, err := keyIndex(keys, in.AccessKeyId)
		if err != nil {
			return nil, err
		}
		keys[i].Inactive = off
		return keys, nil
	})
	return err
}

func keyIndex(keys []store.AccessKey, id string) (int, error) {
	i := slices.IndexFunc(keys, func(k store.AccessKey) bool { return k.ID == id })
	if i < 0 {
		return 0, noKey(id)
	}
	return i, nil
}

func noKey(id string) error {
	return awserr.NoSuchEntity.Msg("The Access Key with id %s cannot be found.", id)
}

func listAccessKeysTarget(c *api.Call, in *ListAccessKeysInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) listAccessKeys(c *api.Call, in *ListAccessKeysInput) (*ListAccessKeysOutput, error) {
	owner, keys, err := keysOf(c, in.UserName)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq2[string, store.AccessKey] {
		return iamop.Sorted(keys, after, func(k store.AccessKey) string { return k.ID })
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(k store.AccessKey) AccessKeyMetadata {
		return AccessKeyMetadata{UserName: &owner, AccessKeyId: new(k.ID), Status: new(iamop.Status(k.Inactive)), CreateDate: k.Created}
	})
	if err != nil {
		return nil, err
	}
	return &ListAccessKeysOutput{AccessKeyMetadata: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func keysOf(c *api.Call, userName *string) (string, []store.AccessKey, error) {
	if userName == nil && c.Caller.Root() {
		return iamop.RootName, c.View.Account().Keys, nil
	}
	name, err := iamop.Self(c, userName)
	if err != nil {
		return "", nil, err
	}
	u, err := c.View.User(name)
	if err != nil {
		return "", nil, iamop.Fail(err)
	}
	return u.Name, u.Keys, nil
}

// getAccessKeyLastUsedTarget: the resource is the key's user, which the request
// does not name.
func getAccessKeyLastUsedTarget(c *api.Call, in *GetAccessKeyLastUsedInput) ([]authz.Check, error) {
	u, _, err := c.View.UserByKey(in.AccessKeyId)
	ck := authz.Check{Resource: "*"}
	switch {
	case err != nil:
	case u == nil:
		ck.Resource = string(arn.Root(c.Account))
	default:
		ck = iamop.UserCheck(c, u.Name)
	}
	ck.Shown = "access key " + in.AccessKeyId
	return []authz.Check{ck}, nil
}

func (s *service) getAccessKeyLastUsed(c *api.Call, in *GetAccessKeyLastUsedInput) (*GetAccessKeyLastUsedOutput, error) {
	// A key of another account is as unknown as one that does not exist; AWS
	// answers AccessDenied for both.
	u, _, err := c.View.UserByKey(in.AccessKeyId)
	if err != nil {
		return nil, awserr.AccessDenied.Msg("User: %s is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key %s", c.Caller.ARN, in.AccessKeyId)
	}
	owner := iamop.RootName
	if u != nil {
		owner = u.Name
	}
	use := s.lastUse(c, in.AccessKeyId)
	return &GetAccessKeyLastUsedOutput{UserName: &owner, AccessKeyLastUsed: &AccessKeyLastUsed{
		LastUsedDate: use.Time, ServiceName: cmp.Or(use.Service, "N/A"), Region: cmp.Or(use.Region, "N/A"),
	}}, nil
}
