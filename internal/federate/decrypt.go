// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	_ "crypto/sha1"   // for OAEP
	_ "crypto/sha256" // likewise
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/beevik/etree"
)

// errDecrypt is the only thing that is told of an assertion that cannot be
// decrypted: what exactly went wrong would help to decrypt it without the key.
var errDecrypt = errors.New("the assertion cannot be decrypted with the private keys of the provider")

// Algorithms of XML encryption that are accepted. RSA with PKCS #1 v1.5 is not:
// its padding gives the key away to who may ask often enough.
const (
	oaepMGF1P = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	oaep11    = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	nsEnc11   = "http://www.w3.org/2009/xmlenc11#"
)

// ciphers says the length of the key, in bytes, and whether it is GCM.
var ciphers = map[string]struct {
	size int
	gcm  bool
}{
	"http://www.w3.org/2001/04/xmlenc#aes128-cbc": {16, false},
	"http://www.w3.org/2001/04/xmlenc#aes192-cbc": {24, false},
	"http://www.w3.org/2001/04/xmlenc#aes256-cbc": {32, false},
	"http://www.w3.org/2009/xmlenc11#aes128-gcm":  {16, true},
	"http://www.w3.org/2009/xmlenc11#aes192-gcm":  {24, true},
	"http://www.w3.org/2009/xmlenc11#aes256-gcm":  {32, true},
}

// decrypt decrypts an EncryptedAssertion and returns the Assertion (SAML 2.0
// Core, section 6; XML Encryption 1.1).
func decrypt(e *etree.Element, keys []*rsa.PrivateKey) (*etree.Element, error) {
	data := child(e, nsEncrypted, "EncryptedData")
	if data == nil {
		return nil, errDecrypt
	}
	alg, ok := ciphers[attrOf(child(data, nsEncrypted, "EncryptionMethod"), "Algorithm")]
	sealed, err := cipherValue(data)
	if !ok || err != nil {
		return nil, errDecrypt
	}
	for _, wrapped := range encryptedKeys(e, data) {
		for _, k := range keys {
			key, err := unwrap(wrapped, k)
			if err != nil || len(key) != alg.size {
				continue
			}
			plain, err := open(key, sealed, alg.gcm)
			if err != nil {
				continue
			}
			a, err := parseXML(string(plain), true)
			if err != nil || !is(a, nsAssertion, "Assertion") || checkShape(a) != nil {
				continue
			}
			return a, nil
		}
	}
	return nil, errDecrypt
}

func attrOf(e *etree.Element, name string) string {
	if e == nil {
		return ""
	}
	return attr(e, name)
}

// encryptedKeys returns the wrapped keys, which are beside the data or in its
// KeyInfo.
func encryptedKeys(e, data *etree.Element) []*etree.Element {
	list := children(e, nsEncrypted, "EncryptedKey")
	if info := child(data, nsSignature, "KeyInfo"); info != nil {
		list = append(list, children(info, nsEncrypted, "EncryptedKey")...)
	}
	return list[:min(len(list), 8)]
}

func cipherValue(e *etree.Element) ([]byte, error) {
	data := child(e, nsEncrypted, "CipherData")
	if data == nil {
		return nil, errDecrypt
	}
	return decode64(content(child(data, nsEncrypted, "CipherValue")))
}

// unwrap decrypts a key.
func unwrap(e *etree.Element, k *rsa.PrivateKey) ([]byte, error) {
	method := child(e, nsEncrypted, "EncryptionMethod")
	sealed, err := cipherValue(e)
	if method == nil || err != nil {
		return nil, errDecrypt
	}
	opts := rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.SHA1}
	switch attr(method, "Algorithm") {
	case oaepMGF1P:
	case oaep11:
		opts.MGFHash = hashOf(attrOf(child(method, nsEnc11, "MGF"), "Algorithm"))
	default:
		return nil, errDecrypt
	}
	if digest := child(method, nsSignature, "DigestMethod"); digest != nil {
		opts.Hash = hashOf(attr(digest, "Algorithm"))
	}
	if opts.Hash == 0 || opts.MGFHash == 0 {
		return nil, errDecrypt
	}
	return k.Decrypt(nil, sealed, &opts)
}

// hashOf returns the hash function of an algorithm of OAEP, 0 if it is not
// accepted.
func hashOf(algorithm string) crypto.Hash {
	switch algorithm {
	case "", "http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2009/xmlenc11#mgf1sha1":
		return crypto.SHA1
	case "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2009/xmlenc11#mgf1sha256":
		return crypto.SHA256
	}
	return 0
}

// open decrypts data, which begins with its nonce or first block.
func open(key, sealed []byte, gcm bool) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if gcm {
		a, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		return a.Open(nil, nil, sealed, nil)
	}
	n := len(sealed) - aes.BlockSize
	if n < aes.BlockSize || n%aes.BlockSize != 0 {
		return nil, errDecrypt
	}
	plain := make([]byte, n)
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(plain, sealed[aes.BlockSize:])
	pad := int(plain[n-1]) // the other bytes of the padding are arbitrary
	if pad < 1 || pad > aes.BlockSize {
		return nil, errDecrypt
	}
	return plain[:n-pad], nil
}

// ParsePrivateKey reads an RSA private key in PEM, in the form of PKCS #1 or
// PKCS #8, of at least 2048 bits.
func ParsePrivateKey(text []byte) (*rsa.PrivateKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it is not one private key in PEM")
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k, checkPrivateKey(k)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it is neither in the form of PKCS #1 nor of PKCS #8, or it is encrypted")
	}
	k, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is no RSA key")
	}
	return k, checkPrivateKey(k)
}

func checkPrivateKey(k *rsa.PrivateKey) error {
	if k.N.BitLen() < minRSA {
		return fmt.Errorf("it has %d bits: at least %d", k.N.BitLen(), minRSA)
	}
	return nil
}
