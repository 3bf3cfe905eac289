// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/bits"

	"github.com/innkeeper-iam/innkeeper/policy/internal/action"
	"github.com/innkeeper-iam/innkeeper/policy/internal/given"
	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// A Lowered is a Request in the engine's own form: its action and resource
// hashed, its context keys in a table and their values read as numbers, dates
// and addresses. It is for a request that is asked of many Sets, or more than
// once. It never changes and is safe for concurrent use. Make one with Lower.
type Lowered struct {
	query query
	keys  given.Table
	r     *Request // without maps
}

// Lower makes a Lowered of r. It keeps the strings and lists of r, which must not
// be modified as long as it is used, but not the maps.
func Lower(r *Request) *Lowered {
	own := *r
	own.Context, own.Lists = nil, nil
	l := &Lowered{r: &own, keys: given.NewTable(r.Context, r.Lists, literal.Read)}
	l.query.read(r)
	return l
}

// Decide answers as Decide(r, s) does, in less time unless l has to come from memory
// first.
func (l *Lowered) Decide(s *Set) (d Decision) {
	decided := false
	defer func() {
		if !decided {
			d = failed(recover())
		}
	}()
	var e evaluation
	e.r, e.s, e.keys = l.r, s, &l.keys
	e.q.facts = l.query.facts
	e.q.resource.Have = l.query.resource.Have
	have := bits.Len32(l.query.resource.Have)
	copy(e.q.resource.Hash[:have], l.query.resource.Hash[:have])
	d = e.decide()
	decided = true
	return d
}

// A query is what is known of a request but for its context and the names of its
// caller.
type query struct {
	facts
	resource words.Resource
}

// facts are what a query knows beside the hashes of the resource.
type facts struct {
	action.Name
	text   string // of the resource
	caller PrincipalType
	owns   bool // the resource is the caller's account's
}

// read takes a zero query.
func (q *query) read(r *Request) {
	q.Read(r.Action)
	q.text = r.Resource
	q.caller = r.Principal.Type
	q.owns = r.Principal.Account != "" && words.Equal(r.Principal.Account, r.Account())
	q.resource.Read(r.Resource)
}
