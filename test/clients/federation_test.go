// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

const branch = "repo:acme/app:ref:refs/heads/main"

func newRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	return must(rsa.GenerateKey(rand.Reader, 2048))(t)
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

// An inn is a server with what it takes to let guests in: an issuer whose tokens
// open the role job, and an identity provider whose responses open the role
// staff. The client has yet to make the providers and the roles.
type inn struct {
	*server.Server
	issuer     string // URL
	thumbprint string // of its certificate; older clients must name one
	token      func(sub string) string
	idp        *idp
	account    string
	job        string // role
	jobTrust   string // its trust policy
	oidc       string // provider
	staff      string
	saml       string
}

const staffTrust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"%s"},"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"}}}}`

func open(t *testing.T, s *server.Server) *inn {
	t.Helper()
	is, token := server.Issuer(t)
	account := *must(s.STS(s.Admin).GetCallerIdentity(t.Context(), nil))(t).Account
	arn, host := "arn:aws:iam::"+account+":", strings.TrimPrefix(is.URL, "https://")
	in := &inn{Server: s, issuer: is.URL, thumbprint: fmt.Sprintf("%x", sha1.Sum(is.Certificate().Raw)), token: token, account: account,
		job: arn + "role/job", oidc: arn + "oidc-provider/" + host, staff: arn + "role/staff", saml: arn + "saml-provider/Corp"}
	in.jobTrust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + in.oidc + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"` + host + `:sub":"` + branch + `"}}}}`
	key := newRSA(t)
	p := &idp{user: saml.Session{NameID: "ann", NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", CustomAttributes: []saml.Attribute{
		attribute("Role", in.staff+","+in.saml), attribute("RoleSessionName", "ann@example.com"),
	}}}
	p.IdentityProvider = saml.IdentityProvider{
		Key: key, Certificate: certify(t, key), Logger: log.New(io.Discard, "", 0), SignatureMethod: dsig.RSASHA256SignatureMethod,
		MetadataURL: url.URL{Scheme: "https", Host: "idp.example.com", Path: "/metadata"}, SSOURL: url.URL{Scheme: "https", Host: "idp.example.com", Path: "/sso"},
		ServiceProviderProvider: p, SessionProvider: p,
	}
	in.idp = p
	return in
}

func (in *inn) metadata(t *testing.T) string {
	return string(must(xml.Marshal(in.idp.Metadata()))(t))
}

// visitors is what the scripts of federation are given.
func visitors(t *testing.T, s *server.Server) []string {
	in := open(t, s)
	return []string{"INNKEEPER_ISSUER=" + in.issuer, "INNKEEPER_THUMBPRINT=" + in.thumbprint, "INNKEEPER_SUBJECT=" + branch,
		"INNKEEPER_TOKEN=" + in.token(branch), "INNKEEPER_OTHER_TOKEN=" + in.token("other"),
		"INNKEEPER_METADATA=" + in.metadata(t), "INNKEEPER_RESPONSE=" + in.idp.respond(t)}
}

func cliFederation(t *testing.T) {
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			t.Parallel()
			in := open(t, server.Start(t, server.Options{}))
			admin, guest := in.CLI(t, path, in.Admin), in.CLI(t, path, server.Key{})
			if got := admin.Run("iam", "create-open-id-connect-provider", "--url", in.issuer, "--client-id-list", "sts.amazonaws.com", "--thumbprint-list", in.thumbprint); got != in.oidc {
				t.Errorf("create-open-id-connect-provider = %s, want %s", got, in.oidc)
			}
			admin.Run("iam", "create-role", "--role-name", "job", "--assume-role-policy-document", in.jobTrust)
			enter := func(token string) []string {
				return []string{"sts", "assume-role-with-web-identity", "--role-arn", in.job, "--role-session-name", "cli", "--web-identity-token", token, "--query", "[Provider,Audience,AssumedRoleUser.Arn]"}
			}
			if got := guest.Run(enter(in.token(branch))...); !strings.HasPrefix(got, in.oidc+"\tsts.amazonaws.com\tarn:aws:sts::") {
				t.Errorf("assume-role-with-web-identity = %s", got)
			}
			guest.Refused("AccessDenied", []string{"Not authorized to perform sts:AssumeRoleWithWebIdentity"}, enter(in.token("other"))...)
			guest.Refused("InvalidIdentityToken", []string{"not a valid JWT"}, enter("hello")...)
			profile(t, in.Server, path, "job", "[profile job]\nrole_arn = "+in.job+"\nrole_session_name = profile\nweb_identity_token_file = "+write(t, in.token(branch))+"\n", "",
				"arn:aws:sts::"+in.account+":assumed-role/job/profile")

			admin.Run("iam", "create-saml-provider", "--name", "Corp", "--saml-metadata-document", "file://"+write(t, in.metadata(t)))
			admin.Run("iam", "create-role", "--role-name", "staff", "--assume-role-policy-document", fmt.Sprintf(staffTrust, in.saml))
			got := guest.Run("sts", "assume-role-with-saml", "--role-arn", in.staff, "--principal-arn", in.saml, "--saml-assertion", "file://"+write(t, in.idp.respond(t)), "--query", "AssumedRoleUser.Arn")
			if want := "arn:aws:sts::" + in.account + ":assumed-role/staff/ann@example.com"; got != want {
				t.Errorf("assume-role-with-saml = %s, want %s", got, want)
			}
		})
	}
}

