// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	// authorityName is the sealed value of the store that holds the authority: its
	// certificate and its key, in PEM.
	authorityName = "gateway-authority"

	// serverName is the name in the certificate of every server: what a gateway has
	// to know is that the authority of its store certified it, not where it is.
	serverName = "server.innkeeper.internal"

	authorityYears = 20
	serverDays     = 30
	backdated      = time.Hour // for clocks that are behind

	blockCert = "CERTIFICATE"
	blockKey  = "PRIVATE KEY"
)

// An authority signs certificates of servers and gateways. It is immutable.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// openAuthority returns the authority of a store, and makes it when there is none.
func openAuthority(ctx context.Context, s *store.Store, now time.Time) (*authority, error) {
	made, err := newAuthority(now)
	if err != nil {
		return nil, err
	}
	text, err := s.PutSystem(ctx, authorityName, made)
	if err != nil {
		return nil, err
	}
	certs, key, err := parsePEM(text)
	if err != nil || len(certs) != 1 {
		return nil, fmt.Errorf("the authority for gateways in the store is damaged: %w", err)
	}
	return &authority{certs[0], key}, nil
}

// newAuthority returns the certificate and the key of a new authority, in PEM.
func newAuthority(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "innkeeper gateways"},
		NotBefore: now.Add(-backdated), NotAfter: now.AddDate(authorityYears, 0, 0),
		IsCA: true, MaxPathLenZero: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return formatPEM(key, der)
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// certify returns a certificate for a public key.
func (a *authority) certify(public crypto.PublicKey, name string, use x509.ExtKeyUsage, from, until time.Time) (*x509.Certificate, error) {
	c := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: from.Add(-backdated), NotAfter: until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use},
	}
	if use == x509.ExtKeyUsageServerAuth {
		c.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, public, a.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// A serverCert is the certificate of a server, made anew before it ends. Its key
// is kept nowhere.
type serverCert struct {
	authority *authority
	now       func() time.Time

	mu   sync.Mutex // guards below
	cert *tls.Certificate
}

func (s *serverCert) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.cert != nil && now.Before(s.cert.Leaf.NotAfter.AddDate(0, 0, -serverDays/3)) {
		return s.cert, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert, err := s.authority.certify(key.Public(), serverName, x509.ExtKeyUsageServerAuth, now, now.AddDate(0, 0, serverDays))
	if err != nil {
		return nil, err
	}
	s.cert = &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
	return s.cert, nil
}

// formatPEM returns a key and certificates in PEM.
func formatPEM(key crypto.Signer, certs ...[]byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der})
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: blockCert, Bytes: c})...)
	}
	return text, nil
}

// parsePEM reads what formatPEM made.
func parsePEM(text []byte) (certs []*x509.Certificate, key crypto.Signer, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case blockCert:
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, err
			}
			certs = append(certs, c)
		case blockKey:
			any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, nil, err
			}
			signer, ok := any.(crypto.Signer)
			if !ok || key != nil {
				return nil, nil, errors.New("not one private key that signs")
			}
			key = signer
		default:
			return nil, nil, fmt.Errorf("a PEM block %q", block.Type)
		}
	}
	if key == nil || len(certs) == 0 {
		return nil, nil, errors.New("want a private key and certificates in PEM")
	}
	return certs, key, nil
}
