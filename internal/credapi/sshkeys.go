// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"errors"
	"iter"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/pubkey"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func uploadSSHPublicKeyTarget(c *api.Call, in *UploadSSHPublicKeyInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *service) uploadSSHPublicKey(c *api.Call, in *UploadSSHPublicKeyInput) (*UploadSSHPublicKeyOutput, error) {
	parsed, err := pubkey.ParseSSH(in.SSHPublicKeyBody)
	switch {
	case errors.Is(err, pubkey.ErrEncoding):
		return nil, awserr.UnrecognizedPublicKeyEncoding.Msg("The public key encoding is not recognized: it must be ssh-rsa or PEM.").Because(err)
	case err != nil:
		return nil, awserr.InvalidPublicKey.Msg("The public key is not valid: it must be an RSA key of at least 2048 bits.").Because(err)
	}
	key := s.store.NewSSHKey(string(c.Account), in.SSHPublicKeyBody, parsed.Fingerprint())
	var owner string
	err = s.changeUser(c, in.UserName, func(u *store.User) error {
		owner = u.Name
		if slices.ContainsFunc(u.SSHKeys, func(k store.SSHKey) bool { return k.Fingerprint == key.Fingerprint }) {
			return awserr.DuplicateSSHPublicKey.Msg("The SSH public key is already associated with the user %s.", u.Name)
		}
		u.SSHKeys = append(u.SSHKeys, key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &UploadSSHPublicKeyOutput{SSHPublicKey: showSSHKey(owner, &key)}, nil
}

func showSSHKey(owner string, k *store.SSHKey) *SSHPublicKey {
	return &SSHPublicKey{
		UserName: owner, SSHPublicKeyId: k.ID, Fingerprint: k.Fingerprint, SSHPublicKeyBody: k.Body,
		Status: iamop.Status(k.Inactive), UploadDate: k.Uploaded,
	}
}

func getSSHPublicKeyTarget(c *api.Call, in *GetSSHPublicKeyInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *service) getSSHPublicKey(c *api.Call, in *GetSSHPublicKeyInput) (*GetSSHPublicKeyOutput, error) {
	u, err := c.View.User(in.UserName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	i, err := sshKeyIndex(u, in.SSHPublicKeyId)
	if err != nil {
		return nil, err
	}
	out := showSSHKey(u.Name, &u.SSHKeys[i])
	key, err := pubkey.ParseSSH(out.SSHPublicKeyBody)
	if err != nil {
		return nil, err
	}
	out.SSHPublicKeyBody = key.SSH()
	if in.Encoding == EncodingTypePEM {
		out.SSHPublicKeyBody = key.PEM()
	}
	return &GetSSHPublicKeyOutput{SSHPublicKey: out}, nil
}

func sshKeyIndex(u *store.User, id string) (int, error) {
	i := slices.IndexFunc(u.SSHKeys, func(k store.SSHKey) bool { return k.ID == id })
	if i < 0 {
		return 0, awserr.NoSuchEntity.Msg("The Public Key with id %s cannot be found.", id)
	}
	return i, nil
}

func updateSSHPublicKeyTarget(c *api.Call, in *UpdateSSHPublicKeyInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *service) updateSSHPublicKey(c *api.Call, in *UpdateSSHPublicKeyInput) error {
	off, err := iamop.SwitchedOff(in.Status)
	if err != nil {
		return err
	}
	return s.changeUser(c, in.UserName, func(u *store.User) error {
		i, err := sshKeyIndex(u, in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		u.SSHKeys[i].Inactive = off
		return nil
	})
}

func deleteSSHPublicKeyTarget(c *api.Call, in *DeleteSSHPublicKeyInput) ([]authz.Check, error) {
	return iamop.UserTarget(c, in.UserName)
}

func (s *service) deleteSSHPublicKey(c *api.Call, in *DeleteSSHPublicKeyInput) error {
	return s.changeUser(c, in.UserName, func(u *store.User) error {
		i, err := sshKeyIndex(u, in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		u.SSHKeys = slices.Delete(u.SSHKeys, i, i+1)
		return nil
	})
}

func listSSHPublicKeysTarget(c *api.Call, in *ListSSHPublicKeysInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) listSSHPublicKeys(c *api.Call, in *ListSSHPublicKeysInput) (*ListSSHPublicKeysOutput, error) {
	u, err := iamop.SelfUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq2[string, store.SSHKey] {
		return iamop.Sorted(u.SSHKeys, after, func(k store.SSHKey) string { return k.ID })
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(k store.SSHKey) SSHPublicKeyMetadata {
		return SSHPublicKeyMetadata{UserName: u.Name, SSHPublicKeyId: k.ID, Status: iamop.Status(k.Inactive), UploadDate: k.Uploaded}
	})
	if err != nil {
		return nil, err
	}
	return &ListSSHPublicKeysOutput{SSHPublicKeys: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
