// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Limits on what is canonicalised. They are far above what any AWS client
// sends.
const (
	maxTarget        = 64 << 10 // bytes of the request target
	maxParams        = 1024     // query parameters
	maxAuthorization = 8 << 10  // bytes of an Authorization header
	maxSignedHeaders = 128      // names in SignedHeaders
	maxToken         = 16 << 10 // bytes of a session token
	maxElement       = 128      // bytes of an element of a credential
)

// A message is a request as the canonical form sees it.
type message struct {
	r             *http.Request
	path, query   string // raw, from splitTarget
	s3            bool   // path rules
	signedHeaders string // lower case, sorted, joined by ';'
	payload       []byte
	mask          bool // hide what may be secret, for error messages
}

// A scratch holds the buffers of one canonicalisation. It is not cleared.
type scratch struct {
	buf     []byte // the canonical request, later the string to sign
	enc     []byte // encoded query parameters
	params  []param
	name    []byte // one canonical header name
	payload [hexSize]byte
}

// A param is an encoded query parameter: scratch.enc[start:mid] is its name,
// scratch.enc[mid:end] its value.
type param struct{ start, mid, end int }

var scratches = sync.Pool{New: func() any {
	return &scratch{buf: make([]byte, 0, 2048), enc: make([]byte, 0, 512), name: make([]byte, 0, 64)}
}}

func getScratch() *scratch { return scratches.Get().(*scratch) }

// putScratch keeps sc for reuse, unless a huge request has grown it.
func putScratch(sc *scratch) {
	if cap(sc.buf)+cap(sc.enc) <= 2*maxTarget {
		scratches.Put(sc)
	}
}

// splitTarget returns the raw path and query of the request target: as it
// came for a server's request, as it will be sent for a client's. The path
// starts with a slash.
func splitTarget(r *http.Request) (path, query string, err error) {
	target := r.RequestURI
	if target == "" && r.URL != nil {
		target = r.URL.RequestURI()
	}
	if len(target) > maxTarget {
		return "", "", incomplete("URI", "The request target is longer than %d bytes.", maxTarget)
	}
	path, query, _ = strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") {
		// RFC 9112 3.2.2: a server has to take the absolute form too.
		_, rest, ok := strings.Cut(path, "://")
		if !ok {
			return "", "", incomplete("URI", "The request target must start with a slash.")
		}
		path = "/"
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			path = rest[i:]
		}
	}
	return path, query, nil
}

// canonicalise leaves the canonical request of m in sc.buf.
func (sc *scratch) canonicalise(m *message) error {
	b := append(sc.buf[:0], m.r.Method...)
	if m.r.Method == "" {
		b = append(b, http.MethodGet...) // what an http.Client sends
	}
	b = append(b, '\n')
	var err error
	if m.s3 {
		if b, err = appendPathS3(b, m.path); err != nil {
			return err
		}
	} else {
		b = appendPath(b, m.path)
	}
	b = append(b, '\n')
	if m.query != "" {
		if err := sc.encodeQuery(m.query); err != nil {
			return err
		}
		b = sc.appendQuery(b, m.mask)
	}
	b = append(b, '\n')
	for names := m.signedHeaders; names != ""; {
		var name string
		name, names, _ = strings.Cut(names, ";")
		b = append(b, name...)
		b = append(b, ':')
		if m.mask && secretHeader(name) {
			b = append(b, masked...)
		} else {
			b = sc.appendHeader(b, m.r, name)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, m.signedHeaders...)
	b = append(b, '\n')
	sc.buf = append(b, m.payload...)
	return nil
}

// appendHeader appends the canonical value of the header with the given
// lower-case name; an absent header has the empty value.
func (sc *scratch) appendHeader(b []byte, r *http.Request, name string) []byte {
	switch name {
	case "host":
		return appendTrimmed(b, host(r))
	case "content-length":
		if len(r.Header["Content-Length"]) == 0 && r.ContentLength > 0 {
			return strconv.AppendInt(b, r.ContentLength, 10)
		}
	case "transfer-encoding":
		if len(r.TransferEncoding) > 0 {
			return appendTrimmed(b, strings.Join(r.TransferEncoding, ","))
		}
	}
	sc.name = appendCanonicalName(sc.name[:0], name)
	for i, v := range r.Header[string(sc.name)] {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, v)
	}
	return b
}

func host(r *http.Request) string {
	if r.Host == "" && r.URL != nil {
		return r.URL.Host
	}
	return r.Host
}

// appendCanonicalName appends the lower-case name as http.Header spells it.
func appendCanonicalName(b []byte, name string) []byte {
	upper := true
	for i := range len(name) {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
		upper = c == '-'
	}
	return b
}

// appendTrimmed appends v without outer white space and with every run of
// spaces as one.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	for {
		i := strings.Index(v, "  ")
		if i < 0 {
			return append(b, v...)
		}
		b = append(b, v[:i+1]...)
		v = strings.TrimLeft(v[i:], " ")
	}
}

