// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unique"
	"weak"

	"github.com/innkeeper-iam/innkeeper/policy/internal/action"
	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// A Policy is a compiled Document of one Kind. It never changes and is safe for
// concurrent use. Make one with Compile.
type Policy struct {
	index
	refs       []StatementRef // of the statements, in their order
	conditions []condition
	values     values
	names      principalNames
	actions    []unique.Handle[action.Pattern] // policies have most of them in common
	name       string
	extra      *extra // nil: nothing of it

	// The text that the policy was made of, if Parse read it, and its Document for
	// as long as that is in memory anyway.
	source string
	parsed atomic.Pointer[weak.Pointer[Document]]
}

// extra is what few policies have.
type extra struct {
	err      error             // of a Broken policy, which has nothing else but a name
	bound    map[string]string // principal ARN as written → unique id
	document *Document         // that Parse did not make

	numbers  []literal.Number // of conditions, as in values
	dates    []time.Time
	binaries []string
}

// keep keeps the document for Document.
func (p *Policy) keep(d *Document) {
	if d.parsed != d {
		p.extra.document = d
		return
	}
	p.source = d.Source
	known := weak.Make(d)
	p.parsed.Store(&known)
}

// A CompileError says why a document cannot be evaluated. It lists at least one
// problem, in source order.
type CompileError struct {
	Name     string // of the document; may be empty
	Problems []Problem
}

// Error returns one line a problem, "name:line:column: message".
func (e *CompileError) Error() string { return join(e.Name, e.Problems) }

// Uncompilable is the code of every Problem of a CompileError.
const Uncompilable Code = "uncompilable"

func uncompilable(pos Position, format string, args ...any) Problem {
	return Problem{Pos: pos, Code: Uncompilable, Message: fmt.Sprintf(format, args...)}
}

// Compile makes a Policy of a document that is used as kind. It refuses with a
// *CompileError what has no certain meaning: an unknown operator, a literal that
// its operator cannot read, a broken variable, an element that the kind lacks or
// must not have (P-7, P-11). It does not repeat Validate: what is merely not
// allowed at write time still compiles. A document that was stored and no longer
// compiles belongs into Broken.
func Compile(d *Document, kind Kind) (*Policy, error) {
	return CompileBound(d, kind, nil)
}

// CompileBound is Compile for a stored policy whose user and role ARNs are bound
// to unique ids (M-11): ids maps a principal ARN as written to the id that it had
// when the policy was stored. A bound ARN matches the principal with that id,
// whatever its name is now, and no other; it matches by name if the Principal's
// ID is unknown.
func CompileBound(d *Document, kind Kind, ids map[string]string) (*Policy, error) {
	p := &Policy{name: d.Name, extra: &extra{bound: maps.Clone(ids)}}
	p.kind = kind
	p.keep(d)
	c := compiler{policy: p, variables: d.Version == "2012-10-17"}
	c.allocate(d)
	if kind < Identity || kind > Endpoint {
		c.problems = append(c.problems, uncompilable(Position{}, "invalid policy kind %d", kind))
	}
	for i := range d.Statements {
		c.statement(&d.Statements[i])
	}
	if len(c.problems) > 0 {
		return nil, &CompileError{Name: d.Name, Problems: c.problems[:min(len(c.problems), maxProblems)]}
	}
	p.layers = kindLayers[kind]
	p.index.build(c.entries)
	p.actions, p.names = clip(p.actions), principalNames{clip(p.names.texts), clip(p.names.kinds)}
	p.values.patterns, p.values.prefixes = clip(p.values.patterns), clip(p.values.prefixes)
	inExtra := func(c condition) bool {
		return c.class == operator.Numeric || c.class == operator.Date || c.class == operator.Binary
	}
	if x := p.extra; len(x.bound) == 0 && x.document == nil && !slices.ContainsFunc(p.conditions, inExtra) {
		p.extra = nil
	}
	return p, nil
}

// clip returns a list without room for more.
func clip[T any](list []T) []T {
	if len(list) == cap(list) {
		return list
	}
	return append(make([]T, 0, len(list)), list...)
}

// Broken returns a Policy that explicitly denies every request, with err in the
// Decision: what stands in for a stored document that cannot be compiled. Name
// says which; a nil err is replaced by one that says no more.
//
// quirk Q024: so no Deny of such a document is lost (P-11).
func Broken(name string, err error) *Policy {
	if err == nil {
		err = fmt.Errorf("policy: %s is broken", name)
	}
	return &Policy{name: name, extra: &extra{err: err}}
}

// fault returns why p is Broken, or nil.
func (p *Policy) fault() error {
	if p.extra == nil {
		return nil
	}
	return p.extra.err
}

// ids returns what CompileBound was given.
func (p *Policy) ids() map[string]string {
	if p.extra == nil {
		return nil
	}
	return p.extra.bound
}

// Document returns what p was compiled from; of a Broken policy, a Document with
// nothing but a name. It must not be modified. It may have to be parsed again,
// because a Policy keeps no more than its text.
func (p *Policy) Document() *Document {
	if p.extra != nil && p.extra.document != nil {
		return p.extra.document
	}
	if known := p.parsed.Load(); known != nil {
		if d := known.Value(); d != nil {
			return d
		}
	}
	if p.source == "" {
		return &Document{Name: p.name}
	}
	d, err := parse(p.name, p.source)
	if err != nil {
		panic("policy: a document that was parsed before: " + err.Error())
	}
	known := weak.Make(d)
	p.parsed.Store(&known)
	return d
}

// Kind returns the kind that p was compiled for; it is invalid for a Broken policy.
func (p *Policy) Kind() Kind { return p.kind }

// Keys returns the condition keys and variables that p reads, in lower case and
// sorted. It reads the document for each call.
func (p *Policy) Keys() []string {
	d := p.Document()
	var keys []string
	variables := func(values []Value, wildcards bool) {
		for _, v := range values {
			if d.Version != "2012-10-17" || !strings.Contains(v.Text, "${") {
				continue
			}
			pieces, _ := parseTemplate(v.Text, wildcards, true) // Compile has seen its error
			for _, p := range pieces {
				if p.Kind == template.Variable {
					keys = append(keys, lowerASCII(p.Text))
				}
			}
		}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		variables(s.Resource, true)
		for _, c := range s.Condition {
			keys = append(keys, lowerASCII(c.Key))
			if op, _ := operator.Parse(c.Operator); op.Variables {
				variables(c.Values, op.Like)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// A compiler collects what the statements of one document have in common.
type compiler struct {
	policy    *Policy
	entries   []keyed
	patterns  []pattern        // of the statement at hand, as are
	actions   []action.Pattern // these
	variables bool
	problems  []Problem
}

// allocate makes room for the statements, so that their parts stand side by side.
func (c *compiler) allocate(d *Document) {
	actions, resources, conditions := 0, 0, 0
	for i := range d.Statements {
		s := &d.Statements[i]
		actions += len(s.Action)
		resources += max(len(s.Resource), 1)
		conditions += len(s.Condition)
	}
	p := c.policy
	p.refs = make([]StatementRef, 0, len(d.Statements))
	p.actions = make([]unique.Handle[action.Pattern], 0, actions)
	if conditions > 0 {
		p.conditions = make([]condition, 0, conditions)
	}
	c.entries = make([]keyed, 0, resources)
}

func (c *compiler) fail(pos Position, format string, args ...any) {
	c.problems = append(c.problems, uncompilable(pos, format, args...))
}

func (c *compiler) statement(s *Statement) {
	if s.Effect != Allow && s.Effect != Deny {
		c.fail(s.Start, "the statement has no effect")
	}
	c.elements(s)
	p := c.policy
	k := keyed{step: noAnchor}
	k.tag = tag(0, 0, 0)
	k.number, k.callers = int32(len(p.refs)), ^uint64(0)
	if s.Effect == Deny {
		k.flags |= deny
	}
	if s.Principal != nil {
		c.principals(s.Principal, &k)
	}
	c.names(s, &k)
	k.conditions = uint32(len(p.conditions))
	for i := range s.Condition {
		c.condition(&s.Condition[i], s.Effect)
	}
	if n := len(p.conditions); n > int(k.conditions) {
		k.flags |= conditional
		p.conditions[n-1].traits |= last
	}
	c.resources(s, k)
	p.refs = append(p.refs, StatementRef{Policy: p.name, Sid: s.Sid, Index: s.Index, Start: s.Start})
}

// names compiles the Action or NotAction element.
func (c *compiler) names(s *Statement, k *keyed) {
	list := c.actions[:0]
	exact := uint32(0)
	for i := range s.Action {
		a, mask, ok := action.Parse(s.Action[i].Text)
		if !ok {
			continue
		}
		k.names |= mask
		switch {
		case a.IsAll():
			k.flags |= anyName
			continue
		case a.IsExact():
			exact++
		}
		list = append(list, a)
	}
	c.actions = list
	slices.SortStableFunc(list, action.Compare)
	if len(list) > 0 {
		k.flags |= firstName
		k.name = unique.Make(list[0])
		list = list[1:]
	}
	if len(list) > 0 {
		k.flags |= secondName
		k.second = unique.Make(list[0])
		list = list[1:]
	}
	if len(list) > 0 {
		k.flags |= moreNames
	}
	p := c.policy
	exact -= min(exact, 2)
	k.actions, k.exact, k.rest = uint32(len(p.actions)), exact, uint32(len(list))-exact
	for _, a := range list {
		p.actions = append(p.actions, unique.Make(a))
	}
	if s.NotAction {
		k.names = action.Any
		k.flags |= notAction
	}
}

// elements refuses elements that a kind must not have and the lack of those that
// its meaning depends on (P-7).
func (c *compiler) elements(s *Statement) {
	switch kind := c.policy.kind; kind {
	case Identity, Boundary, Session, SCP:
		if s.Principal != nil {
			c.fail(s.Principal.Pos, "a policy of kind %v has no principal element", kind)
		}
	case RCP, Endpoint:
		if s.Principal == nil {
			c.fail(s.Start, "a policy of kind %v needs a Principal", kind)
		}
	}
	switch kind := c.policy.kind; kind {
	case Resource, Trust, Key: // without it, the resource that the policy is attached to
	default:
		if !s.HasResource {
			c.fail(s.Start, "a policy of kind %v needs a Resource", kind)
		}
	}
}

// resources compiles the Resource or NotResource element; k is the entry of its
// statement.
func (c *compiler) resources(s *Statement, k keyed) {
	patterns := c.patterns[:0]
	if !s.HasResource {
		patterns = append(patterns, pattern{kind: anyPattern})
	}
	for i := range s.Resource {
		v := &s.Resource[i]
		var err error
		patterns, err = c.resource(patterns, v.Text, (s.Effect == Deny) != s.NotResource)
		if err != nil {
			c.fail(v.Pos, "resource %q: %v", v.Text, err)
		}
	}
	c.patterns = patterns
	if s.NotResource {
		k.kind, k.more = exceptPattern, &more{except: slices.Clone(patterns)}
		c.entries = append(c.entries, k)
		return
	}
	for _, p := range patterns {
		if p.kind != neverPattern {
			c.entries = append(c.entries, k.under(p))
		}
	}
}

// padsARNs reports whether a Resource with fewer than six parts stands for one
// with "*" in the missing ones: in policies of the principal's side (M-3,
// UG-Identifiers "incomplete ARN").
func (k Kind) padsARNs() bool {
	return k == Identity || k == Boundary || k == Session || k == SCP
}

// resource compiles a value of Resource or NotResource (M-3) and appends it to a list.
//
// quirk Q003: where the documents leave the reading of a Resource open, it is
// read so that more is refused. Wide: a star also runs over the colons of an ARN,
// missing parts are "*", a wildcard in the service part and a variable before the
// fifth colon work. Narrow: a star stays in its part (but for the sixth, which
// holds colons), missing parts are "*" only if the kind pads, and the other two
// match nothing.
func (c *compiler) resource(list []pattern, text string, wide bool) ([]pattern, error) {
	if p, ok := plainPattern(text); ok && strings.Count(p.text, ":") >= 5 {
		return append(list, p), nil
	}
	pieces, err := parseTemplate(text, true, c.variables)
	if err != nil {
		return list, err
	}
	switch {
	case template.IsStar(pieces):
		return append(list, pattern{kind: anyPattern}), nil
	case len(pieces) > 0 && pieces[0].Kind == template.Literal && strings.Count(pieces[0].Text, ":") >= 5:
		return append(list, newPattern(pieces)), nil // it is literal up to the last part
	}
	parts := template.Split(pieces)
	short := len(parts) < 6
	for len(parts) < 6 && (wide || c.policy.kind.padsARNs()) {
		parts = append(parts, []piece{{Kind: template.Star}})
	}
	switch {
	case wide && short:
		return append(list, newPattern(pieces), newPattern(template.Join(parts))), nil
	case wide:
		return append(list, newPattern(pieces)), nil
	case len(parts) < 6 || !short && template.Has(parts[2], template.Star, template.One):
		return list, nil
	}
	for _, part := range parts[:5] {
		if template.Has(part, template.Variable) {
			return list, nil
		}
	}
	return append(list, newARNPattern(parts)), nil
}
