// SPDX-License-Identifier: Apache-2.0

package askapi

import (
	"context"
	"encoding/json"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A request is a question in our own form.
type request struct {
	Principal       principal                  `json:"principal"`
	Action          string                     `json:"action"`
	Resource        string                     `json:"resource"`
	ResourceAccount string                     `json:"resourceAccount"`
	Context         map[string]json.RawMessage `json:"context"`
	Explain         bool                       `json:"explain"`
}

// A principal is a text, or an object with a credential or the name of a role.
type principal struct{ ask.Principal }

// UnmarshalJSON reads either form.
func (p *principal) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &p.Name) == nil {
		return nil
	}
	var object struct {
		AccessKeyID  string `json:"accessKeyId"`
		SessionToken string `json:"sessionToken"`
		Role         string `json:"role"`
	}
	if err := decode(raw, &object, true); err != nil {
		return err
	}
	switch {
	case object.Role != "" && object.AccessKeyID == "" && object.SessionToken == "":
		p.Name, p.Role = object.Role, true
	case object.Role == "" && object.AccessKeyID != "":
		p.Name, p.Token = object.AccessKeyID, object.SessionToken
	default:
		return invalid("a principal is a text, an accessKeyId with or without a sessionToken, or a role")
	}
	return nil
}

func (r *request) question() (ask.Question, error) {
	c, err := contextOf(r.Context)
	q := ask.Question{
		Principal: r.Principal.Principal, Action: r.Action, Resource: r.Resource, Account: r.ResourceAccount, Context: c, Explain: r.Explain,
	}
	if err == nil && q.Principal.Name == "" {
		err = invalid("the principal is missing")
	}
	return q, err
}

// A decision is the answer in our own form.
type decision struct {
	Decision  string     `json:"decision"` // allow, explicit-deny or implicit-deny
	Principal string     `json:"principal"`
	Layer     string     `json:"layer,omitempty"`
	Statement *statement `json:"statement,omitempty"` // that decided; none for an implicit deny
	Reason    string     `json:"reason,omitempty"`
	Missing   []string   `json:"missing,omitempty"` // condition keys that would have been looked at
}

type statement struct {
	Policy string `json:"policy"`
	Sid    string `json:"sid,omitempty"`
	Number int    `json:"number"` // in the policy, from 1
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func decisionOf(a *ask.Answer) decision {
	d := decision{Decision: a.Outcome.String(), Principal: a.Principal, Reason: a.Reason, Missing: a.Missing}
	if a.Layer != policy.NoLayer {
		d.Layer = a.Layer.String()
	}
	if s := a.Statement; s != nil {
		d.Statement = &statement{s.Policy, s.Sid, s.Index + 1, s.Start.Line, s.Start.Column}
	}
	return d
}

// decide answers one request, or all of a list.
func decide(ctx context.Context, v *ask.Visit, _ string, body []byte) (any, error) {
	var in struct {
		request
		Requests []request `json:"requests"`
	}
	if err := decode(body, &in, true); err != nil {
		return nil, err
	}
	list := in.Requests
	switch {
	case list == nil:
		list = []request{in.request}
	case in.Principal.Principal != (ask.Principal{}) || in.Action != "" || in.Resource != "" || in.Context != nil:
		return nil, invalid("give one request, or requests, not both")
	}
	if len(list) > ask.MaxQuestions {
		return nil, invalid("there must be no more than %d requests, not %d", ask.MaxQuestions, len(list))
	}
	questions := make([]ask.Question, len(list))
	for i := range list {
		var err error
		if questions[i], err = list[i].question(); err != nil {
			return nil, err
		}
	}
	answers, err := v.Ask(ctx, questions, nil)
	if err != nil {
		return nil, err
	}
	if in.Requests == nil {
		return decisionOf(&answers[0]), nil
	}
	out := struct {
		Decisions []decision `json:"decisions"`
	}{make([]decision, len(answers))}
	for i := range answers {
		out.Decisions[i] = decisionOf(&answers[i])
	}
	return out, nil
}
