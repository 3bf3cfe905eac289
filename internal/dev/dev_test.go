// SPDX-License-Identifier: Apache-2.0

package dev

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

func start(t testing.TB, o Options) *Server {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
		if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
			t.Errorf("after Close(), %s is there: %v", s.dir, err)
		}
	})
	return s
}

// A client signs by the real clock.
type client struct {
	t                 testing.TB
	s                 *Server
	id, secret, token string
}

func (s *Server) root(t testing.TB, account string) *client {
	k, ok := s.RootKey(account)
	if !ok {
		t.Fatalf("no account %s", account)
	}
	return &client{t: t, s: s, id: k.ID, secret: k.Secret}
}

func (c *client) call(action string, params ...string) (status int, body string) {
	c.t.Helper()
	service, version := "iam", "2010-05-08"
	if slices.Contains([]string{"GetCallerIdentity", "AssumeRole", "GetAccessKeyInfo"}, action) {
		service, version = "sts", "2011-06-15"
	}
	form := url.Values{"Action": {action}, "Version": {version}}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		form.Set(name, value)
	}
	text := form.Encode()
	r, err := http.NewRequest(http.MethodPost, c.s.URL()+"/", strings.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	by := sigv4.Signer{AccessKeyID: c.id, SecretAccessKey: c.secret, SessionToken: c.token, Region: "us-east-1", Service: service}
	if err := by.Sign(r, sigv4.HashPayload([]byte(text))); err != nil {
		c.t.Fatal(err)
	}
	return do(c.t, r)
}

func do(t testing.TB, r *http.Request) (status int, body string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (c *client) ok(action string, params ...string) string {
	c.t.Helper()
	status, body := c.call(action, params...)
	if status != 200 {
		c.t.Fatalf("%s(%v) = %d %s", action, params, status, body)
	}
	return body
}

func (c *client) fail(code, action string, params ...string) {
	c.t.Helper()
	if status, body := c.call(action, params...); status == 200 || element(body, "Code") != code {
		c.t.Errorf("%s(%v) = %d %s, want %s", action, params, status, body, code)
	}
}

func element(body, name string) string {
	_, rest, _ := strings.Cut(body, "<"+name+">")
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return html.UnescapeString(text)
}

func (c *client) key(user string) *client {
	c.t.Helper()
	body := c.ok("CreateAccessKey", "UserName="+user)
	return &client{t: c.t, s: c.s, id: element(body, "AccessKeyId"), secret: element(body, "SecretAccessKey")}
}

func (c *client) assume(role string) *client {
	c.t.Helper()
	body := c.ok("AssumeRole", "RoleArn="+role, "RoleSessionName=job")
	return &client{t: c.t, s: c.s, id: element(body, "AccessKeyId"), secret: element(body, "SecretAccessKey"), token: element(body, "SessionToken")}
}

const trustAll = `AssumeRolePolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`

// TestRootKeys: quirk Q105.
func TestRootKeys(t *testing.T) {
	t.Parallel()
	chosen, err := ParseRootKey("222233334444=test:te:st/", DefaultAccount)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Accounts: []string{DefaultAccount, "222233334444"}, RootKeys: []RootKey{chosen}})
	for account, id := range map[string]string{DefaultAccount: "AKIA123456789012ROOT", "222233334444": "test"} {
		root := s.root(t, account)
		if root.id != id {
			t.Errorf("RootKey(%s) = %s, want %s", account, root.id, id)
		}
		if got, want := element(root.ok("GetCallerIdentity"), "Arn"), "arn:aws:iam::"+account+":root"; got != want {
			t.Errorf("GetCallerIdentity of %s = %s, want %s", id, got, want)
		}
		if len(id) < 16 { // less than AWS's API takes
			continue
		}
		if got := element(root.ok("GetAccessKeyInfo", "AccessKeyId="+id), "Account"); got != account {
			t.Errorf("GetAccessKeyInfo(%s) = %s, want %s", id, got, account)
		}
	}
	wrong := s.root(t, DefaultAccount)
	wrong.secret += "x"
	wrong.fail("SignatureDoesNotMatch", "GetCallerIdentity")
}

