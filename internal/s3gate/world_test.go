// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/s3gate"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const other = "444455556666" // an account beside iamtest.Account

// A world is a gate before an S3 server in memory, with the accounts of a node.
type world struct {
	*iamtest.Server
	t     testing.TB
	clock *iamtest.Clock
	gate  *s3gate.Gate
	log   *audit.Log
	dir   string // of log
	url   string
	store *front
	log5  *bytes.Buffer // what the gate logged
}

// A front stands before the S3 server, counts what arrives, and may answer in its
// place.
type front struct {
	http.Handler
	hits atomic.Int64
	last atomic.Pointer[http.Request]
	over atomic.Pointer[http.HandlerFunc]
	tags sync.Map // path → x-amz-tagging of the object, which the S3 server does not keep
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.hits.Add(1)
	f.last.Store(r.Clone(context.Background()))
	if over := f.over.Load(); over != nil {
		(*over)(w, r)
		return
	}
	tags := r.Header.Get("X-Amz-Tagging")
	switch {
	case r.Method == http.MethodPut && tags != "":
		f.tags.Store(r.URL.Path, tags)
	case r.Method == http.MethodGet && r.URL.Query().Has("tagging"):
		f.tagging(w, r)
		return
	}
	f.Handler.ServeHTTP(w, r)
}

// tagging answers GetObjectTagging.
func (f *front) tagging(w http.ResponseWriter, r *http.Request) {
	head := httptest.NewRecorder()
	f.Handler.ServeHTTP(head, httptest.NewRequest(http.MethodGet, r.URL.Path, nil))
	if head.Code != http.StatusOK {
		w.WriteHeader(head.Code)
		w.Write(head.Body.Bytes())
		return
	}
	b := "<Tagging><TagSet>"
	if v, ok := f.tags.Load(r.URL.Path); ok {
		q, _ := url.ParseQuery(v.(string))
		for k := range q {
			b += "<Tag><Key>" + k + "</Key><Value>" + q.Get(k) + "</Value></Tag>"
		}
	}
	io.WriteString(w, b+"</TagSet></Tagging>")
}

// answer makes the store answer as h does; nil: as itself.
func (f *front) answer(h http.HandlerFunc) {
	if h == nil {
		f.over.Store(nil)
		return
	}
	f.over.Store(&h)
}

// start starts a world with bucket "box" of the first account.
func start(t testing.TB, with ...func(*s3gate.Options)) *world {
	t.Helper()
	w := &world{t: t, clock: iamtest.NewClock(), dir: t.TempDir(), log5: new(bytes.Buffer)}
	w.Server = iamtest.Options{Clock: w.clock}.Start(t)
	w.store = &front{Handler: gofakes3.New(s3mem.New(), gofakes3.WithTimeSkewLimit(0)).Server()}
	behind := httptest.NewServer(w.store)
	t.Cleanup(behind.Close)
	base, err := url.Parse(behind.URL)
	must(t, err)
	up, err := upstream.New(upstream.Options{URL: base, Timeout: 5 * time.Second, Now: w.clock.Now,
		Credentials: upstream.Static(upstream.Credentials{AccessKeyID: "GATEWAY", SecretAccessKey: "gateway secret"})})
	must(t, err)
	t.Cleanup(up.Close)
	w.log, err = audit.Open(audit.Options{Dir: w.dir, NoSync: true, Now: w.clock.Now})
	must(t, err)
	t.Cleanup(func() { w.log.Close() })
	st := w.Server.Store()
	raw, err := st.System(t.Context(), "session-ring")
	must(t, err)
	source := new(ids.Source)
	ring, err := session.NewRing(source, slices.Collect(slices.Chunk(raw, session.KeySize))...)
	must(t, err)
	o := s3gate.Options{
		Upstream: up, Buckets: buckets.New(st), Authn: authn.New(st, ring, w.clock.Now), Authz: authz.New(w.log, ring, st),
		Audit: w.log, Store: st, IDs: source, Now: w.clock.Now, Region: "us-east-1", Env: env,
		Log: slog.New(slog.NewTextHandler(w.log5, nil)), Spool: t.TempDir(),
	}
	for _, f := range with {
		f(&o)
	}
	w.gate = s3gate.New(o)
	front := httptest.NewServer(w.gate)
	t.Cleanup(front.Close)
	w.url = front.URL
	if o.Store == st && o.Upstream == up {
		w.want(w.Admin(), "PUT", "/box", "", 200)
	}
	return w
}

