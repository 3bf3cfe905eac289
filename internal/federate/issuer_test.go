// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// now is when the tests are.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A clock stands still until it is moved.
type clock struct{ offset atomic.Int64 }

func (c *clock) Now() time.Time          { return now.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// loopback is where the issuers of the tests are.
var loopback = Networks{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// rsaKey is made once: making one takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// An issuer is an OpenID Connect provider on loopback.
type issuer struct {
	*httptest.Server
	url string // without "https://"

	mu     sync.Mutex
	keys   map[string]crypto.Signer                          // by id, as published
	counts map[string]int                                    // of requests by path
	answer func(w http.ResponseWriter, r *http.Request) bool // nil, or takes the place of the answer if it returns true
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{keys: map[string]crypto.Signer{"one": rsaKey()}, counts: make(map[string]int)}
	i.Server = httptest.NewUnstartedServer(http.HandlerFunc(i.serve))
	i.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that go away are what the tests are about
	i.StartTLS()
	t.Cleanup(i.Close)
	i.url = strings.TrimPrefix(i.URL, "https://")
	return i
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.counts[r.URL.Path]++
	answer := i.answer
	i.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	case "/keys":
		i.mu.Lock()
		defer i.mu.Unlock()
		var set jose.JSONWebKeySet
		for id, k := range i.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{KeyID: id, Key: k.Public(), Use: "sig"})
		}
		json.NewEncoder(w).Encode(set)
	default:
		http.NotFound(w, r)
	}
}

func (i *issuer) set(answer func(w http.ResponseWriter, r *http.Request) bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

// rotate publishes one new key in place of all others.
func (i *issuer) rotate(t testing.TB, id string) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = map[string]crypto.Signer{id: k}
}

func (i *issuer) count(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.counts[path]
}

// claims are those of a good token, with changes: a nil value removes one.
func (i *issuer) claims(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": i.URL, "aud": "sts.amazonaws.com", "sub": "repo:acme/app:ref:refs/heads/main",
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	for name, v := range changes {
		if v == nil {
			delete(c, name)
		} else {
			c[name] = v
		}
	}
	return c
}

// sign makes a token with one of the keys; "" leaves its id out of the token.
func sign(t testing.TB, key any, id string, alg jose.SignatureAlgorithm, claims any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	opts := new(jose.SignerOptions).WithType("JWT")
	if id != "" {
		opts = opts.WithHeader("kid", id)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opts)
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

// token makes a good token with changes.
func (i *issuer) token(t testing.TB, changes map[string]any) string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	for id, k := range i.keys {
		alg := jose.RS256
		if _, ok := k.(*ecdsa.PrivateKey); ok {
			alg = jose.ES256
		}
		return sign(t, k, id, alg, i.claims(changes))
	}
	t.Fatal("the issuer has no key")
	return ""
}

// registered is the issuer as an account has registered it.
func (i *issuer) registered() *Issuer {
	return &Issuer{URL: i.url, ClientIDs: []string{"sts.amazonaws.com", "app"}, Thumbprints: []string{Thumbprint(i.Certificate())}}
}
