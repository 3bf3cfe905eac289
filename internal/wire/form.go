// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// MaxParameters is how many parameters a form may have.
const MaxParameters = 10_000

// Form is the parameters of one request, or of one structure within it. Its methods read a parameter by
// its name and note what is wrong with it; nothing fails before Err. Parameters that nobody reads are
// ignored, as AWS does. Pointers that a Form returns point into it; it is not safe for concurrent use.
type Form struct {
	params []param // sorted by name, no name twice
	skip   int     // length of the prefix that all the names share, such as "Tags.member.1."
	errs   *failures

	// Of a structure only:
	up  *Form  // the form it belongs to
	own string // its name there, or its list's
	pos int    // its place in the list, from 1, or 0 when there is no list
}

type param struct {
	name, value string
	kind        kind
}

// kind is what a parameter was in JSON. Everything in a form is text and may be read as anything.
type kind byte

const (
	text    kind = iota // of a form
	literal             // a JSON string
	number
	truth
	object // the value is empty; the members are parameters of their own
	array  // likewise
)

// is reports whether a parameter may be read as k.
func (p *param) is(k kind) bool { return p.kind == text || p.kind == k }

// ParseForm parses an application/x-www-form-urlencoded body or query string, whose size the caller has
// limited. It returns MalformedQueryString for a bad escape, text that is not UTF-8, a parameter without
// a name or given twice, and more than MaxParameters parameters.
func ParseForm(encoded string) (*Form, error) {
	n := strings.Count(encoded, "&") + 1
	if n > MaxParameters {
		return nil, awserr.MalformedQueryString.Msg("The request has more than %d parameters.", MaxParameters)
	}
	params := make([]param, 0, n)
	for pair := range strings.SplitSeq(encoded, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || name == "" || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, awserr.MalformedQueryString
		}
		params = append(params, param{name: name, value: value})
	}
	if !sortParams(params) {
		return nil, awserr.MalformedQueryString.Msg("The query string has a duplicate parameter.")
	}
	return &Form{params: params, errs: new(failures)}, nil
}