// write writes a file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func goFederation(t *testing.T) {
	t.Parallel()
	in := open(t, server.Start(t, server.Options{}))
	ctx, admin := t.Context(), in.IAM(in.Admin)
	guest := sts.NewFromConfig(in.Config(server.Key{}), func(o *sts.Options) { o.Credentials = aws.AnonymousCredentials{} })
	// Without a thumbprint the server asks the issuer for its certificate.
	must(admin.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: &in.issuer, ClientIDList: []string{"sts.amazonaws.com"}}))(t)
	must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("job"), AssumeRolePolicyDocument: &in.jobTrust}))(t)
	metadata := in.metadata(t)
	must(admin.CreateSAMLProvider(ctx, &iam.CreateSAMLProviderInput{Name: aws.String("Corp"), SAMLMetadataDocument: &metadata}))(t)
	must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("staff"), AssumeRolePolicyDocument: aws.String(fmt.Sprintf(staffTrust, in.saml))}))(t)

	t.Run("web-identity", func(t *testing.T) {
		cfg := in.Config(server.Key{})
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(guest, in.job, stscreds.IdentityTokenFile(write(t, in.token(branch))),
			func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = "go" }))
		if got, want := *must(sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil))(t).Arn, "arn:aws:sts::"+in.account+":assumed-role/job/go"; got != want {
			t.Errorf("GetCallerIdentity = %s, want %s", got, want)
		}
		enter := func(token string) error {
			_, err := guest.AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{RoleArn: &in.job, RoleSessionName: aws.String("go"), WebIdentityToken: &token})
			return err
		}
		if err := enter(in.token("other")); server.Code(err) != "AccessDenied" {
			t.Errorf("another branch: %v", err)
		}
		if _, ok := errors.AsType[*ststypes.InvalidIdentityTokenException](enter("hello")); !ok {
			t.Error("no token was not refused as one")
		}
	})
	t.Run("saml", func(t *testing.T) { goSAML(t, in, guest) })
}

func goSAML(t *testing.T, in *inn, guest *sts.Client) {
	ctx := t.Context()
	enter := func(response string) error {
		out, err := guest.AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{RoleArn: &in.staff, PrincipalArn: &in.saml, SAMLAssertion: &response})
		if err != nil {
			return err
		}
		if got := *must(in.STS(server.SessionKey(out.Credentials)).GetCallerIdentity(ctx, nil))(t).Arn; !strings.HasSuffix(got, ":assumed-role/staff/ann@example.com") {
			t.Errorf("GetCallerIdentity = %s", got)
		}
		if *out.Subject != "ann" || *out.SubjectType != "persistent" || *out.Issuer != "https://idp.example.com/metadata" {
			t.Errorf("AssumeRoleWithSAML = %s %s %s", *out.Subject, *out.SubjectType, *out.Issuer)
		}
		return nil
	}
	if err := enter(in.idp.respond(t)); err != nil {
		t.Error(err)
	}
	text := must(base64.StdEncoding.DecodeString(in.idp.respond(t)))(t)
	forged := base64.StdEncoding.EncodeToString(bytes.Replace(text, []byte(">ann<"), []byte(">bob<"), 1))
	if err := enter(forged); server.Code(err) != "InvalidIdentityToken" {
		t.Errorf("a forged response: %v", err)
	}

	ours := newRSA(t)
	pemKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(ours)}))
	must(in.IAM(in.Admin).UpdateSAMLProvider(ctx, &iam.UpdateSAMLProviderInput{SAMLProviderArn: &in.saml, AddPrivateKey: &pemKey, AssertionEncryptionMode: "Required"}))(t)
	if err := enter(in.idp.respond(t)); server.Code(err) != "InvalidIdentityToken" {
		t.Errorf("a plain assertion: %v", err)
	}
	in.idp.encrypt = base64.StdEncoding.EncodeToString(certify(t, ours).Raw)
	if err := enter(in.idp.respond(t)); err != nil {
		t.Error(err)
	}
}
