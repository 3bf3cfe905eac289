// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A Trace is a Decision with everything that led to it: each layer in the order
// of reporting, each policy, and each statement with whether it applied and if
// not, what failed. Make one with Explain. It can be written as JSON.
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

// A StatementTrace is a statement and whether it applies. If not, Element is the
// first of its elements that fails, Pattern what it asks for and Value what the
// request has.
type StatementTrace struct {
	StatementRef
	Effect  Effect `json:"effect"`
	Applies bool   `json:"applies"`
	Match   string `json:"match,omitempty"` // as in LayerTrace
	Element string `json:"element,omitempty"`
	Pattern string `json:"pattern,omitempty"`
	Value   string `json:"value,omitempty"`

	strength strength
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

// Write writes the trace as indented text, the summary first.
func (t *Trace) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintln(&b, t.Summary)
	for i := range t.Layers {
		t.Layers[i].write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var verdictWords = [...]string{ImplicitDeny: "silent", ExplicitDeny: "denies", Allowed: "allows"}

func (l *LayerTrace) write(b *strings.Builder) {
	fmt.Fprintf(b, "  %s", l.Layer)
	if l.Level > 0 {
		fmt.Fprintf(b, ", level %d", l.Level)
	}
	fmt.Fprintf(b, ": %s", verdictWords[l.Verdict])
	if l.Match != "" {
		fmt.Fprintf(b, ", caller matched as %s", l.Match)
	}
	if l.Note != "" {
		fmt.Fprintf(b, " (%s)", l.Note)
	}
	b.WriteByte('\n')
	for i := range l.Policies {
		p := &l.Policies[i]
		fmt.Fprintf(b, "    %s\n", p.Policy)
		if p.Error != "" {
			fmt.Fprintf(b, "      error: %s\n", p.Error)
		}
		for j := range p.Statements {
			p.Statements[j].write(b)
		}
	}
}

func (s *StatementTrace) write(b *strings.Builder) {
	name := s.Sid
	if name == "" {
		name = fmt.Sprintf("#%d", s.Index+1)
	}
	fmt.Fprintf(b, "      %s %s", s.Effect, name)
	if s.Start != (Position{}) {
		fmt.Fprintf(b, " (%d:%d)", s.Start.Line, s.Start.Column)
	}
	switch {
	case s.Applies && s.Match != "":
		fmt.Fprintf(b, " applies, caller matched as %s\n", s.Match)
	case s.Applies:
		b.WriteString(" applies\n")
	default:
		fmt.Fprintf(b, " does not apply: %s wants %s, request has %s\n", s.Element, s.Pattern, s.Value)
	}
}

// summarize puts the decision into a sentence.
func (t *Trace) summarize(what string) string {
	d := &t.Decision
	request := t.Action + " on " + t.Resource
	switch {
	case d.Err != nil:
		return fmt.Sprintf("Denied: %s could not be evaluated: %v.", request, d.Err)
	case d.Outcome == Allowed && d.Statement == nil && d.Layer == NoLayer:
		return fmt.Sprintf("Allowed: %s.", what)
	case d.Outcome == Allowed:
		return fmt.Sprintf("Allowed: %s, %s, allows %s.", d.Statement, article(what), request)
	case d.Outcome == ExplicitDeny:
		return fmt.Sprintf("Denied: %s, %s, explicitly denies %s.", d.Statement, article(what), request)
	}
	return fmt.Sprintf("Denied: no %s allows %s.", what, request)
}

func article(noun string) string {
	if strings.HasPrefix(noun, "identity") {
		return "an " + noun
	}
	return "a " + noun
}
