// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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
	p := parser{doc: &Document{Name: name}}
	if len(src) > MaxSize {
		p.report(Position{1, 1}, TooLarge, "", "the document has %d bytes, more than the %d allowed", len(src), MaxSize)
		return nil, &ParseError{Name: name, Problems: p.problems}
	}
	p.doc.Source = string(src)
	p.reader = reader{src: p.doc.Source, line: 1, duplicate: p.duplicateName}
	p.readable()
	if p.problem == nil {
		p.document()
	}
	if p.problem != nil {
		p.problem.Path, p.problem.AWS = p.pathText(), syntaxErrors
		return nil, &ParseError{Name: name, Problems: []Problem{*p.problem}}
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
	reader
	doc      *Document
	problems []Problem
	path     []step // to the value being read
}

// A step leads into an object by name or into an array by index.
type step struct {
	name  string
	index int // used when name is empty
}

func (p *parser) push(name string, index int) { p.path = append(p.path, step{name, index}) }
func (p *parser) pop()                        { p.path = p.path[:len(p.path)-1] }

func (p *parser) pathText() string {
	var b strings.Builder
	for _, s := range p.path {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case b.Len() > 0:
			b.WriteString("." + clip(s.name))
		default:
			b.WriteString(clip(s.name))
		}
	}
	return b.String()
}

// report records a problem with the value at the current path.
func (p *parser) report(pos Position, code Code, fix, format string, args ...any) {
	if len(p.problems) == maxProblems {
		return
	}
	aws := syntaxErrors
	if code == EffectLetterCase {
		aws = legacyParsing
	}
	p.problems = append(p.problems, Problem{Pos: pos, Path: p.pathText(), Code: code,
		Message: fmt.Sprintf(format, args...), Fix: fix, AWS: aws})
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Pos.compare(b.Pos) })
}

func (p *parser) duplicateName(name string, pos, first Position) {
	p.push(name, 0)
	p.report(pos, DuplicateKey, "keep one of them", "%s is already there at %d:%d", quote(name), first.Line, first.Column)
	p.pop()
}

// readable checks what can be said of a text before it is read as JSON.
func (p *parser) readable() {
	src := p.src
	switch {
	case strings.HasPrefix(src, "\ufeff"):
		p.invalid(p.pos(), "save the file as UTF-8 without it", "the text begins with a byte order mark")
	case strings.HasPrefix(src, "\xff\xfe"), strings.HasPrefix(src, "\xfe\xff"):
		p.fail(p.pos(), InvalidUTF8, "save the file as UTF-8", "the text is UTF-16")
	case !utf8.ValidString(src):
		bad := 0
		for i, c := range src {
			if _, size := utf8.DecodeRuneInString(src[i:]); c == utf8.RuneError && size == 1 {
				bad = i
				break
			}
		}
		p.line += strings.Count(src[:bad], "\n")
		p.lineStart = strings.LastIndexByte(src[:bad], '\n') + 1
		p.fail(p.at(bad), InvalidUTF8, "save the file as UTF-8", "the byte 0x%02x is not UTF-8", src[bad])
	case strings.TrimLeft(src, " \t\r\n") == "":
		p.invalid(p.pos(), `write {"Version": "2012-10-17", "Statement": [...]}`, "the document is empty")
	case len(src) > 3 && strings.EqualFold(src[:3], "%7b"):
		p.invalid(p.pos(), "decode it first", "the document is URL-encoded")
	}
}

var (
	documentElements  = []string{"Version", "Id", "Statement"}
	statementElements = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	principalTypes    = []string{"AWS", "Service", "Federated", "CanonicalUser"}
)

// document reads the whole text (P-1).
func (p *parser) document() {
	if word := p.firstWord(); word != "" {
		p.invalid(p.pos(), "give the policy's text, not the name of a file", "the document must be an object in braces, not %s", quote(word))
		return
	}
	kind := p.peek()
	start := p.pos()
	if kind != objectValue {
		p.notDocument(kind, start)
		return
	}
	statement := false // the element is there, or a misspelling of it
	ok := p.object(func(name string, pos Position) bool {
		p.push(name, 0)
		ok := true
		switch name {
		case "Version":
			ok = p.version()
		case "Id":
			p.doc.ID, ok = p.text()
		case "Statement":
			statement, ok = true, p.statements()
		default:
			statement = p.unknown(name, pos, documentElements) == "Statement" || statement
			ok = p.skip()
		}
		return ok && p.done()
	})
	if !ok || !p.space() {
		return
	}
	if p.off < len(p.src) {
		p.invalid(p.pos(), "remove it", "%s after the end of the document", p.found())
	}
	if !statement {
		p.report(start, MissingElement, `add "Statement": [...]`, "Statement is missing")
	}
}

