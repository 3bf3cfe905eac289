// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ../gen/operations

// index has a line for each model, in the order of the packed texts: signing name, action prefix, protocols,
// target prefix, version, bytes of text, packed.
//
//go:embed services.txt
var index string

// packed has the operations of the models, deflated one model by one. An operation is a line of three fields between
// tabs: its name; method and URI template, of REST services; and the members, between commas, that may name a
// resource or a tag. A member is
//
//	NAME [=WIRE] [:KIND] [@PLACE]
//
// WIRE is what the request calls it if not by its name: in Query and REST requests alone. KIND is s for a string (not
// written), l for strings, k for tag keys, t(KEY|VALUE) for tags and m for a map of tags. PLACE is u for the path, q
// for the query string, h for a header, and not written for the body.
//
//go:embed operations.bin
var packed string

// A Protocol is one of AWS's protocols.
type Protocol string

// The protocols.
const (
	Query    Protocol = "query"
	EC2      Protocol = "ec2"
	JSON     Protocol = "json"
	CBOR     Protocol = "cbor"
	RESTJSON Protocol = "rest-json"
	RESTXML  Protocol = "rest-xml"
)

type (
	// A model is one API of a service.
	model struct {
		signing, prefix string
		protocols       []Protocol
		target, version string
		load            func() *operations
	}
	operations struct {
		byName map[string]*operation
		routes []*operation // of REST
	}
	operation struct {
		name    string
		method  string
		uri     template
		members []member
		bound   func() *binding // see bind
	}
	member struct {
		name, wire string
		kind       string // s, l, k, t or m
		key, value string // what a tag is made of
		place      byte   // u, q, h, or 0
	}
)

func (m *model) rest() bool { return m.protocols[0] == RESTJSON || m.protocols[0] == RESTXML }

// models reads the embedded index. The embedded files are a pair made by one run of the generator, so that a
// mismatch panics; a test reads them all.
var models = sync.OnceValue(func() map[string][]*model {
	all := make(map[string][]*model)
	rest := packed
	for line := range strings.Lines(index) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		m := &model{signing: f[0], prefix: f[1], target: f[3], version: f[4]}
		for p := range strings.SplitSeq(f[2], ",") {
			m.protocols = append(m.protocols, Protocol(p))
		}
		n, err := strconv.Atoi(f[6])
		if err != nil {
			panic("classify: " + line)
		}
		text := rest[:n]
		rest = rest[n:]
		m.load = sync.OnceValue(func() *operations { return m.decode(text, f[5]) })
		all[m.signing] = append(all[m.signing], m)
	}
	return all
})

func modelsOf(signing string) []*model { return models()[signing] }

func (m *model) decode(packed, size string) *operations {
	text, err := io.ReadAll(flate.NewReader(strings.NewReader(packed)))
	if err != nil || strconv.Itoa(len(text)) != size {
		panic(fmt.Sprintf("classify: %s: %d bytes of %s: %v", m.signing, len(text), size, err))
	}
	out := &operations{byName: make(map[string]*operation)}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		op := &operation{name: f[0]}
		if method, uri, ok := strings.Cut(f[1], " "); ok {
			op.method, op.uri = method, parseTemplate(uri)
			out.routes = append(out.routes, op)
		}
		if f[2] != "" {
			for text := range strings.SplitSeq(f[2], ",") {
				op.members = append(op.members, parseMember(text))
			}
		}
		op.bound = sync.OnceValue(func() *binding { return bind(m, op) })
		out.byName[op.name] = op
	}
	return out
}

func parseMember(text string) member {
	m := member{kind: "s"}
	text, place, ok := strings.Cut(text, "@")
	if ok {
		m.place = place[0]
	}
	text, kind, ok := strings.Cut(text, ":")
	if ok {
		m.kind = kind[:1]
		m.key, m.value, _ = strings.Cut(strings.Trim(kind[1:], "()"), "|")
	}
	m.name, m.wire, ok = strings.Cut(text, "=")
	if !ok {
		m.wire = m.name
	}
	return m
}

// member returns the member of the given name.
func (o *operation) member(name string) (member, bool) {
	i := slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
	if i < 0 {
		return member{}, false
	}
	return o.members[i], true
}
