// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// What an issuer publishes, below its URL (API reference of
// EnableOutboundWebIdentityFederation; OpenID Connect Discovery 1.0, section 4).
const (
	discoveryPath = ".well-known/openid-configuration"
	keysPath      = ".well-known/jwks.json"
)

// keptFor is how long others may keep what an issuer publishes. It is less than
// announced, so that nobody misses a new key.
const keptFor = time.Hour

// Serves reports whether a path is one of an issuer's.
func Serves(path string) bool { return strings.HasPrefix(path, pathPrefix) }

// ServeHTTP answers for what issuers publish, to anybody: there are no secrets in
// it. Who asks for an issuer that does not exist learns nothing else.
func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	body, err := r.document(q.Context(), q.URL.Path)
	switch {
	case errors.Is(err, store.ErrNotFound):
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "not found", http.StatusNotFound)
		return
	case err != nil:
		r.o.Log.Error("an issuer's document could not be served", "path", q.URL.Path, "error", err)
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "service unavailable", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(keptFor/time.Second)))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // net/http leaves it out of the answer to HEAD
}

// document returns what is published at a path. The error wraps store.ErrNotFound
// if that is nothing.
func (r *Registry) document(ctx context.Context, path string) ([]byte, error) {
	id, name, _ := strings.Cut(strings.TrimPrefix(path, pathPrefix), "/")
	nothing := fmt.Errorf("issuer: nothing at %.200q: %w", path, store.ErrNotFound)
	account, ok := ids.Account(strings.ToUpper(id))
	if !ok {
		return nil, nothing
	}
	v, err := r.o.Store.View(ctx, account)
	if err != nil {
		return nil, err
	}
	s, err := of(v)
	switch {
	case err != nil:
		return nil, err
	case s == nil, s.ID != id, v.Account().Closed(), r.o.URL == "":
		return nil, nothing
	case name == discoveryPath:
		return json.Marshal(r.discovery(&s.record))
	case name == keysPath:
		return s.keySet(r.stamp())
	}
	return nil, nothing
}

// A discovery is what AWS's issuers publish about themselves.
type discovery struct {
	Issuer     string   `json:"issuer"`
	Keys       string   `json:"jwks_uri"`
	Responses  []string `json:"response_types_supported"`
	Subjects   []string `json:"subject_types_supported"`
	Algorithms []string `json:"id_token_signing_alg_values_supported"`
	Claims     []string `json:"claims_supported"`
}

func (r *Registry) discovery(rec *record) discovery {
	url := r.url(rec)
	return discovery{
		Issuer: url, Keys: url + "/" + keysPath,
		Responses: []string{"id_token"}, Subjects: []string{"public"}, Algorithms: []string{RS256, ES384},
		Claims: []string{"sub", "iss", "aud", "exp", "iat", "jti", "https://sts.amazonaws.com/"},
	}
}

// keySet returns the JSON Web Key Set of the keys whose tokens are or will be good.
func (s *state) keySet(now time.Time) ([]byte, error) {
	var set jose.JSONWebKeySet
	for _, g := range s.published(now) {
		for _, k := range []struct {
			key
			algorithm string
		}{{g.RSA, RS256}, {g.EC, ES384}} {
			public, err := x509.ParsePKIXPublicKey(k.Public)
			if err != nil {
				return nil, fmt.Errorf("issuer: key %s: %w", k.ID, err)
			}
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: public, KeyID: k.ID, Algorithm: k.algorithm, Use: "sig"})
		}
	}
	return json.Marshal(set)
}
