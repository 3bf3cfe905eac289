// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/learning"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// learns reports whether learning mode lets pass what a verdict refuses and rec, in
// which it stands for the request, has room to say so. It looks at the clock of env
// and does no I/O.
//
// quirk Q155: only checks of gateways are let pass, and only where the caller and
// the resource are of the account that learns: nobody gets into another account, and
// nobody without a signature anywhere.
//
// quirk Q156: what the session policy of the caller does not allow is not let pass:
// a session that was narrowed for somebody else stays narrow.
func learns(rec *audit.Record, c *authn.Caller, env *Env, ck *Check, v *Verdict) bool {
	if !ck.Learnable || ck.Open || c == nil || v.fenced || len(rec.Decision.Checks) >= maxChecks { // the last: quirk Q158
		return false
	}
	m, ok := learning.Of(c, env.Time)
	if !ok || v.Outcome == policy.ExplicitDeny && !m.Explicit {
		return false
	}
	account := string(c.Account)
	if v.Request.Account() != account {
		return false
	}
	if p, ok := arn.Split(ck.Resource); ok && p.Account != "" && p.Account != account {
		return false
	}
	if len(v.Set.Session) == 0 && !v.Set.HasSession {
		return true
	}
	narrow := &policy.Set{Identity: []*policy.Policy{allowAll()}, Session: v.Set.Session, HasSession: true}
	return policy.Decide(v.Request, narrow).Outcome == policy.Allowed
}
