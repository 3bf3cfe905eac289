// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

// A memory keeps what it is sent. fail says why it does not; nil: it never fails.
type memory struct {
	fail func(attempt int, lines [][]byte) error

	mu       sync.Mutex // guards below
	ids      []string
	attempts []time.Time
	most     int // lines at once
}

func (m *memory) Send(_ context.Context, lines [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts = append(m.attempts, time.Now())
	if m.fail != nil {
		if err := m.fail(len(m.attempts), lines); err != nil {
			return err
		}
	}
	for _, line := range lines {
		m.ids = append(m.ids, idOf(line))
	}
	m.most = max(m.most, len(lines))
	return nil
}

func (m *memory) Close() error { return nil }

func (m *memory) got() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ids)
}

func idOf(line []byte) string {
	var r audit.Record
	if json.Unmarshal(line, &r) != nil {
		return "not a record"
	}
	return r.EventID
}

func openLog(t testing.TB, dir string, o audit.Options) *audit.Log {
	t.Helper()
	o.Dir, o.NoSync = dir, true
	l, err := audit.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func write(t testing.TB, l *audit.Log, ids ...string) {
	t.Helper()
	for _, id := range ids {
		r := audit.Record{Time: time.Now(), EventName: "GetObject", EventID: id, UserAgent: strings.Repeat("x", 100)}
		if err := l.Write(&r, false); err != nil {
			t.Fatal(err)
		}
	}
}

func numbers(from, to int) (ids []string) {
	for i := from; i < to; i++ {
		ids = append(ids, fmt.Sprint(i))
	}
	return ids
}

func start(t testing.TB, o Options) *Sink {
	t.Helper()
	o.Name = "test"
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestEachRecordArrives across rotations, restarts and failures, in order and,
// where nothing went wrong, once.
func TestEachRecordArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, file := t.TempDir(), filepath.Join(t.TempDir(), "place")
		l := openLog(t, dir, audit.Options{MaxBytes: 20 << 10})
		write(t, l, "before the sink")
		to := new(memory)
		s := start(t, Options{Dir: dir, File: file, To: to})
		write(t, l, numbers(0, 1200)...)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := to.got(); !slices.Equal(got, numbers(0, 1200)) {
			t.Fatalf("%d records arrived, want 1200 in order", len(got))
		}
		if to.most > maxLines {
			t.Errorf("%d lines came at once", to.most)
		}
		if st := s.Status(); st.Sent != 1200 || st.Lag != 0 || st.Err != nil || st.Failures != 0 {
			t.Errorf("Status() = %+v", st)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		write(t, l, numbers(1200, 1300)...) // while no sink runs
		s = start(t, Options{Dir: dir, File: file, To: to})
		time.Sleep(time.Second)
		write(t, l, numbers(1300, 1310)...)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := to.got(); !slices.Equal(got, numbers(0, 1310)) {
			t.Fatalf("after a restart, %d records have arrived, want 1310", len(got))
		}

		to.fail = func(int, [][]byte) error { return errors.New("away") }
		write(t, l, numbers(1310, 1320)...)
		time.Sleep(time.Second)
		if err := s.Close(); err != nil { // in the middle of trying
			t.Fatal(err)
		}
		to.fail = nil
		start(t, Options{Dir: dir, File: file, To: to})
		time.Sleep(time.Second)
		synctest.Wait()
		if got := to.got(); !slices.Equal(got, numbers(0, 1320)) {
			t.Fatalf("after an outage over a restart, %d records have arrived, want 1320", len(got))
		}
	})
}

