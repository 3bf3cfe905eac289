// SPDX-License-Identifier: Apache-2.0

package awsgate

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/classify"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// undecided says why the policies of a set do not give one answer to a check, whatever the request leaves open; "" if they
// do. A statement matters that is about the action and
//
//   - denies a part of what a vague resource stands for, or allows all but a part of it: whether it applies depends on
//     which part is meant;
//   - tests a condition key that the request does not tell, so that it would not deny, or would allow, for want
//     of the key.
//
// quirk Q140: whatever else is in such a statement, the request is refused.
func (g *Gate) undecided(set *policy.Set, ck *classify.Check) string {
	for p := range policies(set) {
		for _, s := range g.digests.of(p) {
			if why := s.undecided(ck); why != "" {
				return why
			}
		}
	}
	return ""
}

// policies are all of a set.
func policies(set *policy.Set) func(func(*policy.Policy) bool) {
	return func(yield func(*policy.Policy) bool) {
		lists := append(slices.Concat(set.SCPs, set.RCPs), set.Identity, set.Session, []*policy.Policy{set.Boundary, set.Resource, set.Endpoint})
		for _, list := range lists {
			for _, p := range list {
				if p != nil && !yield(p) {
					return
				}
			}
		}
	}
}

// digests remembers what undecided needs to know of policies, as long as they are in use. The zero value is ready.
type digests struct{ all sync.Map } // weak.Pointer[policy.Policy] → []statement

// of returns the statements of a policy.
func (d *digests) of(p *policy.Policy) []statement {
	key := weak.Make(p)
	if found, ok := d.all.Load(key); ok {
		return found.([]statement)
	}
	doc := p.Document()
	var all []statement
	if doc != nil {
		for i := range doc.Statements {
			all = append(all, digest(&doc.Statements[i]))
		}
	}
	if _, loaded := d.all.LoadOrStore(key, all); !loaded {
		runtime.AddCleanup(p, func(key weak.Pointer[policy.Policy]) { d.all.Delete(key) }, key)
	}
	return all
}

// A statement is what matters of one here.
type statement struct {
	deny        bool
	actions     []string // patterns, in lower case
	notAction   bool
	resources   []string // patterns, with "*" for variables; none: the statement has no such element
	notResource bool
	variable    bool     // a pattern has variables
	keys        []string // condition keys, in lower case, without which the statement would let more pass
	name        string   // for people
}

func digest(s *policy.Statement) statement {
	d := statement{deny: s.Effect == policy.Deny, notAction: s.NotAction, notResource: s.NotResource, name: fmt.Sprintf("statement %d", s.Index+1)}
	if s.Sid != "" {
		d.name = "statement " + s.Sid
	}
	for _, a := range s.Action {
		d.actions = append(d.actions, strings.ToLower(a.Text))
	}
	for _, r := range s.Resource {
		text, vars := variables(r.Text)
		d.resources, d.variable = append(d.resources, text), d.variable || len(vars) > 0
		if d.deny != d.notResource {
			d.keys = append(d.keys, vars...)
		}
	}
	for _, c := range s.Condition {
		if d.deny || passesWithout(c.Operator) {
			d.keys = append(d.keys, strings.ToLower(c.Key))
		}
		for _, v := range c.Values {
			if _, vars := variables(v.Text); d.deny || passesWithout(c.Operator) {
				d.keys = append(d.keys, vars...)
			}
		}
	}
	return d
}

// passesWithout reports whether a condition with the operator may hold when its key is absent (IAM User Guide,
// "IAM JSON policy elements: Condition operators").
func passesWithout(operator string) bool {
	o := strings.ToLower(operator)
	return strings.Contains(o, "not") || strings.HasSuffix(o, "ifexists") || strings.HasPrefix(o, "forallvalues:") || o == "null"
}

// variables returns a pattern with "*" in the place of its variables, and their names in lower case.
func variables(text string) (pattern string, names []string) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if !ok {
			return b.String(), names
		}
		name, rest, _ := strings.Cut(after, "}")
		name, _, _ = strings.Cut(name, ",") // a default value
		names = append(names, strings.ToLower(strings.TrimSpace(name)))
		b.WriteByte('*')
		text = rest
	}
}

func (s *statement) undecided(ck *classify.Check) string {
	if slices.ContainsFunc(s.actions, func(a string) bool { return arn.Match(a, strings.ToLower(ck.Action)) }) == s.notAction {
		return ""
	}
	meets, covers := s.about(ck.Resource)
	if ck.Vague && meets && !covers && s.deny != s.notResource {
		return fmt.Sprintf("%s makes a difference between the resources that %q may stand for", s.name, ck.Resource)
	}
	if s.notResource && covers || !s.notResource && len(s.resources) > 0 && !meets {
		return "" // it does not apply
	}
	for _, key := range s.keys {
		for _, untold := range ck.Untold {
			if same(untold, key) {
				return fmt.Sprintf("%s tests %s, which the request does not tell", s.name, key)
			}
		}
	}
	return ""
}

// about says whether the patterns of a statement meet anything that a resource, itself a pattern, stands for, and
// whether one of them covers it all.
func (s *statement) about(resource string) (meets, covers bool) {
	for _, p := range s.resources {
		meets = meets || overlap(p, resource)
		covers = covers || !s.variable && arn.Match(p, resource)
	}
	return meets, covers
}

// same reports whether a key in lower case is one that the catalogue has by the name of untold.
func same(untold, key string) bool {
	fixed, _, open := strings.Cut(strings.ToLower(untold), "${")
	if open {
		return strings.HasPrefix(key, fixed)
	}
	return key == fixed
}

// overlap reports whether there is a text that both patterns match.
func overlap(a, b string) bool {
	row := make([]bool, len(b)+1) // row[j]: the rest of a, and b[j:], have one in common
	for i := len(a); i >= 0; i-- {
		above := slices.Clone(row) // of a[i+1:]
		for j := len(b); j >= 0; j-- {
			endA, endB := i == len(a), j == len(b)
			switch {
			case endA && endB:
				row[j] = true
			case !endA && a[i] == '*':
				row[j] = above[j] || !endB && row[j+1]
			case !endB && b[j] == '*':
				row[j] = row[j+1] || !endA && above[j]
			case endA || endB:
				row[j] = false
			default:
				row[j] = above[j+1] && (a[i] == b[j] || a[i] == '?' || b[j] == '?')
			}
		}
	}
	return row[0]
}
