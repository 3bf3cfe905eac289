// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"encoding/binary"
	"unicode/utf8"
)

// parseCBOR reads a body of one CBOR value (RFC 8949) of those that RPC v2 CBOR uses: maps with text for keys, lists,
// text, bytes, numbers, and a tagged time. Text and bytes of indefinite length are an error, because clients do
// not send them and readers differ; so are keys given twice and anything after the value.
func parseCBOR(body []byte) (node, error) {
	p := &cborParser{b: body}
	n, err := p.value(0)
	if err != nil {
		return node{}, err
	}
	if p.i != len(p.b) {
		return node{}, p.bad()
	}
	return n, nil
}

type cborParser struct {
	b     []byte
	i     int
	nodes int
}

func (p *cborParser) bad() error { return fail(Malformed, "the body is not CBOR at byte %d", p.i) }

// The major types (RFC 8949, section 3.1).
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborSimple
)

const (
	indefinite = 31   // additional information
	breakByte  = 0xff // ends what is of indefinite length
)

// head reads a major type and its argument. open says that the length is indefinite.
func (p *cborParser) head() (major byte, arg uint64, open bool, err error) {
	if p.i >= len(p.b) {
		return 0, 0, false, p.bad()
	}
	c := p.b[p.i]
	p.i++
	major, info := c>>5, c&31
	switch {
	case info < 24:
		return major, uint64(info), false, nil
	case info == indefinite && (major == cborArray || major == cborMap):
		return major, 0, true, nil
	case info > 27:
		return 0, 0, false, p.bad()
	}
	size := 1 << (info - 24)
	if len(p.b)-p.i < size {
		return 0, 0, false, p.bad()
	}
	var wide [8]byte
	copy(wide[8-size:], p.b[p.i:p.i+size])
	p.i += size
	return major, binary.BigEndian.Uint64(wide[:]), false, nil
}

func (p *cborParser) value(depth int) (node, error) {
	if p.nodes++; p.nodes > maxNodes || depth > maxDepth {
		return node{}, fail(Malformed, "the body has too many values, or too deep ones")
	}
	start := p.i
	major, arg, open, err := p.head()
	if err != nil {
		return node{}, err
	}
	switch major {
	case cborBytes, cborText:
		return p.run(major, arg)
	case cborArray:
		return p.container(list, arg, open, depth)
	case cborMap:
		return p.container(object, arg, open, depth)
	case cborTag:
		_, err := p.value(depth + 1)
		return node{kind: scalar}, err
	case cborSimple:
		switch p.b[start] & 31 {
		case 22, 23: // null and undefined
			return node{}, nil
		case 20, 21, 25, 26, 27: // truth values and floating-point numbers
			return node{kind: scalar}, nil
		}
		return node{}, p.bad()
	}
	return node{kind: scalar}, nil
}

// run reads n bytes or that much text.
func (p *cborParser) run(major byte, n uint64) (node, error) {
	if n > uint64(len(p.b)-p.i) {
		return node{}, p.bad()
	}
	b := p.b[p.i : p.i+int(n)]
	p.i += int(n)
	if major == cborBytes {
		return node{kind: scalar}, nil
	}
	if !utf8.Valid(b) {
		return node{}, p.bad()
	}
	return node{kind: text, text: string(b)}, nil
}

func (p *cborParser) container(k kind, count uint64, open bool, depth int) (node, error) {
	n := node{kind: k}
	for open || count > 0 {
		if open && p.i < len(p.b) && p.b[p.i] == breakByte {
			p.i++
			break
		}
		if !open {
			count--
		}
		var c child
		if k == object {
			key, err := p.value(depth + 1)
			if err != nil {
				return n, err
			}
			if key.kind != text {
				return n, p.bad()
			}
			c.name = key.text
		}
		var err error
		if c.node, err = p.value(depth + 1); err != nil {
			return n, err
		}
		n.kids = append(n.kids, c)
	}
	if k == object {
		return n, unique(n.kids)
	}
	return n, nil
}
