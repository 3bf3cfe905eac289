// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

func signatures(t *testing.T, c *client) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	auth := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	right := c.s.Admin
	for _, tt := range []struct {
		name       string
		request    request
		status     int
		code, part string
	}{
		{"right", request{}, 200, "", ""},
		{"clock-four-minutes-behind", request{skew: -4 * time.Minute}, 200, "", ""},
		{"clock-four-minutes-ahead", request{skew: 4 * time.Minute}, 200, "", ""},
		{"replayed-after-six-minutes", request{skew: -6 * time.Minute}, 403, "SignatureDoesNotMatch", "expired"},
		{"six-minutes-ahead", request{skew: 6 * time.Minute}, 403, "SignatureDoesNotMatch", "not yet current"},
		{"a-year-ago", request{skew: -365 * 24 * time.Hour}, 403, "SignatureDoesNotMatch", ""},
		{"wrong-secret", request{key: server.Key{ID: right.ID, Secret: right.Secret + "x"}}, 403, "SignatureDoesNotMatch", "does not match"},
		{"scope-of-s3", request{service: "s3"}, 403, "SignatureDoesNotMatch", "iam"},
		{"scope-of-sts", request{service: "sts"}, 403, "SignatureDoesNotMatch", "iam"},
		{"no-signature", request{after: func(r *http.Request) { r.Header.Del("Authorization") }}, 403, "MissingAuthenticationToken", ""},
		{"empty-authorization", request{after: set("Authorization", "")}, 400, "IncompleteSignature", ""},
		{"basic-authorization", request{after: set("Authorization", "Basic YWRtaW46YWRtaW4=")}, 400, "IncompleteSignature", ""},
		{"algorithm-only", request{after: set("Authorization", "AWS4-HMAC-SHA256")}, 400, "IncompleteSignature", ""},
		{"commas-only", request{after: set("Authorization", "AWS4-HMAC-SHA256 "+strings.Repeat(",", 10_000))}, 400, "IncompleteSignature", ""},
		{"credential-without-scope", request{after: auth("/aws4_request", "")}, 400, "IncompleteSignature", ""},
		{"nothing-signed", request{after: auth("SignedHeaders=", "SignedHeader=")}, 400, "IncompleteSignature", ""},
		{"short-signature", request{after: auth("Signature=", "Signature=00, X=")}, 400, "IncompleteSignature", ""},
		{"no-date", request{after: func(r *http.Request) { r.Header.Del("X-Amz-Date") }}, 400, "IncompleteSignature", ""},
		{"date-of-another-form", request{after: set("X-Amz-Date", "yesterday")}, 400, "IncompleteSignature", ""},
		{"date-moved", request{after: set("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format("20060102T150405Z"))}, 403, "SignatureDoesNotMatch", ""},
		{"host-changed", request{after: func(r *http.Request) { r.Host = "iam.amazonaws.com" }}, 403, "SignatureDoesNotMatch", ""},
		{"target-changed", request{after: func(r *http.Request) { r.URL.Path = "/x" }}, 403, "SignatureDoesNotMatch", ""},
		{"query-added", request{after: func(r *http.Request) { r.URL.RawQuery = "a=b" }}, 403, "SignatureDoesNotMatch", ""},
		{"token-added", request{after: set("X-Amz-Security-Token", "x")}, 403, "InvalidClientTokenId", ""},
		{"token-too-long", request{after: set("X-Amz-Security-Token", strings.Repeat("A", 20_000))}, 400, "IncompleteSignature", "longer"},
		{"unsigned-payload", request{after: unsigned(t, right)}, 403, "SignatureDoesNotMatch", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.request.form = form("ListUsers")
			a := (&client{c.s, t}).send(tt.request)
			if tt.status == http.StatusOK {
				if a.Status != http.StatusOK {
					t.Errorf("answer %d %s", a.Status, a.Body)
				}
				return
			}
			a.want(t, tt.status, tt.code, tt.part)
			if strings.Contains(a.Body, right.Secret) {
				t.Error("the answer tells the secret")
			}
		})
	}
}

// unsigned signs a request again in the way of S3 that leaves its body out.
func unsigned(t *testing.T, k server.Key) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		creds := aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret}
		if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, "UNSIGNED-PAYLOAD", "iam", server.Region, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
}

