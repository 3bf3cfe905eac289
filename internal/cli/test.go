// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

func testCommand() *cobra.Command {
	var output string
	var trace bool
	cmd := &cobra.Command{
		Use:   "test FILE…",
		Short: "Run access-test files against the policy engine",
		Long: `Run access-test files, in YAML or JSON: named policies, and cases that say who does
what to which resource and what the answer must be. A case that fails prints why,
with --trace every case does.

It needs no server. The exit code is 0 when every case passes, 1 when one fails,
and 2 when a file cannot be run.`,
		Example: `  innkeeper test access.yaml
  innkeeper test --trace access.yaml
  innkeeper test --output junit tests/*.yaml > report.xml`,
		Args: operands("FILE…"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTests(cmd.OutOrStdout(), cmd.ErrOrStderr(), output, trace, args)
		},
	}
	cmd.Flags().BoolVar(&trace, "trace", false, "show why for the cases that pass too; JSON always has it")
	outputFlag(cmd, &output, "text", "json", "junit")
	return cmd
}

// fileResult is the result of one access-test file.
type fileResult struct {
	File string `json:"file"`
	policytest.Result
}

// writers are the forms of output by the value of --output. With trace they show
// the traces of the cases that pass too.
var writers = map[string]func(w io.Writer, results []fileResult, trace bool) error{
	"text": textTests, "json": jsonTests, "junit": junitTests,
}

// runTests runs the files, or, when one of them cannot be run, none, and tells
// what is wrong with each that cannot.
func runTests(stdout, stderr io.Writer, output string, trace bool, names []string) error {
	write, ok := writers[output]
	if !ok {
		return badOutput(output, "text", "json", "junit")
	}
	var files []*policytest.File
	for _, name := range names {
		f, err := readTests(name)
		if err != nil {
			fmt.Fprintln(stderr, err)
			continue
		}
		files = append(files, f)
	}
	if len(files) < len(names) {
		return errTold
	}
	var results []fileResult
	for _, f := range files {
		results = append(results, fileResult{f.Name, f.Run(policy.Decide)})
	}
	if err := write(stdout, results, trace); err != nil {
		return err
	}
	if _, failed := count(results); failed > 0 {
		return errFailed
	}
	return nil
}

// maxTestFile bounds an access-test file, and each policy that it names.
const maxTestFile = 64 << 20 // bytes

// readTests reads an access-test file; paths in it are relative to it. Its errors
// begin with the file's name.
func readTests(name string) (*policytest.File, error) {
	data, err := readFile(name)
	if err != nil {
		return nil, err
	}
	src := policytest.Source{Name: name, Load: readFile}
	if looksLikeJSON(name, data) {
		return src.Read(data)
	}
	data, from, err := yamlToJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	src.Place = from.in
	return src.Read(data)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTestFile+1))
	if err == nil && len(data) > maxTestFile {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxTestFile>>20)
	}
	return data, err
}

// looksLikeJSON goes by the extension, and without a known one by the first
// character.
func looksLikeJSON(name string, data []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return false
	}
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
}

func count(results []fileResult) (passed, failed int) {
	for _, r := range results {
		passed, failed = passed+r.Passed, failed+r.Failed
	}
	return passed, failed
}

// textTests prints each failing case with the trace that shows why, with trace
// the others too, and a summary.
func textTests(w io.Writer, results []fileResult, trace bool) error {
	style := styleFor(w)
	b := new(bytes.Buffer)
	for _, r := range results {
		for _, c := range r.Cases {
			switch {
			case !c.Passed:
				fmt.Fprintf(b, "%s %s:%d: %s: %s\n", style(policy.Bad, "FAIL"), r.File, c.Line, c.Name, c.Failure)
			case trace:
				fmt.Fprintf(b, "%s %s:%d: %s: %v\n", style(policy.Good, "PASS"), r.File, c.Line, c.Name, c.Decision.Outcome)
			default:
				continue
			}
			text, err := traceText(c, style)
			if err != nil {
				return err
			}
			for line := range strings.Lines(text) {
				b.WriteString("    " + line)
			}
		}
	}
	passed, failed := count(results)
	fmt.Fprintf(b, "%d passed, %d failed\n", passed, failed)
	_, err := b.WriteTo(w)
	return err
}

// traceText returns the trace of a case as text, "" when there is none.
func traceText(c policytest.CaseResult, style func(policy.Tone, string) string) (string, error) {
	if c.Trace == nil {
		return "", nil
	}
	var b strings.Builder
	err := c.Trace.WriteStyled(&b, style)
	return b.String(), err
}

func jsonTests(w io.Writer, results []fileResult, _ bool) error {
	passed, failed := count(results)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Passed int          `json:"passed"`
		Failed int          `json:"failed"`
		Files  []fileResult `json:"files"`
	}{passed, failed, results})
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Failure *junitFailure `xml:"failure"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func junitTests(w io.Writer, results []fileResult, trace bool) error {
	passed, failed := count(results)
	out := junitSuites{Tests: passed + failed, Failures: failed}
	for _, r := range results {
		suite := junitSuite{Name: r.File, Tests: r.Passed + r.Failed, Failures: r.Failed}
		for _, c := range r.Cases {
			jc := junitCase{Name: c.Name, Class: r.File, File: r.File, Line: c.Line}
			text, err := traceText(c, plain)
			if err != nil {
				return err
			}
			if !c.Passed {
				jc.Failure = &junitFailure{Message: c.Failure, Text: text}
			} else if trace {
				jc.Out = text
			}
			suite.Cases = append(suite.Cases, jc)
		}
		out.Suites = append(out.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
