// SPDX-License-Identifier: Apache-2.0

// Package authz decides whether a caller may act, and records that it did.
package authz

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Check is one question about a request: may the caller do Action on
// Resource? A request that touches several resources has several checks, and
// every one must be allowed.
type Check struct {
	Action   string // "iam:CreateUser"
	Resource string // ARN, or "*" for actions without resources
	Account  string // owner of the resource; "" means the caller's account
	Shown    string // what a refusal calls the resource, so as not to tell what exists; "" means Resource

	// Open says that the action needs no permission: only an explicit deny
	// refuses it (sts:GetSessionToken). A delegate needs it all the same.
	Open bool

	// Learnable says that learning mode may let the request through when this check
	// is not allowed. Gateways set it; what changes accounts never does.
	Learnable bool

	// MFA says that the request itself showed a second factor, just now.
	MFA bool

	// Policy is the resource's own policy, such as a role's trust policy; nil
	// when it has none.
	Policy *policy.Policy

	// Keys and Lists are the condition keys that this check adds to those of the
	// caller and the connection.
	Keys  map[string]string
	Lists map[string][]string
}

// Env is what the transport knows about a request.
type Env struct {
	Time      time.Time
	SourceIP  string // without port; "" when unknown
	UserAgent string
	Referer   string
	Secure    bool // the connection is TLS
}

// A Sealer makes the encoded message of a refusal; *session.Ring is one.
type Sealer interface {
	SealMessage(plain []byte) string
}

// An Authorizer decides and records. It is safe for concurrent use.
type Authorizer struct {
	// Waived, when not nil, turns enforcement off, for servers that tests throw
	// away: it is told of every refusal, the record keeps it, and the request goes
	// on all the same (quirk Q108). Nil: what is refused does not happen.
	Waived func(*DeniedError)

	log    *audit.Log
	sealer Sealer
	store  *store.Store
	inline *compiled // session policies of tokens
	fences *compiled // the same, as fences around a delegate
	// Decided, when not nil, is told every check, as the engine was asked, and its
	// outcome. It must not change the request.
	Decided func(*policy.Request, policy.Outcome)
}

// New returns an Authorizer that lets nothing happen while log cannot be written.
// From the store come the organizations of the accounts.
func New(log *audit.Log, sealer Sealer, s *store.Store) *Authorizer {
	return &Authorizer{
		log: log, sealer: sealer, store: s,
		inline: newCompiled(policy.Session, sessionPolicies), fences: newCompiled(policy.SCP, sessionPolicies),
	}
}

// Authorize decides every check for the caller, in order, and puts the decision
// with its reason into rec. It returns nil when all are allowed, a
// *DeniedError for the first that is not, and an error that wraps ErrUnrecorded
// when the audit log could not take the record: then nothing may happen.
// A caller of nil is anonymous. No checks at all is an error, never permission.
// What learning mode lets pass counts as allowed; rec says how it was decided, and
// that it was let pass.
func (z *Authorizer) Authorize(ctx context.Context, rec *audit.Record, c *authn.Caller, env *Env, checks ...Check) error {
	if err := z.log.Ready(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnrecorded, err)
	}
	if len(checks) == 0 {
		return errors.New("authz: nothing was asked")
	}
	set := z.Policies(c)
	for i := range checks {
		ck := &checks[i]
		v, err := z.Judge(ctx, set, c, env, ck)
		if err != nil {
			return err
		}
		if z.Decided != nil {
			z.Decided(v.Request, v.Outcome)
		}
		if v.Outcome != policy.Allowed {
			denied := z.denied(c, ck, &v)
			record(rec, ck, v.Decision, denied.Summary)
			if learns(rec, c, env, ck, &v) {
				rec.Decision.Learned = true
				continue
			}
			if z.Waived == nil {
				return denied
			}
			z.Waived(denied)
			continue
		}
		record(rec, ck, v.Decision, "")
	}
	return nil
}

// maxChecks is how many checks a record keeps; further ones are decided all the
// same.
const maxChecks = 100

// record notes the decision; the last one noted is the one that stands for the
// request. The others are kept beside it.
func record(rec *audit.Record, ck *Check, d policy.Decision, reason string) {
	a := audit.Check{Action: ck.Action, Resource: ck.Resource, Outcome: d.Outcome.String(), Reason: reason}
	if d.Layer != policy.NoLayer {
		a.Layer = d.Layer.String()
	}
	if s := d.Statement; s != nil {
		a.Policy, a.Sid, a.Statement, a.Line, a.Column = s.Policy, s.Sid, s.Index+1, s.Start.Line, s.Start.Column
	}
	if last := rec.Decision.Check; last.Action != "" && len(rec.Decision.Checks) < maxChecks {
		rec.Decision.Checks = append(rec.Decision.Checks, last)
	}
	rec.Decision.Check = a
}
