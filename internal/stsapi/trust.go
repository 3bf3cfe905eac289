// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A TrustQuestion asks whether a role would be given for a proof: a web identity
// token, or a SAML response in base64.
type TrustQuestion struct {
	Proof    string
	Role     string // ARN
	Provider string // ARN of the SAML provider; "" means the one that the response pairs with the role
	Name     string // of the session, for a token; "" means "test"
}

// A TrustReport says why a proof is accepted or not, check by check.
type TrustReport struct {
	Accepted  bool            `json:"accepted"`
	Action    string          `json:"action"`
	Role      string          `json:"role"`
	Provider  string          `json:"provider,omitempty"`
	Steps     []federate.Step `json:"steps"`
	Decisions []TrustDecision `json:"decisions"` // of the trust policy, one for each action that the proof needs
}

// A TrustDecision is what the trust policy says of one action.
type TrustDecision struct {
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	Trace   string `json:"trace"` // several lines: each statement, and what of it does not apply
}

func (r *TrustReport) step(check string, passed bool, format string, args ...any) bool {
	r.Steps = append(r.Steps, federate.Step{Check: check, Passed: passed, Detail: fmt.Sprintf(format, args...)})
	return passed
}

// Trust answers a question. Nothing is issued and nothing recorded, so that only
// the operator may ask. The error is about the question, or a failure.
func Trust(ctx context.Context, o Options, env *authz.Env, q TrustQuestion) (*TrustReport, error) {
	account, err := roleAccount(q.Role)
	if err != nil {
		return nil, err
	}
	s := &sts{store: o.Store, ring: o.Ring, now: o.Now, issuers: o.Issuers, saml: o.SAML}
	view, err := s.store.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("there is no account %s here", account)
	}
	if err != nil {
		return nil, err
	}
	r := &TrustReport{Role: q.Role, Steps: []federate.Step{}, Decisions: []TrustDecision{}}
	role, _, err := s.role(ctx, q.Role)
	if err != nil {
		return nil, err
	}
	if role != nil {
		r.step("role", true, "The role exists.")
	} else {
		r.step("role", false, "Account %s has no role with this ARN; letter case and path count.", account)
	}
	proof := strings.TrimSpace(q.Proof)
	var id *federate.Identity
	if strings.Count(proof, ".") == 2 {
		r.Action = "sts:AssumeRoleWithWebIdentity"
		id, err = s.trustToken(ctx, r, view, proof)
	} else {
		r.Action, r.Provider = "sts:AssumeRoleWithSAML", q.Provider
		id, err = s.trustResponse(r, view, proof)
	}
	if err != nil {
		return nil, err
	}
	if id != nil && role != nil {
		name := cmp.Or(id.SessionName, q.Name, "test")
		r.decide(view, role, env, federatedChecks(arn.AccountID(account), q.Role, role, name, id))
	}
	r.Accepted = len(r.Decisions) > 0
	for _, st := range r.Steps {
		r.Accepted = r.Accepted && st.Passed
	}
	return r, nil
}

// trustToken makes the checks of a token, and returns what it says even if it
// would be refused.
func (s *sts) trustToken(ctx context.Context, r *TrustReport, view *store.View, text string) (*federate.Identity, error) {
	token, err := federate.ParseToken(text)
	if err != nil {
		r.step("token", false, "%v", err)
		return nil, nil
	}
	r.step("token", true, "The token can be read.")
	p := oidcProvider(view, token.Issuer)
	if p == nil {
		var have []string
		for p := range view.OIDCProviders("") {
			have = append(have, "https://"+p.URL)
		}
		r.step("provider", false, "The account has no OpenID Connect provider for %s (it has: %s).", token.Issuer, cmp.Or(strings.Join(have, ", "), "none"))
		return nil, nil
	}
	r.Provider = view.OIDCProviderARN(p)
	r.step("provider", true, "The issuer is registered as %s, with the audiences %s.", r.Provider, cmp.Or(strings.Join(p.ClientIDs, ", "), "none"))
	issuer := &federate.Issuer{URL: p.URL, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints}
	list, _, err := s.issuers.Explain(ctx, token, issuer)
	r.Steps = append(r.Steps, list...)
	if ctx.Err() != nil {
		return nil, err
	}
	return token.Claimed(issuer), nil
}

// trustResponse makes the checks of a SAML response, and returns what it says
// even if it would be refused.
func (s *sts) trustResponse(r *TrustReport, view *store.View, text string) (*federate.Identity, error) {
	response, err := federate.ParseResponse(text)
	if err != nil {
		r.step("response", false, "%v", err)
		return nil, nil
	}
	r.step("response", true, "The SAML response can be read.")
	r.Provider = cmp.Or(r.Provider, response.Provider(r.Role))
	if r.Provider == "" && response.Encrypted() {
		return nil, errors.New("the assertion is encrypted: say which provider it is of")
	}
	p, err := samlProvider(s.store, view, r.Provider, response)
	if err != nil {
		return nil, err
	}
	if p == nil {
		r.step("provider", false, "The account has no SAML provider %s.", cmp.Or(r.Provider, "that the response pairs with the role"))
		return nil, nil
	}
	r.step("provider", true, "The provider is registered as %s.", r.Provider)
	list, id, _ := s.saml.Explain(response, p, r.Role)
	r.Steps = append(r.Steps, list...)
	if id == nil {
		id = response.Claimed(p)
	}
	return id, nil
}

// decide asks the role's trust policy.
func (r *TrustReport) decide(view *store.View, role *store.Role, env *authz.Env, checks []authz.Check) {
	caller := authn.Federated(view, "", authn.Proof{Provider: r.Provider})
	set := &policy.Set{Resource: role.Trust.Compiled(policy.Trust)}
	for i := range checks {
		ck := &checks[i]
		ck.Action = cmp.Or(ck.Action, r.Action)
		trace := policy.Explain(authz.Request(caller, env, ck), set)
		var b strings.Builder
		trace.Write(&b) // a Builder takes everything
		r.Decisions = append(r.Decisions, TrustDecision{Action: ck.Action, Outcome: trace.Decision.Outcome.String(), Trace: b.String()})
		r.step("trust policy", trace.Decision.Outcome == policy.Allowed, "%s", trace.Summary)
	}
}
