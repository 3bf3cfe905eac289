// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// action simulates one action on every resource.
//
// quirk Q028: the result for several resources is the worst, with the name "*".
func (m *simulation) action(action string) EvaluationResult {
	out := EvaluationResult{
		EvalActionName: action, EvalResourceName: new("*"), MatchedStatements: []Statement{}, MissingContextValues: []string{},
		OrganizationsDecisionDetail: &OrganizationsDecisionDetail{AllowedByOrganizations: true},
	}
	results := make([]ResourceSpecificResult, len(m.resources))
	for i, r := range m.resources {
		results[i] = m.resource(action, r)
	}
	worst := slices.MinFunc(results, func(a, b ResourceSpecificResult) int {
		return cmp.Compare(severity(a.EvalResourceDecision), severity(b.EvalResourceDecision))
	})
	out.EvalDecision, out.PermissionsBoundaryDecisionDetail = worst.EvalResourceDecision, worst.PermissionsBoundaryDecisionDetail
	if len(results) == 1 {
		out.EvalResourceName, out.MatchedStatements = &results[0].EvalResourceName, results[0].MatchedStatements
	}
	if m.every {
		out.MissingContextValues = results[0].MissingContextValues
		return out
	}
	out.EvalDecisionDetails, out.ResourceSpecificResults = map[string]string{}, results
	if worst.EvalDecisionDetails != nil {
		out.EvalDecisionDetails = worst.EvalDecisionDetails
	}
	return out
}

// severity orders decisions, the one that prevails first.
func severity(decision string) int {
	return slices.Index([]string{
		PolicyEvaluationDecisionTypeExplicitDeny, PolicyEvaluationDecisionTypeImplicitDeny, PolicyEvaluationDecisionTypeAllowed,
	}, decision)
}

// resource simulates one action on one resource.
func (m *simulation) resource(action, resource string) ResourceSpecificResult {
	req := &policy.Request{
		Principal: m.caller, Action: action, Resource: resource, ResourceAccount: m.ownerOf(resource),
		Context: m.context, Lists: m.lists,
	}
	set := m.set
	if set.Resource == nil && strings.HasPrefix(strings.ToLower(action), "sts:assumerole") {
		set.Resource = trustingPolicy(m.caller.Account)
	}
	trace := policy.Explain(req, &set)
	out := ResourceSpecificResult{
		EvalResourceName: resource, EvalResourceDecision: decision(trace.Decision.Outcome),
		MatchedStatements: m.matched(trace), MissingContextValues: m.missing(trace),
	}
	for i := range trace.Layers {
		if l := &trace.Layers[i]; l.Layer == policy.BoundaryLayer {
			out.PermissionsBoundaryDecisionDetail = &PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: l.Verdict == policy.Allowed}
		}
	}
	if trace.CrossAccount {
		out.EvalDecisionDetails = map[string]string{
			sourceIdentity: verdict(trace, policy.IdentityLayer), sourceResource: verdict(trace, policy.ResourceLayer),
		}
	}
	return out
}

// ownerOf returns the account that owns a resource, "" for what its ARN says.
//
// quirk Q030: without a resource policy the caller's side alone is asked.
func (m *simulation) ownerOf(resource string) string {
	if m.set.Resource == nil {
		return m.caller.Account
	}
	if p, ok := arn.Split(resource); ok && arn.IsAccountID(p.Account) {
		return ""
	}
	return cmp.Or(m.owner, m.caller.Account)
}

