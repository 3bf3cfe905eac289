// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

// members returns the members of an operation's input that may name a resource or a tag, in the form of
// models.txt.
func (m *model) members(prefix, operation string) []string {
	in := m.Shapes[m.Operations[operation].Input.Shape]
	words := vocabulary(prefix)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(in.Members)) {
		r := in.Members[name]
		if in.Payload != "" && r.Location == "" {
			continue // the body is one member, and what is in it another's
		}
		kind := m.kind(name, r)
		switch {
		case kind == "":
			continue
		case (kind == "s" || kind == "l") && r.Location != "uri" && !words.has(name):
			continue
		}
		out = append(out, name+m.wire(name, r)+kindText(kind)+place(r))
	}
	return out
}

var tagWords = regexp.MustCompile(`(?i)^(tags?|tag-?list|taglist|resourcetags?)$`)
var keyWords = regexp.MustCompile(`(?i)^(tagkeys?|tagkeylist|tags?toremove|tagstodelete)$`)

// kind says what a member holds: s a string, l strings, k tag keys, t(key|value) a list of tags, m a map
// of tags, "" anything else.
func (m *model) kind(name string, r ref) string {
	s := m.Shapes[r.Shape]
	switch {
	case s.Type == "string", r.Location == "uri":
		return "s"
	}
	switch s.Type {
	case "map":
		if tagWords.MatchString(name) && m.Shapes[s.Value.Shape].Type == "string" {
			return "m"
		}
	case "list":
		e := m.Shapes[s.Member.Shape]
		if e.Type == "string" && keyWords.MatchString(name) {
			return "k"
		}
		if e.Type == "string" {
			return "l"
		}
		if e.Type == "structure" && tagWords.MatchString(name) {
			return tagKind(e)
		}
	}
	return ""
}

// tagKind returns the kind of a list of tags of the given structure.
func tagKind(e shape) string {
	var key, value string
	for name, r := range e.Members {
		switch strings.TrimPrefix(strings.ToLower(name), "tag") {
		case "key":
			key = cmp.Or(r.LocationName, name)
		case "value":
			value = cmp.Or(r.LocationName, name)
		}
	}
	if key == "" || value == "" {
		return ""
	}
	return "t(" + key + "|" + value + ")"
}

func kindText(kind string) string {
	if kind == "s" {
		return ""
	}
	return ":" + kind
}

// place says where in the request a member is: u in the path, q in the query, h in a header.
func place(r ref) string {
	return map[string]string{"uri": "@u", "querystring": "@q", "header": "@h"}[r.Location]
}

// wire says what a member is called in the request, if that is not its name. For a list of the query
// protocol it is what comes before the numbers.
func (m *model) wire(name string, r ref) string {
	wire := cmp.Or(r.LocationName, name)
	s := m.Shapes[r.Shape]
	switch {
	case m.Metadata.Protocol == "ec2":
		wire = cmp.Or(r.QueryName, strings.ToUpper(wire[:1])+wire[1:])
	case m.queries() && s.Type == "list" && s.Flattened:
		wire = cmp.Or(s.Member.LocationName, wire)
	case m.queries() && s.Type == "list":
		wire += "." + cmp.Or(s.Member.LocationName, "member")
	}
	if wire == name {
		return ""
	}
	return "=" + wire
}

func (m *model) queries() bool {
	return m.Metadata.Protocol == "query" || slices.Contains(m.Metadata.Protocols, "query")
}

// A dictionary holds words without regard to letter case.
type dictionary map[string]bool

// vocabulary returns the words that may name a resource of a service: the variables of its ARNs and the
// names of its resource types.
func vocabulary(prefix string) dictionary {
	d := make(dictionary)
	s, _ := catalog.Lookup(prefix)
	for t := range s.ResourceTypes() {
		name := plain(t.Name)
		for _, suffix := range []string{"", "name", "id", "identifier"} {
			d[name+suffix] = true
		}
		for _, template := range t.ARNs {
			for _, v := range variable.FindAllStringSubmatch(template, -1) {
				d[plain(v[1])] = true
			}
		}
	}
	for _, always := range []string{"name", "id", "url", "qualifier", "queueurl", "resource", "resourceid", "role", "rule", "secretid", "keyid"} {
		d[always] = true
	}
	return d
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

func plain(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// has reports whether a member's name is one of the words, one of them in the plural, or an ARN's.
func (d dictionary) has(name string) bool {
	w := plain(name)
	if strings.HasSuffix(w, "arn") || strings.HasSuffix(w, "arns") {
		return true
	}
	return d[w] || d[strings.TrimSuffix(w, "s")] || d[strings.TrimSuffix(w, "list")]
}
