// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

// A Denial is what one principal was denied again and again, or would have been.
type Denial struct {
	Principal string    `json:"principal"` // ARN of the user, role or root user; "anonymous"; else what the record has
	Action    string    `json:"action"`
	Resource  string    `json:"resource"`
	Decision  string    `json:"decision"` // audit.ExplicitDeny or audit.ImplicitDeny
	Count     int       `json:"count"`    // of denials
	Learned   int       `json:"learned"`  // of them, those that learning mode let through
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`

	// What decided the last one.
	Layer     string `json:"layer,omitempty"`
	Policy    string `json:"policy,omitempty"`
	Sid       string `json:"sid,omitempty"`
	Statement int    `json:"statement,omitempty"`
	Reason    string `json:"reason,omitempty"`
	EventID   string `json:"eventId,omitempty"`

	Advice string `json:"advice,omitempty"` // what would allow it; "" if nobody asked

	Line []byte `json:"-"` // the record of the last one, as the log has it
}

// MaxDenials is how many different denials Denials tells apart.
const MaxDenials = 10_000

// ErrMany says that there were more different denials than MaxDenials.
var ErrMany = errors.New("there are more different denials than can be listed: ask for less time, or for one principal")

// Denials returns what was denied, or what learning mode let through, of the
// records that the query means, whose Decision is Denied, Learned, Explicit,
// Implicit or "" for either. What happened most often comes first. With ErrMany it returns
// the first MaxDenials that it found.
func (q *Query) Denials(dir string, p Progress) ([]Denial, error) {
	type key struct{ principal, action, resource, decision string }
	groups := make(map[key]*Denial)
	var many error
	for m, err := range q.find(dir, p, append(q.needles(), []byte(`-deny"`))) {
		if err != nil {
			return nil, err
		}
		for c := range checks(m.Record) {
			if c.Outcome != audit.ExplicitDeny && c.Outcome != audit.ImplicitDeny || !q.check(m.Record, &c) {
				continue
			}
			k := key{Who(&m.Record.Identity), c.Action, c.Resource, c.Outcome}
			d := groups[k]
			if d == nil {
				if len(groups) == MaxDenials {
					many = ErrMany
					continue
				}
				d = &Denial{
					Principal: strings.Clone(k.principal), Action: strings.Clone(k.action), Resource: strings.Clone(k.resource),
					Decision: strings.Clone(k.decision), First: m.Record.Time,
				}
				groups[key{d.Principal, d.Action, d.Resource, d.Decision}] = d
			}
			d.note(&m, &c)
		}
	}
	list := make([]Denial, 0, len(groups))
	for _, d := range groups {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b Denial) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Action, b.Action),
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Decision, b.Decision))
	})
	return list, many
}

// note adds a check of a record to its group.
func (d *Denial) note(m *Match, c *audit.Check) {
	d.Count++
	if c.Learned {
		d.Learned++
	}
	if m.Record.Time.Before(d.First) {
		d.First = m.Record.Time
	}
	if m.Record.Time.Before(d.Last) {
		return
	}
	d.Last, d.Statement = m.Record.Time, c.Statement
	for _, s := range []struct {
		to   *string
		from string
	}{{&d.Layer, c.Layer}, {&d.Policy, c.Policy}, {&d.Sid, c.Sid}, {&d.Reason, c.Reason}, {&d.EventID, m.Record.EventID}} {
		if *s.to != s.from {
			*s.to = strings.Clone(s.from)
		}
	}
	d.Line = append(d.Line[:0], m.Line...)
}

// Who names whoever asked: by the ARN of the user or the role, whatever its
// session, or else by what the record says.
func Who(i *audit.Identity) string {
	switch {
	case i.Session != nil && i.Session.Issuer.ARN != "" && i.Type == "AssumedRole":
		return i.Session.Issuer.ARN
	case i.ARN != "":
		return i.ARN
	case i.AccountID == anonymous:
		return "anonymous"
	}
	return cmp.Or(i.InvokedBy, i.UserName, i.AccountID, strings.ToLower(i.Type))
}
