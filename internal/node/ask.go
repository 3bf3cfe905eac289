// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/internal/askapi"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/extauthz"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// desk returns what answers questions about permissions, from the parts of the
// API.
func (n *Node) desk() *ask.Desk {
	registry := buckets.New(n.store)
	return ask.New(ask.Options{
		Store: n.store, Authn: n.api.Authn, Authz: n.api.Authz, Audit: n.audit, IDs: n.ids, Now: n.now, Region: n.cfg.Region,
		Resource: func(ctx context.Context, _, resource string) (ask.Resource, error) {
			return bucketOf(ctx, registry, resource)
		},
	})
}

// bucketOf is what is known about a bucket, or the bucket of an object. A resource
// that is neither is an unknown one, as is a bucket that nobody owns.
func bucketOf(ctx context.Context, registry *buckets.Registry, resource string) (ask.Resource, error) {
	a, ok := arn.Split(resource)
	if !ok || a.Service != "s3" {
		return ask.Resource{}, nil
	}
	name, _, _ := strings.Cut(a.Resource, "/")
	b, err := registry.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return ask.Resource{}, nil
	}
	if err != nil {
		return ask.Resource{}, err
	}
	return ask.Resource{Account: b.Account, Policy: b.Compiled()}, nil
}

// asking returns the authorization API over HTTP.
func (n *Node) asking() *askapi.Handler {
	return askapi.New(askapi.Options{Desk: n.desk(), Now: n.now, Log: n.log, URL: n.cfg.PublicURL})
}

// A rpcServer serves gRPC.
type rpcServer interface {
	Serve(net.Listener) error
	GracefulStop()
	Stop()
}

// serveEnvoy begins to answer Envoy, if the configuration says where.
func (n *Node) serveEnvoy() {
	if n.envoys == nil {
		return
	}
	n.envoy = extauthz.New(extauthz.Options{Desk: n.desk(), Now: n.now, Log: n.log}).Over(n.tls)
	go func() {
		if err := n.envoy.Serve(n.envoys); err != nil {
			n.failed <- err
		}
	}()
}

// stopEnvoy lets the questions of Envoy under way finish, until ctx ends.
func (n *Node) stopEnvoy(ctx context.Context) {
	if n.envoy == nil {
		return
	}
	unhook := context.AfterFunc(ctx, n.envoy.Stop)
	defer unhook()
	n.envoy.GracefulStop()
}
