// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A Place is between two records of a log. It stays the same place when files are
// rotated, removed or put back from a copy. The zero Place is the beginning.
type Place struct {
	Time   time.Time `json:"time"`   // of the record before
	Offset int64     `json:"offset"` // in its file, behind its line
	Sum    string    `json:"sum"`    // of its line
}

func placeAfter(line []byte, offset int64) Place {
	var r struct {
		Time time.Time `json:"eventTime"`
	}
	_ = json.Unmarshal(line, &r) // no time: no help in finding the place, and no harm
	sum := sha256.Sum256(line)
	return Place{r.Time, offset, hex.EncodeToString(sum[:12])}
}

// End returns the place behind the last whole line of a log, which may be written
// meanwhile.
func End(dir string) (Place, error) {
	all, err := openFiles(dir, time.Time{})
	if err != nil {
		return Place{}, err
	}
	defer all.close()
	if all.newest != nil {
		if p, err := endOf(all.newest); err != nil || p.Offset > 0 {
			return p, err
		}
	}
	for i := len(all.rotated) - 1; i >= 0; i-- {
		f, err := all.open(i)
		if f == nil && err == nil {
			continue
		}
		var p Place
		if err == nil {
			p, err = endOf(f)
			_ = f.Close()
		}
		if err != nil || p.Offset > 0 {
			return p, err
		}
	}
	return Place{}, nil
}

func endOf(f *os.File) (Place, error) {
	info, err := f.Stat()
	if err != nil {
		return Place{}, err
	}
	end, err := lastLine(f, info.Size())
	if err != nil || end == 0 {
		return Place{}, err
	}
	line, err := readBefore(f, end)
	return placeAfter(line, end), err
}

// readBefore returns the line that ends at end, without its line break.
func readBefore(f *os.File, end int64) ([]byte, error) {
	start, err := lineBefore(f, end)
	if err != nil {
		return nil, err
	}
	line := make([]byte, min(end-start, maxLine))
	if _, err := f.ReadAt(line, start); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line, []byte("\n")), nil
}

// A Tail reads the lines of a log in order, also those that are written while it
// reads, across rotations. It is not safe for concurrent use.
type Tail struct {
	dir     string
	file    *os.File // nil before the log has any
	in      *bufio.Reader
	line    []byte
	offset  int64 // behind the last whole line
	place   Place
	rotated bool // file will not grow any more
	gaps    int
}

// Follow returns a Tail that begins at a place, and whether the place is still
// there. If not, because its file was removed or the machine lost what was not
// synced, it begins with records from a little before the Time of the place.
func Follow(dir string, from Place) (t *Tail, found bool, err error) {
	t = &Tail{dir: dir, place: from}
	if from == (Place{}) {
		return t, true, nil
	}
	all, err := openFiles(dir, early(from.Time))
	if err != nil {
		return nil, false, err
	}
	if all.newest != nil && at(all.newest, from) {
		return t, true, t.use(all.newest, from.Offset)
	}
	defer func() {
		if t.file != all.newest {
			all.close()
		}
	}()
	oldest := all.newest
	for i := len(all.rotated) - 1; i >= 0; i-- {
		f, err := all.open(i)
		if err != nil {
			return nil, false, err
		}
		if f == nil {
			continue
		}
		if at(f, from) {
			return t, true, t.use(f, from.Offset)
		}
		if oldest != all.newest {
			_ = oldest.Close()
		}
		oldest = f
	}
	if oldest == nil {
		return t, false, nil
	}
	if err := skip(oldest, early(from.Time)); err != nil {
		return nil, false, err
	}
	start, err := oldest.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, false, err
	}
	return t, false, t.use(oldest, start)
}

// at reports whether a place is in a file.
func at(f *os.File, p Place) bool {
	info, err := f.Stat()
	if err != nil || p.Offset <= 0 || info.Size() < p.Offset {
		return false
	}
	var end [1]byte
	if _, err := f.ReadAt(end[:], p.Offset-1); err != nil || end[0] != '\n' {
		return false
	}
	line, err := readBefore(f, p.Offset)
	return err == nil && placeAfter(line, p.Offset).Sum == p.Sum
}

