// SPDX-License-Identifier: Apache-2.0

// Package server runs the real innkeeper program for tests, on the loopback
// interface and a data directory of its own.
package server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a server may take to say that it is ready.
const patience = 30 * time.Second

// A Key is a credential of AWS's kind.
type Key struct{ ID, Secret, Token string }

// Options say how to run a server. The zero value is a new one with an empty
// data directory.
type Options struct {
	Data   string   // data directory; "" means a new one
	Listen string   // address; "" means a free port of 127.0.0.1
	Args   []string // more flags of serve

	// Roots are what its certificate is verified with; nil means those of the system.
	Roots *x509.CertPool
}

// A Server is one process. Its methods are for one goroutine, except Log and RSS.
type Server struct {
	Data string
	URL  string
	// Gateway is where its gateway answers; "" without one.
	Gateway string
	Admin   Key           // the first administrator's; empty when this node did not make it
	Lines   []string      // what it printed when it opened
	Took    time.Duration // from the start of the process to ready

	opts Options
	cmd  *exec.Cmd
	log  *buffer
	done chan struct{} // closed when the process has ended
	end  error         // how; valid once done is closed
}

// Start builds innkeeper, runs it and waits until it is ready. It is killed at
// the end of the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	s, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", s.Log())
		}
	})
	return s
}

// Run is Start outside of tests: o.Data must be given and the caller calls Kill.
func Run(o Options) (*Server, error) {
	s := New(o)
	return s, s.Restart()
}

// New returns a server that does not run yet. o.Data must be given.
func New(o Options) *Server {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	return &Server{Data: o.Data, opts: o, log: new(buffer)}
}

// FreeAddress returns an address of 127.0.0.1 that nobody listens on, for a
// server whose address must outlive a restart.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Restart runs the server again after Kill or Stop, with the data it had, and
// waits until it is ready. The address changes unless Options.Listen fixes it.
func (s *Server) Restart() error {
	stdout, w, err := os.Pipe()
	if err != nil {
		return err
	}
	begin := time.Now()
	err = s.launch(w)
	w.Close()
	if err != nil {
		stdout.Close()
		return err
	}
	if err := s.open(stdout); err != nil {
		s.Kill()
		return fmt.Errorf("%w\n%s", err, s.Log())
	}
	s.Took = time.Since(begin)
	return nil
}

// Launch is Restart for who does not wait: the process may not yet listen, and
// may end early.
func (s *Server) Launch() error { return s.launch(nil) }

func (s *Server) launch(stdout *os.File) error {
	program, err := Program()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, append([]string{"serve", "--data", s.Data, "--listen", s.opts.Listen}, s.opts.Args...)...)
	cmd.Stderr = s.log
	if stdout != nil {
		cmd.Stdout = stdout
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	s.cmd, s.done = cmd, done
	go func() {
		s.end = cmd.Wait()
		close(done)
	}()
	return nil
}

// open reads what the server prints and waits until it is ready.
func (s *Server) open(stdout *os.File) error {
	defer stdout.Close()
	if err := stdout.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	s.Lines, s.URL, s.Gateway = nil, "", ""
	in := bufio.NewScanner(stdout)
	for last := ""; !strings.HasPrefix(last, "aws()"); {
		if !in.Scan() {
			return fmt.Errorf("innkeeper printed %q and no more", s.Lines)
		}
		last = in.Text()
		s.Lines = append(s.Lines, last)
		if m := endpoint.FindStringSubmatch(last); m != nil {
			s.URL = m[1]
		}
		if m := gateway.FindStringSubmatch(last); m != nil {
			s.Gateway = m[1]
		}
	}
	if key, err := ReadKey(filepath.Join(s.Data, "admin.credentials")); err == nil {
		s.Admin = key
	}
	return s.ready()
}

var (
	endpoint = regexp.MustCompile(`AWS_ENDPOINT_URL=(\S+)`)
	gateway  = regexp.MustCompile(`AWS_ENDPOINT_URL_[A-Z0-9_]+=(\S+)`)
)

func (s *Server) ready() error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: s.opts.Roots},
	}}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		resp, err := client.Get(s.URL + "/readyz")
		if err == nil {
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(string(text))
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready: %w", err)
		}
	}
}

// Kill ends the process at once, as a power cut would end the machine. It does
// nothing when the process has ended.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Stop asks the process to end and waits for it. It returns an error when its
// exit status is not 0.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.Wait()
}

// Wait waits until the process has ended, half a minute at most, and returns how.
func (s *Server) Wait() error {
	select {
	case <-s.done:
		return s.end
	case <-time.After(patience):
		return errors.New("innkeeper does not end")
	}
}

// Signal sends a signal to the process.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

// PID is the process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Log returns what all the processes of s have logged.
func (s *Server) Log() string { return s.log.String() }

// RSS returns the memory that the process holds and the most that it ever held,
// in bytes.
func (s *Server) RSS() (now, peak int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "VmRSS":
			now = kb << 10
		case "VmHWM":
			peak = kb << 10
		}
	}
	return now, peak, nil
}

// CPU returns the processor time that the process has used.
func (s *Server) CPU() (time.Duration, error) { return CPU(s.PID()) }

// CPU returns the processor time that a process has used, to 10 ms.
func CPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	const tick = 10 * time.Millisecond // 1/sysconf(_SC_CLK_TCK) on Linux
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var sum int64
	for _, f := range fields[11:13] { // utime, stime: proc_pid_stat(5)
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// ReadKey reads the first key of a shared-credentials file.
func ReadKey(file string) (Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Key{}, err
	}
	var k Key
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			k.ID = strings.TrimSpace(value)
		case "aws_secret_access_key":
			k.Secret = strings.TrimSpace(value)
		}
	}
	return k, nil
}

// Program returns the path of the program: the one that the environment variable
// INNKEEPER names, or one built from these sources if the Go tool finds it out of
// date. Test processes that build at once wait for each other.
var Program = sync.OnceValues(func() (string, error) {
	if program := os.Getenv("INNKEEPER"); program != "" {
		return program, nil
	}
	_, here, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(here) {
		return "", errors.New("the sources are not known (-trimpath?)")
	}
	dir, err := Cache()
	if err != nil {
		return "", err
	}
	unlock, err := Lock(filepath.Join(dir, "innkeeper.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	program := filepath.Join(dir, "innkeeper")
	root := filepath.Join(filepath.Dir(here), "..", "..")
	out, err := exec.Command("go", "build", "-C", root, "-o", program, "./cmd/innkeeper").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build innkeeper: %w\n%s", err, out)
	}
	return program, nil
})

// Cache returns a directory, which exists, for what tests build or fetch.
func Cache() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "innkeeper-test")
	return dir, os.MkdirAll(dir, 0o700)
}

// Lock waits until no other process holds the lock file, and holds it until
// unlock is called.
func Lock(file string) (unlock func(), err error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// buffer is a log that one process writes while a test reads it.
type buffer struct {
	mu sync.Mutex // guards below
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
