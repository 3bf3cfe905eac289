// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestAddresses(t *testing.T) {
	private := Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd00::1": true,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "192.168.0.1": false, "172.16.0.1": false, "fc00::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1%eth0": true, "100.64.0.1": false, "0.0.0.0": false, "::": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "192.0.2.1": false, "64:ff9b::a00:1": false, "2002:a00:1::1": false,
	} {
		if got := private.allows(netip.MustParseAddr(addr)); got != want {
			t.Errorf("allows(%s) = %v, want %v", addr, got, want)
		}
	}
}

// TestBrokenIssuers: what an issuer does wrong, and how the token is refused.
func TestBrokenIssuers(t *testing.T) {
	text := func(body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, body); return true }
	}
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/elsewhere", code) // a Location matters to redirects alone
			return true
		}
	}
	onKeys := func(answer func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool { return r.URL.Path == "/keys" && answer(w, r) }
	}
	const noKey, down = "Couldn't retrieve verification key from your identity provider,  please reference", "The identity provider could not be reached"
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request) bool
		fault  Fault
		says   string
		cause  string
	}{
		{"no-discovery-document", status(404), Invalid, noKey, "HTTP status 404"},
		{"forbidden", status(403), Invalid, noKey, "HTTP status 403"},
		{"out-of-order", status(500), Unreachable, down, "HTTP status 500"},
		{"overloaded", status(429), Unreachable, down, "HTTP status 429"},
		{"a-redirect", status(302), Invalid, noKey, "issuers must not redirect"},
		{"a-redirect-of-the-keys", onKeys(status(307)), Invalid, noKey, "issuers must not redirect"},
		{"a-page", text("<html>"), Invalid, noKey, "is not a discovery document"},
		{"another-issuers-document", text(`{"issuer":"https://other.example","jwks_uri":"https://other.example"}`), Invalid, noKey, `is of the issuer "https://other.example"`},
		{"an-empty-object", text("{}"), Invalid, noKey, "is of the issuer"},
		{"keys-are-a-page", onKeys(text("<html>")), Invalid, noKey, "not a JSON Web Key Set"},
		{"keys-of-another-form", onKeys(text(`{"keys":{}}`)), Invalid, noKey, "not a JSON Web Key Set"},
		{"no-keys", onKeys(text(`{"keys":[]}`)), Invalid, noKey, "the issuer has no RS256 key"},
		{"keys-that-are-no-keys", onKeys(text(`{"keys":[null,7,{"kty":"XYZ"},{"kty":"oct","k":"AAAA"},{"kty":"RSA","n":"AA","e":"AQAB"}]}`)), Invalid, noKey, "the issuer has no RS256 key"},
		{"huge-keys", onKeys(text(`{"keys":[` + strings.Repeat(" ", maxDocument) + `]}`)), Invalid, noKey, "is larger than"},
		{"endless-keys", onKeys(func(w http.ResponseWriter, _ *http.Request) bool {
			for range 64 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return true
				}
			}
			t.Error("64 MiB of keys were read")
			return true
		}), Invalid, noKey, "is larger than"},
		{"a-thousand-keys", onKeys(text(`{"keys":[` + strings.Repeat(`{},`, 1000) + `{}]}`)), Invalid, noKey, "more than 100"},
		{"huge-headers", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X", strings.Repeat("x", 2*maxHeader))
			return true
		}, Invalid, noKey, "header"},
		{"slow", func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }, Unreachable, down, "deadline exceeded"},
		{"slow-to-finish", func(w http.ResponseWriter, r *http.Request) bool {
			fmt.Fprint(w, "{")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}, Unreachable, down, "deadline exceeded"},
		{"cut-off", func(w http.ResponseWriter, _ *http.Request) bool { panic(http.ErrAbortHandler) }, Invalid, noKey, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, o := newIssuer(t), verifier(new(clock))
			o.timeout = 300 * time.Millisecond
			i.set(tt.answer)
			_, err := verify(t, o, i.token(t, nil), i.registered())
			refused(t, "Verify", err, tt.fault, tt.says)
			if !strings.Contains(fmt.Sprint(err), tt.cause) {
				t.Errorf("Verify = %v, want …%s…", err, tt.cause)
			}
			if e, _ := errors.AsType[*RefusedError](err); strings.Contains(e.Text, "127.0.0.1") {
				t.Errorf("the text for the caller tells about the network: %s", e.Text)
			}
		})
	}
}

func TestKeysElsewhere(t *testing.T) {
	keys := newIssuer(t)
	i := newIssuer(t)
	o := verifier(new(clock))
	for uri, says := range map[string]string{
		strings.Replace(keys.URL, "https", "http", 1) + "/keys": "is no https URL",
		"file:///etc/passwd":              "is no https URL",
		"https://user:pw@" + keys.url:     "is no https URL",
		"":                                "has no jwks_uri",
		keys.URL + "/keys":                "", // the same certificate, another port
		"https://169.254.169.254/latest/": "is an address outside of",
	} {
		i.set(func(w http.ResponseWriter, r *http.Request) bool {
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.URL, uri)
			return true
		})
		o.issuers = make(map[string]*issuerKeys)
		_, err := verify(t, o, i.token(t, nil), i.registered())
		if says == "" && err != nil || says != "" && !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("jwks_uri %q: Verify = %v, want %q", uri, err, says)
		}
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	i := newIssuer(t)
	o := NewOIDC(OIDCOptions{Now: new(clock).Now})
	_, err := verify(t, o, i.token(t, nil), i.registered())
	refused(t, "an issuer on loopback", err, Invalid, "Couldn't retrieve verification key")
	if !errors.Is(err, errAddress) || i.count("/keys") > 0 {
		t.Errorf("an issuer on loopback = %v, want errAddress and no request", err)
	}
	if _, err := o.TopThumbprint(t.Context(), i.url); !errors.Is(err, errAddress) {
		t.Errorf("TopThumbprint of an issuer on loopback = %v, want errAddress", err)
	}
	i.Close()
	_, err = verify(t, verifier(new(clock)), i.token(t, nil), i.registered())
	refused(t, "an issuer that does not run", err, Unreachable, "The identity provider could not be reached")
}

