// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// A workload is policies, requests and the decisions wanted of them.
type workload struct {
	name     string
	owners   []owner
	requests []request
	actions  []string // every action that a request or, without wildcard, a statement names; sorted
}

// An owner is what policies are attached to: a principal, or the resource that
// every request is for.
type owner struct {
	name       string // the principal's ARN; "" for the resource
	policies   []json.RawMessage
	statements []statement // of all policies
}

// A statement is one of a policy's, for translating: its variables are replaced
// by what they stand for, so that "*" in a pattern is always the wildcard.
type statement struct {
	allow      bool
	principals []string // of a resource policy: ARNs or "*", which is everyone
	actions    []string // patterns
	resources  []string // patterns
	conditions []condition
}

// A condition is met if the value under its key, or for a negated operator no
// value under it, matches one of values.
type condition struct {
	operator string // one of operators
	key      string
	values   []string
}

// operators are those that the workloads use and every translation knows.
var operators = []string{"Bool", "IpAddress", "NotIpAddress", "StringEquals", "StringLike"}

// A request is one question and the decision wanted.
type request struct {
	principal string // ARN of a user or role
	action    string
	resource  string
	context   map[string]string
	want      policy.Outcome
}

// readWorkload reads dir/name.json.gz.
func readWorkload(dir, name string) (*workload, error) {
	f, err := os.Open(filepath.Join(dir, name+".json.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var file struct {
		Principals map[string][]json.RawMessage
		Resource   json.RawMessage
		Reqs       []struct {
			A, P, R, Want string
			Ctx           map[string]string
		}
	}
	if err := json.NewDecoder(z).Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	w := &workload{name: name}
	for _, arn := range slices.Sorted(maps.Keys(file.Principals)) {
		w.owners = append(w.owners, owner{name: arn, policies: file.Principals[arn]})
	}
	if file.Resource != nil {
		w.owners = append(w.owners, owner{policies: []json.RawMessage{file.Resource}})
	}
	outcomes := map[string]policy.Outcome{"A": policy.Allowed, "D": policy.ExplicitDeny, "I": policy.ImplicitDeny}
	for _, q := range file.Reqs {
		want, ok := outcomes[q.Want]
		if !ok {
			return nil, fmt.Errorf("%s: no such decision: %q", name, q.Want)
		}
		w.requests = append(w.requests, request{principal: q.P, action: q.A, resource: q.R, context: q.Ctx, want: want})
	}
	return w, w.prepare()
}

// prepare reads the statements and gathers the actions.
func (w *workload) prepare() error {
	actions := map[string]bool{}
	for i := range w.owners {
		o := &w.owners[i]
		for _, doc := range o.policies {
			statements, err := readStatements(doc, o.name)
			if err != nil {
				return fmt.Errorf("%s: policy of %q: %w", w.name, o.name, err)
			}
			o.statements = append(o.statements, statements...)
		}
		for _, s := range o.statements {
			for _, a := range s.actions {
				if !strings.Contains(a, "*") {
					actions[a] = true
				}
			}
		}
	}
	for _, q := range w.requests {
		actions[q.action] = true
	}
	w.actions = slices.Sorted(maps.Keys(actions))
	return nil
}

// readStatements reads a policy. It fails on whatever a translation could
// leave out without noticing.
func readStatements(doc []byte, owner string) ([]statement, error) {
	var file struct {
		Version   string
		Statement []struct {
			Sid              string
			Effect           string
			Principal        struct{ AWS []string }
			Action, Resource []string
			Condition        map[string]map[string][]string
		}
	}
	d := json.NewDecoder(strings.NewReader(string(doc)))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, err
	}
	var list []statement
	for _, in := range file.Statement {
		s := statement{allow: in.Effect == "Allow", principals: in.Principal.AWS, actions: in.Action}
		for _, r := range in.Resource {
			s.resources = append(s.resources, strings.ReplaceAll(r, "${aws:username}", username(owner)))
		}
		for operator, keys := range in.Condition {
			for key, values := range keys {
				s.conditions = append(s.conditions, condition{operator, key, values})
			}
		}
		slices.SortFunc(s.conditions, func(a, b condition) int {
			return cmp.Or(cmp.Compare(a.operator, b.operator), cmp.Compare(a.key, b.key))
		})
		if err := s.check(); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (s *statement) check() error {
	for _, c := range s.conditions {
		if !slices.Contains(operators, c.operator) {
			return fmt.Errorf("no translation knows the operator %s", c.operator)
		}
		if strings.ContainsAny(strings.Join(c.values, ""), "?$|") {
			return fmt.Errorf("no translation knows one of %q", c.values)
		}
	}
	for _, text := range slices.Concat(s.principals, s.actions, s.resources) {
		if strings.ContainsAny(text, "?$|\"\\") {
			return fmt.Errorf("no translation knows %q", text)
		}
	}
	for _, p := range s.principals {
		if p != "*" && strings.Contains(p, "*") {
			return fmt.Errorf("%q is no principal", p)
		}
	}
	return nil
}

// username returns what aws:username is for a user or role, "" for "".
func username(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// attribute returns a condition key's name for languages where a colon may not
// be in one.
func attribute(key string) string { return key[strings.LastIndexByte(key, ':')+1:] }

// slice returns a workload of n requests at most, a third of them for each
// decision if there are as many, and of the owners that they need.
func (w *workload) slice(n int) *workload {
	s := &workload{name: w.name, actions: w.actions}
	by := map[policy.Outcome][]request{}
	for _, q := range w.requests {
		by[q.want] = append(by[q.want], q)
	}
	asked := map[string]bool{"": true}
	for _, list := range by {
		take := min(len(list), max(1, n/3))
		for i := range take {
			q := list[i*len(list)/take]
			s.requests = append(s.requests, q)
			asked[q.principal] = true
		}
	}
	for _, o := range w.owners {
		if asked[o.name] {
			s.owners = append(s.owners, o)
		}
	}
	return s
}

// statements returns how many there are.
func (w *workload) statements() int {
	n := 0
	for _, o := range w.owners {
		n += len(o.statements)
	}
	return n
}

// like reports whether value matches a pattern in which "*" is any text.
func like(pattern, value string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == value
	}
	value, ok := strings.CutPrefix(value, head)
	if !ok {
		return false
	}
	for {
		piece, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(value, piece)
		}
		i := strings.Index(value, piece)
		if i < 0 {
			return false
		}
		value, rest = value[i+len(piece):], after
	}
}
