// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// maxDepth is how deep a JSON body may nest. No input of a model comes near it.
const maxDepth = 16

// ParseJSON parses the body of a request of AWS's JSON 1.1 protocol, whose size the caller has limited,
// and an empty body as an object without members. Every parameter must be of the type that it is read
// as; null is absent. It returns SerializationException for a body that is not one JSON object in UTF-8,
// a member given twice, a null in a list, and more than MaxParameters values.
func ParseJSON(body []byte) (*Form, error) {
	f := &Form{errs: &failures{json: true}}
	if len(bytes.TrimSpace(body)) == 0 {
		return f, nil
	}
	if !utf8.Valid(body) {
		return nil, notJSON("is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	r := jsonReader{dec: dec}
	token, err := dec.Token()
	if err != nil {
		return nil, notJSON("is not JSON").Because(err)
	}
	if token != json.Delim('{') {
		return nil, notJSON("is not a JSON object")
	}
	if err := r.members("", 1); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, notJSON("goes on after its end")
	}
	if !sortParams(r.params) {
		return nil, notJSON("has a member twice")
	}
	f.params = r.params
	return f, nil
}

func notJSON(problem string) *awserr.Error {
	return awserr.SerializationException.Msg("The request body %s.", problem)
}

// A jsonReader makes parameters of JSON, named as in a form: Tags.member.1.Key.
type jsonReader struct {
	dec    *json.Decoder
	params []param
	seen   int // values, those left out as well
}

// members reads an object after its opening brace. The names of its members get the prefix.
func (r *jsonReader) members(prefix string, depth int) error {
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return notJSON("is not JSON").Because(err)
		}
		name, _ := token.(string)
		from := len(r.params)
		if err := r.value(prefix+name, false, depth); err != nil {
			return err
		}
		if name == "" || strings.Contains(name, ".") { // no member is called so: nobody reads it
			r.params = r.params[:from]
		}
	}
	return r.end()
}

// elements reads an array after its opening bracket.
func (r *jsonReader) elements(prefix string, depth int) error {
	for n := 1; r.dec.More(); n++ {
		if err := r.value(prefix+strconv.Itoa(n), true, depth); err != nil {
			return err
		}
	}
	return r.end()
}

// end reads a closing brace or bracket.
func (r *jsonReader) end() error {
	if _, err := r.dec.Token(); err != nil {
		return notJSON("is not JSON").Because(err)
	}
	return nil
}

// value reads one value as the parameter of that name, which may be an element of a list.
func (r *jsonReader) value(name string, element bool, depth int) error {
	token, err := r.dec.Token()
	if err != nil {
		return notJSON("is not JSON").Because(err)
	}
	if r.seen++; r.seen > MaxParameters {
		return notJSON("has more than " + strconv.Itoa(MaxParameters) + " values")
	}
	switch v := token.(type) {
	case string:
		r.add(name, v, literal)
	case json.Number:
		r.add(name, v.String(), number)
	case bool:
		r.add(name, strconv.FormatBool(v), truth)
	case nil:
		if element {
			return notJSON("has a null in a list")
		}
	case json.Delim:
		if depth >= maxDepth {
			return notJSON("nests too deeply")
		}
		if v == '[' {
			r.add(name, "", array)
			return r.elements(name+".member.", depth+1)
		}
		if element {
			r.add(name+".", "", object) // with a dot it is a structure among the list's elements
		} else {
			r.add(name, "", object)
		}
		return r.members(name+".", depth+1)
	}
	return nil
}

// maxEpoch is the last time that a body may name, in seconds: that of the year 9999.
const maxEpoch = 253402300799

// OptionalTime returns a time, given in JSON as seconds since 1970 with a fraction if need be; the zero
// time when the parameter is absent.
func (f *Form) OptionalTime(name string) time.Time {
	p := f.scalar(name, number, "is not a time")
	if p == nil {
		return time.Time{}
	}
	v, err := strconv.ParseFloat(*p, 64)
	if err != nil || !(v >= 0 && v <= maxEpoch) {
		f.malformed(name, "is not a time")
		return time.Time{}
	}
	return time.Unix(int64(v), 0).UTC()
}

// RequiredTime is OptionalTime for a time that must be sent.
func (f *Form) RequiredTime(name string) time.Time {
	if _, ok := f.search(name); !ok {
		f.null(name)
	}
	return f.OptionalTime(name)
}

func (r *jsonReader) add(name, value string, k kind) {
	r.params = append(r.params, param{name, value, k})
}
