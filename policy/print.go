// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Print writes the document as JSON for people: elements in the order of AWS's
// own examples, two spaces of indentation, a list of one value as that value,
// and a line break at the end. It does not look at Source, so a document need
// not come from Parse; parsing what it wrote gives the same document but for
// positions.
func (d *Document) Print(w io.Writer) error {
	_, err := w.Write(d.append(nil))
	return err
}

// MarshalJSON returns the document as JSON.
func (d *Document) MarshalJSON() ([]byte, error) { return d.append(nil), nil }

// append appends what Print writes.
func (d *Document) append(b []byte) []byte {
	p := printer{b: b}
	p.open('{')
	p.optional("Version", d.Version)
	p.optional("Id", d.ID)
	p.name("Statement")
	p.open('[')
	for i := range d.Statements {
		p.item()
		p.statement(&d.Statements[i])
	}
	p.close(']')
	p.close('}')
	return append(p.b, '\n')
}

// A printer writes indented JSON. The zero printer is ready.
type printer struct {
	b     []byte
	depth int
	full  bool // the object or array that is open holds something
}

func (p *printer) open(bracket byte) {
	p.b = append(p.b, bracket)
	p.depth++
	p.full = false
}

func (p *printer) close(bracket byte) {
	p.depth--
	if p.full {
		p.newLine()
	}
	p.b = append(p.b, bracket)
	p.full = true
}

func (p *printer) newLine() {
	p.b = append(p.b, '\n')
	for range p.depth {
		p.b = append(p.b, "  "...)
	}
}

// item begins the next item of the object or array that is open.
func (p *printer) item() {
	if p.full {
		p.b = append(p.b, ',')
	}
	p.newLine()
	p.full = true
}

func (p *printer) name(name string) {
	p.item()
	p.b = appendString(p.b, name)
	p.b = append(p.b, ": "...)
}

// optional writes a member that "" leaves out.
func (p *printer) optional(name, value string) {
	if value != "" {
		p.name(name)
		p.b = appendString(p.b, value)
	}
}

func (p *printer) values(name string, list []Value) {
	p.name(name)
	if len(list) == 1 {
		p.b = appendString(p.b, list[0].Text)
		return
	}
	p.open('[')
	for _, v := range list {
		p.item()
		p.b = appendString(p.b, v.Text)
	}
	p.close(']')
}

func (p *printer) statement(s *Statement) {
	p.open('{')
	p.optional("Sid", s.Sid)
	p.name("Effect")
	p.b = appendString(p.b, s.Effect.String())
	if s.Principal != nil {
		p.principal(s.Principal)
	}
	if s.Action != nil || s.NotAction {
		p.values(not(s.NotAction)+"Action", s.Action)
	}
	if s.HasResource {
		p.values(not(s.NotResource)+"Resource", s.Resource)
	}
	if len(s.Condition) > 0 {
		p.condition(s.Condition)
	}
	p.close('}')
}

func not(is bool) string {
	if is {
		return "Not"
	}
	return ""
}

func (p *printer) principal(block *PrincipalBlock) {
	p.name(not(block.Not) + "Principal")
	if block.Everyone {
		p.b = append(p.b, `"*"`...)
		return
	}
	p.open('{')
	for _, typ := range principalTypes {
		if list := *block.list(typ); list != nil {
			p.values(typ, list)
		}
	}
	p.close('}')
}

// condition writes the keys of one operator together; Parse returns them so.
func (p *printer) condition(list []Condition) {
	p.name("Condition")
	p.open('{')
	for i, c := range list {
		if i == 0 || c.Operator != list[i-1].Operator {
			p.name(c.Operator)
			p.open('{')
		}
		p.values(c.Key, c.Values)
		if i == len(list)-1 || c.Operator != list[i+1].Operator {
			p.close('}')
		}
	}
	p.close('}')
}

// appendString appends s as a JSON string. Only what JSON demands is escaped;
// bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c >= ' ':
			b = utf8.AppendRune(b, c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		}
	}
	return append(b, '"')
}

// Size returns the size that AWS's quotas count: the characters of the source
// text without white space (P-9).
func (d *Document) Size() int { return SizeWithoutSpace(d.Source) }

// SizeWithoutSpace returns the number of characters in a policy's text other
// than space, tab, line feed and carriage return (P-9).
func SizeWithoutSpace(src string) int {
	n := utf8.RuneCountInString(src)
	for _, space := range []string{" ", "\t", "\n", "\r"} {
		n -= strings.Count(src, space)
	}
	return n
}
