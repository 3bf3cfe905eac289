// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/usage"
)

// A Clock is one that may be moved.
type Clock = memkv.Clock

// A RootKey is the access key of an account's root user.
type RootKey struct{ Account, ID, Secret string }

// A Throwaway is what makes a node that keeps nothing: everything is in memory but
// the audit log, it has no address and no administrator, and its accounts are
// entered by root keys that somebody chose.
type Throwaway struct {
	Dir       string    // for the audit log and the local socket; made if it is missing, and left to the caller
	URL       string    // where clients reach the handler
	Region    string    // "" means us-east-1
	RootKeys  []RootKey // of the accounts that it begins with
	Clock     Clock
	IDs       *ids.Source
	Ring      []byte        // the key of session tokens, of session.KeySize bytes
	Delay     time.Duration // until a change is seen (quirk Q107); 0: at once
	Unchecked bool          // policies are decided and recorded, and not enforced (quirk Q108)
	Log       *slog.Logger  // nil: nothing is logged
}

// OpenThrowaway returns a node that answers through its Handler. The caller ends
// it with Discard.
func OpenThrowaway(ctx context.Context, o Throwaway) (*Node, error) {
	cfg := config.Config{Data: o.Dir, Region: o.Region, PublicURL: o.URL}.Defaults()
	n := newNode(cfg, Options{Log: o.Log, Now: o.Clock.Now, IDs: o.IDs})
	if err := n.openThrowaway(ctx, o); err != nil {
		return nil, errors.Join(err, n.Discard())
	}
	return n, nil
}

func (n *Node) openThrowaway(ctx context.Context, o Throwaway) error {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	n.chosen = make(ids.Chosen)
	for _, k := range o.RootKeys {
		n.chosen[k.ID] = k.Account
	}
	n.keeper = seal.New()
	if err := n.openMemory(ctx, o); err != nil {
		return err
	}
	var err error
	if n.ring, err = session.NewRing(n.ids, o.Ring); err != nil {
		return err
	}
	dir := filepath.Join(o.Dir, "audit")
	n.usage = usage.New(usage.Options{Store: n.store, Audit: dir, File: filepath.Join(o.Dir, "usage.mark"), Now: n.now, Log: n.log})
	n.audit, err = audit.Open(audit.Options{Dir: dir, MaxBytes: n.cfg.AuditMax, Now: n.now, Log: n.log, Written: n.usage.Note, NoSync: true})
	if err != nil {
		return err
	}
	n.metrics = newMetrics(n.store)
	n.federation()
	n.api = n.services()
	n.api.Authn.Keys, n.api.Authn.Clients = n.chosen, time.Now
	if o.Unchecked {
		n.api.Authz.Waived = func(e *authz.DeniedError) {
			n.log.Warn("not enforced", "caller", e.Caller, "action", e.Action, "resource", e.Resource, "reason", e.Summary)
		}
	}
	if err := n.serveLocal(ctx); err != nil {
		return err
	}
	n.usage.Start()
	return nil
}

// openMemory opens a store in memory with the accounts and their root keys, which
// are seen at once.
func (n *Node) openMemory(ctx context.Context, o Throwaway) error {
	db := memkv.Open(memkv.Options{Clock: o.Clock})
	n.db = db
	options := store.Options{DB: db, Keeper: n.keeper, IDs: n.ids, Now: n.now, Log: n.log}
	first, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	n.store = first
	var accounts []string
	for _, k := range o.RootKeys {
		if slices.Contains(accounts, k.Account) {
			return fmt.Errorf("account %s has two root keys", k.Account)
		}
		accounts = append(accounts, k.Account)
		_, err := n.store.CreateAccount(ctx, store.Account{
			ID: k.Account, Name: "account " + k.Account, Keys: []store.AccessKey{n.store.KeyOf(k.Account, k.ID, k.Secret)},
		})
		if err != nil {
			return err
		}
	}
	if o.Delay == 0 {
		return nil
	}
	if err := first.Close(); err != nil {
		return err
	}
	n.store = nil
	n.seen = db.Late(o.Delay)
	late := options
	late.DB = n.seen
	if n.late, err = store.Open(ctx, late); err != nil {
		return err
	}
	options.Reads = n.late
	n.store, err = store.Open(ctx, options)
	return err
}

// Handler returns what answers the requests to a throw-away node.
func (n *Node) Handler() http.Handler { return n.handler(n.api) }

// CatchUp returns once everything that is due by the clock of a throw-away node is
// seen.
func (n *Node) CatchUp(ctx context.Context) error {
	if n.late == nil {
		return nil
	}
	for n.late.Revision() < n.seen.Revision() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Microsecond):
		}
	}
	return nil
}

// Discard closes a throw-away node, whose handler must have returned from every
// request.
func (n *Node) Discard() error {
	if n.late == nil {
		return n.close()
	}
	return errors.Join(n.late.Close(), n.close())
}
