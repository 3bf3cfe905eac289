// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// The first administrator of every account is an IAM user with this policy.
const (
	adminName   = "admin"
	adminPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// CredentialsFile is the file that gets the first administrator's key.
func (n *Node) CredentialsFile() string { return filepath.Join(n.cfg.Data, "admin.credentials") }

// Names of the system values that nodes agree on about the first start.
const (
	firstAccount = "first-account" // its id
	firstAdmin   = "first-admin"   // the id of a key once it was made
)

// bootstrap makes the first account and its administrator on an empty store.
//
// The administrator's key is on disk before the store knows it, so that a crash
// in between leaves no account that nobody can enter; the file gets its name
// after the store has it, so that admin.credentials always works. A start that
// finds the file under its first name finishes what the other one began. Nodes
// that start at once on one store agree on the account and one of them makes
// the administrator.
func (n *Node) bootstrap(ctx context.Context) error {
	finished, err := n.finishBootstrap(ctx)
	if err != nil {
		return err
	}
	if _, err := n.store.System(ctx, firstAdmin); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if finished != "" {
		_, err := n.store.PutSystem(ctx, firstAdmin, []byte(finished))
		return err
	}
	id, err := n.store.PutSystem(ctx, firstAccount, []byte(cmp.Or(n.cfg.AccountID, n.ids.AccountID())))
	if err != nil {
		return err
	}
	key, secret := n.store.NewKey(string(id))
	if err := writeFile(n.pendingFile(), credentialsFile("default", key.ID, secret, n.cfg.Region)); err != nil {
		return err
	}
	if err := n.makeAccount(ctx, n.cfg.AccountName, string(id), key); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	if _, err := n.store.PutSystem(ctx, firstAdmin, []byte(key.ID)); err != nil {
		return err
	}
	_, err = n.finishBootstrap(ctx)
	return err
}

// makeAccount makes an account and its administrator with the given key. An
// account that exists without any user is completed: a crash left it so. The
// error wraps store.ErrExists when the account has users.
func (n *Node) makeAccount(ctx context.Context, name, id string, key store.AccessKey) error {
	if _, err := n.store.CreateAccount(ctx, store.Account{ID: id, Name: name}); err != nil {
		if !errors.Is(err, store.ErrExists) {
			return err
		}
		if err := n.awaitAccount(ctx, id); err != nil {
			return err
		}
	}
	return n.store.Update(ctx, id, func(tx *store.Tx) error {
		if tx.View().Usage(quota.Users) > 0 {
			return fmt.Errorf("account %s, with users: %w", id, store.ErrExists)
		}
		admin := &store.User{Name: adminName, Path: "/", Keys: []store.AccessKey{key}}
		if err := tx.CreateUser(admin); err != nil {
			return err
		}
		return tx.Attach(store.UserHolder(adminName), adminPolicy)
	})
}

// awaitAccount waits until this node sees an account that another one may have
// made a moment ago.
func (n *Node) awaitAccount(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		_, err := n.store.View(ctx, id)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

func (n *Node) pendingFile() string { return n.CredentialsFile() + ".new" }

// finishBootstrap names the pending credentials file when its key is in the
// store, and returns the key's id; it removes the file when the store has no such
// key.
func (n *Node) finishBootstrap(ctx context.Context) (accessKeyID string, err error) {
	text, err := os.ReadFile(n.pendingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	id := keyID(string(text))
	known, err := n.knows(ctx, id)
	if err != nil {
		return "", err // the file may hold the only key
	}
	if !known {
		return "", os.Remove(n.pendingFile())
	}
	return id, os.Rename(n.pendingFile(), n.CredentialsFile())
}

// knows reports whether the store has an access key.
func (n *Node) knows(ctx context.Context, accessKeyID string) (bool, error) {
	account, ok := ids.Account(accessKeyID)
	if !ok {
		return false, nil
	}
	view, err := n.store.View(ctx, account)
	if err == nil {
		_, _, err = view.UserByKey(accessKeyID)
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
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

const maxAccountName = 128 // bytes

// AddAccount makes one more account with an administrator and returns its id
// and, as the text of a shared-credentials file with the given profile, the
// administrator's key, which is told only here. An empty id means a random one.
// The audit log has a record of it before it is told.
func (n *Node) AddAccount(ctx context.Context, name, id, profile string) (account, credentials string, err error) {
	if id == "" {
		id = n.ids.AccountID()
	}
	if !arn.IsAccountID(id) {
		return "", "", fmt.Errorf("account id %q must be twelve digits", id)
	}
	if name == "" || len(name) > maxAccountName {
		return "", "", fmt.Errorf("account name %.80q must have 1 to %d bytes", name, maxAccountName)
	}
	if err := n.audit.Ready(); err != nil {
		return "", "", err
	}
	key, secret := n.store.NewKey(id)
	if err := n.makeAccount(ctx, name, id, key); err != nil {
		return "", "", err
	}
	if err := n.recordAccount(id, name); err != nil {
		return "", "", err
	}
	return id, credentialsFile(profile, key.ID, secret, n.cfg.Region), nil
}

// recordAccount writes the audit record of a new account, which no signed
// request made.
func (n *Node) recordAccount(id, name string) error {
	params, err := json.Marshal(map[string]string{"accountId": id, "accountName": name})
	if err != nil {
		return err
	}
	return n.audit.Write(&audit.Record{
		Time: n.now(), Identity: audit.Identity{Type: "Unknown", InvokedBy: "operator"},
		EventSource: "innkeeper.local", EventName: "CreateAccount", Region: n.cfg.Region,
		RequestParameters: params, RequestID: n.ids.RequestID(), EventID: n.ids.RequestID(), Recipient: id,
	}, true)
}

// credentialsFile is a profile in the AWS shared-credentials format.
func credentialsFile(profile, id, secret, region string) string {
	return fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = %s\n", profile, id, secret, region)
}

// writeFile writes a file with mode 0600, whatever the umask, that is whole and
// on disk under its name when it returns.
func writeFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
