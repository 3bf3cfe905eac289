// SPDX-License-Identifier: Apache-2.0

// Package given finds what a request gives under its context keys, in whose names
// the case of ASCII letters does not count (C-2).
package given

import (
	"maps"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/words"
)

// A Kind says what stands under a key.
type Kind uint8

const (
	Nothing Kind = iota // the key is absent or its list empty
	One
	List
)

// A Value is what stands under a key; the zero Value is of one that is absent.
type Value struct {
	Kind  Kind
	One   string
	List  []string
	Typed *literal.Value // of One, or nil
}

// Text returns a single value.
func Text(one string) Value { return Value{Kind: One, One: one} }

// Texts returns a list.
func Texts(list []string) Value {
	if len(list) == 0 {
		return Value{}
	}
	return Value{Kind: List, List: list}
}

// Hash returns the hash of a key's name.
func Hash(name string) uint32 { return uint32(words.Fold(name)) }

// Fold returns what stands under the first in byte order of the keys of m that differ
// from a name only in letter case.
//
// quirk Q018: so two keys that differ only in letter case are never mixed up.
func Fold[V any](m map[string]V, name string) (value V, ok bool) {
	first := ""
	for k, v := range m {
		if words.EqualFold(k, name) && (!ok || strings.Compare(k, first) < 0) {
			first, value, ok = k, v, true
		}
	}
	return value, ok
}

// A Table finds values by the hash of their key. Of few keys it has the hashes side by
// side; of more, slots that are a power of two, at most half of them in use, with the
// place of a key counted from 1. It never changes once it is made; the zero Table is empty.
type Table struct {
	keys   []key
	hashes [maxHashes]uint16
	slots  *[]uint32
}

const maxHashes = 12

// A key fills one line of the cache.
type key struct {
	name  string
	one   string
	list  []string // of one with a list, not nil
	typed *literal.Value
}

// NewTable makes a table of single values and lists; read reads the single values, or is
// nil. Of keys that differ only in letter case, those with lists come first, and each in
// byte order.
func NewTable(single map[string]string, lists map[string][]string, read func(string) *literal.Value) (t Table) {
	t.keys = make([]key, 0, len(single)+len(lists))
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		k := key{name: name, list: lists[name]}
		if k.list == nil {
			k.list = []string{}
		}
		t.keys = append(t.keys, k)
	}
	for _, name := range slices.Sorted(maps.Keys(single)) {
		k := key{name: name, one: single[name]}
		if read != nil {
			k.typed = read(k.one)
		}
		t.keys = append(t.keys, k)
	}
	if len(t.keys) <= maxHashes {
		for i := range t.keys {
			t.hashes[i] = uint16(Hash(t.keys[i].name))
		}
		return t
	}
	size := 2
	for size < 2*len(t.keys) {
		size *= 2
	}
	slots, last := make([]uint32, size), uint32(size-1)
	for place := range t.keys {
		i := Hash(t.keys[place].name) & last
		for slots[i] != 0 {
			i = (i + 1) & last
		}
		slots[i] = uint32(place + 1)
	}
	t.slots = &slots
	return t
}

// Find returns what stands under a name with a hash: under the key that is spelt like
// it, or else the first but for letter case; a list before a single value.
func (t *Table) Find(name string, hash uint32) Value {
	var first *key
	look := func(k *key) {
		switch {
		case k.name != name && !words.EqualFold(k.name, name):
		case first == nil, k.name == name && first.name != name && (k.list == nil) == (first.list == nil):
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
	switch {
	case first == nil:
		return Value{}
	case first.list == nil:
		return Value{Kind: One, One: first.one, Typed: first.typed}
	}
	return Texts(first.list)
}
