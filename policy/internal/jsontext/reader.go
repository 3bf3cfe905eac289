// SPDX-License-Identifier: Apache-2.0

// Package jsontext reads strict JSON and knows the place of everything in it,
// and writes it for people.
package jsontext

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDepth bounds how deep objects and arrays may nest.
const MaxDepth = 32

// A Position is a place in a text. Line and Column count from 1; Column counts
// bytes.
type Position struct {
	Line, Column int
}

// Fault says what sort of Error it is.
type Fault uint8

// The faults.
const (
	NotJSON Fault = iota
	NotUTF8
	TooDeep
)

// An Error says where and why a text is no JSON that a Reader reads.
type Error struct {
	Pos     Position
	Fault   Fault
	Message string
	Fix     string // what would likely cure it, or ""
}

// A Reader reads strict JSON (RFC 8259) and keeps count of lines. Its methods
// return false once the text is broken; Err then says where and why, and
// nothing more can be read. Methods that read a value expect space to have
// been skipped, as Peek does. Make one with NewReader.
type Reader struct {
	Err *Error // nil while all is well

	src       string
	off       int
	line      int // of off, from 1
	lineStart int // offset of the line's first byte
	depth     int
	duplicate func(name string, pos, first Position)
}

// NewReader returns a Reader at the start of src. It fails at once if src is
// not UTF-8 or begins with a byte order mark. The function duplicate is called
// for a name that its object already has; the value that follows is skipped.
func NewReader(src string, duplicate func(name string, pos, first Position)) *Reader {
	r := &Reader{src: src, line: 1, duplicate: duplicate}
	switch {
	case strings.HasPrefix(src, "\ufeff"):
		r.Invalid(r.Pos(), "save the file as UTF-8 without it", "the text begins with a byte order mark")
	case strings.HasPrefix(src, "\xff\xfe"), strings.HasPrefix(src, "\xfe\xff"):
		r.fail(r.Pos(), NotUTF8, saveUTF8, "the text is UTF-16")
	case !utf8.ValidString(src):
		bad := firstBroken(src)
		r.line += strings.Count(src[:bad], "\n")
		r.lineStart = strings.LastIndexByte(src[:bad], '\n') + 1
		r.fail(r.at(bad), NotUTF8, saveUTF8, "the byte 0x%02x is not UTF-8", src[bad])
	}
	return r
}

const saveUTF8 = "save the file as UTF-8"

