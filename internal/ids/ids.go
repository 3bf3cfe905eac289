// SPDX-License-Identifier: Apache-2.0

// Package ids makes the identifiers and secrets of AWS's forms and reads the account out of them.
package ids

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
)

// Prefixes of identifiers (UG-Identifiers, "Unique identifiers").
const (
	User            = "AIDA"
	Role            = "AROA"
	Group           = "AGPA"
	Policy          = "ANPA"
	InstanceProfile = "AIPA"
	LongLivedKey    = "AKIA"
	SessionKey      = "ASIA"
	ServerCert      = "ASCA"
	SSHKey          = "APKA"
	ServiceCred     = "ACCA"
	TokenIssuer     = "AISS" // ours: of an account as an issuer of tokens
)

const (
	prefixLen = 4
	keyLen    = prefixLen + 16 // of an access key id
	uniqueLen = prefixLen + 17 // of a unique id

	accountShift = 7              // random bits below the account
	accountMask  = 0x7fffffffff80 // the account's 40 of the first 48 bits
	marker       = 1 << 47        // set in the identifiers made here, as in AWS's
	maxAccount   = 999_999_999_999
)

// A Source makes identifiers. The zero Source is ready and draws from
// crypto/rand. A Source is safe for concurrent use and must not be copied
// after first use. Its methods panic when Rand fails.
type Source struct {
	Rand io.Reader // nil means crypto/rand; tests give a deterministic one

	// Requests makes the ids of requests, so that those do not use up Rand; nil
	// means Rand.
	Requests io.Reader

	mu sync.Mutex // held while Rand or Requests is read
}

// Unique returns a new unique id: the prefix of four letters and 17 characters
// of [A-Z2-7], which carry the account. It panics unless account is twelve
// digits.
func (s *Source) Unique(prefix, account string) string {
	var extra [1]byte
	s.read(extra[:])
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	return s.carry(prefix, account) + string(letters[extra[0]&31])
}

// AccessKeyID returns a new access key id: the prefix of four letters and 16
// characters of [A-Z2-7], which carry the account as AWS's do. It panics
// unless account is twelve digits.
func (s *Source) AccessKeyID(prefix, account string) string {
	return s.carry(prefix, account)
}

func (s *Source) carry(prefix, account string) string {
	n, ok := parseAccount(account)
	if !ok {
		panic(fmt.Sprintf("ids: account %q is not twelve digits", account))
	}
	var b [10]byte
	s.read(b[:])
	var head [8]byte
	copy(head[2:], b[:6])
	v := binary.BigEndian.Uint64(head[:])
	v = v&^uint64(accountMask) | n<<accountShift | marker
	binary.BigEndian.PutUint64(head[:], v)
	copy(b[:6], head[2:])
	return prefix + base32.StdEncoding.EncodeToString(b[:])
}

// Account returns the account of twelve digits that an access key id or a
// unique id carries, and reports whether id has the form of one. It cannot
// tell whether the id, or the account, was ever issued.
func Account(id string) (string, bool) {
	if len(id) != keyLen && len(id) != uniqueLen {
		return "", false
	}
	var v uint64 // of the characters after the prefix, five bits each; the ten that matter fit
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c -= 'A'
		case i >= prefixLen && c >= '2' && c <= '7':
			c = c - '2' + 26
		default:
			return "", false
		}
		if i >= prefixLen && i < prefixLen+10 {
			v = v<<5 | uint64(c)
		}
	}
	n := (v >> 2 & accountMask) >> accountShift // 50 bits to 48
	if n > maxAccount {
		return "", false
	}
	var digits [12]byte
	for i := range digits {
		digits[len(digits)-1-i] = '0' + byte(n%10)
		n /= 10
	}
	return string(digits[:]), true
}

// Secret returns a new secret access key: 40 characters of [A-Za-z0-9/+], of
// 240 random bits.
func (s *Source) Secret() string {
	var b [30]byte
	s.read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// Bytes returns n new random bytes, for a secret of another form.
func (s *Source) Bytes(n int) []byte {
	b := make([]byte, n)
	s.read(b)
	return b
}

// CertificateID returns a new id of a signing certificate: 32 characters of
// [A-Z2-7], which carry nothing.
func (s *Source) CertificateID() string { return base32.StdEncoding.EncodeToString(s.Bytes(20)) }

// RequestID returns a new random UUID (RFC 9562, version 4).
func (s *Source) RequestID() string {
	var b [16]byte
	if s.Requests != nil {
		s.readFrom(s.Requests, b[:])
	} else {
		s.read(b[:])
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:], b[:4])
	hex.Encode(text[9:], b[4:6])
	hex.Encode(text[14:], b[6:8])
	hex.Encode(text[19:], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// AccountID returns a new account id: twelve digits, the first not zero.
func (s *Source) AccountID() string {
	for {
		var b [8]byte
		s.read(b[3:])
		n := binary.BigEndian.Uint64(b[:]) // 40 bits, of which 82 % are in range
		if n >= 100_000_000_000 && n <= maxAccount {
			return fmt.Sprintf("%012d", n)
		}
	}
}

func (s *Source) read(b []byte) {
	if s.Rand == nil {
		rand.Read(b) // never fails
		return
	}
	s.readFrom(s.Rand, b)
}

func (s *Source) readFrom(r io.Reader, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(r, b); err != nil {
		panic("ids: reading random bytes: " + err.Error())
	}
}

// Chosen are the accounts of access keys whose ids somebody chose, by id: those
// ids need not carry an account (quirk Q105). Nil means that there are none.
type Chosen map[string]string

// Account is the function Account for all ids, chosen ones included.
func (c Chosen) Account(id string) (string, bool) {
	if account, ok := c[id]; ok {
		return account, true
	}
	return Account(id)
}

func parseAccount(s string) (uint64, bool) {
	if len(s) != 12 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// Lower returns n random characters of [a-z0-9], of which the identifiers of
// organizations are made.
func (s *Source) Lower(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	out := make([]byte, 0, n)
	var b [16]byte
	for {
		s.read(b[:])
		for _, c := range b {
			if len(out) == n {
				return string(out)
			}
			if c < 252 { // the largest multiple of 36: every letter is as likely
				out = append(out, letters[c%36])
			}
		}
	}
}
