// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// A Keep says which rotated files stay. A file that exceeds any of its limits is
// removed, the oldest first; the log has a record of that, written before. The
// zero Keep keeps all.
type Keep struct {
	// For is how long the records of a file stay after it was rotated; 0 means for
	// ever. The current file is rotated when its first record is a day old, so that
	// no record stays more than a day longer, even where little happens.
	For time.Duration

	Files int   // how many rotated files stay; 0 means all
	Bytes int64 // how large all rotated files together may be; 0 means any size
}

const (
	choresEvery = time.Hour
	maxAge      = 24 * time.Hour // of the first record in the current file, with Keep.For
	maxNamed    = 100            // removed files that a record names
)

// startChores removes what need not stay, now and then every hour.
func (l *Log) startChores() {
	if l.opt.Keep == (Keep{}) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chores = time.AfterFunc(choresEvery, l.chore)
	l.tendLocked()
}

func (l *Log) chore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.tendLocked()
	l.chores.Reset(choresEvery)
}

// tendLocked rotates a current file that has become old, and removes rotated files
// that need not stay. While the log cannot write, it waits for the next time.
func (l *Log) tendLocked() {
	if l.readyLocked() != nil {
		return
	}
	if l.opt.Keep.For > 0 && !l.began.IsZero() && l.opt.Now().Sub(l.began) >= min(maxAge, l.opt.Keep.For) {
		if err := l.rotateLocked(); err != nil {
			_ = l.failLocked(err)
		}
		return // which has removed what need not stay
	}
	l.pruneLocked()
}

// pruneLocked removes the rotated files that need not stay, after a record of
// that. What cannot be removed now is tried again the next time.
func (l *Log) pruneLocked() {
	if l.opt.Keep == (Keep{}) {
		return
	}
	files, err := rotatedFiles(l.opt.Dir)
	if err != nil {
		l.opt.Log.Error("audit: cannot list rotated files", "error", err)
		return
	}
	n, why := l.opt.Keep.excess(l.opt.Dir, files, l.opt.Now())
	if n == 0 {
		return
	}
	note := `{"files":` + strconv.Itoa(n) + `,"because":"` + why + `","removed":[`
	for i, f := range files[:min(n, maxNamed)] {
		if i > 0 {
			note += ","
		}
		note += strconv.Quote(f.name)
	}
	if err := l.noteLocked("PruneAuditLog", note+"]}"); err != nil {
		_ = l.failLocked(err)
		return
	}
	l.armed = true
	l.kickSyncer()
	for _, f := range files[:n] {
		if err := os.Remove(filepath.Join(l.opt.Dir, f.name)); err != nil {
			l.opt.Log.Error("audit: cannot remove a rotated file", "error", err)
			return
		}
	}
	l.opt.Log.Info("audit: removed rotated files", "files", n, "because", why)
}

// excess returns how many of the rotated files, oldest first, need not stay, and
// which limit says so of the last of them.
func (k Keep) excess(dir string, files []rotated, now time.Time) (n int, why string) {
	if k.Files > 0 && len(files) > k.Files {
		n, why = len(files)-k.Files, "number"
	}
	if k.For > 0 {
		for n < len(files) && now.Sub(files[n].time) > k.For {
			n, why = n+1, "age"
		}
	}
	if k.Bytes <= 0 {
		return n, why
	}
	var sum int64
	for i := len(files) - 1; i >= n; i-- {
		info, err := os.Stat(filepath.Join(dir, files[i].name))
		if err != nil {
			continue
		}
		if sum += info.Size(); sum > k.Bytes {
			return i + 1, "size"
		}
	}
	return n, why
}

// firstTime returns the time of the first record of a file, or the given one when
// it has none.
func firstTime(f *os.File, or time.Time) time.Time {
	head := make([]byte, nearly)
	n, _ := f.ReadAt(head, 0)
	line, _, ok := bytes.Cut(head[:n], []byte("\n"))
	var r struct {
		Time time.Time `json:"eventTime"`
	}
	if !ok || json.Unmarshal(line, &r) != nil || r.Time.IsZero() || r.Time.After(or) {
		return or
	}
	return r.Time
}
