// SPDX-License-Identifier: Apache-2.0

package askapi

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/ask"
)

// The AuthZEN Authorization API 1.0 (OpenID Foundation, January 2026): sections 5
// (information model), 6 and 7 (evaluation), 9 (metadata) and 10 (transport).
// Searches are not offered, and so not in the metadata. As it asks for, members
// that are not known are ignored.

type evaluation struct {
	Subject  *entity                    `json:"subject"`
	Action   *named                     `json:"action"`
	Resource *entity                    `json:"resource"`
	Context  map[string]json.RawMessage `json:"context"`
}

type entity struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	Properties struct {
		SessionToken string `json:"session_token"` // of a subject that is an access key
	} `json:"properties"`
}

type named struct {
	Name string `json:"name"`
}

type evaluations struct {
	evaluation
	Evaluations []evaluation `json:"evaluations"`
	Options     struct {
		Semantic string `json:"evaluations_semantic"`
	} `json:"options"`
}

// An outcome is a decision of AuthZEN. Its context is there for denials only.
type outcome struct {
	Decision bool     `json:"decision"`
	Context  *reasons `json:"context,omitempty"`
}

type reasons struct {
	ReasonAdmin map[string]string `json:"reason_admin"` // by language
	Outcome     string            `json:"outcome"`
	Missing     []string          `json:"missing,omitempty"`
}

func outcomeOf(a *ask.Answer) outcome {
	if a.Allowed() {
		return outcome{Decision: true}
	}
	return outcome{Context: &reasons{map[string]string{"en": a.Reason}, a.Outcome.String(), a.Missing}}
}

// inherit returns e with what it lacks taken from the defaults.
func (e evaluation) inherit(defaults *evaluation) evaluation {
	if e.Context == nil {
		e.Context = defaults.Context
	}
	return evaluation{
		cmp.Or(e.Subject, defaults.Subject), cmp.Or(e.Action, defaults.Action), cmp.Or(e.Resource, defaults.Resource), e.Context,
	}
}

func (e *evaluation) question(v *ask.Visit) (q ask.Question, err error) {
	if e.Subject == nil || e.Subject.Type == "" || e.Subject.ID == "" || e.Action == nil || e.Action.Name == "" ||
		e.Resource == nil || e.Resource.Type == "" || e.Resource.ID == "" {
		return q, invalid("an evaluation needs a subject and a resource, each with type and id, and an action with a name")
	}
	q.Principal.Name = e.Subject.ID
	switch e.Subject.Type {
	case "user", "principal":
	case "role":
		q.Principal.Role = !strings.HasPrefix(e.Subject.ID, "arn:")
	case "access_key":
		q.Principal.Token = e.Subject.Properties.SessionToken
	default:
		return q, invalid("the type of a subject is user, role, access_key or principal, not %.64q", e.Subject.Type)
	}
	if q.Action, q.Resource = e.Action.Name, e.Resource.ID; !strings.Contains(q.Action, ":") {
		q.Action = e.Resource.Type + ":" + q.Action
	}
	if _, ok := arn.Split(q.Resource); !ok && q.Resource != "*" {
		if strings.ContainsAny(e.Resource.Type, ":/*?") {
			return q, invalid("the type of a resource whose id is no ARN is the name of a service, not %.64q", e.Resource.Type)
		}
		q.Resource = arn.Parts{Partition: "aws", Service: e.Resource.Type, Account: string(v.Asker.Account), Resource: e.Resource.ID}.String()
	}
	keys := make(map[string]json.RawMessage)
	for name, value := range e.Context {
		if strings.Contains(name, ":") { // what has no prefix is no condition key
			keys[name] = value
		}
	}
	q.Context, err = contextOf(keys)
	return q, err
}

// evaluate answers an access evaluation request.
func evaluate(ctx context.Context, v *ask.Visit, _ string, body []byte) (any, error) {
	var e evaluation
	if err := decode(body, &e, false); err != nil {
		return nil, err
	}
	return evaluateOne(ctx, v, &e)
}

func evaluateOne(ctx context.Context, v *ask.Visit, e *evaluation) (any, error) {
	q, err := e.question(v)
	if err != nil {
		return nil, err
	}
	answers, err := v.Ask(ctx, []ask.Question{q}, nil)
	if err != nil {
		return nil, err
	}
	return outcomeOf(&answers[0]), nil
}

// evaluateAll answers an access evaluations request; one without evaluations is an
// access evaluation request.
func evaluateAll(ctx context.Context, v *ask.Visit, _ string, body []byte) (any, error) {
	var in evaluations
	if err := decode(body, &in, false); err != nil {
		return nil, err
	}
	var enough func(*ask.Answer) bool
	switch in.Options.Semantic {
	case "", "execute_all":
	case "deny_on_first_deny":
		enough = func(a *ask.Answer) bool { return !a.Allowed() }
	case "permit_on_first_permit":
		enough = (*ask.Answer).Allowed
	default:
		return nil, invalid("evaluations_semantic is execute_all, deny_on_first_deny or permit_on_first_permit, not %.64q", in.Options.Semantic)
	}
	if len(in.Evaluations) == 0 {
		return evaluateOne(ctx, v, &in.evaluation)
	}
	if len(in.Evaluations) > ask.MaxQuestions {
		return nil, invalid("there must be no more than %d evaluations, not %d", ask.MaxQuestions, len(in.Evaluations))
	}
	questions := make([]ask.Question, len(in.Evaluations))
	for i := range in.Evaluations {
		e := in.Evaluations[i].inherit(&in.evaluation)
		var err error
		if questions[i], err = e.question(v); err != nil {
			return nil, err
		}
	}
	answers, err := v.Ask(ctx, questions, enough)
	if err != nil {
		return nil, err
	}
	out := struct {
		Evaluations []outcome `json:"evaluations"`
	}{make([]outcome, len(answers))}
	for i := range answers {
		out.Evaluations[i] = outcomeOf(&answers[i])
	}
	return out, nil
}

// configuration publishes the metadata of the policy decision point.
func (h *Handler) configuration(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, true, http.StatusMethodNotAllowed, "the metadata is read with GET")
		return
	}
	base := h.o.URL
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	send(w, http.StatusOK, struct {
		Point       string `json:"policy_decision_point"`
		Evaluation  string `json:"access_evaluation_endpoint"`
		Evaluations string `json:"access_evaluations_endpoint"`
	}{base, base + pathEvaluation, base + pathEvaluations})
}
