// SPDX-License-Identifier: Apache-2.0

package policytest

import (
	"fmt"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// A node is a JSON value with its place in the source. The zero node is no value.
type node struct {
	kind   jsontext.Kind
	pos    jsontext.Position
	source string // as written
	text   string // of a string; of a number, boolean or null as written
	fields []field
	items  []node
}

// A field is a member of an object.
type field struct {
	key   string
	pos   jsontext.Position // of the key
	value node
}

// parse reads the file's JSON. It reports every duplicate name, and a fault of
// the JSON itself as the last error.
func (r *reader) parse(src string) (root node, ok bool) {
	p := nodeParser{src: src}
	p.Reader = jsontext.NewReader(src, func(name string, pos, first jsontext.Position) {
		r.failAt(pos, "%q is there twice, first in line %d", name, first.Line)
	})
	if root, ok = p.value(); ok && p.Space() && p.Offset() < len(src) {
		p.Invalid(p.Pos(), "", "%s after the end of the file's object", p.Found())
	}
	if p.Err == nil {
		return root, true
	}
	message := p.Err.Message
	if p.Err.Fix != "" {
		message = fmt.Sprintf("%s (%s)", message, p.Err.Fix)
	}
	r.failAt(p.Err.Pos, "%s", message)
	return node{}, false
}

type nodeParser struct {
	*jsontext.Reader
	src string
}

func (p *nodeParser) value() (n node, ok bool) {
	n.kind = p.Peek()
	n.pos = p.Pos()
	start := p.Offset()
	switch n.kind {
	case jsontext.Object:
		ok = p.Object(func(name string, pos jsontext.Position) bool {
			value, ok := p.value()
			n.fields = append(n.fields, field{key: name, pos: pos, value: value})
			return ok
		})
	case jsontext.Array:
		ok = p.Array(func(int) bool {
			item, ok := p.value()
			n.items = append(n.items, item)
			return ok
		})
	case jsontext.String:
		n.text, ok = p.Text()
	case jsontext.Number:
		n.text, ok = p.Number()
	case jsontext.Bool, jsontext.Null:
		n.text, ok = p.Literal(), true
	}
	n.source = p.src[start:p.Offset()]
	return n, ok
}
