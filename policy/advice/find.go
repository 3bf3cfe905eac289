// SPDX-License-Identifier: Apache-2.0

package advice

import "github.com/innkeeper-iam/innkeeper/policy"

// For returns what would let r pass under the policies of s. It decides and
// explains several times over: it is for people who ask, not for every refusal.
func For(r *policy.Request, s *policy.Set) Advice {
	a := Advice{request: r, set: s, Changes: []Change{}}
	if policy.Decide(r, s).Outcome == policy.Allowed {
		a.Allowed, a.Summary = true, "The request is allowed as it is."
	}
	return a
}
