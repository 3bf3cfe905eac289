// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

func TestStages(t *testing.T) {
	for action, want := range map[string][]string{
		"ReadThing":  {"decode", "target", "run", "xml"},
		"MakeThing":  {"decode", "target", "run", "json", "xml"},
		"IssueThing": {"decode", "target", "run", "json", "xml"},
		"DropThing":  {"decode", "target", "run"},
	} {
		t.Run(action, func(t *testing.T) {
			s := open(t)
			w, rec := s.post(t, call(action, "Name=one", "Password="+secret))
			if w.Code != http.StatusOK {
				t.Fatalf("status = %d, want 200\n%s", w.Code, w.Body)
			}
			if got := s.stages(); !slices.Equal(got, want) {
				t.Errorf("stages = %q, want %q", got, want)
			}
			a := parse(t, w)
			if a.XMLName.Local != action+"Response" || a.Metadata != rec.RequestID || a.Metadata == "" {
				t.Errorf("answer = %+v, want a %sResponse with request id %s", a, action, rec.RequestID)
			}
			if rec.EventSource != "iam.amazonaws.com" || rec.EventName != action || rec.ErrorCode != "" {
				t.Errorf("record = %s %s %s, want %s without an error", rec.EventSource, rec.EventName, rec.ErrorCode, action)
			}
			if rec.Identity.Type != "IAMUser" || rec.Identity.UserName != "ann" || rec.Identity.AccessKeyID != s.key.AccessKeyID {
				t.Errorf("identity = %+v, want ann", rec.Identity)
			}
			if got := string(rec.RequestParameters); got != `{"name":"one"}` {
				t.Errorf("requestParameters = %s", got)
			}
			reads, results := action == "ReadThing" || action == "IssueThing", action != "ReadThing"
			if rec.ReadOnly != reads || (rec.ResponseElements != nil && string(rec.ResponseElements) != "null") != (results && action != "DropThing") {
				t.Errorf("readOnly = %v, responseElements = %s", rec.ReadOnly, rec.ResponseElements)
			}
			if d := rec.Decision; d.Action != "iam:"+action || d.Outcome != audit.Allow || d.Layer != "identity-based policy" || d.Policy != "all" {
				t.Errorf("decision = %+v", d)
			}
			if want := []string{"iam:" + action + " "}; !slices.Equal(s.served, want) {
				t.Errorf("observed %q, want %q", s.served, want)
			}
		})
	}
}

// A refusal is a request and how it is refused.
type refusal struct {
	name    string
	request func(*testing.T, *site) *http.Request
	status  int
	code    string
	message string // a part of it
	event   string
	stages  []string
}

// The requests of refusals: a form that nobody signed, that ann signed, and that
// was changed after she signed it.

func unsigned(form string) func(*testing.T, *site) *http.Request {
	return func(*testing.T, *site) *http.Request { return post(form) }
}

func signed(form string) func(*testing.T, *site) *http.Request {
	return func(t *testing.T, s *site) *http.Request { return s.sign(t, post(form), form) }
}

func with(form string, change func(*http.Request)) func(*testing.T, *site) *http.Request {
	return func(t *testing.T, s *site) *http.Request {
		r := s.sign(t, post(form), form)
		change(r)
		return r
	}
}

// The stages that a refused request got to.
var decoded, targeted, ran = []string{"decode"}, []string{"decode", "target"}, []string{"decode", "target", "run"}

