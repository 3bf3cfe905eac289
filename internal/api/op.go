// SPDX-License-Identifier: Apache-2.0

// Package api carries one operation from bytes to bytes: limit, authenticate,
// decode, target, authorize, run, encode, record.
package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// Input is a decoded request. AppendJSON renders it for the audit record, with
// the sensitive members left out.
type Input interface {
	AppendJSON(b []byte) []byte
}

// An Op is one operation: the stages of the package call its parts, and none of
// them can be left out. Make one with Read, Write, Void or Issue.
type Op struct {
	Name    string // "CreateUser"
	Action  string // "iam:CreateUser"
	Changes bool   // it changes something: its record is durable before its answer
	Records bool   // its result is in its record

	decode func(*wire.Form) Input
	prove  func(*Call, Input) (*authn.Caller, error) // nil: the request is signed
	target func(*Call, Input) ([]authz.Check, error)
	run    func(*Call, Input) (wire.Output, error)
}

// Write makes an operation that changes something and has a result; action is
// "service:Name".
//
// target returns the checks that must be allowed before run is called; a check
// without an Action has the operation's. An error of target is the answer to
// the request, so target must not tell what the caller has no right to know.
func Write[I Input, O wire.Output](
	action string,
	decode func(*wire.Form) I,
	target func(*Call, I) ([]authz.Check, error),
	run func(*Call, I) (O, error),
) Op {
	_, name, _ := strings.Cut(action, ":")
	return Op{
		Name: name, Action: action, Changes: true, Records: true,
		decode: func(f *wire.Form) Input { return decode(f) },
		target: func(c *Call, in Input) ([]authz.Check, error) {
			checks, err := target(c, in.(I))
			for i := range checks {
				checks[i].Action = cmp.Or(checks[i].Action, action)
			}
			return checks, err
		},
		run: func(c *Call, in Input) (wire.Output, error) { return run(c, in.(I)) },
	}
}

// Read is Write for an operation that changes nothing: its audit record may
// reach the disk a moment after its answer.
func Read[I Input, O wire.Output](
	action string,
	decode func(*wire.Form) I,
	target func(*Call, I) ([]authz.Check, error),
	run func(*Call, I) (O, error),
) Op {
	op := Write(action, decode, target, run)
	op.Changes, op.Records = false, false
	return op
}

// Issue is Read for an operation that hands out credentials: its result is in
// its record, without what is secret.
func Issue[I Input, O wire.Output](
	action string,
	decode func(*wire.Form) I,
	target func(*Call, I) ([]authz.Check, error),
	run func(*Call, I) (O, error),
) Op {
	op := Read(action, decode, target, run)
	op.Records = true
	return op
}

// Exchange is Issue for an operation that nobody signs: its input holds a proof
// of another provider of identities. prove verifies it and returns the caller
// with what the proof says, which target and run get. An error of prove is the
// answer to somebody unknown.
func Exchange[I Input, P any, O wire.Output](
	action string,
	decode func(*wire.Form) I,
	prove func(*Call, I) (*authn.Caller, P, error),
	target func(*Call, I, P) ([]authz.Check, error),
	run func(*Call, I, P) (O, error),
) Op {
	op := Issue(action, decode,
		func(c *Call, in I) ([]authz.Check, error) { return target(c, in, c.proof.(P)) },
		func(c *Call, in I) (O, error) { return run(c, in, c.proof.(P)) })
	op.prove = func(c *Call, in Input) (*authn.Caller, error) {
		caller, proof, err := prove(c, in.(I))
		c.proof = proof
		return caller, err
	}
	return op
}

// Void is Write for an operation without a result.
func Void[I Input](
	action string,
	decode func(*wire.Form) I,
	target func(*Call, I) ([]authz.Check, error),
	run func(*Call, I) error,
) Op {
	return Write(action, decode, target, func(c *Call, in I) (nothing, error) {
		return nothing{}, run(c, in)
	})
}

// nothing is the output of a Void operation.
type nothing struct{}

func (nothing) AppendResult(b []byte) []byte { return b }
func (nothing) AppendJSON(b []byte) []byte   { return append(b, "null"...) }

// A Service is a versioned list of operations in one of AWS's protocols: query,
// or JSON 1.1.
type Service struct {
	Name      string // as in the credential scope and the event source: "iam"
	Version   string // of the API: "2010-05-08"
	Namespace string // of its XML; "" with the JSON protocol
	Target    string // what X-Amz-Target begins with, before the dot; "" with the query protocol
	ops       map[string]Op

	// Invalid is the service's own error for a parameter that violates a
	// constraint; detail says which ones do. Nil: the protocol's.
	Invalid func(first wire.Constraint, detail string) error
}

// NewService returns a service with the query protocol. It panics when two
// operations have one name.
func NewService(name, version, namespace string, ops []Op) *Service {
	return newService(&Service{Name: name, Version: version, Namespace: namespace}, ops)
}

// NewJSONService is NewService for one with the JSON 1.1 protocol.
func NewJSONService(name, version, target string, ops []Op) *Service {
	return newService(&Service{Name: name, Version: version, Target: target}, ops)
}

func newService(s *Service, ops []Op) *Service {
	s.ops = make(map[string]Op, len(ops))
	for _, op := range ops {
		if _, dup := s.ops[op.Name]; dup {
			panic(fmt.Sprintf("api: operation %s registered twice", op.Name))
		}
		s.ops[op.Name] = op
	}
	return s
}

// Ops returns the operations in order of their names.
func (s *Service) Ops() []Op {
	ops := make([]Op, 0, len(s.ops))
	for _, op := range s.ops {
		ops = append(ops, op)
	}
	slices.SortFunc(ops, func(a, b Op) int { return strings.Compare(a.Name, b.Name) })
	return ops
}

// Context returns the context of the request that c belongs to.
func (c *Call) Context() context.Context { return c.ctx }
