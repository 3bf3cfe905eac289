// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/innkeeper-iam/innkeeper/policy/internal/action"
	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// A Lowered is a Request in the engine's own form: its action and resource
// hashed, its context keys in a table and their values read as numbers, dates
// and addresses. It is for a request that is asked of many Sets, or more than
// once. It never changes and is safe for concurrent use. Make one with Lower.
type Lowered struct {
	query query
	keys  keyTable
	r     *Request // without maps
}

// Lower makes a Lowered of r. It keeps the strings and lists of r, which must not
// be modified as long as it is used, but not the maps.
func Lower(r *Request) *Lowered {
	own := *r
	own.Context, own.Lists = nil, nil
	l := &Lowered{r: &own}
	l.query.read(r)
	l.keys.read(r, literal.Read)
	return l
}

// Decide answers as Decide(r, s) does, in less time if l is in the processor's
// caches: it is larger than r.
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

// A keyTable finds context keys. Of few keys it has the hashes side by side; of more,
// slots that are a power of two, at most half of them in use, with the place of a key
// counted from 1.
type keyTable struct {
	keys   []contextKey
	hashes [maxHashes]uint16
	slots  *[]uint32
}

const maxHashes = 12

// A contextKey fills one line of the cache.
type contextKey struct {
	name  string
	one   string
	list  []string // of a key of Lists, not nil
	typed *literal.Value
}

// A contextValue is what a request has under a context key.
type contextValue struct {
	found foundKind
	one   string
	list  []string
	typed *literal.Value
}

func (k *contextKey) value() contextValue {
	switch {
	case k.list == nil:
		return contextValue{found: oneValue, one: k.one, typed: k.typed}
	case len(k.list) == 0:
		return contextValue{}
	}
	return contextValue{found: valueList, list: k.list}
}

// read takes a zero table; typed reads the single values, or is nil. Of keys that differ
// only in letter case, those of Lists come before those of Context, and each in byte order.
func (t *keyTable) read(r *Request, typed func(string) *literal.Value) {
	n := len(r.Context) + len(r.Lists)
	t.keys = make([]contextKey, 0, n)
	for _, name := range slices.Sorted(maps.Keys(r.Lists)) {
		k := contextKey{name: name, list: r.Lists[name]}
		if k.list == nil {
			k.list = []string{}
		}
		t.keys = append(t.keys, k)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Context)) {
		k := contextKey{name: name, one: r.Context[name]}
		if typed != nil {
			k.typed = typed(k.one)
		}
		t.keys = append(t.keys, k)
	}
	if n <= maxHashes {
		for i := range t.keys {
			t.hashes[i] = uint16(words.Fold(t.keys[i].name))
		}
		return
	}
	size := 2
	for size < 2*n {
		size *= 2
	}
	slots := make([]uint32, size)
	for place := range t.keys {
		i := uint32(words.Fold(t.keys[place].name)) & uint32(size-1)
		for slots[i] != 0 {
			i = (i + 1) & uint32(size-1)
		}
		slots[i] = uint32(place + 1)
	}
	t.slots = &slots
}

// find returns what stands under a key with a hash: spelt like it, or else the first
// but for letter case; a list before a single value.
func (t *keyTable) find(key string, hash uint32) contextValue {
	var first *contextKey
	look := func(k *contextKey) {
		switch {
		case k.name != key && !words.EqualFold(k.name, key):
		case first == nil, k.name == key && first.name != key && (k.list == nil) == (first.list == nil):
			first = k
		}
	}
	if t.slots == nil {
		for i := range t.keys {
			if t.hashes[i] == uint16(hash) {
				look(&t.keys[i])
			}
		}
	} else {
		slots := *t.slots
		last := uint32(len(slots) - 1)
		for i := hash & last; slots[i] != 0; i = (i + 1) & last {
			look(&t.keys[slots[i]-1])
		}
	}
	if first == nil {
		return contextValue{}
	}
	return first.value()
}
