// SPDX-License-Identifier: Apache-2.0

package awsgate_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awsgate"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// A world is a gate before a server that keeps what arrives, with the accounts of a node.
type world struct {
	*iamtest.Server
	t     testing.TB
	clock *iamtest.Clock
	log   *audit.Log
	dir   string // of log
	url   string
	back  *recorder
}

// A recorder is a service that keeps the requests that arrive, and answers them all alike.
type recorder struct {
	mu     sync.Mutex
	all    []arrived
	answer http.HandlerFunc // nil: 200 and {}
}

type arrived struct {
	*http.Request
	body string
}

func (b *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	b.all = append(b.all, arrived{r, string(body)})
	answer := b.answer
	b.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Requestid", "the-service's")
	io.WriteString(w, `{"answer":1}`)
}

// take returns what arrived since it was last called.
func (b *recorder) take() []arrived {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.all
	b.all = nil
	return all
}

func start(t testing.TB, with ...func(*awsgate.Options)) *world {
	t.Helper()
	w := &world{t: t, clock: iamtest.NewClock(), dir: t.TempDir(), back: new(recorder)}
	w.Server = iamtest.Options{Clock: w.clock}.Start(t)
	behind := httptest.NewServer(w.back)
	t.Cleanup(behind.Close)
	base, err := url.Parse(behind.URL)
	must(t, err)
	ups := make(map[string]*upstream.Upstream)
	for _, service := range []string{"dynamodb", "ec2", "lambda", "monitoring", "secretsmanager", "sns", "sqs"} {
		up, err := upstream.New(upstream.Options{URL: base, Service: service, Timeout: 5 * time.Second, Now: w.clock.Now,
			Credentials: upstream.Static(upstream.Credentials{AccessKeyID: "GATEWAY", SecretAccessKey: "gateway secret"})})
		must(t, err)
		t.Cleanup(up.Close)
		ups[service] = up
	}
	w.log, err = audit.Open(audit.Options{Dir: w.dir, NoSync: true, Now: w.clock.Now})
	must(t, err)
	t.Cleanup(func() { w.log.Close() })
	st := w.Server.Store()
	raw, err := st.System(t.Context(), "session-ring")
	must(t, err)
	source := new(ids.Source)
	ring, err := session.NewRing(source, slices.Collect(slices.Chunk(raw, session.KeySize))...)
	must(t, err)
	o := awsgate.Options{
		Upstreams: ups, Authn: authn.New(st, ring, w.clock.Now), Authz: authz.New(w.log, ring, st),
		Audit: w.log, Store: st, IDs: source, Now: w.clock.Now, Region: "us-east-1",
		Env: func(r *http.Request) authz.Env { return authz.Env{SourceIP: "127.0.0.1", UserAgent: r.UserAgent()} },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, f := range with {
		f(&o)
	}
	front := httptest.NewServer(awsgate.New(o))
	t.Cleanup(front.Close)
	w.url = front.URL
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A call is a request of a test.
type call struct {
	service, method, path, target, media, body string
	header                                     []string
}

func dynamo(op, body string) call {
	return call{service: "dynamodb", target: "DynamoDB_20120810." + op, media: "application/x-amz-json-1.0", body: body}
}

func form(service, body string) call {
	return call{service: service, media: "application/x-www-form-urlencoded; charset=utf-8", body: body}
}

// A reply is an answer of the gate.
type reply struct {
	status int
	body   string
	header http.Header
}

// send signs a request as a client, nil for nobody, and sends it.
func (w *world) send(by *iamtest.Client, c call) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), or(c.method, "POST"), w.url+or(c.path, "/"), bytes.NewReader([]byte(c.body)))
	must(w.t, err)
	if c.target != "" {
		r.Header.Set("X-Amz-Target", c.target)
	}
	if c.media != "" {
		r.Header.Set("Content-Type", c.media)
	}
	for _, h := range c.header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	if by != nil {
		s := sigv4.Signer{AccessKeyID: by.Key, SecretAccessKey: by.Secret, SessionToken: by.Token, Region: "us-east-1", Service: c.service, Now: w.clock.Now}
		must(w.t, s.Sign(r, sigv4.HashPayload([]byte(c.body))))
	}
	resp, err := http.DefaultClient.Do(r)
	must(w.t, err)
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, string(body), resp.Header}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// want sends a request, and checks the status of the answer and whether the service got it.
func (w *world) want(by *iamtest.Client, c call, status int, arrives bool) reply {
	w.t.Helper()
	r := w.send(by, c)
	if r.status != status {
		w.t.Errorf("%s %s %s: status %d, want %d\n%s", c.service, c.target, c.body, r.status, status, r.body)
	}
	if n := len(w.back.take()); (n == 1) != arrives || n > 1 {
		w.t.Errorf("%s %s %s: the service got %d requests", c.service, c.target, c.body, n)
	}
	return r
}

// last is the newest audit record.
func (w *world) last() audit.Record {
	w.t.Helper()
	var last audit.Record
	for r, err := range audit.Records(w.dir) {
		must(w.t, err)
		last = r
	}
	return last
}

// policyText is a policy of one statement for each argument.
func policyText(statements ...string) string {
	text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	if !json.Valid([]byte(text)) {
		panic(text)
	}
	return text
}
