// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"
)

// broken returns a log whose file descriptor is gone, so that every write and sync
// of it fails, in the operating system and not in a stand-in.
func broken(t *testing.T, l *Log) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); err != nil {
		t.Fatal(err)
	}
}

// waitReady waits until the log can write again.
func waitReady(t *testing.T, l *Log) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); l.Ready() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("Ready() = %v after ten seconds", l.Ready())
		}
	}
}

func TestWriteErrorRefusesUntilItIsOver(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	write(t, l, "a", true)
	broken(t, l)
	r := usual()
	for range 3 {
		if err := l.Write(&r, true); err == nil {
			t.Fatal("Write to a closed file succeeded, want an error")
		}
	}
	if err := l.Ready(); err == nil {
		t.Error("Ready() = nil right after a failed write, want the error")
	}
	// The file is gone for good: the log sets it aside and opens another.
	waitReady(t, l)
	write(t, l, "b", true)
	wantIDs(t, dir, "a", "ResumeAuditLog", "b")
	for rec, err := range Records(dir) {
		if err == nil && rec.EventName == "ResumeAuditLog" {
			var note struct {
				Refused int
				Error   string
				Since   time.Time
			}
			if err := json.Unmarshal(rec.AdditionalEventData, &note); err != nil || note.Refused != 3 || note.Error == "" || !note.Since.Equal(when) {
				t.Errorf("the record of the outage says %s, %v; want three refused", rec.AdditionalEventData, err)
			}
		}
	}
}

func TestSyncErrorReachesWhoWaits(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	write(t, l, "a", false)
	broken(t, l)
	// The record was written and only its sync fails, as does the next one's.
	l.mu.Lock()
	c := l.pending
	l.mu.Unlock()
	l.kickSyncer()
	<-c.done
	if c.err == nil {
		t.Error("a failed sync was reported as done")
	}
	if err := l.Ready(); err == nil {
		t.Error("Ready() = nil right after a failed sync, want the error")
	}
	waitReady(t, l)
	write(t, l, "b", true)
	wantIDs(t, dir, "a", "ResumeAuditLog", "b")
	if got := files(t, dir, "audit-*.log"); len(got) != 1 {
		t.Errorf("set aside are %q, want the one file whose sync failed", got)
	}
}

func TestDirectoryThatVanishes(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, MaxBytes: 1})
	write(t, l, "a", true)
	broken(t, l)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	r := usual()
	for range 3 {
		if err := l.Write(&r, true); err == nil {
			t.Fatal("Write without a directory succeeded, want an error")
		}
		time.Sleep(probeEvery + 10*time.Millisecond)
	}
	if err := l.Ready(); err == nil {
		t.Error("Ready() = nil without a directory, want an error")
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	waitReady(t, l)
	write(t, l, "b", true)
	wantIDs(t, dir, "a", "ResumeAuditLog", "b")
	if err := l.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

func TestCloseReportsAnOutage(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	broken(t, l)
	r := usual()
	if err := l.Write(&r, false); err == nil {
		t.Fatal("Write to a closed file succeeded, want an error")
	}
	if err := l.Close(); err == nil {
		t.Error("Close() = nil during an outage, want the error")
	}
}

// whole reports whether a file has only whole lines of JSON.
func whole(t *testing.T, file string) bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\n")) || !json.Valid(line) {
			return false
		}
	}
	return true
}
