// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
)

// A Code names a sort of Problem. Codes are stable: programs may compare them.
type Code string

// The codes of Parse.
const (
	TooLarge         Code = "too-large"
	InvalidUTF8      Code = "invalid-utf8"
	InvalidJSON      Code = "invalid-json"
	TooDeep          Code = "too-deep"
	DuplicateKey     Code = "duplicate-key"
	UnknownElement   Code = "unknown-element"
	WrongType        Code = "wrong-type"
	MissingElement   Code = "missing-element"
	ConflictingPair  Code = "conflicting-elements"
	InvalidVersion   Code = "invalid-version"
	InvalidEffect    Code = "invalid-effect"
	EffectLetterCase Code = "effect-letter-case"
)

// The codes of Validate and CheckVersion.
const (
	NoStatements      Code = "no-statements"
	InvalidCharacter  Code = "invalid-character"
	OldVersion        Code = "old-version"
	InvalidSid        Code = "invalid-sid"
	DuplicateSid      Code = "duplicate-sid"
	ProhibitedElement Code = "prohibited-element"
	ProhibitedEffect  Code = "prohibited-effect"
	ProhibitedAction  Code = "prohibited-action"
	MissingPrincipal  Code = "missing-principal"
	InvalidPrincipal  Code = "invalid-principal"
	MissingAction     Code = "missing-action"
	InvalidAction     Code = "invalid-action"
	MissingResource   Code = "missing-resource"
	InvalidResource   Code = "invalid-resource"
	MalformedResource Code = "malformed-resource"
	UnknownOperator   Code = "unknown-operator"
	InvalidKey        Code = "invalid-condition-key"
	InvalidValue      Code = "invalid-condition-value"
	InvalidVariable   Code = "invalid-variable"
)

// A Problem is one fault of a document.
type Problem struct {
	Pos     Position `json:"position"`
	Path    string   `json:"path,omitempty"` // such as Statement[1].Action[0]; "" for the document as a whole
	Code    Code     `json:"code"`
	Message string   `json:"message"`
	Fix     string   `json:"fix,omitempty"` // what would likely cure it
	AWS     string   `json:"-"`             // the text that AWS answers with MalformedPolicyDocument
}

// String returns "line:column: message (fix)", without the position when it is
// unknown and without the fix when there is none.
func (p Problem) String() string {
	var b strings.Builder
	if p.Pos.Line != 0 {
		fmt.Fprintf(&b, "%d:%d: ", p.Pos.Line, p.Pos.Column)
	}
	b.WriteString(p.Message)
	if p.Fix != "" {
		fmt.Fprintf(&b, " (%s)", p.Fix)
	}
	return b.String()
}

// maxProblems bounds how many problems one error lists; the rest is dropped.
const maxProblems = 20

// A ParseError says why a text is no policy document. It lists at least one
// and at most 20 problems, in source order; a fault of the JSON itself is
// always alone.
type ParseError struct {
	Name     string // of the document; may be empty
	Problems []Problem
}

// Error returns one line a problem, "name:line:column: message (fix)".
func (e *ParseError) Error() string { return join(e.Name, e.Problems) }

// A ValidationError says why a document may not be used as a kind of policy. It
// lists at least one and at most 20 problems, in source order.
type ValidationError struct {
	Name     string // of the document; may be empty
	Kind     Kind
	Problems []Problem
}

// Error returns one line a problem, "name:line:column: message (fix)".
func (e *ValidationError) Error() string { return join(e.Name, e.Problems) }

func join(name string, problems []Problem) string {
	var b strings.Builder
	for i, p := range problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		switch {
		case name == "":
		case p.Pos.Line == 0:
			b.WriteString(name + ": ")
		default:
			b.WriteString(name + ":")
		}
		b.WriteString(p.String())
	}
	return b.String()
}
