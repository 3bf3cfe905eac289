// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// openJSON is open with the same operations in the JSON protocol, as the service
// "things".
func openJSON(t testing.TB) *site {
	t.Helper()
	s := open(t)
	svc := api.NewJSONService("things", "2020-02-02", "Things", s.ops())
	svc.Invalid = func(first wire.Constraint, detail string) error {
		return awserr.InvalidInputException.Msg("%s", detail).With("Reason", string(first))
	}
	s.Services = append(s.Services, svc)
	s.Authn = authn.New(s.Store, s.ring, func() time.Time { return now }, "iam", "sts", "things")
	s.key.Service = "things"
	return s
}

func target(op, body string) *http.Request {
	r := post(body)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", op)
	return r
}

func TestJSONProtocol(t *testing.T) {
	s := openJSON(t)
	w, records := s.do(t, s.sign(t, target("Things.MakeThing", `{"Name":"one","Unknown":{"a":[1]}}`), `{"Name":"one","Unknown":{"a":[1]}}`))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/x-amz-json-1.1" || !strings.Contains(w.Body.String(), secret) {
		t.Errorf("answer = %d %v\n%s", w.Code, w.Header(), w.Body)
	}
	if want := []string{"decode", "target", "run", "json", "xml"}; !slices.Equal(s.stages(), want) {
		t.Errorf("stages = %q, want %q", s.stages(), want)
	}
	if len(records) != 1 || records[0].EventSource != "things.amazonaws.com" || records[0].EventName != "MakeThing" ||
		records[0].RequestID != w.Header().Get("X-Amzn-Requestid") || string(records[0].RequestParameters) != `{"name":"one"}` {
		t.Errorf("records = %+v", records)
	}
	w, _ = s.do(t, s.sign(t, target("Things.DropThing", `{"Name":"one"}`), `{"Name":"one"}`))
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("an operation without a result answers %d %q, want nothing", w.Code, w.Body)
	}
}

// TestJSONRefusals: every refusal is JSON, and nobody who is not known learns
// more than that an operation does not exist, not even what is wrong with the
// body.
func TestJSONRefusals(t *testing.T) {
	const body = `{"Name":"one"}`
	sign := func(r *http.Request, body string) func(*testing.T, *site) *http.Request {
		return func(t *testing.T, s *site) *http.Request { return s.sign(t, r, body) }
	}
	for _, tc := range []struct {
		name    string
		request func(*testing.T, *site) *http.Request
		status  int
		code    string
		message string
		stages  []string
	}{
		{"an-unknown-operation", sign(target("Things.Nothing", body), body), 400, "UnknownOperationException", "Things.Nothing", nil},
		{"an-operation-of-a-query-service", sign(target("iam.MakeThing", body), body), 400, "UnknownOperationException", "", nil},
		{"no-service", sign(target(".MakeThing", body), body), 400, "UnknownOperationException", "", nil},
		{"an-empty-target", sign(target("", body), body), 400, "UnknownOperationException", "", nil},
		{"a-form", func(t *testing.T, s *site) *http.Request {
			r := target("Things.MakeThing", call("MakeThing", "Name=one"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return s.sign(t, r, call("MakeThing", "Name=one"))
		}, 400, "SerializationException", "Content-Type", nil},
		{"a-get", func(t *testing.T, s *site) *http.Request {
			r := httptest.NewRequest(http.MethodGet, "http://inn.test/", nil)
			r.Header.Set("X-Amz-Target", "Things.ReadThing")
			return s.sign(t, r, "")
		}, 400, "UnknownOperationException", "GET", nil},
		{"unsigned", func(*testing.T, *site) *http.Request { return target("Things.ReadThing", "not json") }, 400, "MissingAuthenticationTokenException", "Missing Authentication Token", nil},
		{"an-unknown-key", func(t *testing.T, s *site) *http.Request {
			s.key.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
			return s.sign(t, target("Things.ReadThing", body), body)
		}, 400, "UnrecognizedClientException", "security token", nil},
		{"a-wrong-secret", func(t *testing.T, s *site) *http.Request {
			s.key.SecretAccessKey += "x"
			return s.sign(t, target("Things.ReadThing", body), body)
		}, 400, "InvalidSignatureException", "Canonical String", nil},
		{"another-target-than-the-signed-one", func(t *testing.T, s *site) *http.Request {
			r := s.sign(t, target("Things.ReadThing", body), body)
			r.Header.Set("X-Amz-Target", "Things.DropThing")
			return r
		}, 400, "InvalidSignatureException", "", nil},
		{"a-target-added-to-a-signed-form", func(t *testing.T, s *site) *http.Request {
			r := post(body)
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
			s.sign(t, r, body)
			r.Header.Set("X-Amz-Target", "Things.DropThing")
			return r
		}, 400, "InvalidSignatureException", "", nil},
		{"two-targets", func(t *testing.T, s *site) *http.Request {
			r := target("Things.ReadThing", body)
			r.Header.Add("X-Amz-Target", "Things.DropThing")
			return s.sign(t, r, body)
		}, 400, "UnknownOperationException", "", nil},
		{"not-json", sign(target("Things.ReadThing", "Name=one"), "Name=one"), 400, "SerializationException", "not JSON", nil},
		{"a-number-for-a-string", sign(target("Things.ReadThing", `{"Name":1}`), `{"Name":1}`), 400, "SerializationException", "'name' is not a string", decoded},
		{"a-violated-constraint", sign(target("Things.ReadThing", `{"Name":"x"}`), `{"Name":"x"}`), 400, "InvalidInputException", "at 'name'", decoded},
		{"a-denial", sign(target("Things.Forbidden", body), body), 400, "AccessDeniedException", "is not authorized to perform: iam:Forbidden on", targeted},
		{"a-conflict", sign(target("Things.MakeThing", `{"Name":"conflict"}`), `{"Name":"conflict"}`), 400, "ConcurrentModificationException", "", ran},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := openJSON(t)
			w, records := s.do(t, tc.request(t, s))
			var a struct {
				Type    string `json:"__type"`
				Message string
				Reason  string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
				t.Fatalf("the answer is not JSON: %v\n%s", err, w.Body)
			}
			if w.Code != tc.status || a.Type != tc.code || !strings.Contains(a.Message, tc.message) {
				t.Errorf("answer = %d %+v, want %d %s: …%s…", w.Code, a, tc.status, tc.code, tc.message)
			}
			if a.Type == "InvalidInputException" && a.Reason != "min-length" {
				t.Errorf("Reason = %q, want min-length", a.Reason)
			}
			if len(records) != 1 || records[0].ErrorCode != tc.code || strings.Contains(records[0].ErrorMessage, "Canonical") {
				t.Errorf("records = %+v", records)
			}
			if got := s.stages(); !slices.Equal(got, tc.stages) {
				t.Errorf("stages = %q, want %q", got, tc.stages)
			}
		})
	}
}

// TestJSONUnrecorded: what cannot be recorded is refused in the caller's protocol.
func TestJSONUnrecorded(t *testing.T) {
	s := openJSON(t)
	if err := s.Audit.Close(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, s.sign(t, target("Things.MakeThing", `{"Name":"one"}`), `{"Name":"one"}`))
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"__type":"ServiceUnavailableException"`) {
		t.Errorf("answer = %d %s", w.Code, w.Body)
	}
	if slices.Contains(s.stages(), "run") {
		t.Error("the operation ran")
	}
}
