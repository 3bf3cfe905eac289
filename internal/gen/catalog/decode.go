// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What is read of the package.
const (
	packageFile = "package.json"
	namesFile   = "data/serviceNames.json"
	globalsFile = "dist/esm/globalConditionKeys.js"
	actionsDir  = "data/actions/"
	typesDir    = "data/resourceTypes/"
	keysDir     = "data/conditionKeys/"
)

func wanted(path string) bool {
	switch path {
	case packageFile, namesFile, globalsFile:
		return true
	}
	return strings.HasPrefix(path, actionsDir) || strings.HasPrefix(path, typesDir) || strings.HasPrefix(path, keysDir)
}

// The package's own form.
type (
	sourceAction struct {
		Name          string
		AccessLevel   string
		ResourceTypes []struct {
			Name             string
			Required         bool
			ConditionKeys    []string
			DependentActions []string
		}
		ConditionKeys    []string
		DependentActions []string
	}
	sourceType struct {
		Key           string
		ARN           string
		ConditionKeys []string
	}
	sourceKey struct{ Key, Type string }

	source struct {
		name    string
		actions map[string]sourceAction // by the name in lower case, as the next two
		types   map[string]sourceType
		keys    map[string]sourceKey
	}
)

// decodeSources returns the services of the package by their prefixes.
func decodeSources(files map[string][]byte) (map[string]*source, error) {
	var names map[string]string
	if err := parse(files, namesFile, &names); err != nil {
		return nil, err
	}
	sources := make(map[string]*source, len(names))
	for prefix, name := range names {
		s := &source{name: name}
		if err := errors.Join(
			parse(files, actionsDir+prefix+".json", &s.actions),
			parse(files, typesDir+prefix+".json", &s.types),
			parse(files, keysDir+prefix+".json", &s.keys),
		); err != nil {
			return nil, err
		}
		sources[prefix] = s
	}
	return sources, nil
}

func parse(files map[string][]byte, name string, into any) error {
	b, ok := files[name]
	if !ok {
		return fmt.Errorf("%s is missing", name)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// decode returns what the package tells, and fails on what it does not
// understand.
func decode(files map[string][]byte) (*data, error) {
	var info struct{ UpdatedAt time.Time }
	if err := parse(files, packageFile, &info); err != nil {
		return nil, err
	}
	if info.UpdatedAt.IsZero() {
		return nil, fmt.Errorf("%s: no date", packageFile)
	}
	sources, err := decodeSources(files)
	if err != nil {
		return nil, err
	}
	c := &data{date: info.UpdatedAt.UTC()}
	if c.globals, err = globals(files[globalsFile]); err != nil {
		return nil, err
	}
	for _, prefix := range slices.Sorted(maps.Keys(sources)) {
		s, err := convert(prefix, sources[prefix])
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", prefix, err)
		}
		c.services = append(c.services, s)
	}
	return c, nil
}

func convert(prefix string, from *source) (*service, error) {
	s := &service{prefix: prefix, name: from.name}
	for _, k := range sorted(from.keys) {
		s.keys = append(s.keys, key{placeholder(k.Key), k.Type})
	}
	sortKeys(s.keys)
	s.keys = slices.Compact(s.keys) // of two spellings of a variable part
	for _, t := range sorted(from.types) {
		keys, err := s.keyNames(t.ConditionKeys)
		if err != nil {
			return nil, fmt.Errorf("resource type %s: %w", t.Key, err)
		}
		s.types = append(s.types, resourceType{t.Key, strings.Split(t.ARN, ", "), keys})
	}
	for _, from := range sorted(from.actions) {
		a, err := s.action(from)
		if err != nil {
			return nil, fmt.Errorf("action %s: %w", from.Name, err)
		}
		s.actions = append(s.actions, a)
	}
	return s, s.check()
}

// sorted returns the values of a map in the order of its keys, the names in
// lower case.
func sorted[V any](m map[string]V) []V {
	vs := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		vs = append(vs, m[k])
	}
	return vs
}

