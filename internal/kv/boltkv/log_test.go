// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// logSize returns the number of records in the log and their bytes.
func logSize(t *testing.T, db *DB) (records int, size int64) {
	t.Helper()
	err := db.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketLog).ForEach(func(_, raw []byte) error {
			records++
			size += int64(len(raw))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, size
}

// eventually waits until the log has at most records and checks that its size is what the counters say.
func eventually(t *testing.T, db *DB, records int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		n, size := logSize(t, db)
		if n <= records {
			db.mu.Lock()
			defer db.mu.Unlock()
			if size != db.state.logBytes {
				t.Errorf("log has %d bytes, the counters say %d", size, db.state.logBytes)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("log has %d records, want at most %d", n, records)
		}
	}
}

func TestLogIsTrimmedToItsLength(t *testing.T) {
	db := open(t, Options{LogKeep: 100, NoSync: true})
	var last kv.Revision
	for i := range 1000 {
		last = put(t, db, fmt.Sprint("k", i%10), fmt.Sprint(i))
	}
	eventually(t, db, 100+2*trimStep)
	if _, err := db.Range(t.Context(), "", "", last-100, 0); err != nil {
		t.Errorf("Range() 100 revisions ago = %v, want nil", err)
	}
	if _, err := db.Range(t.Context(), "", "", 1, 0); !errors.Is(err, kv.ErrCompacted) {
		t.Errorf("Range() at the first revision = %v, want ErrCompacted", err)
	}
	consistent(t, db)
}

func TestLogIsTrimmedToItsBytes(t *testing.T) {
	db := open(t, Options{LogBytes: 100 << 10, NoSync: true})
	var last kv.Revision
	for i := range 300 {
		last = put(t, db, fmt.Sprint("k", i%10), strings.Repeat("v", 5<<10)) // 10 KiB each, with the value before
	}
	eventually(t, db, 12)
	if _, err := db.Range(t.Context(), "", "", last-5, 0); err != nil {
		t.Errorf("Range() 5 revisions ago = %v, want nil", err)
	}
	consistent(t, db)
}

func TestLogIsTrimmedAfterReopeningWithLessAndAfterCompact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	db := open(t, Options{Path: path, NoSync: true})
	var last kv.Revision
	for i := range 3000 {
		last = put(t, db, fmt.Sprint("k", i%10), fmt.Sprint(i))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, Options{Path: path, LogKeep: 200, NoSync: true})
	eventually(t, db, 200+trimStep) // without any commit
	if err := db.Compact(t.Context(), last); err != nil {
		t.Fatalf("Compact(%d) = %v, want nil", last, err)
	}
	eventually(t, db, 0)
	if got := consistent(t, db); len(got) != 10 {
		t.Errorf("store has %d keys, want 10", len(got))
	}
}

func TestWatchSlowerThanTheTailReadsTheLog(t *testing.T) {
	db := open(t, Options{NoSync: true})
	n := tailRecords + 1000
	want := 0
	for b, err := range db.Watch(t.Context(), "", "", 0) {
		if err != nil {
			t.Fatalf("Watch() = %v, want nil", err)
		}
		for _, e := range b.Events {
			if string(e.Value) != fmt.Sprint(want) {
				t.Fatalf("event %s at %d, want %d", e.Value, b.Revision, want)
			}
			want++
		}
		if want == n {
			break
		}
		if want > 0 {
			continue
		}
		for i := range n {
			put(t, db, "k", fmt.Sprint(i))
		}
		if got := len(db.tail.records); got != tailRecords {
			t.Fatalf("tail has %d records, want %d", got, tailRecords)
		}
	}
}

func TestWatchThatFellOutOfTheLogIsToldSo(t *testing.T) {
	db := open(t, Options{LogKeep: 50, NoSync: true})
	var last error
	n := 0
	for _, err := range db.Watch(t.Context(), "", "", 0) {
		if last = err; err != nil {
			break
		}
		if n++; n > 1 {
			t.Fatal("the watch goes on, want ErrCompacted")
		}
		for range 300 {
			put(t, db, "k", strings.Repeat("v", tailBytes/200))
		}
	}
	if !errors.Is(last, kv.ErrCompacted) {
		t.Errorf("last error of the watch = %v, want ErrCompacted", last)
	}
}
