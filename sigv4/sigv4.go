// SPDX-License-Identifier: Apache-2.0

// Package sigv4 verifies and makes AWS Signature Version 4 signatures.
//
// A server looks the secret up between two steps:
//
//	sig, err := sigv4.Parse(r)                      // whose signature is it?
//	secret := …                                     // sig.AccessKeyID, sig.SessionToken
//	err = verifier.Verify(r, sig, secret, body)     // is it right?
//
// A service that streams bodies (S3) passes no body to Verify and reads it
// through [Signature.Body], which checks what was signed about it.
//
// Everything is computed from the request target as it came, never from
// url.Query or a cleaned path, so that no part of a request escapes its
// signature because two parsers read it differently.
//
// A [Signer] makes the same signatures, with the same code.
package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// What a request can declare in x-amz-content-sha256 besides the lower-case
// hex SHA-256 of its body (S3 API Reference, "Authenticating Requests").
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	StreamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// EmptyPayload is the payload hash of an empty body.
const EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeLayout = "20060102T150405Z"
	hexSize    = 2 * sha256.Size
)

// HashPayload returns the lower-case hex SHA-256 of body.
func HashPayload(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// A Credential names an access key and the scope that a signature is good for.
type Credential struct {
	AccessKeyID string
	Date        string // yyyymmdd, UTC
	Region      string
	Service     string
}

// Scope returns the credential scope, date/region/service/aws4_request.
func (c Credential) Scope() string {
	return c.Date + "/" + c.Region + "/" + c.Service + "/" + terminator
}

// String returns the access key id and the scope, as in a request.
func (c Credential) String() string { return c.AccessKeyID + "/" + c.Scope() }

// GoString is String, so that %#v of what embeds a Credential prints no key.
func (c Credential) GoString() string { return c.String() }

// S3 reports whether the scope's service signs S3's way: its path is not
// normalised and is encoded once, and it declares its payload.
func (c Credential) S3() bool {
	switch c.Service {
	case "s3", "s3express", "s3-object-lambda", "s3-outposts":
		return true
	}
	return false
}

// A Key is a signing key: good for one day, region and service of one secret.
// The zero Key is no key and verifies nothing.
type Key [sha256.Size]byte

// String hides the key from logs.
func (Key) String() string { return "sigv4.Key(hidden)" }

// GoString hides the key from logs.
func (k Key) GoString() string { return k.String() }

// DeriveKey returns the signing key that secret gives for a day (yyyymmdd,
// UTC), region and service. The secret cannot be found from it, so it may be
// given to a gateway that must never hold long-term secrets. An empty secret
// gives the zero Key.
func DeriveKey(secret, date, region, service string) Key {
	if secret == "" {
		return Key{}
	}
	var first, msg [128]byte
	k := hmacSHA256(append(append(first[:0], "AWS4"...), secret...), append(msg[:0], date...))
	k = hmacSHA256(k[:], append(msg[:0], region...))
	k = hmacSHA256(k[:], append(msg[:0], service...))
	return hmacSHA256(k[:], append(msg[:0], terminator...))
}

func deriveKey(secret string, c Credential) Key {
	return DeriveKey(secret, c.Date, c.Region, c.Service)
}

// hmacSHA256 is HMAC-SHA-256 (RFC 2104). Package crypto/hmac allocates its
// state on every use, which is half of the cost of a short message.
func hmacSHA256(key, msg []byte) [sha256.Size]byte {
	var pad [sha256.BlockSize]byte
	if len(key) > len(pad) {
		sum := sha256.Sum256(key)
		copy(pad[:], sum[:])
	} else {
		copy(pad[:], key)
	}
	for i := range pad {
		pad[i] ^= 0x36
	}
	var room [sha256.BlockSize + 512]byte
	inner := sha256.Sum256(append(append(room[:0], pad[:]...), msg...))
	for i := range pad {
		pad[i] ^= 0x36 ^ 0x5c
	}
	return sha256.Sum256(append(append(room[:0], pad[:]...), inner[:]...))
}

// appendStringToSign appends the string to sign of a request whose canonical
// form has the given hash. date is in ISO 8601 basic form.
func appendStringToSign(b []byte, date string, c Credential, canonicalHash []byte) []byte {
	b = append(b, algorithm...)
	b = append(b, '\n')
	b = append(b, date...)
	b = append(b, '\n')
	b = appendScope(b, c)
	b = append(b, '\n')
	return hex.AppendEncode(b, canonicalHash)
}

func appendScope(b []byte, c Credential) []byte {
	b = append(b, c.Date...)
	b = append(b, '/')
	b = append(b, c.Region...)
	b = append(b, '/')
	b = append(b, c.Service...)
	b = append(b, '/')
	return append(b, terminator...)
}

// parseTime reads ISO 8601 basic form, which has seconds and Z and nothing else.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeLayout) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	ok := true
	number := func(from, to int) (n int) {
		for _, c := range []byte(s[from:to]) {
			ok = ok && '0' <= c && c <= '9'
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(4, 6), number(6, 8)
	hour, minute, second := number(9, 11), number(11, 13), number(13, 15)
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day && t.Month() == time.Month(month) // no 30 February
}

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }
