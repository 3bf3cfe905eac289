// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// A Policy is a compiled Document of one Kind. It never changes and is safe for
// concurrent use. Make one with Compile.
type Policy struct {
	doc  *Document
	kind Kind
	ids  map[string]string // principal ARN as written → unique id
	err  error             // of a Broken policy, which has nothing else but a doc

	allows, denies index
	keys           []string
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
	p := &Policy{doc: d, kind: kind, ids: maps.Clone(ids)}
	c := compiler{policy: p, keys: make(map[string]struct{}), variables: d.Version == "2012-10-17"}
	if kind < Identity || kind > Endpoint {
		c.problems = append(c.problems, uncompilable(Position{}, "invalid policy kind %d", kind))
	}
	for i := range d.Statements {
		c.statement(&d.Statements[i])
	}
	if len(c.problems) > 0 {
		return nil, &CompileError{Name: d.Name, Problems: c.problems[:min(len(c.problems), maxProblems)]}
	}
	p.allows.build()
	p.denies.build()
	p.keys = slices.Sorted(maps.Keys(c.keys))
	return p, nil
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
	return &Policy{doc: &Document{Name: name}, err: err}
}

// Document returns what p was compiled from. It must not be modified.
func (p *Policy) Document() *Document { return p.doc }

// Kind returns the kind that p was compiled for; it is invalid for a Broken policy.
func (p *Policy) Kind() Kind { return p.kind }

// Keys returns the condition keys and variables that p reads, in lower case and
// sorted. The caller must not modify the list.
func (p *Policy) Keys() []string { return p.keys }

// A rule is a compiled statement. A rule is not written after its compilation.
type rule struct {
	ref       StatementRef
	principal *principals // nil: the statement has no principal element

	actions     []actionPattern // of NotAction, or of Action those with wildcards
	exact       []int32         // Action values without wildcards, as numbers of the index
	notAction   bool
	anyAction   bool // Action is or holds "*"
	resources   []pattern
	notResource bool
	conditions  []condition
}

// A compiler collects what the statements of one document have in common.
type compiler struct {
	policy    *Policy
	keys      map[string]struct{}
	variables bool
	problems  []Problem
}

func (c *compiler) fail(pos Position, format string, args ...any) {
	c.problems = append(c.problems, uncompilable(pos, format, args...))
}

func (c *compiler) statement(s *Statement) {
	x := &c.policy.allows
	switch s.Effect {
	case Allow:
	case Deny:
		x = &c.policy.denies
	default:
		c.fail(s.Start, "the statement has no effect")
	}
	r := rule{
		ref:         StatementRef{Policy: c.policy.doc.Name, Sid: s.Sid, Index: s.Index, Start: s.Start, End: s.End},
		notAction:   s.NotAction,
		notResource: s.NotResource,
	}
	c.elements(s)
	if s.Principal != nil {
		r.principal = newPrincipals(s.Principal, c.policy.ids)
	}
	for _, v := range s.Action {
		p, ok := newActionPattern(v.Text)
		switch {
		case !ok:
		case p.everything():
			r.anyAction = true
		case p.exact() != "" && !s.NotAction:
			r.exact = append(r.exact, x.number(p.exact()))
			continue
		}
		if ok {
			r.actions = append(r.actions, p)
		}
	}
	c.resources(s, &r)
	for i := range s.Condition {
		condition, problems := newCondition(&s.Condition[i], c.variables, s.Effect)
		c.problems = append(c.problems, problems...)
		c.note(s.Condition[i].Key)
		if c.variables && condition.op.variables {
			c.noteVariables(s.Condition[i].Values, condition.op.like)
		}
		r.conditions = append(r.conditions, condition)
	}
	x.rules = append(x.rules, r)
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

func (c *compiler) resources(s *Statement, r *rule) {
	if !s.HasResource {
		r.resources = []pattern{{kind: anyPattern}}
		return
	}
	for _, v := range s.Resource {
		patterns, err := newResourcePatterns(v.Text, c.variables, c.policy.kind.padsARNs(), (s.Effect == Deny) != s.NotResource)
		if err != nil {
			c.fail(v.Pos, "resource %q: %v", v.Text, err)
		}
		r.resources = append(r.resources, patterns...)
	}
	if c.variables {
		c.noteVariables(s.Resource, true)
	}
}

// note records that the policy reads a context key.
func (c *compiler) note(key string) { c.keys[lowerASCII(key)] = struct{}{} }

func (c *compiler) noteVariables(values []Value, wildcards bool) {
	for _, v := range values {
		pieces, _ := parseTemplate(v.Text, wildcards, true) // its error is known already
		for _, p := range pieces {
			if p.Kind == template.Variable {
				c.note(p.Text)
			}
		}
	}
}

// padsARNs reports whether a Resource with fewer than six parts stands for one
// with "*" in the missing ones: in policies of the principal's side (M-3,
// UG-Identifiers "incomplete ARN").
func (k Kind) padsARNs() bool {
	return k == Identity || k == Boundary || k == Session || k == SCP
}

// newResourcePatterns compiles a value of Resource or NotResource (M-3). Wide
// says whether a wider reading refuses more, as in a Deny.
//
// quirk Q003: where the documents leave the reading of a Resource open, it is
// read so that more is refused. Wide: a star also runs over the colons of an ARN,
// missing parts are "*", a wildcard in the service part and a variable before the
// fifth colon work. Narrow: a star stays in its part (but for the sixth, which
// holds colons), missing parts are "*" only if pad, and the other two match nothing.
func newResourcePatterns(text string, variables, pad, wide bool) ([]pattern, error) {
	pieces, err := parseTemplate(text, true, variables)
	if err != nil {
		return nil, err
	}
	if template.IsStar(pieces) {
		return []pattern{{kind: anyPattern}}, nil
	}
	parts := template.Split(pieces)
	short := len(parts) < 6
	for len(parts) < 6 && (pad || wide) {
		parts = append(parts, []piece{{Kind: template.Star}})
	}
	switch {
	case wide && short:
		return []pattern{newPattern(pieces), newPattern(template.Join(parts))}, nil
	case wide:
		return []pattern{newPattern(pieces)}, nil
	case len(parts) < 6 || !short && template.Has(parts[2], template.Star, template.One):
		return []pattern{{kind: neverPattern}}, nil
	}
	for _, part := range parts[:5] {
		if template.Has(part, template.Variable) {
			return []pattern{{kind: neverPattern}}, nil
		}
	}
	return []pattern{newARNPattern(parts)}, nil
}

// principals is a compiled Principal or NotPrincipal element.
type principals struct {
	not   bool
	names []principalName
}

func newPrincipals(b *PrincipalBlock, ids map[string]string) *principals {
	p := &principals{not: b.Not}
	if b.Everyone {
		p.names = append(p.names, principalName{form: everyoneForm, text: "*"})
	}
	for _, v := range b.AWS {
		p.names = append(p.names, parsePrincipalName(v.Text, ids))
	}
	for _, list := range []struct {
		form   principalForm
		values []Value
	}{{serviceForm, b.Service}, {providerForm, b.Federated}, {canonicalForm, b.Canonical}} {
		for _, v := range list.values {
			p.names = append(p.names, principalName{form: list.form, text: v.Text})
		}
	}
	return p
}