func TestOptionsThatAreRefused(t *testing.T) {
	key := func(account, id, secret string) RootKey { return RootKey{Account: account, ID: id, Secret: secret} }
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"every-interface", Options{Listen: ":0"}, "reachable from other machines"},
		{"another-machine's-address", Options{Listen: "10.0.0.1:0"}, "reachable from other machines"},
		{"a-name-that-may-be-anything", Options{Listen: "example.com:0"}, "reachable from other machines"},
		{"no-port", Options{Listen: "127.0.0.1"}, "HOST:PORT"},
		{"a-short-account", Options{Accounts: []string{"12"}}, "twelve digits"},
		{"an-account-twice", Options{Accounts: []string{DefaultAccount, DefaultAccount}}, "twice"},
		{"a-key-of-no-account", Options{RootKeys: []RootKey{key("111122223333", "a", "b")}}, "does not have"},
		{"two-keys-of-one-account", Options{RootKeys: []RootKey{key(DefaultAccount, "a", "b"), key(DefaultAccount, "c", "d")}}, "two root keys"},
		{"a-key-of-two-accounts", Options{Accounts: []string{DefaultAccount, "111122223333"},
			RootKeys: []RootKey{key(DefaultAccount, "a", "b"), key("111122223333", "a", "d")}}, "of two accounts"},
		{"an-id-with-a-slash", Options{RootKeys: []RootKey{key(DefaultAccount, "a/b", "b")}}, "letters and digits"},
		{"no-secret", Options{RootKeys: []RootKey{key(DefaultAccount, "a", "")}}, "the secret"},
		{"a-negative-delay", Options{Delay: -1}, "--delay"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Start(t.Context(), tt.o)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Start(%+v) = %v, want an error with %q", tt.o, err, tt.want)
			}
		})
	}
	if _, err := ParseRootKey("hush-hush", DefaultAccount); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("ParseRootKey of a text without a colon = %v, want an error that does not hold it", err)
	}
}

// TestReset: quirk Q109.
func TestReset(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Seed: 3})
	root := s.root(t, DefaultAccount)
	make := func() (string, *client, *client) {
		id := element(root.ok("CreateUser", "UserName=ann"), "UserId")
		root.ok("CreateRole", "RoleName=app", trustAll)
		ann := root.key("ann")
		ann.ok("GetCallerIdentity")
		root.ok("PutUserPolicy", "UserName=ann", "PolicyName=p", `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`)
		return id, ann, ann.assume("arn:aws:iam::123456789012:role/app")
	}
	id, ann, app := make()
	data := s.Status().Data
	if err := s.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if status, body := post(t, s, "/_innkeeper/reset", ""); status != 200 {
		t.Fatalf("reset = %d %s", status, body)
	}
	root.fail("NoSuchEntity", "GetUser", "UserName=ann")
	ann.fail("InvalidClientTokenId", "GetCallerIdentity")
	app.fail("InvalidClientTokenId", "GetCallerIdentity")
	if off := s.clock.Offset(); off != 0 {
		t.Errorf("the clock is %v off after a reset, want 0", off)
	}
	again, ann2, _ := make()
	if again != id || ann2.id != ann.id || ann2.secret != ann.secret {
		t.Errorf("with a seed, ann is %s with the key %s after a reset, want %s with %s as before", again, ann2.id, id, ann.id)
	}
	s.ending.Wait()
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the directory of what was before is there: %v", err)
	}
	if files, _ := filepath.Glob(s.Status().Data + "/audit/*"); len(files) == 0 {
		t.Error("there is no audit log")
	}
}

