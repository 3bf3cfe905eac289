// SPDX-License-Identifier: Apache-2.0

// Package apart tests gateways that run apart from their server: what they do
// when it goes away, comes back and turns them away.
package apart

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

// A gateway is a process.
type gateway struct {
	t   *testing.T
	url string
	log lines
}

// lines keeps what a process writes.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start runs a gateway in front of a store.
func start(t *testing.T, store string, args ...string) *gateway {
	t.Helper()
	program, err := server.Program()
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t}
	args = append([]string{"gateway", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--upstream", store, "--upstream-keys", "strict"}, args...)
	cmd := exec.Command(program, args...)
	cmd.Stderr = &g.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", &g.log)
		}
	})
	in := bufio.NewScanner(stdout)
	for in.Scan() {
		if _, url, ok := strings.Cut(in.Text(), "AWS_ENDPOINT_URL_S3="); ok {
			g.url = strings.Fields(url)[0]
			go io.Copy(io.Discard, stdout)
			return g
		}
	}
	t.Fatalf("the gateway ended:\n%s", &g.log)
	return nil
}

// do sends a signed request and returns the status of the answer and the code in
// it.
func (g *gateway) do(key server.Key, method, path string) (int, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	signer := sigv4.Signer{AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.Token, Region: server.Region, Service: "s3"}
	if err := signer.Sign(req, sigv4.EmptyPayload); err != nil {
		g.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	_, code, _ := strings.Cut(string(text), "<Code>")
	code, _, _ = strings.Cut(code, "</Code>")
	return resp.StatusCode, code
}

// want sends a request whose answer must have a status.
func (g *gateway) want(when string, key server.Key, method, path string, want int) {
	g.t.Helper()
	if got, code := g.do(key, method, path); got != want {
		g.t.Errorf("%s: %s %s = %d %s, want %d", when, method, path, got, code, want)
	}
}

// until waits for a status, for at most limit, and returns how long it took.
func (g *gateway) until(what string, key server.Key, want int, limit time.Duration) time.Duration {
	g.t.Helper()
	begun := time.Now()
	for {
		got, code := g.do(key, "GET", "/logs/app")
		took := time.Since(begun)
		if got == want {
			return took
		}
		if took > limit {
			g.t.Fatalf("%s: after %v the answer is %d %s, want %d", what, took, got, code, want)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// objects is a store that takes every bucket, which then has every object; it
// counts what reaches it.
func objects(t *testing.T) (url string, reached *atomic.Int64) {
	reached = new(atomic.Int64)
	var buckets sync.Map
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		bucket, key, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
		_, made := buckets.Load(bucket)
		switch {
		case r.Method == http.MethodPut && key == "":
			buckets.Store(bucket, true)
		case !made:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, "an object")
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, reached
}

// innkeeper runs a command of the operator.
func innkeeper(t *testing.T, args ...string) string {
	t.Helper()
	program, err := server.Program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("innkeeper %s = %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestOverTLS is a gateway's life: enrolled, it serves; without its server it goes
// on, and after the limit it refuses; with it again it serves; revoked, it refuses.
func TestOverTLS(t *testing.T) {
	relay := server.FreeAddress(t)
	s := server.Start(t, server.Options{Args: []string{"--gateways-listen", relay}})
	identity := filepath.Join(t.TempDir(), "edge.pem")
	innkeeper(t, "gateway", "enroll", "edge", "--data", s.Data, "--out", identity)
	if info, err := os.Stat(identity); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the identity has mode %v, %v, want 0600", info.Mode(), err)
	}
	const offline = 4 * time.Second
	store, reached := objects(t)
	g := start(t, store, "--server", "https://"+relay, "--identity", identity, "--offline-for", offline.String())

	g.want("a bucket is made through the gateway, and is the server's", s.Admin, "PUT", "/logs", http.StatusOK)
	g.want("with the server", s.Admin, "GET", "/logs/app", http.StatusOK)
	g.want("a wrong secret", server.Key{ID: s.Admin.ID, Secret: "wrong"}, "GET", "/logs/app", http.StatusForbidden)

	if err := s.Stop(); err != nil {
		t.Errorf("stopping the server: %v", err)
	}
	left := time.Now()
	for time.Since(left) < offline/2 {
		g.want("without the server", s.Admin, "GET", "/logs/app", http.StatusOK)
		time.Sleep(50 * time.Millisecond)
	}
	g.want("a wrong secret without the server", server.Key{ID: s.Admin.ID, Secret: "wrong"}, "GET", "/logs/app", http.StatusForbidden)
	g.until("after the limit", s.Admin, http.StatusServiceUnavailable, offline)
	if took := time.Since(left); took > offline+time.Second {
		t.Errorf("refused %v after the server left, want %v", took, offline)
	}
	before := reached.Load()
	g.want("after the limit", s.Admin, "GET", "/logs/app", http.StatusServiceUnavailable)
	if n := reached.Load(); n != before {
		t.Errorf("the store was asked %d times after the limit, want 0", n-before)
	}

	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	g.until("with the server again", s.Admin, http.StatusOK, 10*time.Second)
	innkeeper(t, "gateway", "revoke", "edge", "--data", s.Data)
	if took := g.until("revoked", s.Admin, http.StatusServiceUnavailable, 3*time.Second); took > time.Second {
		t.Errorf("revoked, it served for %v", took)
	}
	if list := innkeeper(t, "gateway", "list", "--data", s.Data); strings.Contains(list, "edge") {
		t.Errorf("gateway list = %s, want none", list)
	}
}

// TestOnOneMachine: a gateway on the server's machine needs no enrolment.
func TestOnOneMachine(t *testing.T) {
	s := server.Start(t, server.Options{})
	store, _ := objects(t)
	g := start(t, store, "--server", s.Data, "--offline-for", "1m")
	g.want("a bucket is made", s.Admin, "PUT", "/logs", http.StatusOK)
	g.want("with the server", s.Admin, "GET", "/logs/app", http.StatusOK)
	begun := time.Now()
	if err := s.Stop(); err != nil {
		t.Errorf("stopping the server: %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the server took %v to stop with a gateway connected", took)
	}
	g.want("without the server", s.Admin, "GET", "/logs/app", http.StatusOK)
}
