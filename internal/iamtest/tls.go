// SPDX-License-Identifier: Apache-2.0

package iamtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certify writes a certificate for loopback, signed by itself, and its key into
// files of a directory. It is good by the real clock and by NewClock.
func certify(t testing.TB, dir string) (certFile, keyFile string, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("iamtest: %v", err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "innkeeper under test"},
		NotBefore: NewClock().Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatalf("iamtest: %v", err)
	}
	if cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatalf("iamtest: %v", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("iamtest: %v", err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: raw}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatalf("iamtest: %v", err)
		}
	}
	return certFile, keyFile, cert
}

// HTTP returns a client that trusts the server's certificate, for requests that
// nobody signs.
func (s *Server) HTTP() *http.Client { return s.http }

// Thumbprint returns that of the server's certificate, as providers have it.
func (s *Server) Thumbprint() string {
	sum := sha1.Sum(s.cert.Raw)
	return hex.EncodeToString(sum[:])
}
