// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A mutation is one change of a valid request.
type mutation struct {
	kind  string // "missing", "too-short", …: what is counted
	path  string // of the parameter
	input object // the request with the change
}

// The kinds of mutations, in the order in which they are counted. Those up to
// atLimit violate a constraint; at the limit is right; and malformed cannot be
// understood at all.
const (
	missing   = "missing"
	tooShort  = "too short"
	tooLong   = "too long"
	tooSmall  = "too small"
	tooLarge  = "too large"
	pattern   = "outside the pattern"
	enum      = "outside the enumeration"
	twice     = "two at once"
	atLimit   = "at the limit"
	malformed = "malformed"
)

// tooMuch is the size of a body that the server does not read.
const tooMuch = 1 << 20

// A mutator makes the mutations of one operation's requests.
type mutator struct {
	*model
	base object
	json bool
	list []mutation
}

// mutations returns every mutation of a valid request of an operation.
func (m *model) mutations(op string, base object, json bool) []mutation {
	x := &mutator{model: m, base: base, json: json}
	in := m.input(op)
	for _, name := range in.names() {
		x.member(in, name, name, func(v any) object { return with(base, name, v) })
	}
	x.pairs()
	return x.list
}

// with returns an object with one member changed; nil takes it out.
func with(o object, name string, v any) object {
	out := maps.Clone(o)
	if out == nil {
		out = make(object)
	}
	if delete(out, name); v != nil {
		out[name] = v
	}
	return out
}

func (x *mutator) add(kind, path string, input object) {
	x.list = append(x.list, mutation{kind, path, input})
}

// member adds the mutations of one member of a structure. set returns the whole
// request with another value of it.
func (x *mutator) member(parent *shape, name, path string, set func(any) object) {
	if slices.Contains(parent.Required, name) {
		x.add(missing, path, set(nil))
	}
	shapeName := parent.Members[name].Shape
	switch s := x.Shapes[shapeName]; s.Type {
	case "string":
		x.text(s, shapeName, path, func(v string) object { return set(v) })
	case "integer":
		x.number(s, path, set)
	case "boolean":
		x.add(malformed, path, set("maybe"))
		x.add(atLimit, path, set("true"))
		x.add(atLimit, path, set("false"))
	case "timestamp":
		x.add(malformed, path, set("now"))
	case "structure":
		x.structure(s, shapeName, path, set)
		if x.json {
			x.add(malformed, path, set("x"))
		}
	case "list":
		x.many(s, path, set)
	default:
		panic(path + ": a parameter of type " + s.Type)
	}
}

// structure adds the mutations of the members of a structure.
func (x *mutator) structure(s *shape, shapeName, path string, set func(any) object) {
	have := x.valid(shapeName).(object)
	for _, name := range s.names() {
		x.member(s, name, path+"."+name, func(v any) object { return set(with(have, name, v)) })
	}
}

func (x *mutator) number(s *shape, path string, set func(any) object) {
	x.add(malformed, path, set("one"))
	x.add(malformed, path, set("99999999999"))
	if s.Min != nil {
		x.add(tooSmall, path, set(strconv.Itoa(*s.Min-1)))
		x.add(atLimit, path, set(strconv.Itoa(*s.Min)))
	}
	if s.Max != nil {
		x.add(tooLarge, path, set(strconv.Itoa(*s.Max+1)))
		x.add(atLimit, path, set(strconv.Itoa(*s.Max)))
	}
}

// text adds the mutations of a string.
func (x *mutator) text(s *shape, name, path string, set func(string) object) {
	good := x.valid(name).(string)
	if x.json {
		x.add(malformed, path, set("\x00number")) // see appendJSON
	}
	if s.Enum != nil {
		x.add(enum, path, set("Bogus"))
		x.add(enum, path, set(""))
		for _, v := range s.Enum {
			x.add(atLimit, path, set(v))
		}
		return
	}
	if s.Min != nil && *s.Min > 0 {
		x.add(tooShort, path, set(stretch(s, good, *s.Min-1)))
		x.add(atLimit, path, set(stretch(s, good, *s.Min)))
	}
	if s.Max != nil && *s.Max < tooMuch/4 {
		x.add(tooLong, path, set(stretch(s, good, *s.Max+1)))
		x.add(atLimit, path, set(stretch(s, good, *s.Max)))
	}
	if bad, ok := outside(s, good); ok {
		x.add(pattern, path, set(bad))
	}
}

// stretch makes a value n characters long, within the pattern if that can be,
// with characters of two bytes if they may be in it.
func stretch(s *shape, good string, n int) string {
	runes := []rune(good)
	tries := []string{string(runes[:min(n, len(runes))])}
	if n == 0 {
		return ""
	}
	for _, filler := range []string{"ä", "a", "0", "A", "/"} {
		tries = append(tries, strings.Repeat(filler, n))
		if more := n - len(runes); more > 0 {
			tries = append(tries, good+strings.Repeat(filler, more), "/"+strings.Repeat(filler, n-2)+"/", filler+"@"+strings.Repeat(filler, n-5)+".de")
		}
	}
	if u := utf8.RuneCountInString; s.Pattern != "" {
		tries = slices.DeleteFunc(tries, func(v string) bool { return u(v) != n || !matches(s.Pattern, v) })
	} else {
		tries = slices.DeleteFunc(tries, func(v string) bool { return u(v) != n })
	}
	if len(tries) == 0 {
		return strings.Repeat("a", n)
	}
	return tries[0]
}

