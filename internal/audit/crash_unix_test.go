// SPDX-License-Identifier: Apache-2.0

//go:build unix

package audit

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// childEnv tells the test binary to be a child: "crash", "full" or "nearly full",
// with the directory in dirEnv.
const (
	childEnv = "INNKEEPER_AUDIT_TEST_CHILD"
	dirEnv   = "INNKEEPER_AUDIT_TEST_DIR"
	killsEnv = "INNKEEPER_AUDIT_TEST_KILLS" // how often to kill; 40 when empty
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "crash":
		crashChild(os.Getenv(dirEnv))
	case "full":
		if err := fullChild(os.Getenv(dirEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "nearly full":
		if err := nearlyFullChild(os.Getenv(dirEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, what, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+what, dirEnv+"="+dir)
	return cmd
}

// crashChild writes records for ever and prints the id of each that was
// acknowledged.
func crashChild(dir string) {
	l, err := Open(Options{Dir: dir, MaxBytes: 16 << 10})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("open")
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			r := usual()
			r.UserAgent = strings.Repeat("x", w*300)
			for i := 0; ; i++ {
				r.EventID = fmt.Sprintf("%d-%d/%03d", os.Getpid(), w, i)
				if err := l.Write(&r, w%2 == 0); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				os.Stdout.WriteString(r.EventID + "\n")
			}
		})
	}
	all.Wait()
}

// TestKilledProcessLosesNothingAcknowledged kills a writing process again and
// again, at any moment, over one directory.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	kills := 40
	if s := os.Getenv(killsEnv); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	} else if testing.Short() {
		kills = 5
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for range kills {
		cmd := child(t, "crash", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || lines.Text() != "open" {
			t.Fatalf("the child says %q", lines.Text())
		}
		time.AfterFunc(time.Duration(rand.IntN(40))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "error") {
				t.Fatal(lines.Text())
			}
			if strings.Count(lines.Text(), "/") == 1 {
				acknowledged[lines.Text()] = true
			}
		}
		_ = cmd.Wait()
	}
	l := open(t, Options{Dir: dir, Now: time.Now}) // repairs what the last one left
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ids, errs := read(t, dir)
	if len(errs) > 0 {
		t.Errorf("bad lines: %v", errs)
	}
	var records []string
	there := map[string]bool{}
	for _, id := range ids {
		if strings.Contains(id, "/") {
			records, there[id] = append(records, id), true
		}
	}
	checkOrder(t, records)
	for id := range acknowledged {
		if !there[id] {
			t.Errorf("record %s was acknowledged and is gone", id)
		}
	}
	t.Logf("%d kills: %d records acknowledged, %d there, %d rotated files, %d torn", kills, len(acknowledged), len(records),
		len(files(t, dir, "audit-*.log")), len(files(t, dir, "torn-*")))
	if len(acknowledged) < kills {
		t.Errorf("only %d records were acknowledged: the test proves nothing", len(acknowledged))
	}
}

// TestFullDisk runs in a child whose files may not grow beyond a limit.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := child(t, "full", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ids, errs := read(t, dir)
	if len(errs) > 0 || !whole(t, filepath.Join(dir, current)) {
		t.Errorf("the log has bad lines: %v", errs)
	}
	if last := ids[len(ids)-1]; last != "after" {
		t.Errorf("the last record is %q, want the one written after the outage", last)
	}
	if resumed := ids[len(ids)-2]; resumed != "ResumeAuditLog" {
		t.Errorf("the record before is %q, want the one of the outage", resumed)
	}
	for i, id := range ids[:len(ids)-2] {
		if want := fmt.Sprint(i); id != want {
			t.Fatalf("record %d is %q, want %q: what was refused must not be there", i, id, want)
		}
	}
}

func fullChild(dir string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write then fails with EFBIG
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	before := limit.Cur
	limit.Cur = 10_000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	l, err := Open(Options{Dir: dir})
	if err != nil {
		return err
	}
	r := usual()
	written := 0
	for ; ; written++ {
		if written > 100 {
			return fmt.Errorf("100 records fit in 10,000 bytes")
		}
		r.EventID = fmt.Sprint(written)
		if err := l.Write(&r, written%2 == 0); err != nil {
			break
		}
	}
	if written < 5 {
		return fmt.Errorf("only %d records fit", written)
	}
	if b, err := os.ReadFile(filepath.Join(dir, current)); err != nil || !bytes.HasSuffix(b, []byte("}\n")) {
		return fmt.Errorf("part of the refused record stayed behind (%v)", err)
	}
	for range 3 {
		if l.Ready() == nil {
			return fmt.Errorf("Ready() = nil on a full disk")
		}
		if l.Write(&r, false) == nil {
			return fmt.Errorf("Write() = nil on a full disk")
		}
		time.Sleep(probeEvery + 10*time.Millisecond) // the next one tries again, in vain
	}
	if info, err := os.Stat(filepath.Join(dir, current)); err != nil || info.Size() > 10_000 {
		return fmt.Errorf("the file has %d bytes, %v", info.Size(), err)
	}

	limit.Cur = before // somebody made room
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); l.Ready() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("Ready() = %w with room again", l.Ready())
		}
	}
	r.EventID = "after"
	if err := l.Write(&r, true); err != nil {
		return err
	}
	return l.Close()
}
