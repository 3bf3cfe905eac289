// SPDX-License-Identifier: Apache-2.0

package classify

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

//go:embed bindings.txt
var reviewed string

type (
	// A binding says which checks an operation needs, and how its input names their resources.
	binding struct {
		lines []line
		tags  []member // members with tags or tag keys
	}
	line struct {
		action *catalog.Action // nil: the statements say which
		prefix string          // of the action
		path   path            // of the statements
		terms  []alternatives
		whole  bool // the action works on nothing but what the terms say

		suggested bool // by the names of the members
	}
	alternatives struct {
		terms    []term
		optional bool
	}
	// A term is the ARN of a resource type, filled from paths.
	term struct {
		kind     string // "type", "arn", "any", or the form of arns.go that makes the ARN
		form     string
		template arnTemplate
		paths    []path
	}
	path []step
	step struct {
		name  string
		fixed bool // name is the value itself
		each  bool // each element of the list
		keys  bool // each key of the map
	}
)

// lines are those of bindings.txt, by "service operation".
var lines = sync.OnceValue(func() map[string][]string {
	all := make(map[string][]string)
	for text := range strings.Lines(reviewed) {
		f := strings.Fields(text)
		if len(f) < 4 || f[0] == "#" {
			continue
		}
		for op := range strings.SplitSeq(f[1], ",") {
			all[f[0]+" "+op] = append(all[f[0]+" "+op], strings.Join(f[2:], " "))
		}
	}
	return all
})

// bind returns the binding of an operation: the reviewed one, else the one that the names suggest. It is nil when the
// catalogue does not have the action.
func bind(m *model, op *operation) *binding {
	b := new(binding)
	for _, one := range op.members {
		if one.kind == "t" || one.kind == "m" || one.kind == "k" {
			b.tags = append(b.tags, one)
		}
	}
	if texts := lines()[m.prefix+" "+op.name]; texts != nil {
		for _, text := range texts {
			l, err := parseLine(m.prefix, op.name, text)
			if err != nil {
				panic(fmt.Sprintf("classify: %s %s: %v", m.prefix, op.name, err)) // a test binds them all
			}
			b.lines = append(b.lines, l)
		}
		return b
	}
	l, ok := suggest(m, op)
	if !ok {
		return nil
	}
	b.lines = []line{l}
	return b
}

func parseLine(prefix, op, text string) (line, error) {
	f := strings.Fields(text)
	l := line{prefix: prefix, whole: true}
	name := f[0]
	switch service, action, ok := strings.Cut(name, ":"); {
	case ok:
		l.prefix, name = service, action
	case name == "-":
		name = op
	}
	s, ok := catalog.Lookup(l.prefix)
	if !ok {
		return l, fmt.Errorf("no service %s", l.prefix)
	}
	if inner, ok := strings.CutPrefix(name, "partiql("); ok {
		l.path = parsePath(strings.TrimSuffix(inner, ")"))
	} else if a, ok := s.Action(name); ok {
		l.action = &a
	} else {
		return l, fmt.Errorf("no action %s:%s", l.prefix, name)
	}
	for _, text := range f[1:] {
		var a alternatives
		text, a.optional = strings.CutSuffix(text, "?")
		for one := range strings.SplitSeq(text, "|") {
			t, err := parseTerm(s, one)
			if err != nil {
				return l, err
			}
			a.terms = append(a.terms, t)
		}
		l.terms = append(l.terms, a)
	}
	return l, nil
}

func parseTerm(s *catalog.Service, text string) (term, error) {
	if text == "*" {
		return term{kind: "any"}, nil
	}
	name, inner, ok := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	if !ok {
		return term{}, fmt.Errorf("term %q", text)
	}
	t := term{kind: "type", form: s.Prefix + " " + name}
	if inner != "" {
		for p := range strings.SplitSeq(inner, ",") {
			t.paths = append(t.paths, parsePath(p))
		}
	}
	if name == "arn" {
		t.kind = "arn"
		return t, nil
	}
	if of, ok := forms[t.form]; ok && of.of != "" {
		name = of.of
	}
	r, ok := s.ResourceType(name)
	if !ok {
		return t, fmt.Errorf("no resource type %s", name)
	}
	t.template = parseARN(r.ARNs[0])
	if n := len(t.paths); n > 1 && n != len(t.template.variables) {
		return t, fmt.Errorf("%d paths for %s", n, r.ARNs[0])
	}
	return t, nil
}

