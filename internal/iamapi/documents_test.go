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
		{"a-domain-name", "cognito-identity.amazonaws.com", true},
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
