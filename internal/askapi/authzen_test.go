// SPDX-License-Identifier: Apache-2.0

package askapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

type outcome struct {
	Decision bool
	Context  struct {
		ReasonAdmin map[string]string `json:"reason_admin"`
		Outcome     string
		Missing     []string
	}
}

type outcomes struct{ Evaluations []outcome }

// decided are the decisions as one word each.
func (o outcomes) String() string {
	var words []string
	for _, e := range o.Evaluations {
		words = append(words, map[bool]string{true: "permit", false: "deny"}[e.Decision])
	}
	return strings.Join(words, " ")
}

// The request is that of the Authorization API 1.0, section 6.1, with ann for
// alice@example.com and a service that ann may read.
func TestEvaluation(t *testing.T) {
	s := start(t)
	for _, tt := range []struct {
		name, body string
		want       bool
		outcome    string
	}{
		{"as-published", `{"subject":{"type":"user","id":"ann"},"resource":{"type":"todo","id":"123"},
			"action":{"name":"can_read","properties":{"method":"GET"}},"context":{"time":"1985-10-26T01:22-07:00"}}`, true, ""},
		{"denied", `{"subject":{"type":"user","id":"ann"},"resource":{"type":"todo","id":"123"},"action":{"name":"can_edit"}}`, false, "implicit-deny"},
		{"unknown-members-are-ignored", `{"subject":{"type":"user","id":"ann","x":1},"resource":{"type":"todo","id":"1"},"action":{"name":"can_read"},"y":2}`, true, ""},
		{"an-action-and-an-arn", `{"subject":{"type":"user","id":"` + annARN + `"},"resource":{"type":"object","id":"arn:aws:s3:::b/secret/x"},"action":{"name":"s3:GetObject"}}`, false, "explicit-deny"},
		{"condition-keys", `{"subject":{"type":"principal","id":"ann"},"resource":{"type":"object","id":"arn:aws:s3:::b/x"},"action":{"name":"s3:PutObject"},"context":{"aws:SourceIp":"10.0.0.1"}}`, true, ""},
		{"a-role", `{"subject":{"type":"role","id":"app"},"resource":{"type":"object","id":"arn:aws:s3:::b/red/x"},"action":{"name":"s3:GetObject"}}`, true, ""},
		{"a-role-by-arn", `{"subject":{"type":"role","id":"` + appARN + `"},"resource":{"type":"object","id":"arn:aws:s3:::b/red/x"},"action":{"name":"s3:GetObject"}}`, true, ""},
		{"an-access-key", `{"subject":{"type":"access_key","id":"` + s.ann.Key + `"},"resource":{"type":"todo","id":"1"},"action":{"name":"can_read"}}`, true, ""},
		{"nobody", `{"subject":{"type":"user","id":"nobody"},"resource":{"type":"todo","id":"1"},"action":{"name":"can_read"}}`, false, "implicit-deny"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.post(t, "/access/v1/evaluation", tt.body, "X-Request-ID", "bfe9eb29")
			o := as[outcome](t, a)
			if o.Decision != tt.want || o.Context.Outcome != tt.outcome || (o.Context.ReasonAdmin["en"] == "") != tt.want {
				t.Errorf("evaluation = %s, want %t with outcome %q", a.body, tt.want, tt.outcome)
			}
			if got := a.header.Get("X-Request-ID"); got != "bfe9eb29" {
				t.Errorf("X-Request-ID = %q, want that of the request", got)
			}
		})
	}
}

