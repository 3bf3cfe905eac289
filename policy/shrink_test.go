// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"
	"reflect"
	"slices"
	"testing"
)

// clone returns a copy of a set of which everything can be changed.
func (s *genSet) clone() *genSet {
	copies := make(map[*genPolicy]*genPolicy)
	one := func(p *genPolicy) *genPolicy {
		if p == nil || p.doc == nil {
			return p
		}
		if copies[p] == nil {
			d := *p.doc
			d.Statements = slices.Clone(d.Statements)
			for i := range d.Statements {
				st := &d.Statements[i]
				st.Condition = slices.Clone(st.Condition)
				if st.Principal != nil {
					b := *st.Principal
					st.Principal = &b
				}
			}
			copies[p] = &genPolicy{doc: &d, kind: p.kind, ids: maps.Clone(p.ids)}
		}
		return copies[p]
	}
	list := func(from []*genPolicy) []*genPolicy {
		to := slices.Clone(from)
		for i := range to {
			to[i] = one(to[i])
		}
		return to
	}
	c := *s
	c.identity, c.session, c.boundary, c.resource, c.endpoint = list(s.identity), list(s.session), one(s.boundary), one(s.resource), one(s.endpoint)
	c.scps, c.rcps = slices.Clone(s.scps), slices.Clone(s.rcps)
	for _, levels := range [][][]*genPolicy{c.scps, c.rcps} {
		for i := range levels {
			levels[i] = list(levels[i])
		}
	}
	return &c
}

func cloneRequest(r *Request) *Request {
	c := *r
	c.Context, c.Lists = maps.Clone(r.Context), maps.Clone(r.Lists)
	return &c
}

// shrink takes away from the set and the request what is not needed for still
// to be true.
func (s *genSet) shrink(r *Request, still func() bool) {
	for again := true; again; {
		again = drop(&s.identity, still) || drop(&s.session, still) || drop(&s.scps, still) || drop(&s.rcps, still) ||
			clearTo(&s.boundary, nil, still) || clearTo(&s.resource, nil, still) || clearTo(&s.endpoint, nil, still) ||
			clearTo(&s.hasBoundary, false, still) || clearTo(&s.hasSession, false, still)
		for _, levels := range [][][]*genPolicy{s.scps, s.rcps} {
			for i := range levels {
				again = drop(&levels[i], still) || again
			}
		}
		for _, p := range s.policies() {
			again = len(p.ids) > 0 && clearTo(&p.ids, nil, still) || again
			again = drop(&p.doc.Statements, still) || again
			for i := range p.doc.Statements {
				again = p.doc.Statements[i].shrink(still) || again
			}
		}
		again = dropKeys(r.Context, still) || again
		again = dropKeys(r.Lists, still) || again
		for k, list := range r.Lists {
			again = drop(&list, func() bool { r.Lists[k] = list; return still() }) || again
			r.Lists[k] = list
		}
	}
}

func (s *Statement) shrink(still func() bool) bool {
	again := drop(&s.Action, still)
	again = drop(&s.Resource, still) || again
	again = drop(&s.Condition, still) || again
	for i := range s.Condition {
		again = drop(&s.Condition[i].Values, still) || again
	}
	if b := s.Principal; b != nil {
		for _, list := range []*[]Value{&b.AWS, &b.Service, &b.Federated, &b.Canonical} {
			again = drop(list, still) || again
		}
	}
	return again
}

// drop takes away values, first in large runs and then one by one. It reports
// whether it could.
func drop[T any](list *[]T, still func() bool) (dropped bool) {
	for run := len(*list); run > 0; run /= 2 {
		for at := 0; at+run <= len(*list); {
			before := *list
			*list = slices.Delete(slices.Clone(before), at, at+run)
			if still() {
				dropped = true
				continue
			}
			*list = before
			at += run
		}
	}
	return dropped
}

func dropKeys[V any](m map[string]V, still func() bool) (dropped bool) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		delete(m, k)
		if still() {
			dropped = true
			continue
		}
		m[k] = v
	}
	return dropped
}

// clearTo sets a variable to what means less, if that will do.
func clearTo[T any](v *T, less T, still func() bool) bool {
	before := *v
	if reflect.DeepEqual(before, less) {
		return false
	}
	*v = less
	if !still() {
		*v = before
		return false
	}
	return true
}

// TestShrink checks that shrinking keeps what matters and little else: here a
// statement with an action, a key and a value of a list.
func TestShrink(t *testing.T) {
	const wanted = "s3:TheOne"
	for seed := range uint64(50) {
		g := newGenerator(seed, nil)
		s, r := g.set(), g.request()
		p := full(Identity)
		p.doc.Statements[0].Action = append(g.actionList(), Value{Text: wanted})
		s.identity = append(s.identity, p)
		r.Context, r.Lists = map[string]string{"x:a": "", "x:b": ""}, map[string][]string{"x:l": {"1", "2", "3"}, "x:m": {"4"}}
		s = s.clone()
		s.shrink(r, func() bool {
			_, has := r.Context["x:a"]
			return has && slices.Contains(r.Lists["x:l"], "2") && slices.ContainsFunc(s.policies(), func(p *genPolicy) bool {
				return slices.ContainsFunc(p.doc.Statements, func(st Statement) bool { return slices.Contains(st.Action, Value{Text: wanted}) })
			})
		})
		left := s.policies()
		if len(left) != 1 || len(left[0].doc.Statements) != 1 || len(left[0].doc.Statements[0].Action) != 1 || len(left[0].doc.Statements[0].Resource) != 0 ||
			len(r.Context) != 1 || len(r.Lists) != 1 || len(r.Lists["x:l"]) != 1 {
			t.Fatalf("seed %d: left %d policies %+v and %+v", seed, len(left), left[0].doc, r)
		}
	}
}
