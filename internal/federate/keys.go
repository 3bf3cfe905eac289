// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	freshFor   = time.Hour        // keys are fetched anew after that
	staleFor   = 6 * time.Hour    // keys serve that long after they were fetched while their issuer is out of reach
	retryAfter = 10 * time.Second // between two attempts to fetch the keys of one issuer, whatever asks for it
	maxIssuers = 4096             // issuers whose keys are kept
	maxKeys    = 100              // RSA keys of one issuer, and EC keys (API reference of AssumeRoleWithWebIdentity)
	minRSA     = 2048             // bits (RFC 7518, section 3.3)
)

// errKeyCount says that an issuer has more keys than AWS takes.
var errKeyCount = fmt.Errorf("the key set holds more than %d RSA or %[1]d EC keys", maxKeys)

// An OIDC verifies tokens of OpenID Connect issuers, whose keys it fetches and
// keeps. It is safe for concurrent use.
type OIDC struct {
	now      func() time.Time
	networks Networks
	roots    *x509.CertPool
	timeout  time.Duration

	mu      sync.Mutex             // guards below; never held while fetching
	issuers map[string]*issuerKeys // by URL and thumbprints, on which the trust in what was fetched rests
}

// OIDCOptions are what an OIDC needs. The zero value is right for issuers in the
// public internet.
type OIDCOptions struct {
	Now      func() time.Time // nil: time.Now
	Networks Networks         // where issuers may be besides the public internet
	Roots    *x509.CertPool   // who may sign the issuers' certificates; nil: the system's roots
}

// NewOIDC returns an OIDC that has fetched nothing yet.
func NewOIDC(opts OIDCOptions) *OIDC {
	o := &OIDC{now: opts.Now, networks: opts.Networks, roots: opts.Roots, timeout: fetchTimeout, issuers: make(map[string]*issuerKeys)}
	if o.now == nil {
		o.now = time.Now
	}
	return o
}

// An issuerKeys is the keys of one issuer.
type issuerKeys struct {
	turn chan struct{} // holds an element while someone reads or fetches; guards below

	keys    []jose.JSONWebKey
	fetched time.Time // when keys was
	tried   time.Time // when fetching was last begun
	failed  error     // why it failed then; nil if it did not
}

// has reports whether a key of that id is there, any key for "".
func (k *issuerKeys) has(id string) bool {
	return slices.ContainsFunc(k.keys, func(key jose.JSONWebKey) bool { return id == "" || key.KeyID == id })
}

// keys returns the keys of an issuer, among them the one with the id if it has
// one. It fetches them when they are not fresh or lack that one, but not more
// often than retryAfter allows. Keys that are not fresh serve while the issuer
// cannot be reached.
func (o *OIDC) keys(ctx context.Context, p *Issuer, id string) ([]jose.JSONWebKey, error) {
	k := o.issuer(p)
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	now := o.now()
	if age := now.Sub(k.fetched); age < freshFor && k.has(id) {
		return k.keys, nil
	}
	if now.Sub(k.tried) >= retryAfter {
		k.tried = now
		// Others wait for the outcome: it must not end with who happened to ask first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.timeout)
		defer cancel()
		keys, err := o.fetch(ctx, p)
		if k.failed = err; err == nil {
			k.keys, k.fetched = keys, now
		}
	}
	if k.failed != nil && (now.Sub(k.fetched) >= staleFor || !k.has(id)) {
		return nil, k.failed
	}
	return k.keys, nil
}

func (o *OIDC) issuer(p *Issuer) *issuerKeys {
	name := p.URL + "\n" + strings.Join(p.Thumbprints, "\n")
	o.mu.Lock()
	defer o.mu.Unlock()
	k := o.issuers[name]
	if k == nil {
		for old := range o.issuers { // in no order
			if len(o.issuers) < maxIssuers {
				break
			}
			delete(o.issuers, old)
		}
		k = &issuerKeys{turn: make(chan struct{}, 1)}
		o.issuers[name] = k
	}
	return k
}

// fetch fetches the keys of an issuer as OpenID Connect Discovery 1.0 has it.
func (o *OIDC) fetch(ctx context.Context, p *Issuer) ([]jose.JSONWebKey, error) {
	at := strings.TrimSuffix(p.issuer(), "/") + "/.well-known/openid-configuration"
	body, err := o.get(ctx, at, p.Thumbprints)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("%s is not a discovery document: %w", at, err)
	}
	if doc.Issuer != p.issuer() {
		return nil, fmt.Errorf("%s is of the issuer %q, not of %q", at, clip(doc.Issuer), p.issuer())
	}
	if doc.Keys == "" {
		return nil, fmt.Errorf("%s has no jwks_uri", at)
	}
	body, err = o.get(ctx, doc.Keys, p.Thumbprints)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", clip(doc.Keys), err)
	}
	return keys, nil
}

// parseKeys reads a JSON Web Key Set and returns its RSA and EC keys for
// signatures. Others are passed over: a set may hold kinds that nobody knew when
// this was written.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("not a JSON Web Key Set: %w", err)
	}
	if len(set.Keys) > 10*maxKeys {
		return nil, errKeyCount
	}
	var keys []jose.JSONWebKey
	rsas, ecs := 0, 0
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || key.Use != "" && key.Use != "sig" {
			continue
		}
		switch k := key.Key.(type) {
		case *rsa.PublicKey:
			if k.N.BitLen() < minRSA {
				continue
			}
			rsas++
		case *ecdsa.PublicKey:
			ecs++
		default:
			continue
		}
		keys = append(keys, key)
	}
	if rsas > maxKeys || ecs > maxKeys {
		return nil, errKeyCount
	}
	return keys, nil
}

// fetchFault turns the reason why keys could not be fetched into a refusal.
// Clients repeat requests that are refused as unreachable, so that this is kept
// for what may pass: time-outs, refused connections, overloaded servers.
func fetchFault(err error) error {
	const noKey = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
	if errors.Is(err, errThumbprint) {
		return &RefusedError{Text: "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint", Cause: err}
	}
	e := &RefusedError{Text: noKey, Cause: err}
	if status, ok := errors.AsType[*statusError](err); ok {
		if status.code >= 500 || status.code == 429 {
			e.Fault = Unreachable
		}
	} else if _, ok := errors.AsType[*net.OpError](err); ok && !errors.Is(err, errAddress) || errors.Is(err, context.DeadlineExceeded) {
		e.Fault = Unreachable
	}
	if e.Fault == Unreachable {
		e.Text = "The identity provider could not be reached"
	}
	return e
}

// An Issuer is an OpenID Connect provider as it is registered.
type Issuer struct {
	URL         string   // without "https://"
	ClientIDs   []string // the audiences that tokens may have
	Thumbprints []string // of certificates that may have signed the issuer's, in lower case
}

func (p *Issuer) issuer() string { return "https://" + p.URL }

// hostPort returns where an issuer, given by its URL without "https://", is.
func hostPort(issuer string) (host, port string) {
	u, err := url.Parse("https://" + issuer)
	if err != nil {
		return issuer, "443"
	}
	if port = u.Port(); port == "" {
		port = "443"
	}
	return u.Hostname(), port
}
