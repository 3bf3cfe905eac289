// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Names of rotated files sort by time, and no two are the same.
const (
	rotatedPrefix = "audit-"
	rotatedSuffix = ".log"
	rotatedTime   = "20060102T150405.000000000Z"
)

// A rotated file holds older records.
type rotated struct {
	name string
	time time.Time
}

// rotatedFiles lists the rotated files of a directory, oldest first.
func rotatedFiles(dir string) ([]rotated, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var files []rotated
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), rotatedPrefix)
		if !ok {
			continue
		}
		middle, ok = strings.CutSuffix(middle, rotatedSuffix)
		if t, err := time.Parse(rotatedTime, middle); ok && err == nil {
			files = append(files, rotated{e.Name(), t})
		}
	}
	return files, nil
}

var errSync = errors.New("a sync failed")

// rotateLocked syncs the file, gives it its lasting name and opens a new one.
// When only the renaming fails, the file goes on growing for a while.
func (l *Log) rotateLocked() error {
	l.syncing.Lock() // let a sync under way end
	defer l.syncing.Unlock()
	if l.suspect.Load() {
		return errSync
	}
	l.releaseLocked()
	if err := l.file.Sync(); err != nil {
		return l.lostLocked(err)
	}
	if err := l.renameLocked(); err != nil {
		l.opt.Log.Error("audit: cannot rotate; the file goes on growing", "error", err)
		l.limit = l.size + max(l.opt.MaxBytes/16, 1)
		return nil
	}
	l.servedLocked()
	old := l.file
	l.file = nil
	if err := errors.Join(old.Close(), l.openLocked(), syncDir(l.opt.Dir)); err != nil {
		return err
	}
	l.pruneLocked()
	return nil
}

// renameLocked gives the current file the name of a rotated one.
func (l *Log) renameLocked() error {
	t := l.opt.Now().UTC()
	if !t.After(l.last) {
		t = l.last.Add(1) // the clock went back
	}
	name := filepath.Join(l.opt.Dir, rotatedPrefix+t.Format(rotatedTime)+rotatedSuffix)
	if err := os.Rename(filepath.Join(l.opt.Dir, current), name); err != nil {
		return err
	}
	l.last = t
	return nil
}

// maxLine is the most that a line is expected to have; a record has less.
const maxLine = 4 << 20

// repair makes the file end with a whole line. An unfinished last line that is a
// whole record gets its line break; any other is moved to a file of its own, whose
// name repair returns.
func repair(f *os.File, dir string, now time.Time) (moved string, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	start, err := lastLine(f, size)
	if err != nil || start == size {
		return "", err
	}
	tail := make([]byte, min(size-start, maxLine))
	if _, err := f.ReadAt(tail, start); err != nil {
		return "", err
	}
	if int64(len(tail)) == size-start && json.Valid(tail) && bytes.HasSuffix(tail, []byte("}")) {
		_, err := f.Write([]byte("\n"))
		return "", err
	}
	aside, err := os.OpenFile(filepath.Join(dir, "torn-"+now.UTC().Format(rotatedTime)), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(aside, io.NewSectionReader(f, start, size-start))
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return "", err
	}
	if err := errors.Join(syncDir(dir), f.Truncate(start)); err != nil {
		return "", err
	}
	return filepath.Base(aside.Name()), nil
}

// lastLine returns where the line begins that the end of the file cuts off; the
// end itself, when the file ends with a line break.
func lastLine(f *os.File, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for end := size; end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return end - n + int64(i) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	return nil
}
