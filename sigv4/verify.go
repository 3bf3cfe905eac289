// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// errNoKey answers a caller that found no secret and verifies all the same.
var errNoKey = errors.New("sigv4: no key to verify with")

// A Verifier checks signatures. Its zero value is useful, takes any region
// and service, and derives the signing key each time. A Verifier may be used
// by several goroutines at once when its fields no longer change.
type Verifier struct {
	// Services and Regions are those that a credential may be scoped to. An
	// empty list means any (but never an empty name). A server that is not S3
	// should name its services: requests for S3 need not sign their body.
	Services []string
	Regions  []string

	// Skew is how far the signing time may be from Now, either way. Zero
	// means 5 minutes.
	Skew time.Duration

	// MaxExpires bounds how long a presigned request is good. Zero means 7
	// days, AWS's own limit.
	MaxExpires time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Keys remembers signing keys. Nil means that none is remembered.
	Keys *KeyCache
}

// Verify checks that r was signed with secret, and recently. s comes from
// Parse(r) and r has not changed since.
//
// A body that is not nil is the whole request body, and is always covered:
// a request that leaves its body unsigned does not verify. A nil body means
// that the request has none or, for S3, that it will be read through
// [Signature.Body].
//
// The error is a *MismatchError, *SkewError, *ExpiredError, *ScopeError,
// *UnsignedError or *IncompleteError; any other means that there is no secret.
func (v *Verifier) Verify(r *http.Request, s *Signature, secret string, body []byte) error {
	if err := v.check(r, s); err != nil {
		return err
	}
	if secret == "" {
		return errNoKey
	}
	fp := v.Keys.fingerprint(secret)
	key, hit := v.Keys.get(s.Credential, &fp)
	if !hit {
		key = deriveKey(secret, s.Credential)
	}
	if err := s.match(r, &key, body); err != nil {
		return err
	}
	if !hit {
		v.Keys.put(s.Credential, &fp, &key) // only keys that proved themselves, so that noise evicts nothing
	}
	return nil
}

// VerifyKey is Verify with the signing key of s.Credential instead of its
// secret. It does not use v.Keys.
func (v *Verifier) VerifyKey(r *http.Request, s *Signature, key Key, body []byte) error {
	if err := v.check(r, s); err != nil {
		return err
	}
	if key == (Key{}) {
		return errNoKey
	}
	return s.match(r, &key, body)
}

// check tests all that needs no key.
func (v *Verifier) check(r *http.Request, s *Signature) error {
	s.verified = false
	if s.Form || len(s.date) != len(timeLayout) {
		return ErrMissing // no Signature that Parse returned
	}
	if err := v.checkScope(s); err != nil {
		return err
	}
	if err := v.checkTime(s); err != nil {
		return err
	}
	return s.checkSigned(r)
}

func (v *Verifier) checkScope(s *Signature) error {
	if s.Service == "" || len(v.Services) > 0 && !slices.Contains(v.Services, s.Service) {
		want := strings.Join(v.Services, "' or '")
		return scopeError("Credential should be scoped to correct service: '%s'. ", want)
	}
	if s.Region == "" || len(v.Regions) > 0 && !slices.Contains(v.Regions, s.Region) {
		return scopeError("Credential should be scoped to a valid region, not '%s'. ", s.Region)
	}
	if day := s.date[:len("20060102")]; s.Date != day {
		return scopeError("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"'%s' != '%s', from '%s'.", s.Date, day, s.date)
	}
	return nil
}

func (v *Verifier) checkTime(s *Signature) error {
	t, skew := v.clock()
	early := s.Time.After(t.Add(skew))
	if s.Expires == 0 {
		if early || s.Time.Before(t.Add(-skew)) {
			return &SkewError{Signed: s.Time, Now: t, Skew: skew}
		}
		return nil
	}
	limit := 7 * 24 * time.Hour
	if v.MaxExpires != 0 {
		limit = v.MaxExpires
	}
	switch {
	case s.Expires > limit:
		return incomplete("X-Amz-Expires", "X-Amz-Expires must be less than a week (in seconds); "+
			"that is, the given X-Amz-Expires must be less than %d seconds", limit/time.Second)
	case early:
		return &SkewError{Signed: s.Time, Now: t, Skew: skew}
	case t.After(s.Time.Add(s.Expires)):
		return &ExpiredError{Expires: s.Time.Add(s.Expires), Now: t}
	}
	return nil
}

// clock returns the time and what another clock may be off.
func (v *Verifier) clock() (time.Time, time.Duration) {
	now, skew := time.Now, 5*time.Minute
	if v.Now != nil {
		now = v.Now
	}
	if v.Skew != 0 {
		skew = v.Skew
	}
	return now(), skew
}

// checkSigned requires that the signature covers the host and every x-amz-*
// header that came, so that nobody adds one on the way (IAM User Guide,
// "Create a signed AWS API request": host and x-amz-* must be signed).
func (s *Signature) checkSigned(r *http.Request) error {
	if !signs(s.SignedHeaders, "host") {
		return &UnsignedError{Header: "host"}
	}
	const prefix = "x-amz-"
	for name := range r.Header {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) && !signs(s.SignedHeaders, name) {
			return &UnsignedError{Header: strings.ToLower(name)}
		}
	}
	return nil
}

// signs reports whether list has the header name, in any letter case.
func signs(list, name string) bool {
	for more := true; more; {
		var n string
		n, list, more = strings.Cut(list, ";")
		if len(n) == len(name) && strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// match compares the signature with the one that key gives, in constant time.
func (s *Signature) match(r *http.Request, key *Key, body []byte) error {
	sc := getScratch()
	defer putScratch(sc)
	path, query, err := splitTarget(r)
	if err != nil {
		return err
	}
	declared := EmptyPayload
	if s.S3() {
		declared = s.Payload
	}
	m := message{r: r, path: path, query: query, s3: s.S3(), signedHeaders: s.SignedHeaders}
	if body != nil {
		sum := sha256.Sum256(body)
		m.payload = hex.AppendEncode(sc.payload[:0], sum[:])
		declared = ""
	} else {
		m.payload = append(sc.payload[:0], declared...)
	}
	if err := sc.canonicalise(&m); err != nil {
		return err
	}
	sum := sha256.Sum256(sc.buf)
	toSign := appendStringToSign(sc.buf[:0], s.date, s.Credential, sum[:])
	sc.buf = toSign
	if !equalHex(hmacSHA256(key[:], toSign), s.signature) {
		e := &MismatchError{StringToSign: string(toSign)}
		m.mask = true
		if err := sc.canonicalise(&m); err != nil {
			return err
		}
		e.CanonicalRequest = string(sc.buf)
		return e
	}
	s.verified, s.key, s.payload = true, *key, declared
	return nil
}

// equalHex reports in constant time whether got is sum in lower-case hex.
func equalHex(sum [sha256.Size]byte, got string) bool {
	var a, b [hexSize]byte
	hex.Encode(a[:], sum[:])
	n := copy(b[:], got)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && n == len(got)
}
