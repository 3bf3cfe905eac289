// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"strconv"
	"strings"
)

// A Path leads from a document to a value in it. The empty Path is the document.
type Path []step

// A step leads into an object by name or into an array by index.
type step struct {
	name  string
	index int // used when name is empty
}

// Push steps into an object by name or, if that is empty, into an array by index.
func (p *Path) Push(name string, index int) { *p = append(*p, step{name, index}) }

// Pop steps back.
func (p *Path) Pop() { *p = (*p)[:len(*p)-1] }

// String returns the path as in "Statement[1].Action[0]", long names shortened.
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case b.Len() > 0:
			b.WriteString("." + Clip(s.name))
		default:
			b.WriteString(Clip(s.name))
		}
	}
	return b.String()
}

// Last returns the name stepped into last, shortened if it is long, and
// "the value" if there is none.
func (p Path) Last() string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].name != "" {
			return Clip(p[i].name)
		}
	}
	return "the value"
}
