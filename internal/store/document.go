// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"maps"
	"sync/atomic"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Document is a policy text as stored, byte for byte. It is immutable, and
// safe for concurrent use; records share it.
type Document struct {
	name  string
	text  string
	bound map[string]string

	compiled atomic.Pointer[[]compiledAs] // one element per kind it was asked for
}

type compiledAs struct {
	kind   policy.Kind
	policy *policy.Policy
}

// NewDocument returns a document. The name is for messages; once the document
// is stored, it is the name of the inline policy, the ARN of the managed
// policy, or the ARN of the role that trusts.
func NewDocument(name, text string) *Document { return &Document{name: name, text: text} }

// NewTrust returns a role's trust policy. bound maps principal ARNs, as the
// text has them, to the unique ids that they stood for when it was stored, so
// that one made later under the same name is not trusted.
func NewTrust(text string, bound map[string]string) *Document { return NewBound("", text, bound) }

// NewBound is NewTrust for another document than a role's trust policy.
func NewBound(name, text string, bound map[string]string) *Document {
	return &Document{name: name, text: text, bound: maps.Clone(bound)}
}

// Text returns the text.
func (d *Document) Text() string { return d.text }

// Bound returns a copy of the map given to NewTrust.
func (d *Document) Bound() map[string]string { return maps.Clone(d.bound) }

// Compiled returns the document compiled for use as kind. It is compiled on the
// first call and shared from then on. A text that no longer compiles gives a
// policy that denies everything.
func (d *Document) Compiled(kind policy.Kind) *policy.Policy {
	for {
		have := d.compiled.Load()
		if have != nil {
			for _, c := range *have {
				if c.kind == kind {
					return c.policy
				}
			}
		}
		made := []compiledAs{{kind, d.compile(kind)}}
		if have != nil {
			made = append(made, *have...)
		}
		if d.compiled.CompareAndSwap(have, &made) {
			return made[0].policy
		}
	}
}

func (d *Document) compile(kind policy.Kind) *policy.Policy {
	parsed, err := policy.Parse(d.name, []byte(d.text))
	if err != nil {
		return policy.Broken(d.name, err)
	}
	p, err := policy.CompileBound(parsed, kind, d.bound)
	if err != nil {
		return policy.Broken(d.name, err)
	}
	return p
}

func (d *Document) equal(e *Document) bool {
	return d.name == e.name && d.text == e.text && maps.Equal(d.bound, e.bound)
}

type boundDocument struct {
	Text  string            `json:"text"`
	Bound map[string]string `json:"ids"`
}

// MarshalJSON returns the text as a string, or an object of text and ids if the
// document has bound principals. The name is not kept.
func (d *Document) MarshalJSON() ([]byte, error) {
	if len(d.bound) == 0 {
		return json.Marshal(d.text)
	}
	return json.Marshal(boundDocument{d.text, d.bound})
}

// UnmarshalJSON reads what MarshalJSON made. d must be new.
func (d *Document) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &d.text)
	}
	var v boundDocument
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	d.text, d.bound = v.Text, v.Bound
	return nil
}
