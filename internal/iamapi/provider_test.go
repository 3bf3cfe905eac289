// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	oidcARN    = prefix + "oidc-provider/id.example.com/a1"
	samlARN    = prefix + "saml-provider/Corp"
	thumbprint = "0123456789abcdef0123456789abcdef01234567"
)

// providers adds an OpenID Connect and a SAML provider to a world.
func (w *world) providers(t testing.TB) {
	t.Helper()
	tags := []store.Tag{{Key: "team", Value: "blue"}}
	w.change(t, func(tx *store.Tx) error {
		if err := tx.CreateOIDCProvider(&store.OIDCProvider{URL: "id.example.com/a1", ClientIDs: []string{"app"}, Thumbprints: []string{thumbprint}, Tags: tags}); err != nil {
			return err
		}
		return tx.CreateSAMLProvider(&store.SAMLProvider{Name: "Corp", Metadata: metadata(), ValidUntil: time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC), Tags: tags})
	})
}

var samlKeyPair = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// metadata is the document of an identity provider, without spaces.
var metadata = sync.OnceValue(func() string {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, samlKeyPair().Public(), samlKeyPair())
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("<EntityDescriptor\nxmlns=%q\nentityID=%q><IDPSSODescriptor\nprotocolSupportEnumeration=%q><KeyDescriptor><KeyInfo\nxmlns=%q><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>",
		"urn:oasis:names:tc:SAML:2.0:metadata", "https://idp.example.com/", "urn:oasis:names:tc:SAML:2.0:protocol", "http://www.w3.org/2000/09/xmldsig#",
		base64.StdEncoding.EncodeToString(raw))
})

func privateKey(k *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
}

// providerCases are the operations on providers.
func providerCases() []authCase {
	oidc, saml := "oidc-provider/id.example.com/a1", "saml-provider/Corp"
	ofOIDC, ofSAML := "OpenIDConnectProviderArn="+oidcARN, "SAMLProviderArn="+samlARN
	tag := " Tags.member.1.Key=a Tags.member.1.Value=b"
	return []authCase{
		{op: "AddClientIDToOpenIDConnectProvider", resource: oidc, params: ofOIDC + " ClientID=x"},
		{op: "CreateOpenIDConnectProvider", resource: "oidc-provider/new.example.com", params: "Url=https://new.example.com ThumbprintList.member.1=" + thumbprint},
		{op: "CreateOpenIDConnectProvider", resource: "oidc-provider/new.example.com", params: "Url=https://new.example.com ThumbprintList.member.1=" + thumbprint + tag, also: "iam:TagOpenIDConnectProvider oidc-provider/new.example.com"},
		{op: "CreateSAMLProvider", resource: "saml-provider/new", params: "Name=new SAMLMetadataDocument=" + metadata()},
		{op: "CreateSAMLProvider", resource: "saml-provider/new", params: "Name=new SAMLMetadataDocument=" + metadata() + tag, also: "iam:TagSAMLProvider saml-provider/new"},
		{op: "DeleteOpenIDConnectProvider", resource: oidc, params: ofOIDC},
		{op: "DeleteSAMLProvider", resource: saml, params: ofSAML},
		{op: "GetOpenIDConnectProvider", resource: oidc, params: ofOIDC},
		{op: "GetSAMLProvider", resource: saml, params: ofSAML},
		{op: "ListOpenIDConnectProviderTags", resource: oidc, params: ofOIDC},
		{op: "ListOpenIDConnectProviders", resource: "oidc-provider/"},
		{op: "ListSAMLProviderTags", resource: saml, params: ofSAML},
		{op: "ListSAMLProviders", resource: "saml-provider/"},
		{op: "RemoveClientIDFromOpenIDConnectProvider", resource: oidc, params: ofOIDC + " ClientID=x"},
		{op: "TagOpenIDConnectProvider", resource: oidc, params: ofOIDC + tag},
		{op: "TagSAMLProvider", resource: saml, params: ofSAML + tag},
		{op: "UntagOpenIDConnectProvider", resource: oidc, params: ofOIDC + " TagKeys.member.1=a"},
		{op: "UntagSAMLProvider", resource: saml, params: ofSAML + " TagKeys.member.1=a"},
		{op: "UpdateOpenIDConnectProviderThumbprint", resource: oidc, params: ofOIDC + " ThumbprintList.member.1=" + thumbprint},
		{op: "UpdateSAMLProvider", resource: saml, params: ofSAML + " SAMLMetadataDocument=" + metadata()},
	}
}

