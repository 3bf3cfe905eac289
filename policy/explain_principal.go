// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
	"github.com/innkeeper-iam/innkeeper/policy/internal/textbook"
)

// principal evaluates a statement's principal element: what of it named or spared
// the caller, and how closely.
func (x *explainer) principal(p *Policy, s *Statement) (e ElementTrace, by Value, found strength) {
	if s.Principal == nil {
		return ElementTrace{Element: "Principal", Position: s.Start, Has: x.has[:1:1]}, by, noMatch
	}
	b := s.Principal
	e = ElementTrace{Element: pick(b.Not, "NotPrincipal", "Principal"), Position: b.Pos, Wants: b.AWS, Has: x.has[:1:1]}
	element := textbook.Principals{Not: b.Not, Deny: s.Effect == Deny, Trust: p.kind == Trust, Bounded: x.s.Boundary != nil || x.s.HasBoundary}
	var values []Value
	if b.Everyone {
		values = []Value{{Text: "*", Pos: b.Pos}}
		element.Names = []textbook.Name{{Type: "AWS", Text: "*"}}
		e.Wants = values
	}
	ids := p.ids()
	for _, typ := range form.PrincipalTypes {
		for _, v := range *b.list(typ) {
			values = append(values, v)
			element.Names = append(element.Names, textbook.Name{Type: typ, Text: v.Text, ID: ids[v.Text]})
			if typ != "AWS" {
				e.Wants = append(e.Wants[:len(e.Wants):len(e.Wants)], Value{Text: typ + ":" + v.Text, Pos: v.Pos})
			}
		}
	}
	closeness, i := element.Match(&x.caller)
	if i >= 0 {
		by = values[i]
	}
	found = strength(closeness)
	e.Matched, e.By = found != noMatch, by.Text
	return e, by, found
}
