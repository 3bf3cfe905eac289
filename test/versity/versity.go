// SPDX-License-Identifier: Apache-2.0

// Package versity runs versitygw, a real S3 server, for tests: on the loopback
// interface, with its objects in a directory of their own.
package versity

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// Version is the one that tests run against.
const Version = "v1.8.0"

// patience is how long the server may take to answer.
const patience = 30 * time.Second

// A Store is one process.
type Store struct {
	URL string
	Key server.Key // of its only user
	Dir string     // its buckets are directories there

	cmd *exec.Cmd
}

// Start runs a store until the end of the test.
func Start(t testing.TB) *Store {
	t.Helper()
	s, err := Run(t.TempDir(), server.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// Run is Start outside of tests: the caller names a directory and an address, and
// calls Kill.
func Run(dir, address string) (*Store, error) {
	program, err := Program()
	if err != nil {
		return nil, err
	}
	s := &Store{
		URL: "http://" + address, Dir: filepath.Join(dir, "objects"),
		Key: server.Key{ID: "AKIASTORE", Secret: "the store's own secret"},
	}
	versions := filepath.Join(dir, "versions")
	for _, d := range []string{s.Dir, versions} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	s.cmd = exec.Command(program, "--port", address, "--keep-alive", "--quiet", "posix", "--versioning-dir", versions, s.Dir)
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.Key.ID, "ROOT_SECRET_KEY="+s.Key.Secret)
	log, err := os.Create(filepath.Join(dir, "store.log")) // it shouts at requests that it refuses
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.ready(); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

func (s *Store) ready() error {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(s.URL + "/")
		if err == nil {
			resp.Body.Close()
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("versitygw does not answer: %w", err)
		}
	}
}

// Kill ends the process at once.
func (s *Store) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// PID is the process id.
func (s *Store) PID() int { return s.cmd.Process.Pid }

// Credentials writes the store's key to a file that a gateway can read, and
// returns its path.
func (s *Store) Credentials(dir string) (string, error) {
	file := filepath.Join(dir, "store.credentials")
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", s.Key.ID, s.Key.Secret)
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// Program returns the path of versitygw, which is built once for each version:
// that takes one to five minutes.
var Program = sync.OnceValues(func() (string, error) {
	cache, err := server.Cache()
	if err != nil {
		return "", err
	}
	unlock, err := server.Lock(filepath.Join(cache, "versitygw.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	dir := filepath.Join(cache, "versitygw-"+Version)
	program := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "install", "github.com/versity/versitygw/cmd/versitygw@"+Version)
	cmd.Dir = dir // outside of this module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS="+withoutMod(os.Getenv("GOFLAGS")))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build versitygw: %w\n%s", err, out)
	}
	return program, nil
})

// withoutMod takes away a -mod flag, which go install of a version refuses.
func withoutMod(flags string) string {
	var kept []string
	for _, f := range strings.Fields(flags) {
		if !strings.HasPrefix(f, "-mod") {
			kept = append(kept, f)
		}
	}
	return strings.Join(kept, " ")
}