// issuer is an OpenID Connect issuer that has a certificate and nothing else.
func issuer(t *testing.T) *httptest.Server {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// TestOIDCProviders has an issuer with a port (Q042).
func TestOIDCProviders(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin()
	s := issuer(t)
	sum := sha1.Sum(s.Certificate().Raw)
	arn := iamtest.Element(admin.OK("CreateOpenIDConnectProvider", "Url="+s.URL, "ClientIDList.member.1=a", "ClientIDList.member.2=a"), "OpenIDConnectProviderArn")
	host := strings.TrimPrefix(s.URL, "https://")
	if want := prefix + "oidc-provider/" + host; arn != want {
		t.Errorf("CreateOpenIDConnectProvider = %s, want %s", arn, want)
	}
	body := admin.OK("GetOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn)
	for _, part := range []string{"<Url>" + host + "</Url>", "<ClientIDList><member>a</member></ClientIDList>", "<ThumbprintList><member>" + hex.EncodeToString(sum[:]) + "</member></ThumbprintList>"} {
		if !strings.Contains(body, part) {
			t.Errorf("GetOpenIDConnectProvider lacks %s: %s", part, body)
		}
	}
	s.Close()
	if got, want := admin.Fail("OpenIdIdpCommunicationError", "CreateOpenIDConnectProvider", "Url=https://"+host+"/x"), "The certificate of https://"+host+"/x could not be retrieved."; !strings.HasPrefix(got, want) {
		t.Errorf("an issuer that does not run: %s, want %s", got, want)
	}
	if got, want := admin.Fail("EntityAlreadyExists", "CreateOpenIDConnectProvider", "Url="+s.URL), "Provider with url "+s.URL+" already exists."; got != want {
		t.Errorf("the same twice: %s, want %s", got, want)
	}
	for _, bad := range []string{"http://id.example.com", "id.example.com", "https://", "https://id.example.com?x=1", "https://id.example.com/#a", "https://u:p@id.example.com",
		"https://id.example.com:0", "https://id.example.com:99999", "https://id.example.com:", "https://id.example.com/a b", "https://id.exämple.com", "https://*.example.com", "https://aws", "https://STS", "ftp://x"} {
		if got, want := admin.Fail("ValidationError", "CreateOpenIDConnectProvider", "Url="+bad, "ThumbprintList.member.1="+thumbprint), "Invalid Open ID Connect Provider URL"; got != want {
			t.Errorf("CreateOpenIDConnectProvider(%s): %s, want %s", bad, got, want)
		}
	}
	admin.Fail("InvalidInput", "UpdateOpenIDConnectProviderThumbprint", "OpenIDConnectProviderArn="+arn, "ThumbprintList.member.1="+strings.Repeat("x", 40))
	six := []string{"OpenIDConnectProviderArn=" + arn}
	for i := range 6 {
		six = append(six, fmt.Sprintf("ThumbprintList.member.%d=%040d", i+1, i))
	}
	if got, want := admin.Fail("InvalidInput", "UpdateOpenIDConnectProviderThumbprint", six...), "Thumbprint list must contain fewer than 5 entries."; got != want {
		t.Errorf("six thumbprints: %s, want %s", got, want)
	}
	for i := range 99 {
		admin.OK("AddClientIDToOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn, fmt.Sprintf("ClientID=c%d", i))
	}
	if got, want := admin.Fail("LimitExceeded", "AddClientIDToOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn, "ClientID=one-more"), "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"; got != want {
		t.Errorf("a hundred and first audience: %s, want %s", got, want)
	}
	admin.OK("AddClientIDToOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn, "ClientID=c1") // again
	admin.OK("RemoveClientIDFromOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn, "ClientID=none")
	admin.OK("RemoveClientIDFromOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn, "ClientID=c1")
	if n := strings.Count(iamtest.Element(admin.OK("GetOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn), "ClientIDList"), "<member>c"); n != 98 {
		t.Errorf("the provider has %d audiences that begin with c, want 98", n)
	}
	if summary := admin.OK("GetAccountSummary"); !strings.Contains(summary, "<key>Providers</key><value>1</value>") {
		t.Errorf("GetAccountSummary does not count the provider: %s", summary)
	}
	admin.OK("DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn)
	admin.OK("DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn="+arn) // idempotent
	missing := map[string][]string{
		"AddClientIDToOpenIDConnectProvider": {"ClientID=a"}, "GetOpenIDConnectProvider": nil, "ListOpenIDConnectProviderTags": nil,
		"RemoveClientIDFromOpenIDConnectProvider": {"ClientID=a"}, "TagOpenIDConnectProvider": {"Tags.member.1.Key=a", "Tags.member.1.Value=b"},
		"UntagOpenIDConnectProvider": {"TagKeys.member.1=a"}, "UpdateOpenIDConnectProviderThumbprint": {"ThumbprintList.member.1=" + thumbprint},
	}
	for op, params := range missing {
		if got, want := admin.Fail("NoSuchEntity", op, append(params, "OpenIDConnectProviderArn="+arn)...), "OpenIDConnect Provider not found for arn "+arn; got != want {
			t.Errorf("%s: %s, want %s", op, got, want)
		}
		admin.Fail("ValidationError", op, append(params, "OpenIDConnectProviderArn="+samlARN)...)
	}
	admin.Fail("ValidationError", "DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn=nothing-valid-in-here")
}

func TestSAMLProviders(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin()
	create := func(name string, more ...string) []string {
		return append([]string{"Name=" + name, "SAMLMetadataDocument=" + metadata()}, more...)
	}
	key := privateKey(samlKeyPair())
	required := "Unable to set assertion encryption mode to Required because no private key is provided."
	if got := admin.Fail("InvalidInput", "CreateSAMLProvider", create("Corp", "AssertionEncryptionMode=Required")...); got != required {
		t.Errorf("Required without a key: %s, want %s", got, required)
	}
	arn := iamtest.Element(admin.OK("CreateSAMLProvider", create("Corp", "AssertionEncryptionMode=Required", "AddPrivateKey="+key)...), "SAMLProviderArn")
	if arn != samlARN {
		t.Errorf("CreateSAMLProvider = %s, want %s", arn, samlARN)
	}
	if rec := w.LastRecord(); strings.Contains(string(rec.RequestParameters), "PRIVATE KEY") {
		t.Errorf("the audit record holds the private key: %s", rec.RequestParameters)
	}
	admin.Fail("EntityAlreadyExists", "CreateSAMLProvider", create("corp")...)
	body := admin.OK("GetSAMLProvider", "SAMLProviderArn="+arn)
	if iamtest.Element(body, "AssertionEncryptionMode") != "Required" || html.UnescapeString(iamtest.Element(body, "SAMLMetadataDocument")) != metadata() || strings.Contains(body, "PRIVATE") {
		t.Errorf("GetSAMLProvider = %s", body)
	}
	if until, err := time.Parse(time.RFC3339, iamtest.Element(body, "ValidUntil")); err != nil || until.Year() != time.Now().UTC().Year()+100 {
		t.Errorf("ValidUntil = %v, %v, want a hundred years from now", until, err)
	}
	id := iamtest.Element(body, "KeyId")
	update := func(params ...string) []string { return append([]string{"SAMLProviderArn=" + arn}, params...) }
	for _, tt := range []struct{ code, says, param string }{
		{"InvalidInput", "Unable to update identity provider. No updates are defined for metadata or encryption assertion.", ""},
		{"InvalidInput", "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.", "AddPrivateKey=" + key + "&RemovePrivateKey=" + id},
		{"InvalidInput", required, "RemovePrivateKey=" + id},
		{"InvalidInput", "Failed to remove private key because the Key ID does not match a private key.", "RemovePrivateKey=" + strings.Repeat("A", 32)},
		{"InvalidInput", "Invalid private key", "AddPrivateKey=hello"},
		{"InvalidInput", "Could not parse metadata", "SAMLMetadataDocument=" + strings.Replace(metadata(), "IDPSSO", "XDPSSO", 2)},
		{"ValidationError", "1 validation error detected: Value '<a/>' at 'sAMLMetadataDocument'", "SAMLMetadataDocument=<a/>"},
		{"ValidationError", "1 validation error detected: Value 'Never' at 'assertionEncryptionMode'", "AssertionEncryptionMode=Never"},
	} {
		var params []string
		if tt.param != "" {
			params = strings.Split(tt.param, "&")
		}
		if got := admin.Fail(tt.code, "UpdateSAMLProvider", update(params...)...); !strings.HasPrefix(got, tt.says) {
			t.Errorf("UpdateSAMLProvider(%.30s…): %s, want %s", tt.param, got, tt.says)
		}
	}
	admin.OK("UpdateSAMLProvider", update("AddPrivateKey="+key)...)
	if got, want := admin.Fail("LimitExceeded", "UpdateSAMLProvider", update("AddPrivateKey="+key)...), "Private key limit of 2 is reached."; got != want {
		t.Errorf("a third key: %s, want %s", got, want)
	}
	admin.OK("UpdateSAMLProvider", update("AssertionEncryptionMode=Allowed", "RemovePrivateKey="+id)...)
	if got := iamtest.Element(admin.OK("GetSAMLProvider", "SAMLProviderArn="+arn), "AssertionEncryptionMode"); got != "Allowed" {
		t.Errorf("AssertionEncryptionMode = %s, want Allowed", got)
	}
	admin.OK("DeleteSAMLProvider", "SAMLProviderArn="+arn)
	for op, params := range map[string][]string{
		"DeleteSAMLProvider": nil, "GetSAMLProvider": nil, "ListSAMLProviderTags": nil, "TagSAMLProvider": {"Tags.member.1.Key=a", "Tags.member.1.Value=b"},
		"UntagSAMLProvider": {"TagKeys.member.1=a"}, "UpdateSAMLProvider": {"AssertionEncryptionMode=Allowed"},
	} {
		if got, want := admin.Fail("NoSuchEntity", op, update(params...)...), "SAMLProvider "+arn+" not found."; got != want {
			t.Errorf("%s: %s, want %s", op, got, want)
		}
		admin.Fail("ValidationError", op, append(params, "SAMLProviderArn="+oidcARN)...)
	}
}

// TestProviderTags: tags of providers are condition keys.
func TestProviderTags(t *testing.T) {
	w := newWorld(t)
	w.providers(t)
	w.allow(t, policyOf([]string{`{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"blue"}}}`}))
	w.carl.OK("GetOpenIDConnectProvider", "OpenIDConnectProviderArn="+oidcARN)
	w.carl.OK("GetSAMLProvider", "SAMLProviderArn="+samlARN)
	w.Admin().OK("TagSAMLProvider", "SAMLProviderArn="+samlARN, "Tags.member.1.Key=TEAM", "Tags.member.1.Value=red")
	w.Admin().OK("UntagOpenIDConnectProvider", "OpenIDConnectProviderArn="+oidcARN, "TagKeys.member.1=team")
	w.carl.Fail("AccessDenied", "GetOpenIDConnectProvider", "OpenIDConnectProviderArn="+oidcARN)
	w.carl.Fail("AccessDenied", "GetSAMLProvider", "SAMLProviderArn="+samlARN)
}
