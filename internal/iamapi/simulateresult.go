// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// action simulates one action on every resource. Its own decision, statements,
// details and missing keys are those of all its resources together (IAM API
// Reference, EvaluationResult).
//
// quirk Q028: the result for several resources is the worst, with the name "*".
func (m *simulation) action(action string) EvaluationResult {
	out := EvaluationResult{
		EvalActionName: action, EvalResourceName: new("*"), MatchedStatements: []Statement{}, MissingContextValues: []string{},
		OrganizationsDecisionDetail: &OrganizationsDecisionDetail{AllowedByOrganizations: true},
	}
	results := make([]ResourceSpecificResult, len(m.resources))
	for i, r := range m.resources {
		var byOrganizations bool
		results[i], byOrganizations = m.resource(action, r)
		if !byOrganizations {
			out.OrganizationsDecisionDetail.AllowedByOrganizations = false
		}
	}
	worst := slices.MinFunc(results, func(a, b ResourceSpecificResult) int {
		return cmp.Compare(severity(a.EvalResourceDecision), severity(b.EvalResourceDecision))
	})
	out.EvalDecision = worst.EvalResourceDecision
	if len(results) == 1 {
		out.EvalResourceName = &results[0].EvalResourceName
	}
	for i := range results {
		out.join(&results[i])
	}
	if !m.every {
		out.ResourceSpecificResults = results
		if out.EvalDecisionDetails == nil && out.OrganizationsDecisionDetail.AllowedByOrganizations {
			out.EvalDecisionDetails = map[string]string{}
		}
	}
	return out
}

// join adds the result for a resource to that of all: the statements if they make
// the same decision, of details the most restrictive.
func (out *EvaluationResult) join(r *ResourceSpecificResult) {
	if r.EvalResourceDecision == out.EvalDecision {
		for _, s := range r.MatchedStatements {
			if !slices.ContainsFunc(out.MatchedStatements, s.same) {
				out.MatchedStatements = append(out.MatchedStatements, s)
			}
		}
	}
	for _, key := range r.MissingContextValues {
		if !slices.ContainsFunc(out.MissingContextValues, func(k string) bool { return strings.EqualFold(k, key) }) {
			out.MissingContextValues = append(out.MissingContextValues, key)
		}
	}
	if b := r.PermissionsBoundaryDecisionDetail; b != nil && (out.PermissionsBoundaryDecisionDetail == nil || !b.AllowedByPermissionsBoundary) {
		out.PermissionsBoundaryDecisionDetail = b
	}
	for from, decision := range r.EvalDecisionDetails {
		if out.EvalDecisionDetails == nil {
			out.EvalDecisionDetails = make(map[string]string)
		}
		if have, ok := out.EvalDecisionDetails[from]; !ok || severity(decision) < severity(have) {
			out.EvalDecisionDetails[from] = decision
		}
	}
}

// same reports whether two entries are of one statement.
func (s Statement) same(t Statement) bool {
	return *s.SourcePolicyId == *t.SourcePolicyId && *s.SourcePolicyType == *t.SourcePolicyType &&
		*s.StartPosition.Line == *t.StartPosition.Line && *s.StartPosition.Column == *t.StartPosition.Column
}

// severity orders decisions, the one that prevails first.
func severity(decision string) int {
	return slices.Index([]string{
		PolicyEvaluationDecisionTypeExplicitDeny, PolicyEvaluationDecisionTypeImplicitDeny, PolicyEvaluationDecisionTypeAllowed,
	}, decision)
}

// resource simulates one action on one resource. It also returns whether the
// service control policies in force allow it.
func (m *simulation) resource(action, resource string) (out ResourceSpecificResult, byOrganizations bool) {
	req := &policy.Request{
		Principal: m.caller, Action: action, Resource: resource, ResourceAccount: m.ownerOf(resource),
		Context: m.context, Lists: m.lists,
	}
	set := m.set
	if set.Resource == nil && strings.HasPrefix(strings.ToLower(action), "sts:assumerole") {
		set.Resource = trustingPolicy(m.caller.Account)
	}
	trace := policy.Explain(req, &set)
	out = ResourceSpecificResult{
		EvalResourceName: resource, EvalResourceDecision: decision(trace.Decision.Outcome),
		MatchedStatements: m.matched(trace), MissingContextValues: m.missing(trace),
	}
	byOrganizations = true
	for i := range trace.Layers {
		switch l := &trace.Layers[i]; l.Layer {
		case policy.BoundaryLayer:
			out.PermissionsBoundaryDecisionDetail = &PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: l.Verdict == policy.Allowed}
		case policy.SCPLayer:
			byOrganizations = byOrganizations && l.Verdict == policy.Allowed
		}
	}
	if trace.CrossAccount && byOrganizations {
		out.EvalDecisionDetails = details(trace)
	}
	return out, byOrganizations
}

// details says what each type of policy decides, alone, about a request across accounts.
func details(t *policy.Trace) map[string]string {
	out := map[string]string{sourceIdentity: PolicyEvaluationDecisionTypeImplicitDeny, sourceResource: PolicyEvaluationDecisionTypeImplicitDeny}
	for i := range t.Layers {
		l := &t.Layers[i]
		if from := map[policy.Layer]string{policy.IdentityLayer: sourceIdentity, policy.ResourceLayer: sourceResource, policy.BoundaryLayer: sourceBoundary}[l.Layer]; from != "" {
			out[from] = decision(l.Verdict)
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

// missing returns the condition keys and variables that decide about a statement
// and that the request does not have. Statements for other actions, callers and
// resources decide nothing, nor does a value when another one fits.
func (m *simulation) missing(t *policy.Trace) []string {
	out := []string{}
	m.each(t, func(_ source, st *policy.StatementTrace) {
		for i := range st.Elements {
			if e := &st.Elements[i]; !e.Matched && e.Element != "Condition" && len(e.Missing) == 0 {
				return
			}
		}
		for i := range st.Elements {
			for _, key := range st.Elements[i].Missing {
				if !m.has(key) && !slices.ContainsFunc(out, func(k string) bool { return strings.EqualFold(k, key) }) {
					out = append(out, key)
				}
			}
		}
	})
	return out
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

func numberMarker(n int) *string {
	return new(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n))))
}

// openNumber returns the number in a marker that numberMarker made, which must
// be below limit; 0 for no marker.
func openNumber(marker *string, limit int) (int, error) {
	text, err := iamop.OpenMarker(marker)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n >= limit {
		return 0, iamop.InvalidMarker()
	}
	return n, nil
}
