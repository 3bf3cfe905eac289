// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// Options are what the service needs; all of them are required.
type Options struct {
	Store   *store.Store
	Ring    *session.Ring
	Now     func() time.Time
	Issuers *federate.OIDC
	SAML    *federate.SAML
	Issuer  *issuer.Registry // accounts that issue tokens themselves
	IDs     *ids.Source
	Keys    ids.Chosen // access keys whose ids do not carry their account; nil for none
}

// sts is the service; its methods are the operations.
type sts struct {
	store   *store.Store
	ring    *session.Ring
	now     func() time.Time
	issuers *federate.OIDC
	saml    *federate.SAML
	issuer  *issuer.Registry
	ids     *ids.Source
	keys    ids.Chosen
}

// New returns the STS service.
func New(o Options) *api.Service {
	s := &sts{store: o.Store, ring: o.Ring, now: o.Now, issuers: o.Issuers, saml: o.SAML, issuer: o.Issuer, ids: o.IDs, keys: o.Keys}
	return api.NewService("sts", "2011-06-15", namespace, s.ops())
}
