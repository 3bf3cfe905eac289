// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

// A Match is a record that a query means.
type Match struct {
	Line   []byte        // the record, as the log has it
	Record *audit.Record // what Line says
	Check  audit.Check   // the first of its checks that is meant
	Others int           // how many others are
}

// A Progress is told how many bytes were read, about once a megabyte. Nil: nobody
// is told.
type Progress func(read int64)

const (
	told     = 1 << 20         // bytes
	looks    = 1 << 10         // lines, from one look at the time to the next
	disorder = 2 * time.Minute // by which a record may stand behind one that is later
)

// Find yields the records of the log in dir that the query means, oldest first. A
// Match is valid until the next one. Lines that are no records are passed over; an
// error is the last.
func (q *Query) Find(dir string, p Progress) iter.Seq2[Match, error] {
	return q.find(dir, p, q.needles())
}

func (q *Query) find(dir string, p Progress, needles [][]byte) iter.Seq2[Match, error] {
	return q.search(audit.Lines(dir, q.From), p, needles, func(r *audit.Record) bool {
		return !q.Until.IsZero() && r.Time.After(q.Until.Add(disorder))
	})
}

// Latest returns the n latest records that the query means, oldest first.
func (q *Query) Latest(dir string, n int, p Progress) ([]Match, error) {
	var found []Match
	if n <= 0 {
		return nil, nil
	}
	over := func(r *audit.Record) bool { return !q.From.IsZero() && r.Time.Before(q.From.Add(-disorder)) }
	for m, err := range q.search(audit.Backward(dir, q.From), p, q.needles(), over) {
		if err != nil {
			return nil, err
		}
		if found = append(found, m.clone()); len(found) == n {
			break
		}
	}
	slices.Reverse(found)
	return found, nil
}

// clone returns a Match that stays valid.
func (m Match) clone() Match {
	m.Line = bytes.Clone(m.Line)
	r := *m.Record
	r.Decision.Checks, r.Resources = slices.Clone(r.Decision.Checks), slices.Clone(r.Resources)
	m.Record = &r
	return m
}

// search yields what the query means of lines, which hold the needles, until the
// time of a record is over.
func (q *Query) search(lines iter.Seq2[[]byte, error], p Progress, needles [][]byte, over func(*audit.Record) bool) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		var r audit.Record
		var n, read, last int64
		for line, err := range lines {
			if err != nil {
				yield(Match{}, err)
				return
			}
			n++
			if read += int64(len(line)) + 1; p != nil && read-last >= told {
				p(read)
				last = read
			}
			if !holds(line, needles) && n%looks != 0 {
				continue
			}
			if audit.Scan(string(line), &r) != nil {
				continue
			}
			if over(&r) {
				return
			}
			if c, others, ok := q.Match(&r); ok && !yield(Match{line, &r, c, others}, nil) {
				return
			}
		}
	}
}

// Follow yields the records that the query means, from a place in the log on. It
// asks wait for more when there are none, and ends when wait says no.
func (q *Query) Follow(dir string, from audit.Place, wait func() bool) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		tail, _, err := audit.Follow(dir, from)
		if err != nil {
			yield(Match{}, err)
			return
		}
		defer tail.Close()
		var r audit.Record
		for {
			line, err := tail.Next()
			if err == io.EOF {
				if !wait() {
					return
				}
				continue
			}
			if err != nil {
				yield(Match{}, err)
				return
			}
			if audit.Scan(string(line), &r) != nil {
				continue
			}
			if c, others, ok := q.Match(&r); ok && !yield(Match{line, &r, c, others}, nil) {
				return
			}
		}
	}
}
