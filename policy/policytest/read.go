// SPDX-License-Identifier: Apache-2.0

// Package policytest reads access-test files and runs them against any policy engine.
//
// A file is a JSON object of named policies and of cases. A case is a request,
// the policies in force and the expected outcome:
//
//	{
//	  "policies": {
//	    "readers": {"Version": "2012-10-17", "Statement": [ … ]},
//	    "vault": "./bucket-policy.json"
//	  },
//	  "cases": [{
//	    "name": "fred reads his own folder",
//	    "principal": "arn:aws:iam::111122223333:user/fred",
//	    "identity": ["readers"],
//	    "resource_policy": "vault",
//	    "action": "s3:GetObject",
//	    "resource": "arn:aws:s3:::b/home/fred/x",
//	    "context": {"aws:SourceIp": "203.0.113.7", "aws:TagKeys": ["a", "b"]},
//	    "expect": "allow"
//	  }]
//	}
//
// The condition keys that follow from the case's own fields are in every request:
// aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:username,
// aws:PrincipalIsAWSService, aws:PrincipalServiceName and aws:ResourceAccount,
// each for the callers that have it (V-7). Context adds to them and overrides
// them; null takes one away. Nothing else is added, not even the time.
package policytest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// A File is an access-test file, read and compiled.
type File struct {
	Name  string
	Cases []Case
}

// A Case is one question and its expected answer.
type Case struct {
	Name    string
	Line    int // where it begins in the file, from 1
	Request policy.Request
	Set     policy.Set

	// Expect is "allow", "explicit-deny", "implicit-deny" or "deny", which
	// stands for both.
	Expect string

	// Statement is the Sid of the statement that must have decided; "" asks for none.
	Statement string
}

// A Source says where an access-test file comes from. The zero Source does for a
// file that names no policy by its path.
type Source struct {
	Name string // for messages: the file's path

	// Load returns the text of a policy that the file names by a path. It gets
	// that path joined to the folder of Name, unless it is absolute; os.ReadFile
	// will do. Nil refuses paths.
	Load func(path string) ([]byte, error)

	// Place returns where a place of the text is in what its author wrote, when
	// the text was made of another notation. Errors and traces then tell that
	// place. Nil stands for no change.
	Place func(policy.Position) policy.Position
}

// Read reads an access-test file from the Source of that name.
func Read(name string, data []byte, load func(path string) ([]byte, error)) (*File, error) {
	return Source{Name: name, Load: load}.Read(data)
}

// Read reads an access-test file. It refuses unknown fields, policies that do not
// parse or compile, and whatever else would make a case mean something other than
// it says; the error lists up to 20 faults as "name:line:column: …", in the order
// of their places, those of the file before those of policies that it names.
func (s Source) Read(data []byte) (*File, error) {
	r := &reader{source: s, file: &File{Name: s.Name},
		lines: make(map[string]int), named: make(map[string]node), compiled: make(map[compiledKey]*policy.Policy)}
	r.read(string(data))
	if err := r.faults.err(s.Name); err != nil {
		return nil, err
	}
	return r.file, nil
}

// A reader is one Read at work. It goes on after a fault to find the next.
type reader struct {
	source   Source
	file     *File
	lines    map[string]int // of the cases by name
	named    map[string]node
	compiled map[compiledKey]*policy.Policy
	faults   faults
}

type compiledKey struct {
	name string
	kind policy.Kind
}

// place returns where a place of the text is for the author.
func (r *reader) place(pos jsontext.Position) policy.Position {
	if r.source.Place == nil {
		return policy.Position(pos)
	}
	return r.source.Place(policy.Position(pos))
}

func (r *reader) fail(n node, format string, args ...any) { r.failAt(n.pos, format, args...) }

func (r *reader) failAt(pos jsontext.Position, format string, args ...any) {
	r.faults.add(r.source.Name, r.place(pos), fmt.Sprintf(format, args...))
}

func (r *reader) read(src string) {
	root, ok := r.parse(src)
	if !ok {
		return
	}
	var cases node
	r.fields(root, "the file", map[string]func(node){
		"policies": func(n node) {
			for _, f := range r.object(n, "policies") {
				r.named[f.key] = f.value
			}
		},
		"cases": func(n node) { cases = n },
	})
	if cases.kind == 0 && len(r.faults) == 0 {
		r.fail(root, "the file has no cases")
	}
	for i, c := range r.array(cases, "cases") {
		r.readCase(i, c)
	}
}

// fields calls the function of each field of an object and refuses other fields.
func (r *reader) fields(n node, what string, known map[string]func(node)) {
	for _, f := range r.object(n, what) {
		if set, ok := known[f.key]; ok {
			set(f.value)
			continue
		}
		names := make([]string, 0, len(known))
		for k := range known {
			names = append(names, k)
		}
		slices.Sort(names)
		r.failAt(f.pos, "%s has no field %q; its fields are %s", what, f.key, strings.Join(names, ", "))
	}
}

func (r *reader) object(n node, what string) []field {
	if n.kind != jsontext.Object {
		if n.kind != 0 {
			r.fail(n, "%s must be an object", what)
		}
		return nil
	}
	return n.fields
}

func (r *reader) array(n node, what string) []node {
	if n.kind != jsontext.Array {
		if n.kind != 0 {
			r.fail(n, "%s must be a list", what)
		}
		return nil
	}
	return n.items
}

// text reads a string that is not empty.
func (r *reader) text(n node, what string) string {
	if n.kind != jsontext.String || n.text == "" {
		r.fail(n, "%s must be a string", what)
	}
	return n.text
}

// A rawCase holds the parts of a case whose meaning depends on other parts.
type rawCase struct {
	role, context                      node
	identity, session, scps, rcps      node
	boundary, resourcePolicy, endpoint node
}

