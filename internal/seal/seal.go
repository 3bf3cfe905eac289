// SPDX-License-Identifier: Apache-2.0

// Package seal encrypts secrets at rest under a master key.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Errors of Unseal and Open, wrapped with what was being read.
var (
	ErrKey       = errors.New("sealed under another master key")
	ErrTampered  = errors.New("sealed value is damaged, or belongs elsewhere")
	ErrExposed   = errors.New("master key file must be readable by its owner only")
	ErrMalformed = errors.New("not a master key file")
)

const (
	keySize = 32 // bytes of the master key
	idSize  = 8  // bytes of its fingerprint

	header  = "innkeeper-master-key-1 " // of the key file; the key in base64 and a line feed follow
	maxFile = 256                       // bytes; a key file is shorter

	version    = 1 // first byte of a sealed value: AES-256-GCM with a random nonce of 96 bits
	prefixSize = 1 + idSize
)

// A Keeper seals and unseals under one master key. It is safe for concurrent
// use. Make one with Create, Open or New.
type Keeper struct {
	aead   cipher.AEAD
	prefix []byte // of every value it seals: version and key fingerprint
}

// Create makes a new master key in the file, which must not exist (else the
// error wraps fs.ErrExist), and opens it. The file appears whole and durable
// or not at all, with mode 0600. Of concurrent calls one succeeds.
func Create(file string) (*Keeper, error) {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	text := header + base64.StdEncoding.EncodeToString(key) + "\n"
	if err := writeNew(file, []byte(text)); err != nil {
		return nil, fmt.Errorf("creating master key: %w", err)
	}
	return newKeeper(key)
}

// New returns a Keeper with a new master key that nobody keeps: what it seals
// cannot be unsealed once it is gone.
func New() *Keeper {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	k, err := newKeeper(key)
	if err != nil {
		panic("seal: " + err.Error()) // the key's length is a constant
	}
	return k
}

// Open reads the master key from the file. The error wraps fs.ErrNotExist,
// ErrExposed when group or others have any access to it, or ErrMalformed.
func Open(file string) (*Keeper, error) {
	key, err := readKey(file)
	if err != nil {
		return nil, fmt.Errorf("master key %s: %w", file, err)
	}
	return newKeeper(key)
}

func readKey(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not a regular file", ErrMalformed)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: its mode is %04o, want 0600", ErrExposed, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	body, ok := bytes.CutPrefix(text, []byte(header))
	if !ok || len(text) > maxFile {
		return nil, ErrMalformed
	}
	key, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(body)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%w: truncated or damaged", ErrMalformed)
	}
	return key, nil
}

// writeNew makes a file that must not exist, whole and durable or not at all.
func writeNew(file string, text []byte) error {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, ".master-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &fs.PathError{Op: "create", Path: file, Err: fs.ErrExist}
		}
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func newKeeper(master []byte) (*Keeper, error) {
	key, err := hkdf.Key(sha256.New, master, nil, "innkeeper seal 1", keySize)
	if err != nil {
		return nil, err
	}
	id, err := hkdf.Key(sha256.New, master, nil, "innkeeper master key id", idSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Keeper{aead: aead, prefix: append([]byte{version}, id...)}, nil
}

// ID returns a fingerprint of the master key: 16 hexadecimal digits, from
// which the key cannot be found. Store it with the data, to tell a wrong key
// at start.
func (k *Keeper) ID() string {
	return hex.EncodeToString(k.prefix[1:])
}

// Seal encrypts plain. The context is authenticated and not stored: Unseal
// needs the same one, so a sealed value cannot be moved to another place.
// Two seals of the same text differ.
func (k *Keeper) Seal(plain, context []byte) []byte {
	sealed := make([]byte, prefixSize, prefixSize+len(plain)+k.aead.Overhead())
	copy(sealed, k.prefix)
	return k.aead.Seal(sealed, nil, plain, k.bind(context))
}

// Unseal returns what was sealed with the same context. The error is ErrKey
// when that was under another master key, and ErrTampered when the value is
// damaged or was sealed with another context.
func (k *Keeper) Unseal(sealed, context []byte) ([]byte, error) {
	if len(sealed) < prefixSize+k.aead.Overhead() || sealed[0] != version {
		return nil, ErrTampered
	}
	if !bytes.Equal(sealed[:prefixSize], k.prefix) {
		return nil, ErrKey
	}
	plain, err := k.aead.Open(nil, nil, sealed[prefixSize:], k.bind(context))
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

// bind returns the additional data of a value: its prefix, of a fixed length,
// and its context.
func (k *Keeper) bind(context []byte) []byte {
	return append(k.prefix[:prefixSize:prefixSize], context...)
}
