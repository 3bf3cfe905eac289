// SPDX-License-Identifier: Apache-2.0

// Package etcdtest runs real etcd clusters for tests.
package etcdtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a member may take to start, or a cluster to elect a leader.
const patience = 30 * time.Second

// Options describe a cluster. The zero value is one member without TLS.
type Options struct {
	Members int      // 0: 1
	Args    []string // more flags of etcd, for every member
	TLS     bool     // Args set up TLS for clients
}

// A Cluster is running until the end of the test that started it.
type Cluster struct {
	Members []*Member
	t       testing.TB
}

// A Member is one process of a cluster, on the loopback interface.
type Member struct {
	Endpoint string // host:port for clients

	t    testing.TB
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd // nil while it does not run
	life io.Closer // its standard input
}

// Start builds etcd, starts a new and empty cluster and waits until its members listen.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	program := build(t)
	scheme := "http"
	if o.TLS {
		scheme = "https"
	}
	n := max(o.Members, 1)
	ports := freePorts(t, 2*n)
	var initial []string
	for i := range n {
		initial = append(initial, fmt.Sprintf("m%d=http://127.0.0.1:%d", i, ports[n+i]))
	}
	for i := range n {
		m := &Member{t: t, Endpoint: fmt.Sprintf("127.0.0.1:%d", ports[i])}
		client, peer := scheme+"://"+m.Endpoint, fmt.Sprintf("http://127.0.0.1:%d", ports[n+i])
		m.args = append([]string{
			program,
			"--name", fmt.Sprintf("m%d", i),
			"--data-dir", filepath.Join(t.TempDir(), "data"),
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
			"--initial-cluster", strings.Join(initial, ","), "--initial-cluster-state", "new",
			"--heartbeat-interval", "50", "--election-timeout", "500",
			"--log-level", "fatal",
		}, o.Args...)
		c.Members = append(c.Members, m)
	}
	for _, m := range c.Members {
		m.start()
		t.Cleanup(m.Kill)
	}
	for _, m := range c.Members {
		m.wait()
	}
	return c
}

// Endpoints returns those of all members as host:port,host:port….
func (c *Cluster) Endpoints() string {
	var all []string
	for _, m := range c.Members {
		all = append(all, m.Endpoint)
	}
	return strings.Join(all, ",")
}

// Leader waits until the running members agree on a leader, and returns it. It needs a cluster without TLS.
func (c *Cluster) Leader() *Member {
	c.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		ids, leaders := map[string]*Member{}, map[string]bool{}
		for _, m := range c.Members {
			if s, err := m.status(); m.running() && err == nil {
				ids[s.Header.Member] = m
				leaders[s.Leader] = true
			}
		}
		for id := range leaders {
			if m := ids[id]; m != nil && len(leaders) == 1 && len(ids) > len(c.Members)/2 {
				return m
			}
		}
	}
	c.t.Fatal("the cluster has no leader")
	return nil
}

type status struct {
	Header struct {
		Member string `json:"member_id"`
	} `json:"header"`
	Leader string `json:"leader"`
}

// status asks the member for its own identifier and the leader's.
func (m *Member) status() (s status, err error) {
	client := http.Client{Timeout: time.Second}
	resp, err := client.Post("http://"+m.Endpoint+"/v3/maintenance/status", "application/json", strings.NewReader("{}"))
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// Kill ends the process at once, as a power cut would. It does nothing if the member does not run.
func (m *Member) Kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
	_ = m.life.Close()
	m.cmd = nil
}

// Restart starts a member that was killed, with the data it had, and waits until it listens.
func (m *Member) Restart() {
	m.t.Helper()
	m.start()
	m.wait()
}

func (m *Member) running() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cmd != nil
}

func (m *Member) start() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	cmd := exec.Command(m.args[0], m.args[1:]...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ETCD_") })
	cmd.Stdout, cmd.Stderr = m.t.Output(), m.t.Output()
	life, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.t.Fatalf("start etcd: %v", err)
	}
	m.cmd, m.life = cmd, life
}

// wait returns when the member listens.
func (m *Member) wait() {
	m.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", m.Endpoint, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("etcd does not listen: %v", err)
		}
	}
}

// build returns the path of the program, which it makes if the Go tool finds it out of date.
func build(t testing.TB) string {
	t.Helper()
	program, err := builder()
	if err != nil {
		t.Fatalf("build etcd: %v", err)
	}
	return program
}

var builder = sync.OnceValues(func() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(here) {
		return "", errors.New("the sources are not known (-trimpath?)")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	program := filepath.Join(cache, "innkeeper-test", "etcdserver")
	source := filepath.Join(filepath.Dir(here), "..", "..", "..", "test", "etcdserver")
	out, err := exec.Command("go", "build", "-C", source, "-o", program, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// freePorts returns ports of the loopback interface that nobody listens on.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