// firstBroken returns the offset of the first byte of s that is not UTF-8.
func firstBroken(s string) int {
	for i, c := range s {
		if c == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return len(s)
}

// Pos returns the position of the offset.
func (r *Reader) Pos() Position { return r.at(r.off) }

// Offset returns how many bytes were read.
func (r *Reader) Offset() int { return r.off }

// at returns the position of an offset on the current line.
func (r *Reader) at(off int) Position {
	return Position{Line: r.line, Column: off - r.lineStart + 1}
}

// fail records the first error and returns false.
func (r *Reader) fail(pos Position, fault Fault, fix, format string, args ...any) bool {
	if r.Err == nil {
		r.Err = &Error{Pos: pos, Fault: fault, Message: fmt.Sprintf(format, args...), Fix: fix}
	}
	return false
}

// Invalid records an error, unless there is one, and returns false.
func (r *Reader) Invalid(pos Position, fix, format string, args ...any) bool {
	return r.fail(pos, NotJSON, fix, format, args...)
}

// current returns the byte at the offset, or 0 at the end of the text.
func (r *Reader) current() byte {
	if r.off < len(r.src) {
		return r.src[r.off]
	}
	return 0
}

// Space skips white space. It fails on a comment.
func (r *Reader) Space() bool {
	for r.off < len(r.src) {
		switch r.src[r.off] {
		case ' ', '\t', '\r':
			r.off++
		case '\n':
			r.off++
			r.line++
			r.lineStart = r.off
		case '/', '#':
			return r.Invalid(r.Pos(), "remove the comment", "JSON has no comments")
		default:
			return true
		}
	}
	return true
}

// A Kind is the type of a JSON value, told from its first byte.
type Kind uint8

// The kinds of value.
const (
	Broken Kind = iota // not a value: the reader has failed
	Object
	Array
	String
	Number
	Bool
	Null
)

var kindNames = [...]string{"", "an object", "an array", "a string", "a number", "a boolean", "null"}

// String returns the kind with its article, such as "an array".
func (k Kind) String() string { return kindNames[k] }

// Peek skips space and says what kind of value starts there.
func (r *Reader) Peek() Kind {
	if !r.Space() {
		return Broken
	}
	switch c := r.current(); {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == '-', '0' <= c && c <= '9':
		return Number
	}
	switch word := r.Word(); word {
	case "true", "false":
		return Bool
	case "null":
		return Null
	default:
		r.noValue(word)
		return Broken
	}
}

// Word returns the letters, digits and underscores at the offset.
func (r *Reader) Word() string {
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
func (r *Reader) noValue(word string) bool {
	pos := r.Pos()
	switch lower := strings.ToLower(word); {
	case lower == "true" || lower == "false" || lower == "null":
		return r.Invalid(pos, "write "+lower, "%s is not JSON", Quote(word))
	case lower == "none" || lower == "undefined" || lower == "nan" || lower == "infinity":
		return r.Invalid(pos, "", "%s is not JSON", Quote(word))
	case word != "":
		return r.Invalid(pos, `write "`+Clip(word)+`"`, "%s is not in double quotes", Quote(word))
	}
	switch r.current() {
	case '\'', '`':
		return r.Invalid(pos, `use double quotes (")`, "strings need double quotes")
	case ',', '}', ']':
		return r.Invalid(pos, "", "a value is missing before %s", r.Found())
	case '+':
		return r.Invalid(pos, "remove the +", "a number cannot begin with +")
	case '.':
		return r.Invalid(pos, "write 0 before the point", "a number cannot begin with a point")
	}
	if r.curly() {
		return r.Invalid(pos, `use straight double quotes (")`, "curly quotes are not JSON")
	}
	return r.Invalid(pos, "", "%s where a value should be", r.Found())
}

// curly reports whether a typographic quotation mark stands at the offset.
func (r *Reader) curly() bool {
	c, _ := utf8.DecodeRuneInString(r.src[r.off:])
	return strings.ContainsRune("“”„‟‘’«»", c)
}

// Found describes the character at the offset.
func (r *Reader) Found() string {
	if r.off >= len(r.src) {
		return "the end of the text"
	}
	c, _ := utf8.DecodeRuneInString(r.src[r.off:])
	return Quote(string(c))
}

// Object reads an object. It calls member after each name and colon, with the
// offset at the value, which member must read or fail.
func (r *Reader) Object(member func(name string, pos Position) bool) bool {
	start := r.Pos()
	if !r.enter(start) {
		return false
	}
	var seen NameSet
	if !r.Space() {
		return false
	}
	if r.current() == '}' {
		return r.leave()
	}
	for {
		pos := r.Pos()
		name, ok := r.name(start)
		if !ok {
			return false
		}
		if first, twice := seen.Add(name, pos); twice {
			r.duplicate(name, pos, first)
			ok = r.Skip()
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
func (r *Reader) name(start Position) (string, bool) {
	pos := r.Pos()
	switch c := r.current(); {
	case c == '"':
	case c == 0 && r.off >= len(r.src):
		return "", r.Invalid(pos, `add "}"`, "the object that starts at %d:%d is not closed", start.Line, start.Column)
	case c == '\'' || c == '`':
		return "", r.Invalid(pos, `use double quotes (")`, "names need double quotes")
	case isWord(c):
		return "", r.Invalid(pos, `write "`+Clip(r.Word())+`"`, "the name %s is not in double quotes", Quote(r.Word()))
	case r.curly():
		return "", r.Invalid(pos, `use straight double quotes (")`, "curly quotes are not JSON")
	default:
		return "", r.Invalid(pos, "", "%s where a name in double quotes should be", r.Found())
	}
	name, ok := r.Text()
	if !ok {
		return "", false
	}
	end := r.Pos()
	if !r.Space() {
		return "", false
	}
	switch c := r.current(); {
	case c == ':':
		r.off++
		return name, r.Space()
	case c == '=':
		return "", r.Invalid(r.Pos(), `use ":"`, "%s after the name %s", r.Found(), Quote(name))
	default:
		return "", r.Invalid(end, `put ":" and a value after it`, "the name %s has no value", Quote(name))
	}
}

// Array reads an array, calling element with the offset at each value, which
// element must read or fail.
func (r *Reader) Array(element func(i int) bool) bool {
	start := r.Pos()
	if !r.enter(start) || !r.Space() {
		return false
	}
	if r.current() == ']' {
		return r.leave()
	}
	for i := 0; ; i++ {
		if r.off >= len(r.src) {
			return r.Invalid(r.Pos(), `add "]"`, "the array that starts at %d:%d is not closed", start.Line, start.Column)
		}
		if !element(i) {
			return false
		}
		if more, ok := r.next(']', start); !more {
			return ok
		}
	}
}

func (r *Reader) enter(start Position) bool {
	r.off++
	r.depth++
	if r.depth > MaxDepth {
		return r.fail(start, TooDeep, "", "nested deeper than %d levels", MaxDepth)
	}
	return true
}

func (r *Reader) leave() bool {
	r.off++
	r.depth--
	return true
}

// next reads what follows a value in an object or array: a comma, after which
// more is true, or the closing bracket.
func (r *Reader) next(closing byte, start Position) (more, ok bool) {
	end := r.Pos()
	if !r.Space() {
		return false, false
	}
	pos := r.Pos()
	what := "object"
	if closing == ']' {
		what = "array"
	}
	switch c := r.current(); {
	case c == closing:
		return false, r.leave()
	case c == ',':
		r.off++
		if !r.Space() {
			return false, false
		}
		if c := r.current(); c == '}' || c == ']' {
			return false, r.Invalid(pos, "remove the comma", "trailing comma before %q", rune(c))
		}
		if r.current() == ',' {
			return false, r.Invalid(r.Pos(), "remove one of them", "two commas in a row")
		}
		return true, true
	case r.off >= len(r.src):
		return false, r.Invalid(pos, fmt.Sprintf("add %q", string(closing)), "the %s that starts at %d:%d is not closed",
			what, start.Line, start.Column)
	case c == '"' || c == '{' || c == '[' || c == '-' || isWord(c):
		return false, r.Invalid(end, `put "," after it`, "missing comma after the value")
	case c == ';':
		return false, r.Invalid(pos, `use ","`, "%s after a value", r.Found())
	default:
		return false, r.Invalid(pos, "", `%s where "," or %q should be (the %s starts at %d:%d)`,
			r.Found(), string(closing), what, start.Line, start.Column)
	}
}

// Skip reads any value and drops it.
func (r *Reader) Skip() bool {
	switch r.Peek() {
	case Object:
		return r.Object(func(string, Position) bool { return r.Skip() })
	case Array:
		return r.Array(func(int) bool { return r.Skip() })
	case String:
		_, ok := r.Text()
		return ok
	case Number:
		_, ok := r.Number()
		return ok
	case Bool, Null:
		r.Literal()
		return true
	}
	return false
}

// Literal reads the true, false or null that Peek has seen.
func (r *Reader) Literal() string {
	word := r.Word()
	r.off += len(word)
	return word
}

// Number reads a number and returns it as written.
func (r *Reader) Number() (string, bool) {
	start := r.off
	if r.current() == '-' {
		r.off++
	}
	first := r.off
	if r.digits() == 0 {
		return "", r.Invalid(r.at(start), "", "a number needs digits")
	}
	if r.src[first] == '0' && r.off-first > 1 {
		return "", r.Invalid(r.at(start), "remove the zeros, or make it a string", "a number cannot begin with 0")
	}
	if r.current() == '.' {
		r.off++
		if r.digits() == 0 {
			return "", r.Invalid(r.at(start), "", "a number needs digits after its point")
		}
	}
	if c := r.current(); c == 'e' || c == 'E' {
		r.off++
		if c := r.current(); c == '+' || c == '-' {
			r.off++
		}
		if r.digits() == 0 {
			return "", r.Invalid(r.at(start), "", "a number needs digits in its exponent")
		}
	}
	if word := r.Word(); word != "" || r.current() == '.' {
		return "", r.Invalid(r.at(start), "make it a string", "%s is not a number", Quote(r.src[start:r.off]+cutWord(r.src[r.off:])))
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

func (r *Reader) digits() int {
	start := r.off
	for c := r.current(); '0' <= c && c <= '9'; c = r.current() {
		r.off++
	}
	return r.off - start
}

// A NameSet remembers the names of one object. The zero NameSet is empty.
type NameSet struct {
	few  [8]memberName
	n    int                 // of few
	many map[string]Position // instead of few once that is full
}

type memberName struct {
	name string
	pos  Position
}

// Add records a name and reports whether, and where, it was seen before.
func (s *NameSet) Add(name string, pos Position) (first Position, twice bool) {
	if s.many != nil {
		if first, twice = s.many[name]; !twice {
			s.many[name] = pos
		}
		return first, twice
	}
	for _, m := range s.few[:s.n] {
		if m.name == name {
			return m.pos, true
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = memberName{name, pos}
		s.n++
		return Position{}, false
	}
	s.many = make(map[string]Position, 2*len(s.few))
	for _, m := range s.few {
		s.many[m.name] = m.pos
	}
	s.many[name] = pos
	return Position{}, false
}
