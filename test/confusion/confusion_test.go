// SPDX-License-Identifier: Apache-2.0

package confusion

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/innkeeper-iam/innkeeper/test/server"
	"github.com/innkeeper-iam/innkeeper/test/versity"
)

var (
	requests = flag.Int("requests", 10_000, "odd requests to send")
	seed     = flag.Uint64("seed", 1, "which ones; 0 for others each time")
)

// marker is in every object that eve may not read.
const marker = "nobody tells eve about this"

// A tap stands between the gateway and the store and sees what the store is sent.
type tap struct {
	mu   sync.Mutex // guards below
	seen []string
}

func (p *tap) note(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.Method+" "+r.RequestURI+" copy:"+strings.Join(r.Header["X-Amz-Copy-Source"], ","))
}

// take returns what was seen since the last time.
func (p *tap) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

// open starts a tap in front of a store.
func (p *tap) open(t *testing.T, store string) string {
	to, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.note(r)
		out := r.Clone(r.Context())
		out.URL = &url.URL{Scheme: "http", Host: to.Host, Opaque: r.RequestURI}
		out.RequestURI = ""
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer resp.Body.Close()
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
		io.Copy(w, resp.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// permitted says what the store may be sent: all that eve's policy allows, and
// nothing that could be read in another way. It reads targets in its own way and
// shares nothing with the gateway.
var permitted = []*regexp.Regexp{
	regexp.MustCompile(`^(GET|HEAD|PUT|DELETE) /open/eve/(KEY)(\?(partNumber=1|SENT)(&(partNumber=1|SENT))?)? copy:$`),
	regexp.MustCompile(`^PUT /open/eve/(KEY) copy:/?open(/|%2[Ff])eve(/|%2[Ff])(KEY)$`),
	regexp.MustCompile(`^(POST) /open/eve/(KEY)\?uploads=? copy:$`),
	regexp.MustCompile(`^(PUT|POST|DELETE|GET) /open/eve/(KEY)\?(partNumber=1&)?uploadId=[\w%.-]*(&partNumber=1)? copy:`),
	regexp.MustCompile(`^POST /open\?delete=? copy:$`),
}

// gatesOwn is what the gateway itself asks before a copy: whether the source, which
// eve may read, has tags.
var gatesOwn = regexp.MustCompile(`^GET /open/eve/(KEY)\?tagging=? copy:$`)

func init() {
	// A key has no segment that is empty or dots, and no byte that is not SigV4's own
	// writing of it; a folder may end it.
	segment := `(?:\.{0,2}(?:[\w~-]|%[0-9A-F]{2})(?:[\w.~-]|%[0-9A-F]{2})*|\.{3,})`
	key := `(?:` + segment + `/)*` + segment + `?`
	for i, re := range permitted {
		permitted[i] = regexp.MustCompile(strings.NewReplacer("KEY", key, "SENT", sent).Replace(re.String()))
	}
	gatesOwn = regexp.MustCompile(strings.ReplaceAll(gatesOwn.String(), "KEY", key))
}

// sent is a parameter that the store puts into its answer and looks at no further.
const sent = `response-content-type=[\w%.~-]*`

var sentBack = regexp.MustCompile(`[?&]` + sent)

// hides reports whether a text has what a second reading could take for another path.
func hides(text string) bool {
	for _, part := range []string{"%2F..", "..%2F", "%00", "%2E"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// allowed reports whether the store may be sent a line of a tap.
func allowed(line string) bool {
	if hides(sentBack.ReplaceAllString(line, "")) {
		return false
	}
	for _, re := range permitted {
		if re.MatchString(line) {
			return true
		}
	}
	return false
}

// TestConfusion sends odd requests, most of them signed by eve, to a gateway in front
// of a real store. The store must be sent nothing but what her policy allows in the
// plainest reading, no answer may hold what she may not read, and no object of others
// may change.
func TestConfusion(t *testing.T) {
	store := versity.Start(t)
	var p tap
	at := p.open(t, store.URL)
	credentials, err := store.Credentials(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	inn := server.Start(t, server.Options{Args: []string{
		"--upstream", at, "--upstream-credentials", credentials, "--gateway-listen", "127.0.0.1:0", "--gateway-domain", "s3.test", "--stall", "2s",
		"--upstream-keys", "strict", // the tap ends broken uploads in order, which the probe of a store does not bear
	}})
	eve := newUser(t, inn, "eve", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::open/eve/*"}]}`)
	host := strings.TrimPrefix(inn.Gateway, "http://")
	for _, target := range []string{"/open", "/vault", secret, others, own} {
		m := &message{method: "PUT", target: target, version: "HTTP/1.1"}
		m.add("Host", host)
		if strings.Count(target, "/") > 1 {
			m.body = marker
		}
		m.fields = append(m.fields, field{"Content-Length:", fmt.Sprint(" ", len(m.body))})
		m.sign(inn.Admin, time.Now(), verbatim)
		if answer := send(t, host, m.String()); !strings.HasPrefix(answer, "HTTP/1.1 200") {
			t.Fatalf("PUT %s = %s", target, answer)
		}
	}
	before := tree(t, store.Dir)
	p.take()
	seed := *seed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var passed, refused int
	for i := range *requests {
		m, after := odd(r, host)
		m.sign(eve, time.Now(), pick(r, verbatim, normal))
		for _, f := range after {
			f(m)
		}
		text := m.String()
		answer := send(t, host, text)
		seen := p.take()
		for _, line := range seen {
			if !allowed(line) && !(gatesOwn.MatchString(line) && strings.Contains(strings.ToLower(text), "copy-source")) {
				t.Errorf("request %d of seed %d:\n%q\nreached the store as\n%s", i, seed, text, line)
			}
		}
		if strings.Contains(answer, marker) && !ownCopy(seen) {
			t.Errorf("request %d of seed %d:\n%q\nwas answered with what eve may not read:\n%q", i, seed, text, answer)
		}
		if strings.Contains(answer, "InternalError") && len(seen) == 0 { // the store may have its own
			t.Errorf("request %d of seed %d:\n%q\nwas answered with\n%q", i, seed, text, answer)
		}
		if len(seen) > 0 {
			passed++
		} else {
			refused++
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("%d requests: %d reached the store, %d did not", *requests, passed, refused)
	if passed < *requests/100 || refused < *requests/2 {
		t.Errorf("%d requests reached the store and %d did not: the test is not about what it should be", passed, refused)
	}
	for name, sum := range tree(t, store.Dir) {
		if was, ok := before[name]; !strings.HasPrefix(name, "open/eve") && (!ok || was != sum) {
			t.Errorf("%s was changed or made", name)
		}
		delete(before, name)
	}
	for name := range before {
		if !strings.HasPrefix(name, "open/eve") {
			t.Errorf("%s was removed", name)
		}
	}
}

// ownCopy reports whether the store was asked for eve's own object alone, which began
// with the same content.
func ownCopy(seen []string) bool {
	for _, line := range seen {
		if !strings.HasPrefix(line, "GET /open/eve/") {
			return false
		}
	}
	return len(seen) > 0
}

// TestPermitted: the judge of this test is no pushover.
func TestPermitted(t *testing.T) {
	for line, want := range map[string]bool{
		"GET /open/eve/mine copy:":                                         true,
		"GET /open/eve/a/b%20c/ copy:":                                     true,
		"PUT /open/eve/mine copy:/open/eve/mine":                           true,
		"GET /open/eve/../bob/theirs copy:":                                false,
		"GET /open/eve//mine copy:":                                        false,
		"GET /open/eve/./mine copy:":                                       false,
		"GET /open/eve/%2e%2e/mine copy:":                                  false,
		"GET /open/eve/mine?acl copy:":                                     false,
		"GET /open/eve/mine?versionId=1 copy:":                             false,
		"PUT /open/eve/mine copy:/vault/secret":                            false,
		"PUT /open/eve/mine copy:open/eve/../../vault/x":                   false,
		"GET /vault/secret copy:":                                          false,
		"GET /open?list-type=2 copy:":                                      false,
		"DELETE /open/bob/theirs copy:":                                    false,
		"GET /open/eve/x%00 copy:":                                         false,
		"GET http://vault/secret copy:":                                    false,
		"POST /open?delete copy:":                                          true,
		"GET /open/eve/mine?response-content-type=..%2F..%2Fvault copy:":   true,
		"GET /open/eve/mine?partNumber=1&response-content-type=x copy:":    true,
		"GET /open/eve/mine?response-content-type=x&acl copy:":             false,
		"GET /open/eve/..%2F..%2Fvault?response-content-type=eve%2F copy:": false,
		"PUT /open/eve/mine?partNumber=1&uploadId=x copy:":                 true,
		"GET /open/eve/mine?uploadId=..%2F..%2Fvault copy:":                false,
		"PUT /open/eve/mine copy:open%2Feve%2F%2E%2E%2Fbob":                false,
	} {
		if got := allowed(line); got != want {
			t.Errorf("allowed(%q) = %v, want %v", line, got, want)
		}
	}
}

// send writes bytes to the gateway and returns what comes back: one answer, and what
// follows it at once.
func send(t *testing.T, host, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, text) // it may close while we write
	var all bytes.Buffer
	in := bufio.NewReader(io.TeeReader(c, &all))
	patient := func(d time.Duration) { _ = c.SetReadDeadline(time.Now().Add(d)) } // of an open connection
	patient(300 * time.Millisecond)
	if _, err := in.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.(*net.TCPConn).CloseWrite() // it waits for more, and there is none
		patient(20 * time.Second)
		in.Reset(io.TeeReader(c, &all))
	}
	patient(20 * time.Second)
	method, _, _ := strings.Cut(text, " ")
	resp, err := http.ReadResponse(in, &http.Request{Method: method})
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body) // a broken answer is one, too
		patient(time.Millisecond)
		_, _ = io.Copy(io.Discard, in)
	}
	return all.String()
}

// newUser makes a user with a policy and returns its key.
func newUser(t *testing.T, inn *server.Server, name, document string) server.Key {
	t.Helper()
	api, ctx := inn.IAM(inn.Admin), context.Background()
	if _, err := api.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	_, err := api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("own"), PolicyDocument: &document})
	if err != nil {
		t.Fatal(err)
	}
	out, err := api.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return server.UserKey(out.AccessKey)
}

// tree is a sum of every file of the store.
func tree(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	files := make(map[string][sha256.Size]byte)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".vgwlocks" { // the store's own
				return fs.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = sha256.Sum256(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
