// SPDX-License-Identifier: Apache-2.0

package wiretest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// node is a parsed XML element.
type node struct {
	name     string
	text     string
	children []*node
}

func (n *node) String() string {
	if len(n.children) == 0 {
		return fmt.Sprintf("%s=%q", n.name, n.text)
	}
	return fmt.Sprintf("%s%v", n.name, n.children)
}

// parseXML parses one element, or returns nil for nothing at all.
func parseXML(b []byte) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(b))
	root := new(node)
	open := []*node{root}
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			child := &node{name: token.Name.Local}
			top.children = append(top.children, child)
			open = append(open, child)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
	switch {
	case len(root.children) > 1 || root.text != "":
		return nil, fmt.Errorf("more than one element")
	case len(root.children) == 1:
		return root.children[0], nil
	}
	return nil, nil
}

// checkXML compares a result with the structure it was made of.
func (c Config) checkXML(t *testing.T, got []byte, v reflect.Value, op string) {
	t.Helper()
	have, err := parseXML(got)
	if err != nil {
		t.Fatalf("AppendResult = %s: %v, want well-formed XML", got, err)
	}
	if have == nil {
		if v.NumField() > 0 {
			t.Errorf("AppendResult = nothing, want %sResult", op)
		}
		return
	}
	want := &node{name: op + "Result", children: c.elements(v, true)}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("AppendResult\n got %v\nwant %v", have, want)
	}
}

// elements returns what a structure should look like. A result's own lists and those of Config.Lists are
// there even when nil.
func (c Config) elements(v reflect.Value, result bool) []*node {
	var out []*node
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		field := v.Field(i)
		switch field.Kind() {
		case reflect.Slice:
			if field.IsNil() && (!result && !c.required(v.Type(), name) || field.Type() == reflect.TypeFor[[]byte]()) {
				continue
			}
		case reflect.Pointer, reflect.Map:
			if field.IsNil() {
				continue
			}
		}
		out = append(out, c.element(field, v.Type(), name))
	}
	return out
}

func (c Config) element(v reflect.Value, parent reflect.Type, name string) *node {
	n := &node{name: c.wireName(parent, name)}
	switch x := reflect.Indirect(v).Interface().(type) {
	case time.Time:
		n.text = x.Format(time.RFC3339)
		return n
	case []byte:
		n.text = base64.StdEncoding.EncodeToString(x)
		return n
	}
	switch v = reflect.Indirect(v); v.Kind() {
	case reflect.Struct:
		n.children = c.elements(v, false)
	case reflect.Slice:
		for i := range v.Len() {
			n.children = append(n.children, c.element(v.Index(i), parent, "member"))
		}
	case reflect.Map:
		for _, key := range sortedKeys(v) {
			n.children = append(n.children, &node{name: "entry", children: []*node{
				{name: "key", text: key.String()}, c.element(v.MapIndex(key), parent, "value"),
			}})
		}
	default:
		n.text = text(v)
		if slices.Contains(c.Documents, parent.Name()+"."+name) {
			n.text = percent(n.text)
		}
	}
	return n
}

// required reports whether a nested list is one that the model requires.
func (c Config) required(parent reflect.Type, field string) bool {
	return slices.Contains(c.Lists, parent.Name()+"."+field)
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// percent is RFC 3986 encoding by way of net/url.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// checkJSON compares an audit rendering with the structure it was made of.
func (c Config) checkJSON(t *testing.T, got []byte, v reflect.Value, output bool) {
	t.Helper()
	var have any
	if err := json.Unmarshal(got, &have); err != nil {
		t.Fatalf("AppendJSON = %s: %v, want JSON", got, err)
	}
	var want any
	if object := c.object(v, output); len(object) > 0 {
		want = object
	}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("AppendJSON\n got %v\nwant %v", have, want)
	}
}

func (c Config) object(v reflect.Value, output bool) map[string]any {
	out := make(map[string]any)
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if k := field.Kind(); (k == reflect.Pointer || k == reflect.Slice || k == reflect.Map) && field.IsNil() {
			continue
		}
		key := strings.ToLower(name[:1]) + name[1:]
		switch document := slices.Contains(c.Documents, v.Type().Name()+"."+name); {
		case slices.Contains(c.Secrets, name), slices.Contains(c.Secrets, v.Type().Name()+"."+name):
			out[key] = wire.Hidden
		case document && output:
			out[key] = percent(reflect.Indirect(field).String())
		default:
			out[key] = c.value(field, output)
		}
	}
	return out
}

func (c Config) value(v reflect.Value, output bool) any {
	v = reflect.Indirect(v)
	switch x := v.Interface().(type) {
	case time.Time:
		return x.Format("Jan 2, 2006, 3:04:05 PM")
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	}
	switch v.Kind() {
	case reflect.Struct:
		return c.object(v, output)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = c.value(v.Index(i), output)
		}
		return list
	case reflect.Map:
		m := make(map[string]any)
		for _, key := range v.MapKeys() {
			m[key.String()] = c.value(v.MapIndex(key), output)
		}
		return m
	case reflect.Int32:
		return float64(v.Int())
	case reflect.Bool:
		return v.Bool()
	}
	return v.String()
}

// checkBody compares an answer in JSON with the structure it was made of.
func (c Config) checkBody(t *testing.T, got []byte, v reflect.Value) {
	t.Helper()
	var have any
	if err := json.Unmarshal(got, &have); err != nil {
		t.Fatalf("AppendResult = %s: %v, want JSON", got, err)
	}
	if want := any(c.members(v, true)); !reflect.DeepEqual(have, want) {
		t.Errorf("AppendResult\n got %v\nwant %v", have, want)
	}
}

// members returns the JSON object of a structure. A result's own lists are there even when nil.
func (c Config) members(v reflect.Value, result bool) map[string]any {
	out := make(map[string]any)
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if k := field.Kind(); k == reflect.Slice && field.IsNil() && (result || c.required(v.Type(), name)) {
			out[c.wireName(v.Type(), name)] = []any{}
			continue
		} else if (k == reflect.Pointer || k == reflect.Slice || k == reflect.Map) && field.IsNil() {
			continue
		}
		out[c.wireName(v.Type(), name)] = c.member(field)
	}
	return out
}

func (c Config) member(v reflect.Value) any {
	v = reflect.Indirect(v)
	switch x := v.Interface().(type) {
	case time.Time:
		return float64(x.Unix())
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	}
	switch v.Kind() {
	case reflect.Struct:
		return c.members(v, false)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = c.member(v.Index(i))
		}
		return list
	}
	return c.value(v, true)
}

func dump(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