var refusals = []refusal{
	{"no-parameters", unsigned(""), 400, "MissingAction", "", "Unknown", nil},
	{"an-empty-action", unsigned("Action=&Version=" + version), 400, "MissingAction", "", "Unknown", nil},
	{"an-action-in-another-case", signed("action=ReadThing&Version=" + version), 400, "MissingAction", "", "Unknown", nil},
	{"an-operation-in-another-case", signed(call("readthing")), 400, "InvalidAction", "Could not find operation readthing for version 2010-05-08", "Unknown", nil},
	{"no-version", signed("Action=ReadThing&Name=one"), 400, "InvalidAction", "Could not find operation ReadThing for version NO_VERSION_SPECIFIED", "Unknown", nil},
	{"a-version-of-another-service", signed("Action=ReadThing&Name=one&Version=2011-06-15"), 400, "InvalidAction", "", "Unknown", nil},
	{"an-endless-action", unsigned("Action=" + strings.Repeat("x", 1<<16) + "&Version=1"), 400, "InvalidAction", "operation " + strings.Repeat("x", 128) + " for", "Unknown", nil},
	{"a-parameter-twice", signed(call("ReadThing", "Name=one", "Name=two")), 404, "MalformedQueryString", "", "Unknown", nil},
	{"broken-utf-8", signed(call("ReadThing", "Name=%ff")), 404, "MalformedQueryString", "", "Unknown", nil},
	{"another-content-type", with(call("ReadThing"), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 400, "MalformedInput", "application/json", "Unknown", nil},
	{"another-method", func(*testing.T, *site) *http.Request {
		return httptest.NewRequest(http.MethodDelete, "/?"+call("ReadThing"), nil)
	}, 400, "InvalidAction", "DELETE", "Unknown", nil},
	{"unsigned", unsigned(call("ReadThing", "Name=one")), 403, "MissingAuthenticationToken", "Request is missing Authentication Token", "ReadThing", nil},
	{"unsigned-and-invalid", unsigned(call("ReadThing", "Name=x")), 403, "MissingAuthenticationToken", "", "ReadThing", nil},
	{"an-unknown-key", func(t *testing.T, s *site) *http.Request {
		s.key.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
		return s.sign(t, post(call("ReadThing")), call("ReadThing"))
	}, 403, "InvalidClientTokenId", "The security token included in the request is invalid.", "ReadThing", nil},
	{"a-wrong-secret", func(t *testing.T, s *site) *http.Request {
		s.key.SecretAccessKey += "x"
		return s.sign(t, post(call("ReadThing")), call("ReadThing"))
	}, 403, "SignatureDoesNotMatch", "The Canonical String for this request should have been", "ReadThing", nil},
	{"another-body", with(call("ReadThing", "Name=one"), func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(call("MakeThing", "Name=one")))
	}), 403, "SignatureDoesNotMatch", "", "MakeThing", nil},
	{"a-broken-authorization", with(call("ReadThing"), func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x") }), 400, "IncompleteSignature", "Authorization", "ReadThing", nil},
	{"signature-version-2", with(call("ReadThing"), func(r *http.Request) { r.Header.Set("Authorization", "AWS a:b") }), 400, "IncompleteSignature", "version 2", "ReadThing", nil},
	{"an-old-request", func(t *testing.T, s *site) *http.Request {
		s.key.Now = func() time.Time { return now.Add(-6 * time.Minute) }
		return s.sign(t, post(call("ReadThing")), call("ReadThing"))
	}, 403, "SignatureDoesNotMatch", "Signature expired: ", "ReadThing", nil},
	{"a-scope-of-another-service", func(t *testing.T, s *site) *http.Request {
		s.key.Service = "sts"
		return s.sign(t, post(call("ReadThing")), call("ReadThing"))
	}, 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'iam'.", "ReadThing", nil},
	{"an-expired-session", func(t *testing.T, s *site) *http.Request {
		s.session(t, session.Claims{Kind: session.Root, PrincipalID: account, Issued: now.Add(-time.Hour), Expires: now})
		return s.sign(t, post(call("ReadThing")), call("ReadThing"))
	}, 403, "ExpiredToken", "The security token included in the request is expired", "ReadThing", nil},
	{"a-session-that-may-not-call-iam", func(t *testing.T, s *site) *http.Request {
		s.session(t, session.Claims{Kind: session.Root, PrincipalID: account, Issued: now, Expires: now.Add(time.Hour)})
		return s.sign(t, post(call("ReadThing")), call("ReadThing"))
	}, 403, "InvalidClientTokenId", "", "ReadThing", nil},
	{"an-invalid-parameter", signed(call("ReadThing", "Name=x")), 400, "ValidationError", "at 'name'", "ReadThing", decoded},
	{"an-invalid-parameter-of-what-is-forbidden", signed(call("Forbidden", "Name=x")), 400, "ValidationError", "", "Forbidden", decoded},
	{"a-target-that-fails", signed(call("ReadThing", "Name=bad-target")), 404, "NoSuchEntity", "There is no bad-target.", "ReadThing", targeted},
	{"an-operation-without-a-target", signed(call("ReadThing", "Name=no-target")), 500, "ServiceFailure", "", "ReadThing", targeted},
	{"a-denial", signed(call("Forbidden", "Name=one")), 403, "AccessDenied",
		"User: arn:aws:iam::111122223333:user/ann is not authorized to perform: iam:Forbidden on resource: " +
			"arn:aws:iam::111122223333:user/one with an explicit deny in an identity-based policy", "Forbidden", targeted},
	{"a-conflict", signed(call("MakeThing", "Name=conflict")), 409, "ConcurrentModification", "", "MakeThing", ran},
}

// TestRefusals: who is not known learns nothing about operations, parameters and
// entities but that an operation does not exist.
func TestRefusals(t *testing.T) {
	for _, tc := range refusals {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			w, records := s.do(t, tc.request(t, s))
			a := parse(t, w)
			if w.Code != tc.status || a.Code != tc.code || !strings.Contains(a.Message, tc.message) {
				t.Errorf("answer = %d %s: %s, want %d %s: …%s…", w.Code, a.Code, a.Message, tc.status, tc.code, tc.message)
			}
			if len(records) != 1 {
				t.Fatalf("%d records, want 1", len(records))
			}
			rec := records[0]
			if rec.EventName != tc.event || rec.ErrorCode != tc.code || rec.RequestID != a.RequestID {
				t.Errorf("record = %s %s %s, want %s %s %s", rec.EventName, rec.ErrorCode, rec.RequestID, tc.event, tc.code, a.RequestID)
			}
			want := a.Message
			switch tc.code {
			case "SignatureDoesNotMatch":
				want = awserr.SignatureDoesNotMatch.Message
			case "IncompleteSignature":
				want = "The request signature does not conform to AWS standards."
			case "AccessDenied":
				want = rec.Decision.Reason
			}
			if rec.ErrorMessage != want || want == "" {
				t.Errorf("errorMessage = %q, want %q", rec.ErrorMessage, want)
			}
			if got := s.stages(); !slices.Equal(got, tc.stages) {
				t.Errorf("stages = %q, want %q", got, tc.stages)
			}
			if len(tc.stages) == 0 && rec.RequestParameters != nil && string(rec.RequestParameters) != "null" {
				t.Errorf("the record of an unknown caller holds %s", rec.RequestParameters)
			}
			if len(w.Body.Bytes()) > 4<<10 {
				t.Errorf("the answer has %d bytes", w.Body.Len())
			}
		})
	}
}

