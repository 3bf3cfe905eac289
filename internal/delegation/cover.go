// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Cover says whether a caller has the permissions that a request asks for.
type Cover int

// The covers, from the least to the most.
const (
	CoverDenied  Cover = iota // it lacks one for certain
	CoverUnsure               // conditions decide, or wildcards meet only in part
	CoverAllowed              // it has all of them
)

// maxCompared bounds how many statements are compared for one answer.
const maxCompared = 200_000

// CoverOf compares what want allows with the policies of a caller, pattern against
// pattern: no list of actions is asked. root says that the caller needs no identity
// policy. Policies of resources are left aside.
//
// quirk Q096: that it is unsure more often than it need be is all that it errs in.
func CoverOf(want *policy.Document, set *policy.Set, root bool) Cover {
	c := comparison{root: root}
	c.identity, c.boundary, c.session = c.parse(set.Identity), nil, c.parse(set.Session)
	c.bounded, c.limited = set.HasBoundary, len(set.Session) > 0 || set.HasSession
	if set.Boundary != nil {
		c.boundary, c.bounded = c.parse([]*policy.Policy{set.Boundary}), true
	}
	for _, level := range set.SCPs {
		c.levels = append(c.levels, c.parse(level))
	}
	if c.broken {
		return CoverDenied
	}
	answer := CoverAllowed
	for i := range want.Statements {
		s := &want.Statements[i]
		if s.Effect != policy.Allow {
			continue
		}
		for _, action := range asked(s.Action, s.NotAction) {
			for _, resource := range asked(s.Resource, s.NotResource) {
				answer = min(answer, c.one(strings.ToLower(action), resource))
				if answer == CoverDenied || c.compared > maxCompared {
					return min(answer, CoverUnsure)
				}
			}
		}
	}
	return answer
}

// asked returns the patterns of an element; all but some are taken for all.
func asked(list []policy.Value, not bool) []string {
	if not {
		return []string{"*"}
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.Text
	}
	return texts
}

type comparison struct {
	identity, boundary, session []*policy.Document
	levels                      [][]*policy.Document
	root, bounded, limited      bool
	broken                      bool // a policy that is in force cannot be read
	compared                    int
}

func (c *comparison) parse(policies []*policy.Policy) []*policy.Document {
	var docs []*policy.Document
	for _, p := range policies {
		var d *policy.Document
		if p != nil {
			d = p.Document()
		}
		if d == nil {
			c.broken = true
			continue
		}
		docs = append(docs, d)
	}
	return docs
}

// one answers for one action, in lower case, on one resource; both are patterns.
func (c *comparison) one(action, resource string) Cover {
	answer := CoverAllowed
	if !c.root {
		answer = c.allowed(c.identity, action, resource)
	}
	if c.bounded {
		answer = min(answer, c.allowed(c.boundary, action, resource))
	}
	if c.limited {
		answer = min(answer, c.allowed(c.session, action, resource))
	}
	for _, level := range c.levels {
		answer = min(answer, c.allowed(level, action, resource), c.spared(level, action, resource))
	}
	return min(answer, c.spared(c.identity, action, resource), c.spared(c.boundary, action, resource), c.spared(c.session, action, resource))
}

// allowed reports how much of what is asked the Allow statements cover, each by
// itself.
func (c *comparison) allowed(docs []*policy.Document, action, resource string) Cover {
	best := CoverDenied
	for s := range c.statements(docs, policy.Allow) {
		how := min(relation(s.Action, s.NotAction, action, true), relation(s.Resource, s.NotResource, resource, false))
		if how == CoverAllowed && len(s.Condition) > 0 {
			how = CoverUnsure
		}
		best = max(best, how)
	}
	return best
}

// spared reports whether the Deny statements leave alone what is asked.
func (c *comparison) spared(docs []*policy.Document, action, resource string) Cover {
	worst := CoverAllowed
	for s := range c.statements(docs, policy.Deny) {
		how := min(relation(s.Action, s.NotAction, action, true), relation(s.Resource, s.NotResource, resource, false))
		switch {
		case how == CoverDenied: // nothing in common
		case how == CoverAllowed && len(s.Condition) == 0:
			worst = CoverDenied
		default:
			worst = min(worst, CoverUnsure)
		}
	}
	return worst
}

func (c *comparison) statements(docs []*policy.Document, effect policy.Effect) func(func(*policy.Statement) bool) {
	return func(yield func(*policy.Statement) bool) {
		for _, d := range docs {
			for i := range d.Statements {
				s := &d.Statements[i]
				c.compared++
				if s.Effect == effect && !yield(s) {
					return
				}
			}
		}
	}
}

// relation says whether what an element has covers a pattern, shares something with
// it, or has nothing to do with it.
func relation(list []policy.Value, not bool, want string, fold bool) Cover {
	best := CoverDenied
	for _, v := range list {
		have := v.Text
		if fold {
			have = strings.ToLower(have)
		}
		switch {
		case covers(have, want):
			best = CoverAllowed
		case overlaps(have, want):
			best = max(best, CoverUnsure)
		}
	}
	if not {
		return CoverAllowed - best
	}
	return best
}

// covers reports whether every text that the pattern want matches is one that have
// matches. It may say no where the answer is yes.
func covers(have, want string) bool {
	if strings.Contains(have, "${") {
		return false // who knows what it will be
	}
	want = loose(want)
	h, w := 0, 0
	star, mark := -1, 0
	for w < len(want) {
		switch {
		case h < len(have) && have[h] == '*':
			star, mark = h, w
			h++
		case h < len(have) && (have[h] == want[w] || have[h] == '?' && want[w] != '*'):
			h, w = h+1, w+1
		case star >= 0:
			mark++
			h, w = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(have[h:], "*") == ""
}

// overlaps reports whether some text matches both patterns. It may say yes where
// the answer is no.
func overlaps(a, b string) bool {
	a, b = loose(a), loose(b)
	// can[j] says whether a[i:] and b[j:] have a text in common; row by row from the end.
	can := make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		var diagonal bool // that of i+1, j+1
		for j := len(b); j >= 0; j-- {
			below := can[j] // that of i+1, j
			switch {
			case i == len(a) && j == len(b):
				can[j] = true
			case i < len(a) && a[i] == '*':
				can[j] = below || j < len(b) && can[j+1]
			case j < len(b) && b[j] == '*':
				can[j] = can[j+1] || i < len(a) && below
			default:
				can[j] = i < len(a) && j < len(b) && diagonal && (a[i] == b[j] || a[i] == '?' || b[j] == '?')
			}
			diagonal = below
		}
	}
	return can[0]
}

// loose returns a pattern with each variable as a wildcard.
func loose(p string) string {
	for {
		before, rest, ok := strings.Cut(p, "${")
		if !ok {
			return p
		}
		_, after, _ := strings.Cut(rest, "}")
		p = before + "*" + after
	}
}
