// SPDX-License-Identifier: Apache-2.0

package authz

import (
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
	Caller   string // ARN; "anonymous" for nobody
	Action   string
	Resource string
	Decision policy.Decision
	Encoded  string // for DecodeAuthorizationMessage; "" when nobody may know
	Summary  string // one sentence that names what decided; for logs and audit, not for the caller
}

// Error returns AWS's text (IAM User Guide, "Troubleshoot access denied error
// messages"). Refusals to assume a role say nothing else: a reason, or the
// length of a sealed one, would tell strangers whether the role exists.
func (e *DeniedError) Error() string {
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
func (e *DeniedError) discreet() bool { return strings.HasPrefix(e.Action, "sts:AssumeRole") }

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

func (z *Authorizer) denied(c *authn.Caller, ck *Check, req *policy.Request, set *policy.Set, d policy.Decision) *DeniedError {
	who, id := "anonymous", ""
	if c != nil {
		who, id = c.ARN, c.UserID
	}
	trace := policy.Explain(req, set)
	e := &DeniedError{Caller: who, Action: ck.Action, Resource: ck.Resource, Decision: d, Summary: trace.Summary}
	if z.sealer != nil && !e.discreet() {
		e.Encoded = z.sealer.SealMessage(message(id, who, req, trace))
	}
	return e
}

// message is the plain text of an encoded authorization message, in the form
// that DecodeAuthorizationMessage documents, with our reason added.
func message(id, who string, req *policy.Request, trace *policy.Trace) []byte {
	type value struct {
		Value string `json:"value"`
	}
	type items[T any] struct {
		Items []T `json:"items"`
	}
	type condition struct {
		Key    string       `json:"key"`
		Values items[value] `json:"values"`
	}
	conditions := []condition{}
	add := func(key string, values ...string) {
		c := condition{Key: key}
		for _, v := range values {
			c.Values.Items = append(c.Values.Items, value{v})
		}
		conditions = append(conditions, c)
	}
	for _, key := range slices.Sorted(maps.Keys(req.Context)) {
		add(key, req.Context[key])
	}
	for _, key := range slices.Sorted(maps.Keys(req.Lists)) {
		add(key, req.Lists[key]...)
	}
	matched := items[any]{Items: []any{}}
	if s := trace.Decision.Statement; s != nil {
		matched.Items = append(matched.Items, map[string]any{
			"statementId": s.Sid, "effect": "DENY", "sourcePolicyId": s.Policy, "startPosition": s.Start, "endPosition": s.End,
		})
	}
	out, err := json.Marshal(map[string]any{
		"allowed":           false,
		"explicitDeny":      trace.Decision.Outcome == policy.ExplicitDeny,
		"matchedStatements": matched,
		"failures":          items[any]{Items: []any{}},
		"context": map[string]any{
			"principal":  map[string]string{"id": id, "arn": who},
			"action":     req.Action,
			"resource":   req.Resource,
			"conditions": items[condition]{Items: conditions},
		},
		"reason": map[string]string{"layer": trace.Decision.Layer.String(), "summary": trace.Summary},
	})
	if err != nil { // strings and booleans always marshal
		return []byte(`{"allowed":false}`)
	}
	return out
}
