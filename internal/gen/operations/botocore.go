// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

// version is the botocore that models.txt was made from.
const version = "1.43.11"

// What is read of a model, in botocore's form.
type (
	model struct {
		Metadata   metadata
		Operations map[string]operation
		Shapes     map[string]shape
	}
	metadata struct {
		APIVersion, EndpointPrefix, SigningName, Protocol, TargetPrefix, SignatureVersion string
		Protocols                                                                         []string
	}
	operation struct {
		HTTP  struct{ Method, RequestURI string }
		Input ref
	}
	ref struct{ Shape, Location, LocationName, QueryName string }
	// A shape is a structure, a list, a map or a value.
	shape struct {
		Type      string
		Members   map[string]ref
		Member    ref
		Key       ref
		Value     ref
		Payload   string
		Flattened bool
	}
)

func (m *model) signing() string { return cmp.Or(m.Metadata.SigningName, m.Metadata.EndpointPrefix) }

// left are the services that are not classified, because innkeeper answers or judges them elsewhere.
var left = map[string]bool{"s3": true, "s3control": true, "s3tables": true, "s3vectors": true, "s3outposts": true, "iam": true, "sts": true, "organizations": true}

// protocols are AWS's names of those that are spoken, and ours.
var protocols = map[string]string{
	"query": "query", "ec2": "ec2", "json": "json", "rest-json": "rest-json", "rest-xml": "rest-xml", "smithy-rpc-v2-cbor": "cbor",
}

// old has the protocol that a service takes from older clients although its model no longer says so.
var old = map[string]string{"sqs": "query"}

// refresh returns models.txt made from botocore's data folder.
func refresh(data fs.FS) ([]byte, error) {
	all, err := load(data)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# SPDX-License-Identifier: Apache-2.0\n"+
		"# Trimmed from botocore %s by internal/gen/operations. The form is that which package classify describes.\n", version)
	seen := make(map[string]bool)
	for _, m := range all {
		prefix, ok := prefixOf(m)
		if !ok {
			log.Printf("left out: %s (%d operations): no action prefix has its operations", m.signing(), len(m.Operations))
			continue
		}
		m.write(&out, prefix, seen)
	}
	return out.Bytes(), nil
}

// load returns the newest model of every service, by signing name, those with the most operations first.
func load(data fs.FS) ([]*model, error) {
	dirs, err := fs.ReadDir(data, ".")
	if err != nil {
		return nil, err
	}
	var all []*model
	for _, d := range dirs {
		files, _ := fs.Glob(data, path.Join(d.Name(), "*", "service-2.json.gz"))
		if len(files) == 0 || left[d.Name()] {
			continue
		}
		m, err := read(data, slices.Max(files))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name(), err)
		}
		if !strings.HasPrefix(m.Metadata.SignatureVersion, "v4") && m.Metadata.SignatureVersion != "" {
			continue
		}
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(a, b *model) int {
		return cmp.Or(cmp.Compare(a.signing(), b.signing()), len(b.Operations)-len(a.Operations))
	})
	return all, nil
}

func read(data fs.FS, name string) (*model, error) {
	f, err := data.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	m := new(model)
	return m, json.Unmarshal(text, m)
}

// prefixOf returns the prefix of the actions that most of the operations are, if that is at least four of
// five; the signing name and the endpoint's first when several are as good.
func prefixOf(m *model) (string, bool) {
	best, most := "", 0
	count := func(s *catalog.Service) {
		n := 0
		for op := range m.Operations {
			if _, ok := s.Action(op); ok {
				n++
			}
		}
		if n > most {
			best, most = s.Prefix, n
		}
	}
	for _, first := range []string{m.signing(), m.Metadata.EndpointPrefix} {
		if s, ok := catalog.Lookup(first); ok {
			count(s)
		}
	}
	if most*5 < len(m.Operations)*4 {
		for s := range catalog.Services() {
			count(s)
		}
	}
	return best, most*5 >= len(m.Operations)*4
}

// write appends the paragraph of a model. seen holds the addresses that were written before: of models
// that share their address the first one counts.
func (m *model) write(out *bytes.Buffer, prefix string, seen map[string]bool) {
	spoken := cmp.Or(strings.Join(m.Metadata.Protocols, " "), m.Metadata.Protocol)
	var names []string
	for p := range strings.FieldsSeq(spoken) {
		if ours, ok := protocols[p]; ok {
			names = append(names, ours)
		}
	}
	if extra, ok := old[m.signing()]; ok {
		names = append(names, extra)
	}
	slices.Sort(names)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
		address := strings.Join([]string{m.signing(), m.Metadata.TargetPrefix, m.Metadata.APIVersion, name}, " ")
		line := name + "\t"
		if strings.HasPrefix(names[0], "rest-") {
			h := m.Operations[name].HTTP
			address = strings.Join([]string{m.signing(), h.Method, h.RequestURI}, " ")
			line += h.Method + " " + h.RequestURI
		}
		if seen[address] {
			continue
		}
		seen[address] = true
		lines = append(lines, line+"\t"+strings.Join(m.members(prefix, name), ","))
	}
	if len(lines) > 0 {
		fmt.Fprintf(out, "\n%s %s %s %s %s\n%s\n", m.signing(), prefix, strings.Join(names, ","),
			cmp.Or(m.Metadata.TargetPrefix, "-"), m.Metadata.APIVersion, strings.Join(lines, "\n"))
	}
}
