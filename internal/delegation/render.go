// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Types of parameters.
const (
	TypeString = "string"
	TypeList   = "stringList"
)

// MaxPolicy is how many characters the policy of a request may have, unless it is
// one of AWS's managed policies as it stands.
const MaxPolicy = 2048

// maxRendered bounds what lists of values multiply to, in bytes.
const maxRendered = 64 << 10

// A ParameterError says what is wrong with the parameters of a template.
type ParameterError struct{ Reason string }

func (e *ParameterError) Error() string { return e.Reason }

func wrong(format string, args ...any) error {
	return &ParameterError{fmt.Sprintf(format, args...)}
}

var placeholder = regexp.MustCompile(`@\{([^{}]*)\}`)

// Render returns the policy that a template, which is JSON, becomes with the
// parameters. @{name} in any text that is a value stands for the value of the
// parameter; with a list, the text that has it becomes one text for each value, and
// with several lists one for each combination. Nothing that a value holds can add
// to the structure of the policy. A template without placeholders comes back as it
// is. The error is a *ParameterError, for a placeholder without parameter and a
// parameter without placeholder as well.
func Render(template string, params []Parameter) (string, error) {
	r := renderer{values: make(map[string][]string), used: make(map[string]bool)}
	for _, p := range params {
		if err := r.add(p); err != nil {
			return "", err
		}
	}
	if len(params) == 0 && !placeholder.MatchString(template) {
		return template, nil
	}
	r.in = json.NewDecoder(strings.NewReader(template))
	r.in.UseNumber()
	if err := r.next(); err != nil {
		return "", err
	}
	for _, p := range params {
		if !r.used[p.Name] {
			return "", wrong("The policy template has no parameter %s.", p.Name)
		}
	}
	return r.out.String(), nil
}

type renderer struct {
	values map[string][]string
	used   map[string]bool
	in     *json.Decoder
	out    bytes.Buffer
}

func (r *renderer) add(p Parameter) error {
	_, twice := r.values[p.Name]
	switch {
	case p.Name == "":
		return wrong("A parameter has no name.")
	case twice:
		return wrong("The parameter %s is there twice.", p.Name)
	case len(p.Values) == 0:
		return wrong("The parameter %s has no value.", p.Name)
	case p.Type != TypeList && len(p.Values) > 1:
		return wrong("The parameter %s has several values and is no %s.", p.Name, TypeList)
	}
	r.values[p.Name] = p.Values
	return nil
}

// next writes the next value of the input.
func (r *renderer) next() error {
	t, err := r.in.Token()
	if err != nil {
		return wrong("The policy template cannot be read.")
	}
	return r.token(t)
}

func (r *renderer) token(t json.Token) error {
	if r.out.Len() > maxRendered {
		return wrong("The policy would have more than %d characters.", MaxPolicy)
	}
	switch t := t.(type) {
	case json.Delim:
		return r.container(t)
	case string:
		texts, err := r.expand(t)
		if err != nil {
			return err
		}
		if len(texts) == 1 {
			return r.plain(texts[0])
		}
		return r.plain(texts)
	}
	return r.plain(t)
}

// container writes the object or array that has just begun.
func (r *renderer) container(open json.Delim) error {
	r.out.WriteByte(byte(open))
	for first := true; r.in.More(); first = false {
		if !first {
			r.out.WriteByte(',')
		}
		t, err := r.in.Token()
		if err != nil {
			return wrong("The policy template cannot be read.")
		}
		if open == '{' {
			if name, ok := t.(string); ok && placeholder.MatchString(name) {
				return wrong("A parameter cannot stand in a name: %s.", name)
			}
			if err := r.plain(t); err != nil {
				return err
			}
			r.out.WriteByte(':')
			err = r.next()
		} else {
			err = r.element(t)
		}
		if err != nil {
			return err
		}
	}
	end, err := r.in.Token()
	if err != nil {
		return wrong("The policy template cannot be read.")
	}
	_, err = fmt.Fprint(&r.out, end)
	return err
}

// element writes an element of an array, in which a text may become several.
func (r *renderer) element(t json.Token) error {
	text, ok := t.(string)
	if !ok {
		return r.token(t)
	}
	texts, err := r.expand(text)
	for i, text := range texts {
		if i > 0 {
			r.out.WriteByte(',')
		}
		if err := r.plain(text); err != nil {
			return err
		}
	}
	return err
}

// plain writes a value without looking into it.
func (r *renderer) plain(v any) error {
	enc := json.NewEncoder(&r.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	r.out.Truncate(r.out.Len() - 1) // Encode ends with a line break
	return nil
}

// expand returns the texts that a text with placeholders stands for.
func (r *renderer) expand(text string) ([]string, error) {
	texts, size := []string{""}, 0
	for text != "" {
		at := placeholder.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		before, name := text[:at[0]], text[at[2]:at[3]]
		text = text[at[1]:]
		values, ok := r.values[name]
		if !ok {
			return nil, wrong("The policy template needs a value for the parameter %s.", name)
		}
		r.used[name] = true
		var longer []string
		for _, t := range texts {
			for _, v := range values {
				longer = append(longer, t+before+v)
				if size += len(t) + len(before) + len(v); size > maxRendered {
					return nil, wrong("The policy would have more than %d characters.", MaxPolicy)
				}
			}
		}
		texts = longer
	}
	for i := range texts {
		texts[i] += text
	}
	return texts, nil
}
