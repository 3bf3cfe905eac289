// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// ErrUnrecorded says that the audit log cannot be written, and so that nothing
// may happen.
var ErrUnrecorded = errors.New("authz: the audit log cannot take the record")

// A DeniedError is a refusal. Error is the text that AWS sends for it.
type DeniedError struct {
	Caller   string // ARN; "anonymous" for nobody, "" for somebody that an identity provider vouches for
	Action   string
	Resource string // as the refusal calls it
	Decision policy.Decision
	Encoded  string // for DecodeAuthorizationMessage; "" when nobody may know
	Summary  string // one sentence that names what decided; for logs and audit, not for the caller
}

// Error returns AWS's text (IAM User Guide, "Troubleshoot access denied error
// messages"). Refusals to assume a role or root, or to tag a session or set its
// source identity, say nothing else: a reason, even a sealed one, would tell
// strangers about the role and its trust policy, or about an account.
func (e *DeniedError) Error() string {
	if e.Caller == "" {
		return "Not authorized to perform " + e.Action
	}
	var b strings.Builder
	fmt.Fprintf(&b, "User: %s is not authorized to perform: %s on resource: %s", e.Caller, e.Action, e.Resource)
	if e.discreet() {
		return b.String()
	}
	b.WriteString(reason(e.Action, e.Decision))
	if e.Encoded != "" {
		b.WriteString(". Encoded authorization failure message: " + e.Encoded)
	}
	return b.String()
}

// discreet reports whether the caller is told nothing but that it was refused.
func (e *DeniedError) discreet() bool {
	return strings.HasPrefix(e.Action, "sts:AssumeRole") || e.Action == "sts:AssumeRoot" || e.Action == "sts:TagSession" || e.Action == "sts:SetSourceIdentity"
}

func reason(action string, d policy.Decision) string {
	if d.Layer == policy.NoLayer {
		return ""
	}
	if d.Outcome == policy.ExplicitDeny {
		return " with an explicit deny in " + article(d.Layer.String())
	}
	return fmt.Sprintf(" because no %s allows the %s action", d.Layer, action)
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func (z *Authorizer) denied(c *authn.Caller, ck *Check, v *Verdict) *DeniedError {
	who := subject{ARN: "anonymous"}
	if c != nil {
		who = subject{ID: c.UserID, ARN: c.ARN}
		if c.Principal.Type == policy.User {
			who.Name = c.User.Name
		}
	}
	trace := v.Explain()
	e := &DeniedError{Caller: who.ARN, Action: ck.Action, Resource: cmp.Or(ck.Shown, ck.Resource), Decision: v.Decision, Summary: trace.Summary}
	if z.sealer == nil || e.discreet() {
		return e
	}
	e.Encoded = z.sealer.SealMessage(message(who, v.Request, conditions(v.Request), trace))
	if len(e.Encoded) > maxEncoded {
		e.Encoded = z.sealer.SealMessage(message(who, v.Request, nil, trace))
	}
	return e
}

// Limits of an encoded message. DecodeAuthorizationMessage takes no longer one;
// a message that would be leaves out its conditions.
const (
	maxEncoded = 10240 // characters
	maxValue   = 256   // bytes of the value of a condition key; what exceeds it is cut
)

type subject struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"` // of a user
	ARN  string `json:"arn"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

type value struct {
	Value string `json:"value"`
}

type condition struct {
	Key    string       `json:"key"`
	Values items[value] `json:"values"`
}

type matched struct {
	StatementID    string          `json:"statementId"`
	Effect         string          `json:"effect"`
	SourcePolicyID string          `json:"sourcePolicyId"`
	Start          policy.Position `json:"startPosition"`
	End            policy.Position `json:"endPosition"`
}

// conditions lists the condition keys of a request, in order.
func conditions(req *policy.Request) []condition {
	list := make([]condition, 0, len(req.Context)+len(req.Lists))
	add := func(key string, values ...string) {
		c := condition{Key: key, Values: items[value]{[]value{}}}
		for _, v := range values {
			c.Values.Items = append(c.Values.Items, value{v[:min(len(v), maxValue)]})
		}
		list = append(list, c)
	}
	for _, key := range slices.Sorted(maps.Keys(req.Context)) {
		add(key, req.Context[key])
	}
	for _, key := range slices.Sorted(maps.Keys(req.Lists)) {
		add(key, req.Lists[key]...)
	}
	return list
}

// message is the plain text of an encoded authorization message, in the form
// that DecodeAuthorizationMessage documents, with our reason added.
func message(who subject, req *policy.Request, conditions []condition, trace *policy.Trace) []byte {
	type context struct {
		Principal  subject          `json:"principal"`
		Action     string           `json:"action"`
		Resource   string           `json:"resource"`
		Conditions items[condition] `json:"conditions"`
	}
	type reason struct {
		Layer   string `json:"layer"`
		Summary string `json:"summary"`
	}
	if conditions == nil {
		conditions = []condition{}
	}
	statements := []matched{}
	if s := trace.Statement(); s != nil {
		statements = append(statements, matched{s.Sid, "DENY", s.Policy, s.Start, s.End})
	}
	out, err := json.Marshal(struct {
		Allowed      bool           `json:"allowed"`
		ExplicitDeny bool           `json:"explicitDeny"`
		Matched      items[matched] `json:"matchedStatements"`
		Failures     items[string]  `json:"failures"`
		Context      context        `json:"context"`
		Reason       reason         `json:"reason"`
	}{
		ExplicitDeny: trace.Decision.Outcome == policy.ExplicitDeny,
		Matched:      items[matched]{statements}, Failures: items[string]{[]string{}},
		Context: context{who, req.Action, req.Resource, items[condition]{conditions}},
		Reason:  reason{trace.Decision.Layer.String(), trace.Summary},
	})
	if err != nil { // strings and booleans always marshal
		return []byte(`{"allowed":false}`)
	}
	return out
}