// Buckets returns the registry of the node's store.
func (w *world) Buckets() *buckets.Registry { return buckets.New(w.Store()) }

func env(r *http.Request) authz.Env {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return authz.Env{}
	}
	return authz.Env{SourceIP: ap.Addr().String(), UserAgent: r.UserAgent(), Referer: r.Referer(), Secure: r.TLS != nil}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A reply is an answer of the gate.
type reply struct {
	status int
	body   string
	header http.Header
}

func (r *reply) code() string { return iamtest.Element(r.body, "Code") }

// request makes an unsigned request. Each header is "Name: value".
func (w *world) request(method, target, body string, headers ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequest(method, w.url, strings.NewReader(body))
	must(w.t, err)
	path, query, _ := strings.Cut(target, "?")
	r.URL.Opaque, r.URL.RawQuery = path, query
	if body == "" {
		r.Body, r.ContentLength, r.GetBody = nil, 0, nil
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// do makes a request; by nil is anonymous.
func (w *world) do(by *iamtest.Client, method, target, body string, headers ...string) *reply {
	w.t.Helper()
	r := w.request(method, target, body, headers...)
	if by != nil {
		payload := sigv4.HashPayload([]byte(body))
		if v := r.Header.Get("X-Amz-Content-Sha256"); v != "" {
			payload = v
		}
		must(w.t, w.signer(by).Sign(r, payload))
	}
	return w.send(r)
}

func (w *world) signer(by *iamtest.Client) *sigv4.Signer {
	return &sigv4.Signer{AccessKeyID: by.Key, SecretAccessKey: by.Secret, SessionToken: by.Token, Region: "us-east-1", Service: "s3", Now: w.clock.Now}
}

func (w *world) send(r *http.Request) *reply {
	w.t.Helper()
	resp, err := noRedirects.Do(r)
	must(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return &reply{resp.StatusCode, string(text), resp.Header}
}

var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// want makes a request that must be answered with a status.
func (w *world) want(by *iamtest.Client, method, target, body string, status int, headers ...string) *reply {
	w.t.Helper()
	r := w.do(by, method, target, body, headers...)
	if r.status != status {
		w.t.Fatalf("%s %s = %d, want %d\n%s", method, target, r.status, status, r.body)
	}
	return r
}

// refuse makes a request that must be refused with a code, without a word to the
// store.
func (w *world) refuse(by *iamtest.Client, code, method, target, body string, headers ...string) *reply {
	w.t.Helper()
	before := w.store.hits.Load()
	r := w.do(by, method, target, body, headers...)
	if r.code() != code || r.status < 300 {
		w.t.Errorf("%s %s = %d %s, want %s\n%s", method, target, r.status, r.code(), code, r.body)
	}
	if n := w.store.hits.Load() - before; n != 0 {
		w.t.Errorf("%s %s reached the store %d times", method, target, n)
	}
	return r
}

// policy sets the policy of a bucket as its owner's administrator. The bucket
// stops blocking public policies.
func (w *world) policy(bucket, text string) {
	w.t.Helper()
	w.want(w.Admin(), "DELETE", "/"+bucket+"?publicAccessBlock", "", 204)
	w.want(w.Admin(), "PUT", "/"+bucket+"?policy", text, 204)
}

// last returns the latest record of the gate's own audit log.
func (w *world) last() audit.Record {
	w.t.Helper()
	var last audit.Record
	for r, err := range audit.Records(w.dir) {
		must(w.t, err)
		last = r
	}
	return last
}

// allow is a policy with one statement.
func allow(action, resource string) string { return statement("Allow", action, resource, "") }

func statement(effect, action, resource, rest string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"` + rest + `}]}`
}

// shared is a bucket policy with one statement.
func shared(effect, principal, action, resource string) string {
	return statement(effect, action, resource, `,"Principal":`+principal)
}

func userARN(name string) string { return "arn:aws:iam::" + iamtest.Account + ":user/" + name }

func aws(arn string) string { return `{"AWS":"` + arn + `"}` }

// additional is what a record says beside CloudTrail's fixed fields.
func additional(t testing.TB, r *audit.Record) map[string]any {
	t.Helper()
	m := make(map[string]any)
	must(t, json.Unmarshal(r.AdditionalEventData, &m))
	return m
}

// md5Of is the Content-MD5 of a body.
func md5Of(body string) string {
	sum := md5.Sum([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}
