// SPDX-License-Identifier: Apache-2.0

// Package node builds a server from its parts, runs it and drains it; it is the
// only place where the parts meet.
package node

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/credapi"
	"github.com/innkeeper-iam/innkeeper/internal/delegapi"
	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/iamapi"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
	"github.com/innkeeper-iam/innkeeper/internal/orgapi"
	"github.com/innkeeper-iam/innkeeper/internal/relay"
	"github.com/innkeeper-iam/innkeeper/internal/reportapi"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/sink"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/stsapi"
	"github.com/innkeeper-iam/innkeeper/internal/trustapi"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/usage"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Options are what a test sets about a node beside its configuration. The zero
// value is right for production.
type Options struct {
	Log    *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now
	IDs    *ids.Source      // nil: random identifiers
	NoSync bool             // the embedded store does not wait for the disk

	// Decided, when not nil, is told every check and its outcome; see authz.
	Decided func(*policy.Request, policy.Outcome)
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
	issuers *federate.OIDC
	saml    *federate.SAML
	keeper  *seal.Keeper
	issuer  *issuer.Registry
	audit   *audit.Log
	usage   *usage.Index
	aims    []aim
	sinks   []*sink.Sink
	reports *reportapi.Reports
	metrics *metrics
	decided func(*policy.Request, policy.Outcome)
	api     *api.Server

	chosen ids.Chosen   // of a throw-away node, as are the next two
	seen   *memkv.Late  // what late follows; nil without a delay
	late   *store.Store // what the store reads from; nil without a delay

	listener  net.Listener
	tls       *tls.Config                   // nil: no TLS
	upstreams map[string]*upstream.Upstream // of the gateway, by service
	gates     net.Listener                  // of the gateway; nil: there is none
	relayed   *relay.Server                 // for gateways that run apart
	gateways  net.Listener                  // of those on other machines; nil: there are none
	relay     *relay.Client                 // of a gateway that runs apart itself, as is the next; else nil
	keyring   *relay.Keyring
	envoy     rpcServer    // answers Envoy; nil: nobody does
	envoys    net.Listener // where
	servers   []*http.Server
	failed    chan error // from the serving goroutines
	started   time.Time

	requests context.Context // of every request
	abandon  context.CancelFunc
}

// Start opens the store, makes the first account when there is none, and begins
// to serve. On an error everything that was opened is closed again. A node whose
// address or certificate is not to be had makes no files.
func Start(ctx context.Context, cfg config.Config, opts Options) (*Node, error) {
	cfg = cfg.Defaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := newNode(cfg, opts)
	if err := n.start(ctx, opts.NoSync); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *Node) start(ctx context.Context, noSync bool) (err error) {
	if n.aims, err = aims(n.cfg.Audit, n.log); err != nil {
		return err
	}
	if err := n.listen(); err != nil {
		return err
	}
	if err := os.MkdirAll(n.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := n.open(ctx, noSync); err != nil {
		return err
	}
	if err := n.bootstrap(ctx); err != nil {
		return err
	}
	return n.serve(ctx)
}

func newNode(cfg config.Config, opts Options) *Node {
	n := &Node{cfg: cfg, log: opts.Log, now: opts.Now, ids: opts.IDs, decided: opts.Decided, failed: make(chan error, maxServers)}
	n.requests, n.abandon = context.WithCancel(context.Background())
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

// open opens everything that keeps state, in the data directory, which exists.
func (n *Node) open(ctx context.Context, noSync bool) error {
	keeper, made, err := n.masterKey()
	if err != nil {
		return err
	}
	n.keeper = keeper
	if err := n.openStore(ctx, keeper, noSync); err != nil {
		if made {
			err = n.unmakeKey(err)
		}
		return err
	}
	if made {
		n.log.Info("made a master key; without it nothing in the store can be opened: keep a copy", "file", n.cfg.MasterKey)
	}
	if n.ring, err = openRing(ctx, n.store, n.ids); err != nil {
		return err
	}
	dir := n.auditDir()
	n.usage = usage.New(usage.Options{Store: n.store, Audit: dir, File: filepath.Join(n.cfg.Data, "usage.mark"), Now: n.now, Log: n.log})
	n.audit, err = n.openAudit(n.usage.Note)
	return err
}

func (n *Node) openStore(ctx context.Context, keeper *seal.Keeper, noSync bool) error {
	db, err := openDB(ctx, n.cfg.Store, noSync)
	if err != nil {
		return err
	}
	n.db = db // only now: with an error it is a nil pointer and not nil
	n.store, err = store.Open(ctx, store.Options{DB: n.db, Keeper: keeper, IDs: n.ids, Now: n.now, Log: n.log})
	return err
}

// services returns the API server with every service that a node offers.
func (n *Node) services() *api.Server {
	az := authz.New(n.audit, n.ring, n.store)
	az.Decided = func(r *policy.Request, o policy.Outcome) {
		n.metrics.decided(o)
		if n.decided != nil {
			n.decided(r, o)
		}
	}
	n.reports = reportapi.New(reportapi.Options{Store: n.store, Usage: n.usage, Authz: az, IDs: n.ids, Now: n.now, Log: n.log})
	server := &api.Server{
		Services: []*api.Service{
			iamapi.New(iamapi.Options{Store: n.store, IDs: n.ids, Now: n.now, Issuers: n.issuers},
				slices.Concat(
					credapi.Ops(credapi.Options{Store: n.store, Now: n.now}),
					delegapi.Ops(delegapi.Options{Store: n.store, IDs: n.ids, Now: n.now, Authz: az, Log: n.log}),
					n.reports.Ops(),
					trustapi.Ops(trustapi.Options{Store: n.store, IDs: n.ids, Now: n.now, Issuer: n.issuer}),
				)...),
			stsapi.New(stsapi.Options{
				Store: n.store, Ring: n.ring, Now: n.now, Issuers: n.issuers, SAML: n.saml, Issuer: n.issuer, IDs: n.ids,
				Keys: n.chosen,
			}),
			orgapi.New(orgapi.Options{Store: n.store, IDs: n.ids, Now: n.now}),
		},
		Authn: authn.New(n.store, n.ring, n.now, "iam", "sts", "organizations"),
		Authz: az, Audit: n.audit, Store: n.store, IDs: n.ids, Now: n.now,
		Observer: n.metrics, Log: n.log, Region: n.cfg.Region,
	}
	n.reports.Track(server.Services)
	return server
}

// listen reads the certificate and takes the addresses. Who connects before serve
// is answered then.
func (n *Node) listen() (err error) {
	if err := n.certificate(); err != nil {
		return err
	}
	if n.listener, err = net.Listen("tcp", n.cfg.Listen); err != nil {
		return err
	}
	if n.cfg.Gateways != "" {
		if n.gateways, err = net.Listen("tcp", n.cfg.Gateways); err != nil {
			return err
		}
	}
	if n.cfg.Envoy != "" {
		if n.envoys, err = net.Listen("tcp", n.cfg.Envoy); err != nil {
			return err
		}
	}
	return n.openGate()
}

// certificate reads the certificate, if there is one.
func (n *Node) certificate() error {
	if n.cfg.TLSCert == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(n.cfg.TLSCert, n.cfg.TLSKey)
	if err != nil {
		return fmt.Errorf("TLS certificate: %w", err)
	}
	n.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	return nil
}

func (n *Node) serve(ctx context.Context) error {
	n.metrics = newMetrics(n.store)
	n.federation()
	n.api = n.services()
	s := n.server(n.handler(n.api), n.tls)
	s.ReadTimeout, s.WriteTimeout = 30*time.Second, 60*time.Second
	if err := n.serveLocal(ctx); err != nil {
		return err
	}
	n.usage.Start()
	if err := n.startSinks(); err != nil {
		return err
	}
	if err := n.guard(ctx, n.api.Authn, n.api.Authz); err != nil {
		return err
	}
	n.serveEnvoy()
	n.run(s, n.listener)
	return nil
}

// server returns a server of the node that answers with h, over TLS unless tls is
// nil. It bounds the time for the head of a request; that for bodies is the
// caller's to set.
func (n *Node) server(h http.Handler, tls *tls.Config) *http.Server {
	return &http.Server{
		Handler:           h,
		TLSConfig:         tls,
		BaseContext:       func(net.Listener) context.Context { return n.requests },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelWarn),
	}
}

// maxServers is more than a node runs.
const maxServers = 8

// run answers on l until the node is closed.
func (n *Node) run(s *http.Server, l net.Listener) {
	n.servers = append(n.servers, s)
	go func() {
		serve := s.Serve
		if s.TLSConfig != nil {
			serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
		}
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.failed <- err
		}
	}()
}

