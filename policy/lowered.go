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
	keys  keyTable
	r     Request
	query query
}

// Lower makes a Lowered of r. It keeps the strings and lists of r, which must not
// be modified as long as it is used, but not the maps.
func Lower(r *Request) *Lowered {
	l := &Lowered{r: *r}
	l.query.read(&l.r)
	l.keys.read(r, literal.Read)
	l.r.Context, l.r.Lists = nil, nil
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
	e.r, e.s, e.keys = &l.r, s, &l.keys
	e.q.Name, e.q.resource.Have = l.query.Name, l.query.resource.Have
	have := bits.Len32(l.query.resource.Have)
	copy(e.q.resource.Hash[:have], l.query.resource.Hash[:have])
	d = e.decide()
	decided = true
	return d
}

// A query is what is known of a request's action and resource alone.
type query struct {
	action.Name
	resource words.Resource
}

// read takes a zero query.
func (q *query) read(r *Request) {
	q.Read(r.Action)
	q.resource.Read(r.Resource)
}

// A keyTable finds context keys. Of few keys it has the hashes side by side; of more,
// slots that are a power of two, at most half of them in use, with the place of a key
// counted from 1.
type keyTable struct {
	keys          []contextKey
	hashesOrSlots []uint32
}

// maxHashes is how many hashes are looked through in order.
const maxHashes = 16

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
		t.hashesOrSlots = make([]uint32, n)
		for i := range t.keys {
			t.hashesOrSlots[i] = uint32(words.Fold(t.keys[i].name))
		}
		return
	}
	size := 2
	for size < 2*n {
		size *= 2
	}
	t.hashesOrSlots = make([]uint32, size)
	for place := range t.keys {
		i := uint32(words.Fold(t.keys[place].name)) & uint32(size-1)
		for t.hashesOrSlots[i] != 0 {
			i = (i + 1) & uint32(size-1)
		}
		t.hashesOrSlots[i] = uint32(place + 1)
	}
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
	if len(t.keys) <= maxHashes {
		for i, h := range t.hashesOrSlots {
			if h == hash {
				look(&t.keys[i])
			}
		}
	} else {
		last := uint32(len(t.hashesOrSlots) - 1)
		for i := hash & last; t.hashesOrSlots[i] != 0; i = (i + 1) & last {
			look(&t.keys[t.hashesOrSlots[i]-1])
		}
	}
	if first == nil {
		return contextValue{}
	}
	return first.value()
}