// chain makes a certificate for a host, an intermediate authority and a root.
func chain(t *testing.T, host string, until time.Time) (leaf tls.Certificate, root *x509.Certificate) {
	t.Helper()
	make := func(name string, parent *x509.Certificate, until time.Time, ca bool) *x509.Certificate {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
			IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if ip := net.ParseIP(host); !ca && ip != nil {
			c.IPAddresses = []net.IP{ip}
		} else if !ca {
			c.DNSNames = []string{host}
		}
		if parent == nil {
			parent = c
		}
		raw, err := x509.CreateCertificate(rand.Reader, c, parent, rsaKey().Public(), rsaKey())
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(raw); err != nil {
			t.Fatal(err)
		}
		return c
	}
	later := time.Now().Add(time.Hour)
	root = make("root", nil, later, true)
	middle := make("middle", root, later, true)
	end := make("end", middle, until, false)
	return tls.Certificate{Certificate: [][]byte{end.Raw, middle.Raw}, PrivateKey: rsaKey(), Leaf: end}, root
}

func TestThumbprints(t *testing.T) {
	later := time.Now().Add(time.Hour)
	good, root := chain(t, "127.0.0.1", later)
	elsewhere, _ := chain(t, "issuer.example", later)
	old, _ := chain(t, "127.0.0.1", time.Now().Add(-time.Hour))
	middle := func(c tls.Certificate) string {
		m, err := x509.ParseCertificate(c.Certificate[1])
		if err != nil {
			t.Fatal(err)
		}
		return Thumbprint(m)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	for _, tt := range []struct {
		name        string
		cert        tls.Certificate
		roots       *x509.CertPool
		thumbprints []string
		says        string
	}{
		{"a-trusted-root", good, roots, nil, ""},
		{"a-trusted-root-and-a-wrong-thumbprint", good, roots, []string{strings.Repeat("0", 40)}, ""},
		{"the-thumbprint-of-the-top-intermediate", good, nil, []string{middle(good)}, ""},
		{"the-thumbprint-of-the-certificate-itself", good, nil, []string{Thumbprint(good.Leaf)}, ""},
		{"the-thumbprint-of-a-root-that-is-not-sent", good, nil, []string{Thumbprint(root)}, "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"},
		{"no-thumbprint", good, nil, nil, "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"},
		{"another-host", elsewhere, nil, []string{middle(elsewhere)}, "Couldn't retrieve verification key"},
		{"expired", old, nil, []string{middle(old)}, "Couldn't retrieve verification key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := newIssuer(t)
			s := httptest.NewUnstartedServer(http.HandlerFunc(i.serve))
			s.Config.ErrorLog = i.Config.ErrorLog
			s.TLS = &tls.Config{Certificates: []tls.Certificate{tt.cert}}
			s.StartTLS()
			defer s.Close()
			i.URL, i.url = s.URL, strings.TrimPrefix(s.URL, "https://")
			o := NewOIDC(OIDCOptions{Now: new(clock).Now, Networks: loopback, Roots: tt.roots})
			p := i.registered()
			p.Thumbprints = tt.thumbprints
			_, err := verify(t, o, sign(t, rsaKey(), "one", jose.RS256, i.claims(nil)), p)
			if tt.says != "" {
				refused(t, "Verify", err, Invalid, tt.says)
			} else if err != nil {
				t.Errorf("Verify = %v, want it accepted", err)
			}
			if got, err := o.TopThumbprint(t.Context(), p.URL); err != nil || got != middle(tt.cert) {
				t.Errorf("TopThumbprint = %s, %v, want %s", got, err, middle(tt.cert))
			}
		})
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("")
	f.Add("a.b.c")
	i := newIssuer(f)
	f.Add(i.token(f, nil))
	f.Add(i.token(f, map[string]any{claimTag + "a": []string{"1"}, "aud": []string{"x", "app"}}))
	o, p := verifier(new(clock)), i.registered()
	stranger := &Issuer{URL: p.URL, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseToken(text)
		if err != nil {
			if _, ok := errors.AsType[*RefusedError](err); !ok {
				t.Errorf("ParseToken(%q) = %v, want a *RefusedError", text, err)
			}
			return
		}
		id, err := o.Verify(t.Context(), token, stranger)
		if (id == nil) == (err == nil) {
			t.Errorf("Verify(%q) = %v, %v", text, id, err)
		}
		if list, again, why := o.Explain(t.Context(), token, stranger); (again == nil) != (id == nil) || (why == nil) != (err == nil) || len(list) == 0 {
			t.Errorf("Explain(%q) = %v, %v, %v, Verify = %v", text, list, again, why, err)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AA","e":"AQAB","kid":"a"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Add([]byte(`{"keys":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := parseKeys(body)
		for _, k := range keys {
			if err != nil || !k.IsPublic() || !k.Valid() {
				t.Errorf("parseKeys(%q) = %v, %v", body, k, err)
			}
		}
	})
}
