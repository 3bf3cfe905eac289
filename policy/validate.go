// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// presence says whether a kind of policy takes an element.
type presence uint8

const (
	forbidden presence = iota
	optional
	required
)

// kindRules is what a kind of policy allows at write time (P-7).
type kindRules struct {
	principal, resource presence

	iam          bool // IAM stores it: its rules for Sid and characters hold (P-4, P-9)
	arns         bool // resources are "*" or ARNs of the aws partition
	notPrincipal bool // NotPrincipal may stand with Deny
	denyOnly     bool // RCP: Deny, and Principal "*", and no NotAction
	stsOnly      bool // trust: actions of sts only
}

// rulesOf has the rules of each kind. Identity policies, boundaries, session
// policies and SCPs are alike; SCPs follow the current syntax, in which Allow
// may have conditions, NotAction and any resource (P-8). Which resources a
// resource policy may or must name is up to its service.
var rulesOf = [...]kindRules{
	Identity: {principal: forbidden, resource: required, iam: true, arns: true},
	Boundary: {principal: forbidden, resource: required, iam: true, arns: true},
	Session:  {principal: forbidden, resource: required, iam: true, arns: true},
	SCP:      {principal: forbidden, resource: required, iam: true, arns: true},
	RCP:      {principal: required, resource: required, iam: true, arns: true, denyOnly: true},
	Resource: {principal: required, resource: optional, notPrincipal: true},
	Trust:    {principal: required, resource: forbidden, iam: true, stsOnly: true},
	Key:      {principal: required, resource: required, notPrincipal: true},
	Endpoint: {principal: required, resource: required, notPrincipal: true},
}

