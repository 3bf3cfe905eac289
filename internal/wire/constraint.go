// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// Text is what a string must satisfy. The zero value allows everything. A Text must not be copied after
// its first use; it is safe for concurrent use.
type Text struct {
	Min, Max int      // length in characters; Max 0 means no limit
	Pattern  string   // a Java regular expression for the whole string, as the API model has it; "" means none
	Enum     []string // the allowed values; nil means any
	Secret   bool     // error messages leave the value out

	once  sync.Once
	match func(string) bool // for Pattern
}

// Range is what a number must satisfy.
type Range struct{ Min, Max int32 }

// Size is how many elements a list may have. Max 0 means no limit.
type Size struct{ Min, Max int }

// AWS puts no bound on a validation message; these keep it in proportion to a sensible request.
const (
	maxFailures = 100   // constraints named in one message; all are counted
	maxEcho     = 1_024 // bytes of a value repeated in a message
)

// A Constraint is one of those that the API models put on a parameter.
type Constraint string

// The constraints.
const (
	NotNull   Constraint = "not-null"
	MaxLength Constraint = "max-length" // also of a list
	MinLength Constraint = "min-length"
	MaxValue  Constraint = "max-value"
	MinValue  Constraint = "min-value"
	Pattern   Constraint = "pattern"
	Enum      Constraint = "enum"
	Element   Constraint = "element" // any, of an element of a list of strings
)

// A demand is a constraint in the words of AWS's messages.
type demand struct {
	what Constraint
	must string
}

// failures collects what is wrong with a request.
type failures struct {
	json      bool // the body was JSON
	malformed error
	count     int
	first     Constraint // of the first failure
	text      []string   // the first maxFailures of count
}

func (e *failures) err() error {
	if e.malformed != nil {
		return e.malformed
	}
	if e.count == 0 {
		return nil
	}
	noun := "validation errors"
	if e.count == 1 {
		noun = "validation error"
	}
	if e.json {
		return awserr.ValidationException.Msg("%d %s detected: %s", e.count, noun, strings.Join(e.text, "; "))
	}
	return awserr.ValidationError.Msg("%d %s detected: %s", e.count, noun, strings.Join(e.text, "; "))
}

// malformed notes that a parameter could not be understood. The first one is reported.
func (f *Form) malformed(name, problem string) {
	if f.errs.malformed != nil {
		return
	}
	if f.errs.json {
		f.errs.malformed = awserr.SerializationException.Msg("The parameter at '%s' %s.", f.path(name), problem)
	} else {
		f.errs.malformed = awserr.MalformedInput.Msg("The parameter at '%s' %s.", f.path(name), problem)
	}
}

// null notes that a required parameter is absent.
func (f *Form) null(name string) { f.fail(name, "null ", demand{NotNull, "not be null"}) }

// fail notes a violated constraint. value is what follows "Value ": "null ", "'x' " or nothing.
func (f *Form) fail(name, value string, d demand) {
	f.errs.count++
	if f.errs.count == 1 {
		f.errs.first = d.what
	}
	if f.errs.count > maxFailures {
		return
	}
	f.errs.text = append(f.errs.text,
		"Value "+value+"at '"+f.path(name)+"' failed to satisfy constraint: Member must "+d.must)
}