// session makes the site's requests be signed with temporary credentials.
func (s *site) session(t testing.TB, c session.Claims) {
	t.Helper()
	c.Account = account
	cred, err := s.ring.Mint(c)
	must(t, err)
	s.key.AccessKeyID, s.key.SecretAccessKey, s.key.SessionToken = cred.AccessKeyID, cred.SecretAccessKey, cred.SessionToken
}

// TestQuery: what is signed is what is read, wherever the parameters are.
func TestQuery(t *testing.T) {
	form := call("ReadThing", "Name=one")
	for _, tc := range []struct {
		name, method, query, body string
		event, code               string
	}{
		{"get", http.MethodGet, form, "", "ReadThing", ""},
		{"post-without-a-body", http.MethodPost, form, "", "ReadThing", ""},
		{"a-body-is-read-instead-of-the-query", http.MethodPost, call("MakeThing", "Name=two"), form, "ReadThing", ""},
		{"no-part-comes-from-each", http.MethodPost, "Name=one", call("ReadThing"), "ReadThing", "ValidationError"},
		{"a-semicolon-separates-nothing", http.MethodGet, "Action=ReadThing;Version=" + version, "", "Unknown", "InvalidAction"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t)
			r := httptest.NewRequest(tc.method, "http://inn.test/?"+tc.query, strings.NewReader(tc.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if !strings.Contains(tc.query, ";") { // the signer refuses it, too
				s.sign(t, r, tc.body)
			}
			w, records := s.do(t, r)
			if a := parse(t, w); a.Code != tc.code || len(records) != 1 || records[0].EventName != tc.event {
				t.Errorf("answer = %d %s %s, records %+v; want %s %q", w.Code, a.Code, a.Message, records, tc.event, tc.code)
			}
		})
	}
}

