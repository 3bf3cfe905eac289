// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// fetch reads a JSON document.
func fetch(t *testing.T, url string, into any) {
	t.Helper()
	resp := must(http.Get(url))(t)
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, resp.Status, err)
	}
}

// es384 verifies a token with nothing but its issuer's URL and returns its claims.
func es384(t *testing.T, issuer, token string) map[string]any {
	t.Helper()
	var discovery struct{ Issuer, Jwks_uri string }
	fetch(t, issuer+"/.well-known/openid-configuration", &discovery)
	if discovery.Issuer != issuer {
		t.Fatalf("the document at %s is of %s", issuer, discovery.Issuer)
	}
	var set struct {
		Keys []struct{ Kid, Crv, X, Y string }
	}
	fetch(t, discovery.Jwks_uri, &set)
	parts := strings.Split(token, ".")
	raw := func(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s))(t) }
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	var head struct{ Alg, Kid string }
	if err := json.Unmarshal(raw(parts[0]), &head); err != nil || head.Alg != "ES384" {
		t.Fatalf("the token's head is %+v, %v", head, err)
	}
	for _, k := range set.Keys {
		if k.Kid != head.Kid {
			continue
		}
		sum, sig := sha512.Sum384([]byte(parts[0]+"."+parts[1])), raw(parts[2])
		key := must(ecdsa.ParseUncompressedPublicKey(elliptic.P384(), slices.Concat([]byte{4}, raw(k.X), raw(k.Y))))(t)
		if len(sig) != 96 || !ecdsa.Verify(key, sum[:], number(sig[:48]), number(sig[48:])) {
			t.Fatal("the token's signature is not valid")
		}
		var claims map[string]any
		if err := json.Unmarshal(raw(parts[1]), &claims); err != nil {
			t.Fatal(err)
		}
		return claims
	}
	t.Fatalf("the issuer has no key %s", head.Kid)
	return nil
}

// TestOutboundWithTheGoSDK gets a web identity token by the SDK and verifies it
// with the standard library.
func TestOutboundWithTheGoSDK(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), server.Start(t, server.Options{})
	admin, tokens := s.IAM(s.Admin), s.STS(s.Admin)
	ask := &sts.GetWebIdentityTokenInput{
		Audience: []string{"https://api.example.com"}, SigningAlgorithm: aws.String("ES384"),
		Tags: []ststypes.Tag{{Key: aws.String("job"), Value: aws.String("nightly")}},
	}
	_, err := tokens.GetWebIdentityToken(ctx, ask)
	if _, ok := errors.AsType[*ststypes.OutboundWebIdentityFederationDisabledException](err); !ok {
		t.Errorf("GetWebIdentityToken = %v before it is enabled", err)
	}
	_, err = admin.GetOutboundWebIdentityFederationInfo(ctx, nil)
	if _, ok := errors.AsType[*iamtypes.FeatureDisabledException](err); !ok {
		t.Errorf("GetOutboundWebIdentityFederationInfo = %v before it is enabled", err)
	}
	issuer := *must(admin.EnableOutboundWebIdentityFederation(ctx, nil))(t).IssuerIdentifier
	_, err = admin.EnableOutboundWebIdentityFederation(ctx, nil)
	if _, ok := errors.AsType[*iamtypes.FeatureEnabledException](err); !ok {
		t.Errorf("EnableOutboundWebIdentityFederation = %v the second time", err)
	}
	info := must(admin.GetOutboundWebIdentityFederationInfo(ctx, nil))(t)
	if *info.IssuerIdentifier != issuer || !info.JwtVendingEnabled {
		t.Errorf("GetOutboundWebIdentityFederationInfo = %s, %t", *info.IssuerIdentifier, info.JwtVendingEnabled)
	}
	out := must(tokens.GetWebIdentityToken(ctx, ask))(t)
	claims := es384(t, issuer, *out.WebIdentityToken)
	me := must(tokens.GetCallerIdentity(ctx, nil))(t)
	if claims["iss"] != issuer || claims["sub"] != *me.Arn || claims["aud"] != "https://api.example.com" || claims["exp"] != float64(out.Expiration.Unix()) {
		t.Errorf("claims = %v", claims)
	}
	named := claims["https://sts.amazonaws.com/"].(map[string]any)
	if tags, _ := named["request_tags"].(map[string]any); named["aws_account"] != *me.Account || tags["job"] != "nightly" {
		t.Errorf("AWS's claims = %v", named)
	}
	must(admin.DisableOutboundWebIdentityFederation(ctx, nil))(t)
}

