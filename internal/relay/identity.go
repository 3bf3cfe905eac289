// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv/relaykv"
)

const (
	maxIdentity = 64 << 10  // bytes of the file
	renewEvery  = time.Hour // the certificate is looked at, and renewing it is tried again
)

// An identity is what a gateway proves itself with.
type identity struct {
	cert      tls.Certificate
	authority *x509.Certificate
}

// readIdentity reads what Enroll returned, from a file that nobody else can read.
func readIdentity(file string) (*identity, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o; it holds a private key and must be a file that nobody else can read (0600)", file, mode.Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	if err != nil {
		return nil, err
	}
	certs, key, err := parsePEM(text)
	if err == nil && len(certs) != 2 {
		err = errors.New("want the certificates of the gateway and of the authority")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &identity{
		cert:      tls.Certificate{Certificate: [][]byte{certs[0].Raw}, PrivateKey: key, Leaf: certs[0]},
		authority: certs[1],
	}, nil
}

// due reports whether two thirds of the certificate's time are over.
func (id *identity) due(now time.Time) bool {
	c := id.cert.Leaf
	return now.After(c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 3))
}

// keepIdentity renews the certificate, and replaces the file, in time before it
// ends.
func (c *Client) keepIdentity(ctx context.Context, file string) {
	t := time.NewTicker(renewEvery)
	defer t.Stop()
	for {
		if id := c.identity.Load(); id.due(c.now()) {
			if err := c.renew(ctx, id, file); err != nil && ctx.Err() == nil {
				c.log.Error("this gateway's certificate is not renewed yet", "expires", id.cert.Leaf.NotAfter, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// renew has a new key certified, and uses it from then on.
func (c *Client) renew(ctx context.Context, id *identity, file string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*askTimeout)
	defer cancel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "gateway"}}, key)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path+pathRenew, bytes.NewReader(csr))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &relaykv.StatusError{Status: resp.StatusCode}
	}
	der, err := io.ReadAll(io.LimitReader(resp.Body, maxIdentity))
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if !key.PublicKey.Equal(cert.PublicKey) || cert.CheckSignatureFrom(id.authority) != nil {
		return errors.New("the server certified something else")
	}
	text, err := formatPEM(key, der, id.authority.Raw)
	if err != nil {
		return err
	}
	if err := replaceFile(file, text); err != nil {
		return err
	}
	c.identity.Store(&identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, id.authority})
	c.http.CloseIdleConnections()
	c.log.Info("renewed this gateway's certificate", "expires", cert.NotAfter)
	return nil
}

// replaceFile writes a file of mode 0600 in the place of another, whole or not at
// all.
func replaceFile(file string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".identity-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
