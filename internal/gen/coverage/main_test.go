// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPageIsCurrent compares the page with what is served now.
func TestPageIsCurrent(t *testing.T) {
	made := filepath.Join(t.TempDir(), "coverage.md")
	if err := run("../shapes/models", made); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/coverage.md is not what go generate ./internal/node writes")
	}
}

func TestEveryOperationHasOneEffect(t *testing.T) {
	const text = "iam\treal\tmade\tA B\niam\terror\tNope: never\tC\n"
	all := map[string][]string{"iam": {"A", "B", "C", "D"}}
	for _, test := range []struct {
		name, text string
		served     string
		want       string // in the page, or of the error
	}{
		{"served", text + "iam\treal\tx\tD\n", "iam:A", "| A | yes | made |\n| B | no | |\n"},
		{"without-an-effect", text + "iam\treal\tx\tD\n", "iam:C", "| iam:C | Nope: never |\n"},
		{"counted", text + "iam\treal\tx\tD\n", "iam:A iam:C", "| IAM | 4 | 2 | 1 |\n"},
		{"effect-missing", text, "iam:A", "effects.txt does not have iam:D"},
		{"effect-of-nothing", text + "iam\treal\tx\tD E\n", "", "effects.txt has iam:E"},
		{"served-and-in-no-model", text + "iam\treal\tx\tD\n", "iam:F", "a node serves iam:F"},
		{"effect-twice", text + "iam\treal\tx\tD A\n", "", "iam:A twice"},
		{"unknown-kind", "iam\tperhaps\tx\tA\n", "", "cannot read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			served := make(map[string]bool)
			for name := range strings.FieldsSeq(test.served) {
				served[name] = true
			}
			known, err := parse(test.text)
			var got []byte
			if err == nil {
				got, err = page(all, served, known)
			}
			if err != nil {
				got = []byte(err.Error())
			}
			if !strings.Contains(string(got), test.want) {
				t.Errorf("got %s\nwant %q", got, test.want)
			}
		})
	}
}
