// SPDX-License-Identifier: Apache-2.0

// Package trustapi is the operations of IAM on trust between accounts and with the world: outbound web identity federation, central root access.
package trustapi

import (
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

//go:generate go run ../gen/shapes -package trustapi iam DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions DisableOutboundWebIdentityFederation EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions EnableOutboundWebIdentityFederation GetOutboundWebIdentityFederationInfo ListOrganizationsFeatures

// Options are what the operations need; all of them are required.
type Options struct {
	Store  *store.Store
	IDs    *ids.Source
	Now    func() time.Time
	Issuer *issuer.Registry
}

// service has the operations as its methods.
type service struct {
	store  *store.Store
	orgs   *orgs.Registry
	issuer *issuer.Registry
}

// Ops returns the operations in order of their names, for the IAM service.
func Ops(o Options) []api.Op {
	s := &service{store: o.Store, orgs: &orgs.Registry{Store: o.Store, IDs: o.IDs, Now: o.Now}, issuer: o.Issuer}
	return s.ops()
}

// ops is the index of the package, sorted by name. None of the operations has a
// resource or condition keys of its own (Service Authorization Reference, "AWS
// Identity and Access Management").
func (s *service) ops() []api.Op {
	return []api.Op{
		api.Write("iam:DisableOrganizationsRootCredentialsManagement", decodeDisableOrganizationsRootCredentialsManagementInput, iamop.Whole, s.disableRootCredentials),
		api.Write("iam:DisableOrganizationsRootSessions", decodeDisableOrganizationsRootSessionsInput, iamop.Whole, s.disableRootSessions),
		api.Void("iam:DisableOutboundWebIdentityFederation", decodeDisableOutboundWebIdentityFederationInput, iamop.Whole, s.disableOutbound),
		api.Write("iam:EnableOrganizationsRootCredentialsManagement", decodeEnableOrganizationsRootCredentialsManagementInput, iamop.Whole, s.enableRootCredentials),
		api.Write("iam:EnableOrganizationsRootSessions", decodeEnableOrganizationsRootSessionsInput, iamop.Whole, s.enableRootSessions),
		api.Write("iam:EnableOutboundWebIdentityFederation", decodeEnableOutboundWebIdentityFederationInput, iamop.Whole, s.enableOutbound),
		api.Read("iam:GetOutboundWebIdentityFederationInfo", decodeGetOutboundWebIdentityFederationInfoInput, iamop.Whole, s.getOutboundInfo),
		api.Read("iam:ListOrganizationsFeatures", decodeListOrganizationsFeaturesInput, iamop.Whole, s.listFeatures),
	}
}
