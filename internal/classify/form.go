// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"strings"
	"unicode/utf8"
)

// parameters are those of a form or a query string, in the order in which they came.
type parameters []parameter

type parameter struct{ name, value string }

// maxParameters is how many parameters a form may have.
const maxParameters = 10_000

// parseParameters reads application/x-www-form-urlencoded text. A semicolon, which some servers take for "&", a bad
// escape, text that is not UTF-8 and a parameter without a name are errors.
func parseParameters(s string) (parameters, error) {
	var all parameters
	if s == "" {
		return nil, nil
	}
	if strings.Count(s, "&") >= maxParameters {
		return nil, fail(Malformed, "there are more than %d parameters", maxParameters)
	}
	for piece := range strings.SplitSeq(s, "&") {
		name, value, _ := strings.Cut(piece, "=")
		n, ok1 := unescape(name, true)
		v, ok2 := unescape(value, true)
		if !ok1 || !ok2 || n == "" || strings.Contains(piece, ";") {
			return nil, fail(Malformed, "parameter %q cannot be read", clip(piece))
		}
		all = append(all, parameter{n, v})
	}
	return all, nil
}

// unescape decodes percent escapes, and in forms "+" to a space. It returns false for a bad escape, text that is not
// UTF-8, and a zero byte.
func unescape(s string, form bool) (string, bool) {
	if !strings.ContainsAny(s, "%+") {
		return s, utf8.ValidString(s) && !strings.Contains(s, "\x00")
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+' && form:
			b = append(b, ' ')
		case c != '%':
			b = append(b, c)
		case i+2 >= len(s):
			return "", false
		default:
			hi, lo := strings.IndexByte(hexDigits, s[i+1]), strings.IndexByte(hexDigits, s[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			b = append(b, byte(hexValue(hi)<<4|hexValue(lo)))
			i += 2
		}
	}
	return string(b), utf8.Valid(b) && !strings.Contains(string(b), "\x00")
}

const hexDigits = "0123456789abcdefABCDEF"

func hexValue(i int) int {
	if i >= 16 {
		i -= 6
	}
	return i
}

// tree makes the structure that the names of a form's parameters spell, such as "Tags.member.1.Key". Levels named
// "member" and "entry" that hold a list are left out. A parameter given twice, or beside one that is part of it,
// is an error.
func (p parameters) tree() (node, error) {
	root := &branch{}
	for _, one := range p {
		if err := root.put(one.name, one.value); err != nil {
			return node{}, err
		}
	}
	return root.node(), nil
}

// A branch is a node that still grows.
type branch struct {
	names []string
	kids  map[string]*branch
	leaf  bool
	value string
}

func (b *branch) put(name, value string) error {
	at := b
	pieces := strings.Split(name, ".")
	if len(pieces) > maxDepth {
		return fail(Malformed, "parameter %q is too deep", clip(name))
	}
	for _, piece := range pieces {
		if at.leaf || piece == "" {
			return fail(Malformed, "parameter %q is part of another", clip(name))
		}
		next, ok := at.kids[piece]
		if !ok {
			if at.kids == nil {
				at.kids = make(map[string]*branch)
			}
			next = &branch{}
			at.kids[piece] = next
			at.names = append(at.names, piece)
		}
		at = next
	}
	if at.leaf || len(at.kids) > 0 {
		return fail(Malformed, "parameter %q is given twice", clip(name))
	}
	at.leaf, at.value = true, value
	return nil
}

func (b *branch) node() node {
	if b.leaf {
		return node{kind: text, text: b.value}
	}
	n := node{kind: object}
	for _, name := range b.names {
		n.kids = append(n.kids, child{name, b.kids[name].node()})
	}
	return n
}