// TestResetWhileRequestsRun: none is lost, none fails.
func TestResetWhileRequestsRun(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	stop, done := make(chan bool), make(chan bool)
	for range 2 {
		go func() {
			defer func() { done <- true }()
			root := s.root(t, DefaultAccount)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status, body := root.call("ListUsers"); status != 200 {
					t.Errorf("ListUsers during a reset = %d %s", status, body)
					return
				}
			}
		}()
	}
	for range 20 {
		if err := s.Reset(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-done
	<-done
}

func TestSeed(t *testing.T) {
	t.Parallel()
	run := func(seed uint64, reads int) string {
		s := start(t, Options{Seed: seed})
		root := s.root(t, DefaultAccount)
		for range reads {
			root.ok("ListUsers")
		}
		id := element(root.ok("CreateUser", "UserName=ann"), "UserId")
		k := root.key("ann")
		return id + k.id + k.secret
	}
	if one, two := run(1, 0), run(1, 3); one != two {
		t.Errorf("the same seed makes %s and %s", one, two)
	}
	if run(1, 0) == run(2, 0) {
		t.Error("two seeds make the same ids")
	}
	if one, two := run(0, 0), run(0, 0); one == two {
		t.Error("without a seed two servers make the same ids")
	}
}

// TestClock: quirk Q106. The client signs by the real clock throughout.
func TestClock(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	root := s.root(t, DefaultAccount)
	root.ok("CreateRole", "RoleName=app", trustAll)
	root.ok("CreateUser", "UserName=ann")
	root.ok("PutUserPolicy", "UserName=ann", "PolicyName=p", `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`)
	app := root.key("ann").assume("arn:aws:iam::123456789012:role/app")
	app.ok("GetCallerIdentity")
	if status, body := post(t, s, "/_innkeeper/clock", `{"advance":"1h1s"}`); status != 200 || !strings.Contains(body, `"offset":"1h0m1s"`) {
		t.Fatalf("advance = %d %s", status, body)
	}
	app.fail("ExpiredToken", "GetCallerIdentity")
	root.ok("CreateUser", "UserName=bob")
	when, err := time.Parse(time.RFC3339, element(root.ok("GetUser", "UserName=bob"), "CreateDate"))
	if off := time.Until(when); err != nil || off < 59*time.Minute {
		t.Errorf("bob was made at %v, %v, want by the moved clock", when, err)
	}
	if status, body := post(t, s, "/_innkeeper/clock", `{"set":"2031-05-06T07:08:09Z"}`); status != 200 || !strings.Contains(body, `"now":"2031-05-06T07:08:09`) {
		t.Errorf("set = %d %s", status, body)
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"advance":"soon"}`, `{"advance":"1h","set":"2031-05-06T07:08:09Z"}`, `{"set":"1999-01-01T00:00:00Z"}`,
		`{"advance":"1000000h"}`, `{"by":"1h"}`, `{"advance":"1h","by":"1h"}`, `{"advance":"1h"}{}`, `{"advance":"` + strings.Repeat("1", 5000) + `h"}`} {
		if status, body := post(t, s, "/_innkeeper/clock", bad); status != 400 || !strings.Contains(body, `"error":"`) {
			t.Errorf("clock %.60s = %d %s, want 400", bad, status, body)
		}
	}
}

// TestDelay: quirk Q107.
func TestDelay(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Delay: time.Hour})
	root := s.root(t, DefaultAccount)
	root.ok("CreateUser", "UserName=ann")
	root.fail("NoSuchEntity", "GetUser", "UserName=ann")
	root.fail("EntityAlreadyExists", "CreateUser", "UserName=ann")
	ann := root.key("ann")
	ann.fail("InvalidClientTokenId", "GetCallerIdentity")
	wait := func() {
		if err := s.Advance(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	wait()
	root.ok("GetUser", "UserName=ann")
	ann.fail("AccessDenied", "GetUser")
	root.ok("PutUserPolicy", "UserName=ann", "PolicyName=p", `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}`)
	ann.fail("AccessDenied", "GetUser")
	wait()
	ann.ok("GetUser")
	root.ok("DeleteUserPolicy", "UserName=ann", "PolicyName=p")
	ann.ok("GetUser")
	wait()
	ann.fail("AccessDenied", "GetUser")
}

// TestAdvanceWaitsForWhatIsDue: what a change did is there when the clock has been
// moved, not a moment later.
func TestAdvanceWaitsForWhatIsDue(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Delay: time.Hour})
	store := s.now.Load().node.Store()
	root := s.root(t, DefaultAccount)
	for i := range 50 {
		name := fmt.Sprint("user-", i)
		root.ok("CreateUser", "UserName="+name)
		if err := s.Advance(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		v, err := store.View(t.Context(), DefaultAccount)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.User(name); err != nil {
			t.Fatalf("after %d changes, User(%s) = %v", i, name, err)
		}
	}
}