// path returns the place of a parameter as AWS's messages name it, such as tags.1.member.key.
func (f *Form) path(name string) string {
	name = lowerFirst(name)
	if f.up == nil {
		return name
	}
	if f.pos == 0 {
		return f.up.path(f.own) + "." + name
	}
	return f.up.path(f.own) + "." + strconv.Itoa(f.pos) + ".member." + name
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// echo quotes a value for a message.
func echo(v string) string {
	if len(v) > maxEcho {
		end := maxEcho
		for end > 0 && !utf8.RuneStart(v[end]) {
			end--
		}
		v = v[:end] + "..."
	}
	return "'" + v + "' "
}

func (f *Form) checkText(name, v string, c *Text) {
	if c == nil || c.allows(v) {
		return
	}
	value := ""
	if !c.Secret {
		value = echo(v)
	}
	for _, d := range c.violated(v) {
		f.fail(name, value, d)
	}
}

// checkStrings checks a list of strings. AWS reports its bad elements as one failure of the list that
// names every constraint on an element.
func (f *Form) checkStrings(name string, list []string, size *Size, c *Text) {
	f.checkSize(name, len(list), size)
	if c == nil {
		return
	}
	for _, v := range list {
		if c.allows(v) {
			continue
		}
		value := ""
		if !c.Secret {
			value = echo("[" + strings.Join(list, ", ") + "]")
		}
		f.fail(name, value, demand{Element, "satisfy constraint: [Member must " + strings.Join(c.demands(), ", Member must ") + "]"})
		return
	}
}

func (f *Form) checkSize(name string, n int, size *Size) {
	switch {
	case size == nil:
	case size.Max > 0 && n > size.Max:
		f.fail(name, "", lengthAtMost(size.Max))
	case n < size.Min:
		f.fail(name, "", lengthAtLeast(size.Min))
	}
}

func (f *Form) checkInt(name string, v int32, r *Range) {
	switch {
	case r == nil:
	case v > r.Max:
		f.fail(name, echo(strconv.Itoa(int(v))), demand{MaxValue, "have value less than or equal to " + strconv.Itoa(int(r.Max))})
	case v < r.Min:
		f.fail(name, echo(strconv.Itoa(int(v))), demand{MinValue, "have value greater than or equal to " + strconv.Itoa(int(r.Min))})
	}
}

// allows reports whether v satisfies every constraint.
func (c *Text) allows(v string) bool {
	return c.lengthOK(v) && c.enumOK(v) && c.patternOK(v)
}

// violated returns the constraints that v breaks, in the order in which demands has them.
func (c *Text) violated(v string) []demand {
	var out []demand
	if n := utf8.RuneCountInString(v); c.Max > 0 && n > c.Max {
		out = append(out, lengthAtMost(c.Max))
	} else if n < c.Min {
		out = append(out, lengthAtLeast(c.Min))
	}
	if !c.patternOK(v) {
		out = append(out, patternIs(c.Pattern))
	}
	if !c.enumOK(v) {
		out = append(out, enumIs(c.Enum))
	}
	return out
}

// demands returns all the constraints.
func (c *Text) demands() []string {
	var out []string
	if c.Max > 0 {
		out = append(out, lengthAtMost(c.Max).must)
	}
	if c.Max > 0 || c.Min > 0 {
		out = append(out, lengthAtLeast(c.Min).must)
	}
	if c.Pattern != "" {
		out = append(out, patternIs(c.Pattern).must)
	}
	if c.Enum != nil {
		out = append(out, enumIs(c.Enum).must)
	}
	return out
}

func lengthAtMost(n int) demand {
	return demand{MaxLength, "have length less than or equal to " + strconv.Itoa(n)}
}

func lengthAtLeast(n int) demand {
	return demand{MinLength, "have length greater than or equal to " + strconv.Itoa(n)}
}

func patternIs(p string) demand { return demand{Pattern, "satisfy regular expression pattern: " + p} }

func enumIs(values []string) demand {
	return demand{Enum, "satisfy enum value set: [" + strings.Join(values, ", ") + "]"}
}

func (c *Text) lengthOK(v string) bool {
	if c.Max == 0 && c.Min == 0 {
		return true
	}
	n := utf8.RuneCountInString(v)
	return n >= c.Min && (c.Max == 0 || n <= c.Max)
}

func (c *Text) enumOK(v string) bool {
	if c.Enum == nil {
		return true
	}
	for _, allowed := range c.Enum {
		if v == allowed {
			return true
		}
	}
	return false
}

func (c *Text) patternOK(v string) bool {
	if c.Pattern == "" {
		return true
	}
	c.once.Do(func() { c.match = compilePattern(c.Pattern) })
	return c.match(v)
}
