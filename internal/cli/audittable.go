// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/trail"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A recordWriter prints records as they are found: as the log has them, or as a
// table whose columns are as wide as the first rows need.
type recordWriter struct {
	out   *bufio.Writer
	json  bool
	style func(policy.Tone, string) string

	rows   [][]cell // until widths are known
	widths []int

	progressTo io.Writer // nil: nobody is told
	total      int64     // bytes to read
	begun      time.Time
	shown      bool // a line of progress stands on the terminal
}

// A cell is a text in a table.
type cell struct {
	text string
	tone policy.Tone
}

const (
	firstRows = 200 // whose texts say how wide columns are
	widest    = 56  // column
	quiet     = time.Second
)

func newRecordWriter(out, err io.Writer, json bool) *recordWriter {
	w := &recordWriter{out: bufio.NewWriter(out), json: json, style: styleFor(out), begun: time.Now()}
	if isTerminal(err) {
		w.progressTo = err
	}
	return w
}

// progress tells how far a long search is, on a terminal.
func (w *recordWriter) progress(read int64) {
	if w.progressTo == nil || time.Since(w.begun) < quiet {
		return
	}
	w.shown = true
	fmt.Fprintf(w.progressTo, "\r\x1b[K%d of %d MiB", read>>20, max(read, w.total)>>20)
}

// clear takes the line of progress away.
func (w *recordWriter) clear() {
	if w.shown {
		fmt.Fprint(w.progressTo, "\r\x1b[K")
		w.shown = false
	}
}

var recordHead = []string{"TIME", "PRINCIPAL", "ACTION", "RESOURCE", "DECISION", "WHY"}

func (w *recordWriter) write(m *trail.Match) error {
	if w.json {
		w.clear()
		_, err := w.out.Write(m.Line)
		return cmp.Or(err, w.out.WriteByte('\n'))
	}
	more := ""
	if m.Others > 0 {
		more = fmt.Sprintf(" (and %d more)", m.Others)
	}
	decision, tone := decided(m.Record, &m.Check)
	return w.row(recordHead, []cell{
		{text: m.Record.Time.UTC().Format(time.RFC3339)}, {text: principalName(&m.Record.Identity)}, {text: m.Check.Action},
		{text: cmp.Or(m.Check.Resource, "-") + more}, {decision, tone}, {text: why(m.Record, &m.Check)},
	})
}

var denialHead = []string{"COUNT", "FIRST", "LAST", "PRINCIPAL", "ACTION", "RESOURCE", "DECISION", "WHY"}

// denials prints a row for each, and its advice below.
func (w *recordWriter) denials(list []trail.Denial) error {
	for i := range list {
		d := &list[i]
		decision := d.Decision
		switch {
		case d.Learned == d.Count:
			decision = "learned"
		case d.Learned > 0:
			decision += fmt.Sprintf(" (%d learned)", d.Learned)
		}
		err := w.row(denialHead, []cell{
			{text: strconv.Itoa(d.Count)}, {text: d.First.UTC().Format(time.RFC3339)}, {text: d.Last.UTC().Format(time.RFC3339)}, {text: shortARN(d.Principal)},
			{text: d.Action}, {text: d.Resource}, {decision, policy.Bad}, {text: strings.TrimPrefix(d.Reason, "Denied: ")},
		})
		if err == nil && d.Advice != "" {
			err = w.row(denialHead, []cell{{text: "  → " + d.Advice}})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// row prints a row, or keeps it until it is known how wide columns are.
func (w *recordWriter) row(head []string, cells []cell) error {
	for i := range cells {
		cells[i].text = printable(cells[i].text)
	}
	if w.widths != nil {
		w.clear()
		return w.print(cells)
	}
	if len(w.rows) == 0 {
		var first []cell
		for _, name := range head {
			first = append(first, cell{text: name})
		}
		w.rows = append(w.rows, first)
	}
	if w.rows = append(w.rows, cells); len(w.rows) > firstRows {
		return w.align()
	}
	return nil
}

// align prints the rows that were kept.
func (w *recordWriter) align() error {
	if len(w.rows) == 0 {
		return nil
	}
	w.clear()
	w.widths = make([]int, len(w.rows[0]))
	for _, row := range w.rows {
		for i := range row[:len(row)-1] {
			w.widths[i] = max(w.widths[i], min(utf8.RuneCountInString(row[i].text), widest))
		}
	}
	for _, row := range w.rows {
		if err := w.print(row); err != nil {
			return err
		}
	}
	w.rows = nil
	return nil
}

func (w *recordWriter) print(cells []cell) error {
	for i, c := range cells {
		text := w.style(c.tone, c.text)
		if i < len(cells)-1 {
			text += strings.Repeat(" ", max(w.widths[i]-utf8.RuneCountInString(c.text), 0)+2)
		}
		if _, err := w.out.WriteString(text); err != nil {
			return err
		}
	}
	return w.out.WriteByte('\n')
}

// flush prints everything that is kept.
func (w *recordWriter) flush() error {
	err := w.align()
	w.clear()
	return errors.Join(err, w.out.Flush())
}

// printable is a text without what would move the cursor of a terminal, or worse.
func printable(text string) string {
	bad := func(c rune) bool { return !unicode.IsPrint(c) || c == utf8.RuneError }
	if strings.IndexFunc(text, bad) < 0 {
		return text
	}
	return strings.Trim(strconv.QuoteToGraphic(text), `"`)
}

// principalName is who asked, in short: "111122223333:user/ann".
func principalName(i *audit.Identity) string {
	if i.ARN != "" {
		return shortARN(i.ARN)
	}
	return trail.Who(i)
}

// shortARN is the account and the end of a principal's ARN.
func shortARN(id string) string {
	if p, ok := arn.Split(id); ok && p.Account != "" {
		return p.Account + ":" + p.Resource
	}
	return id
}

// decided is what a row says of a decision.
func decided(r *audit.Record, c *audit.Check) (string, policy.Tone) {
	switch {
	case c.Learned:
		return "learned", policy.Bad
	case c.Outcome == audit.ExplicitDeny || c.Outcome == audit.ImplicitDeny:
		return c.Outcome, policy.Bad
	case r.ErrorCode != "":
		return "error", policy.Bad
	case c.Outcome == audit.Allow:
		return c.Outcome, policy.Good
	}
	return cmp.Or(c.Outcome, "-"), 0
}

// why is what a row says of the reason: that of a denial, what failed, or the
// statement that allowed.
func why(r *audit.Record, c *audit.Check) string {
	switch {
	case c.Reason != "":
		return strings.TrimPrefix(c.Reason, "Denied: ")
	case r.ErrorCode != "" && c.Outcome != audit.ExplicitDeny && c.Outcome != audit.ImplicitDeny:
		return strings.TrimSuffix(r.ErrorCode+": "+r.ErrorMessage, ": ")
	case c.Policy == "":
		return cmp.Or(c.Layer, "-")
	}
	text := c.Policy
	if c.Statement > 0 {
		text += " #" + strconv.Itoa(c.Statement)
	}
	if c.Sid != "" {
		text += " " + c.Sid
	}
	return text
}
