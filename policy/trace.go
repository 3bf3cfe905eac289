// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/innkeeper-iam/innkeeper/policy/internal/prose"
)

// A Trace is a Decision with everything that led to it: each layer in the order
// of reporting, each policy, and each statement with every element and whether the
// request meets it. Make one with Explain. It can be written as JSON, whose names
// do not change.
type Trace struct {
	Summary  string   `json:"summary"` // one sentence
	Decision Decision `json:"decision"`

	Principal       string `json:"principal"` // its ARN; "anonymous" for a caller without one
	Action          string `json:"action"`
	Resource        string `json:"resource"`
	ResourceAccount string `json:"resourceAccount,omitempty"`
	CrossAccount    bool   `json:"crossAccount,omitempty"` // both sides must allow

	Layers []LayerTrace `json:"layers,omitempty"`
}

// A LayerTrace is a layer that is in force. An SCP or RCP layer has one for each level.
type LayerTrace struct {
	Layer    Layer         `json:"layer"`
	Level    int           `json:"level,omitempty"` // of SCPs and RCPs, from 1
	Verdict  Outcome       `json:"verdict"`         // of the layer alone; ImplicitDeny: it is silent
	Match    string        `json:"match,omitempty"` // how an allowing resource policy names the caller: "account", "source of the session", "exact" or "everyone"
	Note     string        `json:"note,omitempty"`
	Policies []PolicyTrace `json:"policies,omitempty"`

	denied, granted *StatementRef
	strength        strength // of granted
	err             error
}

// A PolicyTrace is a policy of a layer.
type PolicyTrace struct {
	Policy     string           `json:"policy"` // Document.Name
	Error      string           `json:"error,omitempty"`
	Statements []StatementTrace `json:"statements,omitempty"`
}

// A StatementTrace is a statement and whether it applies, which it does if the
// request meets every one of its elements.
type StatementTrace struct {
	StatementRef
	End      Position       `json:"end"` // just after its closing brace
	Effect   Effect         `json:"effect"`
	Applies  bool           `json:"applies"`
	Match    string         `json:"match,omitempty"` // as in LayerTrace
	Elements []ElementTrace `json:"elements"`

	strength strength
}

// An ElementTrace is an element of a statement, or one key of its conditions, and
// whether the request meets it. Its lists must not be modified.
type ElementTrace struct {
	Element  string   `json:"element"` // "Principal", "Action", "Resource", one of these after "Not", or "Condition"
	Operator string   `json:"operator,omitempty"`
	Key      string   `json:"key,omitempty"`     // of a Condition, as is Operator
	Matched  bool     `json:"matched"`           // of a Not element: no value fits
	Wants    []Value  `json:"wants"`             // as written; those of a Principal that are no AWS ones begin with their type and a colon
	Has      []string `json:"has"`               // of the request; nil: it has no such key
	By       string   `json:"by,omitempty"`      // the value that fits, of a Resource with its variables resolved; "" if none does
	Missing  []string `json:"missing,omitempty"` // context keys that were looked for and that the request does not have
	Position Position `json:"position,omitzero"` // of By, else of the element; zero if unknown
}

// MarshalText returns the value's text: in JSON a Value is a string.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.Text), nil }

// Statement returns the account of the statement that decided, nil if there is none.
func (t *Trace) Statement() *StatementTrace {
	for i := range t.Layers {
		if st := t.Layers[i].statement(t.Decision.Statement); st != nil {
			return st
		}
	}
	return nil
}

// MarshalJSON writes the Decision as an object of outcome, layer, statement and
// error, the last three only where there is one.
func (d Decision) MarshalJSON() ([]byte, error) {
	out := struct {
		Outcome   Outcome       `json:"outcome"`
		Layer     Layer         `json:"layer,omitempty"`
		Statement *StatementRef `json:"statement,omitempty"`
		Error     string        `json:"error,omitempty"`
	}{d.Outcome, d.Layer, d.Statement, ""}
	if d.Err != nil {
		out.Error = d.Err.Error()
	}
	return json.Marshal(out)
}

// A Tone says what a part of a written trace stands for.
type Tone uint8

// The tones.
const (
	Plain Tone = iota
	Good       // it allows, or the request meets it
	Bad        // it denies or is silent, or the request does not meet it
)

// Write writes the trace as an indented tree in which ✓ and ✗ say what the request
// meets, the summary first. Long lists of values are shortened.
func (t *Trace) Write(w io.Writer) error {
	return t.WriteStyled(w, func(_ Tone, text string) string { return text })
}

// WriteStyled is Write with every mark and verdict as style returns it, such as in colour.
func (t *Trace) WriteStyled(w io.Writer, style func(tone Tone, text string) string) error {
	tree := prose.Tree{Style: func(good bool, text string) string { return style(pick(good, Good, Bad), text) }}
	tree.Title(t.Summary, t.Decision.Outcome == Allowed)
	for _, l := range t.Layers {
		tree.Layer(l.Layer.String(), l.Level, verdictWords[l.Verdict], l.Verdict == Allowed, l.Match, l.Note)
		for _, p := range l.Policies {
			tree.Policy(p.Policy, p.Error)
			for i := range p.Statements {
				s := &p.Statements[i]
				tree.Statement(s.Effect.String(), cmp.Or(s.Sid, fmt.Sprintf("#%d", s.Index+1)), s.Start.Line, s.Start.Column, s.Applies, stated(s).Elements)
			}
		}
	}
	_, err := io.WriteString(w, tree.String())
	return err
}

var verdictWords = [...]string{ImplicitDeny: "silent", ExplicitDeny: "denies", Allowed: "allows"}
