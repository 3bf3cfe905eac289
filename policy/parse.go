// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"

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
	p.Reader = form.Reader{Reader: jsontext.NewReader(src, p.duplicateName), Source: src, Wrong: p.wrongType}
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
	form.Reader
	doc      *Document
	problems []Problem
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
	p.problems = append(p.problems, Problem{Pos: pos, Path: p.Path.String(), Code: code,
		Message: fmt.Sprintf(format, args...), Fix: fix, AWS: aws})
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Pos.compare(b.Pos) })
}

func (p *parser) wrongType(pos jsontext.Position, fix, message string) {
	p.report(Position(pos), WrongType, fix, "%s", message)
}

func (p *parser) duplicateName(name string, pos, first jsontext.Position) {
	p.Path.Push(name, 0)
	p.report(Position(pos), DuplicateKey, "keep one of them", "%s is already there at %d:%d", jsontext.Quote(name), first.Line, first.Column)
	p.Path.Pop()
}

// formProblem is the problem of a text that is no JSON.
func (p *parser) formProblem() Problem {
	code := [...]Code{jsontext.NotJSON: InvalidJSON, jsontext.NotUTF8: InvalidUTF8, jsontext.TooDeep: TooDeep}[p.Err.Fault]
	return Problem{Pos: Position(p.Err.Pos), Path: p.Path.String(), Code: code, Message: p.Err.Message, Fix: p.Err.Fix, AWS: syntaxErrors}
}

// document reads the whole text (P-1).
func (p *parser) document() {
	if !form.Begin(p.Reader.Reader, p.doc.Source) {
		return
	}
	kind := p.Peek()
	start := p.place()
	if kind != jsontext.Object {
		p.NotDocument(kind)
		return
	}
	statement := false // the element is there, or a misspelling of it
	ok := p.Object(func(name string, at jsontext.Position) bool {
		pos := Position(at)
		p.Path.Push(name, 0)
		ok := true
		switch name {
		case "Version":
			ok = p.version()
		case "Id":
			p.doc.ID, ok = p.OneString()
		case "Statement":
			statement, ok = true, p.statements()
		default:
			statement = p.unknown(name, pos, form.DocumentElements) == "Statement" || statement
			ok = p.Skip()
		}
		return ok && p.Done()
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
	v, ok := p.OneString()
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
		p.Path.Push("", 0)
		return p.statement() && p.Done()
	case jsontext.Array:
		return p.Array(func(i int) bool {
			p.Path.Push("", i)
			switch kind := p.Peek(); kind {
			case jsontext.Broken:
				return false
			case jsontext.Object:
				return p.statement() && p.Done()
			default:
				return p.WrongType(kind, "a statement", "an object") && p.Done()
			}
		})
	default:
		return p.WrongType(kind, "Statement", "an array of objects")
	}
}

// values reads a list of values, one alone as a list of one. It is not nil, even when
// empty.
func (p *parser) values(scalars bool) ([]Value, bool) {
	list := []Value{}
	ok := p.Values(scalars, func(text string, pos jsontext.Position) {
		list = append(list, Value{Text: text, Pos: Position(pos)})
	})
	return list, ok
}

// compare orders positions as they come in the text.
func (p Position) compare(q Position) int {
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Column - q.Column
}
