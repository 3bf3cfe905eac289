// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// MaxToken is the most characters that a token may have (API reference of
// AssumeRoleWithWebIdentity, WebIdentityToken).
const MaxToken = 20_000

// skew is how far an issuer's clock may be ahead of ours. An expired token is
// expired at once.
const skew = 5 * time.Minute

// algorithms are the signatures that are accepted (IAM User Guide, "Create an
// OpenID Connect identity provider in IAM").
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}

// A Token is a token that was read and not yet verified: nothing in it is true
// until Verify says so.
type Token struct {
	Issuer string // its iss

	signed *jose.JSONWebSignature
	claims claims
}

// ParseToken reads a JSON Web Token in the compact form. The error is a
// *RefusedError.
func ParseToken(text string) (*Token, error) {
	const notOne = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
	if len(text) > MaxToken {
		return nil, refuse("The token is longer than %d characters.", MaxToken)
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if e, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return nil, refuse("The token is signed with %s: only RS256, RS384, RS512, ES256, ES384 and ES512 are accepted.", clip(string(e.Got)))
	}
	if err != nil {
		return nil, &RefusedError{Text: notOne, Cause: err}
	}
	t := &Token{signed: signed}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &t.claims); err != nil || t.claims == nil {
		return nil, &RefusedError{Text: notOne, Cause: err}
	}
	if t.Issuer, err = t.claims.text("iss"); err != nil {
		return nil, err
	}
	return t, nil
}

// Verify verifies a token for a provider and returns what it says. The error is
// a *RefusedError, or that of ctx.
func (o *OIDC) Verify(ctx context.Context, t *Token, p *Issuer) (*Identity, error) {
	var s steps
	id := o.verify(ctx, t, p, &s)
	return id, s.first
}

// Explain is Verify that makes every check, whatever the others found, and tells
// of each.
func (o *OIDC) Explain(ctx context.Context, t *Token, p *Issuer) ([]Step, *Identity, error) {
	s := steps{all: true}
	id := o.verify(ctx, t, p, &s)
	return s.list, id, s.first
}

// verify returns the identity if every check passed, else nil. Times come before
// the signature, so that a token that cannot be good costs nothing; all else that
// a forged token could ask about comes after it.
func (o *OIDC) verify(ctx context.Context, t *Token, p *Issuer, s *steps) *Identity {
	var issuer error
	if t.Issuer != p.issuer() {
		issuer = refuse("The issuer of the token, %s, is not that of the provider, %s", clip(t.Issuer), p.issuer())
	}
	if !s.check("issuer", issuer, "The token is of "+clip(t.Issuer)+".") || !o.times(t.claims, s) {
		return nil
	}
	keys, err := o.keys(ctx, p, t.signed.Signatures[0].Header.KeyID)
	if err != nil && ctx.Err() == nil {
		err = fetchFault(err)
	}
	if !s.check("keys", err, fmt.Sprintf("The issuer publishes %d keys for signatures.", len(keys))) {
		return nil
	}
	if err == nil && !s.check("signature", t.signature(keys), t.signedWith()) {
		return nil
	}
	id := &Identity{Issuer: t.Issuer}
	id.Audience, err = t.claims.audience(p.ClientIDs)
	if !s.check("audience", err, "The audience "+clip(id.Audience)+" is registered with the provider.") {
		return nil
	}
	if id.Subject, err = t.claims.text("sub"); !s.check("subject", err, "The subject is "+clip(id.Subject)+".") {
		return nil
	}
	if err = t.claims.session(id); !s.check("session tags", err, describeTags(id)) {
		return nil
	}
	t.claims.keys(id, p.URL)
	if s.first != nil {
		return nil
	}
	return id
}

// Claimed returns what the token says for a provider, though nobody verified it:
// only for telling what it would be worth.
func (t *Token) Claimed(p *Issuer) *Identity {
	id := &Identity{Issuer: t.Issuer}
	// What is missing stays empty.
	id.Audience, _ = t.claims.audience(p.ClientIDs)
	id.Subject, _ = t.claims.text("sub")
	if t.claims.session(id) != nil {
		id.Tags, id.Transitive, id.SourceIdentity = nil, nil, ""
	}
	t.claims.keys(id, p.URL)
	return id
}

func describeTags(id *Identity) string {
	text := fmt.Sprintf("The token asks for %d session tags", len(id.Tags))
	if id.SourceIdentity != "" {
		text += " and the source identity " + id.SourceIdentity
	}
	return text + "."
}

// times checks exp, nbf and iat.
func (o *OIDC) times(c claims, s *steps) bool {
	now := o.now()
	exp, err := c.time("exp")
	if err == nil && !now.Before(exp) {
		err = expired("Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), exp.Unix())
	}
	if !s.check("expiry", err, "The token expires at "+show(exp)+".") {
		return false
	}
	iat, err := c.time("iat")
	if err == nil && iat.After(now.Add(skew)) {
		err = refuse("The token is issued in the future: current date/time %d, issued at %d", now.Unix(), iat.Unix())
	}
	if !s.check("issued", err, "The token was issued at "+show(iat)+".") {
		return false
	}
	if _, ok := c["nbf"]; !ok {
		return true
	}
	nbf, err := c.time("nbf")
	if err == nil && nbf.After(now.Add(skew)) {
		err = refuse("The token is not valid yet: current date/time %d, not before %d", now.Unix(), nbf.Unix())
	}
	return s.check("not before", err, "The token is valid since "+show(nbf)+".")
}

func show(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// signature verifies the signature with the keys that may have made it: those
// with the token's key id, or all of the right kind if it has none.
func (t *Token) signature(keys []jose.JSONWebKey) error {
	header := t.signed.Signatures[0].Header
	found := false
	for i := range keys {
		k := &keys[i]
		if header.KeyID != "" && k.KeyID != header.KeyID || k.Algorithm != "" && k.Algorithm != header.Algorithm || !fits(k.Key, header.Algorithm) {
			continue
		}
		found = true
		if _, err := t.signed.Verify(k.Key); err == nil {
			return nil
		}
	}
	if !found {
		return fetchFault(fmt.Errorf("the issuer has no %s key with the id %q", clip(header.Algorithm), clip(header.KeyID)))
	}
	return refuse("The signature of the token is not valid.")
}

func (t *Token) signedWith() string {
	h := t.signed.Signatures[0].Header
	if h.KeyID == "" {
		return "The signature, " + h.Algorithm + " without a key id, is valid."
	}
	return "The signature, " + h.Algorithm + " with the key " + clip(h.KeyID) + ", is valid."
}

// fits reports whether a key is of the kind that an algorithm takes.
func fits(key any, algorithm string) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS")
	case *ecdsa.PublicKey:
		return strings.HasPrefix(algorithm, "ES")
	}
	return false
}

// audience returns the audience of the token for which it is accepted: its azp
// if it has one, else the first of its aud that the provider has registered.
// With an error it returns the first one, if any, that was not accepted.
//
// quirk Q040: azp takes the place of aud, as AWS documents for Google.
func (c claims) audience(registered []string) (string, error) {
	auds, err := c.strings("aud")
	if err != nil {
		return "", err
	}
	if _, ok := c["azp"]; ok {
		azp, err := c.text("azp")
		if err != nil {
			return "", err
		}
		auds = []string{azp}
	}
	for _, aud := range auds {
		if slices.Contains(registered, aud) {
			return aud, nil
		}
	}
	return auds[0], refuse("Incorrect token audience (the token is for %s)", clip(strings.Join(auds, ", ")))
}
