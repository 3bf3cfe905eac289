// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func fixedNow() time.Time { return when }

func open(t testing.TB, o Options) *Log {
	t.Helper()
	if o.Now == nil {
		o.Now = fixedNow
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func write(t testing.TB, l *Log, id string, durable bool) {
	t.Helper()
	r := usual()
	r.EventID = id
	if err := l.Write(&r, durable); err != nil {
		t.Fatalf("Write(%s) = %v", id, err)
	}
}

// read returns the event ids of the records in dir, the log's own by their name,
// and the errors.
func read(t testing.TB, dir string) (ids []string, errs []error) {
	t.Helper()
	for r, err := range Records(dir) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case r.EventSource == "innkeeper":
			ids = append(ids, r.EventName)
		default:
			ids = append(ids, r.EventID)
		}
	}
	return ids, errs
}

// files returns the names in dir that match pattern.
func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	return names
}

func wantIDs(t testing.TB, dir string, want ...string) {
	t.Helper()
	got, errs := read(t, dir)
	if !slices.Equal(got, want) || len(errs) > 0 {
		t.Errorf("the log has %q, %v; want %q", got, errs, want)
	}
}

func TestWritesSurviveReopening(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "open")
	l := open(t, Options{Dir: dir})
	if err := l.Ready(); err != nil {
		t.Errorf("Ready() = %v, want nil", err)
	}
	write(t, l, "a", true)
	write(t, l, "b", false)
	wantIDs(t, dir, "a", "b") // b is with the operating system already
	if err := l.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	l = open(t, Options{Dir: dir})
	write(t, l, "c", true)
	wantIDs(t, dir, "a", "b", "c")
	r := usual()
	r.EventID = "c"
	for got, err := range Records(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if got.EventID == "c" && !reflect.DeepEqual(got, r) {
			t.Errorf("Records gives %+v, want %+v", got, r)
		}
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	l := open(t, Options{Dir: dir, MaxBytes: 1})
	write(t, l, "a", true)
	write(t, l, "b", true)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, current), 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
	for name, want := range map[string]os.FileMode{".": 0o700, current: 0o600, "audit.lock": 0o600, files(t, dir, "audit-*")[0]: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s = %o, want %o", name, got, want)
		}
	}
}

func TestClosedLogRefuses(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	write(t, l, "a", false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := usual()
	for name, err := range map[string]error{"Write": l.Write(&r, true), "Ready": l.Ready(), "Close": l.Close()} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close = %v, want ErrClosed", name, err)
		}
	}
	wantIDs(t, dir, "a")
}

func TestOnlyOneMayWrite(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second Open = %v, want a refusal", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(dir, current)); err != nil {
		t.Skip(err)
	}
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("Open over a device = %v, want a refusal", err)
	}
	if _, err := Open(Options{Dir: filepath.Join(dir, current, "x")}); err == nil {
		t.Error("Open below a device succeeded, want an error")
	}
}

// TestRepair cuts a log within its last record, as a crash may: no earlier record is lost, and none is merged with the next.
func TestRepair(t *testing.T) {
	first, last := usual(), usual()
	first.EventID, last.EventID = "first", "last"
	head := string(first.AppendJSON(nil)) + "\n"
	tail := string(last.AppendJSON(nil)) + "\n"
	for n := range len(tail) + 1 {
		if n > 3 && n < len(tail)-3 && n%17 != 0 {
			continue // each case syncs several times
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, current), []byte(head+tail[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, Options{Dir: dir})
		write(t, l, "next", false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		want, torn := []string{"first", "RepairAuditLog", "next"}, 1
		switch n {
		case 0:
			want, torn = []string{"first", "next"}, 0
		case len(tail) - 1, len(tail):
			want, torn = []string{"first", "last", "next"}, 0
		}
		wantIDs(t, dir, want...)
		aside := files(t, dir, "torn-*")
		if len(aside) != torn {
			t.Fatalf("cut after %d bytes: files %q, want %d", n, aside, torn)
		}
		if torn == 1 {
			if b, err := os.ReadFile(filepath.Join(dir, aside[0])); err != nil || string(b) != tail[:n] {
				t.Fatalf("cut after %d bytes: %q was moved aside, %v", n, b, err)
			}
		}
	}
}

func TestRepairOfALongTail(t *testing.T) {
	dir := t.TempDir()
	first := usual()
	first.EventID = "first"
	zeros := strings.Repeat("\x00", 200<<10) // what some file systems leave
	if err := os.WriteFile(filepath.Join(dir, current), []byte(string(first.AppendJSON(nil))+"\n"+zeros), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
	wantIDs(t, dir, "first", "RepairAuditLog")

	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, current), []byte(zeros), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
	wantIDs(t, dir, "RepairAuditLog")
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	r := usual()
	r.EventID = "00"
	size := int64(len(r.AppendJSON(nil)) + 1)
	l := open(t, Options{Dir: dir, MaxBytes: 3 * size})
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprintf("%02d", i))
		write(t, l, want[i], i%2 == 0)
		wantIDs(t, dir, want...)
	}
	names := files(t, dir, "audit-*.log")
	if len(names) != 3 || names[0] != "audit-20260304T050607.000000000Z.log" || names[2] != "audit-20260304T050607.000000002Z.log" {
		t.Errorf("rotated files are %q, want three that differ though the clock stands still", names)
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() != 3*size {
			t.Errorf("%s has %d bytes, %v; want %d", name, info.Size(), err, 3*size)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	// A clock that went back gives later names all the same.
	l = open(t, Options{Dir: dir, MaxBytes: size, Now: func() time.Time { return when.Add(-time.Hour) }})
	write(t, l, "10", false)
	wantIDs(t, dir, append(want, "10")...)
	if got := files(t, dir, "audit-*.log"); len(got) != 4 || got[3] != "audit-20260304T050607.000000003Z.log" {
		t.Errorf("rotated files are %q", got)
	}
}

func TestRotationThatCannotRenameGoesOn(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, MaxBytes: 1})
	write(t, l, "a", true)
	// A directory in the place of the next rotated file makes the renaming fail.
	blocker := filepath.Join(dir, rotatedPrefix+when.Format(rotatedTime)+rotatedSuffix, "x")
	if err := os.MkdirAll(blocker, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, l, "b", true)
	if err := os.RemoveAll(filepath.Dir(blocker)); err != nil {
		t.Fatal(err)
	}
	write(t, l, "c", true)
	wantIDs(t, dir, "a", "b", "c")
	if got := files(t, dir, "audit-*.log"); len(got) != 1 {
		t.Errorf("rotated files are %q, want one", got)
	}
}

