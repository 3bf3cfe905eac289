// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"net/http"
	"slices"
	"strings"
)

// A template is the URI of an operation of the REST protocols, "/functions/{Name}/versions?find=it". A label stands
// for one segment, a greedy one, "{Name+}", for one or more.
type template struct {
	segments []segment
	query    []string // literals, "name" or "name=value"
	slash    bool     // it ends in "/"
}

type segment struct {
	text   string // literal, or the name of the label
	label  bool
	greedy bool
}

func parseTemplate(uri string) template {
	path, query, _ := strings.Cut(uri, "?")
	var t template
	if query != "" {
		t.query = strings.Split(query, "&")
	}
	path = strings.TrimPrefix(path, "/")
	if p, ok := strings.CutSuffix(path, "/"); ok {
		path, t.slash = p, true
	}
	if path == "" {
		return t
	}
	for piece := range strings.SplitSeq(path, "/") {
		s := segment{text: piece}
		if name, ok := strings.CutPrefix(piece, "{"); ok {
			s.text, s.label = strings.TrimSuffix(name, "}"), true
			s.text, s.greedy = strings.CutSuffix(s.text, "+")
		}
		t.segments = append(t.segments, s)
	}
	return t
}

// labels are what the path of a request says, by the name of the label.
type labels map[string]string

// match returns the labels of a path of decoded segments.
func (t *template) match(path []string) (labels, bool) {
	l := make(labels)
	for i, s := range t.segments {
		left := len(t.segments) - i - 1
		switch {
		case s.greedy && len(path) > left:
			n := len(path) - left
			l[s.text] = strings.Join(path[:n], "/")
			path = path[n:]
		case len(path) == 0, s.greedy, !s.label && s.text != path[0]:
			return nil, false
		default:
			if s.label {
				l[s.text] = path[0]
			}
			path = path[1:]
		}
	}
	return l, len(path) == 0
}

// asked reports whether a query string has all of the template's literals.
func (t *template) asked(query parameters) bool {
	for _, want := range t.query {
		name, value, _ := strings.Cut(want, "=")
		if !slices.ContainsFunc(query, func(p parameter) bool { return p.name == name && (value == "" || p.value == value) }) {
			return false
		}
	}
	return true
}

// beats reports whether t is the more specific of two templates that match one request: the one with a literal
// where the other first has a label, or with more of the query (Smithy, "HTTP bindings", specificity routing).
func (t *template) beats(u *template) bool {
	for i := range min(len(t.segments), len(u.segments)) {
		a, b := t.segments[i], u.segments[i]
		if a.label != b.label || a.greedy != b.greedy {
			return !a.label || b.greedy && !a.greedy
		}
	}
	return len(t.query) > len(u.query)
}

// routeREST finds the operation by method and path. A path that a server would take for another operation's if it
// decoded the path before it cut it is refused.
func (c *call) routeREST() error {
	if _, ok := c.Header[smithyHeader]; ok {
		return fail(Malformed, "%s is not for this service", smithyHeader)
	}
	var err error
	if c.query, err = parseParameters(c.Query); err != nil {
		return err
	}
	exact, decoded, err := cutPath(c.Path)
	if err != nil {
		return err
	}
	op, m, l := c.lookup(exact)
	if op == nil {
		return fail(Unknown, "no operation has the address %s %s", clip(c.Method), clip(c.Path))
	}
	if len(exact) != len(decoded) {
		if other, _, _ := c.lookup(decoded); other != nil && other != op {
			return fail(Malformed, "the path is that of %s, and once decoded that of %s", op.name, other.name)
		}
	}
	c.protocol, c.model, c.op, c.labels = m.protocols[0], m, op, l
	return nil
}

// cutPath returns the segments of a path: decoded after cutting and before. Empty ones, those of one or two dots, and
// what would be decoded twice are errors.
func cutPath(path string) (exact, decoded []string, err error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || strings.Contains(path, "//") {
		return nil, nil, fail(Malformed, "the path does not begin with one /, or has an empty segment")
	}
	rest = strings.TrimSuffix(rest, "/")
	if rest == "" {
		return nil, nil, nil
	}
	for raw := range strings.SplitSeq(rest, "/") {
		s, ok := unescape(raw, false)
		if !ok || strings.ContainsAny(s, "%\\?#;") {
			return nil, nil, fail(Malformed, "the path has the segment %q", clip(raw))
		}
		exact = append(exact, s)
		for piece := range strings.SplitSeq(s, "/") {
			if piece == "" || piece == "." || piece == ".." {
				return nil, nil, fail(Malformed, "the path has the segment %q", clip(piece))
			}
			decoded = append(decoded, piece)
		}
	}
	return exact, decoded, nil
}

