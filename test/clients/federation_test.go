// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

const branch = "repo:acme/app:ref:refs/heads/main"

func newRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	return must(rsa.GenerateKey(rand.Reader, 2048))(t)
}

// issuer runs an OpenID Connect issuer and returns it with what makes its tokens.
func issuer(t *testing.T) (s *httptest.Server, token func(sub string) string) {
	t.Helper()
	key := newRSA(t)
	b64 := base64.RawURLEncoding.EncodeToString
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
				"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
			}}})
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"issuer": s.URL, "jwks_uri": s.URL + "/keys"})
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, func(sub string) string {
		claims, err := json.Marshal(map[string]any{"iss": s.URL, "aud": "sts.amazonaws.com", "sub": sub, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
		if err != nil {
			t.Fatal(err)
		}
		text := b64([]byte(`{"alg":"RS256","kid":"one","typ":"JWT"}`)) + "." + b64(claims)
		sum := sha256.Sum256([]byte(text))
		return text + "." + b64(must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]))(t))
	}
}

const botoFederation = `
import os, boto3
from botocore.exceptions import ClientError
sts = boto3.client("sts", endpoint_url=os.environ["INNKEEPER_URL"], aws_access_key_id="", aws_secret_access_key="")
def session(**kw):
    c = sts.assume_role_with_web_identity(RoleArn=os.environ["ROLE"], RoleSessionName="boto", **kw)
    k = c["Credentials"]
    return c, boto3.client("sts", endpoint_url=os.environ["INNKEEPER_URL"], aws_access_key_id=k["AccessKeyId"], aws_secret_access_key=k["SecretAccessKey"], aws_session_token=k["SessionToken"])
c, s = session(WebIdentityToken=os.environ["TOKEN"])
assert c["SubjectFromWebIdentityToken"] == os.environ["SUBJECT"], c
assert s.get_caller_identity()["Arn"].endswith(":assumed-role/ci/boto")
try:
    session(WebIdentityToken=os.environ["OTHER"])
    raise SystemExit("another branch was let in")
except ClientError as e:
    assert e.response["Error"]["Code"] == "AccessDenied", e
try:
    session(WebIdentityToken="hello")
    raise SystemExit("no token was let in")
except sts.exceptions.InvalidIdentityTokenException as e:
    assert "not a valid JWT" in str(e), e
print("ok")
`

func TestWebIdentity(t *testing.T) {
	s := server.Start(t, server.Options{})
	is, token := issuer(t)
	host := strings.TrimPrefix(is.URL, "https://")
	ctx, admin := t.Context(), s.IAM(s.Admin)
	// Without a thumbprint the server asks the issuer for its certificate.
	provider := *must(admin.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: &is.URL, ClientIDList: []string{"sts.amazonaws.com"}}))(t).OpenIDConnectProviderArn
	role := *must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("ci"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"` + host + `:sub":"` + branch + `"}}}}`)}))(t).Role.Arn

	t.Run("go", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(token(branch)), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := s.Config(server.Key{})
		anonymous := sts.NewFromConfig(cfg, func(o *sts.Options) { o.Credentials = aws.AnonymousCredentials{} })
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(anonymous, role, stscreds.IdentityTokenFile(file)))
		if got := *must(sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil))(t).Arn; !strings.Contains(got, ":assumed-role/ci/") {
			t.Errorf("GetCallerIdentity = %s", got)
		}
		_, err := anonymous.AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: aws.String("go"), WebIdentityToken: aws.String(token("other"))})
		if server.Code(err) != "AccessDenied" {
			t.Errorf("another branch: %v", err)
		}
	})
	for _, path := range server.AWS(t) {
		t.Run("cli-"+filepath.Dir(path), func(t *testing.T) {
			cli := s.CLI(t, path, server.Key{})
			args := func(token string) []string {
				return []string{"sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "cli", "--web-identity-token", token, "--query", "[Provider,Audience,AssumedRoleUser.Arn]"}
			}
			if got := cli.Run(args(token(branch))...); !strings.HasPrefix(got, provider+"\tsts.amazonaws.com\tarn:aws:sts::") {
				t.Errorf("assume-role-with-web-identity = %s", got)
			}
			cli.Refused("AccessDenied", []string{"Not authorized to perform sts:AssumeRoleWithWebIdentity"}, args(token("other"))...)
			cli.Refused("InvalidIdentityToken", []string{"not a valid JWT"}, args("hello")...)
		})
	}
	for _, python := range server.Pythons(t) {
		t.Run("boto3-"+filepath.Dir(python), func(t *testing.T) {
			cmd := exec.CommandContext(ctx, python, "-c", botoFederation)
			cmd.Env = append(s.Environ(t, server.Key{}), "ROLE="+role, "TOKEN="+token(branch), "OTHER="+token("other"), "SUBJECT="+branch)
			if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "ok" {
				t.Errorf("boto3: %v\n%s", err, out)
			}
		})
	}
}

// An idp is crewjam's identity provider with one user and AWS as the only
// service.
type idp struct {
	saml.IdentityProvider
	user    saml.Session
	encrypt string // certificate of the service, in base64; "" for none
}

func (p *idp) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	return &p.user
}

func (p *idp) GetServiceProvider(*http.Request, string) (*saml.EntityDescriptor, error) {
	var sp saml.SPSSODescriptor
	sp.AssertionConsumerServices = []saml.IndexedEndpoint{{Binding: saml.HTTPPostBinding, Location: "https://signin.aws.amazon.com/saml"}}
	if p.encrypt != "" {
		sp.KeyDescriptors = []saml.KeyDescriptor{{Use: "encryption", KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: p.encrypt}}}}}}
	}
	return &saml.EntityDescriptor{EntityID: "urn:amazon:webservices", SPSSODescriptors: []saml.SPSSODescriptor{sp}}, nil
}

var samlResponse = regexp.MustCompile(`name="SAMLResponse" value="([^"]*)"`)

