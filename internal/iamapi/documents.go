// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/principal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// document returns a checked identity policy, to be stored as it came.
func document(name, text string) (*store.Document, error) {
	if _, err := api.Document("", text, policy.Identity); err != nil {
		return nil, err
	}
	return store.NewDocument(name, text), nil
}

// trust returns a checked trust policy with its principals bound to the unique
// ids that they have now.
func (s *iam) trust(c *api.Call, text string) (*store.Document, error) {
	d, err := api.Document("", text, policy.Trust)
	if err != nil {
		return nil, err
	}
	bound, err := principal.Bind(c.Context(), s.store, d)
	if unknown, ok := errors.AsType[*principal.UnknownError](err); ok {
		return nil, awserr.MalformedPolicyDocument.Msg("Invalid principal in policy: \"AWS\":\"%s\" (%d:%d)", unknown.Name, unknown.Pos.Line, unknown.Pos.Column)
	}
	if err != nil {
		return nil, err
	}
	for _, st := range d.Statements {
		if st.Principal == nil {
			continue
		}
		for _, p := range st.Principal.Federated {
			if key := neglected(&st, p.Text); key != "" {
				return nil, awserr.MalformedPolicyDocument.Msg("The trust policy must evaluate the condition key %s, because the identity provider is shared by many organizations (%d:%d)", key, p.Pos.Line, p.Pos.Column)
			}
			if !provider(p.Text) {
				return nil, awserr.MalformedPolicyDocument.Msg("Federated principals must be valid domain names or SAML metadata ARNs (%d:%d)", p.Pos.Line, p.Pos.Column)
			}
		}
	}
	return store.NewTrust(text, bound), nil
}

// provider reports whether text names a provider of identities: by the ARN of one
// in IAM, or by the domain name of one that needs none.
//
// quirk Q066: the provider need not exist.
func provider(text string) bool {
	if e, ok := arn.SplitEntity(text); ok {
		return e.Kind == arn.KindOIDCProvider || e.Kind == arn.KindSAMLProvider
	}
	labels := strings.Split(text, ".")
	return len(labels) > 1 && len(text) <= 253 && !slices.ContainsFunc(labels, func(label string) bool {
		return label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !strings.ContainsRune(hostLetters, r) })
	})
}

const hostLetters = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// sharedIssuers are the issuers that many organizations share, with the claim
// that tells one from another (UG "Identity-provider controls for shared OIDC
// providers").
var sharedIssuers = map[string]string{
	"agent.buildkite.com":                 "sub",
	"api.pulumi.com/oidc":                 "aud",
	"app.terraform.io":                    "sub",
	"cognito-identity.amazonaws.com":      "aud",
	"gitlab.com":                          "sub",
	"oidc.codefresh.io":                   "sub",
	"oidc.vercel.com":                     "aud",
	"proidc.upbound.io":                   "sub",
	"scalr.io":                            "sub",
	"token.actions.githubusercontent.com": "sub",
}

// neglected returns the condition key that a statement must evaluate because it
// lets a shared issuer's tokens in and does not; "" if there is none.
//
// quirk Q069: it is evaluated if a condition names it.
func neglected(st *policy.Statement, federated string) string {
	issuer := federated
	if e, ok := arn.SplitEntity(federated); ok && e.Kind == arn.KindOIDCProvider {
		issuer = e.Name
	}
	claim := sharedIssuers[strings.ToLower(issuer)]
	key := issuer + ":" + claim
	if claim == "" || st.Effect != policy.Allow || slices.ContainsFunc(st.Condition, func(c policy.Condition) bool { return strings.EqualFold(c.Key, key) }) {
		return ""
	}
	return key
}

// showTrust is a role's trust policy as the role shows it.
func (s *iam) showTrust(c *api.Call, r *store.Role) string {
	return principal.Show(c.Context(), s.store, r.Trust)
}
