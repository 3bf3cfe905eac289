// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
)

// KeySize is the length of a ring key in bytes.
const KeySize = 32

// A sealed text is, before base64: format, key id, nonce, ciphertext with tag.
//
// The nonce is a MAC of the access key id and the claims, and the cipher's key
// derives from nonce and access key id, so that no number of tokens under one
// ring key wears it out, and a failing random source repeats no key.
const (
	keyIDSize = 4
	nonceSize = 16
	headSize  = 1 + keyIDSize + nonceSize
	tagSize   = 16

	formatToken   = 1
	formatMessage = 0x81

	maxKeys   = 64
	maxSealed = 96 << 10 // characters of a token or message
)

// encoding is safe in headers and URLs, and each text has one form only.
var encoding = base64.RawURLEncoding.Strict()

// A Ring seals and opens tokens and messages under the keys that the nodes
// share. It is immutable and safe for concurrent use: to rotate, make another.
type Ring struct {
	ids  *ids.Source
	keys []*key // the last one mints
}

// NewKey returns a new random key for a ring.
func NewKey() []byte {
	k := make([]byte, KeySize)
	rand.Read(k) // never fails
	return k
}

// NewRing returns a ring of keys of KeySize bytes, oldest first: the last one
// mints and all of them open. The access key ids come from source.
func NewRing(source *ids.Source, keys ...[]byte) (*Ring, error) {
	if source == nil {
		return nil, errors.New("session: a ring needs a source of ids")
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("session: a ring of %d keys: it needs 1 to %d", len(keys), maxKeys)
	}
	r := &Ring{ids: source}
	for i, raw := range keys {
		k, err := newKey(raw)
		if err != nil {
			return nil, fmt.Errorf("session: key %d of the ring: %w", i, err)
		}
		if r.key(k.id[:]) != nil {
			return nil, fmt.Errorf("session: key %d of the ring is there twice", i)
		}
		r.keys = append(r.keys, k)
	}
	return r, nil
}

func (r *Ring) newest() *key { return r.keys[len(r.keys)-1] }

// key returns the key with the given id, or nil.
func (r *Ring) key(id []byte) *key {
	for _, k := range r.keys {
		if string(k.id[:]) == string(id) {
			return k
		}
	}
	return nil
}

// Mint returns new credentials for c. It fails when c is incomplete or larger
// than a token may carry; PackedSize tells the latter beforehand.
func (r *Ring) Mint(c Claims) (Credentials, error) {
	if err := c.check(); err != nil {
		return Credentials{}, err
	}
	// The plain claims are built with room for a head before and a tag after.
	buf := make([]byte, headSize, 512)
	buf, err := c.append(buf)
	if err != nil {
		return Credentials{}, err
	}
	if len(buf)+tagSize > encoding.DecodedLen(MaxToken) {
		return Credentials{}, errors.New("session: the claims do not fit a token")
	}
	id := r.ids.AccessKeyID(ids.SessionKey, c.Account)
	sealed, secret := r.seal(formatToken, id, buf)
	return Credentials{
		AccessKeyID:     id,
		SecretAccessKey: secret,
		SessionToken:    encoding.EncodeToString(sealed),
		Expires:         c.Expires.UTC().Truncate(unit),
	}, nil
}

// Open returns the claims of a token that was minted with accessKeyID, and the
// secret access key that belongs to them. It does not look at the expiry. The
// error is ErrInvalid.
func (r *Ring) Open(accessKeyID, token string) (*Claims, string, error) {
	account, ok := ids.Account(accessKeyID)
	if !ok || len(token) > MaxToken {
		return nil, "", ErrInvalid
	}
	plain, secret, ok := r.open(formatToken, accessKeyID, token)
	if !ok {
		return nil, "", ErrInvalid
	}
	c, err := parseClaims(plain)
	if err != nil {
		return nil, "", ErrInvalid
	}
	c.Account = account
	return c, secret, nil
}

