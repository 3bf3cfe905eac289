// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parseJSON reads a body of one JSON value in UTF-8 (RFC 8259). What readers of JSON are known to disagree about is
// an error: members given twice, bytes that are not UTF-8, halves of surrogate pairs, anything after the value.
func parseJSON(body []byte) (node, error) {
	if !utf8.Valid(body) {
		return node{}, fail(Malformed, "the body is not UTF-8")
	}
	p := &jsonParser{s: string(body)}
	p.space()
	n, err := p.value(0)
	if err != nil {
		return node{}, err
	}
	if p.space(); p.i != len(p.s) {
		return node{}, p.bad()
	}
	return n, nil
}

type jsonParser struct {
	s     string
	i     int
	nodes int
}

func (p *jsonParser) bad() error { return fail(Malformed, "the body is not JSON at byte %d", p.i) }

func (p *jsonParser) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\n' || p.s[p.i] == '\r' || p.s[p.i] == '\t') {
		p.i++
	}
}

// take moves past c if it is next.
func (p *jsonParser) take(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *jsonParser) value(depth int) (node, error) {
	if p.nodes++; p.nodes > maxNodes || depth > maxDepth {
		return node{}, fail(Malformed, "the body has too many values, or too deep ones")
	}
	if p.i == len(p.s) {
		return node{}, p.bad()
	}
	switch c := p.s[p.i]; {
	case c == '"':
		s, err := p.string()
		return node{kind: text, text: s}, err
	case c == '{':
		return p.container('}', object, depth)
	case c == '[':
		return p.container(']', list, depth)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(p.s[p.i:], word) {
			p.i += len(word)
			if word == "null" {
				return node{}, nil
			}
			return node{kind: scalar, text: word}, nil
		}
	}
	return node{}, p.bad()
}

// container reads a list or an object, whose opening bracket is next.
func (p *jsonParser) container(end byte, k kind, depth int) (node, error) {
	n := node{kind: k}
	p.i++
	p.space()
	if p.take(end) {
		return n, nil
	}
	for {
		var c child
		var err error
		if k == object {
			if c.name, err = p.name(); err != nil {
				return n, err
			}
		}
		if c.node, err = p.value(depth + 1); err != nil {
			return n, err
		}
		n.kids = append(n.kids, c)
		p.space()
		if p.take(end) {
			break
		}
		if !p.take(',') {
			return n, p.bad()
		}
		p.space()
	}
	if k == object {
		return n, unique(n.kids)
	}
	return n, nil
}

// name reads a member's name and its colon.
func (p *jsonParser) name() (string, error) {
	if p.i == len(p.s) || p.s[p.i] != '"' {
		return "", p.bad()
	}
	s, err := p.string()
	if err != nil {
		return "", err
	}
	if p.space(); !p.take(':') {
		return "", p.bad()
	}
	p.space()
	return s, nil
}

func (p *jsonParser) number() (node, error) {
	start := p.i
	digits := func() bool {
		from := p.i
		for p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '9' {
			p.i++
		}
		return p.i > from
	}
	p.take('-')
	if !p.take('0') && !digits() {
		return node{}, p.bad()
	}
	if p.take('.') && !digits() {
		return node{}, p.bad()
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !digits() {
			return node{}, p.bad()
		}
	}
	return node{kind: scalar, text: p.s[start:p.i]}, nil
}

// string reads a string, whose opening quote is next.
func (p *jsonParser) string() (string, error) {
	p.i++
	start := p.i
	for p.i < len(p.s) && p.s[p.i] != '"' && p.s[p.i] != '\\' {
		if p.s[p.i] < ' ' {
			return "", p.bad()
		}
		p.i++
	}
	if p.take('"') {
		return p.s[start : p.i-1], nil
	}
	b := []byte(p.s[start:p.i])
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch {
		case c == '"':
			return string(b), nil
		case c < ' ':
			return "", p.bad()
		case c != '\\':
			b = append(b, c)
			continue
		}
		r, ok := p.escape()
		if !ok {
			return "", p.bad()
		}
		b = utf8.AppendRune(b, r)
	}
	return "", p.bad()
}

// escape reads what follows a backslash.
func (p *jsonParser) escape() (rune, bool) {
	if p.i == len(p.s) {
		return 0, false
	}
	c := p.s[p.i]
	p.i++
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return 0, false
		}
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	r, ok := p.hex()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !p.take('\\') || !p.take('u') {
		return 0, false
	}
	low, ok := p.hex()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

func (p *jsonParser) hex() (rune, bool) {
	if len(p.s)-p.i < 4 {
		return 0, false
	}
	digits := p.s[p.i : p.i+4]
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || strings.Contains(digits, "_") {
		return 0, false
	}
	p.i += 4
	return rune(n), true
}
