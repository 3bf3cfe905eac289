// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const (
	account = "111122223333"
	version = "2010-05-08"
	secret  = "correct-horse-battery-staple"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A site is a server of a small service with a user ann who may do everything
// but Forbidden, and a key of hers.
type site struct {
	*api.Server
	key  sigv4.Signer
	ring *session.Ring
	dir  string // of the audit log
	read int64  // bytes of it that records returned
	logs bytes.Buffer
	thing
}

// A thing is the service: what its operations did, and what they are to do.
type thing struct {
	mu      sync.Mutex // guards below
	did     []string   // the stages that were entered, in order
	during  func(stage string, c *api.Call)
	refused []string // causes that the observer was told
	served  []string // operations and codes that it was told
}

func (x *thing) enter(stage string, c *api.Call) {
	x.mu.Lock()
	x.did = append(x.did, stage)
	during := x.during
	x.mu.Unlock()
	if during != nil {
		during(stage, c)
	}
}

func (x *thing) Served(service, operation, code string, _ time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.served = append(x.served, service+":"+operation+" "+code)
}

func (x *thing) Refused(cause string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.refused = append(x.refused, cause)
}

// input has a name and a password, which nobody may see.
type input struct {
	x              *thing
	Name, Password string
}

func (x *thing) decode(f *wire.Form) *input {
	x.enter("decode", nil)
	in := &input{x: x, Name: f.Required("Name", &wire.Text{Min: 2, Max: 64})}
	if p := f.Optional("Password", &wire.Text{Secret: true}); p != nil {
		in.Password = *p
	}
	return in
}

func (in *input) AppendJSON(b []byte) []byte { return append(b, `{"name":"`+in.Name+`"}`...) }

func (x *thing) target(c *api.Call, in *input) ([]authz.Check, error) {
	x.enter("target", c)
	if in.Name == "no-target" {
		return nil, nil
	}
	if in.Name == "bad-target" {
		return nil, awserr.NoSuchEntity.Msg("There is no %s.", in.Name)
	}
	return []authz.Check{{Resource: "arn:aws:iam::" + account + ":user/" + in.Name}}, nil
}

type output struct {
	x *thing
	c *api.Call
}

func (o *output) AppendResult(b []byte) []byte {
	b = append(b, "<ThingResult><Secret>"+secret+"</Secret></ThingResult>"...)
	o.x.enter("xml", o.c)
	return b
}

func (o *output) AppendJSON(b []byte) []byte {
	o.x.enter("json", o.c)
	return append(b, `{"secret":"hidden"}`...)
}

func (x *thing) run(c *api.Call, in *input) (*output, error) {
	x.enter("run", c)
	if in.Name == "nothing" {
		return nil, nil
	}
	if in.Name == "conflict" {
		return nil, store.ErrConflict
	}
	return &output{x, c}, nil
}

func (x *thing) void(c *api.Call, in *input) error {
	_, err := x.run(c, in)
	return err
}

func (x *thing) ops() []api.Op {
	return []api.Op{
		api.Read("iam:ReadThing", x.decode, x.target, x.run),
		api.Write("iam:MakeThing", x.decode, x.target, x.run),
		api.Issue("iam:IssueThing", x.decode, x.target, x.run),
		api.Void("iam:DropThing", x.decode, x.target, x.void),
		api.Read("iam:Forbidden", x.decode, x.target, x.run),
	}
}

func open(t testing.TB) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true})
	must(t, err)
	keeper, err := seal.Create(filepath.Join(dir, "key"))
	must(t, err)
	st, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
	must(t, err)
	log, err := audit.Open(audit.Options{Dir: s.dir})
	must(t, err)
	t.Cleanup(func() {
		if err := log.Close(); err != nil && !errors.Is(err, audit.ErrClosed) {
			t.Errorf("closing the audit log: %v", err)
		}
		if err := errors.Join(st.Close(), db.Close()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	_, err = st.CreateAccount(t.Context(), store.Account{ID: account})
	must(t, err)
	source := new(ids.Source)
	s.ring, err = session.NewRing(source, session.NewKey())
	must(t, err)
	clock := func() time.Time { return now }
	s.Server = &api.Server{
		Services: []*api.Service{
			api.NewService("iam", version, "https://iam.amazonaws.com/doc/2010-05-08/", s.ops()),
			api.NewService("sts", "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/",
				[]api.Op{api.Read("sts:GetCallerIdentity", s.anyone, s.target, s.run)}),
		},
		Authn: authn.New(st, s.ring, clock, "iam", "sts"), Authz: authz.New(log, s.ring, st),
		Audit: log, Store: st, IDs: source, Now: clock, Observer: &s.thing, Region: "us-east-1",
		Log: slog.New(slog.NewTextHandler(&s.logs, nil)),
	}
	key, keySecret := st.NewKey(account)
	must(t, st.Update(t.Context(), account, func(tx *store.Tx) error {
		policy := store.NewDocument("all", `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:Forbidden","Resource":"*"}]}`)
		return tx.CreateUser(&store.User{
			Name: "ann", Path: "/", Keys: []store.AccessKey{key},
			Grants: store.Grants{Inline: []store.Inline{{Name: "all", Document: policy}}},
		})
	}))
	s.key = sigv4.Signer{AccessKeyID: key.ID, SecretAccessKey: keySecret, Region: "us-east-1", Service: "iam", Now: clock}
	return s
}

// anyone decodes a request without parameters.
func (x *thing) anyone(*wire.Form) *input { return &input{x: x, Name: "ann"} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func post(form string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://inn.test/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "203.0.113.7:4711"
	return r
}

func call(action string, params ...string) string {
	return "Action=" + action + "&Version=" + version + "&" + strings.Join(params, "&")
}

// sign signs r, whose body is form.
func (s *site) sign(t testing.TB, r *http.Request, form string) *http.Request {
	t.Helper()
	must(t, s.key.Sign(r, sigv4.HashPayload([]byte(form))))
	return r
}

// do serves a request and returns its answer and the records that it left.
func (s *site) do(t testing.TB, r *http.Request) (*httptest.ResponseRecorder, []audit.Record) {
	t.Helper()
	w := httptest.NewRecorder()
	s.records(t)
	s.ServeHTTP(w, r)
	return w, s.records(t)
}

func (s *site) post(t testing.TB, form string) (*httptest.ResponseRecorder, audit.Record) {
	t.Helper()
	w, records := s.do(t, s.sign(t, post(form), form))
	if len(records) != 1 {
		t.Fatalf("%s left %d records, want 1", form, len(records))
	}
	return w, records[0]
}

// records returns the records since it was last called.
func (s *site) records(t testing.TB) []audit.Record {
	t.Helper()
	file, err := os.Open(filepath.Join(s.dir, "audit.log"))
	must(t, err)
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, s.read, 1<<30))
	must(t, err)
	s.read += int64(len(text))
	var list []audit.Record
	for line := range bytes.Lines(text) {
		var r audit.Record
		must(t, json.Unmarshal(line, &r))
		list = append(list, r)
	}
	return list
}

func (s *site) stages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.did)
}

// An answer is what a client reads.
type answer struct {
	XMLName   xml.Name
	Type      string `xml:"Error>Type"`
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
	Metadata  string `xml:"ResponseMetadata>RequestId"`
}

func parse(t testing.TB, w *httptest.ResponseRecorder) answer {
	t.Helper()
	var a answer
	if err := xml.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("the answer is not XML: %v\n%s", err, w.Body)
	}
	return a
}
