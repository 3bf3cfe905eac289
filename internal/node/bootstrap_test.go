// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// opened returns a node that has opened its store and not begun anything. It is
// closed when the test ends, unless it was.
func opened(t *testing.T, dir string) *Node {
	t.Helper()
	n := newNode(config.Config{Data: dir, AccountID: "111122223333"}.Defaults(), Options{})
	if err := n.open(t.Context(), true); err != nil {
		t.Fatal(errors.Join(err, n.close()))
	}
	return n
}

// closed closes a node whose bootstrap was interrupted.
func closed(t *testing.T, n *Node) {
	t.Helper()
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestBootstrapAfterACrash ends a first start at each of its steps. The next start
// must leave one account with one administrator, whose key is in the file.
func TestBootstrapAfterACrash(t *testing.T) {
	account := func(t *testing.T, n *Node) string {
		id, err := n.store.PutSystem(t.Context(), firstAccount, []byte("111122223333"))
		must(t, err)
		return string(id)
	}
	pending := func(t *testing.T, n *Node) (string, store.AccessKey) {
		id := account(t, n)
		key, secret := n.store.NewKey(id)
		must(t, writeFile(n.pendingFile(), credentialsFile("default", key.ID, secret, "us-east-1")))
		return id, key
	}
	made := func(t *testing.T, n *Node) store.AccessKey {
		id, key := pending(t, n)
		must(t, n.makeAccount(t.Context(), "main", id, key))
		return key
	}
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, n *Node)
	}{
		{"before-anything", func(*testing.T, *Node) {}},
		{"after-the-account-id", func(t *testing.T, n *Node) { account(t, n) }},
		{"within-the-pending-file", func(t *testing.T, n *Node) {
			account(t, n)
			must(t, os.WriteFile(n.pendingFile(), []byte("[default]\naws_acc"), 0o600))
		}},
		{"after-the-pending-file", func(t *testing.T, n *Node) { pending(t, n) }},
		{"after-the-account", func(t *testing.T, n *Node) {
			id, _ := pending(t, n)
			_, err := n.store.CreateAccount(t.Context(), store.Account{ID: id, Name: "main"})
			must(t, err)
		}},
		{"after-the-user", func(t *testing.T, n *Node) { made(t, n) }},
		{"after-the-marker", func(t *testing.T, n *Node) {
			key := made(t, n)
			_, err := n.store.PutSystem(t.Context(), firstAdmin, []byte(key.ID))
			must(t, err)
		}},
		{"after-everything", func(t *testing.T, n *Node) { must(t, n.bootstrap(t.Context())) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			n := opened(t, dir)
			tt.do(t, n)
			closed(t, n)
			var first string
			for range 2 { // the second start changes nothing
				n = opened(t, dir)
				must(t, n.bootstrap(t.Context()))
				text := wantBootstrapped(t, n)
				if first != "" && text != first {
					t.Errorf("the second start wrote other credentials")
				}
				first = text
				closed(t, n)
			}
		})
	}
}

// wantBootstrapped checks that the store has one account, and in it the one
// administrator whose key is in the credentials file, and returns the file's text.
func wantBootstrapped(t *testing.T, n *Node) string {
	t.Helper()
	text, err := os.ReadFile(n.CredentialsFile())
	must(t, err)
	if _, err := os.Stat(n.pendingFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the pending credentials file is still there: %v", err)
	}
	accounts, err := n.store.Accounts(t.Context())
	must(t, err)
	if len(accounts) != 1 || accounts[0].ID != "111122223333" {
		t.Fatalf("accounts %v, want 111122223333 alone", accounts)
	}
	view, err := n.store.View(t.Context(), accounts[0].ID)
	must(t, err)
	users := slices.Collect(view.Users(""))
	id := keyID(string(text))
	if len(users) != 1 || users[0].Name != adminName || len(users[0].Keys) != 1 || users[0].Keys[0].ID != id {
		t.Fatalf("users %+v, want %s alone with the key %s", users, adminName, id)
	}
	secret, err := n.store.Secret(accounts[0].ID, &users[0].Keys[0])
	must(t, err)
	if !strings.Contains(string(text), "aws_secret_access_key = "+secret+"\n") {
		t.Error("the credentials file has another secret than the store")
	}
	marker, err := n.store.System(t.Context(), firstAdmin)
	if err != nil || string(marker) != id {
		t.Errorf("System(%s) = %q, %v, want %s", firstAdmin, marker, err, id)
	}
	return string(text)
}

