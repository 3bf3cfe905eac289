// SPDX-License-Identifier: Apache-2.0

package stsapi_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/go-jose/go-jose/v4"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

var providerKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// A federation is a world with an OpenID Connect issuer, a SAML identity
// provider, and the role ci that trusts both.
type federation struct {
	*world
	issuer *httptest.Server
	cert   tls.Certificate // of the SAML provider
	role   string
	oidc   string // ARN of the provider, likewise saml
	saml   string
	down   bool // the issuer answers 503
}

func newFederation(t *testing.T, actions ...string) *federation {
	f := &federation{world: newWorld(t)}
	f.issuer = httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	f.issuer.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.issuer.StartTLS()
	t.Cleanup(f.issuer.Close)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: f.clock.Now().Add(-time.Hour), NotAfter: f.clock.Now().Add(1000 * time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, providerKey().Public(), providerKey())
	if err != nil {
		t.Fatal(err)
	}
	f.cert = tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: providerKey()}
	sum := sha1.Sum(f.issuer.Certificate().Raw)
	f.oidc = prefix + "oidc-provider/" + f.host()
	f.saml, f.role = prefix+"saml-provider/Corp", prefix+"role/ci"
	metadata := `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"><IDPSSODescriptor><KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` +
		base64.StdEncoding.EncodeToString(raw) + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>`
	f.change(func(tx *store.Tx) error {
		if err := tx.CreateOIDCProvider(&store.OIDCProvider{URL: f.host(), ClientIDs: []string{"sts.amazonaws.com"}, Thumbprints: []string{hex.EncodeToString(sum[:])}}); err != nil {
			return err
		}
		if err := tx.CreateSAMLProvider(&store.SAMLProvider{Name: "Corp", Metadata: metadata, ValidUntil: f.clock.Now().Add(1000 * time.Hour)}); err != nil {
			return err
		}
		if err := tx.CreateRole(&store.Role{Name: "ci", MaxSession: 7200, Trust: store.NewTrust(f.trust(actions...), nil)}); err != nil {
			return err
		}
		return tx.PutInline(store.RoleHolder("ci"), "all", store.NewDocument("all", allowAll))
	})
	return f
}

func (f *federation) host() string { return strings.TrimPrefix(f.issuer.URL, "https://") }

// trust is a trust policy for the main branch of a repository and for the
// subjects of the SAML provider, with further actions.
func (f *federation) trust(actions ...string) string {
	list := func(action string) string {
		b, _ := json.Marshal(append([]string{action}, actions...))
		return string(b)
	}
	return `{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Principal":{"Federated":"` + f.oidc + `"},"Action":` + list("sts:AssumeRoleWithWebIdentity") + `,
   "Condition":{"StringEquals":{"` + f.host() + `:aud":"sts.amazonaws.com"},"StringLike":{"` + f.host() + `:sub":"repo:acme/*:ref:refs/heads/main"}}},
  {"Effect":"Allow","Principal":{"Federated":"` + f.saml + `"},"Action":` + list("sts:AssumeRoleWithSAML") + `,
   "Condition":{"StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml","saml:sub_type":"persistent"}}}]}`
}

func (f *federation) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.down:
		w.WriteHeader(503)
	case r.URL.Path == "/keys":
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "one", Key: providerKey().Public()}}})
	default:
		json.NewEncoder(w).Encode(map[string]string{"issuer": f.issuer.URL, "jwks_uri": f.issuer.URL + "/keys"})
	}
}

// token makes a token with changes; a nil value removes a claim.
func (f *federation) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	now := f.clock.Now()
	claims := map[string]any{"iss": f.issuer.URL, "aud": "sts.amazonaws.com", "sub": "repo:acme/app:ref:refs/heads/main", "iat": now.Unix(), "exp": now.Unix() + 600}
	for k, v := range changes {
		if v == nil {
			delete(claims, k)
		} else {
			claims[k] = v
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{KeyID: "one", Key: providerKey()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// response makes a SAML response with more attributes.
func (f *federation) response(t *testing.T, attributes map[string]string) string {
	t.Helper()
	at := func(d time.Duration) string { return f.clock.Now().Add(d).Format(time.RFC3339) }
	var more strings.Builder
	for name, v := range attributes {
		fmt.Fprintf(&more, `<Attribute Name="https://aws.amazon.com/SAML/Attributes/%s"><AttributeValue>%s</AttributeValue></Attribute>`, name, v)
	}
	text := `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" IssueInstant="` + at(0) + `"><Issuer>https://idp.example.com</Issuer>` +
		`<Subject><NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">ann</NameID><SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData NotOnOrAfter="` + at(time.Minute) + `" Recipient="https://signin.aws.amazon.com/saml"/></SubjectConfirmation></Subject>` +
		`<Conditions><AudienceRestriction><Audience>urn:amazon:webservices</Audience></AudienceRestriction></Conditions><AttributeStatement>` +
		`<Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><AttributeValue>` + f.role + "," + f.saml + `</AttributeValue></Attribute>` +
		`<Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><AttributeValue>ann@example.com</AttributeValue></Attribute>` + more.String() + `</AttributeStatement></Assertion>`
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatal(err)
	}
	ctx := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(f.cert))
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	sig, err := ctx.ConstructSignature(doc.Root(), true)
	if err != nil {
		t.Fatal(err)
	}
	doc.Root().InsertChildAt(1, sig)
	signed, err := doc.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_2" Version="2.0"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>%s</samlp:Response>`, signed)
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// call makes an unsigned request.
func (f *federation) call(t *testing.T, action string, params ...string) (int, string) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2011-06-15"}}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		form.Set(name, value)
	}
	resp, err := http.PostForm(f.URL, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (f *federation) web(t *testing.T, token string, more ...string) (int, string) {
	t.Helper()
	return f.call(t, "AssumeRoleWithWebIdentity", append([]string{"RoleArn=" + f.role, "RoleSessionName=build", "WebIdentityToken=" + token}, more...)...)
}

func (f *federation) assertion(t *testing.T, response string, more ...string) (int, string) {
	t.Helper()
	return f.call(t, "AssumeRoleWithSAML", append([]string{"RoleArn=" + f.role, "PrincipalArn=" + f.saml, "SAMLAssertion=" + response}, more...)...)
}

func (f *federation) session(body string) *iamtest.Client {
	return f.Client(iamtest.Element(body, "AccessKeyId"), iamtest.Element(body, "SecretAccessKey"), iamtest.Element(body, "SessionToken"))
}

func TestAssumeRoleWithWebIdentity(t *testing.T) {
	f := newFederation(t)
	status, body := f.web(t, f.token(t, nil), "DurationSeconds=7200")
	if status != 200 {
		t.Fatalf("AssumeRoleWithWebIdentity = %d %s", status, body)
	}
	for name, want := range map[string]string{
		"SubjectFromWebIdentityToken": "repo:acme/app:ref:refs/heads/main", "Audience": "sts.amazonaws.com", "Provider": f.oidc,
		"Arn": "arn:aws:sts::" + iamtest.Account + ":assumed-role/ci/build", "PackedPolicySize": "",
	} {
		if got := iamtest.Element(body, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := f.lasts(body); got != 2*time.Hour {
		t.Errorf("the session lasts %v, want two hours", got)
	}
	rec := f.LastRecord()
	if id := rec.Identity; id.Type != "WebIdentityUser" || id.PrincipalID != f.oidc+":sts.amazonaws.com:repo:acme/app:ref:refs/heads/main" ||
		id.UserName != "repo:acme/app:ref:refs/heads/main" || id.IdentityProvider != f.oidc || rec.Recipient != iamtest.Account {
		t.Errorf("the audit record is of %+v", rec.Identity)
	}
	if rec.Decision.Outcome != "allow" || rec.Decision.Action != "sts:AssumeRoleWithWebIdentity" || rec.Decision.Statement != 1 || strings.Contains(string(rec.RequestParameters), "eyJ") {
		t.Errorf("the audit record: %+v, %s", rec.Decision, rec.RequestParameters)
	}
	s := f.session(body)
	s.OK("ListUsers")
	if rec := f.LastRecord(); rec.Identity.Session == nil || rec.Identity.Session.Provider != f.oidc {
		t.Errorf("the record of the session's request does not tell the provider: %+v", rec.Identity.Session)
	}
	// What the provider said lasts as long as the session.
	for _, condition := range []string{`"aws:FederatedProvider":"` + f.oidc, `"` + f.host() + `:sub":"repo:acme/app:ref:refs/heads/main`, `"` + f.host() + `:aud":"sts.amazonaws.com`} {
		f.change(func(tx *store.Tx) error {
			text := strings.Replace(allowAll, `"Resource":"*"`, `"Resource":"*","Condition":{"StringEquals":{`+condition+`"}}`, 1)
			return tx.PutInline(store.RoleHolder("ci"), "all", store.NewDocument("all", text))
		})
		s.OK("ListUsers")
	}
}

func TestWebIdentityIsRefused(t *testing.T) {
	f := newFederation(t)
	f.AddAccount("444455556666")
	long := f.token(t, map[string]any{"aud": "x"})
	none := strings.Replace(f.role, iamtest.Account, "999999999999", 1)
	const noAuth = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
	for _, tt := range []struct {
		name, token string
		params      []string
		status      int
		code, says  string
	}{
		{"another-branch", f.token(t, map[string]any{"sub": "repo:acme/app:ref:refs/heads/dev"}), nil, 403, "AccessDenied", noAuth},
		{"a-role-that-does-not-exist", f.token(t, nil), []string{"RoleArn=" + f.role + "x"}, 403, "AccessDenied", noAuth},
		{"another-account-has-no-such-provider", f.token(t, nil), []string{"RoleArn=" + strings.Replace(f.role, iamtest.Account, "444455556666", 1)}, 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for " + f.issuer.URL},
		{"an-account-that-does-not-exist", f.token(t, nil), []string{"RoleArn=" + none}, 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for " + f.issuer.URL},
		{"another-issuer", f.token(t, map[string]any{"iss": "https://evil.example"}), nil, 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://evil.example"},
		{"an-issuer-without-tls", f.token(t, map[string]any{"iss": "http://" + f.host()}), nil, 400, "InvalidIdentityToken", "No OpenIDConnect provider found"},
		{"another-audience", long, nil, 400, "InvalidIdentityToken", "Incorrect token audience"},
		{"expired", f.token(t, map[string]any{"exp": f.clock.Now().Unix()}), nil, 400, "ExpiredTokenException", "Token expired: current date/time"},
		{"no-token", "hello", nil, 400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT"},
		{"forged", long[:strings.LastIndexByte(long, '.')] + ".AAAA", nil, 400, "InvalidIdentityToken", "The signature of the token is not valid."},
		{"longer-than-the-role-allows", f.token(t, nil), []string{"DurationSeconds=7201"}, 400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"not-a-role", f.token(t, nil), []string{"RoleArn=arn:aws:iam::111122223333:user/ann"}, 400, "ValidationError", "arn:aws:iam::111122223333:user/ann is invalid"},
		{"an-access-token-provider", f.token(t, nil), []string{"ProviderId=www.amazon.com"}, 400, "ValidationError", "The ProviderId www.amazon.com is not supported"},
		{"a-bad-session-policy", f.token(t, nil), []string{"Policy={"}, 400, "MalformedPolicyDocument", "Syntax errors in policy."},
		{"a-session-tag-without-permission", f.token(t, map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"a": []string{"b"}}}}), nil, 403, "AccessDenied", "Not authorized to perform sts:TagSession"},
		{"a-source-identity-without-permission", f.token(t, map[string]any{"https://aws.amazon.com/source_identity": "ann"}), nil, 403, "AccessDenied", "Not authorized to perform sts:SetSourceIdentity"},
		{"an-empty-token", "", nil, 400, "ValidationError", "1 validation error detected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			params := append([]string{"RoleArn=" + f.role, "RoleSessionName=build", "WebIdentityToken=" + tt.token}, tt.params...)
			status, body := f.call(t, "AssumeRoleWithWebIdentity", params...)
			if code, says := iamtest.Element(body, "Code"), iamtest.Element(body, "Message"); status != tt.status || code != tt.code || !strings.HasPrefix(says, tt.says) {
				t.Errorf("AssumeRoleWithWebIdentity = %d %s %q, want %d %s %q", status, code, says, tt.status, tt.code, tt.says)
			}
			if rec := f.LastRecord(); rec.EventName != "AssumeRoleWithWebIdentity" || rec.ErrorCode != tt.code {
				t.Errorf("the audit record says %s %s", rec.EventName, rec.ErrorCode)
			}
		})
	}
	f.change(func(tx *store.Tx) error {
		p, err := tx.OIDCProvider(f.host())
		if err != nil {
			return err
		}
		p.Thumbprints = nil
		return tx.PutOIDCProvider(p)
	})
	if status, body := f.web(t, f.token(t, nil)); status != 400 || iamtest.Element(body, "Message") != "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint" {
		t.Errorf("without the thumbprint = %d %s", status, body)
	}
	f.change(func(tx *store.Tx) error { return tx.DeleteOIDCProvider(f.host()) })
	if status, body := f.web(t, f.token(t, nil)); status != 400 || iamtest.Element(body, "Code") != "InvalidIdentityToken" {
		t.Errorf("without the provider = %d %s", status, body)
	}
}

func TestTheIssuerIsDown(t *testing.T) {
	f := newFederation(t)
	f.down = true
	if status, body := f.web(t, f.token(t, nil)); status != 400 || iamtest.Element(body, "Code") != "IDPCommunicationError" {
		t.Errorf("AssumeRoleWithWebIdentity = %d %s, want IDPCommunicationError", status, body)
	}
}

func TestTagsOfATokenAndAnAssertion(t *testing.T) {
	f := newFederation(t, "sts:TagSession", "sts:SetSourceIdentity")
	_, web := f.web(t, f.token(t, map[string]any{
		"https://aws.amazon.com/tags":            map[string]any{"principal_tags": map[string]any{"team": []string{"blue"}}, "transitive_tag_keys": []string{"team"}},
		"https://aws.amazon.com/source_identity": "ann",
	}))
	_, saml := f.assertion(t, f.response(t, map[string]string{"PrincipalTag:team": "blue", "TransitiveTagKeys": "team", "SourceIdentity": "ann"}))
	next := f.world.role("next", trusts(iamtest.Account))
	for _, body := range []string{web, saml} {
		if got := iamtest.Element(body, "SourceIdentity"); got != "ann" {
			t.Fatalf("SourceIdentity = %q, want ann: %s", got, body)
		}
		if size := iamtest.Element(body, "PackedPolicySize"); size == "" || size == "0" {
			t.Errorf("PackedPolicySize = %q with tags", size)
		}
		f.change(func(tx *store.Tx) error {
			text := strings.Replace(allowAll, `"Resource":"*"`, `"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue","aws:SourceIdentity":"ann"}}`, 1)
			return tx.PutInline(store.RoleHolder("next"), "all", store.NewDocument("all", text))
		})
		f.session(body).Assume(next, "later").OK("ListUsers")
	}
}

func TestAssumeRoleWithSAML(t *testing.T) {
	f := newFederation(t)
	status, body := f.assertion(t, f.response(t, nil), "DurationSeconds=3600")
	if status != 200 {
		t.Fatalf("AssumeRoleWithSAML = %d %s", status, body)
	}
	for name, want := range map[string]string{
		"Subject": "ann", "SubjectType": "persistent", "Issuer": "https://idp.example.com", "Audience": "https://signin.aws.amazon.com/saml",
		"Arn": "arn:aws:sts::" + iamtest.Account + ":assumed-role/ci/ann@example.com",
	} {
		if got := iamtest.Element(body, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := len(iamtest.Element(body, "NameQualifier")); got != 28 {
		t.Errorf("NameQualifier has %d characters, want 28", got)
	}
	if rec := f.LastRecord(); rec.Identity.Type != "SAMLUser" || rec.Identity.UserName != "ann" || rec.Decision.Statement != 2 {
		t.Errorf("the audit record is of %+v, %+v", rec.Identity, rec.Decision)
	}
	f.session(body).OK("ListUsers")
	_, short := f.assertion(t, f.response(t, map[string]string{"SessionDuration": "900"}), "DurationSeconds=3600")
	if got := f.lasts(short); got != 15*time.Minute {
		t.Errorf("a session with SessionDuration 900 lasts %v", got)
	}
	f.change(func(tx *store.Tx) error {
		r, err := tx.Role("ci")
		if err != nil {
			return err
		}
		r.Trust = store.NewTrust(strings.Replace(f.trust(), `"saml:sub_type":"persistent"`, `"saml:sub":"bob"`, 1), nil)
		return tx.PutRole(r)
	})
	old := f.response(t, nil)
	for _, tt := range []struct {
		name, response string
		params         []string
		status         int
		code, says     string
	}{
		{"another-subject", old, nil, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"},
		{"a-provider-that-does-not-exist", old, []string{"PrincipalArn=" + f.saml + "2"}, 400, "InvalidIdentityToken", "Specified provider doesn't exist"},
		{"a-provider-of-another-kind", old, []string{"PrincipalArn=" + f.oidc}, 400, "ValidationError", f.oidc + " is invalid"},
		{"not-a-response", "aGVsbG8=", nil, 400, "InvalidIdentityToken", "Your request included an invalid SAML response"},
		{"not-base64", "!!!!", nil, 400, "InvalidIdentityToken", "Invalid base64 SAMLResponse"},
		{"a-role-that-is-not-in-it", old, []string{"RoleArn=" + f.role + "x"}, 400, "InvalidIdentityToken", "The Role attribute of the SAML assertion"},
		{"a-bad-session-name", f.response(t, map[string]string{"RoleSessionName": "x y"}), nil, 400, "InvalidIdentityToken", "RoleSessionName is required"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := f.call(t, "AssumeRoleWithSAML", append([]string{"RoleArn=" + f.role, "PrincipalArn=" + f.saml, "SAMLAssertion=" + tt.response}, tt.params...)...)
			if code, says := iamtest.Element(body, "Code"), iamtest.Element(body, "Message"); status != tt.status || code != tt.code || !strings.HasPrefix(says, tt.says) {
				t.Errorf("AssumeRoleWithSAML = %d %s %q, want %d %s %q", status, code, says, tt.status, tt.code, tt.says)
			}
		})
	}
	f.clock.Advance(5 * time.Minute)
	if status, body := f.assertion(t, old); status != 400 || iamtest.Element(body, "Code") != "ExpiredTokenException" {
		t.Errorf("five minutes later = %d %s", status, body)
	}
}

// TestOnlyFederationIsUnsigned: no other operation takes an unsigned request.
func TestOnlyFederationIsUnsigned(t *testing.T) {
	f := newFederation(t)
	for _, op := range []string{"AssumeRole", "GetCallerIdentity", "GetSessionToken", "GetFederationToken", "DecodeAuthorizationMessage", "GetAccessKeyInfo"} {
		if status, body := f.call(t, op); status != 403 || iamtest.Element(body, "Code") != "MissingAuthenticationToken" {
			t.Errorf("%s without a signature = %d %s", op, status, body)
		}
	}
}
