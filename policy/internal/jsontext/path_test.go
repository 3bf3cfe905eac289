// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"strings"
	"testing"
)

func TestPath(t *testing.T) {
	var p Path
	for _, tc := range []struct {
		name       string
		step       func()
		want, last string
	}{
		{"the-document", func() {}, "", "the value"},
		{"a-member", func() { p.Push("Statement", 0) }, "Statement", "Statement"},
		{"an-element", func() { p.Push("", 1) }, "Statement[1]", "Statement"},
		{"a-member-of-an-element", func() { p.Push("Action", 0) }, "Statement[1].Action", "Action"},
		{"back", p.Pop, "Statement[1]", "Statement"},
		{"a-long-name", func() { p.Push(strings.Repeat("x", 1000), 0) }, "Statement[1]." + Clip(strings.Repeat("x", 1000)), Clip(strings.Repeat("x", 1000))},
	} {
		tc.step()
		if got := p.String(); got != tc.want {
			t.Errorf("%s: String() = %q, want %q", tc.name, got, tc.want)
		}
		if got := p.Last(); got != tc.last {
			t.Errorf("%s: Last() = %q, want %q", tc.name, got, tc.last)
		}
	}
}
