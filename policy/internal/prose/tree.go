// SPDX-License-Identifier: Apache-2.0

package prose

import (
	"fmt"
	"strings"
)

// A Tree writes what led to a decision as indented lines, in which ✓ and ✗ say
// what the request meets. Style returns marks and verdicts as they are written,
// such as in colour; good ones allow, or are met.
type Tree struct {
	strings.Builder
	Style func(good bool, text string) string
}

func (t *Tree) mark(good bool) string {
	if good {
		return t.Style(true, "✓")
	}
	return t.Style(false, "✗")
}

// Title writes the summary, whose verdict ends with the first colon.
func (t *Tree) Title(summary string, good bool) {
	verdict, rest, _ := strings.Cut(summary, ":")
	fmt.Fprintf(t, "%s:%s\n", t.Style(good, verdict), rest)
}

// Layer begins a layer. Level, match and note may be zero.
func (t *Tree) Layer(name string, level int, verdict string, good bool, match, note string) {
	fmt.Fprintf(t, "  %s %s", t.mark(good), name)
	if level > 0 {
		fmt.Fprintf(t, ", level %d", level)
	}
	t.WriteString(": " + t.Style(good, verdict))
	if match != "" {
		fmt.Fprintf(t, ", caller matched as %s", match)
	}
	if note != "" {
		fmt.Fprintf(t, " (%s)", note)
	}
	t.WriteByte('\n')
}

// Policy begins a policy; fault says why it cannot be evaluated, if it cannot.
func (t *Tree) Policy(name, fault string) {
	fmt.Fprintf(t, "      %s\n", name)
	if fault != "" {
		fmt.Fprintf(t, "      %s error: %s\n", t.mark(false), fault)
	}
}

// Statement writes a statement with its elements. Name is its Sid, or # and its
// number; a line of 0 means that its place is unknown.
func (t *Tree) Statement(effect, name string, line, column int, applies bool, elements []Element) {
	if line > 0 {
		name += fmt.Sprintf(" (%d:%d)", line, column)
	}
	said := "does not apply"
	if applies {
		said = t.Style(effect == "Allow", "applies")
	}
	fmt.Fprintf(t, "        %s %s %s\n", effect, name, said)
	for i := range elements {
		fmt.Fprintf(t, "          %s %s\n", t.mark(elements[i].Matched), elements[i].Line())
	}
}