func TestUndurableWritesAreSyncedWithinASecond(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l, err := Open(Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		synced := func() bool { l.mu.Lock(); defer l.mu.Unlock(); return !l.armed }
		write(t, l, "a", false)
		if synced() {
			t.Error("no sync is on its way after a write")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !synced() {
			t.Error("a second later, no sync was made")
		}
	})
}

func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, MaxBytes: 20 << 10, Now: time.Now})
	const writers, each = 8, 60
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				write(t, l, fmt.Sprintf("%d/%03d", w, i), i%4 == 0)
			}
		})
	}
	reading := make(chan struct{})
	go func() { // reads while files rotate: what it sees is whole and in order
		defer close(reading)
		for range 5 {
			ids, errs := read(t, dir)
			checkOrder(t, ids)
			if len(errs) > 0 {
				t.Errorf("reading while writing: %v", errs)
			}
		}
	}()
	all.Wait()
	<-reading
	ids, errs := read(t, dir)
	if len(ids) != writers*each || len(errs) > 0 {
		t.Errorf("the log has %d records, %v; want %d", len(ids), errs, writers*each)
	}
	checkOrder(t, ids)
}

// checkOrder checks that each writer's records are there from the first on, once
// and in order.
func checkOrder(t testing.TB, ids []string) {
	t.Helper()
	next := map[string]int{}
	for _, id := range ids {
		w, _, _ := strings.Cut(id, "/")
		if want := fmt.Sprintf("%s/%03d", w, next[w]); id != want {
			t.Errorf("record %s comes where %s should", id, want)
			return
		}
		next[w]++
	}
}

func TestRecordsGoesOnAfterABadLine(t *testing.T) {
	dir := t.TempDir()
	a, b, c := usual(), usual(), usual()
	a.EventID, b.EventID, c.EventID = "a", "b", "c"
	rotatedName := rotatedPrefix + when.Format(rotatedTime) + rotatedSuffix
	for name, text := range map[string]string{
		rotatedName:            string(a.AppendJSON(nil)) + "\n{\"eventTime\":7}\n" + strings.Repeat("x", maxLine+10) + "\n" + `{"cut`,
		current:                string(b.AppendJSON(nil)) + "\n\n" + string(c.AppendJSON(nil)) + "\n" + `{"being written`,
		"audit-x.log":          "not a rotated file",
		"torn-20260304T050607": "neither",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ids, errs := read(t, dir)
	if want := []string{"a", "b", "c"}; !slices.Equal(ids, want) {
		t.Errorf("Records gives %q, want %q", ids, want)
	}
	var at []string
	for _, err := range errs {
		line, ok := errors.AsType[*LineError](err)
		if !ok {
			t.Fatalf("Records gives %v, want a *LineError", err)
		}
		at = append(at, fmt.Sprintf("%s:%d", line.File, line.Line))
	}
	if want := []string{rotatedName + ":2", rotatedName + ":3", rotatedName + ":4", current + ":2"}; !slices.Equal(at, want) {
		t.Errorf("bad lines are %q, want %q", at, want)
	}
	for range Records(dir) { // stopping early is fine
		break
	}
	if ids, errs := read(t, filepath.Join(dir, "none")); len(ids) != 0 || len(errs) != 1 {
		t.Errorf("Records of no directory gives %q, %v; want one error", ids, errs)
	}
}

// TestRecordsReadsAFileOnce covers a rotation that comes between the opening of
// the current file and the listing of the rotated ones.
func TestRecordsReadsAFileOnce(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	write(t, l, "a", true)
	name := filepath.Join(dir, rotatedPrefix+when.Format(rotatedTime)+rotatedSuffix)
	if err := os.Link(filepath.Join(dir, current), name); err != nil {
		t.Skip(err)
	}
	wantIDs(t, dir, "a")
}

func BenchmarkWrite(b *testing.B) {
	for _, durable := range []bool{false, true} {
		for _, writers := range []int{1, 16} {
			b.Run(fmt.Sprintf("durable=%v/writers=%d", durable, writers), func(b *testing.B) {
				l := open(b, Options{Dir: b.TempDir()})
				r := usual()
				b.ReportAllocs()
				b.ResetTimer()
				var all sync.WaitGroup
				for range writers {
					all.Go(func() {
						for range b.N/writers + 1 {
							if err := l.Write(&r, durable); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
			})
		}
	}
}

func BenchmarkReady(b *testing.B) {
	l := open(b, Options{Dir: b.TempDir()})
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Ready(); err != nil {
			b.Fatal(err)
		}
	}
}
