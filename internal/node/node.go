// SPDX-License-Identifier: Apache-2.0

// Package node builds a server from its parts, runs it and drains it; it is the
// only place where the parts meet.
package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/iamapi"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/stsapi"
)

// Options are what a test sets about a node beside its configuration. The zero
// value is right for production.
type Options struct {
	Log    *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now
	IDs    *ids.Source      // nil: random identifiers
	NoSync bool             // the embedded store does not wait for the disk
}

// A Node is a running server. Make one with Start.
type Node struct {
	cfg     config.Config
	log     *slog.Logger
	now     func() time.Time
	ids     *ids.Source
	db      kv.DB
	store   *store.Store
	ring    *session.Ring
	audit   *audit.Log
	metrics *metrics

	listener net.Listener
	http     *http.Server
	local    *http.Server
	failed   chan error // from the serving goroutines
	started  time.Time
}

// Start opens the store, makes the first account when there is none, and begins
// to serve. On an error everything that was opened is closed again.
func Start(ctx context.Context, cfg config.Config, opts Options) (n *Node, err error) {
	cfg = cfg.Defaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n = newNode(cfg, opts)
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	if err := n.open(ctx, opts.NoSync); err != nil {
		return nil, err
	}
	if err := n.bootstrap(ctx); err != nil {
		return nil, err
	}
	if err := n.serve(); err != nil {
		return nil, err
	}
	return n, nil
}

func newNode(cfg config.Config, opts Options) *Node {
	n := &Node{cfg: cfg, log: opts.Log, now: opts.Now, ids: opts.IDs, failed: make(chan error, 2)}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	if n.ids == nil {
		n.ids = new(ids.Source)
	}
	n.started = n.now()
	return n
}

// open opens everything that keeps state.
func (n *Node) open(ctx context.Context, noSync bool) (err error) {
	if err := os.MkdirAll(n.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	keeper, err := n.masterKey()
	if err != nil {
		return err
	}
	if n.db, err = openDB(ctx, n.cfg.Store, noSync); err != nil {
		return err
	}
	n.store, err = store.Open(ctx, store.Options{DB: n.db, Keeper: keeper, IDs: n.ids, Now: n.now, Log: n.log})
	if err != nil {
		return err
	}
	if n.ring, err = openRing(ctx, n.store, n.ids); err != nil {
		return err
	}
	n.audit, err = audit.Open(audit.Options{Dir: filepath.Join(n.cfg.Data, "audit"), MaxBytes: n.cfg.AuditMax, Now: n.now, Log: n.log})
	return err
}

// services returns the API server with every service that a node offers.
func (n *Node) services() *api.Server {
	az := authz.New(n.audit, n.ring)
	az.Decided = n.metrics.decided
	return &api.Server{
		Services: []*api.Service{
			iamapi.New(iamapi.Options{Store: n.store, Now: n.now}),
			stsapi.New(stsapi.Options{Store: n.store, Ring: n.ring, Now: n.now}),
		},
		Authn: authn.New(n.store, n.ring, n.now, "iam", "sts"),
		Authz: az, Audit: n.audit, Store: n.store, IDs: n.ids, Now: n.now,
		Observer: n.metrics, Log: n.log, Region: n.cfg.Region,
	}
}

func (n *Node) serve() (err error) {
	n.metrics = newMetrics(n.store)
	if n.listener, err = net.Listen("tcp", n.cfg.Listen); err != nil {
		return err
	}
	n.http = &http.Server{
		Handler:           n.handler(n.services()),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelWarn),
	}
	if n.cfg.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(n.cfg.TLSCert, n.cfg.TLSKey)
		if err != nil {
			return fmt.Errorf("TLS certificate: %w", err)
		}
		n.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	go func() { n.failed <- n.accept() }()
	return n.serveLocal()
}

func (n *Node) accept() error {
	if n.http.TLSConfig != nil {
		return n.http.ServeTLS(n.listener, "", "")
	}
	return n.http.Serve(n.listener)
}

// Posture says what is on, as arguments for a log line: nobody should have to
// guess whether signatures are checked and policies enforced. They always are.
func (n *Node) Posture() []any {
	tlsOn := "off"
	if n.cfg.TLSCert != "" {
		tlsOn = "on"
	}
	return []any{
		"url", n.URL(), "store", storeName(n.cfg.Store), "signatures", "checked", "policies", "enforced",
		"audit", filepath.Join(n.cfg.Data, "audit"), "tls", tlsOn, "took", n.now().Sub(n.started).Round(time.Millisecond),
	}
}

// URL returns the address that clients use.
func (n *Node) URL() string {
	if n.cfg.TLSCert != "" {
		return "https://" + n.listener.Addr().String()
	}
	return "http://" + n.listener.Addr().String()
}

// Store returns the store of a running node. It is the node's, who closes it.
func (n *Node) Store() *store.Store { return n.store }

// Run waits until ctx is done or a listener fails, lets the requests under way
// finish, and closes everything. It returns the first failure.
func (n *Node) Run(ctx context.Context) error {
	var failure error
	select {
	case <-ctx.Done():
		n.log.Info("draining", "within", n.cfg.Drain)
	case failure = <-n.failed:
	}
	return errors.Join(failure, n.Close())
}

// Close drains and closes the node: no new connections, the requests under way
// may finish within the drain time, then the stores are flushed and closed.
func (n *Node) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), n.cfg.Drain)
	defer cancel()
	err := n.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		n.log.Warn("requests were still running at the end of the drain time")
		err = n.http.Close()
	}
	return errors.Join(err, n.close())
}

// close closes whatever is open, in the opposite order of opening.
func (n *Node) close() error {
	var errs []error
	if n.local != nil {
		errs = append(errs, n.local.Close())
	}
	if n.listener != nil && n.http == nil {
		errs = append(errs, n.listener.Close())
	}
	if n.audit != nil {
		errs = append(errs, n.audit.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.db != nil {
		errs = append(errs, n.db.Close())
	}
	return errors.Join(errs...)
}
