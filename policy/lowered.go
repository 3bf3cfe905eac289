// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy/internal/action"
	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// A Lowered is a Request in the engine's own form: its action and resource
// hashed, its context keys in a table and their values read as numbers, dates
// and addresses. It is for a request that is asked of many Sets, or more than
// once. It never changes and is safe for concurrent use. Make one with Lower.
type Lowered struct {
	r     Request
	query query
	keys  keyTable
}

// Lower makes a Lowered of r. It keeps the strings and lists of r, which must not
// be modified as long as it is used, but not the maps.
func Lower(r *Request) *Lowered {
	l := &Lowered{r: *r}
	l.query.read(&l.r)
	l.query.resource.Finish(r.Resource)
	l.keys.read(r, readValue)
	l.r.Context, l.r.Lists = nil, nil
	return l
}

// Decide answers as Decide(r, s) does, in less time.
func (l *Lowered) Decide(s *Set) (d Decision) {
	decided := false
	defer func() {
		if !decided {
			d = failed(recover())
		}
	}()
	var e evaluation
	e.r, e.s, e.q, e.keys, e.bounded = &l.r, s, l.query, &l.keys, s.Boundary != nil || s.HasBoundary
	d = e.decide()
	decided = true
	return d
}

// A query is what is known of a request's action and resource alone.
type query struct {
	action.Name
	sts      bool   // its service is "sts"
	account  string // that owns the resource
	resource words.Resource
}

// read takes a zero query.
func (q *query) read(r *Request) {
	q.Read(r.Action)
	q.sts = q.Colon == len("sts") && words.EqualFold(q.Text[:q.Colon], "sts")
	q.account = r.ResourceAccount
	if q.account == "" {
		q.account = r.Account()
	}
	q.resource.Read(r.Resource)
}

// A keyTable finds context keys by their hash. Its slots are a power of two, at
// most half of them in use.
type keyTable struct {
	slots []contextKey
}

type contextKey struct {
	used bool
	hash uint32
	name string
	contextValue
}

// A contextValue is what a request has under a context key.
type contextValue struct {
	found foundKind
	one   string
	list  []string
	typed *typedValue
}

// read takes a zero table; typed reads the single values, or is nil. Of keys that differ only in letter case, those of
// Lists come before those of Context, and each in byte order.
func (t *keyTable) read(r *Request, typed func(string) *typedValue) {
	n := 2
	for n < 2*(len(r.Context)+len(r.Lists)) {
		n *= 2
	}
	t.slots = make([]contextKey, n)
	for _, name := range slices.Sorted(maps.Keys(r.Lists)) {
		v := contextValue{found: valueList, list: r.Lists[name]}
		if len(v.list) == 0 {
			v.found = noValue
		}
		t.add(name, v)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Context)) {
		v := contextValue{found: oneValue, one: r.Context[name]}
		if typed != nil {
			v.typed = typed(v.one)
		}
		t.add(name, v)
	}
}

func (t *keyTable) add(name string, v contextValue) {
	hash := uint32(words.Fold(name))
	i := int(hash) & (len(t.slots) - 1)
	for t.slots[i].used {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = contextKey{used: true, name: name, hash: hash, contextValue: v}
}

// absent is what stands under a key that is not there.
var absent contextValue

// find returns what stands under a key: spelt like it, or else the first but for
// letter case; a list before a single value.
func (t *keyTable) find(key string, hash uint32) *contextValue {
	var first *contextKey
	for i := int(hash) & (len(t.slots) - 1); t.slots[i].used; i = (i + 1) & (len(t.slots) - 1) {
		k := &t.slots[i]
		switch {
		case k.hash != hash || !words.EqualFold(k.name, key):
		case first == nil, k.name == key && first.name != key && (k.found == oneValue) == (first.found == oneValue):
			first = k
		}
	}
	if first == nil {
		return &absent
	}
	return &first.contextValue
}

// A typedValue is a single value of a request as the types that policies compare
// with. A nil one reads the text when it is asked.
type typedValue struct {
	num               literal.Number
	when              time.Time
	addr              netip.Addr
	isNum, isDate, ip bool
}

func readValue(text string) *typedValue {
	t := new(typedValue)
	t.num, t.isNum = literal.ParseNumber(text)
	t.when, t.isDate = literal.ParseDate(text)
	t.addr, t.ip = literal.ParseAddress(text)
	return t
}

func (t *typedValue) number(text string) (literal.Number, bool) {
	if t == nil {
		return literal.ParseNumber(text)
	}
	return t.num, t.isNum
}

func (t *typedValue) date(text string) (time.Time, bool) {
	if t == nil {
		return literal.ParseDate(text)
	}
	return t.when, t.isDate
}

func (t *typedValue) address(text string) (netip.Addr, bool) {
	if t == nil {
		return literal.ParseAddress(text)
	}
	return t.addr, t.ip
}
