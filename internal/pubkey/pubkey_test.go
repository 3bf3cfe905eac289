// SPDX-License-Identifier: Apache-2.0

package pubkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func line(t *testing.T, key any) string {
	t.Helper()
	pub, err := ssh.NewPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestParseSSH(t *testing.T) {
	pub := &rsaKey().PublicKey
	text := line(t, pub)
	spki, _ := x509.MarshalPKIXPublicKey(pub)
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ecSPKI, _ := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	edPub, _, _ := ed25519.GenerateKey(rand.Reader)
	short := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2046, 1), E: 65537}
	long := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), maxRSABits, 1), E: 65537}
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"a-line", text, nil},
		{"a-line-with-a-comment-and-a-line-break", text + " ann@example.com\n", nil},
		{"pem", block("PUBLIC KEY", spki), nil},
		{"pem-of-pkcs-1", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(pub)), nil},
		{"nothing", "", ErrEncoding},
		{"words", "my public key", ErrEncoding},
		{"ed25519", line(t, edPub), ErrEncoding},
		{"ecdsa", line(t, &ec.PublicKey), ErrEncoding},
		{"ecdsa-in-pem", block("PUBLIC KEY", ecSPKI), ErrPublicKey},
		{"a-private-key", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())), ErrEncoding},
		{"a-cut-line", text[:200], ErrPublicKey},
		{"two-lines", text + "\n" + text, ErrPublicKey},
		{"another-type-within", "ssh-rsa " + strings.Fields(line(t, edPub))[1], ErrPublicKey},
		{"options", `command="sh" ` + text, ErrEncoding},
		{"two-pem-blocks", block("PUBLIC KEY", spki) + block("PUBLIC KEY", spki), ErrPublicKey},
		{"damaged-pem", block("PUBLIC KEY", spki[:50]), ErrPublicKey},
		{"2047-bits", line(t, short), ErrPublicKey},
		{"8193-bits", line(t, long), ErrPublicKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := ParseSSH(tt.body)
			if !errors.Is(err, tt.want) {
				t.Fatalf("ParseSSH = %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			if k.SSH() != text || k.PEM() != block("PUBLIC KEY", spki) {
				t.Errorf("SSH() = %s\nwant %s\nPEM() = %s", k.SSH(), text, k.PEM())
			}
			if f := k.Fingerprint(); len(f) != 47 || strings.Count(f, ":") != 15 {
				t.Errorf("Fingerprint() = %s", f)
			}
		})
	}
}

// TestFingerprint has what ssh-keygen -l -E md5 says of a key.
func TestFingerprint(t *testing.T) {
	const (
		body = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC1VyatWe99Nx0YTXptg5sfe2K6PWLBTNTUdhiFqV3A6BdqMeJlYYFw6k+LbqGjdu246RPmZEEVcaa8nT3rLI96jGjECH23RCtFqCUt+4VjuK3iv9GxYro5F09Ij916YX/yQEqM19t7/hfp8thQ1ipER5Kr+SJpMrlq6PzLLp0Md54gXD8LdI+n+atLFjM3OjkUpcET7z42SBsTyq05xccTmaW6LKrZFGYy25Uj15f14auo/POYtE9SkcqVE4yZjBxRXwXJ6adMrqYI0iDlOksUBJ/dMjwH73xPTZx6Vf2Ddjya2tCpqGw8kzcHpPZCrgWq4kl8Pe5zWKo9jBmdZJI7"
		want = "c6:68:ca:e0:68:ff:6f:da:a2:b5:03:88:a3:9c:f6:cd"
	)
	k, err := ParseSSH(body)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.Fingerprint(); got != want {
		t.Errorf("Fingerprint() = %s, want %s", got, want)
	}
}

// A pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  string
}

