// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"strings"
)

// Limits of what is read, whatever the protocol.
const (
	maxDepth = 128     // nested values; DynamoDB's 32 levels of attributes take two each
	maxNodes = 200_000 // values
)

// A node is a value of a request.
type node struct {
	kind kind
	text string  // of a scalar
	kids []child // of a list or an object, in the order in which they came
}

type child struct {
	name string // "" in a list
	node
}

type kind uint8

const (
	absent kind = iota // also of null
	scalar             // a number, a truth value or bytes
	text
	list
	object
)

// get returns the member of an object, absent if there is none. It refuses a name that differs from the one that is
// sought in letter case alone: some servers take it for the same.
func (n *node) get(name string) (node, error) {
	var found node
	for i := range n.kids {
		if n.kids[i].name == name {
			found = n.kids[i].node
		} else if len(n.kids[i].name) >= len(name) && strings.EqualFold(n.kids[i].name, name) {
			return node{}, fail(Malformed, "member %q is spelt %q", name, clip(n.kids[i].name))
		}
	}
	return found, nil
}

// elements returns the values of a list. That of a form is an object whose names are numbers, perhaps within an
// object of the one member "member" or "entry".
func (n *node) elements() ([]child, error) {
	if n.kind == absent || n.kind == list {
		return n.kids, nil
	}
	if n.kind == object && len(n.kids) == 1 && (n.kids[0].name == "member" || n.kids[0].name == "entry") {
		n = &n.kids[0].node
	}
	if n.kind != object {
		return nil, fail(Malformed, "a list was expected")
	}
	for i := range n.kids {
		if !number(n.kids[i].name) {
			return nil, fail(Malformed, "a list has the element %q", clip(n.kids[i].name))
		}
	}
	return n.kids, nil
}

// number reports whether s is a number from 1 without leading zeros.
func number(s string) bool {
	if s == "" || len(s) > 9 || s[0] == '0' {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

// string returns text, and "" for what is absent.
func (n *node) string(name string) (string, error) {
	switch n.kind {
	case text, absent:
		return n.text, nil
	}
	return "", fail(Malformed, "member %s is not a string", name)
}

// unique refuses a name that occurs twice among the kids.
func unique(kids []child) error {
	if len(kids) <= 8 {
		for i := range kids {
			for j := range i {
				if kids[i].name == kids[j].name {
					return fail(Malformed, "member %q is given twice", clip(kids[i].name))
				}
			}
		}
		return nil
	}
	seen := make(map[string]struct{}, len(kids))
	for i := range kids {
		if _, ok := seen[kids[i].name]; ok {
			return fail(Malformed, "member %q is given twice", clip(kids[i].name))
		}
		seen[kids[i].name] = struct{}{}
	}
	return nil
}

// clip makes what a client sent short enough for a message.
func clip(s string) string { return s[:min(len(s), 64)] }
