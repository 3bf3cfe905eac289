// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// started returns a node that serves until the test ends, and the text that it
// logs, which may be read once the node is closed.
func started(t *testing.T, cfg config.Config) *Node {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	n, err := Start(t.Context(), cfg, Options{NoSync: true})
	must(t, err)
	return n
}

func closing(t *testing.T, n *Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}

func get(t *testing.T, n *Node, path string) (status int, body string) {
	t.Helper()
	resp, err := client.Get(n.URL() + path)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(text)
}

// A key is an access key with its secret.
type key struct{ id, secret string }

func adminKey(t *testing.T, n *Node) key {
	t.Helper()
	text, err := os.ReadFile(n.CredentialsFile())
	must(t, err)
	_, secret, _ := strings.Cut(string(text), "aws_secret_access_key = ")
	secret, _, _ = strings.Cut(secret, "\n")
	return key{keyID(string(text)), secret}
}

// signed returns a request for an operation of IAM with the parameters
// "Name=value", and its form.
func signed(t *testing.T, n *Node, k key, action string, params ...string) (*http.Request, string) {
	t.Helper()
	form := "Action=" + action + "&Version=2010-05-08"
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		form += "&" + name + "=" + url.QueryEscape(value)
	}
	r, err := http.NewRequest(http.MethodPost, n.URL()+"/", strings.NewReader(form))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signer := sigv4.Signer{AccessKeyID: k.id, SecretAccessKey: k.secret, Region: "us-east-1", Service: "iam"}
	must(t, signer.Sign(r, sigv4.HashPayload([]byte(form))))
	return r, form
}

func call(t *testing.T, n *Node, k key, action string, params ...string) (status int, body string) {
	t.Helper()
	r, _ := signed(t, n, k, action, params...)
	resp, err := client.Do(r)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(text)
}

func TestHealth(t *testing.T) {
	n := started(t, config.Config{})
	defer closing(t, n)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, body := get(t, n, path); status != 200 || body != want {
			t.Errorf("GET %s = %d %q, want 200 %q", path, status, body, want)
		}
	}
}