// issue makes a certificate; a nil signer means itself.
func issue(t *testing.T, name string, key crypto.Signer, signer *pair, change ...func(*x509.Certificate)) *pair {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	for _, f := range change {
		f(template)
	}
	parent, by := template, key
	if signer != nil {
		parent, by = signer.cert, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{cert, key, block("CERTIFICATE", der)}
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestCheckServer(t *testing.T) {
	root := issue(t, "root", ecKey(t), nil)
	middle := issue(t, "middle", ecKey(t), root)
	leafEC, leafRSA := ecKey(t), rsaKey()
	leaf := issue(t, "leaf", leafEC, middle)
	viaRSA := issue(t, "leaf", leafRSA, middle)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	edCert := issue(t, "leaf", edKey, nil)
	old := issue(t, "old", leafEC, nil, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })
	early := issue(t, "early", leafEC, nil, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	ecDER, _ := x509.MarshalECPrivateKey(leafEC)
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(leafEC)
	ec := block("EC PRIVATE KEY", ecDER)
	locked := block("ENCRYPTED PRIVATE KEY", pkcs8)
	huge := block("RSA PRIVATE KEY", make([]byte, maxKeyBytes+1))
	for _, tt := range []struct {
		name, body, key, chain string
		want                   error
	}{
		{"without-a-chain", leaf.pem, ec, "", nil},
		{"with-its-chain", leaf.pem, ec, middle.pem + root.pem, nil},
		{"with-a-part-of-the-chain", leaf.pem, ec, middle.pem, nil},
		{"pkcs-8", leaf.pem, block("PRIVATE KEY", pkcs8), "", nil},
		{"ec-parameters-first", leaf.pem, block("EC PARAMETERS", []byte{6, 0}) + ec, "", nil},
		{"rsa", viaRSA.pem, block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(leafRSA)), middle.pem, nil},
		{"rsa-of-1024-bits", issue(t, "weak", weak, nil).pem, block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak)), "", nil},
		{"white-space-around", "\n " + leaf.pem + "\n\n", ec, "\r\n" + middle.pem + "\n" + root.pem, nil},
		{"nothing", "", ec, "", ErrCertificate},
		{"words", "certificate", ec, "", ErrCertificate},
		{"two-certificates", leaf.pem + middle.pem, ec, "", ErrCertificate},
		{"text-before-it", "Subject: leaf\n" + leaf.pem, ec, "", ErrCertificate},
		{"damaged", block("CERTIFICATE", leaf.cert.Raw[:100]), ec, "", ErrCertificate},
		{"a-key-in-its-place", ec, ec, "", ErrCertificate},
		{"an-ed25519-key", edCert.pem, ec, "", ErrCertificate},
		{"expired", old.pem, ec, "", ErrTime},
		{"not-valid-yet", early.pem, ec, "", ErrTime},
		{"the-chain-the-wrong-way", leaf.pem, ec, root.pem + middle.pem, &ChainError{Index: 0}},
		{"a-gap-in-the-chain", leaf.pem, ec, root.pem, &ChainError{Index: 0}},
		{"the-leaf-in-its-chain", leaf.pem, ec, leaf.pem + middle.pem, &ChainError{Index: 0}},
		{"the-second-of-the-chain-is-another", leaf.pem, ec, middle.pem + leaf.pem, &ChainError{Index: 1}},
		{"text-in-the-chain", leaf.pem, ec, "middle\n" + middle.pem, &ChainError{Index: -1}},
		{"a-long-chain", leaf.pem, ec, strings.Repeat(middle.pem, maxChain+1), &ChainError{Index: -1}},
		{"no-key", leaf.pem, "", "", ErrPrivateKey},
		{"an-encrypted-key", leaf.pem, locked, "", ErrPrivateKey},
		{"a-certificate-as-key", leaf.pem, leaf.pem, "", ErrPrivateKey},
		{"a-damaged-key", leaf.pem, block("EC PRIVATE KEY", ecDER[:30]), "", ErrPrivateKey},
		{"a-huge-key", leaf.pem, huge, "", ErrPrivateKey},
		{"another-key", leaf.pem, block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(leafRSA)), "", ErrMismatch},
		{"the-key-of-the-signer", leaf.pem, func() string {
			d, _ := x509.MarshalECPrivateKey(middle.key.(*ecdsa.PrivateKey))
			return block("EC PRIVATE KEY", d)
		}(), "", ErrMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert, err := CheckServer(tt.body, tt.key, tt.chain, now)
			if chain, ok := tt.want.(*ChainError); ok {
				if got, ok := errors.AsType[*ChainError](err); !ok || got.Index != chain.Index {
					t.Errorf("CheckServer = %v, want a ChainError at %d", err, chain.Index)
				}
				return
			}
			if !errors.Is(err, tt.want) || (err == nil) != (cert != nil) {
				t.Errorf("CheckServer = %v, want %v", err, tt.want)
			}
			if err != nil && strings.Contains(fmt.Sprint(err), "PRIVATE") {
				t.Errorf("the error repeats the key: %v", err)
			}
		})
	}
	huger := issue(t, "leaf", leafEC, nil)
	huger.cert.PublicKey = &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), maxRSABits, 1), E: 65537}
	if usable(huger.cert.PublicKey) {
		t.Error("an RSA key of 8193 bits is usable")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ")
	f.Add("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----")
	f.Add("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, body string) {
		if k, err := ParseSSH(body); err == nil {
			for _, form := range []string{k.SSH(), k.PEM()} {
				again, err := ParseSSH(form)
				if err != nil || again.Fingerprint() != k.Fingerprint() {
					t.Errorf("ParseSSH(%q) = %v, want the same key", form, err)
				}
			}
		} else if !errors.Is(err, ErrEncoding) && !errors.Is(err, ErrPublicKey) {
			t.Errorf("ParseSSH = %v", err)
		}
		if cert, err := ParseCertificate(body); err == nil && !usable(cert.PublicKey) || err != nil && !errors.Is(err, ErrCertificate) {
			t.Errorf("ParseCertificate = %v", err)
		}
	})
}
