// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"slices"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// A place is where a part of the JSON made of a YAML file begins or ends, and
// where it does in that file; lines and columns from 1.
type place struct{ jsonLine, jsonColumn, line, column int }

// places are in the order of the JSON.
type places []place

// in returns the place in the YAML of a position in the JSON, counted from the
// part that begins or ends there or last before it.
func (p places) in(pos policy.Position) policy.Position {
	i, found := slices.BinarySearchFunc(p, place{jsonLine: pos.Line, jsonColumn: pos.Column}, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.jsonLine, b.jsonLine), cmp.Compare(a.jsonColumn, b.jsonColumn))
	})
	if !found {
		i--
	}
	if i < 0 {
		return pos
	}
	column := p[i].column
	if p[i].jsonLine == pos.Line {
		column += pos.Column - p[i].jsonColumn
	}
	return policy.Position{Line: p[i].line, Column: column}
}
