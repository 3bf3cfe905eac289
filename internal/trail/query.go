// SPDX-License-Identifier: Apache-2.0

// Package trail finds records in audit logs.
package trail

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

// A Query says which records are meant. Its zero value means all. In a pattern '*'
// stands for any run of characters and '?' for one.
type Query struct {
	// Principal is a pattern of the ARN of whoever asked or of the role or user
	// that its session comes from, or of what follows the account or any part of it
	// in such an ARN ("user/ann"), of the name, or of the id of the principal or of
	// the access key. "anonymous" is whoever signed nothing.
	Principal string

	Action   string // a pattern, in any letter case
	Resource string // a pattern of an ARN, or of its last part ("bucket/key")
	Decision string // one of Decisions; "" for any, or none
	Account  string // id of the caller's account or of the one that it happened in
	Event    string // a pattern of the event's name, in any letter case

	From, Until time.Time // of the record, both inclusive; zero for no limit
}

// What a Query can ask about decisions.
const (
	Allowed  = "allow"
	Denied   = "deny" // by a policy or for want of one, and the request was refused
	Explicit = audit.ExplicitDeny
	Implicit = audit.ImplicitDeny
	Learned  = "learned" // denied, and let through by learning mode
	Failed   = "error"   // the request failed for another reason than a denial
)

// Decisions are the values of a Query's Decision.
var Decisions = []string{Allowed, Denied, Explicit, Implicit, Failed, Learned}

// Validate reports everything that is wrong with a query in one error.
func (q *Query) Validate() error {
	var errs []error
	if q.Decision != "" && !slices.Contains(Decisions, q.Decision) {
		errs = append(errs, fmt.Errorf("decision %q must be one of %s", q.Decision, strings.Join(Decisions, ", ")))
	}
	if q.Account != "" && !arn.IsAccountID(q.Account) {
		errs = append(errs, fmt.Errorf("account %q must be twelve digits", q.Account))
	}
	if !q.Until.IsZero() && q.Until.Before(q.From) {
		errs = append(errs, errors.New("the end of the time comes before its beginning"))
	}
	return errors.Join(errs...)
}

// Match reports whether a record is meant, with the first of its checks that is,
// and how many others are. A record of no decision is taken for a check of its
// event on its first resource, without an outcome.
func (q *Query) Match(r *audit.Record) (first audit.Check, others int, ok bool) {
	if !q.From.IsZero() && r.Time.Before(q.From) || !q.Until.IsZero() && r.Time.After(q.Until) ||
		q.Account != "" && q.Account != r.Identity.AccountID && q.Account != r.Recipient ||
		q.Event != "" && !arn.Match(strings.ToLower(q.Event), strings.ToLower(r.EventName)) ||
		q.Principal != "" && !q.by(&r.Identity) {
		return audit.Check{}, 0, false
	}
	n := 0
	for c := range checks(r) {
		if !q.check(r, &c) {
			continue
		}
		if n == 0 {
			first = c
		}
		n++
	}
	return first, n - 1, n > 0
}

// checks yields the checks of a record, the one that stands for it first.
func checks(r *audit.Record) func(func(audit.Check) bool) {
	return func(yield func(audit.Check) bool) {
		main := r.Decision.Check
		if main.Action == "" {
			main.Action = actionOf(r)
		}
		if main.Resource == "" && len(r.Resources) > 0 {
			main.Resource = r.Resources[0].ARN
		}
		if !yield(main) {
			return
		}
		for _, c := range r.Decision.Checks {
			if !yield(c) {
				return
			}
		}
	}
}

// actionOf is what a record without a decision is about: "s3:GetObject" of
// s3.amazonaws.com.
func actionOf(r *audit.Record) string {
	service, _, _ := strings.Cut(r.EventSource, ".")
	return service + ":" + r.EventName
}

func (q *Query) check(r *audit.Record, c *audit.Check) bool {
	if q.Action != "" && !arn.Match(strings.ToLower(q.Action), strings.ToLower(c.Action)) ||
		q.Resource != "" && !arn.Match(q.Resource, c.Resource) && !arn.Match("arn:*:"+q.Resource, c.Resource) {
		return false
	}
	denied := c.Outcome == audit.ExplicitDeny || c.Outcome == audit.ImplicitDeny
	switch q.Decision {
	case "":
		return true
	case Denied:
		return denied && !c.Learned
	case Learned:
		return c.Learned
	case Failed:
		return r.ErrorCode != "" && !denied
	}
	return c.Outcome == q.Decision && !c.Learned
}

// anonymous is the account of who signed nothing, in CloudTrail's records of S3.
const anonymous = "ANONYMOUS_PRINCIPAL"

func (q *Query) by(i *audit.Identity) bool {
	if q.Principal == "anonymous" {
		return i.ARN == "" && i.AccountID == anonymous
	}
	var session audit.Session
	if i.Session != nil {
		session = *i.Session
	}
	for _, id := range [...]string{i.ARN, session.Issuer.ARN} {
		if id != "" && (arn.Match(q.Principal, id) || arn.Match("arn:*:"+q.Principal, id) || arn.Match(q.Principal, last(id))) {
			return true
		}
	}
	for _, id := range [...]string{i.UserName, session.Issuer.UserName, i.PrincipalID, session.Issuer.PrincipalID, i.AccessKeyID, i.InvokedBy} {
		if id != "" && arn.Match(q.Principal, id) {
			return true
		}
	}
	return false
}

// last is the name at the end of an ARN.
func last(id string) string {
	return id[max(strings.LastIndexByte(id, '/'), strings.LastIndexByte(id, ':'))+1:]
}

// needles are texts that the line of every record that is meant holds.
func (q *Query) needles() (list [][]byte) {
	add := func(text string) {
		if text != "" {
			list = append(list, []byte(text))
		}
	}
	add(map[string]string{
		Allowed: `"allow"`, Denied: `-deny"`, Explicit: `"explicit-deny"`, Implicit: `"implicit-deny"`, Learned: `"learned":true`, Failed: `"errorCode":`,
	}[q.Decision])
	add(q.Account)
	if q.Principal == "anonymous" {
		add(anonymous)
	} else {
		add(literal(q.Principal))
	}
	add(literal(q.Resource))
	slices.SortStableFunc(list, func(a, b []byte) int { return cmp.Compare(len(b), len(a)) })
	return list
}

// literal is the longest part of a pattern that stands for itself and is in JSON
// as it is here.
func literal(pattern string) (longest string) {
	parts := strings.FieldsFunc(pattern, func(c rune) bool {
		return c == '*' || c == '?' || c == '"' || c == '\\' || c < ' ' || c > '~'
	})
	for _, p := range parts {
		if len(p) > len(longest) {
			longest = p
		}
	}
	return longest
}

func holds(line []byte, needles [][]byte) bool {
	for _, n := range needles {
		if !bytes.Contains(line, n) {
			return false
		}
	}
	return true
}