// TestRootAccessWithTheGoSDK is the root user of a member account by the SDK, and
// deletes its key.
func TestRootAccessWithTheGoSDK(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), server.Start(t, server.Options{})
	admin, org := s.IAM(s.Admin), organizations.NewFromConfig(s.Config(s.Admin))
	_, err := admin.ListOrganizationsFeatures(ctx, nil)
	if _, ok := errors.AsType[*iamtypes.OrganizationNotFoundException](err); !ok {
		t.Errorf("ListOrganizationsFeatures = %v without an organization", err)
	}
	must(org.CreateOrganization(ctx, &organizations.CreateOrganizationInput{}))(t)
	_, err = admin.EnableOrganizationsRootCredentialsManagement(ctx, nil)
	if _, ok := errors.AsType[*iamtypes.ServiceAccessNotEnabledException](err); !ok {
		t.Errorf("EnableOrganizationsRootCredentialsManagement = %v without trust", err)
	}
	request := must(org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("lab"), Email: aws.String("lab@example.com")}))(t)
	status := must(org.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: request.CreateAccountStatus.Id}))(t)
	account := status.CreateAccountStatus.AccountId
	must(org.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("iam.amazonaws.com")}))(t)
	on := must(admin.EnableOrganizationsRootCredentialsManagement(ctx, nil))(t)
	if len(on.EnabledFeatures) != 1 || on.EnabledFeatures[0] != iamtypes.FeatureTypeRootCredentialsManagement {
		t.Errorf("EnabledFeatures = %v", on.EnabledFeatures)
	}
	as := func(task string) server.Key {
		t.Helper()
		out := must(s.STS(s.Admin).AssumeRoot(ctx, &sts.AssumeRootInput{
			TargetPrincipal: account, TaskPolicyArn: &ststypes.PolicyDescriptorType{Arn: aws.String("arn:aws:iam::aws:policy/root-task/" + task)},
		}))(t)
		return server.SessionKey(out.Credentials)
	}
	if me := must(s.STS(as("IAMAuditRootUserCredentials")).GetCallerIdentity(ctx, nil))(t); *me.Arn != "arn:aws:iam::"+*account+":root" {
		t.Errorf("GetCallerIdentity = %s", *me.Arn)
	}
	must(s.IAM(as("IAMCreateRootUserPassword")).CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{}))(t)
	summary := must(s.IAM(as("IAMAuditRootUserCredentials")).GetAccountSummary(ctx, nil))(t)
	if summary.SummaryMap["AccountPasswordPresent"] != 1 {
		t.Error("the root user has no password after CreateLoginProfile")
	}
	remove := s.IAM(as("IAMDeleteRootUserCredentials"))
	must(remove.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{}))(t)
	_, err = remove.GetLoginProfile(ctx, &iam.GetLoginProfileInput{})
	if _, ok := errors.AsType[*iamtypes.NoSuchEntityException](err); !ok {
		t.Errorf("GetLoginProfile = %v after DeleteLoginProfile", err)
	}
	if keys := must(remove.ListAccessKeys(ctx, nil))(t).AccessKeyMetadata; len(keys) != 0 {
		t.Errorf("the root user has %d keys", len(keys))
	}
}