// The requests are those of the Authorization API 1.0, section 7.1, with actions
// that ann may and may not do.
func TestEvaluations(t *testing.T) {
	s := start(t)
	const three = `"evaluations":[{"resource":{"type":"todo","id":"1"}},{"resource":{"type":"todo","id":"2"},"action":{"name":"can_edit"}},{"resource":{"type":"todo","id":"3"}}]`
	const defaults = `"subject":{"type":"user","id":"ann"},"context":{"time":"2024-05-31T15:22-07:00"},"action":{"name":"can_read"},`
	for _, tt := range []struct{ name, body, want string }{
		{"execute-all-by-default", `{` + defaults + three + `}`, "permit deny permit"},
		{"execute-all", `{` + defaults + `"options":{"evaluations_semantic":"execute_all","another_option":"value"},` + three + `}`, "permit deny permit"},
		{"deny-on-first-deny", `{` + defaults + `"options":{"evaluations_semantic":"deny_on_first_deny"},` + three + `}`, "permit deny"},
		{"permit-on-first-permit", `{` + defaults + `"options":{"evaluations_semantic":"permit_on_first_permit"},` + three + `}`, "permit"},
		{"no-defaults", `{"evaluations":[{"subject":{"type":"user","id":"ann"},"action":{"name":"can_read"},"resource":{"type":"todo","id":"x"}}]}`, "permit"},
		{"a-context-replaces-the-default", `{"subject":{"type":"user","id":"ann"},"action":{"name":"s3:PutObject"},"resource":{"type":"object","id":"arn:aws:s3:::b/x"},
			"context":{"aws:SourceIp":"10.0.0.1"},"evaluations":[{},{"context":{}}]}`, "permit deny"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.post(t, "/access/v1/evaluations", tt.body)
			if got := as[outcomes](t, a); got.String() != tt.want {
				t.Errorf("evaluations = %s, want %s", a.body, tt.want)
			}
		})
	}
	for _, none := range []string{"", `,"evaluations":[]`} {
		a := s.post(t, "/access/v1/evaluations", `{"subject":{"type":"user","id":"ann"},"action":{"name":"can_read"},"resource":{"type":"todo","id":"1"}`+none+`}`)
		if o := as[outcome](t, a); !o.Decision {
			t.Errorf("without evaluations = %s, want one decision", a.body)
		}
	}
}

// TestAuthZENErrors: a status and a text (section 10.1.3).
func TestAuthZENErrors(t *testing.T) {
	s := start(t)
	const good = `{"subject":{"type":"user","id":"ann"},"action":{"name":"can_read"},"resource":{"type":"todo","id":"1"}}`
	for _, tt := range []struct {
		name, path, body string
		headers          []string
		want             int
		text             string
	}{
		{"no-subject", "evaluation", `{"action":{"name":"a"},"resource":{"type":"todo","id":"1"}}`, nil, 400, "needs a subject"},
		{"no-id", "evaluation", `{"subject":{"type":"user"},"action":{"name":"a"},"resource":{"type":"todo","id":"1"}}`, nil, 400, "needs a subject"},
		{"an-unknown-type-of-subject", "evaluation", strings.Replace(good, "user", "device", 1), nil, 400, `not "device"`},
		{"a-type-of-resource-that-is-no-service", "evaluation", strings.Replace(good, "todo", "a:b", 1), nil, 400, "name of a service"},
		{"an-unknown-semantic", "evaluations", `{"options":{"evaluations_semantic":"any"},"evaluations":[` + good + `]}`, nil, 400, "evaluations_semantic is"},
		{"one-that-lacks-something", "evaluations", `{"evaluations":[` + good + `,{}]}`, nil, 400, "needs a subject"},
		{"too-many", "evaluations", `{"evaluations":[` + strings.Repeat(`{},`, 1000) + `{}]}`, nil, 400, "no more than 1000"},
		{"nobody-asks", "evaluation", good, []string{"Authorization", ""}, 401, "there are no credentials"},
		{"about-somebody-else", "evaluation", strings.Replace(good, "ann", "bob", 1), nil, 403, "is not authorized to perform innkeeper:Authorize on " + bobARN},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.post(t, "/access/v1/"+tt.path, tt.body, tt.headers...)
			if a.status != tt.want || !strings.Contains(a.body, tt.text) || json.Valid([]byte(a.body)) {
				t.Errorf("%d %s, want %d and a text with %q", a.status, a.body, tt.want, tt.text)
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	s := start(t)
	got := as[map[string]string](t, s.send(t, http.MethodGet, "/.well-known/authzen-configuration", ""))
	if len(got) != 3 || got["policy_decision_point"] != s.URL || got["access_evaluation_endpoint"] != s.URL+"/access/v1/evaluation" ||
		got["access_evaluations_endpoint"] != s.URL+"/access/v1/evaluations" {
		t.Errorf("configuration = %v, want the two endpoints at %s", got, s.URL)
	}
	if a := s.send(t, http.MethodPost, "/.well-known/authzen-configuration", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", a.status)
	}
}
