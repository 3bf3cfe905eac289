// SPDX-License-Identifier: Apache-2.0

package form

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// A Reader reads the values of a policy's elements. It skips values of a wrong type
// and reports them to Wrong.
type Reader struct {
	*jsontext.Reader
	Source string        // what is read
	Path   jsontext.Path // to the value being read
	Wrong  func(pos jsontext.Position, fix, message string)
}

// Done leaves the current path after its value was read well; after a fault of
// form the path stays, for the message.
func (r *Reader) Done() bool {
	r.Path.Pop()
	return true
}

// WrongType reports and skips a value of a kind; want is what it should be.
func (r *Reader) WrongType(kind jsontext.Kind, what, want string) bool {
	pos, off := r.Pos(), r.Offset()
	if !r.Skip() {
		return false
	}
	fix := ""
	if what != "Version" && strings.HasPrefix(want, "a string") && (kind == jsontext.Number || kind == jsontext.Bool) {
		fix = `write "` + jsontext.Clip(r.Source[off:r.Offset()]) + `"`
	}
	r.Wrong(pos, fix, fmt.Sprintf("%s must be %s, not %s", what, want, kind))
	return true
}

// NotDocument reports a text that is JSON, perhaps, but not the object that a
// policy is.
func (r *Reader) NotDocument(kind jsontext.Kind) {
	pos := r.Pos()
	fix, message := "", fmt.Sprintf("the document must be an object, not %s", kind)
	switch kind {
	case jsontext.Broken:
		return
	case jsontext.String:
		if s, ok := r.Text(); ok && strings.HasPrefix(strings.TrimSpace(s), "{") {
			fix, message = "remove the quotes around it, and the backslashes", "the document is quoted as a string"
		}
	case jsontext.Array:
		fix = `write {"Version": "2012-10-17", "Statement": [...]}`
	}
	r.Wrong(pos, fix, message)
}

// OneString reads a value that must be a string.
func (r *Reader) OneString() (string, bool) {
	switch kind := r.Peek(); kind {
	case jsontext.Broken:
		return "", false
	case jsontext.String:
		return r.Text()
	default:
		return "", r.WrongType(kind, r.Path.Last(), "a string")
	}
}

// Values reads one string or an array of them (P-5), each into add; with scalars,
// also numbers and booleans as their text (P-6).
func (r *Reader) Values(scalars bool, add func(text string, pos jsontext.Position)) bool {
	one, some := "a string", "a string or an array of strings"
	if scalars {
		one, some = "a string, a number or a boolean", "a string, a number, a boolean or an array of them"
	}
	switch kind := r.Peek(); kind {
	case jsontext.Broken:
		return false
	case jsontext.Array:
		return r.Array(func(i int) bool {
			r.Path.Push("", i)
			kind := r.Peek()
			return kind != jsontext.Broken && r.scalar(kind, scalars, one, add) && r.Done()
		})
	default:
		return r.scalar(kind, scalars, some, add)
	}
}

// scalar reads one value of a list.
func (r *Reader) scalar(kind jsontext.Kind, scalars bool, want string, add func(text string, pos jsontext.Position)) (ok bool) {
	pos, text := r.Pos(), ""
	switch {
	case kind == jsontext.String:
		text, ok = r.Text()
	case kind == jsontext.Number && scalars:
		text, ok = r.Number()
	case kind == jsontext.Bool && scalars:
		text, ok = r.Literal(), true
	default:
		return r.WrongType(kind, r.Path.Last(), want)
	}
	if ok {
		add(text, pos)
	}
	return ok
}
