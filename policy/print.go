// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// Print writes the document as JSON for people: elements in the order of AWS's
// own examples, two spaces of indentation, a list of one value as that value,
// and a line break at the end. It does not look at Source, so a document need
// not come from Parse; parsing what it wrote gives the same document but for
// positions.
func (d *Document) Print(w io.Writer) error {
	_, err := w.Write(d.text())
	return err
}

// MarshalJSON returns the document as JSON.
func (d *Document) MarshalJSON() ([]byte, error) { return d.text(), nil }

// text is what Print writes.
func (d *Document) text() []byte {
	var p printer
	p.Open('{')
	p.optional("Version", d.Version)
	p.optional("Id", d.ID)
	p.Name("Statement")
	p.Open('[')
	for i := range d.Statements {
		p.Item()
		p.statement(&d.Statements[i])
	}
	p.Close(']')
	p.Close('}')
	return p.Bytes()
}

// A printer writes the parts of a document.
type printer struct{ jsontext.Writer }

// optional writes a member that "" leaves out.
func (p *printer) optional(name, value string) {
	if value != "" {
		p.Name(name)
		p.String(value)
	}
}

func (p *printer) values(name string, list []Value) {
	p.Name(name)
	if len(list) == 1 {
		p.String(list[0].Text)
		return
	}
	p.Open('[')
	for _, v := range list {
		p.Item()
		p.String(v.Text)
	}
	p.Close(']')
}

func (p *printer) statement(s *Statement) {
	p.Open('{')
	p.optional("Sid", s.Sid)
	p.Name("Effect")
	p.String(s.Effect.String())
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
	p.Close('}')
}

func not(is bool) string {
	if is {
		return "Not"
	}
	return ""
}

func (p *printer) principal(block *PrincipalBlock) {
	p.Name(not(block.Not) + "Principal")
	if block.Everyone {
		p.String("*")
		return
	}
	p.Open('{')
	for _, typ := range form.PrincipalTypes {
		if list := *block.list(typ); list != nil {
			p.values(typ, list)
		}
	}
	p.Close('}')
}

// condition writes the keys of one operator together; Parse returns them so.
func (p *printer) condition(list []Condition) {
	p.Name("Condition")
	p.Open('{')
	for i, c := range list {
		if i == 0 || c.Operator != list[i-1].Operator {
			p.Name(c.Operator)
			p.Open('{')
		}
		p.values(c.Key, c.Values)
		if i == len(list)-1 || c.Operator != list[i+1].Operator {
			p.Close('}')
		}
	}
	p.Close('}')
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
