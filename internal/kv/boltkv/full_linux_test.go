// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// TestFullDisk puts a device that is always full in the place of the open file, and takes it away again.
func TestFullDisk(t *testing.T) {
	var file *os.File
	db := open(t, Options{openFile: func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}})
	before := put(t, db, "a", "1")
	fd := int(file.Fd())
	good, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	full, err := syscall.Open("/dev/full", syscall.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Dup3(full, fd, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, err = db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a", Value: []byte("2")}, {Key: "b"}}})
		if !errors.Is(err, syscall.ENOSPC) || errors.Is(err, kv.ErrUnknown) {
			t.Errorf("Commit() on a full disk = %v, want that there is no space, and certain", err)
		}
	}
	if got := entries(t, db, 0); len(got) != 1 {
		t.Errorf("store on a full disk = %v, want a only", got)
	}
	if err := syscall.Dup3(good, fd, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if rev := put(t, db, "b", "3"); rev != before+1 {
		t.Errorf("first commit when there is space again = %d, want %d", rev, before+1)
	}
	for _, fd := range []int{good, full} {
		if err := syscall.Close(fd); err != nil {
			t.Fatal(err)
		}
	}
	if got := consistent(t, db); len(got) != 2 {
		t.Errorf("store = %v, want a and b", got)
	}
}