// sortParams sorts parameters by name and reports whether each name is there once.
func sortParams(params []param) bool {
	slices.SortFunc(params, func(a, b param) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(params); i++ {
		if params[i].name == params[i-1].name {
			return false
		}
	}
	return true
}

// Err returns what was wrong with the parameters read so far: MalformedInput when one could not be
// understood at all, else one ValidationError that names every violated constraint, else nil. Of a body
// in JSON it is SerializationException or ValidationException.
func (f *Form) Err() error { return f.errs.err() }

// Violated returns the first constraint that a parameter violates, and reports whether one does. It is
// for services that have an error of their own for it.
func (f *Form) Violated() (Constraint, bool) {
	return f.errs.first, f.errs.count > 0 && f.errs.malformed == nil
}

// Len returns the number of parameters.
func (f *Form) Len() int { return len(f.params) }

// Get returns a parameter as it came, and whether it came. It checks nothing.
func (f *Form) Get(name string) (string, bool) {
	if p := f.find(name); p != nil {
		return *p, true
	}
	return "", false
}

// Optional returns a string that c allows (nil: any), or nil when the parameter is absent.
func (f *Form) Optional(name string, c *Text) *string {
	p := f.scalar(name, literal, "is not a string")
	if p != nil {
		f.checkText(name, *p, c)
	}
	return p
}

// Required returns a string that c allows (nil: any).
func (f *Form) Required(name string, c *Text) string {
	p := f.Optional(name, c)
	if p == nil {
		f.null(name)
		return ""
	}
	return *p
}

// OptionalInt returns a number within r (nil: any), or nil when the parameter is absent.
func (f *Form) OptionalInt(name string, r *Range) *int32 {
	p := f.scalar(name, number, "is not an integer")
	if p == nil {
		return nil
	}
	n, err := strconv.ParseInt(*p, 10, 32)
	if err != nil {
		f.malformed(name, "is not an integer")
		return nil
	}
	v := int32(n)
	f.checkInt(name, v, r)
	return &v
}

// RequiredInt returns a number within r (nil: any).
func (f *Form) RequiredInt(name string, r *Range) int32 {
	p := f.OptionalInt(name, r)
	if p == nil {
		f.null(name)
		return 0
	}
	return *p
}

// Bool returns a truth value, false when the parameter is absent.
func (f *Form) Bool(name string) bool { return Value(f.OptionalBool(name), false) }

// OptionalBool returns a truth value, or nil when the parameter is absent.
func (f *Form) OptionalBool(name string) *bool {
	p := f.scalar(name, truth, "is neither true nor false")
	if p == nil {
		return nil
	}
	yes := strings.EqualFold(*p, "true")
	if !yes && !strings.EqualFold(*p, "false") {
		f.malformed(name, "is neither true nor false")
		return nil
	}
	return &yes
}

// OptionalStrings returns the list name.member.N in the order of N, which may have gaps. It is nil when
// absent and empty, not nil, when sent as "name=". Each element must satisfy c (nil: any).
func (f *Form) OptionalStrings(name string, size *Size, c *Text) []string {
	elems, present := f.elements(name)
	if !present {
		return nil
	}
	out := make([]string, 0, len(elems))
	for _, e := range elems {
		if e.nested || !f.params[e.lo].is(literal) {
			f.malformed(name, "is not a list of strings")
			return nil
		}
		out = append(out, f.params[e.lo].value)
	}
	f.checkStrings(name, out, size, c)
	return out
}

// RequiredStrings is OptionalStrings for a list that must be sent.
func (f *Form) RequiredStrings(name string, size *Size, c *Text) []string {
	out := f.OptionalStrings(name, size, c)
	if out == nil {
		f.null(name)
	}
	return out
}

// OptionalList returns the list of structures name.member.N.…, each decoded by decode from a form of its
// own, in the order of N, which may have gaps. It is nil when absent and empty, not nil, when sent as
// "name=".
func OptionalList[T any](f *Form, name string, size *Size, decode func(*Form) T) []T {
	elems, present := f.elements(name)
	if !present {
		return nil
	}
	f.checkSize(name, len(elems), size)
	out := make([]T, 0, len(elems))
	view := &Form{errs: f.errs, up: f, own: name}
	for i, e := range elems {
		if !e.nested {
			f.malformed(name, "is not a list of structures")
			return nil
		}
		view.params, view.skip, view.pos = f.params[e.lo:e.hi], e.skip, i+1
		out = append(out, decode(view))
	}
	return out
}

// RequiredList is OptionalList for a list that must be sent.
func RequiredList[T any](f *Form, name string, size *Size, decode func(*Form) T) []T {
	out := OptionalList(f, name, size, decode)
	if out == nil {
		f.null(name)
	}
	return out
}

// OptionalStruct returns the structure name.…, decoded by decode from a form of its own, or nil when no
// parameter of it came.
func OptionalStruct[T any](f *Form, name string, decode func(*Form) T) *T {
	prefix := name + "."
	lo, _ := f.search(prefix)
	hi := lo
	for hi < len(f.params) && strings.HasPrefix(f.params[hi].name[f.skip:], prefix) {
		hi++
	}
	if i, ok := f.search(name); ok && f.params[i].kind != text && f.params[i].kind != object {
		f.malformed(name, "is not a structure")
		return nil
	} else if lo == hi && (!ok || f.params[i].kind != object) {
		return nil
	}
	v := decode(&Form{params: f.params[lo:hi], skip: f.skip + len(prefix), errs: f.errs, up: f, own: name})
	return &v
}

// RequiredStruct is OptionalStruct for a structure that must be sent.
func RequiredStruct[T any](f *Form, name string, decode func(*Form) T) T {
	p := OptionalStruct(f, name, decode)
	if p == nil {
		f.null(name)
		p = new(T)
	}
	return *p
}

// find returns the value of a parameter, or nil.
func (f *Form) find(name string) *string {
	if i, ok := f.search(name); ok {
		return &f.params[i].value
	}
	return nil
}

// scalar returns the value of a parameter that may be read as k, or nil; wrong says what is the matter
// with another one.
func (f *Form) scalar(name string, k kind, wrong string) *string {
	i, ok := f.search(name)
	if !ok {
		return nil
	}
	if !f.params[i].is(k) {
		f.malformed(name, wrong)
		return nil
	}
	return &f.params[i].value
}

func (f *Form) search(name string) (int, bool) {
	return slices.BinarySearchFunc(f.params, name, func(p param, name string) int {
		return strings.Compare(p.name[f.skip:], name)
	})
}

// element is one list element: params[lo:hi], whose names share a prefix of skip bytes.
type element struct {
	index  int
	lo, hi int
	skip   int
	nested bool // a structure: its names go on after the index
}

// elements finds the elements of a list among the parameters that came, so that an index costs nothing
// however large it is. All elements are of one kind or the list is malformed. present tells an absent
// list from an empty one.
func (f *Form) elements(name string) (elems []element, present bool) {
	if i, ok := f.search(name); ok {
		if p := &f.params[i]; !p.is(array) || p.value != "" {
			f.malformed(name, "is not a list")
		}
		present = true
	}
	prefix := name + ".member."
	first, _ := f.search(prefix)
	for i := first; i < len(f.params); i++ {
		rest, ok := strings.CutPrefix(f.params[i].name[f.skip:], prefix)
		if !ok {
			break
		}
		digits, _, nested := strings.Cut(rest, ".")
		index, ok := listIndex(digits)
		if !ok {
			f.malformed(name, "has an element without a number")
			return nil, true
		}
		// The names of one structure are neighbours, because they share the prefix that ends in a dot.
		if last := len(elems) - 1; last >= 0 && elems[last].index == index {
			if !nested || !elems[last].nested {
				f.malformed(name, "has an element that is both a string and a structure")
				return nil, true
			}
			elems[last].hi = i + 1
			continue
		}
		if elems == nil {
			elems = make([]element, 0, min(len(f.params)-i, 16))
		}
		skip := f.skip + len(prefix) + len(digits) + 1
		elems = append(elems, element{index: index, lo: i, hi: i + 1, skip: skip, nested: nested})
	}
	slices.SortFunc(elems, func(a, b element) int { return cmp.Compare(a.index, b.index) })
	return elems, present || len(elems) > 0
}

// listIndex parses the number of a list element: decimal, from 1, without sign or leading zeros.
func listIndex(s string) (int, bool) {
	if s == "" || s[0] == '0' || len(s) > 10 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
