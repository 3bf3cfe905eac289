// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
)

// recordKey is what readRecord chooses a record by.
type recordKey struct {
	EventID   string `json:"eventID"`
	Innkeeper struct {
		Decision string `json:"decision"`
	} `json:"innkeeper"`
}

// denied reports whether the policies refused what the record is about.
func (k *recordKey) denied() bool {
	return k.Innkeeper.Decision != "" && k.Innkeeper.Decision != "allow"
}

// maxRecord bounds one audit record, in bytes.
const maxRecord = 4 << 20

// readRecord returns the record of that event id from a file of audit records,
// "-" for stdin; without an id the only one, or of several the last that was
// denied. The file is a log, with one record a line, or a single record over any
// number of lines. What is no record in a log, such as one that is still being
// written, is passed over.
func readRecord(name string, stdin io.Reader, eventID string) (json.RawMessage, error) {
	in, shown := stdin, "standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, fmt.Errorf("--record %s is a directory: give a file, such as audit.log of an audit log", name)
		}
		in, shown = f, name
	}
	var chosen, only json.RawMessage
	n := 0
	for line, err := range lines(in) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown, err)
		}
		var key recordKey
		if err := json.Unmarshal(line, &key); err != nil {
			if n == 0 {
				return nil, fmt.Errorf("%s holds no audit record: %w", shown, err)
			}
			continue
		}
		n++
		only = line
		if eventID != "" && key.EventID == eventID || eventID == "" && key.denied() {
			chosen = line
		}
	}
	switch {
	case n == 0:
		return nil, fmt.Errorf("%s holds no record", shown)
	case chosen != nil:
		return chosen, nil
	case eventID != "":
		return nil, fmt.Errorf("%s has no record with the event id %s; older parts of an audit log are in files of their own, audit-TIME.log", shown, eventID)
	case n == 1:
		return only, nil
	}
	return nil, fmt.Errorf("none of the %d records of %s was denied; choose one with --event-id", n, shown)
}

// lines returns the lines of a text that are not blank; a text whose first line
// is no JSON is one line.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		in := bufio.NewScanner(r)
		in.Buffer(nil, maxRecord)
		first := true
		for in.Scan() {
			line := bytes.Clone(bytes.TrimSpace(in.Bytes()))
			if len(line) == 0 {
				continue
			}
			if first && !json.Valid(line) {
				for in.Scan() && len(line) < maxRecord {
					line = append(append(line, '\n'), in.Bytes()...)
				}
			}
			first = false
			if !yield(line, nil) {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(nil, err)
		}
	}
}
