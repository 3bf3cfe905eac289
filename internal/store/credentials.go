// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
)

// PasswordRules are what an account asks of its users' passwords (API reference
// of UpdateAccountPasswordPolicy).
type PasswordRules struct {
	MinLength  int   `json:"minLength"`
	Symbols    bool  `json:"symbols,omitempty"` // at least one is needed, as of the next three
	Numbers    bool  `json:"numbers,omitempty"`
	Uppercase  bool  `json:"uppercase,omitempty"`
	Lowercase  bool  `json:"lowercase,omitempty"`
	MayChange  bool  `json:"mayChange,omitempty"`  // every user may change its own password
	MaxAge     int   `json:"maxAge,omitempty"`     // days; 0: passwords do not expire
	Reuse      int   `json:"reuse,omitempty"`      // how many passwords, the present one included, may not be used again
	HardExpiry *bool `json:"hardExpiry,omitempty"` // who has an expired password cannot sign in to change it; nil: not said, which is false
}

// Expires returns when a password is too old, the zero time for never. rules may
// be nil.
func (l *LoginProfile) Expires(rules *PasswordRules) time.Time {
	if rules == nil || rules.MaxAge == 0 {
		return time.Time{}
	}
	return l.LastSet().AddDate(0, 0, rules.MaxAge)
}

// LastSet returns when the password was set.
func (l *LoginProfile) LastSet() time.Time {
	if l.Changed.IsZero() {
		return l.Created
	}
	return l.Changed
}

// An SSHKey is a user's public key for services that speak SSH.
type SSHKey struct {
	ID          string    `json:"id"`   // APKA…
	Body        string    `json:"body"` // as it was uploaded
	Fingerprint string    `json:"fingerprint"`
	Inactive    bool      `json:"inactive,omitempty"`
	Uploaded    time.Time `json:"uploaded"`
}

// A SigningCert is an X.509 certificate of a user or the root user.
type SigningCert struct {
	ID       string    `json:"id"`
	Body     string    `json:"body"`   // PEM
	Digest   []byte    `json:"digest"` // SHA-256 of the certificate
	Inactive bool      `json:"inactive,omitempty"`
	Uploaded time.Time `json:"uploaded"`
}

// A ServiceCredential is a user's credential for one service that knows no
// access keys. Its secret is known to its owner only.
type ServiceCredential struct {
	ID       string    `json:"id"`      // ACCA…
	Service  string    `json:"service"` // codecommit.amazonaws.com
	Name     string    `json:"name"`    // by which its owner signs in: user name or alias
	Digest   []byte    `json:"digest"`  // SHA-256 of the secret, which is long and random
	Inactive bool      `json:"inactive,omitempty"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
}

// SetSecret makes secret the credential's only one.
func (c *ServiceCredential) SetSecret(secret string) {
	sum := sha256.Sum256([]byte(secret))
	c.Digest = sum[:]
}

// Matches reports whether secret is the credential's, in constant time.
func (c *ServiceCredential) Matches(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(sum[:], c.Digest) == 1
}

// A ServerCertificate is a certificate for TLS servers. Its private key is not
// kept.
type ServerCertificate struct {
	Name     string    `json:"name"`
	Path     string    `json:"path"`
	ID       string    `json:"id"` // ASCA…
	Uploaded time.Time `json:"uploaded"`
	Expires  time.Time `json:"expires"`
	Body     string    `json:"body"`            // PEM
	Chain    string    `json:"chain,omitempty"` // PEM of those that signed it
	Tags     []Tag     `json:"tags,omitempty"`
}

func (c *ServerCertificate) clone() *ServerCertificate {
	d := *c
	d.Tags = slices.Clone(c.Tags)
	return &d
}

// NewSSHKey returns an SSH key of an account with a new id, not stored yet.
func (s *Store) NewSSHKey(account, body, fingerprint string) SSHKey {
	return SSHKey{ID: s.ids.Unique(ids.SSHKey, account), Body: body, Fingerprint: fingerprint, Uploaded: stamp(s.now())}
}

// NewSigningCert returns a signing certificate with a new id, not stored yet.
func (s *Store) NewSigningCert(body string, digest []byte) SigningCert {
	return SigningCert{ID: s.ids.CertificateID(), Body: body, Digest: digest, Uploaded: stamp(s.now())}
}

// NewServiceCredential returns a credential of an account for a service, with a
// new id but without name and secret, and not stored yet.
func (s *Store) NewServiceCredential(account, service string) ServiceCredential {
	return ServiceCredential{ID: s.ids.Unique(ids.ServiceCred, account), Service: service, Created: stamp(s.now())}
}

// NewServiceSecret returns 32 random bytes.
func (s *Store) NewServiceSecret() []byte { return s.ids.Bytes(32) }
