// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
)

// A place is where a part of the JSON made of a YAML file begins, and where it
// does in that file; lines and columns from 1.
type place struct{ jsonLine, jsonColumn, line, column int }

// places are in the order of the JSON.
type places []place

// in returns the place in the YAML of a position in the JSON: that of the part
// that begins there or last before it.
func (p places) in(line, column int) (int, int) {
	i, found := slices.BinarySearchFunc(p, place{jsonLine: line, jsonColumn: column}, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.jsonLine, b.jsonLine), cmp.Compare(a.jsonColumn, b.jsonColumn))
	})
	if !found {
		i--
	}
	if i < 0 {
		return line, column
	}
	return p[i].line, p[i].column
}

// translate returns an error about the JSON with its lines that begin with
// "name:LINE:COLUMN: " telling the place in the YAML.
func (p places) translate(name string, err error) error {
	at := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:(\d+):(\d+): `)
	text := at.ReplaceAllStringFunc(err.Error(), func(s string) string {
		m := at.FindStringSubmatch(s)
		line, _ := strconv.Atoi(m[1]) // digits, or the expression had not matched
		column, _ := strconv.Atoi(m[2])
		line, column = p.in(line, column)
		return name + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column) + ": "
	})
	return errors.New(text)
}
