// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"context"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Verdict is the decision of one check, with what it was made of.
type Verdict struct {
	policy.Decision

	Request *policy.Request
	Set     *policy.Set // it may be that of other verdicts, with another Resource
	fenced  bool        // what was delegated does not cover it
}

// Judge decides a check for a caller as Authorize would, for questions about
// what somebody could do: nothing is recorded, learned or waived. set is what Policies
// gave for the caller; one set may serve many checks, one after the other.
func (z *Authorizer) Judge(ctx context.Context, set *policy.Set, c *authn.Caller, env *Env, ck *Check) (Verdict, error) {
	v := Verdict{Request: Request(c, env, ck), Set: set}
	set.Resource = ck.Policy
	if err := z.Organize(ctx, set, v.Request, c); err != nil {
		return Verdict{}, err
	}
	v.Decision = policy.Decide(v.Request, set)
	if ck.Open && v.Outcome == policy.ImplicitDeny && c.Delegate() == "" {
		v.Decision = policy.Decision{Outcome: policy.Allowed}
	}
	if v.Outcome == policy.Allowed && c.Delegate() != "" {
		if fence := z.fence(set, c); policy.Decide(v.Request, fence).Outcome != policy.Allowed {
			v.Decision, v.Set, v.fenced = policy.Decision{Layer: policy.SessionLayer}, fence, true
		}
	}
	return v, nil
}

// Explain returns everything that led to the verdict. It must be called before the
// set serves another check.
func (v *Verdict) Explain() *policy.Trace {
	t := policy.Explain(v.Request, v.Set)
	if v.fenced {
		t.Decision = v.Decision
		t.Summary = "Denied: " + v.Request.Action + " is not among the permissions that were delegated, whatever the policy of the resource allows."
	}
	return t
}
