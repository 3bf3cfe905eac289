// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep objects and arrays may nest. A policy needs five.
const maxDepth = 32

// A reader reads strict JSON (RFC 8259) and keeps count of lines. Its methods
// return false once the text is broken; problem then says where and why, and
// nothing more can be read. Methods that read a value expect space to have
// been skipped, as peek does.
type reader struct {
	src       string
	off       int
	line      int // of off, from 1
	lineStart int // offset of the line's first byte
	depth     int
	problem   *Problem

	// duplicate is called for a name that its object already has; the value
	// that follows is then skipped.
	duplicate func(name string, pos, first Position)
}

func (r *reader) pos() Position { return r.at(r.off) }

// at returns the position of an offset on the current line.
func (r *reader) at(off int) Position {
	return Position{Line: r.line, Column: off - r.lineStart + 1}
}

// fail records the first problem and returns false.
func (r *reader) fail(pos Position, code Code, fix, format string, args ...any) bool {
	if r.problem == nil {
		r.problem = &Problem{Pos: pos, Code: code, Message: fmt.Sprintf(format, args...), Fix: fix}
	}
	return false
}

func (r *reader) invalid(pos Position, fix, format string, args ...any) bool {
	return r.fail(pos, InvalidJSON, fix, format, args...)
}

// current returns the byte at the offset, or 0 at the end of the text.
func (r *reader) current() byte {
	if r.off < len(r.src) {
		return r.src[r.off]
	}
	return 0
}

// space skips white space. It fails on a comment.
func (r *reader) space() bool {
	for r.off < len(r.src) {
		switch r.src[r.off] {
		case ' ', '\t', '\r':
			r.off++
		case '\n':
			r.off++
			r.line++
			r.lineStart = r.off
		case '/', '#':
			return r.invalid(r.pos(), "remove the comment", "JSON has no comments")
		default:
			return true
		}
	}
	return true
}

// A jsonKind is the type of a JSON value, told from its first byte.
type jsonKind uint8

const (
	brokenValue jsonKind = iota // not a value: the reader has failed
	objectValue
	arrayValue
	stringValue
	numberValue
	boolValue
	nullValue
)

var jsonKindNames = [...]string{"", "an object", "an array", "a string", "a number", "a boolean", "null"}

func (k jsonKind) String() string { return jsonKindNames[k] }

// peek skips space and says what kind of value starts there.
func (r *reader) peek() jsonKind {
	if !r.space() {
		return brokenValue
	}
	switch c := r.current(); {
	case c == '{':
		return objectValue
	case c == '[':
		return arrayValue
	case c == '"':
		return stringValue
	case c == '-', '0' <= c && c <= '9':
		return numberValue
	}
	switch word := r.word(); word {
	case "true", "false":
		return boolValue
	case "null":
		return nullValue
	default:
		r.noValue(word)
		return brokenValue
	}
}

