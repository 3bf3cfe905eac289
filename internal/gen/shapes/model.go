// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Model is what the generator needs of an AWS API model (the SDK's api-2.json): no prose, no endpoints.
type Model struct {
	Metadata   Metadata              `json:"metadata"`
	Operations map[string]*Operation `json:"operations"`
	Shapes     map[string]*Shape     `json:"shapes"`
}

// Metadata names a service and its protocol.
type Metadata struct {
	APIVersion   string `json:"apiVersion"`
	Protocol     string `json:"protocol"`
	ServiceID    string `json:"serviceId"`
	XMLNamespace string `json:"xmlNamespace,omitempty"` // of the query protocol
	TargetPrefix string `json:"targetPrefix,omitempty"` // of the JSON protocol
	JSONVersion  string `json:"jsonVersion,omitempty"`  // likewise
}

// query reports whether the service has the query protocol; else it has JSON 1.1.
func (m Metadata) query() bool { return m.Protocol == "query" }

// Operation is one call. Input and Output may be nil.
type Operation struct {
	Name   string `json:"name"`
	Input  *Ref   `json:"input,omitempty"`
	Output *Ref   `json:"output,omitempty"`
	Errors []Ref  `json:"errors,omitempty"`
}

// Ref is a use of a shape.
type Ref struct {
	Shape         string `json:"shape"`
	ResultWrapper string `json:"resultWrapper,omitempty"`
	LocationName  string `json:"locationName,omitempty"`
	Flattened     bool   `json:"flattened,omitempty"`
}

// Shape is a type with its constraints.
type Shape struct {
	Type      string      `json:"type"`
	Required  []string    `json:"required,omitempty"`
	Members   Members     `json:"members,omitzero"`
	Member    *Ref        `json:"member,omitempty"`
	Key       *Ref        `json:"key,omitempty"`
	Value     *Ref        `json:"value,omitempty"`
	Min       *int        `json:"min,omitempty"`
	Max       *int        `json:"max,omitempty"`
	Pattern   string      `json:"pattern,omitempty"`
	Enum      []string    `json:"enum,omitempty"`
	Box       bool        `json:"box,omitempty"`
	Sensitive bool        `json:"sensitive,omitempty"`
	Flattened bool        `json:"flattened,omitempty"`
	Exception bool        `json:"exception,omitempty"`
	Fault     bool        `json:"fault,omitempty"` // of an exception: the server's
	Error     *ErrorTrait `json:"error,omitempty"`
}

// ErrorTrait is how an exception shape appears on the wire.
type ErrorTrait struct {
	Code           string `json:"code"`
	HTTPStatusCode int    `json:"httpStatusCode"`
	SenderFault    bool   `json:"senderFault,omitempty"`
}

// Members keeps the order in which the model lists the members of a structure, which is their order in
// answers.
type Members []Member

// Member is one member of a structure.
type Member struct {
	Name string
	Ref
}

// UnmarshalJSON reads a JSON object in its order.
func (m *Members) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil {
		return err
	}
	*m = Members{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var ref Ref
		if err := dec.Decode(&ref); err != nil {
			return err
		}
		*m = append(*m, Member{Name: name.(string), Ref: ref})
	}
	return nil
}

// MarshalJSON writes a JSON object in the same order.
func (m Members) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, member := range m {
		if i > 0 {
			b = append(b, ',')
		}
		ref, err := encode(member.Ref)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, "%q:%s", member.Name, ref)
	}
	return append(b, '}'), nil
}

// load reads the model of a service and, when there is one, the file of what AWS added to the API after
// the model was frozen (name.newer.json), which also replaces what it repeats.
func load(models fs.FS, service string) (*Model, error) {
	raw, err := fs.ReadFile(models, "models/"+service+".json")
	if err != nil {
		return nil, err
	}
	m, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", service, err)
	}
	raw, err = fs.ReadFile(models, "models/"+service+".newer.json")
	if errors.Is(err, fs.ErrNotExist) {
		return m, m.check()
	}
	if err != nil {
		return nil, err
	}
	newer, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s.newer: %w", service, err)
	}
	maps.Copy(m.Operations, newer.Operations)
	maps.Copy(m.Shapes, newer.Shapes)
	return m, m.check()
}

// parse reads a trimmed model. A trait that the generator does not know is an error.
func parse(raw []byte) (*Model, error) {
	m := new(Model)
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return m, dec.Decode(m)
}

// check reports a reference to a shape that is not there, and what the generator does not know.
func (m *Model) check() error {
	if !m.Metadata.query() && (m.Metadata.Protocol != "json" || m.Metadata.JSONVersion != "1.1") {
		return fmt.Errorf("protocol %q %s is neither query nor JSON 1.1", m.Metadata.Protocol, m.Metadata.JSONVersion)
	}
	known := func(where string, refs ...*Ref) error {
		for _, r := range refs {
			if r == nil {
				continue
			}
			if s, ok := m.Shapes[r.Shape]; !ok {
				return fmt.Errorf("%s: no shape %s", where, r.Shape)
			} else if s.Flattened || r.Flattened {
				return fmt.Errorf("%s: flattened lists are not supported", where)
			}
		}
		return nil
	}
	for name, op := range m.Operations {
		if err := known(name, op.Input, op.Output); err != nil {
			return err
		}
	}
	for name, s := range m.Shapes {
		if err := known(name, s.Member, s.Key, s.Value); err != nil {
			return err
		}
		for _, member := range s.Members {
			if err := known(name+"."+member.Name, &member.Ref); err != nil {
				return err
			}
		}
		for _, r := range s.Required {
			if !slices.ContainsFunc(s.Members, func(m Member) bool { return m.Name == r }) {
				return fmt.Errorf("%s: required member %s does not exist", name, r)
			}
		}
	}
	return nil
}

// only leaves the named operations and the shapes that they need; all of them if there are no names.
func (m *Model) only(names []string) error {
	if len(names) == 0 {
		return nil
	}
	ops, shapes := make(map[string]*Operation, len(names)), make(map[string]*Shape)
	for _, name := range names {
		op, ok := m.Operations[name]
		if !ok {
			return fmt.Errorf("no operation %s", name)
		}
		ops[name] = op
		m.reach(shapes, op.Input, op.Output)
	}
	m.Operations, m.Shapes = ops, shapes
	return nil
}

// reach adds the shapes that refs lead to.
func (m *Model) reach(shapes map[string]*Shape, refs ...*Ref) {
	for _, r := range refs {
		if r == nil || shapes[r.Shape] != nil {
			continue
		}
		s := m.Shapes[r.Shape]
		shapes[r.Shape] = s
		m.reach(shapes, s.Member, s.Key, s.Value)
		for i := range s.Members {
			m.reach(shapes, &s.Members[i].Ref)
		}
	}
}

// text returns the model as JSON with one operation or shape on a line, sorted, for readable diffs.
func (m *Model) text() ([]byte, error) {
	var b bytes.Buffer
	meta, err := encode(m.Metadata)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "{\n\"metadata\": %s,\n\"operations\": {\n", meta)
	if err := lines(&b, m.Operations); err != nil {
		return nil, err
	}
	b.WriteString("},\n\"shapes\": {\n")
	if err := lines(&b, m.Shapes); err != nil {
		return nil, err
	}
	b.WriteString("}\n}\n")
	return b.Bytes(), nil
}

func lines[V any](b *bytes.Buffer, m map[string]V) error {
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteString(",\n")
		}
		v, err := encode(m[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "%q: %s", name, v)
	}
	b.WriteByte('\n')
	return nil
}

// encode is json.Marshal without HTML escapes, which would make patterns unreadable.
func encode(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}
