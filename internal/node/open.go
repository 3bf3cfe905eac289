// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// openDB opens the engine that a --store value names.
func openDB(ctx context.Context, name string, noSync bool) (kv.DB, error) {
	if strings.HasPrefix(name, "etcd://") || strings.HasPrefix(name, "etcds://") {
		return etcdkv.Open(ctx, name)
	}
	if scheme, _, ok := strings.Cut(name, "://"); ok {
		return nil, fmt.Errorf("--store %s: unknown kind of store %q; give a file's path or etcd://HOST:PORT", storeName(name), scheme)
	}
	return boltkv.Open(boltkv.Options{Path: name, NoSync: noSync})
}

// storeFile is the file of a --store value, "" for a store that is no file.
func storeFile(name string) string {
	if strings.Contains(name, "://") {
		return ""
	}
	return name
}

// storeName is a --store value without the password that a URL may hold.
func storeName(name string) string {
	scheme, rest, _ := strings.Cut(name, "://")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return name
	}
	user, _, _ := strings.Cut(rest[:at], ":")
	return scheme + "://" + user + ":xxxxx" + rest[at:]
}

// masterKey opens the master key, and makes it when there is none: on the first
// start. Of nodes that start at once one makes it.
func (n *Node) masterKey() (k *seal.Keeper, made bool, err error) {
	k, err = seal.Open(n.cfg.MasterKey)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, false, err
	}
	k, err = seal.Create(n.cfg.MasterKey)
	if errors.Is(err, fs.ErrExist) {
		k, err = seal.Open(n.cfg.MasterKey)
		return k, false, err
	}
	return k, err == nil, err
}

// unmakeKey removes a master key that was made for a store that did not open,
// unless the store may be sealed under it now. It returns why the store did not
// open.
func (n *Node) unmakeKey(cause error) error {
	sealedByOther := errors.Is(cause, seal.ErrKey)
	if n.db != nil && !sealedByOther && !errors.Is(cause, store.ErrFormat) {
		return cause
	}
	if sealedByOther {
		cause = fmt.Errorf("the master key %s is missing, and the store %s was sealed under it: put it back from your copy: %w",
			n.cfg.MasterKey, storeName(n.cfg.Store), cause)
	}
	return errors.Join(cause, os.Remove(n.cfg.MasterKey))
}

// ringName is the sealed value that holds the keys of the session ring, oldest
// first, each of session.KeySize bytes. All nodes of a store share it.
const ringName = "session-ring"

func openRing(ctx context.Context, s *store.Store, source *ids.Source) (*session.Ring, error) {
	raw, err := s.PutSystem(ctx, ringName, session.NewKey())
	if err != nil {
		return nil, fmt.Errorf("session keys: %w", err)
	}
	ring, err := session.NewRing(source, slices.Collect(slices.Chunk(raw, session.KeySize))...)
	if err != nil {
		return nil, fmt.Errorf("session keys: %w", err)
	}
	return ring, nil
}
