// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A reach is which services and actions policies let somebody use on some resource
// under some circumstances. It looks at no request: a condition on an Allow may
// hold, one on a Deny may not.
//
// quirk Q072: that is how AWS's reports read policies, as recorded there.
type reach struct {
	levels [][]statement // those that allow; at every level one has to
	denies []statement   // those without a condition
}

// A statement is what matters of a policy's statement.
type statement struct {
	actions      []string // in lower case
	notActions   bool
	resources    []string // a variable is a "*"
	notResources bool
	variables    bool // resources had variables
}

// newReach returns what documents allow, a list of them for each level.
func newReach(levels ...[]*policy.Document) *reach {
	r := new(reach)
	for _, docs := range levels {
		var allows []statement
		for _, d := range docs {
			for i := range d.Statements {
				s := &d.Statements[i]
				switch {
				case s.Effect == policy.Allow:
					allows = append(allows, newStatement(s))
				case len(s.Condition) == 0:
					r.denies = append(r.denies, newStatement(s))
				}
			}
		}
		r.levels = append(r.levels, allows)
	}
	return r
}

func newStatement(s *policy.Statement) statement {
	out := statement{notActions: s.NotAction, notResources: s.NotResource}
	for _, a := range s.Action {
		out.actions = append(out.actions, strings.ToLower(a.Text))
	}
	for _, r := range s.Resource {
		text := withoutVariables(r.Text)
		out.variables = out.variables || text != r.Text
		out.resources = append(out.resources, text)
	}
	return out
}

// withoutVariables puts a "*" in the place of every variable.
func withoutVariables(s string) string {
	for {
		before, rest, ok := strings.Cut(s, "${")
		if !ok {
			return s
		}
		_, after, _ := strings.Cut(rest, "}")
		s = before + "*" + after
	}
}

// concerns reports whether a statement may be about a service.
func (s *statement) concerns(prefix string) bool {
	if s.notActions {
		return !slices.ContainsFunc(s.actions, func(a string) bool { return arn.Match(a, prefix+":*") })
	}
	return slices.ContainsFunc(s.actions, func(a string) bool {
		vendor, _, found := strings.Cut(a, ":")
		return !found && a == "*" || arn.Match(vendor, prefix)
	})
}

// is reports whether a statement is about an action, in lower case.
func (s *statement) is(action string) bool {
	found := slices.ContainsFunc(s.actions, func(a string) bool { return arn.Match(a, action) })
	return found != s.notActions
}

// all stands for the resource "*" of actions that have no other: a text that "*"
// matches and that no ARN does.
const all = "\x01"

// narrow returns those of the patterns in which a statement is about something, as
// narrow as it is about them.
func (s *statement) narrow(patterns []string) []string {
	var out []string
	for _, p := range patterns {
		if s.notResources {
			if !slices.ContainsFunc(s.resources, func(r string) bool { return covers(r, p) }) {
				out = append(out, p)
			}
			continue
		}
		for _, r := range s.resources {
			switch {
			case covers(r, p):
				out = append(out, p)
			case covers(p, r), overlap(p, r):
				out = append(out, r)
			}
		}
	}
	return out
}

// spans reports whether a statement is certainly about everything that a pattern
// matches.
func (s *statement) spans(pattern string) bool {
	if s.notResources {
		return !slices.ContainsFunc(s.resources, func(r string) bool { return overlap(r, pattern) })
	}
	return !s.variables && slices.ContainsFunc(s.resources, func(r string) bool { return covers(r, pattern) })
}

// maxPatterns bounds what is looked at for one action.
const maxPatterns = 64

// allows reports whether an action, in lower case, may be used on something that
// one of the patterns matches.
func (r *reach) allows(action string, patterns []string) bool {
	for _, level := range r.levels {
		var next []string
		for i := range level {
			if level[i].is(action) {
				next = append(next, level[i].narrow(patterns)...)
			}
		}
		slices.Sort(next)
		next = slices.Compact(next)
		if len(next) == 0 {
			return false
		}
		patterns = next[:min(len(next), maxPatterns)]
	}
	return slices.ContainsFunc(patterns, func(p string) bool {
		return !slices.ContainsFunc(r.denies, func(d statement) bool { return d.is(action) && d.spans(p) })
	})
}

// actions returns the names of the actions of a service that are allowed; at most
// the first if that is enough.
func (r *reach) actions(service *catalog.Service, first bool) []string {
	for _, level := range r.levels {
		if !slices.ContainsFunc(level, func(s statement) bool { return s.concerns(service.Prefix) }) {
			return nil
		}
	}
	var names []string
	for a := range service.Actions() {
		if r.allows(strings.ToLower(service.Prefix+":"+a.Name), patternsOf(service, a)) {
			names = append(names, a.Name)
			if first {
				break
			}
		}
	}
	return names
}

// patternsOf returns patterns of the resources that an action works on.
func patternsOf(service *catalog.Service, a catalog.Action) []string {
	var out []string
	for _, use := range a.Resources {
		if t, ok := service.ResourceType(use.Type); ok {
			for _, template := range t.ARNs {
				out = append(out, withoutVariables(template))
			}
		}
	}
	if len(out) == 0 {
		return []string{all}
	}
	return out
}

// patternsOfAll returns patterns of everything that actions of a service work on.
func patternsOfAll(service *catalog.Service) []string {
	out := []string{all}
	for t := range service.ResourceTypes() {
		for _, template := range t.ARNs {
			out = append(out, withoutVariables(template))
		}
	}
	return out
}

// covers reports whether everything that p matches is matched by pattern too. It
// may say no where it is so.
func covers(pattern, p string) bool {
	if strings.Contains(pattern, "?") {
		return pattern == p
	}
	return arn.Match(pattern, p)
}

// overlap reports whether there is a text that both patterns match.
func overlap(p, q string) bool {
	// reach[j] says whether the first i bytes of p and the first j of q can match
	// the same text.
	reach, next := make([]bool, len(q)+1), make([]bool, len(q)+1)
	for i := range len(p) + 1 {
		for j := range len(q) + 1 {
			next[j] = i == 0 && j == 0 ||
				i > 0 && p[i-1] == '*' && reach[j] ||
				j > 0 && q[j-1] == '*' && next[j-1] ||
				i > 0 && j > 0 && (p[i-1] == '*' && next[j-1] || q[j-1] == '*' && reach[j] || same(p[i-1], q[j-1]) && reach[j-1])
		}
		reach, next = next, reach
	}
	return reach[len(q)]
}

// same reports whether two bytes of patterns, which are no stars, can be the same
// character.
func same(a, b byte) bool { return a != '*' && b != '*' && (a == b || a == '?' || b == '?') }
