// SPDX-License-Identifier: Apache-2.0

// Package ask answers what a principal may do, to those who may ask about it.
//
// It is what every form of the authorization API shares: who asks, whether it may
// (innkeeper:Authorize on the ARN of the principal that is asked about), what the
// policies in force say, and the one audit record of it all.
package ask

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/advice"
)

// MaxQuestions is how many questions may be asked at once.
const MaxQuestions = 1000

// Limits of a question, in bytes.
const (
	maxAction   = 256
	maxResource = 2048
)

// Action is the permission to ask, on the principal that is asked about: the ARN of
// a user, of a role, also for its sessions, of a federated user or of an account's root.
const Action = "innkeeper:Authorize"

// Condition keys of the permission to ask.
const (
	keyAction   = "innkeeper:AskedAction"
	keyResource = "innkeeper:AskedResource"
)

// Options are the parts of a Desk. All but Resource are needed.
type Options struct {
	Store  *store.Store
	Authn  *authn.Authenticator
	Authz  *authz.Authorizer
	Audit  *audit.Log
	IDs    *ids.Source
	Now    func() time.Time
	Region string // of requests and resources that name none

	// Resource, when not nil, tells who owns a resource that is not of IAM and
	// which policy it has. The error is a failure: nothing is answered then.
	Resource func(ctx context.Context, action, resource string) (Resource, error)
}

// A Resource is what is known about one. The zero Resource is an unknown one,
// which has no policy and belongs to the account in its ARN.
type Resource struct {
	Account string         // that owns it; "" when not known
	Policy  *policy.Policy // nil: none
}

// A Desk answers questions. It is safe for concurrent use.
type Desk struct{ o Options }

// New returns a Desk.
func New(o Options) *Desk { return &Desk{o} }

// A Question is one request that a principal could make.
type Question struct {
	Principal Principal
	Action    string // "s3:GetObject"
	Resource  string // ARN, or "*" for actions without resources
	Account   string // that owns the resource; "": the one in the ARN, else the principal's
	Context   Context
	Explain   bool // tell the reason of what is allowed, too
	Open      bool // only an explicit deny refuses it
}

// An Answer says what the policies in force say.
type Answer struct {
	policy.Decision

	Principal string   // ARN, or as it was asked when there is no such principal
	Reason    string   // one sentence; "" for what is allowed unless it was asked for
	Missing   []string // condition keys that statements look at and the question did not give, unless it is allowed
}

// Allowed reports whether the principal may.
func (a *Answer) Allowed() bool { return a.Outcome == policy.Allowed }

// Ask answers the questions in order, all from one view of the asker's account. It
// stops after an answer that enough, when not nil, reports true for.
//
// Nobody is told anything about principals of another account, or about one for which it
// lacks the permission: the error is then a *authz.DeniedError. A principal that
// does not exist is denied everything. Other errors are *InvalidError, and failures.
func (v *Visit) Ask(ctx context.Context, questions []Question, enough func(*Answer) bool) ([]Answer, error) {
	if v.Asker == nil {
		return nil, errors.New("ask: nobody asks")
	}
	if len(questions) == 0 || len(questions) > MaxQuestions {
		return nil, &InvalidError{Question: -1, Message: fmt.Sprintf("there must be 1 to %d questions, not %d", MaxQuestions, len(questions))}
	}
	subjects := make(map[Principal]*subject)
	checks := make([]authz.Check, len(questions))
	for i := range questions {
		q := &questions[i]
		if msg := q.problem(); msg != "" {
			return nil, &InvalidError{Question: i, Message: msg}
		}
		s := subjects[q.Principal]
		if s == nil {
			s = v.find(q.Principal)
			subjects[q.Principal] = s
		}
		checks[i] = authz.Check{
			Action: Action, Resource: s.arn, Account: s.account,
			Keys: map[string]string{keyAction: q.Action, keyResource: q.Resource},
		}
	}
	if err := v.desk.o.Authz.Authorize(ctx, &v.record, v.Asker, &v.Env, checks...); err != nil {
		return nil, err
	}
	answers := make([]Answer, 0, len(questions))
	for i := range questions {
		a, err := v.answer(ctx, subjects[questions[i].Principal], &questions[i])
		if err != nil {
			return nil, err
		}
		v.note(&questions[i], a)
		answers = append(answers, *a)
		if enough != nil && enough(a) {
			break
		}
	}
	return answers, nil
}

func (q *Question) problem() string {
	service, name, ok := strings.Cut(q.Action, ":")
	switch {
	case !ok || service == "" || name == "" || len(q.Action) > maxAction || strings.ContainsAny(q.Action, "*? "):
		return fmt.Sprintf("%.64q is no action such as s3:GetObject", q.Action)
	case q.Resource == "":
		return "the resource is missing: give an ARN, or * for an action without resources"
	case len(q.Resource) > maxResource:
		return fmt.Sprintf("the resource has more than %d bytes", maxResource)
	case q.Account != "" && !arn.IsAccountID(q.Account):
		return fmt.Sprintf("%.64q is no account of twelve digits", q.Account)
	}
	return ""
}

// answer decides one question.
func (v *Visit) answer(ctx context.Context, s *subject, q *Question) (*Answer, error) {
	a := &Answer{Principal: s.name}
	if s.caller == nil {
		a.Reason = s.unknown
		return a, nil
	}
	ck := authz.Check{
		Action: q.Action, Resource: q.Resource, Account: q.Account, Open: q.Open,
		Keys: q.Context.plain(), Lists: q.Context.lists,
	}
	parts, isARN := arn.Split(q.Resource)
	if isARN && ck.Account == "" && arn.IsAccountID(parts.Account) {
		ck.Account = parts.Account
	}
	if err := v.desk.target(ctx, &ck); err != nil {
		return nil, err
	}
	caller := *s.caller
	caller.Region = cmp.Or(q.Context.region(), parts.Region, v.desk.o.Region)
	verdict, err := v.desk.o.Authz.Judge(ctx, s.set, &caller, q.Context.env(v.Env.Time), &ck)
	if err != nil {
		return nil, err
	}
	a.Decision = verdict.Decision
	if !a.Allowed() || q.Explain {
		t := verdict.Explain()
		a.Reason = t.Summary
		if !a.Allowed() {
			a.Missing = advice.Missing(t)
		}
	}
	return a, nil
}

// An InvalidError is a question that makes no sense.
type InvalidError struct {
	Question int // from 0; -1 when it is not about one of them
	Message  string
}

func (e *InvalidError) Error() string {
	if e.Question <= 0 {
		return e.Message
	}
	return fmt.Sprintf("question %d: %s", e.Question+1, e.Message)
}
