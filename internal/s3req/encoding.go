// SPDX-License-Identifier: Apache-2.0

package s3req

import "strings"

// unreserved holds the bytes that SigV4 leaves plain (RFC 3986 2.3).
var unreserved = func() (t [256]bool) {
	for c := range t {
		t[c] = 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' ||
			c == '-' || c == '_' || c == '.' || c == '~'
	}
	return t
}()

// canonicalPath reports whether a raw path is as writeEncoded would write it. Only
// such that need no percent sign count.
func canonicalPath(s string) bool {
	for i := range len(s) {
		if c := s[i]; !unreserved[c] && c != '/' {
			return false
		}
	}
	return true
}

// writeEncoded writes s with every byte that is not unreserved as %XX; slashes
// stay plain when they may.
func writeEncoded(b *strings.Builder, s string, slashes bool) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if unreserved[c] || slashes && c == '/' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
}

// objectPath returns the canonical path of an object.
func objectPath(bucket, key string) string {
	var b strings.Builder
	b.Grow(len(bucket) + len(key) + 2 + 2*reservedBytes(key, true))
	b.WriteByte('/')
	b.WriteString(bucket)
	b.WriteByte('/')
	writeEncoded(&b, key, true)
	return b.String()
}

// reservedBytes counts the bytes that writeEncoded writes as %XX.
func reservedBytes(s string, slashes bool) (n int) {
	for i := range len(s) {
		if !unreserved[s[i]] && (!slashes || s[i] != '/') {
			n++
		}
	}
	return n
}

// decode undoes percent-encoding, once, and with plus also the plus sign for a space. It
// reports whether s is well formed.
func decode(s string, plus bool) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && (!plus || strings.IndexByte(s, '+') < 0) {
		return s, true
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+' && plus:
			c = ' '
		case c == '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi > 15 || lo > 15 {
				return "", false
			}
			c = hi<<4 | lo
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// unhex returns the value of a hex digit, or more than 15.
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
