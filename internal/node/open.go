// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
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
		return nil, fmt.Errorf("--store %s: unknown kind of store %q; give a file's path or etcd://HOST:PORT", name, scheme)
	}
	return boltkv.Open(boltkv.Options{Path: name, NoSync: noSync})
}

// storeName is a --store value without the password that a URL may hold.
func storeName(name string) string {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		return u.Redacted()
	}
	return name
}

// masterKey opens the master key, and makes it when this is the first start.
// The store itself tells when it was sealed under another one.
func (n *Node) masterKey() (*seal.Keeper, error) {
	keeper, err := seal.Open(n.cfg.MasterKey)
	if errors.Is(err, fs.ErrNotExist) {
		keeper, err = seal.Create(n.cfg.MasterKey)
		if err == nil {
			n.log.Info("made a master key; without it nothing in the store can be opened: keep a copy", "file", n.cfg.MasterKey)
		}
	}
	return keeper, err
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
