// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// MaxSize is the largest document that Parse reads, in bytes. AWS's own limits
// are far lower and belong to the place where a document is stored.
const MaxSize = 1 << 20

// Parse reads a policy document. The name says where it came from and appears
// in messages; it may be empty. Parse refuses what no kind of policy may hold:
// anything but strict JSON in UTF-8 of at most MaxSize bytes, unknown and
// duplicate elements, values of a wrong type, a statement without an effect,
// and both of an element and its Not form. What a kind of policy requires is
// Validate's business. The error is a *ParseError. Parse does not keep src.
func Parse(name string, src []byte) (*Document, error) {
	if len(src) > MaxSize {
		p := parser{doc: &Document{Name: name}}
		p.report(Position{1, 1}, TooLarge, "", "the document has %d bytes, more than the %d allowed", len(src), MaxSize)
		return nil, &ParseError{Name: name, Problems: p.problems}
	}
	return parse(name, string(src))
}

func parse(name, src string) (*Document, error) {
	p := parser{doc: &Document{Name: name, Source: src}}
	p.doc.parsed = p.doc
	p.Reader = jsontext.NewReader(p.doc.Source, p.duplicateName)
	p.document()
	if p.Err != nil {
		return nil, &ParseError{Name: name, Problems: []Problem{p.formProblem()}}
	}
	if len(p.problems) > 0 {
		sortProblems(p.problems)
		return nil, &ParseError{Name: name, Problems: p.problems}
	}
	return p.doc, nil
}

// A parser turns JSON into a Document. It collects problems of meaning and
// stops at the first of form.
type parser struct {
	*jsontext.Reader
	doc      *Document
	problems []Problem
	path     jsontext.Path // to the value being read
}

// place returns the position of what comes next.
func (p *parser) place() Position { return Position(p.Pos()) }

// report records a problem with the value at the current path.
func (p *parser) report(pos Position, code Code, fix, format string, args ...any) {
	if len(p.problems) == maxProblems {
		return
	}
	aws := syntaxErrors
	if code == EffectLetterCase {
		aws = legacyParsing
	}
	p.problems = append(p.problems, Problem{Pos: pos, Path: p.path.String(), Code: code,
		Message: fmt.Sprintf(format, args...), Fix: fix, AWS: aws})
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Pos.compare(b.Pos) })
}

func (p *parser) duplicateName(name string, pos, first jsontext.Position) {
	p.path.Push(name, 0)
	p.report(Position(pos), DuplicateKey, "keep one of them", "%s is already there at %d:%d", jsontext.Quote(name), first.Line, first.Column)
	p.path.Pop()
}

// formProblem is the problem of a text that is no JSON.
func (p *parser) formProblem() Problem {
	code := [...]Code{jsontext.NotJSON: InvalidJSON, jsontext.NotUTF8: InvalidUTF8, jsontext.TooDeep: TooDeep}[p.Err.Fault]
	return Problem{Pos: Position(p.Err.Pos), Path: p.path.String(), Code: code, Message: p.Err.Message, Fix: p.Err.Fix, AWS: syntaxErrors}
}

// document reads the whole text (P-1).
func (p *parser) document() {
	if !form.Begin(p.Reader, p.doc.Source) {
		return
	}
	kind := p.Peek()
	start := p.place()
	if kind != jsontext.Object {
		p.notDocument(kind, start)
		return
	}
	statement := false // the element is there, or a misspelling of it
	ok := p.Object(func(name string, at jsontext.Position) bool {
		pos := Position(at)
		p.path.Push(name, 0)
		ok := true
		switch name {
		case "Version":
			ok = p.version()
		case "Id":
			p.doc.ID, ok = p.oneString()
		case "Statement":
			statement, ok = true, p.statements()
		default:
			statement = p.unknown(name, pos, form.DocumentElements) == "Statement" || statement
			ok = p.Skip()
		}
		return ok && p.done()
	})
	if !ok || !p.Space() {
		return
	}
	if p.Offset() < len(p.doc.Source) {
		p.Invalid(p.Pos(), "remove it", "%s after the end of the document", p.Found())
	}
	if !statement {
		p.report(start, MissingElement, `add "Statement": [...]`, "Statement is missing")
	}
}

// done leaves the current path after its value was read well; after a fault of
// form the path stays, for the message.
func (p *parser) done() bool {
	p.path.Pop()
	return true
}