// TestNoSecrets: neither an answer nor the log nor a record repeats a password,
// a token or a signature.
func TestNoSecrets(t *testing.T) {
	s := open(t)
	s.session(t, session.Claims{Kind: session.Root, PrincipalID: account, Issued: now, Expires: now.Add(time.Hour)})
	token := s.key.SessionToken
	s.key.SecretAccessKey += "x"
	url, err := s.key.Presign(httptest.NewRequest(http.MethodGet, "http://inn.test/?"+call("MakeThing", "Name=one", "Password="+secret), nil), time.Hour, "")
	must(t, err)
	presigned := httptest.NewRequest(http.MethodGet, url, nil)
	signature := presigned.URL.Query().Get("X-Amz-Signature")
	form := call("MakeThing", "Name=one", "Password="+secret)
	for name, r := range map[string]*http.Request{"presigned": presigned, "header": s.sign(t, post(form), form)} {
		w, records := s.do(t, r)
		if a := parse(t, w); a.Code != "SignatureDoesNotMatch" || len(records) != 1 {
			t.Fatalf("%s: answer = %s, %d records", name, a.Code, len(records))
		}
		text := w.Body.String() + string(records[0].AppendJSON(nil)) + s.logs.String()
		for _, hidden := range []string{secret, token, signature, s.key.SecretAccessKey} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s: %q is repeated in\n%s", name, hidden, text)
			}
		}
	}
}

// TestPanics: a defect anywhere refuses the request, is recorded, and harms no
// other request.
func TestPanics(t *testing.T) {
	for _, stage := range []string{"decode", "target", "run", "json", "xml"} {
		t.Run(stage, func(t *testing.T) {
			s := open(t)
			s.during = func(at string, _ *api.Call) {
				if at == stage {
					panic("defect in " + stage)
				}
			}
			w, rec := s.post(t, call("MakeThing", "Name=one"))
			a := parse(t, w)
			if w.Code != http.StatusInternalServerError || a.Code != "ServiceFailure" || strings.Contains(w.Body.String(), "defect") ||
				strings.Contains(w.Body.String(), secret) {
				t.Errorf("answer = %d %s", w.Code, w.Body)
			}
			if results := string(rec.ResponseElements); results != "" && results != "null" {
				t.Errorf("the record of a failure has the result %s", results)
			}
			if rec.ErrorCode != "ServiceFailure" || rec.EventName != "MakeThing" || strings.Contains(string(rec.AppendJSON(nil)), "defect") {
				t.Errorf("record = %s", rec.AppendJSON(nil))
			}
			if log := s.logs.String(); !strings.Contains(log, "defect in "+stage) || !strings.Contains(log, rec.RequestID) {
				t.Errorf("log = %s", log)
			}
			s.during = nil
			if w, _ := s.post(t, call("MakeThing", "Name=one")); w.Code != http.StatusOK {
				t.Errorf("the next request = %d, want 200", w.Code)
			}
		})
	}
	t.Run("no-output", func(t *testing.T) {
		if w, rec := open(t).post(t, call("MakeThing", "Name=nothing")); w.Code != 500 || rec.ErrorCode != "ServiceFailure" {
			t.Errorf("answer = %d, record %s", w.Code, rec.ErrorCode)
		}
	})
}