// use goes on with a file, from an offset on.
func (t *Tail) use(f *os.File, offset int64) error {
	if t.file != nil && t.file != f {
		_ = t.file.Close()
	}
	t.file, t.offset, t.rotated = f, offset, false
	return t.again()
}

// again reads on behind the last whole line, forgetting what is buffered.
func (t *Tail) again() error {
	if _, err := t.file.Seek(t.offset, io.SeekStart); err != nil {
		return err
	}
	if t.in == nil {
		t.in = bufio.NewReaderSize(t.file, 64<<10)
	}
	t.in.Reset(t.file)
	return nil
}

// Place returns the place behind the last line that Next returned.
func (t *Tail) Place() Place { return t.place }

// Gaps returns how often files were removed before the Tail was done with them, so
// that it may have missed some.
func (t *Tail) Gaps() int { return t.gaps }

// Next returns the next line, without its line break, valid until the next call,
// or io.EOF when there is none yet. Lines that are too long are left out.
func (t *Tail) Next() ([]byte, error) {
	for {
		if t.file == nil {
			if err := t.advance(); err != nil {
				return nil, err
			}
			continue
		}
		line, size, err := t.read()
		switch {
		case err == nil && size > maxLine:
			t.offset += size
			continue
		case err == nil:
			t.offset += size
			t.place = placeAfter(line, t.offset)
			return line, nil
		case err != io.EOF:
			return nil, err
		}
		// A log takes back part of a line that it could not write whole.
		if err := t.again(); err != nil {
			return nil, err
		}
		if t.rotated {
			if err := t.advance(); err != nil {
				return nil, err
			}
			continue
		}
		if t.rotated, err = t.isRotated(); err != nil {
			return nil, err
		}
		if !t.rotated {
			return nil, io.EOF
		}
		// What was written to it before it was rotated is read first.
	}
}

// read returns the next whole line and how many bytes it takes in the file.
func (t *Tail) read() (line []byte, size int64, err error) {
	t.line = t.line[:0]
	for {
		part, err := t.in.ReadSlice('\n')
		if size += int64(len(part)); size <= maxLine {
			t.line = append(t.line, part...)
		}
		if err != bufio.ErrBufferFull {
			return bytes.TrimSuffix(t.line, []byte("\n")), size, err
		}
	}
}

func (t *Tail) isRotated() (bool, error) {
	self, err := t.file.Stat()
	if err != nil {
		return false, err
	}
	info, err := os.Stat(filepath.Join(t.dir, current))
	if errors.Is(err, fs.ErrNotExist) { // it is being rotated
		return false, nil
	}
	return err == nil && !os.SameFile(self, info), err
}

// advance goes on with the file after the present one, or with the first one. It
// returns io.EOF when there is none yet.
func (t *Tail) advance() error {
	all, err := openFiles(t.dir, time.Time{})
	if err != nil {
		return err
	}
	next := 0 // of a file that was removed, all older ones were, too
	if t.file != nil {
		self, err := t.file.Stat()
		if err != nil {
			all.close()
			return err
		}
		if next = all.after(self); next == 0 {
			t.gaps++
		}
	}
	for ; next < len(all.rotated); next++ {
		f, err := all.open(next)
		if f != nil || err != nil {
			all.close()
			if err != nil {
				return err
			}
			return t.use(f, 0)
		}
	}
	if all.newest == nil {
		return io.EOF
	}
	return t.use(all.newest, 0)
}

// after returns the number of the rotated file after one, 0 if that is not there.
func (all *segments) after(self os.FileInfo) int {
	for i := range all.rotated {
		info, err := os.Stat(filepath.Join(all.dir, all.rotated[i].name))
		if err == nil && os.SameFile(info, self) {
			return i + 1
		}
	}
	return 0
}

// Close closes the file that is being read.
func (t *Tail) Close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
