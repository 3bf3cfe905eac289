// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/kvtest"
)

func TestConformance(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.DB { return open(t, Options{}) })
}

// open opens a store in a new directory, or at o.Path.
func open(t testing.TB, o Options) *DB {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "store")
	}
	db, err := Open(o)
	if err != nil {
		t.Fatalf("Open(%q) = %v, want nil", o.Path, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	return db
}

func put(t testing.TB, db kv.DB, key, value string) kv.Revision {
	t.Helper()
	rev, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: key, Value: []byte(value)}}})
	if err != nil {
		t.Fatalf("Commit(%s) = %v, want nil", key, err)
	}
	return rev
}

// consistent checks that the log leads from the earliest revision to the latest values, and returns those.
func consistent(t *testing.T, db *DB) map[string]string {
	t.Helper()
	db.mu.Lock()
	st := db.state
	db.mu.Unlock()
	at := max(st.compacted, 1)
	folded := entries(t, db, at)
	want := entries(t, db, 0)
	if at < st.revision {
		for b, err := range db.Watch(t.Context(), "", "", at) {
			if err != nil {
				t.Fatalf("Watch(after %d) = %v, want nil", at, err)
			}
			for _, e := range b.Events {
				if folded[e.Key] = fmt.Sprintf("%s@%d", e.Value, b.Revision); e.Deleted {
					delete(folded, e.Key)
				}
			}
			if b.Revision >= st.revision {
				break
			}
		}
	}
	if !maps.Equal(folded, want) {
		t.Fatalf("revision %d and the log until %d make %d keys that differ from the %d of the latest",
			at, st.revision, len(folded), len(want))
	}
	return want
}

func entries(t *testing.T, db *DB, rev kv.Revision) map[string]string {
	t.Helper()
	page, err := db.Range(t.Context(), "", "", rev, 0)
	if err != nil {
		t.Fatalf("Range(at %d) = %v, want nil", rev, err)
	}
	out := map[string]string{}
	for _, e := range page.Entries {
		out[e.Key] = fmt.Sprintf("%s@%d", e.Value, e.Modified)
	}
	return out
}

func TestReopenContinuesWhereItWasClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	first := open(t, Options{Path: path})
	r1 := put(t, first, "a", "1")
	r2 := put(t, first, "a", "2")
	if err := first.Compact(t.Context(), r1); err != nil {
		t.Fatalf("Compact(%d) = %v, want nil", r1, err)
	}
	if err := first.Close(); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	second := open(t, Options{Path: path})
	if r3 := put(t, second, "b", "3"); r3 != r2+1 {
		t.Errorf("first revision after reopening = %d, want %d", r3, r2+1)
	}
	if got := entries(t, second, r1); !maps.Equal(got, map[string]string{"a": fmt.Sprintf("1@%d", r1)}) {
		t.Errorf("range at %d = %v, want a as it was", r1, got)
	}
	if _, err := second.Range(t.Context(), "", "", r1-1, 0); !errors.Is(err, kv.ErrCompacted) {
		t.Errorf("Range(at %d) = %v, want ErrCompacted as before", r1-1, err)
	}
	consistent(t, second)
}

func TestFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	db := open(t, Options{})
	info, err := os.Stat(db.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file = %v, %v, want 0600", info.Mode(), err)
	}
}

func TestOpenRefusesWhatIsInUse(t *testing.T) {
	db := open(t, Options{})
	start := time.Now()
	_, err := Open(Options{Path: db.path})
	if err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("Open(open file) = %v, want that it is in use", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("Open(open file) took %v, want about a second", took)
	}
}

func TestOpenRefusesWhatIsNoStore(t *testing.T) {
	boltFile := func(change func(*bbolt.Tx) error) func(string) error {
		return func(path string) error {
			b, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(b.Update(change), b.Close())
		}
	}
	inStore := func(change func(*bbolt.Tx) error) func(string) error {
		return func(path string) error {
			db, err := Open(Options{Path: path})
			if err != nil {
				return err
			}
			return errors.Join(db.Close(), boltFile(change)(path))
		}
	}
	for _, test := range []struct {
		name, want string
		make       func(path string) error
	}{
		{"a-text-file", "is not a store", func(path string) error {
			return os.WriteFile(path, bytes.Repeat([]byte("text\n"), 4000), 0o600)
		}},
		{"another-database", "not a store", boltFile(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("other"))
			return err
		})},
		{"a-later-format", `format "2"`, inStore(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketMeta).Put(keyFormat, []byte("2"))
		})},
		{"without-counters", "damaged", inStore(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketMeta).Delete(keyState)
		})},
		{"without-a-log", "damaged", inStore(func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketLog) })},
		{"a-directory", "directory", func(path string) error { return os.Mkdir(path, 0o700) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			if _, err := Open(Options{Path: path}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open(%s) = %v, want an error with %q", test.name, err, test.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Errorf("Open(%s) changed the file", test.name)
			}
		})
	}
	if _, err := Open(Options{}); err == nil {
		t.Error("Open(no path) = nil, want an error")
	}
	if _, err := Open(Options{Path: filepath.Join(t.TempDir(), "no", "such", "store")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open(no such directory) = %v, want os.ErrNotExist", err)
	}
}

func TestCopyIsAStoreOfOneMoment(t *testing.T) {
	db := open(t, Options{NoSync: true})
	for i := range 500 {
		put(t, db, fmt.Sprint("k", i%50), strings.Repeat("v", i))
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			put(t, db, fmt.Sprint("k", i%50), fmt.Sprint(i))
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for range 10 {
		var buf bytes.Buffer
		n, err := db.WriteTo(&buf)
		if err != nil || n != int64(buf.Len()) {
			t.Fatalf("WriteTo() = %d, %v, want %d, nil", n, err, buf.Len())
		}
		path := filepath.Join(t.TempDir(), "copy")
		if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := consistent(t, open(t, Options{Path: path})); len(got) != 50 {
			t.Errorf("copy has %d keys, want 50", len(got))
		}
	}
	close(stop)
	<-stopped
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.WriteTo(&bytes.Buffer{}); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("WriteTo() after Close = %v, want ErrClosed", err)
	}
}

func FuzzChanges(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendChange(appendChange(nil, change{key: []byte("a"), value: []byte("1")}), change{
		key: []byte("b"), deleted: true, modified: 300, previous: []byte("0"),
	}))
	f.Add([]byte{1, 'a', 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var first []change
		var again []byte
		for c, err := range changes(raw) {
			if err != nil {
				return // refused is fine, as long as it ends
			}
			if c.modified == 0 && c.previous != nil {
				return // a revision of 0 is never written
			}
			first = append(first, c)
			again = appendChange(again, c)
		}
		var second []change
		for c, err := range changes(again) {
			if err != nil {
				t.Fatalf("changes(%x) = %v, want what %x holds", again, err, raw)
			}
			second = append(second, c)
		}
		if fmt.Sprint(first) != fmt.Sprint(second) {
			t.Fatalf("changes(%x) = %v, want %v", again, second, first)
		}
	})
}
