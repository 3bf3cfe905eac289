// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// drain returns the event ids of all the lines that are there.
func drain(t testing.TB, tail *Tail) (ids []string) {
	t.Helper()
	for {
		line, err := tail.Next()
		if err == io.EOF {
			return ids
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, idOf(t, line))
	}
}

func idOf(t testing.TB, line []byte) string {
	t.Helper()
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return r.EventID
}

func follow(t testing.TB, dir string, from Place, found bool) *Tail {
	t.Helper()
	tail, got, err := Follow(dir, from)
	if err != nil || got != found {
		t.Fatalf("Follow(%+v) = found %v, %v, want %v", from, got, err, found)
	}
	t.Cleanup(func() { tail.Close() })
	return tail
}

// TestTailReadsEachRecordOnce reads while records are written and files rotate, and
// begins anew at the place where it was at any time.
func TestTailReadsEachRecordOnce(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, MaxBytes: 4 << 10, NoSync: true, Now: time.Now})
	tail := follow(t, dir, Place{}, true)
	const n = 400
	written := make(chan error, 1)
	go func() {
		r := usual()
		for i := range n {
			r.EventID = fmt.Sprintf("0/%03d", i)
			if err := l.Write(&r, false); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	var ids []string
	for deadline := time.Now().Add(20 * time.Second); len(ids) < n && time.Now().Before(deadline); {
		line, err := tail.Next()
		if err == io.EOF {
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, idOf(t, line))
		if rand.IntN(20) == 0 {
			raw, err := json.Marshal(tail.Place())
			if err != nil {
				t.Fatal(err)
			}
			var place Place
			if err := errors.Join(json.Unmarshal(raw, &place), tail.Close()); err != nil {
				t.Fatal(err)
			}
			tail = follow(t, dir, place, true)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if len(ids) != n || len(drain(t, tail)) != 0 {
		t.Errorf("read %d records, want %d", len(ids), n)
	}
	checkOrder(t, ids)
}

func TestTailBeginsBeforeTheLog(t *testing.T) {
	dir := t.TempDir()
	tail := follow(t, dir, Place{}, true)
	if ids := drain(t, tail); len(ids) != 0 {
		t.Errorf("an empty directory has %q", ids)
	}
	l := open(t, Options{Dir: dir, MaxBytes: 1})
	for i := range 3 {
		write(t, l, fmt.Sprint(i), false)
	}
	if ids := drain(t, tail); !slices.Equal(ids, []string{"0", "1", "2"}) {
		t.Errorf("read %q, want all three", ids)
	}
}

// TestEnd: what is written after End was asked is what follows it.
func TestEnd(t *testing.T) {
	dir := t.TempDir()
	if p, err := End(dir); err != nil || p != (Place{}) {
		t.Errorf("End of nothing = %+v, %v", p, err)
	}
	l := open(t, Options{Dir: dir, MaxBytes: 1})
	write(t, l, "a", false)
	for _, id := range []string{"b", "c", "d"} {
		p, err := End(dir)
		if err != nil || !p.Time.Equal(when) {
			t.Fatalf("End = %+v, %v", p, err)
		}
		tail := follow(t, dir, p, true)
		write(t, l, id, false)
		if ids := drain(t, tail); !slices.Equal(ids, []string{id}) {
			t.Errorf("after the end come %q, want %s", ids, id)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, current), 0); err != nil {
		t.Fatal(err)
	}
	if p, err := End(dir); err != nil || p.Offset == 0 {
		t.Errorf("End with an empty current file = %+v, %v, want that of the one before", p, err)
	}
}

// TestPlaceThatIsGone: a place in a removed file goes on with what is left, one
// behind what a machine lost with records from a little before.
func TestPlaceThatIsGone(t *testing.T) {
	dir, now := t.TempDir(), when
	l := open(t, Options{Dir: dir, MaxBytes: 1, Now: func() time.Time { return now }})
	for i := range 6 {
		r := usual()
		r.Time, r.EventID = now, fmt.Sprint(i)
		if err := l.Write(&r, false); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	tail := follow(t, dir, Place{}, true)
	if _, err := tail.Next(); err != nil {
		t.Fatal(err)
	}
	place := tail.Place()
	for _, name := range files(t, dir, "audit-*.log")[:3] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if ids := drain(t, tail); !slices.Equal(ids, []string{"3", "4", "5"}) {
		t.Errorf("an open tail whose file was removed reads %q", ids)
	}
	if tail.Gaps() != 1 {
		t.Errorf("Gaps() = %d, want 1", tail.Gaps())
	}
	if ids := drain(t, follow(t, dir, place, false)); !slices.Equal(ids, []string{"3", "4", "5"}) {
		t.Errorf("a new tail at a place that was removed reads %q", ids)
	}

	place = tail.Place() // behind 5
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, current)
	if err := os.Truncate(name, 100); err != nil { // the last record was never synced
		t.Fatal(err)
	}
	l = open(t, Options{Dir: dir, Now: func() time.Time { return now }})
	for i := range 3 {
		write(t, l, fmt.Sprintf("new %d", i), false)
	}
	ids := drain(t, follow(t, dir, place, false))
	if !slices.Contains(ids, "new 0") || !slices.Contains(ids, "new 2") || slices.Contains(ids, "3") {
		t.Errorf("after a loss, a tail reads %q, want all that is new", ids)
	}
}

// TestTailAndPartsOfLines: part of a line is no line, whether the rest comes or it
// is taken back.
func TestTailAndPartsOfLines(t *testing.T) {
	dir := t.TempDir()
	a, b := usual(), usual()
	a.EventID, b.EventID = "a", "b"
	first, second := string(a.AppendJSON(nil))+"\n", string(b.AppendJSON(nil))+"\n"
	name := filepath.Join(dir, current)
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(first + second[:40])
	tail := follow(t, dir, Place{}, true)
	if ids := drain(t, tail); !slices.Equal(ids, []string{"a"}) {
		t.Errorf("read %q, want a", ids)
	}
	put(first) // taken back
	if ids := drain(t, tail); len(ids) != 0 {
		t.Errorf("read %q, want nothing", ids)
	}
	put(first + strings.Repeat("x", maxLine+5) + "\n" + second)
	if ids := drain(t, tail); !slices.Equal(ids, []string{"b"}) {
		t.Errorf("read %q, want b", ids)
	}
}

// TestBackward compares with Lines, whatever the sizes of files and lines.
func TestBackward(t *testing.T) {
	for _, tt := range []struct {
		name     string
		maxBytes int64
		records  int
		size     int
	}{
		{"none", 0, 0, 0},
		{"one-file", 0, 2000, 0},
		{"many-files", 8 << 10, 300, 0},
		{"lines-longer-than-a-block", 2 << 20, 8, 300 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, Options{Dir: dir, MaxBytes: tt.maxBytes, NoSync: true})
			for i := range tt.records {
				r := usual()
				r.EventID = fmt.Sprint(i)
				for n := 0; n < tt.size; n += 2000 {
					r.Decision.Checks = append(r.Decision.Checks, Check{Resource: strings.Repeat("x", 2000)})
				}
				r.RequestParameters = []byte(`"` + strings.Repeat("y", min(tt.size, 90<<10)) + `"`)
				if err := l.Write(&r, false); err != nil {
					t.Fatal(err)
				}
			}
			f, err := os.OpenFile(filepath.Join(dir, current), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(`{"unfinished`); err != nil {
				t.Fatal(err)
			}
			f.Close()
			var forth, back []string
			for line, err := range Lines(dir, time.Time{}) {
				if err != nil {
					t.Fatal(err)
				}
				forth = append(forth, string(line))
			}
			for line, err := range Backward(dir, time.Time{}) {
				if err != nil {
					t.Fatal(err)
				}
				back = append(back, string(line))
			}
			slices.Reverse(back)
			if !slices.Equal(forth, back) || len(forth) != tt.records {
				t.Errorf("forth %d lines, back %d, want %d, the same", len(forth), len(back), tt.records)
			}
			for range Backward(dir, time.Time{}) {
				break
			}
		})
	}
}
