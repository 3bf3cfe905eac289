// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
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
// ids that they have now (IAM User Guide, "AWS JSON policy elements: Principal":
// a role or user deleted and made anew is another principal).
func (s *iam) trust(c *api.Call, text string) (*store.Document, error) {
	d, err := api.Document("", text, policy.Trust)
	if err != nil {
		return nil, err
	}
	bound := make(map[string]string)
	for _, st := range d.Statements {
		if st.Principal == nil {
			continue
		}
		for _, p := range st.Principal.AWS {
			id, ok, err := s.principalID(c.Context(), p.Text)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, awserr.MalformedPolicyDocument.Msg("Invalid principal in policy: \"AWS\":\"%s\" (%d:%d)", p.Text, p.Pos.Line, p.Pos.Column)
			}
			if id != "" {
				bound[p.Text] = id
			}
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

// principalID reports whether an AWS principal exists and, for users and roles,
// its unique id. Accounts, sessions and "*" have none.
func (s *iam) principalID(ctx context.Context, principal string) (id string, ok bool, err error) {
	if principal == "*" {
		return "", true, nil
	}
	account, entity := principal, arn.Entity{Kind: arn.KindRoot}
	if !arn.IsAccountID(principal) {
		if entity, ok = arn.SplitEntity(principal); !ok {
			return "", s.uniqueID(ctx, principal), nil // as shown for a principal that is gone
		}
		account = entity.Account
	}
	view, err := s.store.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	switch entity.Kind {
	case arn.KindRoot, arn.KindFederatedUser:
		return "", true, nil
	case arn.KindUser:
		u, err := view.User(entity.Name)
		if err != nil || view.UserARN(u) != principal {
			return "", false, nil
		}
		return u.ID, true, nil
	case arn.KindRole:
		r, err := view.Role(entity.Name)
		if err != nil || view.RoleARN(r) != principal {
			return "", false, nil
		}
		return r.ID, true, nil
	case arn.KindAssumedRole:
		_, err := view.Role(entity.Name)
		return "", err == nil, nil
	}
	return "", false, nil
}

// uniqueID reports whether text is the unique id of a user or role that exists.
func (s *iam) uniqueID(ctx context.Context, text string) bool {
	account, ok := ids.Account(text)
	if !ok {
		return false
	}
	view, err := s.store.View(ctx, account)
	if err != nil {
		return false
	}
	_, user := view.UserByID(text)
	_, role := view.RoleByID(text)
	return user == nil || role == nil
}

// showTrust is a role's trust policy as the role shows it: byte for byte what
// was stored, except that a principal that is gone appears as its unique id.
func (s *iam) showTrust(c *api.Call, r *store.Role) string {
	text := r.Trust.Text()
	for principal, id := range r.Trust.Bound() {
		now, ok, err := s.principalID(c.Context(), principal)
		if err == nil && (!ok || now != id) {
			text = strings.ReplaceAll(text, quoted(principal), quoted(id))
		}
	}
	return text
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return s
	}
	return string(b)
}
