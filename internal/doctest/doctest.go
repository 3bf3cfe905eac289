// SPDX-License-Identifier: Apache-2.0

// Package doctest runs the console blocks of a page as they are printed.
//
// A block fenced as console holds commands after the prompt "$ ", each with
// what it prints below it. The blocks of a page share one shell and one new
// folder. "…" or "[..]" in printed output stands for any text, and alone on a
// line for any lines. A command that fails must print something, which the
// page must show. A comment above a block changes what is done with it:
//
//	<!-- doctest: server -->       start the command, wait for the output, leave it running
//	<!-- doctest: file NAME -->    write the block, of any language, to NAME
//	<!-- doctest: skip REASON -->  do not run it; Env.Skips must expect that
//
// With -update the output that differs is written into the page.
package doctest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the commands print into the pages")

// An Env is what the commands of a page find. Its zero value runs them with
// this process's environment.
type Env struct {
	// Vars are added to the environment, "NAME=value" each.
	Vars []string

	// Rewrite holds pairs of what a page says and what it means here, such as
	// an address: the first is replaced by the second in commands and files,
	// the second by the first in what they print.
	Rewrite []string

	// Server returns the command that a server block really runs. It must
	// become the server itself, so that ending it ends the server. Nil means the
	// command as printed.
	Server func(command string) string

	// Skips are the reasons of the page's skipped blocks, in order.
	Skips []string

	// Timeout limits each command and the start of a server; 0 means a minute.
	Timeout time.Duration
}

// Run runs the page at file. Each block is a subtest, which the ones after it
// depend on.
func Run(t *testing.T, file string, env Env) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := parse(string(data))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var skips []string
	for _, b := range blocks {
		if b.kind == kindSkip {
			skips = append(skips, b.arg)
		}
	}
	if !slices.Equal(skips, env.Skips) {
		t.Errorf("%s: skipped blocks %q, want %q", file, skips, env.Skips)
	}
	if len(skips) == len(blocks) {
		return
	}

	r := newRunner(t, file, env)
	for _, b := range blocks {
		if b.kind != kindSkip && !r.run(t, b) {
			break // later commands would only repeat the failure
		}
	}
	if *update && len(r.edits) > 0 {
		if err := os.WriteFile(file, []byte(apply(string(data), r.edits)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// An edit replaces the output of a command in a page.
type edit struct {
	command command
	got     []string
}

// apply returns page with the output of each edited command replaced.
func apply(page string, edits []edit) string {
	lines := strings.Split(page, "\n")
	for _, e := range slices.Backward(edits) {
		lines = slices.Replace(lines, e.command.end-len(e.command.want), e.command.end, merge(e.command.want, e.got)...)
	}
	return strings.Join(lines, "\n")
}

// write writes a file block.
func (r *runner) write(t *testing.T, b block) {
	name := filepath.Join(r.dir, b.arg)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	text := r.mean.Replace(strings.Join(b.text, "\n") + "\n")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
