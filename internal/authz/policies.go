// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"errors"
	"sync"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Policies gathers every policy in force for the caller: identity policies with
// those of the groups, boundary and session. The set is the caller's own, its
// Resource is still empty, and Organize adds those of the organization. A nil caller has no policies.
func (z *Authorizer) Policies(c *authn.Caller) *policy.Set {
	set := new(policy.Set)
	if c == nil {
		return set
	}
	switch {
	case c.Role != nil:
		Gather(set, c.View, c.Role.Grants, c.Role.Boundary)
	case c.User != nil:
		GatherUser(set, c.View, c.User)
	case c.Principal.Type == policy.FederatedUser:
		// The root user federated: its sessions may do what root may, as far as
		// their session policy says.
		set.Identity = append(set.Identity, allowAll())
	}
	if c.Session != nil {
		z.session(set, c.View, c.Session)
	}
	return set
}

// GatherUser adds the policies of a user and of its groups to set.
func GatherUser(set *policy.Set, v *store.View, u *store.User) {
	Gather(set, v, u.Grants, u.Boundary)
	for _, g := range v.GroupsOf(u) {
		Gather(set, v, g.Grants, "")
	}
}

// Gather adds the policies of one principal to set. boundary is the ARN of its
// permissions boundary or "". A managed policy that no longer exists denies
// everything, because nobody knows what it denied; as a boundary it allows
// nothing.
func Gather(set *policy.Set, v *store.View, g store.Grants, boundary string) {
	for i := range g.Inline {
		set.Identity = append(set.Identity, g.Inline[i].Document.Compiled(policy.Identity))
	}
	for _, a := range g.Attached {
		set.Identity = append(set.Identity, inForce(v, a, policy.Identity))
	}
	if boundary != "" {
		set.HasBoundary = true
		set.Boundary = Managed(v, boundary, policy.Boundary)
	}
}

// errGone is the reason of a deny by a policy that was in force and is gone.
var errGone = errors.New("authz: the policy no longer exists")

// inForce is Managed for a policy that must be there.
//
// quirk Q024: one that is not denies everything.
func inForce(v *store.View, arn string, kind policy.Kind) *policy.Policy {
	if p := Managed(v, arn, kind); p != nil {
		return p
	}
	return policy.Broken(arn, errGone)
}

// Managed returns the default version of a managed policy, compiled, or nil when
// there is none.
func Managed(v *store.View, arn string, kind policy.Kind) *policy.Policy {
	p, err := v.Policy(arn)
	if err != nil {
		return nil
	}
	ver := p.DefaultVersion()
	if ver == nil {
		return nil
	}
	return ver.Document.Compiled(kind)
}

func (z *Authorizer) session(set *policy.Set, v *store.View, s *session.Claims) {
	if s.Kind == session.RootTask {
		// The policies of the tasks deny what is not of the task, and allow nothing:
		// they narrow what the root user may do (IAM User Guide, "AWS managed policies
		// for IAM", root-task).
		set.Session = append(set.Session, allowAll())
	}
	if s.Policy != "" {
		set.Session = append(set.Session, z.inline.get(s.Policy))
	}
	for _, a := range s.PolicyARNs {
		set.Session = append(set.Session, inForce(v, a, policy.Session))
	}
}

var allowAll = sync.OnceValue(func() *policy.Policy {
	d, err := policy.Parse("root", []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		return policy.Broken("root", err)
	}
	p, err := policy.Compile(d, policy.Identity)
	if err != nil {
		return policy.Broken("root", err)
	}
	return p
})

// sessionPolicies bounds how many inline session policies stay compiled.
const sessionPolicies = 4096

// compiled keeps the compiled form of inline session policies, which live in
// tokens and have no record to hang on. It has two generations of at most max
// texts each, so that a text in use is never far from being found.
type compiled struct {
	kind policy.Kind
	max  int

	mu       sync.Mutex // guards below
	now, old map[string]*policy.Policy
}

func newCompiled(kind policy.Kind, max int) *compiled {
	return &compiled{kind: kind, max: max, now: make(map[string]*policy.Policy)}
}

func (c *compiled) get(text string) *policy.Policy {
	c.mu.Lock()
	p, ok := c.now[text]
	if !ok {
		if p, ok = c.old[text]; ok {
			c.putLocked(text, p)
		}
	}
	c.mu.Unlock()
	if ok {
		return p
	}
	p = compileSession(text, c.kind)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putLocked(text, p)
	return p
}

func (c *compiled) putLocked(text string, p *policy.Policy) {
	if len(c.now) >= c.max {
		c.old, c.now = c.now, make(map[string]*policy.Policy)
	}
	c.now[text] = p
}

func compileSession(text string, kind policy.Kind) *policy.Policy {
	const name = "session policy"
	d, err := policy.Parse(name, []byte(text))
	if err != nil {
		return policy.Broken(name, err)
	}
	p, err := policy.Compile(d, kind)
	if err != nil {
		return policy.Broken(name, err)
	}
	return p
}
