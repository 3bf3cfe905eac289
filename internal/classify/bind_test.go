// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

var update = flag.Bool("update", false, "write testdata anew")

// first are the services whose bindings were reviewed.
var first = []string{"dynamodb", "ecr", "events", "kinesis", "kms", "lambda", "logs", "monitoring", "secretsmanager", "sns", "sqs", "ssm"}

// TestEveryOperationIsBound decodes every model and binds every operation.
func TestEveryOperationIsBound(t *testing.T) {
	ops, bound, whole := 0, 0, 0
	for _, list := range models() {
		for _, m := range list {
			if _, ok := catalog.Lookup(m.prefix); !ok {
				t.Errorf("%s: the catalogue has no prefix %s", m.signing, m.prefix)
			}
			for _, op := range m.load().byName {
				ops++
				b := op.bound()
				if b == nil {
					continue
				}
				bound++
				if !slices.ContainsFunc(b.lines, func(l line) bool { return !l.whole }) {
					whole++
				}
			}
		}
	}
	t.Logf("%d operations, %d with an action, %d of them with all resources known", ops, bound, whole)
	if ops < 17_000 || bound < ops*19/20 || whole < bound/2 {
		t.Errorf("%d operations, %d with an action, %d of them with all resources known", ops, bound, whole)
	}
}

// TestBindingsOfTheFirstServices compares what the operations of the first services need with what was reviewed.
func TestBindingsOfTheFirstServices(t *testing.T) {
	var got bytes.Buffer
	for _, signing := range first {
		for _, m := range modelsOf(signing) {
			ops := m.load().byName
			for _, name := range slices.Sorted(maps.Keys(ops)) {
				b := ops[name].bound()
				if b == nil {
					fmt.Fprintf(&got, "%s %s refused\n", signing, name)
					continue
				}
				for _, l := range b.lines {
					fmt.Fprintf(&got, "%s %s %s\n", signing, name, describe(&l))
				}
			}
		}
	}
	file := filepath.Join("testdata", "bindings.golden")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the bindings are not those of %s: run with -update and review the difference", file)
	}
}

func describe(l *line) string {
	action := "statement"
	if l.action != nil {
		action = l.prefix + ":" + l.action.Name
	}
	out := []string{action}
	for _, alts := range l.terms {
		var terms []string
		for _, one := range alts.terms {
			var paths []string
			for _, p := range one.paths {
				var steps []string
				for _, s := range p {
					steps = append(steps, s.name+map[bool]string{true: "[]"}[s.each]+map[bool]string{true: "{}"}[s.keys])
				}
				paths = append(paths, strings.Join(steps, "."))
			}
			_, kind, _ := strings.Cut(one.form, " ")
			if one.kind != "type" {
				kind = one.kind
			}
			terms = append(terms, kind+"("+strings.Join(paths, ",")+")")
		}
		out = append(out, strings.Join(terms, "|")+map[bool]string{true: "?"}[alts.optional])
	}
	if !l.whole || l.suggested && len(l.terms) == 0 {
		out = append(out, "*")
	}
	return strings.Join(out, " ")
}

// TestReviewedOperationsExist finds lines of bindings.txt that nothing uses.
func TestReviewedOperationsExist(t *testing.T) {
	known := make(map[string]bool)
	for _, list := range models() {
		for _, m := range list {
			for name := range m.load().byName {
				known[m.prefix+" "+name] = true
			}
		}
	}
	for name := range lines() {
		if !known[name] {
			t.Errorf("bindings.txt: no operation %s", name)
		}
	}
}
