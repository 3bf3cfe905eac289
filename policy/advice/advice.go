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

	// Of the other kinds: the policy, "" for a new one, the statement to lift, and
	// the policy as it will be. A Document has no positions and must not be modified.
	Layer     policy.Layer         `json:"layer,omitempty"`
	Level     int                  `json:"level,omitempty"` // of SCPs and RCPs, from 1
	Policy    string               `json:"policy,omitempty"`
	Statement *policy.StatementRef `json:"statement,omitempty"`
	Document  *policy.Document     `json:"document,omitempty"`
}

// After returns the request and the policies with every change made; those that
// For was given if there is none. Decide allows it unless there is no change and
// Allowed is false. Neither must be modified.
func (a *Advice) After() (*policy.Request, *policy.Set) { return a.request, a.set }

// Write writes the advice as text, the summary first, then a line for each change
// if there are several, each with who can make it.
func (a *Advice) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintln(&b, a.Summary)
	if len(a.Changes) > 1 {
		for i := range a.Changes {
			fmt.Fprintf(&b, "  %d. %s\n", i+1, a.Changes[i].Text)
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
