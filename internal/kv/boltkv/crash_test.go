// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// crashPath, in the environment, makes the test binary a process that writes to that store until it is killed.
const crashPath = "BOLTKV_CRASH_PATH"

const crashWriters = 6

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		fmt.Fprintln(os.Stderr, crash(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crash writes ever greater numbers, each to two keys in one transaction, and prints what was acknowledged.
func crash(path string) error {
	ctx := context.Background()
	db, err := Open(Options{Path: path, LogKeep: 200})
	if err != nil {
		return err
	}
	errs := make(chan error)
	for w := range crashWriters {
		go func() {
			key := fmt.Sprintf("w%d", w)
			page, err := db.Range(ctx, key, key+"\x00", 0, 1)
			n := 0
			if err == nil && len(page.Entries) > 0 {
				n, err = strconv.Atoi(string(page.Entries[0].Value))
			}
			for err == nil {
				n++
				value := []byte(strconv.Itoa(n))
				filler := make([]byte, rand.IntN(3000))
				_, err = db.Commit(ctx, kv.Txn{Then: []kv.Op{
					{Key: key, Value: value}, {Key: key + "/twin", Value: value}, {Key: key + "/filler", Value: filler},
				}})
				if err == nil {
					_, err = fmt.Printf("%d %d\n", w, n)
				}
			}
			errs <- err
		}()
	}
	return <-errs
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	acked := make([]int, crashWriters)
	total := 0
	for round := range 60 {
		n := killed(t, path, acked)
		total += n
		db := open(t, Options{Path: path})
		got := consistent(t, db)
		for w, want := range acked {
			key := fmt.Sprintf("w%d", w)
			value, _, _ := strings.Cut(got[key], "@")
			if n, _ := strconv.Atoi(value); n < want {
				t.Fatalf("round %d: writer %d is at %q, want at least %d, which was acknowledged", round, w, value, want)
			}
			if got[key] != got[key+"/twin"] {
				t.Fatalf("round %d: %s = %q, its twin %q, want the same", round, key, got[key], got[key+"/twin"])
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d commits acknowledged", total)
	if total < 100 {
		t.Errorf("%d commits were acknowledged between the kills, want enough to prove something", total)
	}
}

// killed runs a writing process, kills it at a random moment and notes what it had acknowledged.
func killed(t *testing.T, path string, acked []int) (n int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashPath+"="+path)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	for lines := bufio.NewScanner(out); lines.Scan(); n++ {
		once.Do(func() {
			time.AfterFunc(time.Duration(rand.IntN(30_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		})
		w, v, _ := strings.Cut(lines.Text(), " ")
		i, err1 := strconv.Atoi(w)
		value, err2 := strconv.Atoi(v)
		if err1 == nil && err2 == nil && i < len(acked) {
			acked[i] = max(acked[i], value)
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("writing process ended with %v, want to be killed", err)
	}
	return n
}
