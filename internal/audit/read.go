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
	"time"
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
func Records(dir string) iter.Seq2[Record, error] { return Since(dir, time.Time{}) }

// Since is Records without most of the records from before a time. All later ones
// are there, if none was written more than a minute after its Time.
func Since(dir string, from time.Time) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		early := from
		if !from.IsZero() {
			early = from.Add(-disorder)
		}
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
			if !r.time.Before(early) && !readRotated(filepath.Join(dir, r.name), self, early, yield) {
				return
			}
		}
		if newest == nil {
			return
		}
		if err := skip(newest, early); err != nil {
			yield(Record{}, err)
			return
		}
		readLines(newest, true, yield)
	}
}

// readRotated yields the records of a rotated file, unless it is the file self or
// was pruned meanwhile. It reports whether to go on.
func readRotated(name string, self os.FileInfo, from time.Time, yield func(Record, error) bool) bool {
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
	if err := skip(f, from); err != nil {
		yield(Record{}, err)
		return false
	}
	return readLines(f, false, yield)
}

const (
	disorder = 2 * time.Minute // by which a record may stand behind one that is later
	nearly   = 64 << 10        // bytes that are not worth a search
)

// skip moves the reading position of a file, which is at its beginning, on to a
// line with nothing but earlier records before it.
func skip(f *os.File, from time.Time) error {
	if from.IsZero() {
		return nil
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	start := int64(0) // of a line; what is before it is early
	for end-start > nearly {
		middle := start + (end-start)/2
		next, at, ok := lineAfter(f, middle, end)
		if ok && at.Before(from) {
			start = next
		} else {
			end = middle
		}
	}
	_, err = f.Seek(start, io.SeekStart)
	return err
}

// lineAfter returns where the first record begins that begins after a place and
// before end, and its time. It is not ok if there is none.
func lineAfter(f *os.File, place, end int64) (start int64, at time.Time, ok bool) {
	in := bufio.NewReaderSize(io.NewSectionReader(f, place, end-place), nearly)
	var line []byte
	for first := true; ; first = false {
		start = place
		var long bool
		var err error
		if line, long, err = readLine(in, line[:0]); err != nil || long {
			return 0, time.Time{}, false
		}
		place += int64(len(line)) + 1
		var r struct {
			Time time.Time `json:"eventTime"`
		}
		if !first && json.Unmarshal(line, &r) == nil && !r.Time.IsZero() {
			return start, r.Time, true
		}
	}
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
