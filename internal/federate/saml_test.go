// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	dsig "github.com/russellhaering/goxmldsig"

	"github.com/innkeeper-iam/innkeeper/internal/session"
)

func checkSAML(v *SAML, text string, p *SAMLProvider) (*Identity, error) {
	r, err := ParseResponse(text)
	if err != nil {
		return nil, err
	}
	return v.Verify(r, p, samlRole)
}

func newSAML() *SAML { return NewSAML(new(clock).Now, "https://inn.example.com/saml") }

func TestAssertions(t *testing.T) {
	p, v := newIDP(t, rsaKey()), newSAML()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newIDP(t, other)
	set := func(name string, values ...string) func(*message) {
		return func(m *message) {
			m.attributes = without(m.attributes, name)
			if len(values) > 0 {
				m.attributes[name] = values
			}
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*message)
		fault  Fault
		says   string // "": it is accepted
	}{
		{"a-signed-assertion", nil, 0, ""},
		{"a-signed-response", func(m *message) { m.signAssertion, m.signResponse = false, true }, 0, ""},
		{"both-are-signed", func(m *message) { m.signResponse = true }, 0, ""},
		{"nothing-is-signed", func(m *message) { m.signAssertion = false }, Invalid, "Response signature invalid"},
		{"signed-by-a-stranger", func(m *message) { m.signer = stranger }, Invalid, "Response signature invalid"},
		{"the-response-by-a-stranger-the-assertion-by-us", func(m *message) {
			m.mangle = func(s string) string { return stranger.sign(t, s) }
		}, Invalid, "Response signature invalid"},
		{"changed-after-signing", func(m *message) {
			m.mangle = func(s string) string { return strings.Replace(s, "ann@example.com", "bob@example.com", 1) }
		}, Invalid, "Response signature invalid"},
		{"authentication-failed", func(m *message) { m.status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, Rejected, "The identity provider reported that authentication failed"},
		{"another-issuer", func(m *message) { m.issuer = "https://other.example" }, Invalid, "Issuer not present in specified provider"},
		{"our-own-endpoint", func(m *message) {
			m.recipient, m.destination, m.audiences = "https://inn.example.com/saml", "https://inn.example.com/saml", []string{"https://inn.example.com/saml"}
		}, 0, ""},
		{"a-regional-endpoint", func(m *message) { m.recipient = "https://eu-west-1.signin.aws.amazon.com/saml" }, 0, ""},
		{"the-endpoint-as-audience", func(m *message) { m.audiences = []string{"https://signin.aws.amazon.com/saml"} }, 0, ""},
		{"another-audience", func(m *message) { m.audiences = []string{"https://other.example"} }, Invalid, "Response does not contain the required audience (it is for https://other.example)"},
		{"no-audience", func(m *message) { m.audiences = nil }, Invalid, "Response does not contain the required audience"},
		{"two-restrictions-of-which-one-is-ours", func(m *message) { m.audiences = append(m.audiences, "https://other.example") }, Invalid, "Response does not contain the required audience"},
		{"another-recipient", func(m *message) { m.recipient = "https://evil.example/saml" }, Invalid, "The SAML assertion is addressed to another recipient"},
		{"a-recipient-that-looks-like-ours", func(m *message) { m.recipient = "https://evil-signin.aws.amazon.com/saml" }, Invalid, "The SAML assertion is addressed"},
		{"a-recipient-without-tls", func(m *message) { m.recipient = "http://signin.aws.amazon.com/saml" }, Invalid, "The SAML assertion is addressed"},
		{"another-destination", func(m *message) { m.destination = "https://evil.example/saml" }, Invalid, "The SAML response has another destination"},
		{"not-for-a-bearer", func(m *message) { m.method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key" }, Invalid, "The SAML assertion must have one SubjectConfirmation"},
		{"no-subject", func(m *message) { m.name = "" }, Invalid, "The SAML assertion has no Subject with a NameID"},
		{"four-minutes-old", func(m *message) { m.issued = stamp(-4 * time.Minute) }, 0, ""},
		{"five-minutes-old", func(m *message) { m.issued = stamp(-5 * time.Minute) }, Expired, "Token must be redeemed within 5 minutes of issuance"},
		{"issued-in-the-future", func(m *message) { m.issued = stamp(6 * time.Minute) }, Invalid, "The SAML assertion is issued in the future"},
		{"no-time-of-issue", func(m *message) { m.issued = "" }, Invalid, "The SAML assertion is issued in the future or"},
		{"not-yet-valid", func(m *message) { m.notBefore = stamp(6 * time.Minute) }, Invalid, "The SAML assertion is not valid yet"},
		{"conditions-over", func(m *message) { m.notOnOrAfter = stamp(0) }, Expired, "The SAML assertion expired"},
		{"confirmation-over", func(m *message) { m.until = stamp(0) }, Expired, "The SAML assertion could be sent until"},
		{"confirmation-without-end", func(m *message) { m.until = "" }, Expired, "The SAML assertion could be sent until"},
		{"another-role", set(attrRole, strings.Replace(samlRole, "app", "admin", 1)+","+samlARN), Invalid, "The Role attribute of the SAML assertion does not name the role"},
		{"the-role-with-another-provider", set(attrRole, samlRole+","+samlARN+"2"), Invalid, "The Role attribute"},
		{"one-role-of-several-and-the-provider-first", set(attrRole, "x,y", samlARN+", "+samlRole), 0, ""},
		{"no-role", set(attrRole), Invalid, "The Role attribute"},
		{"no-session-name", set(attrName), Invalid, "RoleSessionName is required in AuthnResponse"},
		{"two-session-names", set(attrName, "ann", "bob"), Invalid, "RoleSessionName is required in AuthnResponse"},
		{"a-session-name-with-a-space", set(attrName, "ann smith"), Invalid, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"},
		{"a-session-name-of-one-letter", set(attrName, "a"), Invalid, "RoleSessionName in AuthnResponse must match"},
		{"a-short-duration", set(attrDuration, "899"), Invalid, "SessionDuration in AuthnResponse must be"},
		{"a-duration-in-words", set(attrDuration, "long"), Invalid, "SessionDuration in AuthnResponse must be"},
		{"the-session-at-the-provider-is-over", func(m *message) { m.sessionUntil = stamp(0) }, Expired, "The session at the identity provider ended"},
		{"a-bad-source-identity", set(attrSource, "aws:x"), Invalid, "Source Identity must match"},
		{"two-source-identities", set(attrSource, "aa", "bb"), Invalid, "Source Identity must match"},
		{"a-tag-with-two-values", set(attrTag+"a", "1", "2"), Invalid, "The session tag a must have one value"},
		{"a-transitive-key-without-its-tag", set(attrTrans, "a"), Invalid, "The transitive tag key a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := checkSAML(v, p.respond(t, tt.change), p.registered(t))
			if tt.says == "" {
				if err != nil || id == nil {
					t.Errorf("Verify = %v, %v, want it accepted", id, err)
				}
				return
			}
			refused(t, "Verify", err, tt.fault, tt.says)
			if id != nil {
				t.Errorf("a refused response has an identity: %+v", id)
			}
		})
	}
	expiredProvider := p.registered(t)
	expiredProvider.ValidUntil = now
	_, err = checkSAML(v, p.respond(t, nil), expiredProvider)
	refused(t, "a provider whose metadata has expired", err, Invalid, "The metadata of the provider expired")
	two := p.registered(t)
	two.Metadata.Certificates = slices.Insert(two.Metadata.Certificates, 0, stranger.registered(t).Metadata.Certificates...)
	if _, err := checkSAML(v, p.respond(t, nil), two); err != nil {
		t.Errorf("signed with the second of two certificates = %v, want it accepted", err)
	}
}

func TestWhatAnAssertionSays(t *testing.T) {
	p, v := newIDP(t, rsaKey()), newSAML()
	id, err := checkSAML(v, p.respond(t, func(m *message) {
		maps.Copy(m.attributes, map[string][]string{
			attrTag + "team": {"blue"}, attrTag + "cost": {"7"}, attrTrans: {"team"}, attrSource: {"ann"}, attrDuration: {"1800"},
			"urn:oid:1.3.6.1.4.1.5923.1.1.1.1": {"staff", "faculty"}, "urn:oid:2.5.4.3": {"Ann"},
			"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": {"ann@example.com"},
			"https://other.example/attribute":                                    {"x"},
		})
		m.sessionUntil = stamp(time.Hour)
	}), p.registered(t))
	if err != nil {
		t.Fatal(err)
	}
	wantKeys := map[string]string{
		"saml:aud": "https://signin.aws.amazon.com/saml", "saml:iss": entityID, "saml:sub": "ann@example.com", "saml:sub_type": "persistent",
		"saml:namequalifier": "P9LLD7nY4s53qfxY1kqlfihLnvo=", "saml:doc": "111122223333/Corp", "saml:mail": "ann@example.com",
	}
	if !maps.Equal(id.Keys, wantKeys) {
		t.Errorf("Keys = %v\nwant %v", id.Keys, wantKeys)
	}
	if want := map[string][]string{"saml:eduPersonAffiliation": {"staff", "faculty"}, "saml:cn": {"Ann"}}; !reflect.DeepEqual(id.Lists, want) {
		t.Errorf("Lists = %v, want %v", id.Lists, want)
	}
	if want := []session.Tag{{Key: "cost", Value: "7"}, {Key: "team", Value: "blue"}}; !slices.Equal(id.Tags, want) || !slices.Equal(id.Transitive, []string{"team"}) {
		t.Errorf("Tags = %v, transitive %v, want %v, team", id.Tags, id.Transitive, want)
	}
	if id.SourceIdentity != "ann" || id.SessionName != "ann" || id.MaxSeconds != 1800 || id.Subject != "ann@example.com" {
		t.Errorf("Identity = %+v", id)
	}
	id, err = checkSAML(v, p.respond(t, func(m *message) { m.sessionUntil = stamp(20 * time.Minute) }), p.registered(t))
	if err != nil || id.MaxSeconds != 1200 {
		t.Errorf("MaxSeconds = %+v, %v, want what is left of the provider's session, 1200", id, err)
	}
}

func TestEncryptedAssertions(t *testing.T) {
	p, v := newIDP(t, rsaKey()), newSAML()
	ours, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := p.registered(t)
	with.Keys, with.Encrypted = []*rsa.PrivateKey{rsaKey(), ours}, true
	for _, cbc := range []bool{false, true} {
		for _, response := range []bool{false, true} {
			text := p.respond(t, func(m *message) {
				m.encrypt, m.cbc, m.signResponse, m.signAssertion = &ours.PublicKey, cbc, response, !response
			})
			if _, err := checkSAML(v, text, with); err != nil {
				t.Errorf("cbc %v, response signed %v: Verify = %v, want it accepted", cbc, response, err)
			}
			_, err := checkSAML(v, text, p.registered(t))
			refused(t, "without a private key", err, Invalid, "Response signature invalid")
		}
	}
	_, err = checkSAML(v, p.respond(t, nil), with)
	refused(t, "a plain assertion where encryption is required", err, Invalid, "The provider takes encrypted assertions only")
	_, err = checkSAML(v, p.respond(t, func(m *message) { m.encrypt, m.signAssertion = &ours.PublicKey, false }), with)
	refused(t, "an encrypted assertion that nobody signed", err, Invalid, "Response signature invalid")
	_, err = checkSAML(v, p.respond(t, func(m *message) {
		m.encrypt = &ours.PublicKey
		m.mangle = func(s string) string {
			return strings.Replace(s, oaepMGF1P, "http://www.w3.org/2001/04/xmlenc#rsa-1_5", 1)
		}
	}), with)
	refused(t, "the padding of PKCS #1 v1.5", err, Invalid, "Response signature invalid")
	for _, cut := range []int{1, 16, 32, 400} {
		_, err := checkSAML(v, p.respond(t, func(m *message) {
			m.encrypt, m.cbc = &ours.PublicKey, true
			m.mangle = func(s string) string {
				end := strings.LastIndex(s, "</xenc:CipherValue>")
				start := strings.LastIndex(s, "<xenc:CipherValue>") + len("<xenc:CipherValue>")
				raw, _ := base64.StdEncoding.DecodeString(s[start:end])
				return s[:start] + base64.StdEncoding.EncodeToString(raw[:len(raw)-cut]) + s[end:]
			}
		}), with)
		refused(t, fmt.Sprintf("%d bytes less", cut), err, Invalid, "Response signature invalid")
	}
}

// TestWrapping: documents in which a valid signature covers something else than
// what a careless reader would take.
func TestWrapping(t *testing.T) {
	p, v := newIDP(t, rsaKey()), newSAML()
	evil := func(m message, id string) string {
		m.id, m.name = id, "root@example.com"
		return m.assertion()
	}
	signed := func(s string) (before, assertion, after string) {
		i, j := strings.Index(s, "<saml:Assertion"), strings.Index(s, "</saml:Assertion>")+len("</saml:Assertion>")
		return s[:i], s[i:j], s[j:]
	}
	signature := func(a string) (without, sig string) {
		i, j := strings.Index(a, "<ds:Signature "), strings.Index(a, "</ds:Signature>")+len("</ds:Signature>")
		return a[:i] + a[j:], a[i:j]
	}
	for name, mangle := range map[string]func(string) string{
		"an-unsigned-assertion-before-the-signed-one": func(s string) string {
			b, a, e := signed(s)
			return b + evil(good(), "_x") + a + e
		},
		"an-unsigned-assertion-after-the-signed-one": func(s string) string {
			b, a, e := signed(s)
			return b + a + evil(good(), "_x") + e
		},
		"the-same-id-twice": func(s string) string {
			b, a, e := signed(s)
			return b + evil(good(), "_a1") + a + e
		},
		"the-signed-one-within-the-signature-of-the-other": func(s string) string {
			b, a, e := signed(s)
			plain, sig := signature(a)
			x := evil(good(), "_x")
			sig = strings.Replace(sig, "</ds:Signature>", "<ds:Object>"+plain+"</ds:Object></ds:Signature>", 1)
			return b + strings.Replace(x, "</saml:Issuer>", "</saml:Issuer>"+sig, 1) + e
		},
		"the-signed-one-within-extensions": func(s string) string {
			b, a, e := signed(s)
			return b + "<samlp:Extensions>" + a + "</samlp:Extensions>" + evil(good(), "_x") + e
		},
		"the-signature-refers-to-a-sibling": func(s string) string {
			b, a, e := signed(s)
			plain, sig := signature(a)
			x := strings.Replace(evil(good(), "_x"), "</saml:Issuer>", "</saml:Issuer>"+sig, 1)
			return b + x + plain + e
		},
		"a-prefixed-id": func(s string) string {
			b, a, e := signed(s)
			_, sig := signature(a)
			x := strings.Replace(evil(good(), "_x"), "</saml:Issuer>", "</saml:Issuer>"+sig, 1)
			return b + strings.Replace(x, ` ID="_x"`, ` saml:ID="_a1" ID="_x"`, 1) + e
		},
		"a-comment-in-the-name":    func(s string) string { return strings.Replace(s, "ann@example", "ann<!-- -->@example", 1) },
		"a-processing-instruction": func(s string) string { return strings.Replace(s, "ann@example", "ann<?x?>@example", 1) },
		"a-document-type":          func(s string) string { return `<!DOCTYPE x [<!ENTITY a "b">]>` + s },
		"an-entity":                func(s string) string { return strings.Replace(s, "ann@example", "&a;ann@example", 1) },
		"an-attribute-twice":       func(s string) string { return strings.Replace(s, ` ID="_a1"`, ` ID="_a1" ID="_a1"`, 1) },
		"an-empty-reference":       func(s string) string { return strings.Replace(s, `URI="#_a1"`, `URI=""`, 1) },
		"two-references": func(s string) string {
			i, j := strings.Index(s, "<ds:Reference"), strings.Index(s, "</ds:Reference>")+len("</ds:Reference>")
			return s[:j] + s[i:j] + s[j:]
		},
		"another-transform": func(s string) string {
			return strings.Replace(s, "http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116", 1)
		},
		"hmac": func(s string) string {
			return strings.Replace(s, dsig.RSASHA256SignatureMethod, "http://www.w3.org/2000/09/xmldsig#hmac-sha1", 1)
		},
		"a-namespace-of-its-own": func(s string) string { return strings.Replace(s, nsProtocol, "urn:x", 1) },
		"a-second-document":      func(s string) string { return s + s },
		"not-xml":                func(s string) string { return "hello" },
		"deep":                   func(s string) string { return strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) },
		"a-byte-order-mark":      func(s string) string { return "\ufeff" + s },
		"not-utf-8":              func(s string) string { return strings.Replace(s, "ann@example", "\xff@example", 1) },
	} {
		for _, whole := range []bool{false, true} {
			id, err := checkSAML(v, p.respond(t, func(m *message) { m.signResponse, m.signAssertion, m.mangle = whole, true, mangle }), p.registered(t))
			if err == nil || id != nil {
				t.Errorf("%s, response signed %v: Verify = %+v, want it refused", name, whole, id)
			}
		}
	}
	sha1 := p.respond(t, func(m *message) {
		m.signAssertion = false
		m.mangle = func(s string) string { return p.signWith(t, s, dsig.RSASHA1SignatureMethod) }
	})
	_, err := checkSAML(v, sha1, p.registered(t))
	refused(t, "SHA-1", err, Invalid, "Your request included an invalid SAML response")
	for _, text := range []string{"", "!", strings.Repeat("A", MaxAssertion+4)} {
		if id, err := checkSAML(v, text, p.registered(t)); err == nil || id != nil {
			t.Errorf("Verify(%.10q…) = %v, want it refused", text, id)
		}
	}
}

func TestExplainSAMLTellsEverything(t *testing.T) {
	p, v := newIDP(t, rsaKey()), newSAML()
	text := p.respond(t, func(m *message) {
		m.audiences, m.recipient, m.issued = []string{"https://other.example"}, "https://other.example", stamp(-time.Hour)
		m.attributes = without(m.attributes, attrName)
	})
	r, err := ParseResponse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Provider(samlRole); got != samlARN {
		t.Errorf("Provider(%s) = %q, want %s", samlRole, got, samlARN)
	}
	list, id, err := v.Explain(r, p.registered(t), samlRole)
	refused(t, "Explain", err, Expired, "Token must be redeemed")
	var failed []string
	for _, s := range list {
		if !s.Passed {
			failed = append(failed, s.Check)
		}
	}
	if want := []string{"issued", "audience", "recipient", "session name"}; !slices.Equal(failed, want) || id != nil || len(list) != 13 {
		t.Errorf("Explain = %d checks of which %v failed, want 13 and %v", len(list), failed, want)
	}
}

func TestMetadata(t *testing.T) {
	p := newIDP(t, rsaKey())
	m, err := ParseMetadata(p.metadata(`validUntil="2027-01-01T00:00:00Z"`))
	if err != nil || m.EntityID != entityID || len(m.Certificates) != 1 || !m.ValidUntil.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("ParseMetadata = %+v, %v", m, err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseMetadata(newIDP(t, short).metadata("")); err != nil {
		t.Errorf("a key of 1024 bits = %v, want it taken", err)
	}
	text := p.metadata("")
	if _, err := ParseMetadata(text + "\r\n\n"); err != nil {
		t.Errorf("metadata from a file that ends in a line end = %v, want them taken", err)
	}
	for name, bad := range map[string]string{
		"empty":                "",
		"not-xml":              "hello",
		"another-document":     `<a/>`,
		"another-namespace":    strings.Replace(text, nsMetadata, "urn:x", 1),
		"no-entity-id":         strings.Replace(text, "entityID", "x", 1),
		"no-idp":               strings.ReplaceAll(text, "IDPSSODescriptor", "SPSSODescriptor"),
		"encryption-only":      strings.Replace(text, `use="signing"`, `use="encryption"`, 1),
		"no-key-info":          strings.ReplaceAll(text, "ds:KeyInfo", "ds:Other"),
		"a-broken-certificate": strings.Replace(text, "MII", "AII", 1),
		"bad-base64":           strings.Replace(text, "MII", "!II", 1),
		"a-bad-time":           p.metadata(`validUntil="tomorrow"`),
		"a-document-type":      `<!DOCTYPE x>` + text,
		"a-byte-order-mark":    "\ufeff" + text,
		"an-attribute-twice":   p.metadata(`entityID="x"`),
		"two-documents":        text + "\n" + text,
	} {
		if m, err := ParseMetadata(bad); err == nil {
			t.Errorf("%s: ParseMetadata = %+v, want an error", name, m)
		}
	}
}

func FuzzParseResponse(f *testing.F) {
	p, v := newIDP(f, rsaKey()), newSAML()
	registered := p.registered(f)
	f.Add([]byte("<a/>"))
	for _, whole := range []bool{true, false} {
		text, err := base64.StdEncoding.DecodeString(p.respond(f, func(m *message) { m.signResponse, m.signAssertion = whole, !whole }))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseResponse(base64.StdEncoding.EncodeToString(text))
		if err != nil {
			return
		}
		r.Provider(samlRole)
		id, err := v.Verify(r, registered, samlRole)
		if (id == nil) == (err == nil) {
			t.Errorf("Verify(%q) = %v, %v", text, id, err)
		}
		if id != nil && (id.Subject != "ann@example.com" || id.SessionName != "ann") {
			t.Errorf("Verify(%q) = %+v, which nobody signed", text, id)
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	f.Add(newIDP(f, rsaKey()).metadata(`validUntil="2027-01-01T00:00:00Z"`))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMetadata(text)
		if err == nil && (m.EntityID == "" || len(m.Certificates) == 0) {
			t.Errorf("ParseMetadata(%q) = %+v", text, m)
		}
	})
}
