// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/relay"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// StartGateway runs a gateway apart from its server, cfg.Gateway.Server. It waits
// for the server until ctx ends: a gateway that starts knows nobody yet.
//
// Like Start, it closes everything again when it returns an error.
func StartGateway(ctx context.Context, cfg config.Config, opts Options) (*Node, error) {
	cfg = cfg.Defaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := newNode(cfg, opts)
	if err := n.startApart(ctx); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *Node) startApart(ctx context.Context) error {
	if err := n.certificate(); err != nil {
		return err
	}
	if err := n.openGate(); err != nil {
		return err
	}
	if at := n.cfg.Gateway.Status; at != "" {
		var err error
		if n.listener, err = net.Listen("tcp", at); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(n.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := n.follow(ctx); err != nil {
		return err
	}
	var err error
	if n.audit, err = n.openAudit(nil); err != nil {
		return err
	}
	n.metrics = newMetrics(n.store)
	if err := n.startSinks(); err != nil {
		return err
	}
	an := authn.New(n.store, nil, n.now)
	an.Keyring = n.keyring
	az := authz.New(n.audit, nil, n.store)
	az.Decided = func(_ *policy.Request, o policy.Outcome) { n.metrics.decided(o) }
	if err := n.guard(ctx, an, az); err != nil {
		return err
	}
	if n.listener != nil {
		s := n.server(n.status(), n.tls)
		s.ReadTimeout, s.WriteTimeout = statusTimeout, statusTimeout
		n.run(s, n.listener)
	}
	return nil
}

// follow opens what the server lets a gateway see.
func (n *Node) follow(ctx context.Context) error {
	g := n.cfg.Gateway
	at := g.Server
	if !strings.HasPrefix(at, "https://") {
		at = "unix:" + socketFile(filepath.Clean(at))
	}
	var err error
	if n.relay, err = relay.Dial(relay.Options{Server: at, Identity: g.Identity, Now: n.now, Log: n.log}); err != nil {
		return err
	}
	n.log.Info("asking the server for accounts and policies", "server", g.Server)
	n.store, err = n.relay.OpenStore(ctx, store.Options{IDs: n.ids, Now: n.now, Log: n.log, StaleAfter: g.OfflineFor})
	if err != nil {
		return fmt.Errorf("server %s: %w", g.Server, err)
	}
	n.keyring = n.relay.Keyring(n.store, g.OfflineFor)
	return nil
}

// status answers the operator's paths of a gateway apart, which has no API that
// they could stand beside.
func (n *Node) status() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", n.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}

// statusTimeout bounds a request for the status of a gateway.
const statusTimeout = 30 * time.Second

// openAudit opens the audit log; written is told of every record.
func (n *Node) openAudit(written func(*audit.Record)) (*audit.Log, error) {
	stays, err := keep(n.cfg.Audit)
	if err != nil {
		return nil, err
	}
	return audit.Open(audit.Options{Dir: n.auditDir(), MaxBytes: n.cfg.AuditMax, Keep: stays, Now: n.now, Log: n.log, Written: written})
}

// serveRelay begins to serve the gateways that run apart: on the operator's socket
// and, if the configuration says so, on an address of their own.
func (n *Node) serveRelay(ctx context.Context, operator *http.ServeMux) error {
	n.relayed = n.newRelay()
	operator.Handle("/relay/", n.relayed.Local())
	operator.HandleFunc("POST /gateways", n.postEnrolment)
	if n.gateways == nil {
		return nil
	}
	s, err := n.relayed.HTTP(ctx)
	if err != nil {
		return fmt.Errorf("gateways: %w", err)
	}
	n.run(s, n.gateways)
	return nil
}