// Validate reports whether d may be written as a policy of the given kind, by
// AWS's rules of form. The error is a *ValidationError, except for an invalid
// kind. Whether principals, services, actions and condition keys exist is not
// looked at; size is a quota and belongs to the caller (Size), and so is the
// Version that managed policies need (CheckVersion). Of more than 20 problems
// it lists those that AWS would look for first. Compile accepts every document
// that Validate accepts.
func (d *Document) Validate(kind Kind) error {
	if kind < Identity || kind > Endpoint {
		return fmt.Errorf("policy: invalid policy kind %d", kind)
	}
	v := validator{doc: d, kind: kind, rules: rulesOf[kind], variables: d.Version == "2012-10-17", sids: make(map[string]Position)}
	if v.rules.iam {
		v.characters()
	}
	if len(d.Statements) == 0 {
		v.report(Position{1, 1}, "Statement", NoStatements, "", "the policy has no statements", syntaxErrors)
	}
	for i := range d.Statements {
		if v.full() {
			break
		}
		v.statement(&d.Statements[i])
	}
	if len(v.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(v.problems, func(a, b Problem) int { return rung(a.Code) - rung(b.Code) })
	worst := v.problems[:min(len(v.problems), maxProblems)]
	sortProblems(worst)
	return &ValidationError{Name: d.Name, Kind: kind, Problems: worst}
}

// CheckVersion reports whether d has Version 2012-10-17, which IAM demands of
// managed policies. The error is a *ValidationError.
func (d *Document) CheckVersion() error {
	if d.Version == "2012-10-17" {
		return nil
	}
	message := "the policy has Version " + d.Version
	if d.Version == "" {
		message = "the policy has no Version"
	}
	return &ValidationError{Name: d.Name, Kind: Identity, Problems: []Problem{{Pos: cmp.Or(d.VersionPos, Position{1, 1}), Path: "Version", Code: OldVersion,
		Message: message, Fix: `write "Version": "2012-10-17"`, AWS: "Policy document must be version 2012-10-17 or greater."}}}
}

// A validator collects the problems of one document.
type validator struct {
	doc       *Document
	kind      Kind
	rules     kindRules
	variables bool // ${…} means something
	sids      map[string]Position
	at        *Statement // being validated
	problems  []Problem
}

// maxCollected bounds the problems from which the worst are chosen.
const maxCollected = 1000

// full reports whether report records no more.
func (v *validator) full() bool { return len(v.problems) == maxCollected }

// report records a problem.
func (v *validator) report(pos Position, path string, code Code, fix, message, aws string) {
	if v.full() {
		return
	}
	v.problems = append(v.problems, Problem{Pos: pos, Path: path, Code: code, Message: message, Fix: fix, AWS: aws})
}

// fault records what is wrong with a text, if anything is.
func (v *validator) fault(pos Position, path func() string, code Code, f form.Fault) {
	if f != (form.Fault{}) {
		v.report(pos, path(), code, f.Fix, f.Message, f.AWS)
	}
}

// path returns the path of an element of the current statement.
func (v *validator) path(element string) string {
	return "Statement[" + strconv.Itoa(v.at.Index) + "]." + element
}

// value returns the path of a value of a list in the current statement.
func (v *validator) value(element string, i int, list []Value) string {
	if len(list) == 1 {
		return v.path(element)
	}
	return v.path(element) + "[" + strconv.Itoa(i) + "]"
}

// characters refuses what IAM does not take in a document (P-9).
func (v *validator) characters() {
	if pos, c, found := form.BadCharacter(v.doc.Source); found {
		v.report(Position(pos), "", InvalidCharacter, "", fmt.Sprintf("the character %q (%U) is not allowed", c, c), syntaxErrors)
	}
}

func (v *validator) statement(s *Statement) {
	v.at = s
	v.sid()
	if v.rules.denyOnly && s.Effect == Allow {
		v.report(s.EffectPos, v.path("Effect"), ProhibitedEffect, "", "a resource control policy can only deny", syntaxErrors)
	}
	v.principal()
	v.actions()
	v.resources()
	v.conditions()
}

// sid checks the statement's Sid (P-4). IAM demands of it letters and digits,
// and that no other statement has it; an empty one is as good as none.
func (v *validator) sid() {
	s := v.at
	if !v.rules.iam || s.Sid == "" {
		return
	}
	if !form.IsSid(s.Sid) {
		v.report(s.SidPos, v.path("Sid"), InvalidSid, "use letters and digits only", "the Sid "+jsontext.Quote(s.Sid)+" has other characters than letters and digits",
			"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
	}
	first, twice := v.sids[s.Sid]
	if !twice {
		v.sids[s.Sid] = s.SidPos
		return
	}
	v.report(s.SidPos, v.path("Sid"), DuplicateSid, "give each statement its own, or none",
		fmt.Sprintf("the Sid %s is already there at %d:%d", jsontext.Quote(s.Sid), first.Line, first.Column),
		"Statement IDs (SID) in a single policy must be unique.")
}

// actions checks Action or NotAction (P-10).
func (v *validator) actions() {
	s := v.at
	element := not(s.NotAction) + "Action"
	if len(s.Action) == 0 {
		v.report(cmp.Or(s.ActionPos, s.Start), v.path(element), MissingAction, `add "Action"`, "the statement has no actions", "Policy statement must contain actions.")
		return
	}
	if s.NotAction && v.rules.denyOnly {
		v.report(s.ActionPos, v.path(element), ProhibitedElement, `write "Action"`, "a resource control policy cannot have NotAction", syntaxErrors)
	}
	for i, a := range s.Action {
		if v.full() {
			return
		}
		v.action(a, func() string { return v.value(element, i, s.Action) })
	}
}

// action checks one action.
func (v *validator) action(a Value, path func() string) {
	v.fault(a.Pos, path, InvalidAction, form.Action(a.Text))
	if service, _, _ := strings.Cut(a.Text, ":"); v.rules.stsOnly && !strings.EqualFold(service, "sts") {
		v.report(a.Pos, path(), ProhibitedAction, `write "sts:AssumeRole"`, "a trust policy cannot have the action "+jsontext.Quote(a.Text),
			"AssumeRole policy may only specify STS AssumeRole actions.")
	}
}