// unreserved holds the bytes that RFC 3986 never encodes.
var unreserved = func() (t [256]bool) {
	for c := range t {
		t[c] = 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' ||
			c == '-' || c == '_' || c == '.' || c == '~'
	}
	return t
}()

const upperHex = "0123456789ABCDEF"

func appendEncoded(b []byte, c byte) []byte {
	if unreserved[c] {
		return append(b, c)
	}
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

// unhex returns the value of a hex digit, or 16 or more.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// appendNormal appends s, percent-encoded or not, in the one form that AWS
// signs: unreserved bytes plain, all others as %XX. With slashes, a slash that
// comes plain stays plain. It reports whether s is well formed.
func appendNormal(b []byte, s string, slashes bool) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return b, false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi > 15 || lo > 15 {
				return b, false
			}
			i += 2
			b = appendEncoded(b, hi<<4|lo)
			continue
		}
		if slashes && c == '/' {
			b = append(b, c)
			continue
		}
		b = appendEncoded(b, c)
	}
	return b, true
}

// appendPathS3 appends an S3 path: every byte encoded once, slashes kept, no
// segment removed (S3 API Reference, "Signature Calculations: Canonical
// Request"). An encoded slash stays encoded: it is another key.
func appendPathS3(b []byte, path string) ([]byte, error) {
	b, ok := appendNormal(b, path, true)
	if !ok {
		return b, incomplete("URI", "The path has a malformed percent-encoding.")
	}
	return b, nil
}

// appendPath appends the path for all services but S3: empty and dot segments
// removed, and the path as it came encoded once more (IAM User Guide, "Create
// a signed AWS API request", step 1).
func appendPath(b []byte, path string) []byte {
	start := len(b)
	for rest := path; rest != ""; {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		switch segment {
		case "", ".":
		case "..":
			b = b[:start+max(0, bytes.LastIndexByte(b[start:], '/'))]
		default:
			b = append(b, '/')
			for i := range len(segment) {
				b = appendEncoded(b, segment[i])
			}
		}
	}
	if len(b) == start || path[len(path)-1] == '/' {
		b = append(b, '/')
	}
	return b
}

// encodeQuery fills sc.params with the encoded parameters of a raw query, in
// canonical order.
func (sc *scratch) encodeQuery(query string) error {
	sc.params, sc.enc = sc.params[:0], sc.enc[:0]
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		if len(sc.params) == maxParams {
			return incomplete("URI", "The query string has more than %d parameters.", maxParams)
		}
		name, value, _ := strings.Cut(pair, "=")
		p := param{start: len(sc.enc)}
		nameOK := sc.encodeParam(name)
		p.mid = len(sc.enc)
		valueOK := sc.encodeParam(value)
		p.end = len(sc.enc)
		if !nameOK || !valueOK {
			return incomplete("URI", "The query string has a malformed percent-encoding or an unencoded semicolon.")
		}
		sc.params = append(sc.params, p)
	}
	if len(sc.params) > 1 {
		enc := sc.enc
		slices.SortFunc(sc.params, func(x, y param) int {
			if c := bytes.Compare(enc[x.start:x.mid], enc[y.start:y.mid]); c != 0 {
				return c
			}
			return bytes.Compare(enc[x.mid:x.end], enc[y.mid:y.end])
		})
	}
	return nil
}

// encodeParam appends the encoded form of a name or value to sc.enc. A plus
// sign is a space, as in every form parser. A plain semicolon is refused: some
// parsers split at it, some drop the parameter.
func (sc *scratch) encodeParam(s string) bool {
	for {
		i := strings.IndexAny(s, "+;")
		part := s
		if i >= 0 {
			part = s[:i]
		}
		var ok bool
		if sc.enc, ok = appendNormal(sc.enc, part, false); !ok {
			return false
		}
		if i < 0 {
			return true
		}
		if s[i] == ';' {
			return false
		}
		sc.enc = append(sc.enc, "%20"...)
		s = s[i+1:]
	}
}

// appendQuery appends the canonical query. The signature itself is no part of
// what is signed.
func (sc *scratch) appendQuery(b []byte, mask bool) []byte {
	start := len(b)
	for _, p := range sc.params {
		name, value := sc.enc[p.start:p.mid], sc.enc[p.mid:p.end]
		if string(name) == "X-Amz-Signature" {
			continue
		}
		if len(b) > start {
			b = append(b, '&')
		}
		b = append(b, name...)
		b = append(b, '=')
		if mask && len(value) > 0 && secretParam(name) {
			b = append(b, masked...)
			continue
		}
		b = append(b, value...)
	}
	return b
}

const masked = "***"

// secretWords mark names whose values must not be repeated in an error.
var secretWords = []string{"token", "password", "secret", "privatekey", "assertion", "customer-key", "cookie", "authorization", "signature"}

func secretHeader(name string) bool {
	return slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(name, w) })
}

func secretParam(name []byte) bool { return secretHeader(strings.ToLower(string(name))) }
