// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// A model is the facts of an API that refusals rest on.
type model struct {
	Operations map[string]struct {
		Input  ref
		Errors []ref
	}
	Shapes map[string]*shape
}

type ref struct{ Shape string }

type shape struct {
	Type      string
	Required  []string
	Members   map[string]struct{ Shape string }
	Member    ref
	Min, Max  *int
	Pattern   string
	Enum      []string
	Sensitive bool
	Exception bool
	Fault     bool
	Error     *struct {
		Code           string
		HTTPStatusCode int
	}
}

// readModel reads the model of an API, and over it what AWS added later.
func readModel(t testing.TB, name string) *model {
	t.Helper()
	m := &model{}
	for _, file := range []string{name + ".json", name + ".newer.json"} {
		text, err := os.ReadFile("../gen/shapes/models/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var part model
		if err := json.Unmarshal(text, &part); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if m.Shapes == nil {
			*m = part
			continue
		}
		maps.Copy(m.Operations, part.Operations)
		maps.Copy(m.Shapes, part.Shapes)
	}
	return m
}

// input returns the shape of an operation's input; one without members for none.
func (m *model) input(op string) *shape {
	if s := m.Shapes[m.Operations[op].Input.Shape]; s != nil {
		return s
	}
	return &shape{Type: "structure"}
}

// names returns the names of the members in order.
func (s *shape) names() []string { return slices.Sorted(maps.Keys(s.Members)) }

// errors returns the codes that the model lists for an operation, with the status
// of each. A service without statuses has 400, and 500 for its own faults.
func (m *model) errors(op string) map[string]int {
	codes := make(map[string]int)
	for _, e := range m.Operations[op].Errors {
		switch s := m.Shapes[e.Shape]; {
		case s.Error != nil:
			codes[s.Error.Code] = s.Error.HTTPStatusCode
		case s.Fault:
			codes[e.Shape] = 500
		default:
			codes[e.Shape] = 400
		}
	}
	return codes
}

// Values of a request: a string for a scalar, list or object. The model says what
// a string stands for.
type (
	list   = []any
	object = map[string]any
)

// A failure is one violated constraint: where, of which value, and what must be.
type failure struct {
	path  string
	value string // as messages show it
	shown bool   // there is a value that messages may show
	must  string
}

// variants returns the ways in which a message may word a failure: AWS leaves out
// some values, and no secret may be shown.
func (f failure) variants() []string {
	tail := " at '" + f.path + "' failed to satisfy constraint: Member must " + f.must
	switch {
	case !f.shown:
		return []string{"Value" + tail}
	case f.value == "null":
		return []string{"Value null" + tail}
	}
	value := f.value
	if len(value) > 1024 { // longer ones are cut between characters
		value = strings.ToValidUTF8(value[:1024], "") + "..."
	}
	return []string{"Value '" + value + "'" + tail, "Value" + tail}
}

// failures returns every constraint that a value violates.
func (m *model) failures(name string, v any, path string) []failure {
	s := m.Shapes[name]
	switch v := v.(type) {
	case object:
		return m.objectFailures(s, v, path+".")
	case list:
		return m.listFailures(s, v, path)
	case string:
		var fails []failure
		for _, must := range m.broken(s, v) {
			fails = append(fails, failure{path: path, value: v, shown: !s.Sensitive, must: must})
		}
		return fails
	}
	panic(fmt.Sprintf("%s: %T", path, v))
}

func (m *model) objectFailures(s *shape, v object, prefix string) []failure {
	var fails []failure
	for _, name := range s.names() {
		path := prefix + strings.ToLower(name[:1]) + name[1:]
		if v[name] != nil {
			fails = append(fails, m.failures(s.Members[name].Shape, v[name], path)...)
		} else if slices.Contains(s.Required, name) {
			fails = append(fails, failure{path: path, value: "null", shown: true, must: "not be null"})
		}
	}
	return fails
}

func (m *model) listFailures(s *shape, v list, path string) []failure {
	var fails []failure
	if s.Max != nil && len(v) > *s.Max {
		fails = append(fails, failure{path: path, must: "have length less than or equal to " + strconv.Itoa(*s.Max)})
	}
	if s.Min != nil && len(v) < *s.Min {
		fails = append(fails, failure{path: path, must: "have length greater than or equal to " + strconv.Itoa(*s.Min)})
	}
	element := m.Shapes[s.Member.Shape]
	if element.Type == "structure" {
		for i, e := range v {
			fails = append(fails, m.objectFailures(element, e.(object), fmt.Sprintf("%s.%d.member.", path, i+1))...)
		}
		return fails
	}
	var texts []string
	bad := false
	for _, e := range v {
		texts = append(texts, e.(string))
		bad = bad || len(m.broken(element, e.(string))) > 0
	}
	if bad {
		fails = append(fails, failure{
			path: path, value: "[" + strings.Join(texts, ", ") + "]", shown: !element.Sensitive,
			must: "satisfy constraint: [Member must " + strings.Join(demands(element), ", Member must ") + "]",
		})
	}
	return fails
}

// demands returns the constraints on an element of a list of strings.
func demands(s *shape) []string {
	var all []string
	if s.Max != nil {
		all = append(all, "have length less than or equal to "+strconv.Itoa(*s.Max))
	}
	if s.Max != nil || s.Min != nil {
		low := 0
		if s.Min != nil {
			low = *s.Min
		}
		all = append(all, "have length greater than or equal to "+strconv.Itoa(low))
	}
	if s.Pattern != "" {
		all = append(all, "satisfy regular expression pattern: "+s.Pattern)
	}
	if s.Enum != nil {
		all = append(all, "satisfy enum value set: ["+strings.Join(s.Enum, ", ")+"]")
	}
	return all
}

// broken returns which constraints on a scalar a text violates.
func (m *model) broken(s *shape, v string) []string {
	var musts []string
	if s.Type == "integer" {
		n, err := strconv.Atoi(v)
		switch {
		case err != nil: // not a number at all
		case s.Max != nil && n > *s.Max:
			musts = append(musts, "have value less than or equal to "+strconv.Itoa(*s.Max))
		case s.Min != nil && n < *s.Min:
			musts = append(musts, "have value greater than or equal to "+strconv.Itoa(*s.Min))
		}
		return musts
	}
	n := utf8.RuneCountInString(v)
	if s.Max != nil && n > *s.Max {
		musts = append(musts, "have length less than or equal to "+strconv.Itoa(*s.Max))
	}
	if s.Min != nil && n < *s.Min {
		musts = append(musts, "have length greater than or equal to "+strconv.Itoa(*s.Min))
	}
	if s.Pattern != "" && !matches(s.Pattern, v) {
		musts = append(musts, "satisfy regular expression pattern: "+s.Pattern)
	}
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		musts = append(musts, "satisfy enum value set: ["+strings.Join(s.Enum, ", ")+"]")
	}
	return musts
}

var compiled = make(map[string]*regexp.Regexp) // written before the cases run

var javaEscape = regexp.MustCompile(`\\u([0-9A-F]{4,6})`)

// compile prepares the patterns of a model.
func (m *model) compile() {
	for _, s := range m.Shapes {
		// The one look-ahead, of account aliases, says: no two hyphens in a row.
		text := strings.ReplaceAll(s.Pattern, `([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`, `(?:(?:-?[a-z0-9]){2,62}|-[a-z0-9])$`)
		compiled[s.Pattern] = regexp.MustCompile(`\A(?:` + javaEscape.ReplaceAllString(text, `\x{$1}`) + `)\z`)
	}
}

// matches reports whether a whole text matches a pattern as the models write them.
func matches(pattern, v string) bool { return compiled[pattern].MatchString(v) }
