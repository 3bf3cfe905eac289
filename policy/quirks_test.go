// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestQuirks checks that every quirk that the code cites is listed in
// docs/quirks.md, and that every listed one is cited by code and by a test: a Go
// test or a case of the corpus.
func TestQuirks(t *testing.T) {
	doc, err := os.ReadFile("../docs/quirks.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\*\*(Q\d{3}): `).FindAllStringSubmatch(string(doc), -1) {
		if listed[m[1]] {
			t.Errorf("%s is listed twice", m[1])
		}
		listed[m[1]] = true
	}
	if len(listed) < 20 {
		t.Fatalf("quirks.md lists %d quirks", len(listed))
	}
	cited, tested := make(map[string]string), make(map[string]string)
	inCode, inTest := regexp.MustCompile(`quirk (Q\d{3})\b`), regexp.MustCompile(`\b(Q\d{3})\b`)
	err = fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != ".":
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		test := strings.HasSuffix(name, "_test.go") && name != "policy/quirks_test.go" || path.Dir(name) == "policy/testdata/corpus"
		if !test && path.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile("../" + name)
		if err != nil {
			return err
		}
		into, pattern := cited, inCode
		if test {
			into, pattern = tested, inTest
		}
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			into[m[1]] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(cited)) {
		if !listed[id] {
			t.Errorf("%s cites quirk %s, which docs/quirks.md does not list", cited[id], id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(listed)) {
		if cited[id] == "" {
			t.Errorf("no code cites quirk %s", id)
		}
		if tested[id] == "" {
			t.Errorf("no test names quirk %s", id)
		}
	}
}
