// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A report is a run with what it takes to read it.
type report struct {
	machine
	Clock       string       `json:"clock"`
	Repetitions int          `json:"repetitions"`
	Engines     []engineNote `json:"engines"`
	Cells       []cell       `json:"cells"`
}

type machine struct {
	Date string `json:"date"` // UTC
	Go   string `json:"go"`
	OS   string `json:"os"`
	CPUs int    `json:"cpus"`
}

func thisMachine() machine {
	return machine{time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, runtime.NumCPU()}
}

func (m *machine) String() string {
	return fmt.Sprintf("%s, %s, %s, %d processors", m.Date, m.Go, m.OS, m.CPUs)
}

type engineNote struct {
	Engine  string `json:"engine"`
	Module  string `json:"module,omitempty"`
	Licence string `json:"licence"`
	Form    string `json:"form"`
}

func newReport(engines []*engine) *report {
	r := &report{machine: thisMachine(), Clock: clock, Repetitions: repetitions}
	for _, e := range engines {
		r.Engines = append(r.Engines, engineNote{e.label(), e.module, e.licence, e.form})
	}
	return r
}

// outputs are the values of --output.
var outputs = []string{"text", "markdown", "json"}

// write writes what --output asks for: value as JSON, or else the tables and notes.
func write(w io.Writer, output string, value any, tables []table, notes []string) error {
	if output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(value)
	}
	var b strings.Builder
	for _, t := range tables {
		if output == "markdown" {
			t.markdown(&b)
		} else {
			t.text(&b)
		}
		b.WriteString("\n")
	}
	for _, n := range notes {
		if output == "markdown" {
			n = "- " + n
		}
		b.WriteString(n + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type table struct {
	title string
	rows  [][]string // the first is the heading
}

func (t *table) text(b *strings.Builder) {
	b.WriteString(t.title + "\n")
	w := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	for _, row := range t.rows {
		fmt.Fprintln(w, "  "+strings.Join(row, "\t"))
	}
	w.Flush()
}

func (t *table) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "%s:\n\n", t.title)
	for i, row := range t.rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
}

// tables are the figures, a row an engine and a column a workload.
func (r *report) tables() []table {
	return []table{
		r.table("ns a decision, best (median), times innkeeper", func(c *cell) string {
			s := fmt.Sprintf("%s (%s)", number(c.Best), number(c.Median))
			if c.Ratio > 0 {
				s += " " + ratio(c.Ratio)
			}
			return s
		}),
		r.table("allocations / bytes a decision", func(c *cell) string {
			return number(c.Allocs) + " / " + number(c.Bytes)
		}),
		r.table("load / heap kept", func(c *cell) string {
			return duration(c.Load) + " / " + size(c.Heap)
		}),
		r.table("decisions not as wanted, of how many", func(c *cell) string {
			s := fmt.Sprintf("%s of %s", number(float64(c.Different)), number(float64(c.Requests)))
			if c.Timed < c.Requests {
				s += fmt.Sprintf(" (%s timed)", number(float64(c.Timed)))
			}
			return s
		}),
	}
}

func (r *report) table(title string, text func(*cell) string) table {
	t := table{title: title, rows: [][]string{{"engine"}}}
	at := map[string]int{} // row by engine
	for _, e := range r.Engines {
		at[e.Engine] = len(t.rows)
		t.rows = append(t.rows, []string{e.Engine})
	}
	last := ""
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Workload != last {
			t.rows[0] = append(t.rows[0], c.Workload)
			last = c.Workload
		}
		t.rows[at[c.Engine]] = append(t.rows[at[c.Engine]], text(c))
	}
	return t
}

func (r *report) notes() []string {
	notes := []string{
		r.machine.String(),
		fmt.Sprintf("time: %s; %d repetitions, the engines by turns", r.Clock, r.Repetitions),
	}
	for _, c := range r.Cells {
		if c.Different > 0 {
			notes = append(notes, fmt.Sprintf("%s decides %d of %s otherwise; %s", c.Engine, c.Different, c.Workload, c.First))
		}
	}
	for _, e := range r.Engines {
		notes = append(notes, e.Engine+": "+e.Form)
	}
	return notes
}

// number writes three digits, or all before the point, with "," between thousands.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	switch {
	case v < 0.005:
		return "0"
	case v < 9.95:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func ratio(v float64) string { return number(v) + "×" }

func duration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return number(float64(d)/1e3) + " µs"
	case d < 10*time.Second:
		return number(float64(d)/1e6) + " ms"
	}
	return number(float64(d)/1e9) + " s"
}

func size(bytes int64) string {
	switch {
	case bytes < 10<<20:
		return number(float64(bytes)/(1<<10)) + " KiB"
	case bytes < 10<<30:
		return number(float64(bytes)/(1<<20)) + " MiB"
	}
	return number(float64(bytes)/(1<<30)) + " GiB"
}
