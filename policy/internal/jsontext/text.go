// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Text reads a string in double quotes. Without escapes the result is a part
// of the source.
func (r *Reader) Text() (string, bool) {
	start := r.off
	r.off++
	for r.off < len(r.src) {
		switch c := r.src[r.off]; {
		case c == '"':
			s := r.src[start+1 : r.off]
			r.off++
			return s, true
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", r.control(start, c)
		}
		r.off++
	}
	return "", r.unclosed(start)
}

// escaped reads the rest of a string from its first backslash on.
func (r *Reader) escaped(start int) (string, bool) {
	var b strings.Builder
	b.WriteString(r.src[start+1 : r.off])
	for r.off < len(r.src) {
		switch c := r.src[r.off]; {
		case c == '"':
			r.off++
			return b.String(), true
		case c == '\\':
			if !r.escape(&b) {
				return "", false
			}
		case c < ' ':
			return "", r.control(start, c)
		default:
			b.WriteByte(c)
			r.off++
		}
	}
	return "", r.unclosed(start)
}

func (r *Reader) unclosed(start int) bool {
	return r.Invalid(r.at(start), `add the closing "`, "the string is not closed")
}

// control fails on a control character in a string.
func (r *Reader) control(start int, c byte) bool {
	switch c {
	case '\n', '\r':
		return r.Invalid(r.at(start), `add the closing ", or write \n for a line break`, "the string is not closed on its line")
	case '\t':
		return r.Invalid(r.Pos(), `write \t`, "a tab in a string")
	}
	return r.Invalid(r.Pos(), "remove it", "the control character %U in a string", c)
}

const escapes = `"\/bfnrt`

// escape reads one backslash sequence into b.
func (r *Reader) escape(b *strings.Builder) bool {
	pos := r.Pos()
	r.off++
	if r.off >= len(r.src) {
		return r.Invalid(pos, "", "the text ends after a backslash")
	}
	c := r.src[r.off]
	if c == 'u' {
		return r.unicode(b, pos)
	}
	i := strings.IndexByte(escapes, c)
	if i < 0 {
		return r.Invalid(pos, `write \\ for a backslash`, `\%s is no escape sequence`, strings.Trim(r.Found(), `"`))
	}
	r.off++
	b.WriteByte("\"\\/\b\f\n\r\t"[i])
	return true
}

// unicode reads the rest of \uXXXX, or of a surrogate pair of them.
func (r *Reader) unicode(b *strings.Builder, pos Position) bool {
	c, ok := r.hex()
	if !ok {
		return r.Invalid(pos, "", `\u needs four hexadecimal digits`)
	}
	if utf16.IsSurrogate(c) {
		if strings.HasPrefix(r.src[r.off:], `\u`) {
			r.off++
			low, ok := r.hex()
			if !ok {
				return r.Invalid(pos, "", `\u needs four hexadecimal digits`)
			}
			c = utf16.DecodeRune(c, low)
		} else {
			c = utf8.RuneError
		}
		if c == utf8.RuneError {
			return r.Invalid(pos, "", `half of a surrogate pair`)
		}
	}
	b.WriteRune(c)
	return true
}

// hex reads four hexadecimal digits after the u at the offset.
func (r *Reader) hex() (rune, bool) {
	if len(r.src)-r.off < 5 {
		return 0, false
	}
	digits := r.src[r.off+1 : r.off+5]
	n, err := strconv.ParseUint(digits, 16, 32)
	r.off += 5
	return rune(n), err == nil && digits[0] != '+'
}

// Clip shortens text from a document for a message.
func Clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// Quote quotes text from a document for a message, shortened.
func Quote(s string) string { return strconv.Quote(Clip(s)) }