// word returns the letters, digits and underscores at the offset.
func (r *reader) word() string {
	end := r.off
	for end < len(r.src) && isWord(r.src[end]) {
		end++
	}
	return r.src[r.off:end]
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// noValue fails with the likeliest reason why no value starts at the offset.
func (r *reader) noValue(word string) bool {
	pos := r.pos()
	switch lower := strings.ToLower(word); {
	case lower == "true" || lower == "false" || lower == "null":
		return r.invalid(pos, "write "+lower, "%s is not JSON", quote(word))
	case lower == "none" || lower == "undefined" || lower == "nan" || lower == "infinity":
		return r.invalid(pos, "", "%s is not JSON", quote(word))
	case word != "":
		return r.invalid(pos, `write "`+clip(word)+`"`, "%s is not in double quotes", quote(word))
	}
	switch r.current() {
	case '\'', '`':
		return r.invalid(pos, `use double quotes (")`, "strings need double quotes")
	case ',', '}', ']':
		return r.invalid(pos, "", "a value is missing before %s", r.found())
	case '+':
		return r.invalid(pos, "remove the +", "a number cannot begin with +")
	case '.':
		return r.invalid(pos, "write 0 before the point", "a number cannot begin with a point")
	}
	if r.curly() {
		return r.invalid(pos, `use straight double quotes (")`, "curly quotes are not JSON")
	}
	return r.invalid(pos, "", "%s where a value should be", r.found())
}

// curly reports whether a typographic quotation mark stands at the offset.
func (r *reader) curly() bool {
	c, _ := utf8.DecodeRuneInString(r.src[r.off:])
	return strings.ContainsRune("“”„‟‘’«»", c)
}

// found describes the character at the offset.
func (r *reader) found() string {
	if r.off >= len(r.src) {
		return "the end of the text"
	}
	c, _ := utf8.DecodeRuneInString(r.src[r.off:])
	return quote(string(c))
}

// object reads an object. It calls member after each name and colon, with the
// offset at the value, which member must read or fail.
func (r *reader) object(member func(name string, pos Position) bool) bool {
	start := r.pos()
	if !r.enter(start) {
		return false
	}
	var few [8]memberName
	seen := nameSet{list: few[:0]}
	if !r.space() {
		return false
	}
	if r.current() == '}' {
		return r.leave()
	}
	for {
		pos := r.pos()
		name, ok := r.name(start)
		if !ok {
			return false
		}
		if first, twice := seen.add(name, pos); twice {
			r.duplicate(name, pos, first)
			ok = r.skip()
		} else {
			ok = member(name, pos)
		}
		if !ok {
			return false
		}
		if more, ok := r.next('}', start); !more {
			return ok
		}
	}
}

// name reads a member's name and its colon.
func (r *reader) name(start Position) (string, bool) {
	pos := r.pos()
	switch c := r.current(); {
	case c == '"':
	case c == 0 && r.off >= len(r.src):
		return "", r.invalid(pos, `add "}"`, "the object that starts at %d:%d is not closed", start.Line, start.Column)
	case c == '\'' || c == '`':
		return "", r.invalid(pos, `use double quotes (")`, "names need double quotes")
	case isWord(c):
		return "", r.invalid(pos, `write "`+clip(r.word())+`"`, "the name %s is not in double quotes", quote(r.word()))
	case r.curly():
		return "", r.invalid(pos, `use straight double quotes (")`, "curly quotes are not JSON")
	default:
		return "", r.invalid(pos, "", "%s where a name in double quotes should be", r.found())
	}
	name, ok := r.string()
	if !ok {
		return "", false
	}
	end := r.pos()
	if !r.space() {
		return "", false
	}
	switch c := r.current(); {
	case c == ':':
		r.off++
		return name, r.space()
	case c == '=':
		return "", r.invalid(r.pos(), `use ":"`, "%s after the name %s", r.found(), quote(name))
	default:
		return "", r.invalid(end, `put ":" and a value after it`, "the name %s has no value", quote(name))
	}
}

// array reads an array, calling element with the offset at each value, which
// element must read or fail.
func (r *reader) array(element func(i int) bool) bool {
	start := r.pos()
	if !r.enter(start) || !r.space() {
		return false
	}
	if r.current() == ']' {
		return r.leave()
	}
	for i := 0; ; i++ {
		if r.off >= len(r.src) {
			return r.invalid(r.pos(), `add "]"`, "the array that starts at %d:%d is not closed", start.Line, start.Column)
		}
		if !element(i) {
			return false
		}
		if more, ok := r.next(']', start); !more {
			return ok
		}
	}
}

func (r *reader) enter(start Position) bool {
	r.off++
	r.depth++
	if r.depth > maxDepth {
		return r.fail(start, TooDeep, "", "nested deeper than %d levels", maxDepth)
	}
	return true
}

func (r *reader) leave() bool {
	r.off++
	r.depth--
	return true
}

// next reads what follows a value in an object or array: a comma, after which
// more is true, or the closing bracket.
func (r *reader) next(closing byte, start Position) (more, ok bool) {
	end := r.pos()
	if !r.space() {
		return false, false
	}
	pos := r.pos()
	what := "object"
	if closing == ']' {
		what = "array"
	}
	switch c := r.current(); {
	case c == closing:
		return false, r.leave()
	case c == ',':
		r.off++
		if !r.space() {
			return false, false
		}
		if c := r.current(); c == '}' || c == ']' {
			return false, r.invalid(pos, "remove the comma", "trailing comma before %q", rune(c))
		}
		if r.current() == ',' {
			return false, r.invalid(r.pos(), "remove one of them", "two commas in a row")
		}
		return true, true
	case r.off >= len(r.src):
		return false, r.invalid(pos, fmt.Sprintf("add %q", string(closing)), "the %s that starts at %d:%d is not closed",
			what, start.Line, start.Column)
	case c == '"' || c == '{' || c == '[' || c == '-' || isWord(c):
		return false, r.invalid(end, `put "," after it`, "missing comma after the value")
	case c == ';':
		return false, r.invalid(pos, `use ","`, "%s after a value", r.found())
	default:
		return false, r.invalid(pos, "", `%s where "," or %q should be (the %s starts at %d:%d)`,
			r.found(), string(closing), what, start.Line, start.Column)
	}
}

// skip reads any value and drops it.
func (r *reader) skip() bool {
	switch r.peek() {
	case objectValue:
		return r.object(func(string, Position) bool { return r.skip() })
	case arrayValue:
		return r.array(func(int) bool { return r.skip() })
	case stringValue:
		_, ok := r.string()
		return ok
	case numberValue:
		_, ok := r.number()
		return ok
	case boolValue, nullValue:
		r.literal()
		return true
	}
	return false
}

// literal reads the true, false or null that peek has seen.
func (r *reader) literal() string {
	word := r.word()
	r.off += len(word)
	return word
}

// number reads a number and returns it as written.
func (r *reader) number() (string, bool) {
	start := r.off
	if r.current() == '-' {
		r.off++
	}
	first := r.off
	if r.digits() == 0 {
		return "", r.invalid(r.at(start), "", "a number needs digits")
	}
	if r.src[first] == '0' && r.off-first > 1 {
		return "", r.invalid(r.at(start), "remove the zeros, or make it a string", "a number cannot begin with 0")
	}
	if r.current() == '.' {
		r.off++
		if r.digits() == 0 {
			return "", r.invalid(r.at(start), "", "a number needs digits after its point")
		}
	}
	if c := r.current(); c == 'e' || c == 'E' {
		r.off++
		if c := r.current(); c == '+' || c == '-' {
			r.off++
		}
		if r.digits() == 0 {
			return "", r.invalid(r.at(start), "", "a number needs digits in its exponent")
		}
	}
	if word := r.word(); word != "" || r.current() == '.' {
		return "", r.invalid(r.at(start), "make it a string", "%s is not a number", quote(r.src[start:r.off]+cutWord(r.src[r.off:])))
	}
	return r.src[start:r.off], true
}

// cutWord returns the start of s up to what ends a value.
func cutWord(s string) string {
	if i := strings.IndexAny(s, " \t\r\n,]}:\""); i >= 0 {
		return s[:i]
	}
	return s
}

func (r *reader) digits() int {
	start := r.off
	for c := r.current(); '0' <= c && c <= '9'; c = r.current() {
		r.off++
	}
	return r.off - start
}

// A nameSet remembers the names of one object.
type nameSet struct {
	list []memberName
	many map[string]Position // instead of list once that is full
}

type memberName struct {
	name string
	pos  Position
}

// add records a name and reports whether, and where, it was seen before.
func (s *nameSet) add(name string, pos Position) (first Position, twice bool) {
	if s.many != nil {
		if first, twice = s.many[name]; !twice {
			s.many[name] = pos
		}
		return first, twice
	}
	for _, m := range s.list {
		if m.name == name {
			return m.pos, true
		}
	}
	if len(s.list) < cap(s.list) {
		s.list = append(s.list, memberName{name, pos})
		return Position{}, false
	}
	s.many = make(map[string]Position, 2*len(s.list))
	for _, m := range s.list {
		s.many[m.name] = m.pos
	}
	s.many[name] = pos
	return Position{}, false
}
