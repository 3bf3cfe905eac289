// SPDX-License-Identifier: Apache-2.0

// Package managed holds the current version of every AWS managed policy.
//
// Names, paths, versions, dates and documents are AWS's own, as collected by
// the npm package that policies.txt names. AWS publishes no list of the unique
// ids of these policies, nor does that package: except for the few ids known
// from AWS's own examples, they are derived from the ARN, so that they are
// stable and distinct but not AWS's. Descriptions are left out, being
// AWS's prose.
package managed

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:generate go run ../gen/managed

// arnPrefix begins the ARN of every policy here; its path and name follow.
const arnPrefix = "arn:aws:iam::aws:policy"

// summary lists the policies, one a line; see columns.
//
//go:embed policies.txt
var summary string

// blob holds the documents in the order of summary, deflated in blocks:
// uvarint number of blocks; for each block the uvarints number of documents
// and compressed length; then the compressed blocks.
//
//go:embed documents.bin
var blob []byte

// A Policy is an AWS managed policy in its current version. It is shared and
// must not be modified.
type Policy struct {
	ARN            string
	Name           string
	Path           string // begins and ends with a slash
	ID             string // ANPA…; see the package comment
	DefaultVersion string // the id of the current version, such as "v3"
	Created        time.Time
	Updated        time.Time // when the current version was made

	sum   string // first 16 hex digits of the document's SHA-256
	size  int    // bytes of the document
	start int    // of the document within its block
	block *block
}

// Document returns the JSON text of the current version. The first call for a
// policy may decompress some 100 KB, which stay in memory. It is safe for
// concurrent use.
func (p *Policy) Document() string { return p.block.text()[p.start : p.start+p.size] }

// ServiceLinked reports whether the policy is for service-linked roles only:
// AWS answers PolicyNotAttachable to attaching it to anything else.
func (p *Policy) ServiceLinked() bool { return strings.HasPrefix(p.Path, "/aws-service-role/") }

// Lookup returns the policy with the given ARN, compared exactly.
func Lookup(arn string) (*Policy, bool) {
	if !strings.HasPrefix(arn, arnPrefix) {
		return nil, false
	}
	p, ok := load().byARN[arn]
	return p, ok
}

// All returns every policy, sorted by name without regard to letter case; names
// are unique. The slice is shared and must not be modified. It decompresses
// no document.
func All() []*Policy { return load().sorted }

type index struct {
	sorted []*Policy
	byARN  map[string]*Policy
}

type block struct{ text func() string }

// load parses the embedded index. The embedded files are a pair made by one run
// of the generator, which a test verifies, so that a mismatch panics.
var load = sync.OnceValue(func() *index {
	x, err := parse(summary, blob)
	if err != nil {
		panic("managed: " + err.Error())
	}
	return x
})

func parse(summary string, blob []byte) (*index, error) {
	n := strings.Count(summary, "\n")
	x := &index{sorted: make([]*Policy, 0, n), byARN: make(map[string]*Policy, n)}
	for line := range strings.Lines(summary) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		p, err := parseLine(line)
		if err != nil {
			return nil, err
		}
		x.sorted = append(x.sorted, p)
		x.byARN[p.ARN] = p
	}
	if err := assign(x.sorted, blob); err != nil {
		return nil, err
	}
	return x, nil
}

// columns is the number of fields of a line of the summary: path and name, id,
// version, created, updated, document size, start of the document's SHA-256.
const columns = 7

func parseLine(line string) (*Policy, error) {
	f := strings.Fields(line)
	if len(f) != columns {
		return nil, fmt.Errorf("line %q has %d columns, want %d", line, len(f), columns)
	}
	created, err := time.Parse(time.RFC3339, f[3])
	if err != nil {
		return nil, err
	}
	updated, err := time.Parse(time.RFC3339, f[4])
	if err != nil {
		return nil, err
	}
	size, err := strconv.Atoi(f[5])
	if err != nil {
		return nil, err
	}
	slash := strings.LastIndexByte(f[0], '/') + 1
	return &Policy{
		ARN:  arnPrefix + f[0],
		Name: f[0][slash:], Path: f[0][:slash],
		ID: f[1], DefaultVersion: f[2],
		Created: created, Updated: updated,
		size: size, sum: f[6],
	}, nil
}

// assign gives each policy its place in the blob.
func assign(policies []*Policy, blob []byte) error {
	r := bytes.NewReader(blob)
	blocks, err := binary.ReadUvarint(r)
	if err != nil {
		return fmt.Errorf("block table: %w", err)
	}
	lengths := make([]int, 0, blocks)
	made := make([]*block, 0, blocks)
	next := 0
	for range blocks {
		docs, err := binary.ReadUvarint(r)
		if err != nil {
			return fmt.Errorf("block table: %w", err)
		}
		length, err := binary.ReadUvarint(r)
		if err != nil {
			return fmt.Errorf("block table: %w", err)
		}
		b, start := new(block), 0
		if uint64(len(policies)-next) < docs {
			return fmt.Errorf("more than %d documents", len(policies))
		}
		for _, p := range policies[next : next+int(docs)] {
			p.block, p.start = b, start
			start += p.size
		}
		next += int(docs)
		made, lengths = append(made, b), append(lengths, int(length))
	}
	if next != len(policies) {
		return fmt.Errorf("%d documents for %d policies", next, len(policies))
	}
	rest := blob[len(blob)-r.Len():]
	for i, b := range made {
		if len(rest) < lengths[i] {
			return fmt.Errorf("block %d is cut short", i)
		}
		packed := rest[:lengths[i]]
		rest = rest[lengths[i]:]
		b.text = sync.OnceValue(func() string { return inflate(packed) })
	}
	return nil
}

// inflate decompresses a block of the embedded file.
func inflate(packed []byte) string {
	var text strings.Builder
	text.Grow(5 * len(packed))
	if _, err := io.Copy(&text, flate.NewReader(bytes.NewReader(packed))); err != nil {
		panic("managed: " + err.Error())
	}
	return text.String()
}
