// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// TestFederatedPrincipals: a provider in a trust policy must be named as one, and
// need not exist (Q066).
func TestFederatedPrincipals(t *testing.T) {
	w := newWorld(t)
	document := func(principal string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + principal + `"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`
	}
	if got := w.Admin().Fail("MalformedPolicyDocument", "UpdateAssumeRolePolicy", "RoleName=app", "PolicyDocument="+document("*")); !strings.HasPrefix(got, `Invalid principal in policy: "Federated":"*"`) {
		t.Errorf("everybody: %s", got)
	}
	for _, tt := range []struct {
		name, principal string
		ok              bool
	}{
		{"an-oidc-provider-that-is-not-there", prefix + "oidc-provider/token.example.com/tenant", true},
		{"a-saml-provider-that-is-not-there", prefix + "saml-provider/none", true},
		{"a-provider-of-another-account", "arn:aws:iam::444455556666:saml-provider/none", true},
		{"a-domain-name", "graph.example.com", true},
		{"a-url", "https://token.example.com", false},
		{"a-domain-name-with-a-path", "token.example.com/tenant", false},
		{"one-word", "example", false},
		{"an-empty-label", "example..com", false},
		{"a-label-that-begins-with-a-hyphen", "-example.com", false},
		{"a-user", prefix + "user/t/ann", false},
		{"an-unfinished-arn", prefix + "oidc-provider/", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for op, params := range map[string][]string{
				"CreateRole": {"RoleName=new", "AssumeRolePolicyDocument="}, "UpdateAssumeRolePolicy": {"RoleName=app", "PolicyDocument="},
			} {
				params[1] += document(tt.principal)
				if tt.ok {
					w.Admin().OK(op, params...)
					continue
				}
				if got := w.Admin().Fail("MalformedPolicyDocument", op, params...); !strings.HasPrefix(got, "Federated principals must be valid domain names or SAML metadata ARNs (1:") {
					t.Errorf("%s: %s", op, got)
				}
			}
			if tt.ok {
				if got := iamtest.Element(w.Admin().OK("GetRole", "RoleName=new"), "AssumeRolePolicyDocument"); !strings.Contains(got, "Federated") {
					t.Errorf("the trust policy is %s", got)
				}
				w.Admin().OK("DeleteRole", "RoleName=new")
			}
		})
	}
}

// TestSharedIssuers: whose tokens anybody can get is not trusted without a look at
// the claim that tells who it is (Q069).
func TestSharedIssuers(t *testing.T) {
	w := newWorld(t)
	const github = "token.actions.githubusercontent.com"
	for _, tt := range []struct{ name, effect, provider, key, missing string }{
		{"without-the-subject", "Allow", prefix + "oidc-provider/" + github, github + ":aud", github + ":sub"},
		{"with-the-subject", "Allow", prefix + "oidc-provider/" + github, github + ":SUB", ""},
		{"the-subject-of-another", "Allow", prefix + "oidc-provider/" + github, "gitlab.com:sub", github + ":sub"},
		{"a-denial", "Deny", prefix + "oidc-provider/" + github, github + ":aud", ""},
		{"one-that-needs-no-provider", "Allow", "cognito-identity.amazonaws.com", "cognito-identity.amazonaws.com:amr", "cognito-identity.amazonaws.com:aud"},
		{"one-with-a-path", "Allow", prefix + "oidc-provider/api.pulumi.com/oidc", "api.pulumi.com/oidc:sub", "api.pulumi.com/oidc:aud"},
		{"a-private-issuer", "Allow", prefix + "oidc-provider/gitlab.example.com", "gitlab.example.com:aud", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			document := `{"Version":"2012-10-17","Statement":[{"Effect":"` + tt.effect + `","Principal":{"Federated":"` + tt.provider + `"},` +
				`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"` + tt.key + `":"x"}}}]}`
			if tt.missing == "" {
				w.Admin().OK("UpdateAssumeRolePolicy", "RoleName=app", "PolicyDocument="+document)
				return
			}
			got := w.Admin().Fail("MalformedPolicyDocument", "UpdateAssumeRolePolicy", "RoleName=app", "PolicyDocument="+document)
			if !strings.HasPrefix(got, "The trust policy must evaluate the condition key "+tt.missing+",") {
				t.Errorf("UpdateAssumeRolePolicy: %s", got)
			}
		})
	}
}
