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

// Hidden stands for a secret in an audit record, in CloudTrail's words.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// EndJSON closes an operation's object, which began at b[start]. One without members becomes null, as in
// CloudTrail's requestParameters and responseElements.
func EndJSON(b []byte, start int) []byte {
	if len(b) == start+1 {
		return append(b[:start], "null"...)
	}
	return append(b, '}')
}

// AppendJSONKey appends a member's name, after a comma unless it is the first.
func AppendJSONKey(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(appendQuoted(b, name), ':')
}

// AppendJSONString appends a member with text.
func AppendJSONString(b []byte, name, v string) []byte {
	return appendQuoted(AppendJSONKey(b, name), v)
}

// AppendJSONDocument appends a member with a policy document as the answer has it, percent-encoded.
func AppendJSONDocument(b []byte, name, v string) []byte {
	b = append(AppendJSONKey(b, name), '"')
	b = AppendPercent(b, v)
	return append(b, '"')
}

// AppendJSONInt appends a member with a number.
func AppendJSONInt(b []byte, name string, v int32) []byte {
	return strconv.AppendInt(AppendJSONKey(b, name), int64(v), 10)
}

// AppendJSONBool appends a member with a truth value.
func AppendJSONBool(b []byte, name string, v bool) []byte {
	return strconv.AppendBool(AppendJSONKey(b, name), v)
}

// AppendJSONTime appends a member with a time in CloudTrail's form, or nothing for the zero time.
func AppendJSONTime(b []byte, name string, v time.Time) []byte {
	if v.IsZero() {
		return b
	}
	b = append(AppendJSONKey(b, name), '"')
	b = v.UTC().AppendFormat(b, "Jan 2, 2006, 3:04:05 PM")
	return append(b, '"')
}

// AppendJSONEpoch appends a member with a time as the JSON 1.1 protocol has it, in whole seconds, or
// nothing for the zero time.
func AppendJSONEpoch(b []byte, name string, v time.Time) []byte {
	if v.IsZero() {
		return b
	}
	return strconv.AppendInt(AppendJSONKey(b, name), v.Unix(), 10)
}

// AppendJSONError appends the answer of a failed operation of the JSON 1.1 protocol: the code, the
// message and the fields of e, never its cause.
func AppendJSONError(b []byte, e *awserr.Error) []byte {
	b = append(b, '{')
	b = AppendJSONString(b, "__type", e.Code)
	b = AppendJSONString(b, "Message", e.Message)
	for _, f := range e.Fields {
		b = AppendJSONString(b, f.Name, f.Value)
	}
	return append(b, '}')
}

// AppendJSONBlob appends a member with bytes in base64.
func AppendJSONBlob(b []byte, name string, v []byte) []byte {
	b = append(AppendJSONKey(b, name), '"')
	b = base64.StdEncoding.AppendEncode(b, v)
	return append(b, '"')
}

// AppendJSONStrings appends a member with a list of strings.
func AppendJSONStrings(b []byte, name string, list []string) []byte {
	b = append(AppendJSONKey(b, name), '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, v)
	}
	return append(b, ']')
}

// AppendJSONList appends a member with a list of structures. object appends one structure.
func AppendJSONList[T any](b []byte, name string, list []T, object func(*T, []byte) []byte) []byte {
	b = append(AppendJSONKey(b, name), '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = object(&list[i], b)
	}
	return append(b, ']')
}

// AppendJSONMap appends a member with a map in the order of its keys. value
// appends the member of one value.
func AppendJSONMap[V any](b []byte, name string, m map[string]V, value func([]byte, string, V) []byte) []byte {
	b = append(AppendJSONKey(b, name), '{')
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b = value(b, key, m[key])
	}
	return append(b, '}')
}

// appendQuoted appends s as a JSON string. What is not UTF-8 becomes U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, s[start:i]...)
				b = utf8.AppendRune(b, utf8.RuneError)
				start = i + n
			}
			i += n
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			start = i + 1
		}
		i++
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