// TestNodesBootstrapAtOnce starts two nodes on one empty store: one of them, and
// only one, gets the administrator's key.
func TestNodesBootstrapAtOnce(t *testing.T) {
	for range 8 {
		one := opened(t, t.TempDir())
		two := newNode(config.Config{Data: t.TempDir()}.Defaults(), Options{})
		keeper, _, err := one.masterKey()
		must(t, err)
		two.store, err = store.Open(t.Context(), store.Options{DB: one.db, Keeper: keeper, IDs: two.ids})
		must(t, err)

		var wg sync.WaitGroup
		var errs [2]error
		for i, n := range []*Node{one, two} {
			wg.Go(func() { errs[i] = n.bootstrap(t.Context()) })
		}
		wg.Wait()
		must(t, errors.Join(errs[:]...))
		winners := 0
		for _, n := range []*Node{one, two} {
			if _, err := os.Stat(n.pendingFile()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a pending credentials file is still there: %v", err)
			}
			text, err := os.ReadFile(n.CredentialsFile())
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			must(t, err)
			winners++
			known, err := n.knows(t.Context(), keyID(string(text)))
			if err != nil || !known {
				t.Errorf("the key of %s: knows() = %v, %v, want true", n.CredentialsFile(), known, err)
			}
		}
		accounts, err := one.store.Accounts(t.Context())
		must(t, err)
		view, err := one.store.View(t.Context(), accounts[0].ID)
		must(t, err)
		if users := slices.Collect(view.Users("")); winners != 1 || len(accounts) != 1 || len(users) != 1 {
			t.Errorf("%d nodes have a key of %d users in %d accounts, want one of each", winners, len(users), len(accounts))
		}
		closed(t, two)
		closed(t, one)
	}
}

// TestPendingKeyOutlivesAnOutage holds that the file with what may be the only key
// stays when the store cannot tell whether it knows the key.
func TestPendingKeyOutlivesAnOutage(t *testing.T) {
	dir := t.TempDir()
	n := opened(t, dir)
	must(t, n.bootstrap(t.Context()))
	must(t, os.Rename(n.CredentialsFile(), n.pendingFile()))
	closed(t, n)

	n = opened(t, dir)
	defer closed(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.bootstrap(ctx); err == nil {
		t.Error("bootstrap() = nil with a store that does not answer, want an error")
	}
	if _, err := os.Stat(n.pendingFile()); err != nil {
		t.Fatalf("the pending credentials file is gone: %v", err)
	}
	must(t, n.bootstrap(t.Context()))
	wantBootstrapped(t, n)
}

func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(name, []byte("something longer than what comes"), 0o666))
	must(t, writeFile(name, "secret\n"))
	info, err := os.Stat(name)
	must(t, err)
	text, err := os.ReadFile(name)
	if err != nil || string(text) != "secret\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("writeFile left %q with mode %v, %v, want the text alone with 0600", text, info.Mode(), err)
	}
}

func TestAddAccountRefuses(t *testing.T) {
	n := opened(t, t.TempDir())
	defer closed(t, n)
	must(t, n.bootstrap(t.Context()))
	for _, tt := range []struct{ name, account, id, want string }{
		{"short-id", "x", "12", "twelve digits"},
		{"letters-in-the-id", "x", "11112222333a", "twelve digits"},
		{"an-account-with-users", "x", "111122223333", "already exists"},
		{"no-name", "", "222233334444", "1 to 128 bytes"},
		{"long-name", strings.Repeat("x", 129), "222233334444", "1 to 128 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, credentials, err := n.AddAccount(t.Context(), tt.account, tt.id, "default")
			if err == nil || !strings.Contains(err.Error(), tt.want) || credentials != "" {
				t.Errorf("AddAccount(%.20q, %q) = %q, %v, want an error with %q", tt.account, tt.id, credentials, err, tt.want)
			}
		})
	}
	must(t, n.audit.Close())
	if _, credentials, err := n.AddAccount(t.Context(), "x", "222233334444", "default"); err == nil || credentials != "" {
		t.Errorf("AddAccount() = %q, %v without an audit log, want an error", credentials, err)
	}
	if accounts, err := n.store.Accounts(t.Context()); err != nil || len(accounts) != 1 {
		t.Errorf("accounts %v, %v, want the first alone", accounts, err)
	}
	n.audit = nil
}
