// SPDX-License-Identifier: Apache-2.0

// Package advice finds the smallest change that lets a denied request pass.
//
// Every change is proved: the policies are changed as it says, and policy.Decide
// is asked again. Advice never grants more than the action on the resource that
// was asked for, to the caller who asked. It says what would help, not what ought
// to be done: that a request is denied may well be right.
package advice

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/internal/prose"
)

// An Advice says what would let a request pass. Make one with For. It can be
// written as JSON, whose names do not change.
type Advice struct {
	Summary string   `json:"summary"` // one or two sentences, without line breaks
	Allowed bool     `json:"allowed"` // the request passes as it is
	Changes []Change `json:"changes"` // all of them are needed, and in this order; empty if Allowed or if none is known

	request *policy.Request
	set     *policy.Set
}

// A Kind says what sort of change a Change is.
type Kind uint8

// The kinds of change.
const (
	Circumstances Kind = iota + 1 // make the request otherwise: Key and Values
	Grant                         // add an Allow to a policy, or make a policy of it
	Lift                          // remove a Deny, or except the caller
	Repair                        // replace a policy that cannot be evaluated
)

var kindNames = [...]string{"", "circumstances", "grant", "lift", "repair"}

// String returns the kind's name in lower case.
func (k Kind) String() string { return name(kindNames[:], int(k)) }

// MarshalText returns String's text.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Side says who can make a change.
type Side uint8

// The sides.
const (
	Caller       Side = iota + 1 // whoever makes the request
	Account                      // an administrator of the caller's account
	Owner                        // the owner of the resource
	Organization                 // the administrator of the caller's or the owner's organization
	Network                      // whoever runs the VPC endpoint
)

var sideNames = [...]string{"", "caller", "account", "owner", "organization", "network"}

// String returns the side's name in lower case.
func (s Side) String() string { return name(sideNames[:], int(s)) }

// MarshalText returns String's text.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprint(i)
}

// A Change is one thing to do.
type Change struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"` // what to do: "add s3:GetObject on arn:aws:s3:::b/x to DevBoundary"
	By   Side   `json:"by"`   // who can

	// Of Circumstances: the context key, and a value with which the request
	// passes; no value: the key must be absent.
	Key    string   `json:"key,omitempty"`
	Values []string `json:"values,omitempty"`

	// Of the other kinds: the policy, "" for a new one, the statements to lift, and
	// the policy as it will be, which must not be modified. Of several changes, each
	// policy is as the changes before it left it.
	Layer      policy.Layer          `json:"layer,omitzero"`
	Level      int                   `json:"level,omitempty"` // of SCPs and RCPs, from 1
	Policy     string                `json:"policy,omitempty"`
	Statements []policy.StatementRef `json:"statements,omitempty"`
	Document   *policy.Document      `json:"document,omitempty"`
}

// After returns the request and the policies with every change made; those that
// For was given if there is none. Decide allows it unless there is no change and
// Allowed is false. Neither must be modified.
func (a *Advice) After() (*policy.Request, *policy.Set) { return a.request, a.set }

// Write writes the advice as text, the summary, or if several changes are needed
// a line for each with who can make it.
func (a *Advice) Write(w io.Writer) error {
	var b strings.Builder
	if len(a.Changes) < 2 {
		fmt.Fprintln(&b, a.Summary)
	} else {
		fmt.Fprintf(&b, "No single change is known to help. These %d together let it pass:\n", len(a.Changes))
	}
	for i := range a.Changes {
		if c := &a.Changes[i]; len(a.Changes) > 1 {
			fmt.Fprintf(&b, "  %d. %s (%s)\n", i+1, c.Text, c.By.who())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON returns the advice as indented JSON with a line break at its end.
func (a *Advice) JSON() ([]byte, error) {
	out, err := json.MarshalIndent(a, "", "  ")
	return append(out, '\n'), err
}

// who says who a side is.
func (s Side) who() string {
	return [...]string{Caller: "the caller", Account: "an administrator of the account", Owner: "the owner of the resource",
		Organization: "the organization's administrator", Network: "whoever runs the VPC endpoint"}[s]
}

// sentence sums up the changes that let the request of a state pass.
func (a *Advice) sentence(st state) string {
	if len(a.Changes) == 1 {
		c := &a.Changes[0]
		switch c.By {
		case Caller:
			return "It passes if you " + c.Text + "."
		case Account:
			return "To let it pass, " + c.Text + "."
		case Owner:
			return fmt.Sprintf("No change on %s's side can let it pass; the owner of %s can: %s.", st.caller(), prose.Resource(st.r.Resource), c.Text)
		}
		return fmt.Sprintf("No change in the account can let it pass; only %s can: %s.", c.By.who(), c.Text)
	}
	texts := make([]string, len(a.Changes))
	for i := range a.Changes {
		texts[i] = a.Changes[i].Text
	}
	return fmt.Sprintf("No single change is known to help; these %d together do: %s.", len(texts), strings.Join(texts, "; "))
}

// hopeless says why nothing is known that would let the request pass.
func (st state) hopeless() string {
	switch {
	case st.r.Principal.Type == policy.Anonymous:
		return "Nothing short of a policy for everyone lets an anonymous caller pass; sign the request."
	case len(st.statements(policy.Identity, "2012-10-17")) == 0:
		return "No policy can name the action " + prose.Value(st.r.Action) + "."
	}
	return "No change is known that would let it pass."
}
