// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNearlyFullDisk runs in a child with a small file system of its own.
func TestNearlyFullDisk(t *testing.T) {
	cmd := child(t, "nearly full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	refused := errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOSPC)
	if refused || strings.HasPrefix(string(out), "mount:") {
		t.Skipf("this system lets us make no file system: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

func nearlyFullChild(dir string) error {
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	l, err := Open(Options{Dir: dir})
	if err != nil {
		return err
	}
	// Something else fills the disk.
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	for chunk := make([]byte, 4096); err == nil; {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	r := usual()
	line := int64(len(r.AppendJSON(nil)) + 1)
	let := int64(0)
	for l.Ready() == nil {
		if err := l.Write(&r, let%50 == 0); err != nil {
			return fmt.Errorf("a record was refused that Ready had let in: %w", err)
		}
		if let++; let*line > 2*reserveStep {
			return errors.New("Ready() = nil on a full disk")
		}
	}
	// Many requests may have asked before.
	late := int64(reserveLow*9/10) / line
	for range late {
		if err := l.Write(&r, false); err != nil {
			return fmt.Errorf("a record of a request under way was refused: %w", err)
		}
	}
	if l.Ready() == nil {
		return errors.New("Ready() = nil on a full disk, later")
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); l.Ready() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("Ready() = %w with room again", l.Ready())
		}
	}
	if err := l.Write(&r, true); err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	n := int64(0)
	for _, err := range Records(dir) {
		if err != nil {
			return err
		}
		n++
	}
	if want := let + late + 1; n != want {
		return fmt.Errorf("the log has %d records, want %d", n, want)
	}
	var info syscall.Stat_t
	if err := syscall.Stat(filepath.Join(dir, current), &info); err != nil {
		return err
	}
	if spare := info.Blocks*512 - info.Size; spare > 64<<10 {
		return fmt.Errorf("a closed log keeps %d bytes set aside", spare)
	}
	fmt.Printf("%d records let in, %d more written", let, late)
	return nil
}