// firstWord returns the word, not a number or literal, that the text begins
// with, or "".
func (p *parser) firstWord() string {
	if !p.space() {
		return ""
	}
	switch word := p.word(); {
	case word == "true", word == "false", word == "null", word == "", '0' <= word[0] && word[0] <= '9':
		return ""
	default:
		return word
	}
}

// done leaves the current path after its value was read well; after a fault of
// form the path stays, for the message.
func (p *parser) done() bool {
	p.pop()
	return true
}

// notDocument explains a text that is JSON, perhaps, but no object.
func (p *parser) notDocument(kind jsonKind, start Position) {
	switch kind {
	case brokenValue:
		return
	case stringValue:
		if s, ok := p.string(); ok && strings.HasPrefix(strings.TrimSpace(s), "{") {
			p.report(start, WrongType, "remove the quotes around it, and the backslashes", "the document is quoted as a string")
			return
		}
	case arrayValue:
		p.report(start, WrongType, `write {"Version": "2012-10-17", "Statement": [...]}`, "the document must be an object, not %s", kind)
		return
	}
	p.report(start, WrongType, "", "the document must be an object, not %s", kind)
}

// unknown reports an element that may not stand here and returns the name that
// was probably meant, or "".
func (p *parser) unknown(name string, pos Position, allowed []string) string {
	likely := closest(name, allowed)
	fix := "remove it; allowed are " + strings.Join(allowed, ", ")
	switch {
	case likely != "" && strings.EqualFold(likely, name):
		fix = fmt.Sprintf("write %q: element names are case-sensitive", likely)
	case likely != "":
		fix = fmt.Sprintf("did you mean %q?", likely)
	case slices.Contains(statementElements, name):
		fix = `put it into "Statement"`
	case slices.Contains(documentElements, name):
		fix = "put it at the top level"
	case slices.Contains(principalTypes, name):
		fix = `put it into "Principal"`
	}
	p.report(pos, UnknownElement, fix, "unknown element %s", quote(name))
	return likely
}

// version reads the Version element (P-2).
func (p *parser) version() bool {
	kind := p.peek()
	pos := p.pos()
	v, ok := p.text()
	if ok && kind == stringValue && v != "2012-10-17" && v != "2008-10-17" {
		p.report(pos, InvalidVersion, `write "2012-10-17"`, "%s is no version of the policy language", quote(v))
	}
	p.doc.Version, p.doc.VersionPos = v, pos
	return ok
}

// statements reads the Statement element: an array, or one object, whose path
// is that of an array's first.
func (p *parser) statements() bool {
	switch kind := p.peek(); kind {
	case brokenValue:
		return false
	case objectValue:
		p.push("", 0)
		return p.statement() && p.done()
	case arrayValue:
		return p.array(func(i int) bool {
			p.push("", i)
			switch kind := p.peek(); kind {
			case brokenValue:
				return false
			case objectValue:
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
func (p *parser) wrongType(kind jsonKind, what, want string) bool {
	pos, off := p.pos(), p.off
	if !p.skip() {
		return false
	}
	fix := ""
	if what != "Version" && strings.HasPrefix(want, "a string") && (kind == numberValue || kind == boolValue) {
		fix = `write "` + clip(p.src[off:p.off]) + `"`
	}
	p.report(pos, WrongType, fix, "%s must be %s, not %s", what, want, kind)
	return true
}

// last returns the name of the element being read.
func (p *parser) last() string {
	for i := len(p.path) - 1; i >= 0; i-- {
		if p.path[i].name != "" {
			return clip(p.path[i].name)
		}
	}
	return "the value"
}

// text reads a value that must be a string.
func (p *parser) text() (string, bool) {
	switch kind := p.peek(); kind {
	case brokenValue:
		return "", false
	case stringValue:
		return p.string()
	default:
		return "", p.wrongType(kind, p.last(), "a string")
	}
}

// values reads one string or an array of them (P-5); with scalars, also
// numbers and booleans as their text (P-6). The result is not nil, even when
// empty.
func (p *parser) values(scalars bool) ([]Value, bool) {
	kind := p.peek()
	if kind == brokenValue {
		return nil, false
	}
	if kind != arrayValue {
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
	ok := p.array(func(i int) bool {
		p.push("", i)
		kind := p.peek()
		if kind == brokenValue {
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
func (p *parser) scalar(kind jsonKind, scalars bool, want string) (v Value, good, ok bool) {
	v.Pos = p.pos()
	switch {
	case kind == stringValue:
		v.Text, ok = p.string()
	case kind == numberValue && scalars:
		v.Text, ok = p.number()
	case kind == boolValue && scalars:
		v.Text, ok = p.literal(), true
	default:
		return v, false, p.wrongType(kind, p.last(), want)
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