func credentials(t *testing.T, c *client) {
	admin, ctx, bob := c.s.IAM(c.s.Admin), t.Context(), aws.String("bob")
	if _, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: bob}); err != nil {
		t.Fatal(err)
	}
	out, err := admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: bob})
	if err != nil {
		t.Fatal(err)
	}
	key := server.UserKey(out.AccessKey)
	who := func(t *testing.T, k server.Key) answer {
		t.Helper()
		return (&client{c.s, t}).send(request{key: k, service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15"})
	}
	set := func(status types.StatusType) error {
		_, err := admin.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: bob, AccessKeyId: &key.ID, Status: status})
		return err
	}
	if a := who(t, key); a.Status != http.StatusOK {
		t.Fatalf("a new key: %s", a.Body)
	}
	for name, id := range map[string]string{
		"of-another-form": "nobody", "unknown-account": "AKIAIOSFODNN7EXAMPLE", "unknown-in-the-account": key.ID[:len(key.ID)-1] + flip(key.ID[len(key.ID)-1]),
		"very-long": "AKIA" + strings.Repeat("A", 100), "of-a-session-without-a-token": "ASIA" + key.ID[4:],
	} {
		t.Run(name, func(t *testing.T) {
			who(t, server.Key{ID: id, Secret: key.Secret}).want(t, 403, "InvalidClientTokenId", "security token")
		})
	}
	if err := set(types.StatusTypeInactive); err != nil {
		t.Fatal(err)
	}
	who(t, key).want(t, 403, "InvalidClientTokenId", "security token")
	if err := set(types.StatusTypeActive); err != nil {
		t.Fatal(err)
	}
	if a := who(t, key); a.Status != http.StatusOK {
		t.Errorf("a key made active again: %s", a.Body)
	}
	if _, err := admin.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: bob, AccessKeyId: &key.ID}); err != nil {
		t.Fatal(err)
	}
	who(t, key).want(t, 403, "InvalidClientTokenId", "security token")
}

// flip returns another letter of the alphabet of access key ids.
func flip(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

func sessions(t *testing.T, c *client) {
	mint := func(s *server.Server) server.Key {
		t.Helper()
		out, err := s.STS(s.Admin).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
		if err != nil {
			t.Fatal(err)
		}
		return server.SessionKey(out.Credentials)
	}
	one, two := mint(c.s), mint(c.s)
	other := mint(server.Start(t, server.Options{}))
	who := func(k server.Key) answer {
		t.Helper()
		return c.send(request{key: k, service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15"})
	}
	if a := who(one); a.Status != http.StatusOK {
		t.Fatalf("a session: %s", a.Body)
	}
	const token = "security token"
	who(server.Key{ID: one.ID, Secret: one.Secret}).want(t, 403, "InvalidClientTokenId", token)                   // missing
	who(server.Key{ID: one.ID, Secret: one.Secret, Token: two.Token}).want(t, 403, "InvalidClientTokenId", token) // another's
	who(server.Key{ID: two.ID, Secret: one.Secret, Token: one.Token}).want(t, 403, "InvalidClientTokenId", token)
	who(server.Key{ID: one.ID, Secret: two.Secret, Token: one.Token}).want(t, 403, "SignatureDoesNotMatch", "")
	who(other).want(t, 403, "InvalidClientTokenId", token) // of another inn
	who(server.Key{ID: one.ID, Secret: one.Secret, Token: "x" + one.Token}).want(t, 403, "InvalidClientTokenId", token)
	who(server.Key{ID: one.ID, Secret: one.Secret, Token: strings.Repeat("A", 10_000)}).want(t, 403, "InvalidClientTokenId", token)
	for i := 0; i < len(one.Token); i += len(one.Token) / 20 { // every part is protected
		bad := one
		bad.Token = one.Token[:i] + flip(one.Token[i]) + one.Token[i+1:]
		who(bad).want(t, 403, "InvalidClientTokenId", token)
	}
}
