// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSince: whatever the size of a record and of a file, all records from a time
// on are read, and of a long log not much more.
func TestSince(t *testing.T) {
	for _, tt := range []struct {
		name    string
		records int
		size    int   // of each record, more or less
		file    int64 // MaxBytes
	}{
		{"one-short-file", 20, 100, 0},
		{"one-long-file", 3000, 1000, 0},
		{"many-files", 3000, 1000, 300 << 10},
		{"records-longer-than-a-search-is-worth", 100, 90 << 10, 1 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			now := when
			l := open(t, Options{Dir: dir, MaxBytes: tt.file, Now: func() time.Time { return now }})
			for i := range tt.records {
				r := usual()
				now = when.Add(time.Duration(i) * time.Minute)
				r.Time, r.EventID = now, fmt.Sprint(i)
				r.RequestParameters = []byte(`{"x":"` + strings.Repeat("x", tt.size%2000) + `"}`)
				for range tt.size / 2000 {
					r.Resources = append(r.Resources, Resource{ARN: strings.Repeat("x", 2000)})
				}
				if err := l.Write(&r, false); err != nil {
					t.Fatal(err)
				}
			}
			for _, from := range []int{0, 1, 2, 5, tt.records / 2, tt.records - 3, tt.records - 1, tt.records + 10} {
				var ids []string
				for r, err := range Since(dir, when.Add(time.Duration(from)*time.Minute)) {
					if err != nil {
						t.Fatal(err)
					}
					ids = append(ids, r.EventID)
				}
				for i := from; i < tt.records; i++ {
					if !slices.Contains(ids[max(0, len(ids)-(tt.records-from)):], fmt.Sprint(i)) {
						t.Fatalf("Since(minute %d) lacks record %d", from, i)
					}
				}
				extra := len(ids) - max(0, tt.records-from)
				if most := 10 + (nearly+int(min(100<<10, tt.size)))*2/max(tt.size, 500); extra > most {
					t.Errorf("Since(minute %d) of %d records = %d of them too early, want at most %d", from, tt.records, extra, most)
				}
			}
		})
	}
}

// TestWritten: who asks to be told of records is told of those that were written,
// once each.
func TestWritten(t *testing.T) {
	var mu sync.Mutex
	var told []string
	l := open(t, Options{Dir: t.TempDir(), Written: func(r *Record) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, r.EventID)
	}})
	write(t, l, "one", false)
	write(t, l, "two", true)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := usual()
	if err := l.Write(&r, false); err == nil {
		t.Error("Write after Close = nil")
	}
	if !slices.Equal(told, []string{"one", "two"}) {
		t.Errorf("told of %v, want one and two", told)
	}
}
