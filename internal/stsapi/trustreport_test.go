// SPDX-License-Identifier: Apache-2.0

package stsapi_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/stsapi"
)

// TestTrust: what trust test says, and that its verdict is that of the operation.
func TestTrust(t *testing.T) {
	f := newFederation(t)
	opts := stsapi.Options{
		Store: f.Store(), Now: f.clock.Now, SAML: federate.NewSAML(f.clock.Now),
		Issuers: federate.NewOIDC(federate.OIDCOptions{Now: f.clock.Now, Networks: federate.Networks{netip.MustParsePrefix("127.0.0.0/8")}}),
	}
	tagged := f.token(t, map[string]any{"https://aws.amazon.com/tags/principal_tags/team": "blue"})
	for _, tt := range []struct {
		name, proof, role string
		failed            []string // checks
		says              string   // part of the trace or of a failed check
	}{
		{"accepted", f.token(t, nil), f.role, nil, "Allow #1 (2:3) applies"},
		{"accepted-with-a-line-end", f.token(t, nil) + "\n", f.role, nil, ""},
		{"another-branch", f.token(t, map[string]any{"sub": "repo:acme/app:ref:refs/heads/dev"}), f.role, []string{"trust policy"}, "repo:acme/app:ref:refs/heads/dev"},
		{"expired-and-another-audience", f.token(t, map[string]any{"exp": 1, "aud": "x"}), f.role, []string{"expiry", "audience", "trust policy"}, "Incorrect token audience (the token is for x)"},
		{"a-tag-without-permission", tagged, f.role, []string{"trust policy"}, "sts:TagSession"},
		{"an-unknown-issuer", f.token(t, map[string]any{"iss": "https://evil.example"}), f.role, []string{"provider"}, "no OpenID Connect provider for https://evil.example (it has: " + f.issuer.URL + ")"},
		{"an-unknown-role", f.token(t, nil), f.role + "x", []string{"role"}, "has no role with this ARN"},
		{"no-token", "a.b.c", f.role, []string{"token"}, "not a valid JWT"},
		{"an-assertion", f.response(t, nil), f.role, nil, "Allow #2 (4:3) applies"},
		{"an-assertion-with-a-tag", f.response(t, map[string]string{"PrincipalTag:a": "b"}), f.role, []string{"trust policy"}, "sts:TagSession"},
		{"an-assertion-for-another-role", f.response(t, nil), f.role + "x", []string{"role", "provider"}, "has no SAML provider"},
		{"no-response", "hello", f.role, []string{"response"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := stsapi.Trust(t.Context(), opts, &authz.Env{Time: f.clock.Now()}, stsapi.TrustQuestion{Proof: tt.proof, Role: tt.role})
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			text := ""
			for _, s := range r.Steps {
				if !s.Passed {
					failed = append(failed, s.Check)
				}
				text += s.Detail + "\n"
			}
			for _, d := range r.Decisions {
				text += d.Action + " " + d.Trace
			}
			if !slices.Equal(failed, tt.failed) || r.Accepted != (tt.failed == nil) || !strings.Contains(text, tt.says) {
				t.Errorf("Trust = accepted %v, failed %v, want %v and %q\n%s", r.Accepted, failed, tt.failed, tt.says, text)
			}
			status := 0
			if strings.Count(tt.proof, ".") == 2 {
				status, _ = f.call(t, "AssumeRoleWithWebIdentity", "RoleArn="+tt.role, "RoleSessionName=test", "WebIdentityToken="+strings.TrimSpace(tt.proof))
			} else {
				status, _ = f.call(t, "AssumeRoleWithSAML", "RoleArn="+tt.role, "PrincipalArn="+f.saml, "SAMLAssertion="+tt.proof)
			}
			if (status == 200) != r.Accepted {
				t.Errorf("Trust = accepted %v, but the operation answers %d", r.Accepted, status)
			}
		})
	}
	if _, err := stsapi.Trust(t.Context(), opts, &authz.Env{}, stsapi.TrustQuestion{Role: strings.Replace(f.role, iamtest.Account, "999999999999", 1)}); err == nil {
		t.Error("Trust in an account that does not exist = nil, want an error")
	}
	if _, err := stsapi.Trust(t.Context(), opts, &authz.Env{}, stsapi.TrustQuestion{Role: "ci"}); err == nil {
		t.Error("Trust of a role without ARN = nil, want an error")
	}
}