// trustingPolicy returns the trust policy of a role that leaves everything to
// the policies of the callers in its account: the simulator does not look at
// the trust policies of roles that a request names as resources.
func trustingPolicy(account string) *policy.Policy {
	d, err := policy.Parse("trust", []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:*"}}`))
	if err != nil {
		return policy.Broken("trust", err)
	}
	p, err := policy.Compile(d, policy.Trust)
	if err != nil {
		return policy.Broken("trust", err)
	}
	return p
}

func decision(o policy.Outcome) string {
	switch o {
	case policy.Allowed:
		return PolicyEvaluationDecisionTypeAllowed
	case policy.ExplicitDeny:
		return PolicyEvaluationDecisionTypeExplicitDeny
	}
	return PolicyEvaluationDecisionTypeImplicitDeny
}

// verdict is what one layer says, alone.
func verdict(t *policy.Trace, layer policy.Layer) string {
	for i := range t.Layers {
		if t.Layers[i].Layer == layer {
			return decision(t.Layers[i].Verdict)
		}
	}
	return PolicyEvaluationDecisionTypeImplicitDeny
}

// matched returns the statements that make the decision: those that deny, else
// those that allow; none for an implicit deny.
func (m *simulation) matched(t *policy.Trace) []Statement {
	out := []Statement{}
	effect := policy.Allow
	switch t.Decision.Outcome {
	case policy.ImplicitDeny:
		return out
	case policy.ExplicitDeny:
		effect = policy.Deny
	}
	m.each(t, func(from source, st *policy.StatementTrace) {
		if st.Applies && st.Effect == effect {
			start := before(from.doc.Source, st.Start)
			out = append(out, Statement{
				SourcePolicyId: new(from.id), SourcePolicyType: new(from.kind),
				StartPosition: &Position{Line: new(int32(start.Line)), Column: new(int32(start.Column))},
				EndPosition:   &Position{Line: new(int32(st.End.Line)), Column: new(int32(st.End.Column))},
			})
		}
	})
	return out
}

// each calls do for every statement of the simulated policies.
func (m *simulation) each(t *policy.Trace, do func(source, *policy.StatementTrace)) {
	for i := range t.Layers {
		l := &t.Layers[i]
		from := m.sources[l.Layer]
		for j := range l.Policies {
			if j >= len(from) || from[j].doc == nil {
				continue
			}
			for k := range l.Policies[j].Statements {
				do(from[j], &l.Policies[j].Statements[k])
			}
		}
	}
}

// before returns where a statement begins in AWS's results.
//
// quirk Q029: right after the bracket or comma before it.
func before(text string, at policy.Position) policy.Position {
	offset := 0
	for range at.Line - 1 {
		offset += strings.IndexByte(text[offset:], '\n') + 1
	}
	head := strings.TrimRight(text[:min(offset+at.Column-1, len(text))], " \t\r\n")
	return policy.Position{Line: strings.Count(head, "\n") + 1, Column: len(head) - strings.LastIndexByte(head, '\n')}
}

// missing returns the condition keys and variables, as they are written, that
// decide about a statement and that the request does not have. Statements for
// other actions and resources decide nothing.
func (m *simulation) missing(t *policy.Trace) []string {
	out := []string{}
	add := func(key string) {
		if !m.has(key) && !slices.ContainsFunc(out, func(k string) bool { return strings.EqualFold(k, key) }) {
			out = append(out, key)
		}
	}
	m.each(t, func(from source, st *policy.StatementTrace) {
		s := &from.doc.Statements[st.Index]
		var inResource []string
		if from.doc.Version == "2012-10-17" {
			inResource = variables(s.Resource)
		}
		switch {
		case meets(st, "Action") && meets(st, "Principal") && meets(st, "Resource"):
		case meets(st, "Action") && meets(st, "Principal") && slices.ContainsFunc(inResource, func(k string) bool { return !m.has(k) }):
		default:
			return
		}
		for _, key := range inResource {
			add(key)
		}
		for _, c := range s.Condition {
			add(c.Key)
			if from.doc.Version == "2012-10-17" {
				for _, key := range variables(c.Values) {
					add(key)
				}
			}
		}
	})
	return out
}

// meets reports whether the request meets an element, or its Not form.
func meets(st *policy.StatementTrace, element string) bool {
	return !slices.ContainsFunc(st.Elements, func(e policy.ElementTrace) bool { return !e.Matched && strings.TrimPrefix(e.Element, "Not") == element })
}

// has reports whether the request has a condition key.
func (m *simulation) has(key string) bool {
	for have := range m.context {
		if strings.EqualFold(have, key) {
			return true
		}
	}
	for have := range m.lists {
		if strings.EqualFold(have, key) {
			return true
		}
	}
	return false
}

// variables returns the keys of the variables in values, without those that
// have a default and the three that stand for a character.
func variables(values []policy.Value) []string {
	var keys []string
	for _, v := range values {
		for _, part := range strings.Split(v.Text, "${")[1:] {
			key, _, ok := strings.Cut(part, "}")
			key = strings.TrimSpace(key)
			if ok && strings.Contains(key, ":") && !strings.Contains(key, ",") {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func numberMarker(n int) *string {
	return new(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n))))
}

// openNumber returns the number in a marker that numberMarker made, which must
// be below limit; 0 for no marker.
func openNumber(marker *string, limit int) (int, error) {
	text, err := openMarker(marker)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n >= limit {
		return 0, invalidMarker()
	}
	return n, nil
}