// lookup returns the most specific operation with an address, its model and its labels; nil when there is none.
func (c *call) lookup(path []string) (best *operation, of *model, l labels) {
	method := c.Method
	for _, m := range modelsOf(c.Service) {
		if !m.rest() {
			continue
		}
		for _, op := range m.load().routes {
			if op.method != method || best != nil && !op.uri.beats(&best.uri) {
				continue
			}
			if found, ok := op.uri.match(path); ok && op.uri.asked(c.query) {
				best, of, l = op, m, found
			}
		}
	}
	return best, of, l
}

// ProtocolOf returns the protocol that a request to a service seems to be in, for errors about one that cannot be
// classified.
func ProtocolOf(signing string, h http.Header) Protocol {
	_, json := h[targetHeader]
	_, smithy := h[smithyHeader]
	all := modelsOf(signing)
	switch {
	case smithy:
		return CBOR
	case json:
		return JSON
	case len(all) == 0:
		return Query
	case all[0].rest() || all[0].protocols[0] == EC2:
		return all[0].protocols[0]
	case slices.Contains(all[0].protocols, Query):
		return Query
	}
	return JSON
}

// member returns a member of the input of any protocol.
func (c *call) member(name string) (node, error) {
	m, ok := c.op.member(name)
	switch {
	case ok && (c.protocol == Query || c.protocol == EC2):
		return c.formMember(m)
	case !c.model.rest():
		return c.input.get(name)
	case !ok:
		return node{}, nil
	}
	switch m.place {
	case 'u':
		return scalarNode(c.labels[m.wire]), nil
	case 'h':
		return c.headerMember(m)
	case 'q':
		return c.queryMember(m)
	}
	return c.bodyMember(m)
}

// formMember returns a member of a form, whose name there may be that of a list and of what the list has its elements
// in: "AlarmNames.member".
func (c *call) formMember(m member) (node, error) {
	first, rest, nested := strings.Cut(m.wire, ".")
	n, err := c.input.get(first)
	if err != nil || n.kind == absent || n.kind == text && n.text == "" {
		return node{}, err
	}
	if !nested {
		return n, nil
	}
	if n.kind != object || len(n.kids) != 1 {
		return node{}, fail(Malformed, "parameter %s has more than %s", first, m.wire)
	}
	return n.get(rest)
}

func scalarNode(s string) node {
	if s == "" {
		return node{}
	}
	return node{kind: text, text: s}
}

func (c *call) headerMember(m member) (node, error) {
	values := c.Header[http.CanonicalHeaderKey(m.wire)]
	if len(values) > 1 {
		return node{}, fail(Malformed, "header %s is given twice", m.wire)
	}
	return scalarNode(strings.Join(values, "")), nil
}

// queryMember returns a member that is in the query string, where a list is a parameter that is repeated.
func (c *call) queryMember(m member) (node, error) {
	n := node{kind: list}
	for _, p := range c.query {
		if p.name == m.wire {
			n.kids = append(n.kids, child{node: node{kind: text, text: p.value}})
		} else if strings.EqualFold(p.name, m.wire) {
			return n, fail(Malformed, "parameter %s is spelt %q", m.wire, clip(p.name))
		}
	}
	switch {
	case len(n.kids) == 0:
		return node{}, nil
	case m.kind == "l" || m.kind == "k":
		return n, nil
	case len(n.kids) > 1:
		return n, fail(Malformed, "parameter %s is given twice", m.wire)
	}
	return n.kids[0].node, nil
}

// bodyMember returns a member that is in the body, which must then be JSON.
func (c *call) bodyMember(m member) (node, error) {
	if c.protocol != RESTJSON {
		return node{}, fail(Unknown, "what member %s says is in a body that is not read", m.name)
	}
	if !c.readBody {
		c.input = node{kind: object}
		if len(c.Body) > 0 {
			if t := c.media(); t != "" && t != "application/json" && t != "application/x-amz-json-1.1" && t != "application/x-amz-json-1.0" {
				return node{}, fail(Malformed, "Content-Type is %q, not application/json", clip(t))
			}
			n, err := parseJSON(c.Body)
			if err != nil {
				return node{}, err
			}
			if n.kind != object {
				return node{}, fail(Malformed, "the body is not an object")
			}
			c.input = n
		}
		c.readBody = true
	}
	return c.input.get(m.wire)
}
