// SPDX-License-Identifier: Apache-2.0

// Package confusion asks whether a gateway and the store behind it can be made to
// understand one request in two ways: its test sends thousands of odd requests, most
// of them with a valid signature, and watches what the store is sent and what becomes
// of its objects.
package confusion

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// A field is a header, as it is written.
type field struct{ name, value string }

// A message is an HTTP request as bytes: nothing of it need be well formed.
type message struct {
	method, target, version string
	fields                  []field
	body                    string
}

// String is what is sent.
func (m *message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", m.method, m.target, m.version)
	for _, f := range m.fields {
		fmt.Fprintf(&b, "%s%s\r\n", f.name, f.value)
	}
	return b.String() + "\r\n" + m.body
}

// add appends a well-formed header.
func (m *message) add(name, value string) {
	m.fields = append(m.fields, field{name + ":", " " + value})
}

// A reading is how a signer understands a target: the canonical path and query.
type reading func(target string) (path, query string)

// verbatim leaves the path as it is written, as clients do that encode it once.
func verbatim(target string) (path, query string) {
	path, query, _ = strings.Cut(target, "?")
	return path, canonicalQuery(query)
}

// normal decodes the path and encodes it again.
func normal(target string) (path, query string) {
	path, query, _ = strings.Cut(target, "?")
	return encode(decode(path), "/"), canonicalQuery(query)
}

func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	params := strings.Split(query, "&")
	for i, p := range params {
		name, value, _ := strings.Cut(p, "=")
		params[i] = encode(decode(name), "") + "=" + encode(decode(value), "")
	}
	slices.Sort(params)
	return strings.Join(params, "&")
}

// decode takes percent-encoding away, and leaves what is none.
func decode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func encode(s, safe string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~"+safe, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// sign adds a signature of Version 4 over the host, the x-amz-* headers and the
// target as read has it. It is written from the specification and shares nothing with
// what it tests.
func (m *message) sign(k server.Key, now time.Time, read reading) {
	const payload = "UNSIGNED-PAYLOAD"
	date := now.UTC().Format("20060102T150405Z")
	m.add("X-Amz-Date", date)
	m.add("X-Amz-Content-Sha256", payload)
	values := make(map[string][]string)
	for _, f := range m.fields {
		name := strings.ToLower(strings.TrimRight(strings.TrimSuffix(f.name, ":"), " \t"))
		if name == "host" || strings.HasPrefix(name, "x-amz-") {
			values[name] = append(values[name], strings.TrimSpace(f.value))
		}
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var headers strings.Builder
	for _, name := range names {
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.Join(values[name], ","))
	}
	path, query := read(m.target)
	list := strings.Join(names, ";")
	canonical := strings.Join([]string{m.method, path, query, headers.String(), list, payload}, "\n")
	scope := date[:8] + "/" + server.Region + "/s3/aws4_request"
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + k.Secret)
	for _, part := range []string{date[:8], server.Region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	signature := mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+hex.EncodeToString(sum[:]))
	m.add("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", k.ID, scope, list, signature))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
