// SPDX-License-Identifier: Apache-2.0

// Command bench measures innkeeper's policy engine side by side with others on
// the same workloads, each in its own form, and checks every decision.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the command line.
type options struct {
	workloads  []string
	engines    []*engine
	output     string
	each       time.Duration
	data       string
	million    bool
	principals int
}

// command runs the program and returns its exit status: 0; 1 if it could not
// run, or an engine decided otherwise than wanted; 2 for arguments that are wrong.
func command(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	progress := progressOn(stderr)
	var right bool
	if o.million {
		right, err = runMillion(o, stdout, progress)
	} else {
		right, err = runContests(o, stdout, progress)
	}
	if err != nil {
		progress("")
		fmt.Fprintln(stderr, "bench:", err)
	}
	if err != nil || !right {
		return 1
	}
	return 0
}

var workloadNames = []string{"W1", "W2", "W3", "W4"}

func parse(args []string, stderr io.Writer) (*options, error) {
	var names []string
	for _, e := range engines {
		names = append(names, e.name)
	}
	o := &options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	workloads := flags.String("workload", strings.Join(workloadNames, ","), "`names` of workloads, with commas between")
	wanted := flags.String("engine", strings.Join(names, ","), "`names` of engines, with commas between")
	flags.StringVar(&o.output, "output", "text", "`form` of the report: "+strings.Join(outputs, ", "))
	flags.DurationVar(&o.each, "time", 2*time.Second, "processor `time` to measure an engine on a workload, about")
	flags.StringVar(&o.data, "data", "../policy/testdata/bench", "`folder` of the workloads")
	flags.BoolVar(&o.million, "million", false, "measure innkeeper with many principals instead")
	flags.IntVar(&o.principals, "principals", 1_000_000, "with --million, how many")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stderr)
		fmt.Fprintln(stderr, "usage: go run . [flags]")
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for name := range strings.SplitSeq(*workloads, ",") {
		if !slices.Contains(workloadNames, name) {
			return nil, fmt.Errorf("--workload: no %q; there are %s", name, strings.Join(workloadNames, ", "))
		}
		o.workloads = append(o.workloads, name)
	}
	for name := range strings.SplitSeq(*wanted, ",") {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fmt.Errorf("--engine: no %q; there are %s", name, strings.Join(names, ", "))
		}
		o.engines = append(o.engines, engines[i])
	}
	switch {
	case !slices.Contains(outputs, o.output):
		return nil, fmt.Errorf("--output: no %q; there are %s", o.output, strings.Join(outputs, ", "))
	case o.each <= 0:
		return nil, fmt.Errorf("--time: %v is no time to measure in", o.each)
	case o.principals < 1:
		return nil, fmt.Errorf("--principals: %d are too few", o.principals)
	}
	return o, nil
}

// runContests prints the tables; right is false if a decision was not as wanted.
func runContests(o *options, stdout io.Writer, progress func(string, ...any)) (right bool, err error) {
	r := newReport(o.engines)
	right = true
	for _, name := range o.workloads {
		w, err := readWorkload(o.data, name)
		if err != nil {
			return false, err
		}
		cells, err := run(w, o.engines, o.each, progress)
		if err != nil {
			return false, err
		}
		for _, c := range cells {
			right = right && c.Different == 0
		}
		r.Cells = append(r.Cells, cells...)
	}
	progress("")
	return right, write(stdout, o.output, r, r.tables(), r.notes())
}

// progressOn returns what shows progress on a terminal, and nothing elsewhere.
// The empty text takes it away.
func progressOn(w io.Writer) func(format string, args ...any) {
	f, ok := w.(*os.File)
	if ok {
		info, err := f.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !ok {
		return func(string, ...any) {}
	}
	return func(format string, args ...any) { fmt.Fprintf(f, "\r\x1b[K"+format, args...) }
}
