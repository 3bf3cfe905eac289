// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// summary lists the global keys and the services, a line each; its comments name
// the columns.
//
//go:embed services.txt
var summary string

// blob holds the dictionary and the texts of the services in the order of
// summary, deflated one by one, the texts with the dictionary. The lines of a
// text are fields between tabs, lists of them between commas:
//
//	key     name  type
//	type    name  ARNs  condition keys
//	action  name  access  condition keys  dependent actions
//	on      type  required or optional  condition keys  dependent actions
//
// in this order, "on" lines after their action, and each kind sorted by the names
// in lower case.
//
//go:embed services.bin
var blob string

type index struct {
	services []*Service
	globals  []ConditionKey
}

// facts are what the text of a service tells.
type facts struct {
	actions []Action
	types   []ResourceType
	keys    []ConditionKey
}

// load reads the embedded index. The embedded files are a pair made by one run of
// the generator, which a test verifies, so that a mismatch panics.
var load = sync.OnceValue(func() *index { return must(parse(summary, blob)) })

func must[T any](x T, err error) T {
	if err != nil {
		panic("catalog: " + err.Error())
	}
	return x
}

func parse(summary, blob string) (*index, error) {
	x := new(index)
	dict := func() string { return "" }
	for line := range strings.Lines(summary) {
		line = strings.TrimSuffix(line, "\n")
		f := strings.SplitN(line, " ", 8)
		switch {
		case f[0] == "#":
		case f[0] == "key" && len(f) == 3:
			k, err := parseKey(f[1], f[2])
			if err != nil {
				return nil, err
			}
			x.globals = append(x.globals, k)
		case f[0] == "dictionary" && len(f) == 3:
			packed, rest, err := cut(blob, f[2])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			blob = rest
			dict = sync.OnceValue(func() string { return must(inflate(packed, f[1], "")) })
		case len(f) == 8:
			packed, rest, err := cut(blob, f[5])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			blob = rest
			x.services = append(x.services, &Service{Prefix: f[0], Name: f[7], facts: sync.OnceValue(func() *facts {
				return must(decode(must(inflate(packed, f[4], dict())), f[1:4]))
			})})
		default:
			return nil, fmt.Errorf("cannot read line %q", line)
		}
	}
	if blob != "" {
		return nil, fmt.Errorf("%d bytes too many", len(blob))
	}
	return x, nil
}

// cut splits blob after the number of bytes that size says.
func cut(blob, size string) (packed, rest string, err error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 || n > len(blob) {
		return "", "", fmt.Errorf("%s bytes of %d", size, len(blob))
	}
	return blob[:n], blob[n:], nil
}

// inflate decompresses a text of the given size.
func inflate(packed, size, dict string) (string, error) {
	n, err := strconv.Atoi(size)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.Grow(n)
	if _, err := io.Copy(&text, flate.NewReaderDict(strings.NewReader(packed), []byte(dict))); err != nil {
		return "", err
	}
	if text.Len() != n {
		return "", fmt.Errorf("%d bytes of text, want %d", text.Len(), n)
	}
	return text.String(), nil
}

// decode reads the text of a service; counts are the numbers of its actions,
// types and keys.
func decode(text string, counts []string) (*facts, error) {
	x := new(facts)
	lists := make(map[string][]string) // the same list is kept once
	list := func(field string) []string {
		if field == "" {
			return nil
		}
		l, ok := lists[field]
		if !ok {
			l = strings.Split(field, ",")
			lists[field] = l
		}
		return l
	}
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case f[0] == "key" && len(f) == 3:
			k, err := parseKey(f[1], f[2])
			if err != nil {
				return nil, err
			}
			x.keys = append(x.keys, k)
		case f[0] == "type" && len(f) == 4:
			x.types = append(x.types, ResourceType{Name: f[1], ARNs: list(f[2]), ConditionKeys: list(f[3])})
		case f[0] == "action" && len(f) == 5:
			x.actions = append(x.actions, Action{Name: f[1], Access: Access(f[2]), ConditionKeys: list(f[3]), Dependent: list(f[4])})
		case f[0] == "on" && len(f) == 5 && len(x.actions) > 0:
			a := &x.actions[len(x.actions)-1]
			a.Resources = append(a.Resources, ResourceUse{Type: f[1], Required: f[2] == "required", ConditionKeys: list(f[3]), Dependent: list(f[4])})
		default:
			return nil, fmt.Errorf("cannot read line %q", line)
		}
	}
	for i, n := range []int{len(x.actions), len(x.types), len(x.keys)} {
		if counts[i] != strconv.Itoa(n) {
			return nil, fmt.Errorf("%d of what should be %s", n, counts[i])
		}
	}
	return x, nil
}

// parseKey returns a key of the given type, in the form "ArrayOfString".
func parseKey(name, kind string) (ConditionKey, error) {
	single, multi := strings.CutPrefix(kind, "ArrayOf")
	switch t := KeyType(single); t {
	case TypeARN, TypeBool, TypeDate, TypeIPAddress, TypeNumeric, TypeString:
		return ConditionKey{Name: name, Type: t, Multi: multi}, nil
	}
	return ConditionKey{}, fmt.Errorf("condition key %s has the unknown type %s", name, kind)
}