// TestUnrecorded: no record, no action.
func TestUnrecorded(t *testing.T) {
	s := open(t)
	s.during = func(stage string, _ *api.Call) {
		if stage == "run" {
			must(t, s.Audit.Close())
		}
	}
	form := call("MakeThing", "Name=one")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, s.sign(t, post(form), form))
	if a := parse(t, w); w.Code != 500 || a.Code != "ServiceFailure" || strings.Contains(w.Body.String(), secret) {
		t.Errorf("the log failed under way: %d %s, want 500 without the result", w.Code, w.Body)
	}
	s.did = nil
	w = httptest.NewRecorder()
	s.ServeHTTP(w, s.sign(t, post(form), form))
	if a := parse(t, w); w.Code != 503 || a.Code != "ServiceUnavailable" {
		t.Errorf("the log had failed: %d %s, want 503", w.Code, w.Body)
	}
	if slices.Contains(s.did, "run") {
		t.Error("the operation ran without a record")
	}
	for _, r := range []*http.Request{post(form), post("")} {
		w = httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 503 {
			t.Errorf("an unsigned request = %d, want 503", w.Code)
		}
	}
}

// TestClientGone: a change that was begun is finished and recorded.
func TestClientGone(t *testing.T) {
	s := open(t)
	ctx, leave := context.WithCancel(t.Context())
	var during error
	var limited bool
	s.during = func(stage string, c *api.Call) {
		if stage == "run" {
			leave()
			during = c.Context().Err()
			_, limited = c.Context().Deadline()
		}
	}
	form := call("MakeThing", "Name=one")
	w, records := s.do(t, s.sign(t, post(form), form).WithContext(ctx))
	if during != nil || !limited || w.Code != http.StatusOK || len(records) != 1 || records[0].ErrorCode != "" {
		t.Errorf("context error %v, limited %v, status %d, records %+v", during, limited, w.Code, records)
	}
}

