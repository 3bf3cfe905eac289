// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestKeep writes a record a day, each to a file of its own, and checks which stay.
func TestKeep(t *testing.T) {
	day := 24 * time.Hour
	size := func() int64 { r := usual(); r.EventID = "0"; return int64(len(r.AppendJSON(nil)) + 1) }()
	for _, tt := range []struct {
		name    string
		keep    Keep
		because string
		want    []string // of the records 0 to 5
	}{
		{"all", Keep{}, "", []string{"0", "1", "2", "3", "4", "5"}},
		{"number", Keep{Files: 2}, "number", []string{"3", "4", "5"}},
		{"age", Keep{For: 2 * day}, "age", []string{"2", "3", "4", "5"}},
		{"size", Keep{Bytes: 2 * size}, "size", []string{"4", "5"}},
		{"size-of-nothing", Keep{Bytes: 1}, "size", []string{"5"}},
		{"the-least-of-all", Keep{For: 100 * day, Files: 1, Bytes: 1 << 30}, "number", []string{"4", "5"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, now := t.TempDir(), when
			l := open(t, Options{Dir: dir, MaxBytes: 1, Keep: tt.keep, Now: func() time.Time { return now }})
			for i := range 6 {
				write(t, l, fmt.Sprint(i), false)
				now = now.Add(day)
			}
			ids, errs := read(t, dir)
			notes := len(ids)
			ids = slices.DeleteFunc(ids, func(id string) bool { return id == "PruneAuditLog" })
			if notes -= len(ids); !slices.Equal(ids, tt.want) || len(errs) > 0 {
				t.Errorf("the log has %q, %v, want %q", ids, errs, tt.want)
			}
			if (notes > 0) != (tt.because != "") {
				t.Errorf("the log has %d records of removals", notes)
			}
			for r, err := range Records(dir) {
				if err != nil || r.EventName != "PruneAuditLog" {
					continue
				}
				var note struct {
					Because string
					Files   int
					Removed []string
				}
				if err := json.Unmarshal(r.AdditionalEventData, &note); err != nil || note.Because != tt.because || note.Files != len(note.Removed) || note.Files == 0 {
					t.Errorf("the record of a removal says %s, %v; want because of %s", r.AdditionalEventData, err, tt.because)
				}
				if _, err := os.Stat(filepath.Join(dir, note.Removed[0])); err == nil {
					t.Errorf("%s is still there", note.Removed[0])
				}
			}
		})
	}
}

// TestKeepWhereLittleHappens: files are rotated by age and removed although nothing
// is written, while the log is open and when it is opened.
func TestKeepWhereLittleHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := Options{Dir: dir, Now: time.Now, Keep: Keep{For: 72 * time.Hour}}
		l, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		r := usual()
		r.Time, r.EventID = time.Now(), "a"
		if err := l.Write(&r, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if got := files(t, dir, "audit-*.log"); len(got) != 1 {
			t.Errorf("after a day, rotated files are %q, want one", got)
		}
		wantIDs(t, dir, "a")
		time.Sleep(74 * time.Hour)
		synctest.Wait()
		wantIDs(t, dir, "PruneAuditLog")
		r.Time, r.EventID = time.Now(), "b"
		if err := l.Write(&r, true); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Hour) // nobody looks
		if l, err = Open(o); err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if got := files(t, dir, "audit-*.log"); len(got) == 0 {
			t.Errorf("opened late, rotated files are %q, want the old one to be rotated", got)
		}
	})
}

// TestNothingIsRemovedUnrecorded: when the record of a removal cannot be written,
// the files stay.
func TestNothingIsRemovedUnrecorded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, MaxBytes: 1, Now: fixedNow})
	for i := range 4 {
		write(t, l, fmt.Sprint(i), false)
	}
	broken(t, l)
	l.mu.Lock()
	l.opt.Keep.Files = 1
	l.pruneLocked()
	l.mu.Unlock()
	if got := files(t, dir, "audit-*.log"); len(got) != 3 {
		t.Errorf("rotated files are %q, want all three", got)
	}
}