func TestNotReadyWhenTheStoreIsNotOurs(t *testing.T) {
	n := started(t, config.Config{})
	defer closing(t, n)
	// A newer version takes over the data.
	_, err := n.db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "sys/format", Value: []byte("9")}}})
	must(t, err)
	for range 100 {
		if status, body := get(t, n, "/readyz"); status == http.StatusServiceUnavailable {
			if !strings.Contains(body, "format") {
				t.Errorf("GET /readyz = %q, want the reason", body)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("GET /readyz = 200 two seconds after a newer version took over the data, want 503")
}

// TestNoRecordNoAction closes the audit log under a running node.
func TestNoRecordNoAction(t *testing.T) {
	n := started(t, config.Config{})
	admin := adminKey(t, n)
	must(t, n.audit.Close())
	if status, _ := get(t, n, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("GET /readyz = %d without an audit log, want 503", status)
	}
	if status, _ := get(t, n, "/healthz"); status != http.StatusOK {
		t.Errorf("GET /healthz = %d without an audit log, want 200: a restart would not help", status)
	}
	if status, body := call(t, n, admin, "CreateUser", "UserName=fred"); status < 500 {
		t.Errorf("CreateUser = %d without an audit log, want a server error\n%s", status, body)
	}
	view, err := n.store.View(t.Context(), n.firstAccountID(t))
	must(t, err)
	if _, err := view.User("fred"); err == nil {
		t.Error("the user was made without a record")
	}
	n.audit = nil
	closing(t, n)
}

func (n *Node) firstAccountID(t *testing.T) string {
	t.Helper()
	id, err := n.store.System(t.Context(), firstAccount)
	must(t, err)
	return string(id)
}

// series returns the values of the metrics by name and labels.
func series(t *testing.T, text string) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), "} "); ok {
			values[name+"}"] = value
		} else if name, value, ok := strings.Cut(s.Text(), " "); ok && name != "#" {
			values[name] = value
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	n := started(t, config.Config{})
	defer closing(t, n)
	admin := adminKey(t, n)
	element := func(body, name string) string {
		_, rest, _ := strings.Cut(body, "<"+name+">")
		text, _, _ := strings.Cut(rest, "</"+name+">")
		return text
	}
	ok := func(action string, params ...string) string {
		status, body := call(t, n, admin, action, params...)
		if status != 200 {
			t.Fatalf("%s = %d\n%s", action, status, body)
		}
		return body
	}
	ok("CreateUser", "UserName=fred")
	body := ok("CreateAccessKey", "UserName=fred")
	fred := key{element(body, "AccessKeyId"), element(body, "SecretAccessKey")}
	unknown := fred.id[:len(fred.id)-1] + "A"
	if unknown == fred.id {
		unknown = fred.id[:len(fred.id)-1] + "B"
	}
	ok("PutUserPolicy", "UserName=fred", "PolicyName=no", `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListRoles","Resource":"*"}}`)
	for _, tt := range []struct {
		key          key
		action, code string
	}{
		{fred, "ListUsers", "AccessDenied"},
		{fred, "ListUsers", "AccessDenied"},
		{fred, "ListRoles", "AccessDenied"},
		{key{fred.id, "wrong"}, "ListUsers", "SignatureDoesNotMatch"},
		{key{unknown, "x"}, "ListUsers", "InvalidClientTokenId"},
		{admin, "MadeUpByTheCaller", "InvalidAction"},
	} {
		if _, body := call(t, n, tt.key, tt.action); element(body, "Code") != tt.code {
			t.Fatalf("%s answers %s, want %s", tt.action, element(body, "Code"), tt.code)
		}
	}
	_, text := get(t, n, "/metrics")
	values := series(t, text)
	for name, want := range map[string]string{
		`innkeeper_requests_total{code="",operation="CreateUser",service="iam"}`:                     "1",
		`innkeeper_requests_total{code="AccessDenied",operation="ListUsers",service="iam"}`:          "2",
		`innkeeper_requests_total{code="SignatureDoesNotMatch",operation="ListUsers",service="iam"}`: "1",
		`innkeeper_requests_total{code="InvalidAction",operation="unknown",service="unknown"}`:       "1",
		`innkeeper_decisions_total{outcome="allow"}`:                                                 "3",
		`innkeeper_decisions_total{outcome="implicit-deny"}`:                                         "2",
		`innkeeper_decisions_total{outcome="explicit-deny"}`:                                         "1",
		`innkeeper_verification_failures_total{cause="mismatch"}`:                                    "1",
		`innkeeper_verification_failures_total{cause="unknown-key"}`:                                 "1",
		`innkeeper_store_revision`:                                                                   fmt.Sprint(n.store.Revision()),
		`innkeeper_request_seconds_count{service="iam"}`:                                             "8",
	} {
		if values[name] != want {
			t.Errorf("%s %s, want %s", name, values[name], want)
		}
	}
	for _, name := range []string{"innkeeper_store_lag_seconds", "go_goroutines", "process_open_fds"} {
		if values[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
	for _, secret := range []string{admin.secret, fred.secret, admin.id, fred.id, "fred", "MadeUpByTheCaller"} {
		if strings.Contains(text, secret) {
			t.Errorf("/metrics holds %q", secret)
		}
	}
	if t.Failed() {
		for name, value := range values {
			if strings.HasPrefix(name, "innkeeper_") && !strings.Contains(name, "_bucket") {
				t.Log(name, value)
			}
		}
	}
}

// halfway sends the head and half the body of a CreateUser and returns what
// sends the rest and reads the answer.
func halfway(t *testing.T, n *Node) (net.Conn, func() (*http.Response, error)) {
	t.Helper()
	r, form := signed(t, n, adminKey(t, n), "CreateUser", "UserName=late")
	r.Body = nil
	var head bytes.Buffer
	fmt.Fprintf(&head, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.URL.Host, len(form))
	must(t, r.Header.Write(&head))
	head.WriteString("\r\n" + form[:10])
	conn, err := net.Dial("tcp", n.listener.Addr().String())
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = conn.Write(head.Bytes())
	must(t, err)
	time.Sleep(100 * time.Millisecond) // it is accepted, and its handler reads
	return conn, func() (*http.Response, error) {
		if _, err := io.WriteString(conn, form[10:]); err != nil {
			return nil, err
		}
		return http.ReadResponse(bufio.NewReader(conn), r)
	}
}

func TestDrain(t *testing.T) {
	n := started(t, config.Config{})
	_, rest := halfway(t, n)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop()
	address := n.listener.Addr().String()
	refused := false
	for range 100 {
		conn, err := net.Dial("tcp", address)
		if refused = err != nil; refused {
			break
		}
		conn.Close()
		time.Sleep(10 * time.Millisecond)
	}
	if !refused {
		t.Error("a draining node takes new connections")
	}
	select {
	case err := <-done:
		t.Fatalf("Run() = %v with a request under way", err)
	default:
	}
	resp, err := rest()
	must(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the request under way = %d, want 200", resp.StatusCode)
	}
	if err := <-done; err != nil {
		t.Errorf("Run() = %v", err)
	}
	again := opened(t, n.cfg.Data)
	defer closed(t, again)
	view, err := again.store.View(t.Context(), again.firstAccountID(t))
	must(t, err)
	if _, err := view.User("late"); err != nil {
		t.Errorf("what the request made is lost: %v", err)
	}
}

func TestDrainEnds(t *testing.T) {
	n := started(t, config.Config{Drain: 100 * time.Millisecond})
	_, rest := halfway(t, n)
	begin := time.Now()
	closing(t, n)
	if took := time.Since(begin); took > 8*time.Second {
		t.Errorf("Close() took %v with a request that does not end and a drain time of 100 ms", took)
	}
	if resp, err := rest(); err == nil && resp.StatusCode < 400 {
		t.Errorf("the request was answered with %d after the end", resp.StatusCode)
	}
}

func TestRunTellsOfAListenerThatFails(t *testing.T) {
	n := started(t, config.Config{})
	must(t, n.listener.Close())
	if err := n.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run() = %v, want the listener's error", err)
	}
}

func TestHTTPLimits(t *testing.T) {
	n := started(t, config.Config{})
	defer closing(t, n)
	if len(n.servers) != 2 {
		t.Errorf("%d servers, want that of the API and that of the operator", len(n.servers))
	}
	for _, s := range n.servers {
		if s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.MaxHeaderBytes <= 0 {
			t.Errorf("a server has no limit: %+v", s)
		}
		if s.ReadHeaderTimeout <= 0 || s.IdleTimeout <= 0 {
			t.Error("a client may keep a connection without a request for ever")
		}
	}
	r, err := http.NewRequest(http.MethodGet, n.URL()+"/healthz", nil)
	must(t, err)
	r.Header.Set("X-Long", strings.Repeat("x", 128<<10))
	resp, err := client.Do(r)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 128 KiB = %d, want 431", resp.StatusCode)
	}
	huge, err := client.Post(n.URL()+"/", "application/x-www-form-urlencoded", strings.NewReader("Action="+strings.Repeat("x", 4<<20)))
	if err == nil {
		huge.Body.Close()
		if huge.StatusCode < 400 {
			t.Errorf("a body of 4 MiB = %d, want it refused", huge.StatusCode)
		}
	}
	if status, _ := get(t, n, "/healthz"); status != 200 {
		t.Errorf("GET /healthz = %d after that, want 200", status)
	}
}

