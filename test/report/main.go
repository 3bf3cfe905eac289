// SPDX-License-Identifier: Apache-2.0

// Command report turns the events of go test -json into go test's plain
// output, lists what was skipped and why, and appends "passed failed skipped"
// to the file that its argument names.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// An event is one line of go test -json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// A tally counts tests, subtests included.
type tally struct{ passed, failed, skipped int }

func main() {
	t, err := report(os.Stdin, os.Stdout)
	if err == nil {
		err = appendLine(os.Args[1], fmt.Sprintln(t.passed, t.failed, t.skipped))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

// report reads events until the end and writes what go test would have printed.
func report(r io.Reader, w io.Writer) (t tally, err error) {
	output := map[string]*strings.Builder{} // of each test that has not ended
	failing := map[string]int{}             // tests by package
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(w, lines.Text()) // not an event: go's own words
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "build-output":
			fmt.Fprint(w, e.Output)
		case "output":
			if e.Test == "" {
				packageOutput(w, e.Output)
				continue
			}
			if strings.HasPrefix(e.Output, "=== ") {
				continue // RUN, PAUSE, CONT, NAME: only -v shows them
			}
			if output[key] == nil {
				output[key] = new(strings.Builder)
			}
			output[key].WriteString(e.Output)
		case "pass":
			if e.Test != "" {
				t.passed++
			}
			delete(output, key)
		case "skip":
			if e.Test != "" {
				t.skipped++
				fmt.Fprintf(w, "skipped %s: %s\n", key, reason(output[key]))
			}
			delete(output, key)
		case "fail":
			if e.Test != "" {
				failing[e.Package]++
				t.failed++
				flush(w, output[key])
			} else if failing[e.Package] == 0 {
				t.failed++ // did not build, or died before or after its tests
				dump(w, output, e.Package)
			}
			delete(output, key)
		}
	}
	return t, lines.Err()
}

// packageOutput keeps the line of a package and drops the bare PASS above it.
func packageOutput(w io.Writer, s string) {
	if s != "PASS\n" && !strings.HasPrefix(s, "-test.shuffle ") {
		fmt.Fprint(w, s)
	}
}

// dump writes the output of the tests that a dying package left running.
func dump(w io.Writer, output map[string]*strings.Builder, pkg string) {
	for key, out := range output {
		if strings.HasPrefix(key, pkg+" ") {
			flush(w, out)
		}
	}
}

// flush writes what a test has printed; a nil out is a test that was silent.
func flush(w io.Writer, out *strings.Builder) {
	if out != nil {
		fmt.Fprint(w, out)
	}
}

// reason returns the last line of a skipped test's output that says something.
func reason(out *strings.Builder) string {
	if out == nil {
		return ""
	}
	last := ""
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "---") {
			last = line
		}
	}
	return last
}

func appendLine(name, line string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
