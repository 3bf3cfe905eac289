// SPDX-License-Identifier: Apache-2.0

// Package passwords hashes passwords and holds them against an account's rules.
package passwords

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of argon2id: 19 MiB and two passes (OWASP, "Password Storage").
const (
	hashMemory  = 19 * 1024 // KiB
	hashPasses  = 2
	hashThreads = 1
	hashSize    = 32
	saltSize    = 16
)

// A Hasher hashes and checks passwords with argon2id, two at a time, since each
// takes memory. It is safe for concurrent use; make one with New.
type Hasher struct {
	slots chan struct{}
}

// New returns a Hasher.
func New() *Hasher { return &Hasher{slots: make(chan struct{}, 2)} }

func (h *Hasher) key(password string, salt []byte, memory, passes, size uint32) []byte {
	h.slots <- struct{}{}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password), salt, passes, memory, hashThreads, size)
}

// Hash returns the PHC form of a password's hash with a new salt.
func (h *Hasher) Hash(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	sum := h.key(password, salt, hashMemory, hashPasses, hashSize)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashThreads,
		b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// Matches reports whether password has the hash, in constant time. A hash that
// cannot be read matches nothing.
func (h *Hasher) Matches(hash, password string) bool {
	salt, want, memory, passes, err := parse(hash)
	if err != nil {
		return false
	}
	got := h.key(password, salt, memory, passes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

func parse(hash string) (salt, sum []byte, memory, passes uint32, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, 0, 0, errors.New("passwords: not an argon2id hash")
	}
	var threads uint8
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil {
		return nil, nil, 0, 0, err
	}
	if threads != hashThreads || memory > 1<<20 || passes < 1 || passes > 16 {
		return nil, nil, 0, 0, errors.New("passwords: the cost of the hash is out of range")
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return nil, nil, 0, 0, err
	}
	sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err == nil && len(sum) < 16 {
		err = errors.New("passwords: the hash is too short")
	}
	return salt, sum, memory, passes, err
}
