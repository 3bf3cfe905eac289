// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// The first administrator of every account is an IAM user with this policy.
const (
	adminName   = "admin"
	adminPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// CredentialsFile is the file that gets the first administrator's key.
func (n *Node) CredentialsFile() string { return filepath.Join(n.cfg.Data, "admin.credentials") }

// bootstrap makes the first account and its administrator on an empty store.
//
// The administrator's key is on disk before the store knows it, so that a crash
// in between leaves no account that nobody can enter; the file gets its name
// after the store has it, so that admin.credentials always works. A start that
// finds the file under its first name finishes what the other one began. Nodes
// that start at once on one store agree on the account and one of them makes it.
func (n *Node) bootstrap(ctx context.Context) error {
	accounts, err := n.store.Accounts(ctx)
	if err != nil {
		return err
	}
	if len(accounts) > 0 {
		return n.finishBootstrap(ctx)
	}
	id, err := n.store.PutSystem(ctx, "first-account", []byte(cmp.Or(n.cfg.AccountID, n.ids.AccountID())))
	if err != nil {
		return err
	}
	account, key, err := n.newAccount(n.cfg.AccountName, string(id))
	if err != nil {
		return err
	}
	if err := writeFile(n.pendingFile(), credentialsFile("default", key.id, key.secret, n.cfg.Region)); err != nil {
		return err
	}
	if err := n.store.CreateAccount(ctx, account, key.admin); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return n.finishBootstrap(ctx)
}

func (n *Node) pendingFile() string { return n.CredentialsFile() + ".new" }

// finishBootstrap names the pending credentials file when its key is in the
// store, and removes it when it is not.
func (n *Node) finishBootstrap(ctx context.Context) error {
	text, err := os.ReadFile(n.pendingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if known, err := n.knows(ctx, keyID(string(text))); err != nil || !known {
		return errors.Join(err, os.Remove(n.pendingFile()))
	}
	return os.Rename(n.pendingFile(), n.CredentialsFile())
}

func (n *Node) knows(ctx context.Context, accessKeyID string) (bool, error) {
	account, ok := ids.Account(accessKeyID)
	if !ok {
		return false, nil
	}
	view, err := n.store.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, _, err = view.UserByKey(accessKeyID)
	return err == nil, nil
}

// keyID returns the access key id in a credentials file that credentialsFile
// wrote.
func keyID(text string) string {
	for line := range strings.Lines(text) {
		if id, ok := strings.CutPrefix(line, "aws_access_key_id = "); ok {
			return strings.TrimSpace(id)
		}
	}
	return ""
}

// An adminKey is the first administrator of an account with the only copy of
// its secret.
type adminKey struct {
	admin      *store.User
	id, secret string
}

// newAccount prepares an account and its administrator; nothing is stored.
func (n *Node) newAccount(name, id string) (*store.Account, *adminKey, error) {
	if id == "" {
		id = n.ids.AccountID()
	}
	key, secret := n.store.NewKey(id)
	admin := &store.User{
		Name: adminName, Path: "/",
		Grants: store.Grants{Attached: []string{adminPolicy}},
		Keys:   []store.AccessKey{key},
	}
	return &store.Account{ID: id, Name: name}, &adminKey{admin, key.ID, secret}, nil
}

// AddAccount makes one more account with an administrator and returns the
// account and, as the text of a shared-credentials file with the given profile,
// the administrator's key, which is told only here.
func (n *Node) AddAccount(ctx context.Context, name, id, profile string) (*store.Account, string, error) {
	account, key, err := n.newAccount(name, id)
	if err != nil {
		return nil, "", err
	}
	if err := n.store.CreateAccount(ctx, account, key.admin); err != nil {
		return nil, "", err
	}
	return account, credentialsFile(profile, key.id, key.secret, n.cfg.Region), nil
}

// credentialsFile is a profile in the AWS shared-credentials format.
func credentialsFile(profile, id, secret, region string) string {
	return fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = %s\n", profile, id, secret, region)
}

// writeFile writes a new file with mode 0600 that is whole and on disk when it
// returns.
func writeFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}
