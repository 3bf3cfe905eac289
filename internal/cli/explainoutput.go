// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/node"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/advice"
)

// An explanation is why one request is allowed or denied, in the form of
// --output json.
type explanation struct {
	Case     *caseOf        `json:"case,omitempty"`
	Recorded *node.Recorded `json:"recorded,omitempty"`
	Changed  bool           `json:"changed,omitempty"` // the record has another outcome
	Trace    *policy.Trace  `json:"trace"`
	Advice   *advice.Advice `json:"advice,omitempty"`  // of a request that is denied
	Missing  []string       `json:"missing,omitempty"` // condition keys that a policy looks at and the request does not have
	Notes    []string       `json:"notes,omitempty"`   // what to know about the request
}

// A caseOf is the case of an access-test file that a request comes from.
type caseOf struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Name    string `json:"name"`
	Expect  string `json:"expect"`
	Passed  bool   `json:"passed"`
	Failure string `json:"failure,omitempty"` // "" when it passed
}

// explained explains a request under the policies of a set.
func explained(r *policy.Request, set *policy.Set) *explanation {
	x := &explanation{Trace: policy.Explain(r, set)}
	x.Missing = advice.Missing(x.Trace)
	if !x.allowed() {
		a := advice.For(r, set)
		x.Advice = &a
	}
	return x
}

func (x *explanation) allowed() bool { return x.Trace.Decision.Outcome == policy.Allowed }

// changed reports whether a record has another outcome than the policies give now.
func (x *explanation) changed() bool {
	return x.Recorded != nil && x.Recorded.Outcome != x.Trace.Decision.Outcome.String()
}

func writeExplanations(w io.Writer, output string, list []*explanation) error {
	for _, x := range list {
		x.Changed = x.changed()
	}
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Allowed      bool           `json:"allowed"` // all of them
			Explanations []*explanation `json:"explanations"`
		}{!slices.ContainsFunc(list, func(x *explanation) bool { return !x.allowed() }), list})
	}
	style := styleFor(w)
	b := new(bytes.Buffer)
	for i, x := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		if err := x.write(b, style); err != nil {
			return err
		}
	}
	_, err := b.WriteTo(w)
	return err
}

// write writes the summary first, then where the request comes from, the tree,
// and what would help.
func (x *explanation) write(b *bytes.Buffer, style func(policy.Tone, string) string) error {
	var tree bytes.Buffer
	if err := x.Trace.WriteStyled(&tree, style); err != nil {
		return err
	}
	summary, err := tree.ReadString('\n')
	if err != nil {
		return err
	}
	b.WriteString(summary)
	if c := x.Case; c != nil {
		result := style(policy.Good, "as expected")
		if !c.Passed {
			result = style(policy.Bad, c.Failure)
		}
		fmt.Fprintf(b, "%s:%d: %s: %s\n", c.File, c.Line, c.Name, result)
	}
	if r := x.Recorded; r != nil {
		x.writeRecorded(b, r, style)
	}
	if _, err := tree.WriteTo(b); err != nil {
		return err
	}
	if x.Advice != nil {
		if err := x.Advice.Write(b); err != nil {
			return err
		}
	}
	if len(x.Missing) > 0 && x.Case == nil {
		fmt.Fprintf(b, "Not given: %s. Give a value with --context KEY=VALUE.\n", strings.Join(x.Missing, ", "))
	}
	for _, note := range x.Notes {
		fmt.Fprintln(b, note)
	}
	return nil
}

func (x *explanation) writeRecorded(b *bytes.Buffer, r *node.Recorded, style func(policy.Tone, string) string) {
	says := r.Outcome
	if r.Layer != "" {
		says += ", " + r.Layer
	}
	same := "the same answer."
	if x.changed() {
		same = style(policy.Bad, "the answer is another now.")
	}
	fmt.Fprintf(b, "As the policies stand now. The record of %s at %s says %s: %s\n", r.Event, r.EventTime(), says, same)
	if x.changed() && r.Reason != "" {
		fmt.Fprintf(b, "It gives the reason: %s\n", r.Reason)
	}
}
