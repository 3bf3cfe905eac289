// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"html"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	samlRole = "arn:aws:iam::111122223333:role/app"
	samlARN  = "arn:aws:iam::111122223333:saml-provider/Corp"
	entityID = "https://idp.example.com/metadata"
)

// An idp is a SAML identity provider.
type idp struct {
	cert tls.Certificate
}

func newIDP(t testing.TB, key *rsa.PrivateKey) *idp {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &idp{tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}}
}

func (p *idp) metadata(attrs string) string {
	return `<?xml version="1.0"?><!-- made by a test --><md:EntityDescriptor xmlns:md="` + nsMetadata + `" entityID="` + entityID + `" ` + attrs + `>` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="` + nsProtocol + `"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="` + nsSignature + `"><ds:X509Data><ds:X509Certificate>` +
		"\n" + base64.StdEncoding.EncodeToString(p.cert.Certificate[0]) + "\n" +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}

func (p *idp) registered(t testing.TB) *SAMLProvider {
	t.Helper()
	m, err := ParseMetadata(p.metadata(""))
	if err != nil {
		t.Fatal(err)
	}
	return &SAMLProvider{Account: "111122223333", Name: "Corp", ARN: samlARN, Metadata: m, ValidUntil: now.Add(time.Hour)}
}

// A message is a response under construction.
type message struct {
	status, destination         string
	id, issuer, issued          string
	name, format, method        string
	recipient, until            string
	notBefore, notOnOrAfter     string
	audiences                   []string
	sessionUntil                string
	attributes                  map[string][]string
	signAssertion, signResponse bool
	encrypt                     *rsa.PublicKey
	cbc                         bool
	signer                      *idp
	mangle                      func(text string) string // before it is encoded
}

func stamp(d time.Duration) string { return now.Add(d).Format("2006-01-02T15:04:05.000Z") }

func good() message {
	return message{
		status: statusSuccess, destination: "https://signin.aws.amazon.com/saml",
		id: "_a1", issuer: entityID, issued: stamp(-time.Second),
		name: "ann@example.com", format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", method: bearer,
		recipient: "https://signin.aws.amazon.com/saml", until: stamp(5 * time.Minute),
		notBefore: stamp(-time.Minute), notOnOrAfter: stamp(5 * time.Minute),
		audiences:     []string{awsAudience},
		attributes:    map[string][]string{attrRole: {samlRole + "," + samlARN}, attrName: {"ann"}},
		signAssertion: true,
	}
}

func (m *message) assertion() string {
	var b strings.Builder
	e := html.EscapeString
	fmt.Fprintf(&b, `<saml:Assertion xmlns:saml="%s" ID="%s" Version="2.0" IssueInstant="%s"><saml:Issuer>%s</saml:Issuer>`, nsAssertion, m.id, m.issued, e(m.issuer))
	fmt.Fprintf(&b, `<saml:Subject><saml:NameID Format="%s">%s</saml:NameID><saml:SubjectConfirmation Method="%s"><saml:SubjectConfirmationData NotOnOrAfter="%s" Recipient="%s"/></saml:SubjectConfirmation></saml:Subject>`,
		m.format, e(m.name), m.method, m.until, e(m.recipient))
	fmt.Fprintf(&b, `<saml:Conditions NotBefore="%s" NotOnOrAfter="%s">`, m.notBefore, m.notOnOrAfter)
	for _, a := range m.audiences {
		fmt.Fprintf(&b, `<saml:AudienceRestriction><saml:Audience>%s</saml:Audience></saml:AudienceRestriction>`, e(a))
	}
	fmt.Fprintf(&b, `</saml:Conditions><saml:AuthnStatement AuthnInstant="%s"`, m.issued)
	if m.sessionUntil != "" {
		fmt.Fprintf(&b, ` SessionNotOnOrAfter="%s"`, m.sessionUntil)
	}
	b.WriteString(`/><saml:AttributeStatement>`)
	for name, values := range m.attributes {
		fmt.Fprintf(&b, `<saml:Attribute Name="%s">`, e(name))
		for _, v := range values {
			fmt.Fprintf(&b, `<saml:AttributeValue>%s</saml:AttributeValue>`, e(v))
		}
		b.WriteString(`</saml:Attribute>`)
	}
	b.WriteString(`</saml:AttributeStatement></saml:Assertion>`)
	return b.String()
}

// respond makes the response in base64.
func (p *idp) respond(t testing.TB, change func(*message)) string {
	t.Helper()
	m := good()
	m.signer = p
	if change != nil {
		change(&m)
	}
	assertion := m.assertion()
	if m.signAssertion {
		assertion = m.signer.sign(t, assertion)
	}
	if m.encrypt != nil {
		assertion = encrypt(t, assertion, m.encrypt, m.cbc)
	}
	text := fmt.Sprintf(`<samlp:Response xmlns:samlp="%s" ID="_r1" Version="2.0" Destination="%s"><saml:Issuer xmlns:saml="%s">%s</saml:Issuer><samlp:Status><samlp:StatusCode Value="%s"/></samlp:Status>%s</samlp:Response>`,
		nsProtocol, m.destination, nsAssertion, m.issuer, m.status, assertion)
	if m.signResponse {
		text = m.signer.sign(t, text)
	}
	if m.mangle != nil {
		text = m.mangle(text)
	}
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// sign signs an element and puts the signature after its first child, where
// SAML has it.
func (p *idp) sign(t testing.TB, text string) string {
	t.Helper()
	return p.signWith(t, text, dsig.RSASHA256SignatureMethod)
}

func (p *idp) signWith(t testing.TB, text, method string) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatal(err)
	}
	ctx := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(p.cert))
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(method); err != nil {
		t.Fatal(err)
	}
	sig, err := ctx.ConstructSignature(doc.Root(), true)
	if err != nil {
		t.Fatal(err)
	}
	doc.Root().InsertChildAt(1, sig)
	out, err := doc.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// encrypt makes an EncryptedAssertion.
func encrypt(t testing.TB, assertion string, to *rsa.PublicKey, cbc bool) string {
	t.Helper()
	key := make([]byte, 16)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	method := "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	if cbc {
		method = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
		n := 16 - len(assertion)%16
		plain := append([]byte(assertion), bytes.Repeat([]byte{byte(n)}, n)...)
		data = make([]byte, 16, 16+len(plain))
		rand.Read(data)
		out := make([]byte, len(plain))
		cipher.NewCBCEncrypter(block, data).CryptBlocks(out, plain)
		data = append(data, out...)
	} else {
		a, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			t.Fatal(err)
		}
		data = a.Seal(nil, nil, []byte(assertion), nil)
	}
	wrapped, err := rsa.EncryptOAEP(crypto.SHA1.New(), rand.Reader, to, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return `<saml:EncryptedAssertion xmlns:saml="` + nsAssertion + `"><xenc:EncryptedData xmlns:xenc="` + nsEncrypted + `"><xenc:EncryptionMethod Algorithm="` + method + `"/>` +
		`<ds:KeyInfo xmlns:ds="` + nsSignature + `"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="` + oaepMGF1P + `"/><xenc:CipherData><xenc:CipherValue>` + b64(wrapped) + `</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>` +
		`<xenc:CipherData><xenc:CipherValue>` + b64(data) + `</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`
}

// without returns all but the given attribute.
func without(m map[string][]string, name string) map[string][]string {
	out := make(map[string][]string)
	for k, v := range m {
		if k != name {
			out[k] = slices.Clone(v)
		}
	}
	return out
}
