// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// Output is the result of an operation.
type Output interface {
	// AppendResult appends the result as the service's protocol has it: the Result element or the JSON
	// object, or nothing for an operation without output.
	AppendResult(b []byte) []byte
	// AppendJSON appends the result as an audit record shows it, with secrets hidden.
	AppendJSON(b []byte) []byte
}

// AppendResponse appends the answer of a successful operation. A nil out means no Result element.
func AppendResponse(b []byte, op, namespace, requestID string, out Output) []byte {
	b = append(b, '<')
	b = append(b, op...)
	b = append(b, `Response xmlns="`...)
	b = AppendEscaped(b, namespace)
	b = append(b, `">`...)
	if out != nil {
		b = out.AppendResult(b)
	}
	b = append(b, "<ResponseMetadata>"...)
	b = AppendString(b, "RequestId", requestID)
	b = append(b, "</ResponseMetadata></"...)
	b = append(b, op...)
	return append(b, "Response>"...)
}

// AppendError appends the answer of a failed operation: the code, the message and the fields of e,
// never its cause.
func AppendError(b []byte, namespace string, e *awserr.Error, requestID string) []byte {
	b = append(b, `<ErrorResponse xmlns="`...)
	b = AppendEscaped(b, namespace)
	b = append(b, `"><Error>`...)
	b = AppendString(b, "Type", string(e.Fault))
	b = AppendString(b, "Code", e.Code)
	b = AppendString(b, "Message", e.Message)
	for _, f := range e.Fields {
		b = AppendString(b, f.Name, f.Value)
	}
	b = append(b, "</Error>"...)
	b = AppendString(b, "RequestId", requestID)
	return append(b, "</ErrorResponse>"...)
}

// AppendStart appends a start tag.
func AppendStart(b []byte, name string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	return append(b, '>')
}

// AppendEnd appends an end tag.
func AppendEnd(b []byte, name string) []byte {
	b = append(b, '<', '/')
	b = append(b, name...)
	return append(b, '>')
}

// AppendString appends an element with text.
func AppendString(b []byte, name, v string) []byte {
	b = AppendStart(b, name)
	b = AppendEscaped(b, v)
	return AppendEnd(b, name)
}

// AppendDocument appends an element with a policy document, which IAM sends percent-encoded so that it
// arrives byte for byte (IAM API Reference, GetPolicyVersion: "URL-encoded compliant with RFC 3986").
func AppendDocument(b []byte, name, v string) []byte {
	b = AppendStart(b, name)
	b = AppendPercent(b, v)
	return AppendEnd(b, name)
}

// AppendInt appends an element with a number.
func AppendInt(b []byte, name string, v int32) []byte {
	b = AppendStart(b, name)
	b = strconv.AppendInt(b, int64(v), 10)
	return AppendEnd(b, name)
}

// AppendBool appends an element with a truth value.
func AppendBool(b []byte, name string, v bool) []byte {
	b = AppendStart(b, name)
	b = strconv.AppendBool(b, v)
	return AppendEnd(b, name)
}

// AppendTime appends an element with a time in UTC to the second, or nothing for the zero time.
func AppendTime(b []byte, name string, v time.Time) []byte {
	if v.IsZero() {
		return b
	}
	b = AppendStart(b, name)
	b = v.UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
	return AppendEnd(b, name)
}

// AppendBlob appends an element with bytes in base64.
func AppendBlob(b []byte, name string, v []byte) []byte {
	b = AppendStart(b, name)
	b = base64.StdEncoding.AppendEncode(b, v)
	return AppendEnd(b, name)
}

// AppendStrings appends a list of strings, an empty one as an empty element.
func AppendStrings(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return appendEmpty(b, name)
	}
	b = AppendStart(b, name)
	for _, v := range list {
		b = AppendString(b, "member", v)
	}
	return AppendEnd(b, name)
}

// AppendList appends a list of structures, an empty one as an empty element. members appends what is
// inside one structure.
func AppendList[T any](b []byte, name string, list []T, members func(*T, []byte) []byte) []byte {
	if len(list) == 0 {
		return appendEmpty(b, name)
	}
	b = AppendStart(b, name)
	for i := range list {
		b = append(b, "<member>"...)
		b = members(&list[i], b)
		b = append(b, "</member>"...)
	}
	return AppendEnd(b, name)
}

// AppendMap appends a map in the order of its keys. value appends the element of one value.
func AppendMap[V any](b []byte, name string, m map[string]V, value func([]byte, string, V) []byte) []byte {
	if len(m) == 0 {
		return appendEmpty(b, name)
	}
	b = AppendStart(b, name)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b = append(b, "<entry>"...)
		b = AppendString(b, "key", key)
		b = value(b, "value", m[key])
		b = append(b, "</entry>"...)
	}
	return AppendEnd(b, name)
}

func appendEmpty(b []byte, name string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	return append(b, '/', '>')
}

// AppendEscaped appends s as XML character data that is also fit for an attribute. What XML 1.0 cannot
// carry, and what is not UTF-8, becomes U+FFFD.
func AppendEscaped(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
				b = append(b, s[start:i]...)
				b = utf8.AppendRune(b, utf8.RuneError)
				start = i + n
			}
			i += n
			continue
		}
		if esc := xmlEscapes[c]; esc != "" {
			b = append(b, s[start:i]...)
			b = append(b, esc...)
			start = i + 1
		}
		i++
	}
	return append(b, s[start:]...)
}

// xmlEscapes has what stands for an ASCII character; "" is the character itself. A carriage return
// needs a reference because parsers turn a literal one into a line feed.
var xmlEscapes = func() (t [utf8.RuneSelf]string) {
	for c := range ' ' {
		t[c] = "\uFFFD"
	}
	t['\t'], t['\n'], t['\r'] = "", "", "&#xD;"
	t['&'], t['<'], t['>'], t['"'] = "&amp;", "&lt;", "&gt;", "&quot;"
	return t
}()

// AppendPercent appends s percent-encoded: all but letters, digits and -._~ (RFC 3986, section 2.3).
func AppendPercent(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}
