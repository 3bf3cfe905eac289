// SPDX-License-Identifier: Apache-2.0

package policytest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// maxErrors bounds how many faults of a file one error lists.
const maxErrors = 20

// faults are what is wrong with a file and the policies that it names, in the
// order of finding.
type faults []fault

type fault struct {
	file string
	pos  policy.Position // zero: the file as a whole
	text string
}

func (f *faults) add(file string, pos policy.Position, text string) {
	if one := (fault{file, pos, text}); !slices.Contains(*f, one) { // a document may be used as several kinds
		*f = append(*f, one)
	}
}

// err returns the first faults in the order of their places, the named file
// first, or nil when there are none.
func (f faults) err(first string) error {
	slices.SortStableFunc(f, func(a, b fault) int {
		order := cmp.Compare(a.file, b.file)
		switch {
		case order != 0 && a.file == first:
			order = -1
		case order != 0 && b.file == first:
			order = 1
		}
		return cmp.Or(order, cmp.Compare(a.pos.Line, b.pos.Line), cmp.Compare(a.pos.Column, b.pos.Column))
	})
	var errs []error
	for _, one := range f[:min(len(f), maxErrors)] {
		if one.pos == (policy.Position{}) {
			errs = append(errs, fmt.Errorf("%s: %s", one.file, one.text))
		} else {
			errs = append(errs, fmt.Errorf("%s:%d:%d: %s", one.file, one.pos.Line, one.pos.Column, one.text))
		}
	}
	return errors.Join(errs...)
}

// move changes the places of a document that nobody has seen yet.
func move(d *policy.Document, place func(policy.Position) policy.Position) {
	to := func(all ...*policy.Position) {
		for _, p := range all {
			if *p != (policy.Position{}) {
				*p = place(*p)
			}
		}
	}
	values := func(lists ...[]policy.Value) {
		for _, list := range lists {
			for i := range list {
				to(&list[i].Pos)
			}
		}
	}
	to(&d.VersionPos)
	for i := range d.Statements {
		s := &d.Statements[i]
		to(&s.Start, &s.End, &s.SidPos, &s.EffectPos, &s.ActionPos, &s.ResourcePos)
		values(s.Action, s.Resource)
		if b := s.Principal; b != nil {
			to(&b.Pos)
			values(b.AWS, b.Service, b.Federated, b.Canonical)
		}
		for j := range s.Condition {
			c := &s.Condition[j]
			to(&c.OpPos, &c.KeyPos)
			values(c.Values)
		}
	}
}