func (r *reader) readCase(i int, n node) {
	c := Case{Line: r.place(n.pos).Line}
	var raw rawCase
	keep := func(to *node) func(node) { return func(n node) { *to = n } }
	str := func(to *string, what string) func(node) { return func(n node) { *to = r.text(n, what) } }
	hasPrincipal := false
	r.fields(n, "a case", map[string]func(node){
		"name":             str(&c.Name, "name"),
		"principal":        func(n node) { c.Request.Principal, hasPrincipal = r.principal(n), true },
		"role":             keep(&raw.role),
		"identity":         keep(&raw.identity),
		"boundary":         keep(&raw.boundary),
		"session":          keep(&raw.session),
		"resource_policy":  keep(&raw.resourcePolicy),
		"endpoint_policy":  keep(&raw.endpoint),
		"scps":             keep(&raw.scps),
		"rcps":             keep(&raw.rcps),
		"action":           str(&c.Request.Action, "action"),
		"resource":         str(&c.Request.Resource, "resource"),
		"resource_account": func(n node) { c.Request.ResourceAccount = r.account(n) },
		"context":          keep(&raw.context),
		"expect":           func(n node) { c.Expect = r.expect(n) },
		"statement":        str(&c.Statement, "statement"),
	})
	if n.kind != jsontext.Object {
		return
	}
	for _, missing := range []struct {
		name string
		is   bool
	}{{"name", c.Name == ""}, {"principal", !hasPrincipal}, {"action", c.Request.Action == ""}, {"resource", c.Request.Resource == ""}, {"expect", c.Expect == ""}} {
		if missing.is && !slices.ContainsFunc(n.fields, func(f field) bool { return f.key == missing.name }) {
			r.fail(n, "cases[%d] has no %s", i, missing.name)
		}
	}
	r.role(raw.role, &c.Request.Principal)
	Derive(&c.Request)
	r.context(raw.context, &c.Request)
	r.unique(n, c.Name)
	r.policies(&raw, &c)
	r.file.Cases = append(r.file.Cases, c)
}

// principal reads an ARN, "anonymous", {"service": host} or {"federated": provider}.
func (r *reader) principal(n node) policy.Principal {
	if n.kind == jsontext.Object {
		if len(n.fields) == 1 && n.fields[0].value.kind == jsontext.String && n.fields[0].value.text != "" {
			name := n.fields[0].value.text
			switch n.fields[0].key {
			case "service":
				return policy.Principal{Type: policy.Service, ARN: name}
			case "federated":
				return policy.Principal{Type: policy.WebIdentity, ARN: name}
			}
		}
		r.fail(n, `a principal that is an object must be {"service": HOST} or {"federated": PROVIDER}`)
		return policy.Principal{}
	}
	name := r.text(n, "principal")
	if name == "anonymous" || name == "" {
		return policy.Principal{}
	}
	p, err := policy.PrincipalOf(name)
	if err != nil {
		r.fail(n, "%s", strings.TrimPrefix(err.Error(), "policy: "))
	}
	return p
}

// role reads the ARN of the role that a session is of.
func (r *reader) role(n node, p *policy.Principal) {
	if n.kind == 0 {
		return
	}
	role, ok := arn.SplitEntity(r.text(n, "role"))
	session, isSession := arn.SplitEntity(p.ARN)
	switch {
	case !ok || role.Kind != arn.KindRole:
		r.fail(n, "role must be the ARN of a role")
	case p.Type != policy.RoleSession || !isSession:
		r.fail(n, "role stands only with the session of a role as principal")
	case role.Account != session.Account || role.Name != session.Name:
		r.fail(n, "the principal %s is no session of the role %s", p.ARN, n.text)
	default:
		p.Role = n.text
	}
}

func (r *reader) account(n node) string {
	switch {
	case n.kind == jsontext.Number:
		r.fail(n, "resource_account must be a string of twelve digits, in quotes (write %q)", n.text)
	case n.kind != jsontext.String || !arn.IsAccountID(n.text):
		r.fail(n, "resource_account must be a string of twelve digits")
	}
	return n.text
}

func (r *reader) expect(n node) string {
	outcomes := []string{"allow", "explicit-deny", "implicit-deny", "deny"}
	if n.kind != jsontext.String || !slices.Contains(outcomes, n.text) {
		r.fail(n, "expect must be one of %s", strings.Join(outcomes, ", "))
	}
	return n.text
}

// unique refuses a second case of a name.
func (r *reader) unique(n node, name string) {
	if line, ok := r.lines[name]; ok && name != "" {
		r.fail(n, "the case %q has the name of the one in line %d", name, line)
	}
	r.lines[name] = n.pos.Line
}

// context reads condition keys: one value is a single-valued key, a list a
// multivalued one, and null takes a derived one away.
func (r *reader) context(n node, to *policy.Request) {
	for _, f := range r.object(n, "context") {
		delete(to.Context, derivedKey(to, f.key))
		if f.value.kind == jsontext.Null {
			continue
		}
		if f.value.kind != jsontext.Array {
			if to.Context == nil {
				to.Context = make(map[string]string)
			}
			to.Context[f.key] = r.scalar(f.value, f.key)
			continue
		}
		list := make([]string, len(f.value.items))
		for i, item := range f.value.items {
			list[i] = r.scalar(item, f.key)
		}
		if to.Lists == nil {
			to.Lists = make(map[string][]string)
		}
		to.Lists[f.key] = list
	}
}

func (r *reader) scalar(n node, key string) string {
	switch n.kind {
	case jsontext.String, jsontext.Number, jsontext.Bool:
		return n.text
	}
	r.fail(n, "the value of context key %q must be a string, a number, a boolean or a list of them", key)
	return ""
}
