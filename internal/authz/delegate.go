// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// fence returns set with the caller's session policies around it, so that they
// must allow whatever else does: in a Set alone, a resource's policy may let a
// session in that its session policy does not (quirks Q005 and Q013).
//
// quirk Q092: no resource's policy gives a delegate more than what was requested.
func (z *Authorizer) fence(set *policy.Set, c *authn.Caller) *policy.Set {
	s := c.Session
	var requested []*policy.Policy
	if s.Policy != "" {
		requested = append(requested, z.fences.get(s.Policy))
	}
	for _, arn := range s.PolicyARNs {
		requested = append(requested, fenceOf(c.View, arn))
	}
	fenced := *set
	fenced.SCPs = append(slices.Clip(set.SCPs), requested)
	return &fenced
}

// fenceOf is inForce for a fence.
func fenceOf(v *store.View, arn string) *policy.Policy {
	if p := Managed(v, arn, policy.SCP); p != nil {
		return p
	}
	return policy.Broken(arn, errGone)
}