func (s *service) action(from sourceAction) (action, error) {
	keys, err := s.keyNames(from.ConditionKeys)
	if err != nil {
		return action{}, err
	}
	level, err := accessLevel(from.AccessLevel)
	if err != nil {
		return action{}, err
	}
	a := action{name: from.Name, access: level, keys: keys}
	for _, t := range from.ResourceTypes {
		keys, err := s.keyNames(t.ConditionKeys)
		if err != nil {
			return action{}, fmt.Errorf("resource type %s: %w", t.Name, err)
		}
		i := slices.IndexFunc(s.types, func(have resourceType) bool { return strings.EqualFold(have.name, t.Name) })
		if i < 0 {
			return action{}, fmt.Errorf("unknown resource type %s", t.Name)
		}
		name := s.types[i].name
		// The package lists a few types twice for one action.
		if j := slices.IndexFunc(a.uses, func(u use) bool { return u.name == name }); j >= 0 {
			a.uses[j].required = a.uses[j].required || t.Required
			a.uses[j].keys = union(a.uses[j].keys, keys)
			continue
		}
		a.uses = append(a.uses, use{name: name, required: t.Required, keys: keys})
	}
	slices.SortFunc(a.uses, func(a, b use) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return a, nil
}

// accessLevel returns the one level of an action for which the package may list
// two: AWS's documentation calls tagging and permissions management by that
// name alone, and both are writing.
func accessLevel(levels string) (string, error) {
	switch levels {
	case "List", "Read", "Write", "Tagging", "Permissions management":
		return levels, nil
	case "Tagging, Write":
		return "Tagging", nil
	case "Permissions management, Write":
		return "Permissions management", nil
	}
	return "", fmt.Errorf("unknown access level %q", levels)
}

// placeholder spells the variable part of a condition key in one way; AWS's
// documentation has three.
func placeholder(key string) string {
	for _, other := range []string{"/<key>", "/tag-key"} {
		if before, ok := strings.CutSuffix(key, other); ok {
			return before + "/${TagKey}"
		}
	}
	return key
}

// keyNames returns the keys, sorted, as the service's own list spells them.
func (s *service) keyNames(keys []string) ([]string, error) {
	names := make([]string, 0, len(keys))
	for _, k := range keys {
		k = placeholder(k)
		i := slices.IndexFunc(s.keys, func(have key) bool { return strings.EqualFold(have.name, k) })
		if i < 0 {
			return nil, fmt.Errorf("unknown condition key %s", k)
		}
		names = append(names, s.keys[i].name)
	}
	return union(nil, names), nil
}

// union returns the elements of a and b, sorted, each once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// depend adds the dependent actions of an older version of the package. Actions
// and services that are gone since are left out.
func (c *data) depend(before map[string]*source) error {
	names := make(map[string]string) // by the name in lower case
	for name := range c.names() {
		names[strings.ToLower(name)] = name
	}
	now := func(actions []string) []string {
		known := make([]string, 0, len(actions))
		for _, a := range actions {
			if name, ok := names[strings.ToLower(a)]; ok {
				known = append(known, name)
			}
		}
		return known
	}
	found := 0
	for _, s := range c.services {
		old, ok := before[s.prefix]
		if !ok {
			continue
		}
		for i := range s.actions {
			a := &s.actions[i]
			from := old.actions[strings.ToLower(a.name)]
			a.dependent = union(nil, now(from.DependentActions))
			for _, t := range from.ResourceTypes {
				into := &a.dependent // of a type that the action has no longer
				if j := slices.IndexFunc(a.uses, func(u use) bool { return strings.EqualFold(u.name, t.Name) }); j >= 0 {
					into = &a.uses[j].dependent
				}
				*into = union(*into, now(t.DependentActions))
			}
			if len(a.dependent) > 0 || slices.ContainsFunc(a.uses, func(u use) bool { return len(u.dependent) > 0 }) {
				found++
			}
		}
	}
	if found == 0 {
		return errors.New("no dependent actions")
	}
	return nil
}

var globalKey = regexp.MustCompile(`\{\s*key: '([^']+)',\s*category: '[a-z]+',\s*type: '([A-Za-z]+)',`)

// globals returns the global condition keys, sorted, of the source text that
// lists them.
func globals(text []byte) ([]key, error) {
	var keys []key
	for _, m := range globalKey.FindAllSubmatch(text, -1) {
		keys = append(keys, key{placeholder(string(m[1])), string(m[2])})
	}
	if n := strings.Count(string(text), "category: '"); n == 0 || n != len(keys) {
		return nil, fmt.Errorf("%s: read %d of %d keys", globalsFile, len(keys), n)
	}
	sortKeys(keys)
	return keys, nil
}

func sortKeys(keys []key) {
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
}
