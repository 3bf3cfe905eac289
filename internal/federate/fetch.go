// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Networks are the networks, besides the public internet, in which issuers may
// be. The zero Networks are none.
type Networks []netip.Prefix

// Limits of what an issuer may answer. AWS waits five seconds for it.
const (
	fetchTimeout = 5 * time.Second
	maxDocument  = 512 << 10 // bytes of a discovery document or key set
	maxHeader    = 32 << 10
)

// errThumbprint says that an issuer's certificate is not trusted: no root of the
// system signed it, nor a certificate with one of the provider's thumbprints.
var errThumbprint = errors.New("the certificate is signed by no authority that this machine trusts, and by none of the provider's thumbprints")

// errAddress says that an issuer is at an address that it may not have.
var errAddress = errors.New("an address outside of the public internet and of the networks in which issuers may be")

// A statusError is an answer that is not 200 OK.
type statusError struct{ code int }

func (e *statusError) Error() string {
	if e.code >= 300 && e.code < 400 {
		return fmt.Sprintf("HTTP status %d: issuers must not redirect", e.code)
	}
	return fmt.Sprintf("HTTP status %d", e.code)
}

// special are the networks that are neither private nor public (IANA IPv4 and
// IPv6 Special-Purpose Address Registries), and those that embed an IPv4
// address, which may be one of those.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("fec0::/10"),
}

// allows reports whether an issuer may be at an address.
func (n Networks) allows(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	within := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(n, within) {
		return true
	}
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(special, within)
}

// dial connects to an issuer, and looks at the very address that it connects to:
// what a name resolves to may differ from one moment to the next.
func (n Networks) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if !n.allows(a.Addr()) {
			return fmt.Errorf("%s is %w", a.Addr(), errAddress)
		}
		return nil
	}}
	return d.DialContext(ctx, network, address)
}

// get returns the document at an https URL, which may not redirect. thumbprints
// are of certificates that are trusted as roots are.
func (o *OIDC) get(ctx context.Context, url string, thumbprints []string) ([]byte, error) {
	transport := &http.Transport{
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return o.dialTLS(ctx, network, address, thumbprints)
		},
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
	}
	client := http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme != "https" || req.URL.Host == "" || req.URL.User != nil {
		return nil, fmt.Errorf("%q is no https URL", clip(url))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "innkeeper")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxDocument {
		return nil, fmt.Errorf("the document at %s is larger than %d bytes", clip(url), maxDocument)
	}
	return body, nil
}

func (o *OIDC) dialTLS(ctx context.Context, network, address string, thumbprints []string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	conn, err := o.networks.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	client := tls.Client(conn, &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(s tls.ConnectionState) error {
			return trusted(s.PeerCertificates, host, o.roots, thumbprints)
		},
	})
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return client, nil
}

// trusted verifies the chain of an issuer: against the roots, nil meaning the
// system's; or else against those certificates of the chain that have one of the
// thumbprints. So AWS does it (IAM User Guide, "Obtain the thumbprint for an
// OpenID Connect identity provider"). Name and dates count either way.
func trusted(chain []*x509.Certificate, host string, roots *x509.CertPool, thumbprints []string) error {
	if len(chain) == 0 {
		return errThumbprint
	}
	opts := x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: x509.NewCertPool()}
	pinned, any := x509.NewCertPool(), false
	for _, c := range chain {
		opts.Intermediates.AddCert(c)
		if slices.Contains(thumbprints, Thumbprint(c)) {
			pinned.AddCert(c)
			any = true
		}
	}
	_, err := chain[0].Verify(opts)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); err == nil || !unknown {
		return err
	}
	if !any {
		return errThumbprint
	}
	opts.Roots = pinned
	_, err = chain[0].Verify(opts)
	return err
}

// Thumbprint returns the SHA-1 of a certificate as thumbprints have it: 40
// hexadecimal digits in lower case.
func Thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return hex.EncodeToString(sum[:])
}

// TopThumbprint connects to an issuer, given by its URL without "https://", and
// returns the thumbprint of the last certificate that it presents. That is the
// top intermediate authority, or the certificate itself when it is alone.
func (o *OIDC) TopThumbprint(ctx context.Context, issuer string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	host, port := hostPort(issuer)
	conn, err := o.networks.dial(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	// Nothing is believed here but which certificates the issuer has.
	client := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true})
	if err := client.HandshakeContext(ctx); err != nil {
		return "", err
	}
	chain := client.ConnectionState().PeerCertificates
	if len(chain) == 0 {
		return "", errThumbprint
	}
	return Thumbprint(chain[len(chain)-1]), nil
}
