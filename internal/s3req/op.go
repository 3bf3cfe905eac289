// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"iter"
	"slices"
	"strings"
)

// A Level is what an operation works on.
type Level uint8

// The levels.
const (
	AtService Level = iota
	AtBucket
	AtObject
)

// A BodyKind says what the body of an operation's requests is.
type BodyKind uint8

// The kinds of bodies.
const (
	NoBody   BodyKind = iota
	Object            // a stream of any length
	Document          // at most MaxDocument bytes that the upstream reads
	Judged            // at most MaxDocument bytes that permissions depend on: see Request.SetDocument
	Form              // multipart/form-data, with the object in it: see Request.Form
)

// An Op is an operation of S3.
type Op struct {
	Name        string // of S3's API: "GetObject"
	Method      string
	Level       Level
	Sub         string // the parameter that selects it; "" when none does
	Tell        string // the parameter or header (X-Amz-…) that tells it from its twin; "" without one, or for the twin that has it not
	Changes     bool   // it changes something
	Body        BodyKind
	Unsupported string // why Parse refuses it; "" when it does not

	params, required []string
	headers          headerGroup
	needs            []permission
}

// A permission is what an operation needs.
type permission struct {
	action  string // without "s3:", which is part of it all the same once the table is read
	version string // the action when a version is named; "" when it is the same
	on      target
	when    when

	act, actVersion action // what actions says of them
}

// A target is what a permission is about.
type target uint8

const (
	theResource target = iota // the operation's object or bucket
	theSource                 // the object that is copied
	theRole                   // the role that the body names
)

// A when says when a permission is needed.
type when uint8

const (
	always when = iota
	ifACL
	ifTagging
	ifRetention
	ifLegalHold
	ifBypass
	ifSourceTags
	ifAnnotations
	ifOwnership
	ifBucketLock
	ifBucketTags
)

// does is one permission, on what the operation works on.
func does(action string) []permission { return []permission{{action: action}} }

// version is one permission, with another name when the request names a version.
func version(action, versioned string) []permission {
	return []permission{{action: action, version: versioned}}
}

// A place is where an operation is found.
type place struct {
	method string
	level  Level
	sub    string
}

var methods = [...]string{get, head, put, post, del}

func knownMethod(m string) bool { return slices.Contains(methods[:], m) }

// A paramKind says what a parameter does besides having a value.
type paramKind uint8

const (
	ordinary paramKind = iota
	selector           // selects the operation, with a value
	flag               // selects the operation, without a value
)

// index has the operations by place, twins in the order of the table; paramKinds every parameter
// that some operation takes.
var index, paramKinds = func() (map[place][]*Op, map[string]paramKind) {
	ops, params := map[place][]*Op{}, map[string]paramKind{}
	for i := range table {
		op := table[i].op()
		if op.Name == "WriteGetObjectResponse" {
			continue // found by its path
		}
		at := place{op.Method, op.Level, op.Sub}
		ops[at] = append(ops[at], op)
		for _, p := range op.params {
			params[p] = ordinary
		}
	}
	for at, twins := range ops {
		slices.SortStableFunc(twins, func(x, y *Op) int {
			return strings.Compare(y.Tell, x.Tell) // those that tell first
		})
		if at.sub != "" {
			params[at.sub] = flag
		}
	}
	params["uploadId"], params["list-type"] = selector, selector
	return ops, params
}()

// op returns a row as an Op.
func (r *row) op() *Op {
	op := &Op{
		Name: r.name, Method: r.method, Level: r.level, Sub: r.sub, Body: r.body, headers: r.headers,
		Changes:     r.method != get && r.method != head && r.name != "SelectObjectContent",
		Unsupported: notSupported[r.name],
	}
	for p := range strings.FieldsSeq(r.params) {
		name, tells := strings.CutPrefix(p, "?")
		name, required := strings.CutSuffix(name, "!")
		if tells {
			op.Tell = name
		}
		if strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		op.params = append(op.params, name)
		if required {
			op.required = append(op.required, name)
		}
	}
	for _, p := range r.needs {
		p.act, p.actVersion = actions[p.action], actions[p.action]
		if p.version != "" {
			p.actVersion = actions[p.version]
		} else {
			p.version = p.action
		}
		p.action, p.version = qualified(p.action), qualified(p.version)
		op.needs = append(op.needs, p)
	}
	return op
}

func qualified(action string) string {
	if strings.Contains(action, ":") {
		return action
	}
	return "s3:" + action
}

// Ops returns the operations, sorted by name.
func Ops() iter.Seq[*Op] {
	return func(yield func(*Op) bool) {
		for i := range table {
			if !yield(table[i].op()) {
				return
			}
		}
	}
}

// Actions returns the actions that the operation can need, in the order in which they are decided, each
// once.
func (o *Op) Actions() []string {
	var list []string
	for _, p := range o.needs {
		for _, a := range []string{p.action, p.version} {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	return list
}