// TestBackoff: attempts come later and later, but at least every five minutes, the
// log says that the sink is behind and that it has caught up, and metrics have the
// lag.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var logged bytes.Buffer
		l := openLog(t, dir, audit.Options{})
		const fails = 15
		to := &memory{fail: func(attempt int, _ [][]byte) error {
			if attempt <= fails {
				return errors.New("away")
			}
			return nil
		}}
		s := start(t, Options{Dir: dir, File: filepath.Join(t.TempDir(), "place"), To: to, Log: slog.New(slog.NewTextHandler(&logged, nil))})
		write(t, l, "a", "b")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if st := s.Status(); st.Lag < 9*time.Minute || st.Err == nil || st.Failures == 0 {
			t.Errorf("Status() while the other end is away = %+v", st)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if got := to.got(); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("arrived are %q", got)
		}
		if st := s.Status(); st.Lag != 0 || st.Err != nil || st.Failures != fails || st.Sent != 2 {
			t.Errorf("Status() = %+v", st)
		}
		for i, at := range to.attempts[1:] {
			want := min(firstWait<<i, maxWait)
			if wait := at.Sub(to.attempts[i]); wait < want/2 || wait > want+time.Millisecond {
				t.Errorf("attempt %d comes %v after the one before, want %v to %v", i+2, wait, want/2, want)
			}
		}
		for _, part := range []string{"audit sink is behind", "error=away", "lag=", "has caught up"} {
			if !strings.Contains(logged.String(), part) {
				t.Errorf("the log does not say %q:\n%s", part, &logged)
			}
		}
		if n := strings.Count(logged.String(), "\n"); n > 4 {
			t.Errorf("the log has %d lines about it:\n%s", n, &logged)
		}
	})
}

// TestOneEndSaysHow: the other end may ask for fewer lines, and for time.
func TestOneEndSaysHow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := openLog(t, dir, audit.Options{})
		begin := time.Now()
		to := &memory{fail: func(attempt int, lines [][]byte) error {
			if len(lines) > 3 {
				return &RetryError{Err: errors.New("too large"), Fewer: true}
			}
			if time.Since(begin) < time.Minute {
				return &RetryError{Err: errors.New("busy"), After: 2 * time.Minute}
			}
			return nil
		}}
		place := filepath.Join(t.TempDir(), "place")
		if err := save(place, audit.Place{}); err != nil {
			t.Fatal(err)
		}
		write(t, l, numbers(0, 20)...)
		start(t, Options{Dir: dir, File: place, To: to})
		time.Sleep(time.Minute + 50*time.Second)
		synctest.Wait()
		if got := to.got(); len(got) != 0 {
			t.Errorf("%q came before the time that was asked for", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := to.got(); !slices.Equal(got, numbers(0, 20)) || to.most > 3 {
			t.Errorf("arrived are %q, %d at once, want 20 and at most 3", got, to.most)
		}
	})
}

// TestRemovedBeforeTheyWereSent is told.
func TestRemovedBeforeTheyWereSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var logged bytes.Buffer
		l := openLog(t, dir, audit.Options{MaxBytes: 1, Keep: audit.Keep{Files: 1}})
		place := filepath.Join(t.TempDir(), "place")
		to := new(memory)
		s := start(t, Options{Dir: dir, File: place, To: to})
		write(t, l, "a")
		time.Sleep(time.Second)
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, l, numbers(0, 10)...)
		start(t, Options{Dir: dir, File: place, To: to, Log: slog.New(slog.NewTextHandler(&logged, nil))})
		time.Sleep(time.Second)
		synctest.Wait()
		if got := to.got(); !slices.Contains(got, "9") || slices.Contains(got, "3") {
			t.Errorf("arrived are %q", got)
		}
		if !strings.Contains(logged.String(), "records may be missing") {
			t.Errorf("the log says nothing of it: %s", &logged)
		}
	})
}

func TestStartRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "place")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"a-place-that-cannot-be-read": {Dir: dir, File: file},
		"no-log":                      {Dir: filepath.Join(dir, "none"), File: filepath.Join(dir, "other")},
	} {
		if s, err := Start(o); err == nil {
			t.Errorf("%s: Start = %v, want an error", name, s)
		}
	}
}