// TestStartFails holds that a start that fails closes what it had opened: the
// same directory and address can be had at once.
func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		set  func(*config.Config)
	}{
		{"a-listen-address-elsewhere", func(c *config.Config) { c.Listen = "192.0.2.1:4280"; c.TLSCert, c.TLSKey = "none", "none" }},
		{"no-directory", func(c *config.Config) { c.Data = filepath.Join(dir, "file", "x") }},
		{"no-key-file", func(c *config.Config) { c.MasterKey = filepath.Join(dir, "file") }},
		{"no-store", func(c *config.Config) { c.Store = filepath.Join(dir, "none", "store") }},
		{"not-a-store", func(c *config.Config) { c.Store = filepath.Join(dir, "file") }},
		{"unknown-store", func(c *config.Config) { c.Store = "redis://127.0.0.1/x" }},
		{"audit-is-a-file", func(c *config.Config) { must(t, os.WriteFile(filepath.Join(c.Data, "audit"), nil, 0o600)) }},
		{"credentials-cannot-be-written", func(c *config.Config) {
			must(t, os.Mkdir(filepath.Join(c.Data, "admin.credentials.new"), 0o700))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			must(t, os.WriteFile(filepath.Join(dir, "file"), bytes.Repeat([]byte("no store "), 9000), 0o600))
			good := config.Config{Data: t.TempDir(), Listen: "127.0.0.1:0"}
			bad := good
			tt.set(&bad)
			n, err := Start(t.Context(), bad, Options{NoSync: true})
			if err == nil || n != nil {
				t.Fatalf("Start() = %v, %v, want an error alone", n, err)
			}
			for _, name := range []string{"audit", "admin.credentials.new"} {
				must(t, os.RemoveAll(filepath.Join(good.Data, name)))
			}
			n, err = Start(t.Context(), good, Options{NoSync: true})
			if err != nil {
				t.Fatalf("after %s: Start() = %v", tt.name, err)
			}
			closing(t, n)
		})
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	n, err := Start(t.Context(), config.Config{Data: t.TempDir(), Listen: "127.0.0.1:0"},
		Options{NoSync: true, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	must(t, err)
	admin := adminKey(t, n)
	call(t, n, admin, "ListUsers")
	call(t, n, key{admin.id, admin.secret + "x"}, "ListUsers")
	n.log.Info("innkeeper is open", n.Posture()...)
	closing(t, n)
	master, err := os.ReadFile(n.cfg.MasterKey)
	must(t, err)
	for _, secret := range []string{admin.secret, strings.Fields(string(master))[1]} {
		if strings.Contains(log.String(), secret) {
			t.Error("the log holds a secret")
		}
	}
	for _, part := range []string{"made a master key", "signatures=checked", "policies=enforced", "tls=off"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log has no %q:\n%s", part, &log)
		}
	}
}

func TestPostureHidesThePasswordOfTheStore(t *testing.T) {
	for name, want := range map[string]string{
		"etcd://root:hunter2@127.0.0.1:2379/x": "etcd://root:xxxxx@127.0.0.1:2379/x",
		"etcd://127.0.0.1:1,127.0.0.1:2/x":     "etcd://127.0.0.1:1,127.0.0.1:2/x",
		"data/innkeeper.db":                    "data/innkeeper.db",
	} {
		if got := storeName(name); got != want {
			t.Errorf("storeName(%q) = %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"etcd://root:hunter2@127.0.0.1:1,127.0.0.1:2/x", "etcd://root:hunter2%zz@127.0.0.1/x", "etcd://root:a/@hunter2@127.0.0.1/x", "redis://root:hunter2@127.0.0.1/x"} {
		if got := storeName(name); strings.Contains(got, "hunter2") {
			t.Errorf("storeName(%q) = %q, want no password", name, got)
		}
		if _, err := openDB(t.Context(), strings.Replace(name, "etcd:", "redis:", 1), true); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("openDB(%q) = %v, want an error without the password", name, err)
		}
	}
}

func TestLocalSocket(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o777))
	must(t, os.WriteFile(socketFile(dir), nil, 0o644)) // what another node left
	l, err := listenLocal(dir)
	must(t, err)
	info, err := os.Stat(socketFile(dir))
	must(t, err)
	if info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("the socket has mode %v, want Srw-------", info.Mode())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v, want the socket alone", entries, err)
	}
	conn, err := net.Dial("unix", socketFile(dir))
	must(t, err)
	conn.Close()
	must(t, l.Close())
	if _, err := os.Stat(socketFile(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// TestLongDataDirectory has a path that is too long for a socket: the node serves,
// and commands of the operator say that no server is running.
func TestLongDataDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	n := started(t, config.Config{Data: dir})
	if status, _ := get(t, n, "/readyz"); status != 200 {
		t.Errorf("GET /readyz = %d, want 200", status)
	}
	a := NewAccount{Name: "x", ID: "222233334444", Profile: "default"}
	if err := RequestAccount(t.Context(), dir, &a); !errors.Is(err, ErrNotRunning) {
		t.Errorf("RequestAccount() = %v, want ErrNotRunning", err)
	}
	cfg := config.Config{Data: dir}
	if err := AddAccountOffline(t.Context(), cfg, &a); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("AddAccountOffline() = %v while the node has the store, want that it is in use", err)
	}
	closing(t, n)
	if err := AddAccountOffline(t.Context(), cfg, &a); err != nil || !strings.Contains(a.Credentials, "[default]\naws_access_key_id = AKIA") {
		t.Errorf("AddAccountOffline() = %v, %q, want credentials", err, a.Credentials)
	}
}

func TestLocalRequests(t *testing.T) {
	n := started(t, config.Config{})
	defer closing(t, n)
	local := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socketFile(n.cfg.Data))
	}}}
	for _, tt := range []struct{ name, body, want string }{
		{"no-json", "hello", "invalid character"},
		{"huge", `{"name": "` + strings.Repeat("x", 8<<10) + `"}`, "unexpected EOF"},
		{"bad-id", `{"name": "x", "id": "1"}`, "twelve digits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := local.Post("http://node/accounts", "application/json", strings.NewReader(tt.body))
			must(t, err)
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			must(t, err)
			if !strings.Contains(string(text), tt.want) || len(text) > 8<<10 {
				t.Errorf("POST /accounts = %.200s, want %q", text, tt.want)
			}
		})
	}
}
