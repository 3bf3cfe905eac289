// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the list of fuzz targets anew")

// root is the repository, seen from this package's folder.
var root = filepath.Join("..", "..")

func TestHouseRules(t *testing.T) {
	sources, err := load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(sources.goFiles) == 0 {
		t.Fatal("no Go file found: the rules would hold for nothing")
	}
	if *update {
		sources.texts[fuzzList] = strings.Join(slices.Sorted(maps.Keys(fuzzers(sources))), "\n") + "\n"
		if err := os.WriteFile(filepath.Join(root, fuzzList), []byte(sources.texts[fuzzList]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { r.check(sources, t.Errorf) })
	}
}

const (
	licence = "// SPDX-License-Identifier: Apache-2.0\n\n"
	machine = "/" + "root" + "/" // apart, so that this file does not break the rule it tests
)

// fixtures holds, for each rule, trees that break it and what the rule then
// says: one line each, in order. A tree is file name and text by turns.
var fixtures = []struct {
	rule, name string
	files      []string
	want       string
}{
	{"imports", "a-package-nobody-listed",
		[]string{"internal/minibar/bar.go", "package minibar\n"},
		"internal/minibar: the package is not in the list"},
	{"imports", "a-package-at-the-root",
		[]string{"innkeeper.go", "package innkeeper\n"},
		".: the package is not in the list"},
	{"imports", "store-imports-awserr",
		[]string{"internal/store/a.go", "package store\nimport _ \"" + module + "/internal/awserr\"\n"},
		"internal/store/a.go:2: internal/store may not import internal/awserr"},
	{"imports", "engine-outside-node",
		[]string{"internal/store/a.go", "package store\nimport _ \"go.etcd.io/bbolt\"\n"},
		"internal/store/a.go:2: internal/store may not import go.etcd.io/bbolt"},
	{"imports", "a-neighbour-with-the-same-prefix",
		[]string{"internal/kv/boltkv/a.go", "package boltkv\nimport _ \"go.etcd.io/bboltx\"\n"},
		"internal/kv/boltkv/a.go:2: internal/kv/boltkv may not import go.etcd.io/bboltx"},
	{"imports", "production-imports-a-generator",
		[]string{"internal/wire/a.go", "package wire\nimport _ \"" + module + "/internal/gen/shapes\"\n"},
		"internal/wire/a.go:2: internal/wire may not import the generator internal/gen/shapes"},
	{"imports", "what-is-allowed",
		[]string{
			"internal/node/a.go", "package node\nimport _ \"github.com/prometheus/client_golang/prometheus/promhttp\"\n",
			"internal/gen/shapes/main.go", "package main\nimport _ \"example.com/anything\"\n",
			"test/go.mod", "module x\n", "test/sdk/a.go", "package sdk\nimport _ \"example.com/anything\"\n",
			"policy/a_test.go", "package policy\nimport _ \"example.com/anything\"\n",
		}, ""},
	{"list", "a-package-that-is-gone", everyPackageBut("internal/kv/boltkv"),
		"internal/kv/boltkv: the list has a package that does not exist"},
	{"libraries", "a-foreign-module-in-arn",
		[]string{"arn/a.go", "package arn\nimport _ \"golang.org/x/text\"\n"},
		"arn/a.go:2: arn is a library and may not import golang.org/x/text"},
	{"libraries", "an-internal-package-in-policy",
		[]string{"policy/a.go", "package policy\nimport _ \"" + module + "/internal/ids\"\n"},
		"policy/a.go:2: policy is a library and may not import " + module + "/internal/ids"},
	{"purity", "policy-reads-a-file-and-the-clock",
		[]string{"policy/a.go", "package policy\nimport (\"os\"; \"time\")\nvar _ = os.Args\nvar _ = time.Now()\n"},
		"policy/a.go:2: policy is pure and may not import os\npolicy/a.go:4: policy is pure and may not use time.Now"},
	{"purity", "arn-starts-a-goroutine",
		[]string{"arn/a.go", "package arn\nfunc f() { go f() }\n"},
		"arn/a.go:2: arn is pure and may not start a goroutine"},
	{"testing", "production-imports-testing",
		[]string{"internal/ids/a.go", "package ids\nimport _ \"testing\"\n"},
		"internal/ids/a.go:2: production code may not import testing"},
	{"testing", "an-access-test-library-is-production",
		[]string{"policy/policytest/a.go", "package policytest\nimport _ \"testing/fstest\"\n"},
		"policy/policytest/a.go:2: production code may not import testing/fstest"},
	{"testing", "production-imports-the-test-node",
		[]string{"internal/cli/a.go", "package cli\nimport _ \"" + module + "/internal/iamtest\"\n"},
		"internal/cli/a.go:2: only tests may import internal/iamtest"},
	{"testing", "the-test-node-may",
		[]string{"internal/iamtest/a.go", "package iamtest\nimport _ \"testing\"\n"}, ""},
	{"comments", "none",
		[]string{"arn/a.go", licence + "package arn\n", "arn/b.go", "// Names.\npackage arn\n"},
		"arn: no comment says what the package is"},
	{"comments", "in-one-file",
		[]string{"arn/a.go", "package arn\n", "arn/b.go", licence + "// Package arn parses names.\npackage arn\n"}, ""},
	{"names", "a-folder",
		[]string{"internal/utils/clock/a.go", "package clock\n"},
		`internal/utils/clock: "utils" does not say what is in it`},
	{"names", "a-package-clause",
		[]string{"internal/wire/a.go", "package types\n"},
		`internal/wire: "types" does not say what is in it`},
	{"header", "missing-and-without-the-blank-line",
		[]string{"arn/a.go", "package arn\n", "arn/b.go", strings.TrimSuffix(licence, "\n") + "package arn\n"},
		"arn/a.go: does not start with the licence line and a blank one\n" +
			"arn/b.go: does not start with the licence line and a blank one"},
	{"file-budget", "one-line-too-many",
		[]string{"arn/a.go", "package arn\n" + strings.Repeat("//\n", maxFileLines)},
		"arn/a.go: 601 lines, at most 600"},
	{"file-budget", "generated",
		[]string{"arn/a.go", "// Code generated by x. DO NOT EDIT.\npackage arn\n" + strings.Repeat("//\n", maxFileLines)}, ""},
	{"function-budget", "one-line-too-many",
		[]string{"arn/a_test.go", "package arn\nfunc f() {" + strings.Repeat("\n", maxFuncLines) + "}\n"},
		"arn/a_test.go:2: f has 101 lines, at most 100"},
	{"package-budget", "tests-and-generated-files-do-not-count",
		[]string{
			"arn/a.go", "package arn\n" + strings.Repeat("//\n", maxPackageLines),
			"arn/a_test.go", "package arn\n", "arn/b.go", "// Code generated by x. DO NOT EDIT.\npackage arn\n",
		}, "arn: 5001 lines, at most 5000"},
	{"interface-budget", "embedding-hides-nothing",
		[]string{"arn/a.go", "package arn\ntype A interface { F(); G(); H(); I() }\ntype B interface { A; J(); K(); L(); M(); error }\n"},
		"arn/a.go:3: B has 9 methods, at most 8"},
	{"main-budget", "one-line-too-many",
		[]string{"cmd/innkeeper/main.go", "package main\n" + strings.Repeat("//\n", maxMainLines)},
		"cmd/innkeeper/main.go: 41 lines, at most 40"},
	{"makefile", "eleven-targets",
		[]string{"Makefile", "GO := go\n" + strings.Repeat("a: b\n\tx\n", maxMakefileGoals+1)},
		"Makefile: 11 targets, at most 10"},
	{"replace", "in-the-main-module",
		[]string{"go.mod", "module x\n\nreplace a => b\n"},
		"go.mod: the main module may not replace another"},
	{"replace", "in-a-nested-module",
		[]string{"go.mod", "module x\n", "test/go.mod", "replace x => ../\n"}, ""},
	{"machine-paths", "in-a-page",
		[]string{"docs/a.md", "one\ntwo `" + machine + "x`\n", "docs/b.md", "a" + machine + "is fine\n"},
		"docs/a.md:2: names the path " + machine + " of one machine"},
	{"links", "to-a-page-that-moved",
		[]string{
			"docs/a.md", "[b](b.md) [c](../c/d.txt#x) [e](https://example.com/e) [f](#f) [c](../c)\n", "c/d.txt", "d\n",
		}, "docs/a.md: links to b.md, which is not there"},
	{"fuzz-targets", "one-forgotten-one-lost",
		[]string{
			"arn/a_test.go", "package arn\nfunc FuzzParse(f *testing.F) {}\nfunc FuzzMatch(f *testing.F) {}\n",
			fuzzList, "arn FuzzGone\narn FuzzMatch\n",
		},
		fuzzList + ": does not list arn FuzzParse\n" + fuzzList + ": lists arn FuzzGone, which does not exist"},
}

// everyPackageBut returns a tree of all the packages of the list but one.
func everyPackageBut(gone string) (files []string) {
	for pkg := range allowed {
		if pkg != gone {
			files = append(files, pkg+"/a.go", "package a\n")
		}
	}
	return files
}

func TestEachRuleCatchesItsFixtures(t *testing.T) {
	caught := map[string]bool{}
	for _, tt := range fixtures {
		t.Run(tt.rule+"/"+tt.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for i := 0; i < len(tt.files); i += 2 {
				files[tt.files[i]] = &fstest.MapFile{Data: []byte(tt.files[i+1])}
			}
			sources, err := load(files)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rules {
				if r.name == tt.rule {
					r.check(sources, func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) })
				}
			}
			if got := strings.Join(got, "\n"); got != tt.want {
				t.Errorf("%s reports\n%s\nwant\n%s", tt.rule, got, tt.want)
			}
			caught[tt.rule] = caught[tt.rule] || tt.want != "" && len(got) > 0
		})
	}
	for _, r := range rules {
		if !caught[r.name] {
			t.Errorf("rule %s: no fixture shows that it can fail", r.name)
		}
	}
}