// respond returns a response as the user's browser would post it.
func (p *idp) respond(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeIDPInitiated(w, httptest.NewRequest(http.MethodGet, "/", nil), "aws", "")
	m := samlResponse.FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("the identity provider answers %d %s", w.Code, w.Body)
	}
	return strings.ReplaceAll(m[1], "&#43;", "+")
}

func certify(t *testing.T, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))(t)))(t)
}

func attribute(name, value string) saml.Attribute {
	return saml.Attribute{Name: "https://aws.amazon.com/SAML/Attributes/" + name, NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri", Values: []saml.AttributeValue{{Type: "xs:string", Value: value}}}
}

func TestSAML(t *testing.T) {
	s := server.Start(t, server.Options{})
	ctx, admin := t.Context(), s.IAM(s.Admin)
	account := *must(s.STS(s.Admin).GetCallerIdentity(ctx, nil))(t).Account
	role, provider := "arn:aws:iam::"+account+":role/staff", "arn:aws:iam::"+account+":saml-provider/Corp"
	key, ours := newRSA(t), newRSA(t)
	p := &idp{user: saml.Session{NameID: "ann", NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", CustomAttributes: []saml.Attribute{
		attribute("Role", role+","+provider), attribute("RoleSessionName", "ann@example.com"),
	}}}
	p.IdentityProvider = saml.IdentityProvider{
		Key: key, Certificate: certify(t, key), Logger: log.New(io.Discard, "", 0), SignatureMethod: dsig.RSASHA256SignatureMethod,
		MetadataURL: url.URL{Scheme: "https", Host: "idp.example.com", Path: "/metadata"}, SSOURL: url.URL{Scheme: "https", Host: "idp.example.com", Path: "/sso"},
		ServiceProviderProvider: p, SessionProvider: p,
	}
	metadata := string(must(xml.Marshal(p.Metadata()))(t))
	must(admin.CreateSAMLProvider(ctx, &iam.CreateSAMLProviderInput{Name: aws.String("Corp"), SAMLMetadataDocument: &metadata}))(t)
	must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("staff"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"}}}}`)}))(t)

	anonymous := sts.NewFromConfig(s.Config(server.Key{}), func(o *sts.Options) { o.Credentials = aws.AnonymousCredentials{} })
	goSAML := func(t *testing.T, response string) error {
		out, err := anonymous.AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{RoleArn: &role, PrincipalArn: &provider, SAMLAssertion: &response})
		if err != nil {
			return err
		}
		if got := *must(s.STS(server.SessionKey(out.Credentials)).GetCallerIdentity(ctx, nil))(t).Arn; !strings.HasSuffix(got, ":assumed-role/staff/ann@example.com") {
			t.Errorf("GetCallerIdentity = %s", got)
		}
		if *out.Subject != "ann" || *out.SubjectType != "persistent" || *out.Issuer != "https://idp.example.com/metadata" {
			t.Errorf("AssumeRoleWithSAML = %s %s %s", *out.Subject, *out.SubjectType, *out.Issuer)
		}
		return nil
	}
	t.Run("go", func(t *testing.T) {
		if err := goSAML(t, p.respond(t)); err != nil {
			t.Error(err)
		}
		text := must(base64.StdEncoding.DecodeString(p.respond(t)))(t)
		forged := base64.StdEncoding.EncodeToString(bytes.Replace(text, []byte(">ann<"), []byte(">bob<"), 1))
		if err := goSAML(t, forged); server.Code(err) != "InvalidIdentityToken" {
			t.Errorf("a forged response: %v", err)
		}
	})
	for _, path := range server.AWS(t) {
		t.Run("cli-"+filepath.Dir(path), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "response")
			if err := os.WriteFile(file, []byte(p.respond(t)), 0o600); err != nil {
				t.Fatal(err)
			}
			got := s.CLI(t, path, server.Key{}).Run("sts", "assume-role-with-saml", "--role-arn", role, "--principal-arn", provider, "--saml-assertion", "file://"+file, "--query", "AssumedRoleUser.Arn")
			if !strings.HasSuffix(got, ":assumed-role/staff/ann@example.com") {
				t.Errorf("assume-role-with-saml = %s", got)
			}
		})
	}
	t.Run("encrypted", func(t *testing.T) {
		pemKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(ours)}))
		must(admin.UpdateSAMLProvider(ctx, &iam.UpdateSAMLProviderInput{SAMLProviderArn: &provider, AddPrivateKey: &pemKey, AssertionEncryptionMode: "Required"}))(t)
		if err := goSAML(t, p.respond(t)); server.Code(err) != "InvalidIdentityToken" {
			t.Errorf("a plain assertion: %v", err)
		}
		p.encrypt = base64.StdEncoding.EncodeToString(certify(t, ours).Raw)
		if err := goSAML(t, p.respond(t)); err != nil {
			t.Error(err)
		}
	})
}