func TestBody(t *testing.T) {
	for _, tc := range []struct {
		name   string
		body   io.Reader
		length int64
		code   string
	}{
		{"declared-too-large", strings.NewReader(""), api.MaxBody + 1, "RequestEntityTooLarge"},
		{"too-large", strings.NewReader(strings.Repeat("x", api.MaxBody+1)), -1, "RequestEntityTooLarge"},
		{"cut-off", io.MultiReader(strings.NewReader("Action="), broken{}), 100, "MalformedInput"},
		{"as-large-as-may-be", strings.NewReader("Action=" + strings.Repeat("x", api.MaxBody-7)), -1, "InvalidAction"},
		{"too-many-parameters", strings.NewReader(strings.Repeat("a=b&", 20_000)), -1, "MalformedQueryString"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := post("")
			r.Body, r.ContentLength = io.NopCloser(tc.body), tc.length
			w, records := open(t).do(t, r)
			if a := parse(t, w); a.Code != tc.code || len(records) != 1 || records[0].ErrorCode != tc.code {
				t.Errorf("answer = %d %s, %d records; want %s", w.Code, a.Code, len(records), tc.code)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A pieces counts the writes of an answer.
type pieces struct {
	*httptest.ResponseRecorder
	writes int
}

func (p *pieces) Write(b []byte) (int, error) {
	p.writes++
	return p.ResponseRecorder.Write(b)
}

func TestAnswer(t *testing.T) {
	s := open(t)
	form := call("ReadThing", "Name=one")
	for _, r := range []*http.Request{
		s.sign(t, post(form), form), post(form), httptest.NewRequest(http.MethodOptions, "/", nil), httptest.NewRequest(http.MethodHead, "/", nil),
	} {
		w := &pieces{ResponseRecorder: httptest.NewRecorder()}
		s.ServeHTTP(w, r)
		if w.writes != 1 {
			t.Errorf("%s: %d writes, want 1", r.Method, w.writes)
		}
		a := parse(t, w.ResponseRecorder)
		for name, want := range map[string]string{
			"Content-Type": "text/xml", "Cache-Control": "no-store", "X-Amzn-Requestid": a.RequestID + a.Metadata,
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", r.Method, name, got, want)
			}
		}
		if (r.Method == http.MethodOptions || r.Method == http.MethodHead) && w.Code != http.StatusBadRequest {
			t.Errorf("%s = %d, want 400", r.Method, w.Code)
		}
	}
}

// TestSourceIP: the address is the connection's, in one form, whatever headers
// say.
func TestSourceIP(t *testing.T) {
	s := open(t)
	for remote, want := range map[string]string{
		"203.0.113.7:4711":            "203.0.113.7",
		"[2001:db8::1]:4711":          "2001:db8::1",
		"[2001:DB8:0::1]:4711":        "2001:db8::1",
		"[::ffff:203.0.113.7]:4711":   "203.0.113.7",
		"[fe80::1%eth0]:4711":         "fe80::1",
		"[::ffff:127.0.0.1%lo0]:4711": "127.0.0.1",
		"@":                           "",
		"203.0.113.7":                 "",
		"":                            "",
	} {
		var got string
		s.during = func(stage string, c *api.Call) {
			if stage == "run" {
				got = c.Env.SourceIP
			}
		}
		form := call("ReadThing", "Name=one")
		r := s.sign(t, post(form), form)
		r.RemoteAddr = remote
		for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "True-Client-Ip"} {
			r.Header.Set(name, "198.51.100.1")
		}
		if w, _ := s.do(t, r); w.Code != http.StatusOK || got != want {
			t.Errorf("source of %q = %q (%d), want %q", remote, got, w.Code, want)
		}
	}
}

func TestObserver(t *testing.T) {
	s := open(t)
	s.do(t, post(call("ReadThing")))
	s.do(t, post("Action=x"))
	s.post(t, call("Forbidden", "Name=one"))
	if want := []string{"missing"}; !slices.Equal(s.refused, want) {
		t.Errorf("refused = %q, want %q", s.refused, want)
	}
	want := []string{"iam:ReadThing MissingAuthenticationToken", "unknown:unknown InvalidAction", "iam:Forbidden AccessDenied"}
	if !slices.Equal(s.served, want) {
		t.Errorf("served = %q, want %q", s.served, want)
	}
}

func TestServiceIsSorted(t *testing.T) {
	s := open(t)
	var names []string
	for _, op := range s.Services[0].Ops() {
		names = append(names, op.Name)
	}
	if want := []string{"DropThing", "Forbidden", "IssueThing", "MakeThing", "ReadThing"}; !slices.Equal(names, want) {
		t.Errorf("Ops = %q, want %q", names, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("NewService took an operation twice")
		}
	}()
	api.NewService("iam", version, "", append(s.ops(), s.ops()[0]))
}

// BenchmarkServe measures one request from the handler's call to its answer:
// verify, decide, record, encode.
func BenchmarkServe(b *testing.B) {
	s := open(b)
	sts := s.key
	sts.Service = "sts"
	root := session.Claims{Kind: session.Root, Account: account, PrincipalID: account, Issued: now, Expires: now.Add(time.Hour), MFA: now}
	cred, err := s.ring.Mint(root)
	must(b, err)
	temporary := sts
	temporary.AccessKeyID, temporary.SecretAccessKey, temporary.SessionToken = cred.AccessKeyID, cred.SecretAccessKey, cred.SessionToken
	for _, bc := range []struct {
		name, form string
		by         sigv4.Signer
	}{
		{"GetCallerIdentity", "Action=GetCallerIdentity&Version=2011-06-15", sts},
		{"GetCallerIdentity-session", "Action=GetCallerIdentity&Version=2011-06-15", temporary},
		{"ReadThing", call("ReadThing", "Name=one"), s.key},
		{"Forbidden", call("Forbidden", "Name=one"), s.key},
	} {
		b.Run("operation="+bc.name, func(b *testing.B) {
			r := post(bc.form)
			must(b, bc.by.Sign(r, sigv4.HashPayload([]byte(bc.form))))
			body := strings.NewReader(bc.form)
			r.Body = io.NopCloser(body)
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(bc.form)
				w.Body.Reset()
				s.did = s.did[:0]
				s.served = s.served[:0]
				s.ServeHTTP(w, r)
			}
		})
	}
}
