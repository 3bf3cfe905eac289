// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/innkeeper-iam/innkeeper/internal/session"
)

func verifier(c *clock) *OIDC { return NewOIDC(OIDCOptions{Now: c.Now, Networks: loopback}) }

// verify reads and verifies a token.
func verify(t testing.TB, o *OIDC, text string, p *Issuer) (*Identity, error) {
	token, err := ParseToken(text)
	if err != nil {
		return nil, err
	}
	return o.Verify(t.Context(), token, p)
}

// refused compares a refusal; says is the beginning of its text.
func refused(t *testing.T, what string, err error, fault Fault, says string) {
	t.Helper()
	e, ok := errors.AsType[*RefusedError](err)
	if !ok || e.Fault != fault || !strings.HasPrefix(e.Text, says) {
		t.Errorf("%s = %v (%T), want fault %d, %q", what, err, err, fault, says)
	}
}

// TestVerify: azp takes the place of aud (Q040).
func TestVerify(t *testing.T) {
	i, c := newIssuer(t), new(clock)
	o := verifier(c)
	for _, tt := range []struct {
		name    string
		changes map[string]any
		fault   Fault
		says    string // "": it is accepted
	}{
		{"a-good-token", nil, 0, ""},
		{"a-list-of-audiences-with-one-of-ours", map[string]any{"aud": []string{"other", "app"}}, 0, ""},
		{"another-audience", map[string]any{"aud": "other"}, Invalid, "Incorrect token audience (the token is for other)"},
		{"no-audience", map[string]any{"aud": nil}, Invalid, "Missing a required claim: aud"},
		{"an-empty-list-of-audiences", map[string]any{"aud": []string{}}, Invalid, "The claim aud must be a string or a list of strings."},
		{"a-number-as-audience", map[string]any{"aud": 7}, Invalid, "The claim aud must be"},
		{"azp-is-ours-and-aud-is-not", map[string]any{"aud": "other", "azp": "app"}, 0, ""},
		{"aud-is-ours-and-azp-is-not", map[string]any{"azp": "other"}, Invalid, "Incorrect token audience (the token is for other)"},
		{"azp-is-no-string", map[string]any{"azp": []string{"app"}}, Invalid, "The claim azp must be a string."},
		{"an-audience-in-other-letters", map[string]any{"aud": "APP"}, Invalid, "Incorrect token audience"},
		{"expired-this-second", map[string]any{"exp": now.Unix()}, Expired, fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %[1]d", now.Unix())},
		{"expired-long-ago", map[string]any{"exp": 1}, Expired, "Token expired"},
		{"good-for-one-more-second", map[string]any{"exp": now.Unix() + 1}, 0, ""},
		{"a-fraction-of-a-second", map[string]any{"exp": float64(now.Unix()) + 1.5}, 0, ""},
		{"no-expiry", map[string]any{"exp": nil}, Invalid, "Missing a required claim: exp"},
		{"an-expiry-in-words", map[string]any{"exp": "tomorrow"}, Invalid, "The claim exp must be a number of seconds."},
		{"an-expiry-beyond-all-times", map[string]any{"exp": 1e300}, Invalid, "The claim exp must be"},
		{"no-time-of-issue", map[string]any{"iat": nil}, Invalid, "Missing a required claim: iat"},
		{"the-issuers-clock-is-four-minutes-ahead", map[string]any{"iat": now.Unix() + 240, "nbf": now.Unix() + 240}, 0, ""},
		{"issued-in-the-future", map[string]any{"iat": now.Unix() + 301}, Invalid, "The token is issued in the future"},
		{"not-yet-valid", map[string]any{"nbf": now.Unix() + 301}, Invalid, "The token is not valid yet"},
		{"a-bad-nbf", map[string]any{"nbf": "now"}, Invalid, "The claim nbf must be"},
		{"no-subject", map[string]any{"sub": nil}, Invalid, "Missing a required claim: sub"},
		{"an-empty-subject", map[string]any{"sub": ""}, Invalid, "The claim sub must be a string."},
		{"another-issuer", map[string]any{"iss": i.URL + "/"}, Invalid, "The issuer of the token"},
		{"no-issuer", map[string]any{"iss": nil}, Invalid, "Missing a required claim: iss"},
		{"tags-that-are-no-object", map[string]any{claimTags: "x"}, Invalid, "The claim https://aws.amazon.com/tags must be"},
		{"a-tag-with-two-values", map[string]any{claimTags: map[string]any{"principal_tags": map[string]any{"a": []string{"1", "2"}}}}, Invalid, "The session tag a must have one value."},
		{"a-tag-of-aws", map[string]any{claimTag + "AWS:x": "1"}, Invalid, "The session tag key AWS:x is not valid."},
		{"a-tag-twice", map[string]any{claimTag + "a": "1", claimTag + "A": "1"}, Invalid, "The token has the session tag"},
		{"a-long-tag", map[string]any{claimTag + "a": strings.Repeat("x", 257)}, Invalid, "The value of the session tag a is longer"},
		{"a-transitive-key-without-its-tag", map[string]any{claimTrans: []string{"a"}}, Invalid, "The transitive tag key a is not among"},
		{"a-bad-source-identity", map[string]any{claimSource: "a b"}, Invalid, "Source Identity must match"},
		{"a-source-identity-of-aws", map[string]any{claimSource: "aws.x"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := verify(t, o, i.token(t, tt.changes), i.registered())
			if tt.says == "" {
				if err != nil || id == nil {
					t.Errorf("Verify = %v, %v, want it accepted", id, err)
				}
				return
			}
			refused(t, "Verify", err, tt.fault, tt.says)
			if id != nil {
				t.Errorf("a refused token has an identity: %+v", id)
			}
		})
	}
	if n := i.count("/keys"); n != 1 {
		t.Errorf("the keys were fetched %d times, want once", n)
	}
}

// TestWhatATokenSays: which claims are condition keys (Q041).
func TestWhatATokenSays(t *testing.T) {
	i, o := newIssuer(t), verifier(new(clock))
	id, err := verify(t, o, i.token(t, map[string]any{
		"aud": []string{"app", "other"}, "azp": nil, "amr": []string{"pwd", "otp"}, "ref_protected": true, "run": 17, "actor": "ann",
		"SUB": []string{"admin"}, "Aud": "admin", "address": map[string]any{"city": "x"}, "mixed": []any{"a", 1}, "none": json.RawMessage("null"),
		claimTags:      map[string]any{"principal_tags": map[string]any{"team": []string{"blue"}, "cost": "7"}, "transitive_tag_keys": []string{"team"}},
		claimTag + "x": "y",
		claimTrans:     []string{"x"},
		claimSource:    "ann",
	}), i.registered())
	if err != nil {
		t.Fatal(err)
	}
	p := i.url + ":"
	wantKeys := map[string]string{
		p + "aud": "app", p + "sub": "repo:acme/app:ref:refs/heads/main", p + "iss": i.URL, p + "actor": "ann", p + "ref_protected": "true", p + "run": "17",
		p + "iat": fmt.Sprint(now.Unix()), p + "exp": fmt.Sprint(now.Add(10 * time.Minute).Unix()),
	}
	if !maps.Equal(id.Keys, wantKeys) {
		t.Errorf("Keys = %v\nwant %v", id.Keys, wantKeys)
	}
	wantLists := map[string][]string{p + "oaud": {"app", "other"}, p + "amr": {"pwd", "otp"}}
	if !reflect.DeepEqual(id.Lists, wantLists) {
		t.Errorf("Lists = %v\nwant %v", id.Lists, wantLists)
	}
	wantTags := []session.Tag{{Key: "cost", Value: "7"}, {Key: "team", Value: "blue"}, {Key: "x", Value: "y"}}
	if !slices.Equal(id.Tags, wantTags) || !slices.Equal(id.Transitive, []string{"team", "x"}) || id.SourceIdentity != "ann" {
		t.Errorf("Tags = %v, transitive %v, source identity %q, want %v, team and x, ann", id.Tags, id.Transitive, id.SourceIdentity, wantTags)
	}
	if id.Subject != "repo:acme/app:ref:refs/heads/main" || id.Audience != "app" || id.Issuer != i.URL {
		t.Errorf("Identity = %+v", id)
	}
}

func TestSignatures(t *testing.T) {
	i, o := newIssuer(t), verifier(new(clock))
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	stranger, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	i.keys = map[string]crypto.Signer{"rsa": rsaKey(), "256": p256, "384": p384, "521": p521, "small": small}
	good := i.claims(nil)
	for _, tt := range []struct {
		name string
		key  any
		id   string
		alg  jose.SignatureAlgorithm
		says string
	}{
		{"rs256", rsaKey(), "rsa", jose.RS256, ""},
		{"rs384", rsaKey(), "rsa", jose.RS384, ""},
		{"rs512", rsaKey(), "rsa", jose.RS512, ""},
		{"es256", p256, "256", jose.ES256, ""},
		{"es384", p384, "384", jose.ES384, ""},
		{"es512", p521, "521", jose.ES512, ""},
		{"no-key-id-and-one-of-several-keys", p384, "", jose.ES384, ""},
		{"ps256-is-not-accepted", rsaKey(), "rsa", jose.PS256, "The token is signed with PS256: only RS256"},
		{"the-public-key-as-hmac-secret", []byte(strings.Repeat("k", 64)), "rsa", jose.HS256, "The token is signed with HS256: only RS256"},
		{"a-key-that-nobody-published", stranger, "256", jose.ES256, "The signature of the token is not valid."},
		{"an-unknown-key-id", p256, "none", jose.ES256, "Couldn't retrieve verification key"},
		{"the-key-of-another-algorithm", p256, "rsa", jose.ES256, "Couldn't retrieve verification key"},
		{"a-short-rsa-key", small, "small", jose.RS256, "Couldn't retrieve verification key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verify(t, o, sign(t, tt.key, tt.id, tt.alg, good), i.registered())
			if tt.says == "" {
				if err != nil {
					t.Errorf("Verify = %v, want it accepted", err)
				}
				return
			}
			refused(t, "Verify", err, Invalid, tt.says)
		})
	}
	token := sign(t, p256, "256", jose.ES256, good)
	head, rest, _ := strings.Cut(token, ".")
	payload, sig, _ := strings.Cut(rest, ".")
	other, _ := json.Marshal(i.claims(map[string]any{"sub": "admin"}))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	embedded, _ := json.Marshal(map[string]any{"alg": "ES256", "jwk": jose.JSONWebKey{Key: stranger.Public()}})
	for name, text := range map[string]string{
		"another-payload":      head + "." + base64.RawURLEncoding.EncodeToString(other) + "." + sig,
		"no-signature":         head + "." + payload + ".",
		"algorithm-none":       none + "." + payload + ".",
		"a-key-in-the-header":  base64.RawURLEncoding.EncodeToString(embedded) + "." + payload + "." + sig,
		"two-parts":            head + "." + payload,
		"json":                 `{"payload":"` + payload + `","protected":"` + head + `","signature":"` + sig + `"}`,
		"nothing":              "",
		"an-access-token":      "gho_16C7e42F292c6912E7710c838347Ae178B4a",
		"a-payload-of-no-json": sign(t, p256, "256", jose.ES256, "text"),
		"null":                 sign(t, p256, "256", jose.ES256, nil),
		"longer-than-allowed":  token + strings.Repeat("A", MaxToken),
	} {
		if id, err := verify(t, o, text, i.registered()); err == nil || id != nil {
			t.Errorf("%s: Verify = %v, %v, want it refused", name, id, err)
		}
	}
}