// outside returns a value of the right length that the pattern does not allow;
// false if there is none.
func outside(s *shape, good string) (string, bool) {
	if s.Pattern == "" {
		return "", false
	}
	runes := []rune(good)
	for _, bad := range []rune{'<', ' ', '*', 'é', 'Ā', '\U0001F600', '\n', '\u0085', '\u007f'} {
		v := string(bad) + string(runes[min(1, len(runes)):])
		if !matches(s.Pattern, v) {
			return v, true
		}
	}
	return "", false
}

// many adds the mutations of a list and of its elements.
func (x *mutator) many(s *shape, path string, set func(any) object) {
	name := s.Member.Shape
	element := x.Shapes[name]
	one := x.valid(name)
	if s.Min != nil && *s.Min > 0 {
		x.add(tooShort, path, set(list{}))
	} else {
		x.add(atLimit, path, set(list{}))
	}
	if s.Max != nil {
		x.add(tooLong, path, set(repeat(x.distinct(name), *s.Max+1)))
		x.add(atLimit, path, set(repeat(x.distinct(name), *s.Max)))
	}
	if x.json {
		x.add(malformed, path, set("x"))
	}
	if element.Type == "structure" {
		x.structure(element, name, path+".2", func(v any) object { return set(list{one, v}) })
		return
	}
	x.text(element, name, path+".2", func(v string) object { return set(list{one, v}) })
}

// distinct returns a maker of elements that differ, as keys of tags must.
func (x *mutator) distinct(name string) func(i int) any {
	return func(i int) any {
		v := x.valid(name)
		if o, ok := v.(object); ok {
			if key, ok := o["Key"].(string); ok {
				return with(o, "Key", key+strconv.Itoa(i))
			}
			return o
		}
		if s := x.Shapes[name]; len(x.broken(s, v.(string)+strconv.Itoa(i))) == 0 {
			return v.(string) + strconv.Itoa(i)
		}
		return v
	}
}

func repeat(element func(int) any, n int) list {
	l := make(list, n)
	for i := range l {
		l[i] = element(i)
	}
	return l
}

// pairs adds requests with two violations of different parameters at once.
func (x *mutator) pairs() {
	var firsts []mutation // of each parameter at the top, the first that violates something
	for _, m := range x.list {
		at := topOf(m.path)
		if m.kind == atLimit || m.kind == malformed || slices.ContainsFunc(firsts, func(f mutation) bool { return topOf(f.path) == at }) {
			continue
		}
		firsts = append(firsts, m)
	}
	for i := 1; i < len(firsts); i++ {
		a, b := firsts[i-1], firsts[i]
		both := with(a.input, topOf(b.path), b.input[topOf(b.path)])
		x.add(twice, a.path+" and "+b.path, both)
	}
}

func topOf(path string) string {
	top, _, _ := strings.Cut(path, ".")
	return top
}

// valid returns a value that satisfies every constraint of a shape.
func (m *model) valid(name string) any {
	s := m.Shapes[name]
	switch s.Type {
	case "structure":
		o := make(object)
		for _, member := range s.names() {
			if len(s.Required) == 0 || slices.Contains(s.Required, member) {
				o[member] = m.valid(s.Members[member].Shape)
			}
		}
		return o
	case "list":
		return list{m.valid(s.Member.Shape)}
	case "integer":
		if s.Min != nil {
			return strconv.Itoa(*s.Min)
		}
		return "1"
	case "boolean":
		return "true"
	case "timestamp":
		return "1767323045"
	}
	if s.Enum != nil {
		return s.Enum[0]
	}
	for _, v := range samples {
		if len(m.broken(s, v)) == 0 {
			return v
		}
	}
	if s.Min != nil {
		if v := strings.Repeat("a", *s.Min); len(m.broken(s, v)) == 0 {
			return v
		}
	}
	panic(fmt.Sprintf("no sample satisfies %s: add one to samples", name))
}

// samples are values of which one satisfies each shape of a string.
var samples = []string{
	"team", "/", "v1", "123456", "ABCDEFGHIJKLMNOPQRSTUVWX", "arn:aws:iam::aws:policy/ReadOnlyAccess",
	"0123456789abcdef0123456789abcdef01234567", "123456789012", "x@example.com", "https://example.com/",
	"r-abcd", "ou-abcd-abcdefgh", "p-abcdefgh", "h-abcdefgh", "car-abcdefgh", "rt-abcdefgh", "o-abcdefghij/r-abcd/",
}
