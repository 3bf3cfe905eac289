// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// Lifetimes of a gateway's certificate.
const (
	DefaultTTL = 90 * 24 * time.Hour
	MinTTL     = time.Minute
	MaxTTL     = 5 * 365 * 24 * time.Hour
)

// dirGateway begins the keys of the rows of gateways.
const dirGateway = "sys/gateway/"

// A Gateway is one that was enrolled.
type Gateway struct {
	Name         string        `json:"name"`
	Enrolled     time.Time     `json:"enrolled"`
	Certificates []Certificate `json:"certificates"` // that are good, oldest first
}

// A Certificate is one of a gateway's.
type Certificate struct {
	Serial  string    `json:"serial"` // hexadecimal
	Expires time.Time `json:"expires"`
}

// Errors about gateways, wrapped with the name.
var (
	ErrEnrolled = errors.New("is enrolled already; revoke it first")
	ErrNoSuch   = errors.New("is not enrolled")
)

func certificate(c *x509.Certificate) Certificate {
	return Certificate{c.SerialNumber.Text(16), c.NotAfter.UTC()}
}

// Enroll enrols a gateway, and returns its identity for readIdentity: a private
// key, its certificate, good for ttl (0: DefaultTTL), and the authority's, in PEM.
func (s *Server) Enroll(ctx context.Context, name string, ttl time.Duration) ([]byte, error) {
	if ttl == 0 {
		ttl = DefaultTTL
	}
	if !isName(name) {
		return nil, fmt.Errorf("%.70q cannot be the name of a gateway: want letters, digits and .-_, at most 64", name)
	}
	if ttl < MinTTL || ttl > MaxTTL {
		return nil, fmt.Errorf("a gateway's certificate can last from %v to %v, not %v", MinTTL, MaxTTL, ttl)
	}
	if err := s.o.Audit.Ready(); err != nil {
		return nil, err
	}
	a, err := s.authority(ctx)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	cert, err := a.certify(key.Public(), name, x509.ExtKeyUsageClientAuth, now, now.Add(ttl))
	if err != nil {
		return nil, err
	}
	g := &Gateway{Name: name, Enrolled: now.UTC().Truncate(time.Second), Certificates: []Certificate{certificate(cert)}}
	if err := s.putGateway(ctx, g, 0); errors.Is(err, kv.ErrConflict) {
		return nil, fmt.Errorf("gateway %s %w", name, ErrEnrolled)
	} else if err != nil {
		return nil, err
	}
	if err := s.record(operator, "EnrollGateway", g, nil); err != nil {
		return nil, err
	}
	return formatPEM(key, cert.Raw, a.cert.Raw)
}

// Revoke turns a gateway away from now on, on every node. The error wraps
// ErrNoSuch.
func (s *Server) Revoke(ctx context.Context, name string) error {
	if err := s.o.Audit.Ready(); err != nil {
		return err
	}
	for {
		row, err := s.gateway(ctx, name)
		if err != nil {
			return err
		}
		_, err = s.o.DB.Commit(ctx, kv.Txn{
			If:   []kv.Compare{{Key: dirGateway + name, Modified: row.modified}},
			Then: []kv.Op{{Key: dirGateway + name, Delete: true}},
		})
		if errors.Is(err, kv.ErrConflict) {
			continue // it was renewed
		}
		if err != nil {
			return fmt.Errorf("gateway %s: %w", name, err)
		}
		return s.record(operator, "RevokeGateway", map[string]string{"name": name}, nil)
	}
}

// Gateways lists the gateways by name.
func (s *Server) Gateways(ctx context.Context) ([]Gateway, error) {
	start, end := kv.Prefix(dirGateway)
	page, err := s.o.DB.Range(ctx, start, end, 0, 0)
	if err != nil {
		return nil, err
	}
	list := make([]Gateway, len(page.Entries))
	for i, e := range page.Entries {
		if err := json.Unmarshal(e.Value, &list[i]); err != nil {
			return nil, fmt.Errorf("%q: %w", e.Key, err)
		}
	}
	return list, nil
}

// A row is a gateway as it was read.
type row struct {
	Gateway
	modified kv.Revision
	at       kv.Revision // of the store
}

// gateway returns a gateway as it is now. The error wraps ErrNoSuch.
func (s *Server) gateway(ctx context.Context, name string) (*row, error) {
	if !isName(name) {
		return nil, fmt.Errorf("gateway %.70q %w", name, ErrNoSuch)
	}
	key := dirGateway + name
	page, err := s.o.DB.Range(ctx, key, key+"\x00", 0, 1)
	if err != nil {
		return nil, fmt.Errorf("gateway %s: %w", name, err)
	}
	if len(page.Entries) == 0 {
		return nil, fmt.Errorf("gateway %s %w", name, ErrNoSuch)
	}
	g := &row{modified: page.Entries[0].Modified, at: page.Revision}
	if err := json.Unmarshal(page.Entries[0].Value, &g.Gateway); err != nil {
		return nil, fmt.Errorf("gateway %s: %w", name, err)
	}
	return g, nil
}

func (s *Server) putGateway(ctx context.Context, g *Gateway, mod kv.Revision) error {
	value, err := json.Marshal(g)
	if err != nil {
		return err
	}
	_, err = s.o.DB.Commit(ctx, kv.Txn{
		If:   []kv.Compare{{Key: dirGateway + g.Name, Modified: mod}},
		Then: []kv.Op{{Key: dirGateway + g.Name, Value: value}},
	})
	return err
}

// admit returns the gateway of a certificate of a verified chain. The error wraps
// ErrNoSuch.
func (s *Server) admit(ctx context.Context, c *x509.Certificate) (*row, error) {
	g, err := s.gateway(ctx, c.Subject.CommonName)
	if err != nil {
		return nil, err
	}
	if !s.o.Now().Before(c.NotAfter) || !slices.Contains(g.Certificates, certificate(c)) {
		return nil, fmt.Errorf("gateway %s, by certificate %x, %w", g.Name, c.SerialNumber, ErrNoSuch)
	}
	return g, nil
}

// renew certifies the key of a certificate request for the gateway that uses a
// certificate, for as long as that one. The one in use stays good.
func (s *Server) renew(ctx context.Context, used *x509.Certificate, request []byte) (*x509.Certificate, error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	if key, ok := csr.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("certificate request: want a key on P-256")
	}
	if err := s.o.Audit.Ready(); err != nil {
		return nil, err
	}
	g, err := s.admit(ctx, used)
	if err != nil {
		return nil, err
	}
	a, err := s.authority(ctx)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	cert, err := a.certify(csr.PublicKey, g.Name, x509.ExtKeyUsageClientAuth, now, now.Add(used.NotAfter.Sub(used.NotBefore)-backdated))
	if err != nil {
		return nil, err
	}
	g.Certificates = []Certificate{certificate(used), certificate(cert)}
	if err := s.putGateway(ctx, &g.Gateway, g.modified); err != nil {
		return nil, err
	}
	return cert, s.record(byGateway(g.Name), "RenewGateway", g.Gateway, nil)
}