// Posture says what is on, as arguments for a log line: nobody should have to
// guess whether signatures are checked and policies enforced. They always are.
func (n *Node) Posture() []any {
	tlsOn := "off"
	if n.tls != nil {
		tlsOn = "on"
	}
	return []any{
		"url", n.URL(), "store", storeName(n.cfg.Store), "signatures", "checked", "policies", "enforced",
		"audit", filepath.Join(n.cfg.Data, "audit"), "tls", tlsOn, "took", n.now().Sub(n.started).Round(time.Millisecond),
	}
}

// URL returns the address that clients use.
func (n *Node) URL() string {
	if n.tls != nil {
		return "https://" + n.listener.Addr().String()
	}
	return "http://" + n.listener.Addr().String()
}

// Store returns the store of a running node. It is the node's, who closes it.
func (n *Node) Store() *store.Store { return n.store }

// Services returns the services of a running node, with all their operations.
func (n *Node) Services() []*api.Service { return n.api.Services }

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
	err := n.shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		n.log.Warn("requests were still running at the end of the drain time")
		err = n.interrupt()
	}
	return errors.Join(err, n.close())
}

// shutdown stops the servers and waits until no request runs or ctx ends.
func (n *Node) shutdown(ctx context.Context) error {
	errs := make([]error, len(n.servers))
	var done sync.WaitGroup
	for i, s := range n.servers {
		done.Go(func() { errs[i] = s.Shutdown(ctx) })
	}
	done.Go(func() { n.stopEnvoy(ctx) })
	done.Wait()
	return cmp.Or(errs...)
}

// interrupt cancels the requests that still run and gives them a moment to
// return: the stores may not be closed under them.
func (n *Node) interrupt() error {
	n.abandon()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := n.shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return n.closeServers()
}

func (n *Node) closeServers() error {
	var errs []error
	for _, s := range n.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// close closes whatever is open, in the opposite order of opening.
func (n *Node) close() error {
	n.abandon()
	errs := []error{n.closeServers()}
	if n.envoy != nil {
		n.envoy.Stop()
	}
	for _, l := range []net.Listener{n.listener, n.gates} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) { // its server closes it too
			errs = append(errs, err)
		}
	}
	if n.reports != nil {
		n.reports.Close()
	}
	if n.audit != nil {
		errs = append(errs, n.audit.Close())
		errs = append(errs, n.closeSinks()...)
		if n.usage != nil {
			errs = append(errs, n.usage.Close())
		}
	}
	if n.keyring != nil {
		n.keyring.Close()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.relay != nil {
		errs = append(errs, n.relay.Close())
	}
	if n.db != nil {
		errs = append(errs, n.db.Close())
	}
	return errors.Join(errs...)
}
