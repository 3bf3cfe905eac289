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
		yieldLine := func(file string, n int, line []byte, problem error) bool {
			var r Record
			if problem == nil {
				problem = json.Unmarshal(line, &r)
			}
			if problem != nil {
				r, problem = Record{}, &LineError{file, n, problem}
			}
			return yield(r, problem)
		}
		if err := walk(dir, from, yieldLine); err != nil {
			yield(Record{}, err)
		}
	}
}

// Lines returns what Since does, as the log has it: a line each, valid until the
// next one. Lines that are too long are left out; an error is the last.
func Lines(dir string, from time.Time) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		err := walk(dir, from, func(_ string, _ int, line []byte, problem error) bool {
			return problem != nil || yield(line, nil)
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// walk gives the lines of a log to fn, with their file and number, until it returns
// false: as Since does.
func walk(dir string, from time.Time, fn func(file string, n int, line []byte, problem error) bool) error {
	all, err := openFiles(dir, early(from))
	if err != nil {
		return err
	}
	defer all.close()
	for i := range all.rotated {
		f, err := all.open(i)
		if f == nil && err == nil {
			continue
		}
		if err == nil {
			err = skip(f, early(from))
		}
		more := false
		if err == nil {
			more, err = readLines(f, false, fn)
		}
		if f != nil {
			_ = f.Close()
		}
		if err != nil || !more {
			return err
		}
	}
	if all.newest == nil {
		return nil
	}
	if err := skip(all.newest, early(from)); err != nil {
		return err
	}
	_, err = readLines(all.newest, true, fn)
	return err
}

// early is a time from which on all the records are that are not older than from.
func early(from time.Time) time.Time {
	if from.IsZero() {
		return from
	}
	return from.Add(-disorder)
}

// segments are the files of a log, at one moment.
type segments struct {
	dir     string
	rotated []rotated   // oldest first
	newest  *os.File    // the current one; nil when there is none
	self    os.FileInfo // of newest
}

// openFiles lists the files that may have records from a time on. The current one
// is opened first, so that one rotated meanwhile is still read through the open
// file, and only there.
func openFiles(dir string, from time.Time) (*segments, error) {
	all := &segments{dir: dir}
	var err error
	if all.newest, err = os.Open(filepath.Join(dir, current)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		if all.self, err = all.newest.Stat(); err != nil {
			all.close()
			return nil, err
		}
	} else {
		all.newest = nil
	}
	if all.rotated, err = rotatedFiles(dir); err != nil {
		all.close()
		return nil, err
	}
	for len(all.rotated) > 0 && all.rotated[0].time.Before(from) {
		all.rotated = all.rotated[1:]
	}
	return all, nil
}

func (all *segments) close() {
	if all.newest != nil {
		_ = all.newest.Close()
	}
}

// open opens one of the rotated files. It returns nil for one that is the current
// file or was removed meanwhile.
func (all *segments) open(i int) (*os.File, error) {
	f, err := os.Open(filepath.Join(all.dir, all.rotated[i].name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (all.self == nil || !os.SameFile(info, all.self)) {
		return f, nil
	}
	_ = f.Close()
	return nil, err
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

// readLines gives the lines of a file to fn until it returns false, and reports
// whether it never did. An unfinished last line is left out when the file is still
// being written.
func readLines(f *os.File, live bool, fn func(file string, n int, line []byte, problem error) bool) (bool, error) {
	in := bufio.NewReaderSize(f, 64<<10)
	name := filepath.Base(f.Name())
	var line []byte
	for n := 1; ; n++ {
		var long bool
		var err error
		line, long, err = readLine(in, line[:0])
		if err != nil && err != io.EOF {
			return false, err
		}
		if err == io.EOF && (live || len(line) == 0 && !long) {
			return true, nil
		}
		var problem error
		if long {
			problem = errLong
		}
		if !fn(name, n, line, problem) {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
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

// Size returns about how many bytes Lines reads from a time on.
func Size(dir string, from time.Time) (int64, error) {
	all, err := openFiles(dir, early(from))
	if err != nil {
		return 0, err
	}
	defer all.close()
	var sum int64
	if all.self != nil {
		sum = all.self.Size()
	}
	for _, r := range all.rotated {
		info, err := os.Stat(filepath.Join(dir, r.name))
		if err == nil && (all.self == nil || !os.SameFile(info, all.self)) {
			sum += info.Size()
		}
	}
	return sum, nil
}
