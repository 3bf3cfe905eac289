// SPDX-License-Identifier: Apache-2.0

package policytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A node is a JSON value with its place in the source.
type node struct {
	kind   byte // '{', '[', '"', '0' a number, 't' a boolean, 'n' null; 0: there is no value
	offset int  // in bytes
	end    int
	text   string // of a string, or of a number or boolean as written
	fields []field
	items  []node
}

// A field is a member of an object.
type field struct {
	key   string
	at    node // of the key: its place only
	value node
}

// A syntaxError is a fault of the JSON.
type syntaxError struct {
	offset  int
	message string
}

// maxDepth bounds nesting; no test file comes near it.
const maxDepth = 100

// parseNode reads src, which must be one JSON value.
func parseNode(src string) (node, *syntaxError) {
	p := nodeParser{src: src, dec: json.NewDecoder(strings.NewReader(src))}
	p.dec.UseNumber()
	n, err := p.value(0)
	if err == nil {
		if _, extra := p.dec.Token(); !errors.Is(extra, io.EOF) {
			err = errors.New("there is something after the end of the file's object")
		}
	}
	if err == nil {
		return n, nil
	}
	offset := int(p.dec.InputOffset())
	message := err.Error()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = max(int(syntax.Offset)-1, 0)
		for offset < len(src)-1 && strings.IndexByte(" \t\r\n", src[offset]) >= 0 {
			offset++
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		offset, message = len(src), "the file ends too early"
	}
	return node{}, &syntaxError{offset: offset, message: message}
}

type nodeParser struct {
	src string
	dec *json.Decoder
}

func (p *nodeParser) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("more than %d levels of nesting", maxDepth)
	}
	t, n, err := p.token()
	if err != nil {
		return node{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		n.kind = byte(t)
		for p.dec.More() {
			if t == '[' {
				item, err := p.value(depth + 1)
				if err != nil {
					return node{}, err
				}
				n.items = append(n.items, item)
				continue
			}
			key, at, err := p.token()
			if err != nil {
				return node{}, err
			}
			value, err := p.value(depth + 1)
			if err != nil {
				return node{}, err
			}
			n.fields = append(n.fields, field{key: key.(string), at: at, value: value})
		}
		if _, _, err := p.token(); err != nil {
			return node{}, err
		}
	case string:
		n.kind, n.text = '"', t
	case json.Number:
		n.kind, n.text = '0', t.String()
	case bool:
		n.kind, n.text = 't', fmt.Sprint(t)
	case nil:
		n.kind = 'n'
	}
	n.end = int(p.dec.InputOffset())
	return n, nil
}

// token reads a token and finds where it starts: after the blanks and the
// separator that follow the token before it.
func (p *nodeParser) token() (json.Token, node, error) {
	start := int(p.dec.InputOffset())
	t, err := p.dec.Token()
	for start < len(p.src) && strings.IndexByte(" \t\r\n,:", p.src[start]) >= 0 {
		start++
	}
	return t, node{offset: start}, err
}
