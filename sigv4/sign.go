// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Signer signs requests with one credential. It may be used by several
// goroutines at once when its fields no longer change.
type Signer struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // "" for long-term keys
	Region          string
	Service         string

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Keys remembers signing keys. Nil means that none is remembered.
	Keys *KeyCache
}

// Sign signs r in its Authorization header. It signs the host, Content-Type,
// Content-MD5 and every X-Amz-* header that r has, so they must not change
// afterwards; it sets X-Amz-Date and, where they apply, X-Amz-Security-Token
// and X-Amz-Content-Sha256.
//
// payload is HashPayload of the body, "" for no body, or for S3 one of the
// declarations UnsignedPayload, StreamingSigned, and so on. A streaming
// declaration makes Sign wrap r.Body, which must be r.ContentLength bytes
// long, in aws-chunked encoding; the trailing checksum that X-Amz-Trailer
// names, if any, is then computed and added.
func (s *Signer) Sign(r *http.Request, payload string) error {
	c, date, err := s.begin()
	if err != nil {
		return err
	}
	if payload == "" {
		payload = EmptyPayload
	}
	if !validPayload(payload) || !c.S3() && !isHex(payload) {
		return fmt.Errorf("sigv4: service %s cannot take the payload declaration %q", c.Service, payload)
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", date)
	r.Header.Del("X-Amz-Security-Token")
	if s.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.SessionToken)
	}
	if c.S3() {
		r.Header.Set("X-Amz-Content-Sha256", payload)
	}
	var stream *chunkWriter
	if strings.HasPrefix(payload, "STREAMING-") {
		if stream, err = newChunkWriter(r, payload); err != nil {
			return err
		}
	}
	path, query, err := splitTarget(r)
	if err != nil {
		return err
	}
	signed := signedHeaders(r)
	key := s.key(c)
	signature, err := sign(&message{r: r, path: path, query: query, s3: c.S3(), signedHeaders: signed,
		payload: []byte(payload)}, c, date, &key)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", algorithm+" Credential="+c.String()+
		", SignedHeaders="+signed+", Signature="+signature)
	if stream != nil {
		stream.chain = newChain(key, c, date, signature)
	}
	return nil
}

// Presign returns a URL that carries r's signature in its query string and is
// good for expires, which is rounded down to seconds. r is not changed. The
// request made with the URL must have r's method and the headers of r that
// Sign would sign. payload is as for Sign, without streaming; "" means
// UnsignedPayload for S3.
func (s *Signer) Presign(r *http.Request, expires time.Duration, payload string) (string, error) {
	c, date, err := s.begin()
	if err != nil {
		return "", err
	}
	switch {
	case payload == "" && c.S3():
		payload = UnsignedPayload
	case payload == "":
		payload = EmptyPayload
	}
	if !isHex(payload) && (payload != UnsignedPayload || !c.S3()) {
		return "", fmt.Errorf("sigv4: a presigned request to service %s cannot take the payload declaration %q", c.Service, payload)
	}
	if expires < time.Second {
		return "", errors.New("sigv4: a presigned URL must be good for a second or more")
	}
	path, query, err := splitTarget(r)
	if err != nil {
		return "", err
	}
	signed := signedHeaders(r)
	add := func(name, value string) {
		if query != "" {
			query += "&"
		}
		query += name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	}
	add("X-Amz-Algorithm", algorithm)
	add("X-Amz-Credential", c.String())
	add("X-Amz-Date", date)
	add("X-Amz-Expires", strconv.FormatInt(int64(expires/time.Second), 10))
	add("X-Amz-SignedHeaders", signed)
	if s.SessionToken != "" {
		add("X-Amz-Security-Token", s.SessionToken)
	}
	if c.S3() && isHex(payload) && r.Header.Get("X-Amz-Content-Sha256") == "" {
		add("X-Amz-Content-Sha256", payload)
	}
	key := s.key(c)
	signature, err := sign(&message{r: r, path: path, query: query, s3: c.S3(), signedHeaders: signed,
		payload: []byte(payload)}, c, date, &key)
	if err != nil {
		return "", err
	}
	return r.URL.Scheme + "://" + host(r) + path + "?" + query + "&X-Amz-Signature=" + signature, nil
}

// begin returns the credential and the time of a new signature.
func (s *Signer) begin() (Credential, string, error) {
	if s.AccessKeyID == "" || s.SecretAccessKey == "" || s.Region == "" || s.Service == "" {
		return Credential{}, "", errors.New("sigv4: a Signer needs an access key, a secret, a region and a service")
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	date := formatTime(now())
	return Credential{AccessKeyID: s.AccessKeyID, Date: date[:len("20060102")], Region: s.Region, Service: s.Service}, date, nil
}

func (s *Signer) key(c Credential) Key {
	fp := s.Keys.fingerprint(s.SecretAccessKey)
	key, ok := s.Keys.get(c, &fp)
	if !ok {
		key = deriveKey(s.SecretAccessKey, c)
		s.Keys.put(c, &fp, &key)
	}
	return key
}

// signedHeaders returns the names of the headers of r to sign.
func signedHeaders(r *http.Request) string {
	var room [24]string
	names := append(room[:0], "host")
	for name := range r.Header {
		switch {
		case name == "X-Amz-Date": // with every request: save the conversion
			names = append(names, "x-amz-date")
		case name == "X-Amz-Content-Sha256":
			names = append(names, "x-amz-content-sha256")
		case len(name) >= len("x-amz-") && strings.EqualFold(name[:len("x-amz-")], "x-amz-"),
			strings.EqualFold(name, "content-type"), strings.EqualFold(name, "content-md5"):
			names = append(names, strings.ToLower(name))
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ";")
}

// sign returns the signature of m in hex.
func sign(m *message, c Credential, date string, key *Key) (string, error) {
	sc := getScratch()
	defer putScratch(sc)
	if err := sc.canonicalise(m); err != nil {
		return "", err
	}
	sum := sha256.Sum256(sc.buf)
	sc.buf = appendStringToSign(sc.buf[:0], date, c, sum[:])
	mac := hmacSHA256(key[:], sc.buf)
	return hex.EncodeToString(mac[:]), nil
}
