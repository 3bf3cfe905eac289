// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Proof is who vouches for a caller that signs nothing: an identity provider of
// the account in which it asks for a role.
type Proof struct {
	Provider string // ARN of the provider
	Name     string // of the subject, as audit records have it
	Issuer   string // the provider, as audit records have it
	SAML     bool   // an assertion proved it, not a web identity token
}

// Federated returns the caller that a provider vouches for, in the provider's
// account. id names the subject within the provider.
func Federated(v *store.View, id string, p Proof) *Caller {
	return &Caller{
		Account: arn.AccountID(v.Account().ID), UserID: id, View: v, Proof: &p,
		Principal: policy.Principal{Type: policy.WebIdentity, ARN: p.Provider},
	}
}
