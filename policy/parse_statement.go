// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
	"github.com/innkeeper-iam/innkeeper/policy/internal/spelling"
)

// statement reads one statement (P-3).
func (p *parser) statement() bool {
	s := Statement{Index: len(p.doc.Statements), Start: p.place()}
	var seen elements
	ok := p.Object(func(name string, at jsontext.Position) bool {
		pos := Position(at)
		p.Path.Push(name, 0)
		return p.element(&s, &seen, name, pos) && p.Done()
	})
	if !ok {
		return false
	}
	s.End = p.place()
	if !seen.effect {
		p.report(s.Start, MissingElement, `add "Effect": "Allow" or "Effect": "Deny"`, "Effect is missing")
	}
	if len(p.problems) < maxProblems {
		p.doc.Statements = append(p.doc.Statements, s)
	}
	return true
}

// elements remembers which elements of a statement were read, by the names
// they came under.
type elements struct {
	effect                      bool
	principal, action, resource string
}

// element reads the value of one element of a statement.
func (p *parser) element(s *Statement, seen *elements, name string, pos Position) (ok bool) {
	switch name {
	case "Sid":
		s.SidPos = pos
		s.Sid, ok = p.OneString()
	case "Effect":
		seen.effect, s.EffectPos = true, pos
		s.Effect, ok = p.effect()
	case "Principal", "NotPrincipal":
		if p.conflict(&seen.principal, name, pos) {
			return p.Skip()
		}
		s.Principal, ok = p.principal(name == "NotPrincipal", pos)
	case "Action", "NotAction":
		if p.conflict(&seen.action, name, pos) {
			return p.Skip()
		}
		s.NotAction, s.ActionPos = name == "NotAction", pos
		s.Action, ok = p.values(false)
	case "Resource", "NotResource":
		if p.conflict(&seen.resource, name, pos) {
			return p.Skip()
		}
		s.NotResource, s.HasResource, s.ResourcePos = name == "NotResource", true, pos
		s.Resource, ok = p.values(false)
	case "Condition":
		s.Condition, ok = p.condition()
	default:
		seen.effect = p.unknown(name, pos, form.StatementElements) == "Effect" || seen.effect
		ok = p.Skip()
	}
	return ok
}

// conflict reports an element whose other form the statement already has.
func (p *parser) conflict(seen *string, name string, pos Position) bool {
	if *seen != "" {
		p.report(pos, ConflictingPair, "keep one of them, or split the statement", "a statement cannot have both %s and %s", *seen, name)
		return true
	}
	*seen = name
	return false
}

// effect reads the Effect element (P-4).
func (p *parser) effect() (Effect, bool) {
	kind := p.Peek()
	pos := p.place()
	text, ok := p.OneString()
	if !ok || kind != jsontext.String {
		return 0, ok
	}
	var e Effect
	if e.UnmarshalText([]byte(text)) == nil {
		return e, true
	}
	code, fix := InvalidEffect, `write "Allow" or "Deny"`
	if likely := spelling.Closest(text, effects.Texts[effects.First:]); likely != "" {
		fix = fmt.Sprintf("write %q", likely)
		if strings.EqualFold(likely, text) {
			code = EffectLetterCase
		}
	}
	p.report(pos, code, fix, "Effect must be Allow or Deny, not %s", jsontext.Quote(text))
	return 0, true
}

// principal reads a Principal or NotPrincipal element (M-7).
func (p *parser) principal(not bool, pos Position) (*PrincipalBlock, bool) {
	block := &PrincipalBlock{Pos: pos, Not: not}
	switch kind := p.Peek(); kind {
	case jsontext.Broken:
		return nil, false
	case jsontext.String:
		at := p.place()
		text, ok := p.Text()
		if ok && text != "*" {
			p.report(at, WrongType, fmt.Sprintf(`write {%q: "%s"}`, form.TypeOf(text), jsontext.Clip(text)),
				`%s must be "*" or an object, not %s`, p.Path.Last(), jsontext.Quote(text))
		}
		block.Everyone = true
		return block, ok
	case jsontext.Object:
		ok := p.Object(func(name string, at jsontext.Position) bool {
			pos := Position(at)
			p.Path.Push(name, 0)
			list := block.list(name)
			if list == nil {
				p.report(pos, UnknownElement, form.UnknownType(name), "unknown principal type %s", jsontext.Quote(name))
				return p.Skip() && p.Done()
			}
			var ok bool
			*list, ok = p.values(false)
			return ok && p.Done()
		})
		return block, ok
	default:
		return nil, p.WrongType(kind, p.Path.Last(), `"*" or an object`)
	}
}

// list returns the values of a principal type, or nil for a type unknown.
func (b *PrincipalBlock) list(typ string) *[]Value {
	switch typ {
	case "AWS":
		return &b.AWS
	case "Service":
		return &b.Service
	case "Federated":
		return &b.Federated
	case "CanonicalUser":
		return &b.Canonical
	}
	return nil
}

// condition reads the Condition element: operators, keys and values (C-1).
func (p *parser) condition() ([]Condition, bool) {
	if kind := p.Peek(); kind != jsontext.Object {
		return nil, kind != jsontext.Broken && p.WrongType(kind, "Condition", "an object")
	}
	var list []Condition
	ok := p.Object(func(operator string, at jsontext.Position) bool {
		pos := Position(at)
		p.Path.Push(operator, 0)
		if kind := p.Peek(); kind != jsontext.Object {
			return kind != jsontext.Broken && p.notOperator(operator, pos, kind) && p.Done()
		}
		return p.operator(&list, operator, pos) && p.Done()
	})
	return list, ok
}

// notOperator reports a member of Condition whose value is no object.
func (p *parser) notOperator(name string, pos Position, kind jsontext.Kind) bool {
	if _, ok := operator.Parse(name); ok || !strings.Contains(name, ":") {
		return p.WrongType(kind, p.Path.Last(), "an object of condition keys")
	}
	p.report(pos, WrongType, fmt.Sprintf(`write {"StringEquals": {"%s": ...}}`, jsontext.Clip(name)),
		"the condition key %s must stand under an operator", jsontext.Quote(name))
	return p.Skip()
}

// operator reads the keys and values of one operator into list.
func (p *parser) operator(list *[]Condition, operator string, opPos Position) bool {
	var seen jsontext.NameSet // :: key in lower case → where
	return p.Object(func(key string, at jsontext.Position) bool {
		pos := Position(at)
		p.Path.Push(key, 0)
		if first, twice := seen.Add(strings.ToLower(key), at); twice {
			p.report(pos, DuplicateKey, "keep one of them: condition keys compare without regard to letter case",
				"%s is already there at %d:%d", jsontext.Quote(key), first.Line, first.Column)
		}
		values, ok := p.values(true)
		*list = append(*list, Condition{Operator: operator, OpPos: opPos, Key: key, KeyPos: pos, Values: values})
		return ok && p.Done()
	})
}
