// SPDX-License-Identifier: Apache-2.0

// Package pubkey reads the SSH public keys and X.509 certificates that IAM keeps.
package pubkey

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

var (
	// ErrEncoding says that a public key is neither of type ssh-rsa nor PEM.
	ErrEncoding = errors.New("pubkey: neither ssh-rsa nor PEM")

	// ErrPublicKey says that a public key cannot be read, or is too short or too
	// long.
	ErrPublicKey = errors.New("pubkey: not a valid RSA public key")
)

// Sizes of RSA keys in bits: AWS's least for SSH (API reference of
// UploadSSHPublicKey), and ours at most, since the time that a signature takes
// grows with their square.
const (
	minSSHBits = 2048
	maxRSABits = 8192
)

// An SSHKey is an RSA public key.
type SSHKey struct {
	rsa *rsa.PublicKey
	ssh ssh.PublicKey
}

// ParseSSH reads a public key in either encoding: a line "ssh-rsa … comment", or
// PEM. The error wraps ErrEncoding or ErrPublicKey.
func ParseSSH(body string) (*SSHKey, error) {
	body = strings.TrimSpace(body)
	switch {
	case strings.HasPrefix(body, "ssh-rsa "):
		return parseLine(body)
	case strings.HasPrefix(body, "-----BEGIN "):
		return parsePEM(body)
	}
	return nil, ErrEncoding
}

func parseLine(line string) (*SSHKey, error) {
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 || len(rest) > 0 || strings.ContainsAny(line, "\r\n") {
		return nil, fmt.Errorf("%w: not one line of an authorized_keys file", ErrPublicKey)
	}
	crypt, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil, ErrPublicKey
	}
	pub, ok := crypt.CryptoPublicKey().(*rsa.PublicKey)
	if !ok {
		return nil, ErrPublicKey
	}
	return newSSH(pub)
}

func parsePEM(body string) (*SSHKey, error) {
	block, rest := pem.Decode([]byte(body))
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, fmt.Errorf("%w: not one PEM block", ErrPublicKey)
	}
	switch block.Type {
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
		}
		if pub, ok := key.(*rsa.PublicKey); ok {
			return newSSH(pub)
		}
		return nil, ErrPublicKey
	case "RSA PUBLIC KEY":
		pub, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
		}
		return newSSH(pub)
	}
	return nil, ErrEncoding
}

func newSSH(pub *rsa.PublicKey) (*SSHKey, error) {
	if bits := pub.N.BitLen(); bits < minSSHBits || bits > maxRSABits {
		return nil, fmt.Errorf("%w: %d bits, not %d to %d", ErrPublicKey, bits, minSSHBits, maxRSABits)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	return &SSHKey{pub, key}, nil
}

// Fingerprint returns the MD5 digest of the key in SSH's form, as AWS shows it:
// 16 pairs of hexadecimal digits with colons between them. It is for people to
// compare, not for security.
func (k *SSHKey) Fingerprint() string { return ssh.FingerprintLegacyMD5(k.ssh) }

// SSH returns the key as "ssh-rsa …", without a comment.
func (k *SSHKey) SSH() string {
	return strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(k.ssh)), "\n")
}

// PEM returns the key as a PEM block of SubjectPublicKeyInfo.
func (k *SSHKey) PEM() string {
	der, err := x509.MarshalPKIXPublicKey(k.rsa)
	if err != nil { // no RSA key fails
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
