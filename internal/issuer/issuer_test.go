// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	account = "111122223333"
	other   = "444455556666"
	origin  = "https://inn.example.com"
	day     = 24 * time.Hour
)

// A site is a store with two accounts, and their Registry with a clock that stands
// still.
type site struct {
	*issuer.Registry
	t      *testing.T
	db     kv.DB
	store  *store.Store
	keeper *seal.Keeper
	now    time.Time
}

func open(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var err error
	if s.db, err = boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true}); err != nil {
		t.Fatal(err)
	}
	if s.keeper, err = seal.Create(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	if s.store, err = store.Open(t.Context(), store.Options{DB: s.db, Keeper: s.keeper}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.store.Close(), s.db.Close()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	for _, id := range []string{account, other} {
		if _, err := s.store.CreateAccount(t.Context(), store.Account{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	s.Registry = s.registry(origin)
	return s
}

// registry returns a Registry of the site's store that has opened no key yet.
func (s *site) registry(url string) *issuer.Registry {
	return issuer.New(issuer.Options{Store: s.store, Keeper: s.keeper, IDs: new(ids.Source), Now: func() time.Time { return s.now }, URL: url})
}

func (s *site) view(id string) *store.View {
	s.t.Helper()
	v, err := s.store.View(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *site) enable(id string) string {
	s.t.Helper()
	url, err := s.Enable(s.t.Context(), id)
	if err != nil {
		s.t.Fatalf("Enable(%s) = %v", id, err)
	}
	return url
}

// sign signs a payload and returns the id of the key that did.
func (s *site) sign(id, algorithm string) (token, kid string) {
	s.t.Helper()
	token, err := s.Sign(s.t.Context(), s.view(id), algorithm, []byte(`{"a":"b"}`))
	if err != nil {
		s.t.Fatalf("Sign(%s, %s) = %v", id, algorithm, err)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES384})
	if err != nil {
		s.t.Fatal(err)
	}
	return token, signed.Signatures[0].Header.KeyID
}

func (s *site) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// keys returns what an issuer publishes.
func (s *site) keys(url string) jose.JSONWebKeySet {
	s.t.Helper()
	w := s.get(strings.TrimPrefix(url, origin) + "/.well-known/jwks.json")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil {
		s.t.Fatalf("the key set %s: %v", w.Body, err)
	}
	return set
}

func kids(set jose.JSONWebKeySet) string {
	var list []string
	for _, k := range set.Keys {
		list = append(list, k.KeyID)
	}
	return strings.Join(list, " ")
}

// verifies reports whether a token is good by a key set.
func verifies(token string, set jose.JSONWebKeySet) bool {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES384})
	if err != nil {
		return false
	}
	payload, err := signed.Verify(set)
	return err == nil && string(payload) == `{"a":"b"}`
}

func TestEnabling(t *testing.T) {
	s := open(t)
	if _, err := s.Issuer(s.view(account)); !errors.Is(err, issuer.ErrDisabled) {
		t.Errorf("Issuer = %v before the account is one, want ErrDisabled", err)
	}
	if err := s.Disable(t.Context(), account); !errors.Is(err, issuer.ErrDisabled) {
		t.Errorf("Disable = %v, want ErrDisabled", err)
	}
	if _, err := s.Sign(t.Context(), s.view(account), issuer.RS256, nil); !errors.Is(err, issuer.ErrDisabled) {
		t.Errorf("Sign = %v, want ErrDisabled", err)
	}
	url := s.enable(account)
	if got, err := s.Issuer(s.view(account)); got != url || err != nil || !strings.HasPrefix(url, origin+"/issuer/") {
		t.Errorf("Issuer = %q, %v, want %q", got, err, url)
	}
	if _, err := s.Enable(t.Context(), account); !errors.Is(err, issuer.ErrEnabled) {
		t.Errorf("Enable = %v, want ErrEnabled", err)
	}
	if mine, theirs := url, s.enable(other); mine == theirs {
		t.Errorf("two accounts are one issuer, %s", mine)
	}
	if _, err := s.Enable(t.Context(), "777788889999"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Enable = %v for no account, want ErrNotFound", err)
	}
}

// An issuer that is switched off goes on publishing its keys, and is the same one
// when it is switched on again.
func TestDisablingKeepsTheIssuer(t *testing.T) {
	s := open(t)
	url := s.enable(account)
	token, _ := s.sign(account, issuer.ES384)
	if err := s.Disable(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(t.Context(), s.view(account), issuer.ES384, nil); !errors.Is(err, issuer.ErrDisabled) {
		t.Errorf("Sign = %v, want ErrDisabled", err)
	}
	if !verifies(token, s.keys(url)) {
		t.Error("a token from before is not good any more")
	}
	if again := s.enable(account); again != url {
		t.Errorf("Enable = %s the second time, want %s", again, url)
	}
	if !verifies(token, s.keys(url)) {
		t.Error("a token from before is not good any more")
	}
}

func TestNoURL(t *testing.T) {
	s := open(t)
	if _, err := s.registry("").Enable(t.Context(), account); !errors.Is(err, issuer.ErrNoURL) {
		t.Errorf("Enable = %v, want ErrNoURL", err)
	}
	s.enable(account)
	if _, err := s.registry("").Issuer(s.view(account)); !errors.Is(err, issuer.ErrNoURL) {
		t.Errorf("Issuer = %v, want ErrNoURL", err)
	}
}

func TestSigning(t *testing.T) {
	s := open(t)
	url := s.enable(account)
	set := s.keys(url)
	for algorithm, kid := range map[string]string{issuer.RS256: "RSA_0", issuer.ES384: "EC384_0"} {
		token, got := s.sign(account, algorithm)
		if got != kid || !verifies(token, set) {
			t.Errorf("Sign(%s): key %s, good %t, want %s", algorithm, got, verifies(token, set), kid)
		}
		// The keys come out of the store again, where they are sealed.
		if again, err := s.registry(origin).Sign(t.Context(), s.view(account), algorithm, []byte(`{"a":"b"}`)); err != nil || !verifies(again, set) {
			t.Errorf("Sign(%s) with a key from the store = %v", algorithm, err)
		}
		if verifies(token, s.keys(s.enableOnce(other))) {
			t.Errorf("a token of one account is good by another's keys")
		}
	}
	if rsaKey, ok := set.Keys[0].Key.(*rsa.PublicKey); !ok || rsaKey.N.BitLen() != 2048 {
		t.Errorf("the first key is %T", set.Keys[0].Key)
	}
	if ecKey, ok := set.Keys[1].Key.(*ecdsa.PublicKey); !ok || ecKey.Curve.Params().Name != "P-384" {
		t.Errorf("the second key is %T", set.Keys[1].Key)
	}
}

func (s *site) enableOnce(id string) string {
	if url, err := s.Issuer(s.view(id)); err == nil {
		return url
	}
	return s.enable(id)
}

// quirk Q081: keys sign for 90 days; their successors are published a day before
// they sign, and they themselves until the last of their tokens has expired.
func TestRotation(t *testing.T) {
	s := open(t)
	url := s.enable(account)
	start := s.now
	var last string
	for _, step := range []struct {
		at        time.Duration
		kid       string // that signs
		published string // after that
	}{
		{0, "RSA_0", "RSA_0 EC384_0"},
		{90*day - time.Second, "RSA_0", "RSA_0 EC384_0"},
		{90 * day, "RSA_0", "RSA_0 EC384_0 RSA_1 EC384_1"},
		{91*day - time.Second, "RSA_0", "RSA_0 EC384_0 RSA_1 EC384_1"},
		{91 * day, "RSA_1", "RSA_0 EC384_0 RSA_1 EC384_1"},
		{91*day + 2*time.Hour - time.Second, "RSA_1", "RSA_0 EC384_0 RSA_1 EC384_1"},
		{91*day + 2*time.Hour, "RSA_1", "RSA_1 EC384_1"},
		{181 * day, "RSA_1", "RSA_1 EC384_1 RSA_2 EC384_2"},
		{400 * day, "RSA_2", "RSA_2 EC384_2 RSA_3 EC384_3"}, // after a long silence
		{401 * day, "RSA_3", "RSA_2 EC384_2 RSA_3 EC384_3"},
	} {
		s.now = start.Add(step.at)
		if before := s.keys(url); last != "" && step.kid == last && !strings.Contains(kids(before), last) {
			t.Errorf("after %v: %s signs and is not published", step.at, last)
		}
		token, kid := s.sign(account, issuer.RS256)
		if got := kids(s.keys(url)); kid != step.kid || got != step.published {
			t.Errorf("after %v: %s signs, of %s; want %s of %s", step.at, kid, got, step.kid, step.published)
		}
		if !verifies(token, s.keys(url)) {
			t.Errorf("after %v: the token is not good", step.at)
		}
		last = kid
	}
}

// Many requests that find a key of age make one successor, and all are answered.
func TestConcurrentRotation(t *testing.T) {
	s := open(t)
	url := s.enable(account)
	s.now = s.now.Add(100 * day)
	var done sync.WaitGroup
	for range 16 {
		done.Go(func() {
			if _, err := s.Sign(t.Context(), s.view(account), issuer.ES384, []byte("{}")); err != nil {
				t.Errorf("Sign = %v", err)
			}
		})
	}
	done.Wait()
	if got, want := kids(s.keys(url)), "RSA_0 EC384_0 RSA_1 EC384_1"; got != want {
		t.Errorf("published = %s, want %s", got, want)
	}
}

func TestConcurrentEnabling(t *testing.T) {
	s := open(t)
	var urls sync.Map
	var done sync.WaitGroup
	for i := range 4 {
		done.Go(func() {
			if url, err := s.Enable(t.Context(), account); err == nil {
				urls.Store(i, url)
			} else if !errors.Is(err, issuer.ErrEnabled) {
				t.Errorf("Enable = %v", err)
			}
		})
	}
	done.Wait()
	n := 0
	urls.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 4 enabled it, want 1", n)
	}
}

// What is in the database has no private key in it that is not sealed for its
// account and place.
func TestKeysAreSealed(t *testing.T) {
	s := open(t)
	s.enable(account)
	s.enable(other)
	mine, ok := s.view(account).Annex(store.AnnexIssuer).Row("self")
	if !ok {
		t.Fatal("there is no row self")
	}
	var rec struct {
		Keys []struct{ RSA, EC struct{ Sealed []byte } }
	}
	if err := json.Unmarshal(mine.Value, &rec); err != nil || len(rec.Keys) != 1 {
		t.Fatalf("the row has %d generations, %v", len(rec.Keys), err)
	}
	for _, sealed := range [][]byte{rec.Keys[0].RSA.Sealed, rec.Keys[0].EC.Sealed} {
		if len(sealed) < 100 || bytes.HasPrefix(sealed, []byte{0x30, 0x82}) {
			t.Errorf("a key of %d bytes is not sealed", len(sealed))
		}
		if _, err := s.keeper.Unseal(sealed, nil); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("Unseal = %v without the key's place, want ErrTampered", err)
		}
	}
	// A row that was moved to another account is worth nothing there.
	err := s.store.Update(t.Context(), other, func(tx *store.Tx) error {
		tx.PutAnnexed(store.AnnexIssuer, "self", mine.Value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.registry(origin).Sign(t.Context(), s.view(other), issuer.RS256, nil); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("Sign = %v with the keys of another account, want ErrTampered", err)
	}
}

func TestRecordsOfANewerVersion(t *testing.T) {
	for name, value := range map[string]string{"self": `{"keys":[]}`, "more": `{}`} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.enable(account)
			err := s.store.Update(t.Context(), account, func(tx *store.Tx) error {
				tx.PutAnnexed(store.AnnexIssuer, name, []byte(value))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Sign(t.Context(), s.view(account), issuer.RS256, nil); !errors.Is(err, store.ErrFormat) {
				t.Errorf("Sign = %v, want ErrFormat", err)
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	s := open(t)
	url := s.enable(account)
	path := strings.TrimPrefix(url, origin)
	w := s.get(path + "/.well-known/openid-configuration")
	want := `{"issuer":"` + url + `","jwks_uri":"` + url + `/.well-known/jwks.json","response_types_supported":["id_token"],` +
		`"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256","ES384"],` +
		`"claims_supported":["sub","iss","aud","exp","iat","jti","https://sts.amazonaws.com/"]}`
	if w.Code != 200 || w.Body.String() != want {
		t.Errorf("the discovery document = %d %s, want %s", w.Code, w.Body, want)
	}
	for _, name := range []string{"openid-configuration", "jwks.json"} {
		h := s.get(path + "/.well-known/" + name).Header()
		if h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "public, max-age=3600" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers of %s = %v", name, h)
		}
	}
	set := s.get(path + "/.well-known/jwks.json").Body.String()
	for _, member := range []string{`"kty":"RSA"`, `"alg":"RS256"`, `"use":"sig"`, `"e":"AQAB"`, `"crv":"P-384"`, `"alg":"ES384"`} {
		if !strings.Contains(set, member) {
			t.Errorf("the key set %s has no %s", set, member)
		}
	}
	if strings.Contains(set, `"d":`) || strings.Contains(set, `"p":`) {
		t.Errorf("the key set has a private key: %s", set)
	}
}

func TestNothingIsThere(t *testing.T) {
	s := open(t)
	path := strings.TrimPrefix(s.enable(account), origin)
	stranger := strings.ToLower(new(ids.Source).Unique(ids.TokenIssuer, account))
	missing := []string{
		"/issuer/", "/issuer/x/.well-known/jwks.json", "/issuer/" + stranger + "/.well-known/jwks.json",
		"/issuer/" + strings.ToLower(new(ids.Source).Unique(ids.TokenIssuer, other)) + "/.well-known/jwks.json",
		"/issuer/" + strings.ToLower(new(ids.Source).Unique(ids.TokenIssuer, "777788889999")) + "/.well-known/jwks.json",
		path, path + "/", path + "/.well-known", path + "/.well-known/jwks.json/", path + "/x/.well-known/jwks.json",
		strings.ToUpper(path) + "/.well-known/jwks.json",
	}
	bodies := make(map[string]bool)
	for _, p := range missing {
		w := s.get(p)
		if w.Code != 404 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s = %d %v, want 404", p, w.Code, w.Header())
		}
		bodies[w.Body.String()] = true
	}
	if len(bodies) != 1 {
		t.Errorf("what is missing is told apart: %v", bodies)
	}
}

// A closed account is nobody's issuer.
func TestClosedAccount(t *testing.T) {
	s := open(t)
	path := strings.TrimPrefix(s.enable(account), origin)
	err := s.store.Update(t.Context(), account, func(tx *store.Tx) error { tx.Close(); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if w := s.get(path + "/.well-known/jwks.json"); w.Code != 404 {
		t.Errorf("GET = %d, want 404", w.Code)
	}
}

func TestServes(t *testing.T) {
	for path, want := range map[string]bool{"/issuer/x": true, "/issuer": false, "/": false, "/issuers/x": false, "": false} {
		if got := issuer.Serves(path); got != want {
			t.Errorf("Serves(%q) = %t, want %t", path, got, want)
		}
	}
}
