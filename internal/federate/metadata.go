// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"
)

// A Metadata is what a SAML identity provider says about itself.
type Metadata struct {
	EntityID     string
	ValidUntil   time.Time           // zero: for ever
	Certificates []*x509.Certificate // any of which may have signed
}

// minSAML is the least size of an RSA key in metadata, in bits (IAM User Guide,
// "Troubleshoot SAML federation").
const minSAML = 1024

// ParseMetadata reads the metadata document of a SAML 2.0 identity provider
// (SAML 2.0 Metadata, section 2).
func ParseMetadata(text string) (*Metadata, error) {
	root, err := parseXML(text, false)
	if err != nil {
		return nil, err
	}
	if !is(root, nsMetadata, "EntityDescriptor") {
		return nil, errors.New("the document is no EntityDescriptor")
	}
	m := &Metadata{EntityID: attr(root, "entityID")}
	if m.EntityID == "" {
		return nil, errors.New("the EntityDescriptor has no entityID")
	}
	roles := children(root, nsMetadata, "IDPSSODescriptor")
	if len(roles) == 0 {
		return nil, errors.New("the EntityDescriptor has no IDPSSODescriptor")
	}
	for _, e := range append(roles, root) {
		if err := m.until(attr(e, "validUntil")); err != nil {
			return nil, err
		}
	}
	for _, role := range roles {
		for _, key := range children(role, nsMetadata, "KeyDescriptor") {
			if use := attr(key, "use"); use == "" || use == "signing" {
				if err := m.certificates(key); err != nil {
					return nil, err
				}
			}
		}
	}
	if len(m.Certificates) == 0 {
		return nil, errors.New("the IDPSSODescriptor has no certificate for signing")
	}
	return m, nil
}

// until lowers ValidUntil; "" leaves it.
func (m *Metadata) until(s string) error {
	if s == "" {
		return nil
	}
	t := moment(s)
	if t.IsZero() {
		return fmt.Errorf("validUntil %q is no time", clip(s))
	}
	if m.ValidUntil.IsZero() || t.Before(m.ValidUntil) {
		m.ValidUntil = t
	}
	return nil
}

func (m *Metadata) certificates(key *etree.Element) error {
	info := child(key, nsSignature, "KeyInfo")
	if info == nil {
		return errors.New("a KeyDescriptor has no KeyInfo")
	}
	for _, data := range children(info, nsSignature, "X509Data") {
		for _, c := range children(data, nsSignature, "X509Certificate") {
			raw, err := decode64(content(c))
			if err != nil {
				return fmt.Errorf("a certificate is not in base64: %w", err)
			}
			cert, err := x509.ParseCertificate(raw)
			if err != nil {
				return fmt.Errorf("a certificate cannot be read: %w", err)
			}
			switch k := cert.PublicKey.(type) {
			case *rsa.PublicKey:
				if k.N.BitLen() < minSAML {
					return fmt.Errorf("a certificate has a key of %d bits: at least %d", k.N.BitLen(), minSAML)
				}
			case *ecdsa.PublicKey:
			default:
				return errors.New("a certificate has a key that is neither RSA nor ECDSA")
			}
			m.Certificates = append(m.Certificates, cert)
		}
	}
	return nil
}