// seal fills the head of buf, which holds room for it and then the plain text,
// and encrypts the rest, in place where buf has room for the tag.
func (r *Ring) seal(format byte, label string, buf []byte) (sealed []byte, secret string) {
	k := r.newest()
	d := k.domain(format)
	head, plain := buf[:headSize], buf[headSize:]
	var sum [sha512.Size]byte
	head[0] = format
	copy(head[1:], k.id[:])
	copy(head[1+keyIDSize:], d.nonce.sum(sum[:0], label, plain)[:nonceSize])
	aead, secret := d.cipher(head, label)
	return append(head, aead.Seal(plain[:0], zeroNonce[:], plain, head)...), secret
}

// open unseals text, which is bound to the given label.
func (r *Ring) open(format byte, label, text string) (plain []byte, secret string, ok bool) {
	// The decoder skips line breaks, which would give a token several forms.
	if len(text) > maxSealed || strings.ContainsAny(text, "\r\n") {
		return nil, "", false
	}
	buf, err := encoding.DecodeString(text)
	if err != nil || len(buf) < headSize+tagSize || buf[0] != format {
		return nil, "", false
	}
	head, rest := buf[:headSize], buf[headSize:]
	k := r.key(head[1 : 1+keyIDSize])
	if k == nil {
		return nil, "", false
	}
	aead, secret := k.domain(format).cipher(head, label)
	plain, err = aead.Open(rest[:0], zeroNonce[:], rest, head)
	if err != nil {
		return nil, "", false
	}
	return plain, secret, true
}

// A key is one key of a ring and what derives from it.
type key struct {
	id             [keyIDSize]byte // public
	token, message domain
}

// A domain holds the keys of one use.
type domain struct {
	nonce  pool // of HMAC-SHA-256: label and plain text → nonce
	derive pool // of HMAC-SHA-512: nonce and label → cipher key, secret
}

func newKey(raw []byte) (*key, error) {
	if len(raw) != KeySize {
		return nil, fmt.Errorf("%d bytes long, want %d", len(raw), KeySize)
	}
	expand := func(use string, n int) []byte {
		out, err := hkdf.Expand(sha256.New, raw, "innkeeper "+use, n)
		if err != nil {
			panic("session: " + err.Error()) // n is a constant within HKDF's limit
		}
		return out
	}
	domainOf := func(use string) domain {
		return domain{
			nonce:  pool{new: sha256.New, key: expand(use+" nonce", sha256.Size)},
			derive: pool{new: sha512.New, key: expand(use+" derive", sha512.Size)},
		}
	}
	k := &key{token: domainOf("session token"), message: domainOf("authorization message")}
	copy(k.id[:], expand("key id", keyIDSize))
	return k, nil
}

// domain returns the keys for texts of the given format.
func (k *key) domain(format byte) *domain {
	if format == formatMessage {
		return &k.message
	}
	return &k.token
}

// zeroNonce is the cipher's nonce: its key is used for one text only.
var zeroNonce [12]byte

// cipher returns the cipher for the sealed text with the given head and label,
// and the secret access key that goes with it.
func (d *domain) cipher(head []byte, label string) (aead cipher.AEAD, secret string) {
	var sum [sha512.Size]byte
	okm := d.derive.sum(sum[:0], label, head[1+keyIDSize:])
	b, err := aes.NewCipher(okm[:32])
	if err == nil {
		aead, err = cipher.NewGCM(b)
	}
	if err != nil {
		panic("session: " + err.Error()) // the key's length is a constant
	}
	return aead, base64.StdEncoding.EncodeToString(okm[32:62]) // 40 characters
}

// A pool lends keyed hashes.
type pool struct {
	new  func() hash.Hash
	key  []byte
	free sync.Pool // of hash.Hash
}

// sum appends the MAC of label and text. The label's length is part of it.
func (p *pool) sum(dst []byte, label string, text []byte) []byte {
	h, ok := p.free.Get().(hash.Hash)
	if !ok {
		h = hmac.New(p.new, p.key)
	}
	var scratch [64]byte
	h.Write(append(append(scratch[:0], byte(len(label))), label...))
	h.Write(text)
	dst = h.Sum(dst)
	h.Reset()
	p.free.Put(h)
	return dst
}
