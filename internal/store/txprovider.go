// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// OIDCProvider returns the OpenID Connect provider of that URL.
func (tx *Tx) OIDCProvider(url string) (*OIDCProvider, error) {
	s, err := tx.oidc.find(url)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateOIDCProvider stores a new OpenID Connect provider, and fills Created.
func (tx *Tx) CreateOIDCProvider(p *OIDCProvider) error {
	s, err := tx.oidc.vacant(p.URL)
	if err != nil {
		return err
	}
	if err := tx.create(quota.OIDCProviders); err != nil {
		return err
	}
	p.Created = stamp(tx.a.s.now())
	if err := tx.checkOIDCProvider(new(OIDCProvider), p); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

// PutOIDCProvider replaces an OpenID Connect provider. Its URL and time of
// creation must be as they were.
func (tx *Tx) PutOIDCProvider(p *OIDCProvider) error {
	s, err := tx.oidc.find(p.URL)
	if err != nil {
		return err
	}
	if p.URL != s.now.URL || !p.Created.Equal(s.now.Created) {
		return invalid("OIDC provider %q: something changed that PutOIDCProvider does not change", p.URL)
	}
	if err := tx.checkOIDCProvider(s.now, p); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

func (tx *Tx) checkOIDCProvider(was, p *OIDCProvider) error {
	a := tx.account.now
	if err := a.within(quota.ClientIDs, len(was.ClientIDs), len(p.ClientIDs)); err != nil {
		return err
	}
	if err := a.within(quota.Thumbprints, len(was.Thumbprints), len(p.Thumbprints)); err != nil {
		return err
	}
	return a.within(quota.Tags, len(was.Tags), len(p.Tags))
}

// DeleteOIDCProvider deletes an OpenID Connect provider. Roles may go on naming
// it in vain, as in AWS.
func (tx *Tx) DeleteOIDCProvider(url string) error {
	s, err := tx.oidc.find(url)
	if err != nil {
		return err
	}
	s.set(nil)
	return nil
}

// SAMLProvider returns the SAML provider of that name.
func (tx *Tx) SAMLProvider(name string) (*SAMLProvider, error) {
	s, err := tx.saml.find(name)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateSAMLProvider stores a new SAML provider, and fills ID and Created.
func (tx *Tx) CreateSAMLProvider(p *SAMLProvider) error {
	s, err := tx.saml.vacant(p.Name)
	if err != nil {
		return err
	}
	if err := tx.create(quota.SAMLProviders); err != nil {
		return err
	}
	p.ID, p.Created = tx.a.s.ids.RequestID(), stamp(tx.a.s.now())
	if err := tx.checkSAMLProvider(new(SAMLProvider), p); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

// PutSAMLProvider replaces a SAML provider. Its name, id and time of creation
// must be as they were.
func (tx *Tx) PutSAMLProvider(p *SAMLProvider) error {
	s, err := tx.saml.find(p.Name)
	if err != nil {
		return err
	}
	if p.Name != s.now.Name || p.ID != s.now.ID || !p.Created.Equal(s.now.Created) {
		return invalid("SAML provider %q: something changed that PutSAMLProvider does not change", p.Name)
	}
	if err := tx.checkSAMLProvider(s.now, p); err != nil {
		return err
	}
	s.set(p.clone())
	return nil
}

func (tx *Tx) checkSAMLProvider(was, p *SAMLProvider) error {
	a := tx.account.now
	if err := a.within(quota.SAMLKeys, len(was.Keys), len(p.Keys)); err != nil {
		return err
	}
	return a.within(quota.Tags, len(was.Tags), len(p.Tags))
}

// DeleteSAMLProvider deletes a SAML provider. Roles may go on naming it in vain,
// as in AWS.
func (tx *Tx) DeleteSAMLProvider(name string) error {
	s, err := tx.saml.find(name)
	if err != nil {
		return err
	}
	s.set(nil)
	return nil
}

// The copies are deep, except for sealed keys, which nobody changes.

func (p *OIDCProvider) clone() *OIDCProvider {
	c := *p
	c.ClientIDs, c.Thumbprints, c.Tags = slices.Clone(p.ClientIDs), slices.Clone(p.Thumbprints), slices.Clone(p.Tags)
	return &c
}

func (p *SAMLProvider) clone() *SAMLProvider {
	c := *p
	c.Keys, c.Tags = slices.Clone(p.Keys), slices.Clone(p.Tags)
	return &c
}