// TestNoEnforce: quirk Q108.
func TestNoEnforce(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Unchecked: true})
	root := s.root(t, DefaultAccount)
	root.ok("CreateUser", "UserName=ann")
	ann := root.key("ann")
	ann.ok("CreateUser", "UserName=bob")
	ann.secret += "x"
	ann.fail("SignatureDoesNotMatch", "ListUsers")
	text, err := os.ReadFile(s.Status().Data + "/audit/audit.log")
	if err != nil || !bytes.Contains(text, []byte(`"decision":"implicit-deny"`)) {
		t.Errorf("the audit log has no refusal: %v\n%s", err, text)
	}
	if got := s.Status().Policies; got != "not enforced" {
		t.Errorf("Status().Policies = %q", got)
	}
}

func post(t testing.TB, s *Server, path, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

func TestBrowsersAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	port := s.URL()[strings.LastIndexByte(s.URL(), ':'):]
	for _, tt := range []struct {
		name, path, host, origin string
		want                     int
	}{
		{"a-program", "/_innkeeper", "", "", 200},
		{"by-name", "/_innkeeper", "localhost" + port, "", 200},
		{"by-ipv6", "/_innkeeper", "[::1]" + port, "", 200},
		{"a-name-that-was-made-to-resolve-here", "/_innkeeper", "evil.example" + port, "", 403},
		{"a-name-without-a-port", "/_innkeeper", "evil.example", "", 403},
		{"a-page-from-elsewhere", "/_innkeeper", "", "http://evil.example", 403},
		{"a-page-of-this-machine", "/_innkeeper", "", "http://localhost:3000", 403},
		{"a-page-without-an-origin", "/_innkeeper", "", "null", 403},
		{"a-page-that-asks-the-api", "/", "", "http://evil.example", 403},
		{"nothing-there", "/_innkeeper/x", "", "", 404},
		{"a-path-of-the-api", "/_innkeeperx", "", "", 400}, // the API misses an Action
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodGet, s.URL()+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if status, body := do(t, r); status != tt.want {
				t.Errorf("GET %s = %d %s, want %d", tt.path, status, body, tt.want)
			}
		})
	}
}

func TestClosedServer(t *testing.T) {
	s, err := Start(t.Context(), Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(t.Context()); err == nil {
		t.Error("Reset() after Close() = nil, want an error")
	}
	if err := s.Advance(t.Context(), time.Hour); err == nil {
		t.Error("Advance() after Close() = nil, want an error")
	}
}

// BenchmarkReset measures a reset with so many users in two accounts, 5,000 of
// which one account may have. Making them takes longer by far: run it with
// -benchtime=3x.
func BenchmarkReset(b *testing.B) {
	accounts := []string{"111111111111", "222222222222"}
	for _, n := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("users=%d", n), func(b *testing.B) {
			s := start(b, Options{Accounts: accounts})
			for b.Loop() {
				b.StopTimer()
				for i := range n {
					s.root(b, accounts[i%2]).ok("CreateUser", fmt.Sprintf("UserName=u%d", i))
				}
				s.ending.Wait()
				b.StartTimer()
				if err := s.Reset(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := Start(b.Context(), Options{Listen: "127.0.0.1:0"})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