func parsePath(text string) path {
	var p path
	for piece := range strings.SplitSeq(text, ".") {
		var s step
		s.name, s.fixed = strings.CutPrefix(piece, "=")
		s.name, s.each = strings.CutSuffix(s.name, "[]")
		s.name, s.keys = strings.CutSuffix(s.name, "{}")
		p = append(p, s)
	}
	return p
}

// suggest binds the resource types of the action that has the operation's name to the members whose names say that
// they name one. A type to which no member is found makes the resource "*" be asked for too.
func suggest(m *model, op *operation) (line, bool) {
	s, ok := catalog.Lookup(m.prefix)
	if !ok {
		return line{}, false
	}
	a, ok := s.Action(op.name)
	if !ok {
		return line{}, false
	}
	l := line{action: &a, prefix: m.prefix, whole: true, suggested: true}
	general := op.general()
	for _, use := range a.Resources {
		r, ok := s.ResourceType(use.Type)
		if !ok || len(r.ARNs) != 1 {
			l.whole = false
			continue
		}
		t := parseARN(r.ARNs[0])
		found := alternatives{optional: general != nil || !use.Required}
		for _, paths := range op.naming(&r, &t) {
			found.terms = append(found.terms, term{kind: "type", form: m.prefix + " " + r.Name, template: t, paths: paths})
		}
		switch {
		case len(found.terms) > 0:
			l.terms = append(l.terms, found)
		case general == nil:
			l.whole = false
		}
	}
	if general != nil && len(a.Resources) > 0 {
		l.terms = append(l.terms, alternatives{terms: []term{{kind: "arn", paths: []path{general}}}, optional: len(l.terms) > 0})
	}
	return l, true
}

// general returns the path of the member that holds an ARN of any type, nil if there is none.
func (o *operation) general() path {
	for _, m := range o.members {
		switch plain(m.name) {
		case "resourcearn", "arn", "resource":
			return memberPath(m)
		}
	}
	return nil
}

func memberPath(m member) path { return path{{name: m.name, each: m.kind == "l"}} }

// naming returns the paths of the members that name a resource of a type, one list for each way.
func (o *operation) naming(r *catalog.ResourceType, t *arnTemplate) [][]path {
	name := plain(r.Name)
	var ways [][]path
	for _, m := range o.members {
		if m.kind != "s" && m.kind != "l" {
			continue
		}
		word := plain(m.name)
		if m.kind == "l" {
			word = strings.TrimSuffix(strings.TrimSuffix(word, "s"), "list")
		}
		stem := strings.TrimSuffix(word, "arn")
		switch {
		case stem != word && (stem == name || stem == t.stem()),
			len(t.variables) == 1 && (word == plain(t.variables[0]) || word == name || word == name+"name" || word == name+"id" || word == name+"identifier"),
			len(t.variables) == 1 && (word == "name" || word == "id") && strings.HasSuffix(plain(o.name), name):
			ways = append(ways, []path{memberPath(m)})
		}
	}
	if len(t.variables) > 1 {
		var all []path
		for _, v := range t.variables {
			i := slices.IndexFunc(o.members, func(m member) bool { return m.kind == "s" && plain(m.name) == plain(v) })
			if i < 0 {
				return ways
			}
			all = append(all, memberPath(o.members[i]))
		}
		ways = append(ways, all)
	}
	return ways
}

// plain is a name without letter case and punctuation.
func plain(s string) string { return plainer.Replace(strings.ToLower(s)) }

var plainer = strings.NewReplacer("-", "", "_", "", " ", "")