func TestRotation(t *testing.T) {
	i, c := newIssuer(t), new(clock)
	o, p := verifier(c), i.registered()
	old := i.token(t, nil)
	if _, err := verify(t, o, old, p); err != nil {
		t.Fatal(err)
	}
	i.rotate(t, "two")
	fresh := i.token(t, nil)
	_, err := verify(t, o, fresh, p)
	refused(t, "a new key seconds after the last fetch", err, Invalid, "Couldn't retrieve verification key")
	if n := i.count("/keys"); n != 1 {
		t.Errorf("an unknown key id makes the keys be fetched %d times at once, want once", n)
	}
	c.advance(retryAfter)
	if _, err := verify(t, o, fresh, p); err != nil {
		t.Errorf("a new key = %v, want it accepted", err)
	}
	_, err = verify(t, o, old, p)
	refused(t, "the old key", err, Invalid, "Couldn't retrieve verification key")
	if n := i.count("/keys"); n != 2 {
		t.Errorf("the keys were fetched %d times, want twice", n)
	}

	// While the issuer is out of reach its keys serve for some hours.
	long := i.token(t, map[string]any{"exp": now.Add(24 * time.Hour).Unix()})
	i.set(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(503); return true })
	c.advance(freshFor)
	if _, err := verify(t, o, long, p); err != nil || i.count("/keys") != 2 {
		t.Errorf("while the issuer is down = %v, want it accepted", err)
	}
	c.advance(staleFor)
	_, err = verify(t, o, long, p)
	refused(t, "the issuer is down for long", err, Unreachable, "The identity provider could not be reached")
	tries := i.count("/.well-known/openid-configuration")
	for range 10 {
		_, err = verify(t, o, long, p)
	}
	refused(t, "the issuer is down", err, Unreachable, "The identity provider could not be reached")
	if n := i.count("/.well-known/openid-configuration"); n != tries {
		t.Errorf("an issuer that is down is asked again at once: %d times", n-tries)
	}
	i.set(nil)
	c.advance(retryAfter)
	if _, err := verify(t, o, long, p); err != nil {
		t.Errorf("the issuer is back = %v, want it accepted", err)
	}
}

