// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// A LineError is about one line of a log. Reading goes on after it.
type LineError struct {
	File string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *LineError) Unwrap() error { return e.Err }

var errLong = errors.New("line too long")

// Records returns the records of the log in dir, oldest first, rotated files
// included. The log may be written meanwhile: those written before the call are
// all there. A line that is no record yields a *LineError and the next follows;
// any other error is the last.
func Records(dir string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		// The current file is opened first, so that one rotated meanwhile is still
		// read through the open file, and only there.
		newest, err := os.Open(filepath.Join(dir, current))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(Record{}, err)
			return
		}
		var self os.FileInfo
		if newest != nil {
			defer newest.Close()
			if self, err = newest.Stat(); err != nil {
				yield(Record{}, err)
				return
			}
		}
		files, err := rotatedFiles(dir)
		if err != nil {
			yield(Record{}, err)
			return
		}
		for _, r := range files {
			if !readRotated(filepath.Join(dir, r.name), self, yield) {
				return
			}
		}
		if newest != nil {
			readLines(newest, true, yield)
		}
	}
}

// readRotated yields the records of a rotated file, unless it is the file self or
// was pruned meanwhile. It reports whether to go on.
func readRotated(name string, self os.FileInfo, yield func(Record, error) bool) bool {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		yield(Record{}, err)
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		yield(Record{}, err)
		return false
	}
	if self != nil && os.SameFile(info, self) {
		return true
	}
	return readLines(f, false, yield)
}

// readLines yields the records of a file. An unfinished last line is left out
// when the file is still being written.
func readLines(f *os.File, live bool, yield func(Record, error) bool) bool {
	in := bufio.NewReaderSize(f, 64<<10)
	var line []byte
	for n := 1; ; n++ {
		var long bool
		var err error
		line, long, err = readLine(in, line[:0])
		if err != nil && err != io.EOF {
			yield(Record{}, err)
			return false
		}
		if err == io.EOF && (live || len(line) == 0 && !long) {
			return true
		}
		var r Record
		problem := errLong
		if !long {
			problem = json.Unmarshal(line, &r)
		}
		if problem != nil {
			r, problem = Record{}, &LineError{filepath.Base(f.Name()), n, problem}
		}
		if !yield(r, problem) {
			return false
		}
		if err == io.EOF {
			return true
		}
	}
}

// readLine appends the next line to dst, without its line break. Of a line longer
// than maxLine it returns only that it was.
func readLine(in *bufio.Reader, dst []byte) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(dst)+len(part) > maxLine; long {
			dst = dst[:0]
		} else {
			dst = append(dst, part...)
		}
		if err != bufio.ErrBufferFull {
			return bytes.TrimSuffix(dst, []byte("\n")), long, err
		}
	}
}
