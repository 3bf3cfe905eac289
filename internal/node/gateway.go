// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awsgate"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/gateway"
	"github.com/innkeeper-iam/innkeeper/internal/s3gate"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
)

// openGate reads the credentials of the upstreams and takes the address of the
// gateway, if there is to be one.
func (n *Node) openGate() error {
	if !n.cfg.Gateway.Enabled() {
		return nil
	}
	services, err := n.cfg.Gateway.Services()
	if err != nil {
		return err
	}
	n.upstreams = make(map[string]*upstream.Upstream, len(services))
	for service, at := range services {
		if n.upstreams[service], err = n.upstream(service, at); err != nil {
			return fmt.Errorf("upstream for %s: %w", service, err)
		}
	}
	l, err := net.Listen("tcp", n.cfg.Gateway.Listen)
	if err != nil {
		return err
	}
	n.gates = gateway.Listen(l, n.cfg.Gateway.Stall)
	return nil
}

// GatewayURL returns the address that clients of the gateway use, "" without one.
func (n *Node) GatewayURL() string {
	switch {
	case n.gates == nil:
		return ""
	case n.tls != nil:
		return "https://" + n.gates.Addr().String()
	}
	return "http://" + n.gates.Addr().String()
}

// guard begins to answer the requests to the gateway.
func (n *Node) guard(ctx context.Context, an *authn.Authenticator, az *authz.Authorizer) error {
	if n.gates == nil {
		return nil
	}
	h, err := n.gate(ctx, an, az)
	if err != nil {
		return err
	}
	n.run(n.server(gateway.Bodies(h, n.cfg.Gateway.Stall), n.tls), n.gates)
	return nil
}

// gate returns what answers requests to the gateway.
func (n *Node) gate(ctx context.Context, an *authn.Authenticator, az *authz.Authorizer) (http.Handler, error) {
	watch := &gateway.Watch{Proxies: n.cfg.Gateway.Trusted(), Now: n.now}
	front, others := new(gateway.Front), make(map[string]*upstream.Upstream)
	for service, up := range n.upstreams {
		if service != "s3" {
			others[service] = up
			continue
		}
		if n.cfg.Gateway.Keys == "probe" {
			if err := n.probe(ctx, up); err != nil {
				return nil, fmt.Errorf("probing the upstream: %w", err)
			}
		}
		front.S3 = s3gate.New(s3gate.Options{
			Upstream: up, Buckets: buckets.New(n.store), Authn: an, Authz: az, Audit: n.audit, Store: n.store, IDs: n.ids,
			Now: n.now, Log: n.log, Region: n.cfg.Region, Domains: n.cfg.Gateway.Domains, Env: watch.Env,
			Location: location(cmp.Or(n.cfg.Gateway.UpstreamRegion, n.cfg.Region)), Observer: n.metrics,
		})
	}
	if len(others) > 0 {
		front.Others = awsgate.New(awsgate.Options{
			Upstreams: others, Authn: an, Authz: az, Audit: n.audit, Store: n.store, IDs: n.ids, Now: n.now, Log: n.log,
			Region: n.cfg.Region, Account: n.cfg.Gateway.Account, Env: watch.Env, Observer: n.metrics,
		})
	}
	return front, nil
}

// How a store is probed that may not be there yet.
const (
	probeTimeout = 30 * time.Second
	probeAgain   = 5 * time.Second
)

// probe finds out what a store does. One that does not answer yet is trusted with
// nothing until it does and could be asked. The error is about a store that cannot be
// used.
func (n *Node) probe(ctx context.Context, up *upstream.Upstream) error {
	attempt := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		_, err := up.Probe(ctx)
		return err
	}
	err := attempt(ctx)
	if !absent(err) {
		return err
	}
	n.log.Warn("the upstream is not there yet; until it is, it is trusted with nothing", "error", err)
	go func() {
		for absent(err) {
			select {
			case <-n.requests.Done():
				return
			case <-time.After(probeAgain):
			}
			err = attempt(n.requests)
		}
		if err != nil {
			n.log.Error("the upstream cannot be trusted", "error", err)
		}
	}()
	return nil
}

// absent reports whether an upstream could not be reached at all.
func absent(err error) bool {
	f, ok := errors.AsType[*upstream.Failure](err)
	return ok && (f.Kind == upstream.Unreachable || f.Kind == upstream.DNS || f.Kind == upstream.Timeout)
}

// location is the LocationConstraint of buckets in a region (S3 API Reference,
// CreateBucket: us-east-1 has none).
func location(region string) string {
	if region == "us-east-1" {
		return ""
	}
	return region
}

// upstream returns the upstream of a service.
func (n *Node) upstream(service string, at *url.URL) (*upstream.Upstream, error) {
	g := n.cfg.Gateway
	o := upstream.Options{
		URL: at, Region: cmp.Or(g.UpstreamRegion, n.cfg.Region), Service: service, ProbeBucket: g.ProbeBucket, Timeout: g.Answer, Log: n.log,
	}
	if g.Keys == "verbatim" {
		var err error
		if o.Profile, err = upstream.ParseProfile(g.Keys); err != nil {
			return nil, err
		}
	}
	if g.Credentials != "" {
		own, err := upstream.SharedFile(g.Credentials, service)
		if err != nil {
			if own, err = upstream.SharedFile(g.Credentials, ""); err != nil {
				return nil, err
			}
		}
		o.Credentials = own
	}
	return upstream.New(o)
}
