// SPDX-License-Identifier: Apache-2.0

// Package enum spells the values of types that have few of them.
package enum

import (
	"fmt"
	"slices"
)

// Names are the texts of the values of a type, by number.
type Names struct {
	Type  string   // as in "Kind(7)", what stands for a value that has no text
	First int      // the first value that is valid: 0, or 1 if the zero value is not
	Texts []string // of every value; that of one that is not valid is not used

	Invalid, Unknown string // formats of the errors of Marshal and Unmarshal
}

func (n *Names) valid(i int) bool { return n.First <= i && i < len(n.Texts) }

// String returns the text of a value, or its type and number.
func (n *Names) String(i int) string {
	if !n.valid(i) {
		return fmt.Sprintf("%s(%d)", n.Type, i)
	}
	return n.Texts[i]
}

// Marshal returns the text of a value. It fails for one that is not valid.
func (n *Names) Marshal(i int) ([]byte, error) {
	if !n.valid(i) {
		return nil, fmt.Errorf(n.Invalid, i)
	}
	return []byte(n.Texts[i]), nil
}

// Unmarshal returns the value with a text, in exactly its letter case; 0 with an
// error.
func (n *Names) Unmarshal(text []byte) (int, error) {
	i := slices.Index(n.Texts, string(text))
	if !n.valid(i) {
		return 0, fmt.Errorf(n.Unknown, text)
	}
	return i, nil
}