func TestManyAtOnceFetchOnce(t *testing.T) {
	i, o := newIssuer(t), verifier(new(clock))
	i.set(func(http.ResponseWriter, *http.Request) bool { time.Sleep(20 * time.Millisecond); return false })
	text, p := i.token(t, nil), i.registered()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := verify(t, o, text, p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := i.count("/keys"); n != 1 {
		t.Errorf("32 at once fetch the keys %d times, want once", n)
	}
}

func TestExplainTellsEverything(t *testing.T) {
	i, o := newIssuer(t), verifier(new(clock))
	token, err := ParseToken(i.token(t, map[string]any{"aud": "other", "exp": now.Unix() - 60, claimSource: "ann"}))
	if err != nil {
		t.Fatal(err)
	}
	list, id, err := o.Explain(t.Context(), token, i.registered())
	refused(t, "Explain", err, Expired, "Token expired")
	if id != nil {
		t.Errorf("Explain of a bad token has an identity: %+v", id)
	}
	var got []string
	for _, s := range list {
		mark := "-"
		if s.Passed {
			mark = "+"
		}
		got = append(got, mark+s.Check)
	}
	want := []string{"+issuer", "-expiry", "+issued", "+keys", "+signature", "-audience", "+subject", "+session tags"}
	if !slices.Equal(got, want) {
		t.Errorf("Explain tells %v, want %v", got, want)
	}
}
