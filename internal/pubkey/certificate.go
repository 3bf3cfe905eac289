// SPDX-License-Identifier: Apache-2.0

package pubkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrCertificate says that something is not one X.509 certificate in PEM, or
	// has a key that is not RSA or ECDSA, or of no usable size.
	ErrCertificate = errors.New("pubkey: not a usable PEM certificate")

	// ErrPrivateKey says that a private key is not one in PEM without encryption.
	ErrPrivateKey = errors.New("pubkey: not an unencrypted PEM private key")

	// ErrMismatch says that a private key is not that of the certificate.
	ErrMismatch = errors.New("pubkey: the private key is not the certificate's")

	// ErrTime says that a certificate is not valid yet, or no longer.
	ErrTime = errors.New("pubkey: the certificate is not valid at this time")
)

// A ChainError says that a chain does not begin with the certificate that signed
// the first one, or does not go on in order.
type ChainError struct {
	Index int // of the first that does not belong, from 0; -1: the chain cannot be read
	err   error
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("pubkey: the chain does not lead on from the certificate at %d: %v", e.Index, e.err)
}

func (e *ChainError) Unwrap() error { return e.err }

const (
	minCertBits = 1024
	maxChain    = 16      // certificates
	maxKeyBytes = 6 << 10 // of a private key in DER: enough for one of maxRSABits
)

// ParseCertificate reads one certificate in PEM. The error wraps ErrCertificate.
func ParseCertificate(body string) (*x509.Certificate, error) {
	certs, err := parseCertificates(body, 1)
	if err != nil {
		return nil, err
	}
	return certs[0], nil
}

// parseCertificates reads at least one and at most limit certificates, with
// nothing but white space between them.
func parseCertificates(body string, limit int) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := strings.TrimSpace(body); rest != ""; {
		if len(certs) == limit || !strings.HasPrefix(rest, "-----BEGIN CERTIFICATE-----") {
			return nil, ErrCertificate
		}
		block, after := pem.Decode([]byte(rest))
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, ErrCertificate
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
		}
		if !usable(cert.PublicKey) {
			return nil, fmt.Errorf("%w: its key is not RSA of %d to %d bits or ECDSA", ErrCertificate, minCertBits, maxRSABits)
		}
		certs = append(certs, cert)
		rest = strings.TrimSpace(string(after))
	}
	if len(certs) == 0 {
		return nil, ErrCertificate
	}
	return certs, nil
}

func usable(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minCertBits && k.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey:
		return true
	}
	return false
}

// CheckServer reads a certificate for TLS servers with its private key and the
// chain of those that signed it, "" for none, all in PEM, and makes sure that
// they belong together at a time. The error wraps one of those above, or is a
// *ChainError.
func CheckServer(body, key, chain string, now time.Time) (*x509.Certificate, error) {
	cert, err := ParseCertificate(body)
	if err != nil {
		return nil, err
	}
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, ErrTime
	}
	if chain != "" {
		if err := checkChain(cert, chain); err != nil {
			return nil, err
		}
	}
	private, err := parsePrivateKey(key)
	if err != nil {
		return nil, err
	}
	own, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !own.Equal(cert.PublicKey) {
		return nil, ErrMismatch
	}
	return cert, nil
}

func checkChain(cert *x509.Certificate, chain string) error {
	signers, err := parseCertificates(chain, maxChain)
	if err != nil {
		return &ChainError{-1, err}
	}
	for i, signer := range signers {
		if err := cert.CheckSignatureFrom(signer); err != nil {
			return &ChainError{i, err}
		}
		cert = signer
	}
	return nil
}

// parsePrivateKey returns errors that say nothing of the key.
func parsePrivateKey(body string) (crypto.Signer, error) {
	rest := []byte(body)
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil || len(block.Bytes) > maxKeyBytes {
			return nil, ErrPrivateKey
		}
		var key any
		var err error
		switch block.Type {
		case "EC PARAMETERS": // openssl ecparam writes them before the key
			continue
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default:
			return nil, ErrPrivateKey
		}
		signer, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return nil, ErrPrivateKey
		}
		return signer, nil
	}
}
