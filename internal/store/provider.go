// SPDX-License-Identifier: Apache-2.0

package store

import (
	"iter"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// An OIDCProvider is an OpenID Connect issuer whose tokens roles may trust.
type OIDCProvider struct {
	URL         string    `json:"url"` // the issuer's, without "https://"; as typed, unique without regard to letter case
	Created     time.Time `json:"created"`
	ClientIDs   []string  `json:"clientIds,omitempty"`   // the audiences that tokens may have, in order of adding
	Thumbprints []string  `json:"thumbprints,omitempty"` // SHA-1 of certificates, 40 hexadecimal digits each, in lower case
	Tags        []Tag     `json:"tags,omitempty"`
}

// A SAMLProvider is a SAML 2.0 identity provider whose assertions roles may trust.
type SAMLProvider struct {
	Name       string    `json:"name"` // as typed; unique without regard to letter case
	ID         string    `json:"id"`   // a UUID
	Created    time.Time `json:"created"`
	ValidUntil time.Time `json:"validUntil"`          // when the metadata ends
	Metadata   string    `json:"metadata"`            // the document, byte for byte
	Encrypted  bool      `json:"encrypted,omitempty"` // plain assertions are refused
	Keys       []SAMLKey `json:"keys,omitempty"`      // that open encrypted assertions, in order of adding
	Tags       []Tag     `json:"tags,omitempty"`
}

// A SAMLKey is a private key of ours for which an identity provider encrypts;
// it is sealed under the master key.
type SAMLKey struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Sealed  []byte    `json:"sealed"`
}

// OIDCProvider returns the OpenID Connect provider of that URL, without
// "https://" and whatever its letter case.
func (v *View) OIDCProvider(url string) (*OIDCProvider, error) {
	return lookup(v.s.oidc, KindOIDC, url)
}

// SAMLProvider returns the SAML provider of that name.
func (v *View) SAMLProvider(name string) (*SAMLProvider, error) {
	return lookup(v.s.saml, KindSAML, name)
}

// OIDCProviders lists the OpenID Connect providers after a URL.
func (v *View) OIDCProviders(after string) iter.Seq[*OIDCProvider] { return list(v.s.oidc, after) }

// SAMLProviders lists the SAML providers after a name.
func (v *View) SAMLProviders(after string) iter.Seq[*SAMLProvider] { return list(v.s.saml, after) }

// OIDCProviderARN returns the ARN of an OpenID Connect provider of this account.
func (v *View) OIDCProviderARN(p *OIDCProvider) string {
	return arnOf(v.s.id, string(arn.KindOIDCProvider), "/", p.URL)
}

// SAMLProviderARN returns the ARN of a SAML provider of this account.
func (v *View) SAMLProviderARN(p *SAMLProvider) string {
	return arnOf(v.s.id, string(arn.KindSAMLProvider), "/", p.Name)
}

// NewSAMLKey returns a new private key of a SAML provider, to be appended to
// SAMLProvider.Keys. plain is the key in PEM.
func (s *Store) NewSAMLKey(account string, plain []byte) SAMLKey {
	id := strings.ToUpper(strings.ReplaceAll(s.ids.RequestID(), "-", "")) // AWS's have 22 to 64 of [A-Z0-9]
	return SAMLKey{ID: id, Created: stamp(s.now()), Sealed: s.keeper.Seal(plain, samlKeyContext(account, id))}
}

// OpenSAMLKey returns the private key in PEM. The error wraps those of package
// seal.
func (s *Store) OpenSAMLKey(account string, k *SAMLKey) ([]byte, error) {
	return s.keeper.Unseal(k.Sealed, samlKeyContext(account, k.ID))
}

func samlKeyContext(account, id string) []byte { return []byte("samlkey/" + account + "/" + id) }

// checkIssuer refuses what the URL of an issuer, without "https://", cannot
// contain, so that no URL can be mistaken for another part of a key.
func checkIssuer(url string) error {
	if url == "" || len(url) > 255 || strings.HasPrefix(url, "/") {
		return invalid("issuer %.260q", url)
	}
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c > '~' || strings.IndexByte(`?#*"\<>^{|}`+"`", c) >= 0 {
			return invalid("issuer %q", url)
		}
	}
	return nil
}