// notDocument explains a text that is JSON, perhaps, but no object.
func (p *parser) notDocument(kind jsontext.Kind, start Position) {
	switch kind {
	case jsontext.Broken:
		return
	case jsontext.String:
		if s, ok := p.Text(); ok && strings.HasPrefix(strings.TrimSpace(s), "{") {
			p.report(start, WrongType, "remove the quotes around it, and the backslashes", "the document is quoted as a string")
			return
		}
	case jsontext.Array:
		p.report(start, WrongType, `write {"Version": "2012-10-17", "Statement": [...]}`, "the document must be an object, not %s", kind)
		return
	}
	p.report(start, WrongType, "", "the document must be an object, not %s", kind)
}

// unknown reports an element that may not stand here and returns the name that
// was probably meant, or "".
func (p *parser) unknown(name string, pos Position, allowed []string) string {
	likely, fix := form.Unknown(name, allowed)
	p.report(pos, UnknownElement, fix, "unknown element %s", jsontext.Quote(name))
	return likely
}

// version reads the Version element (P-2).
func (p *parser) version() bool {
	kind := p.Peek()
	pos := p.place()
	v, ok := p.oneString()
	if ok && kind == jsontext.String && v != "2012-10-17" && v != "2008-10-17" {
		p.report(pos, InvalidVersion, `write "2012-10-17"`, "%s is no version of the policy language", jsontext.Quote(v))
	}
	p.doc.Version, p.doc.VersionPos = v, pos
	return ok
}

// statements reads the Statement element: an array, or one object, whose path
// is that of an array's first.
func (p *parser) statements() bool {
	switch kind := p.Peek(); kind {
	case jsontext.Broken:
		return false
	case jsontext.Object:
		p.path.Push("", 0)
		return p.statement() && p.done()
	case jsontext.Array:
		return p.Array(func(i int) bool {
			p.path.Push("", i)
			switch kind := p.Peek(); kind {
			case jsontext.Broken:
				return false
			case jsontext.Object:
				return p.statement() && p.done()
			default:
				return p.wrongType(kind, "a statement", "an object") && p.done()
			}
		})
	default:
		return p.wrongType(kind, "Statement", "an array of objects")
	}
}

// wrongType reports and skips a value.
func (p *parser) wrongType(kind jsontext.Kind, what, want string) bool {
	pos, off := p.place(), p.Offset()
	if !p.Skip() {
		return false
	}
	fix := ""
	if what != "Version" && strings.HasPrefix(want, "a string") && (kind == jsontext.Number || kind == jsontext.Bool) {
		fix = `write "` + jsontext.Clip(p.doc.Source[off:p.Offset()]) + `"`
	}
	p.report(pos, WrongType, fix, "%s must be %s, not %s", what, want, kind)
	return true
}

// oneString reads a value that must be a string.
func (p *parser) oneString() (string, bool) {
	switch kind := p.Peek(); kind {
	case jsontext.Broken:
		return "", false
	case jsontext.String:
		return p.Text()
	default:
		return "", p.wrongType(kind, p.path.Last(), "a string")
	}
}

// values reads one string or an array of them (P-5); with scalars, also
// numbers and booleans as their text (P-6). The result is not nil, even when
// empty.
func (p *parser) values(scalars bool) ([]Value, bool) {
	kind := p.Peek()
	if kind == jsontext.Broken {
		return nil, false
	}
	if kind != jsontext.Array {
		want := "a string or an array of strings"
		if scalars {
			want = "a string, a number, a boolean or an array of them"
		}
		v, good, ok := p.scalar(kind, scalars, want)
		if !good {
			return []Value{}, ok
		}
		return []Value{v}, ok
	}
	list := []Value{}
	ok := p.Array(func(i int) bool {
		p.path.Push("", i)
		kind := p.Peek()
		if kind == jsontext.Broken {
			return false
		}
		want := "a string"
		if scalars {
			want = "a string, a number or a boolean"
		}
		v, good, ok := p.scalar(kind, scalars, want)
		if good {
			list = append(list, v)
		}
		return ok && p.done()
	})
	return list, ok
}

// scalar reads one value of a list. Of a wrong type it is not good, but was
// read all the same.
func (p *parser) scalar(kind jsontext.Kind, scalars bool, want string) (v Value, good, ok bool) {
	v.Pos = p.place()
	switch {
	case kind == jsontext.String:
		v.Text, ok = p.Text()
	case kind == jsontext.Number && scalars:
		v.Text, ok = p.Number()
	case kind == jsontext.Bool && scalars:
		v.Text, ok = p.Literal(), true
	default:
		return v, false, p.wrongType(kind, p.path.Last(), want)
	}
	return v, ok, ok
}

// compare orders positions as they come in the text.
func (p Position) compare(q Position) int {
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Column - q.Column
}
