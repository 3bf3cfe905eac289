// SPDX-License-Identifier: Apache-2.0

//go:build !race

package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
)

// A feature is something that a policy, a request or an answer can have, and
// what came of it.
type feature struct{ what, came string }

// A coverage counts the features of what was compared.
type coverage map[feature]int

// A shaped statement is one with what it has that an evaluator may get wrong.
type shaped struct {
	policy    *genPolicy
	statement *Statement
	shapes    []string
}

// shapesOf returns the statements of a set by the name of their policy.
func shapesOf(s *genSet) map[string][]shaped {
	all := make(map[string][]shaped)
	for _, p := range s.policies() {
		list := make([]shaped, len(p.doc.Statements))
		for i := range list {
			list[i] = shaped{p, &p.doc.Statements[i], shapesOfStatement(p, &p.doc.Statements[i])}
		}
		all[p.doc.Name] = list
	}
	return all
}

func shapesOfStatement(p *genPolicy, s *Statement) (shapes []string) {
	add := func(has bool, shape string) {
		if has {
			shapes = append(shapes, shape)
		}
	}
	add(s.NotAction, s.Effect.String()+" with NotAction")
	add(s.NotResource, s.Effect.String()+" with NotResource")
	add(!s.HasResource, "no Resource")
	add(len(p.doc.Statements) > 64, "one of over 64 statements")
	patterns := 0
	for i := range p.doc.Statements {
		patterns += len(p.doc.Statements[i].Resource)
	}
	add(patterns > 256, "one of over 256 resources")
	if b := s.Principal; b != nil {
		add(b.Not, s.Effect.String()+" with NotPrincipal")
		add(len(b.AWS) > 8, "over 8 principals")
		add(len(b.AWS) > 64, "over 64 principals")
		add(slices.ContainsFunc(b.AWS, func(v Value) bool { return p.ids[v.Text] != "" }), "a bound principal")
	}
	add(len(s.Action) > 8, "over 8 actions")
	add(len(s.Action) > 64, "over 64 actions")
	add(len(s.Resource) > 8, "over 8 resources")
	variables := p.doc.Version == "2012-10-17"
	for _, v := range s.Resource {
		shapes = append(shapes, shapesOfResource(v.Text, variables)...)
	}
	for i := range s.Condition {
		c := &s.Condition[i]
		op, _ := operator.Parse(c.Operator)
		wild := slices.ContainsFunc(c.Values, func(v Value) bool { return strings.ContainsAny(v.Text, "*?$") })
		add(len(c.Values) > 8 && !wild, "over 8 exact values")
		add(len(c.Values) > 8 && wild && op.Like, "over 8 values with wildcards")
		add(len(c.Values) > 64, "over 64 values")
		add(len(c.Values) > 64 && op.Class == operator.IP, "over 64 ranges of addresses")
		add(op.Variables && variables && slices.ContainsFunc(c.Values, func(v Value) bool { return strings.Contains(v.Text, "${") }), "a variable in a condition")
	}
	slices.Sort(shapes)
	return slices.Compact(shapes)
}

func shapesOfResource(text string, variables bool) (shapes []string) {
	add := func(has bool, shape string) {
		if has {
			shapes = append(shapes, shape)
		}
	}
	for i, part := range strings.SplitN(text, ":", 6) {
		add(strings.ContainsAny(part, "*?") && text != "*", fmt.Sprintf("a wildcard in part %d", i+1))
	}
	if at := strings.IndexAny(text, "*?$"); at > 0 {
		before := text[:at]
		last, size := utf8.DecodeLastRuneInString(before)
		add(last == ':', "a beginning up to a colon")
		add(last == '/', "a beginning up to a slash")
		add(strings.HasSuffix(before[:len(before)-size], ":"), "a beginning just beyond a colon")
		add(strings.HasSuffix(before[:len(before)-size], "/"), "a beginning just beyond a slash")
		add(last >= utf8.RuneSelf, "a beginning up to a long character")
		add(strings.HasPrefix(text[at:], "*/"), "a beginning just before a slash")
		add(strings.HasPrefix(text[at:], "*:"), "a beginning just before a colon")
	}
	for _, run := range strings.Split(text, "*") {
		add(strings.Count(run, "?") > 5 && strings.Count(text, "*") > 1, "many wildcards between stars")
		add(strings.Count(run, "?") > 5 && strings.Count(text, "*") > 1 && len(run) > 80, "many wildcards and letters between stars")
	}
	add(strings.Contains(text, "${") && variables, "a variable in a resource")
	add(strings.Contains(text, "${") && !variables, "no variable in a resource")
	add(strings.Contains(text, "${*}") && variables, "a character by its variable")
	add(strings.Contains(text, ", 'red'}") && variables, "a variable with a default")
	return shapes
}

// shapesOfRequest returns what a request has that an evaluator may get wrong.
func shapesOfRequest(r *Request) (shapes []string) {
	add := func(has bool, shape string) {
		if has {
			shapes = append(shapes, shape)
		}
	}
	separators := strings.Count(r.Resource, "/") + strings.Count(r.Resource, ":")
	add(separators > 64, "a resource of over 64 separators")
	add(len(r.Resource) > 300, "a resource of over 300 bytes")
	add(!utf8.ValidString(r.Resource), "a resource that is not UTF-8")
	add(len(r.Action) > 128, "a long action")
	add(!strings.Contains(r.Action, ":"), "an action without service")
	add(len(r.Context) > 64, "over 64 keys")
	add(r.Context == nil, "no keys")
	folded := make(map[string]bool)
	for k := range r.Context {
		add(folded[lowerASCII(k)], "a key in two letter cases")
		folded[lowerASCII(k)] = true
	}
	for k, list := range r.Lists {
		add(folded[lowerASCII(k)], "a key in both maps")
		add(len(list) == 0, "an empty list")
		add(len(list) == 1, "a list of one")
		add(len(list) > 8, "a list of over 8")
	}
	slices.Sort(shapes)
	return slices.Compact(shapes)
}

var callerNames = [...]string{
	Anonymous: "anonymous", User: "user", RoleSession: "session", FederatedUser: "federated user", Root: "root", Service: "service", WebIdentity: "web identity",
}

const (
	applies = "applies"
	fails   = "does not apply"
)

// add counts the features of a comparison.
func (c coverage) add(r *Request, s *genSet, shapes map[string][]shaped, t *Trace) {
	outcome := t.Decision.Outcome.String()
	c[feature{t.Decision.Layer.String(), outcome}]++
	c[feature{callerNames[r.Principal.Type], outcome}]++
	if t.CrossAccount {
		c[feature{"across accounts", outcome}]++
	}
	if p := s.resource; p != nil && p.doc != nil && t.Decision.Layer == ResourceLayer {
		c[feature{"a policy of kind " + p.kind.String(), outcome}]++
	}
	for _, shape := range shapesOfRequest(r) {
		c[feature{shape, outcome}]++
	}
	if len(r.Resource) > 1<<16 {
		c[feature{"a resource of over 64 KiB", "is asked for"}]++
	}
	for i := range t.Layers {
		l := &t.Layers[i]
		if l.Match != "" {
			c[feature{callerNames[r.Principal.Type], "is named as " + l.Match}]++
		}
		for j := range l.Policies {
			p := &l.Policies[j]
			list := shapes[p.Policy]
			for k := range min(len(list), len(p.Statements)) {
				c.statement(r, &list[k], p.Statements[k].Applies)
			}
		}
	}
}

// enough is how often a feature is counted that takes time to see.
const enough = 10

func (c coverage) statement(r *Request, s *shaped, applied bool) {
	came := fails
	if applied {
		came = applies
	}
	for _, shape := range s.shapes {
		c[feature{shape, came}]++
	}
	for i := range s.statement.Condition {
		condition := &s.statement.Condition[i]
		yes, no := feature{condition.Operator, "is true"}, feature{condition.Operator, "is false"}
		if set := (feature{"set " + setOf(r, condition), came}); applied || c[set] < enough {
			c[set]++
		}
		switch {
		case applied:
			c[yes]++
		case c[no] < enough && appliesWith(r, s) && !appliesWith(r, s, *condition):
			c[no]++
		}
	}
}

// appliesWith reports whether a statement applies to a request, as one of an
// identity policy and with other conditions.
func appliesWith(r *Request, s *shaped, conditions ...Condition) bool {
	other := *s.statement
	other.Principal, other.Condition = nil, conditions
	if !other.HasResource {
		other.HasResource, other.Resource = true, []Value{{Text: "*"}}
	}
	p, err := Compile(&Document{Version: s.policy.doc.Version, Statements: []Statement{other}}, Identity)
	if err != nil {
		return false
	}
	trace := Explain(r, &Set{Identity: []*Policy{p}})
	return trace.Layers[0].Policies[0].Statements[0].Applies
}

// setOf says how many values a condition and its key have.
func setOf(r *Request, c *Condition) string {
	op, _ := operator.Parse(c.Operator)
	presence := "no value"
	for k := range r.Context {
		if lowerASCII(k) == lowerASCII(c.Key) {
			presence = "a value"
		}
	}
	for k, list := range r.Lists {
		if lowerASCII(k) == lowerASCII(c.Key) {
			presence = []string{"an empty list", "a list of one", "a list"}[min(len(list), 2)]
		}
	}
	return []string{operator.Single: "", operator.ForAllValues: operator.ForAllPrefix, operator.ForAnyValue: operator.ForAnyPrefix}[op.Set] + presence + " with " + number3(len(c.Values))
}

func number3(n int) string { return [...]string{"none", "one", "several"}[min(n, 2)] }

// wanted lists the features without which the comparison has a blind spot. Those
// of few are too rare for a short run.
func wanted() (often, few []feature) {
	add := func(what string, came ...string) {
		for _, c := range came {
			often = append(often, feature{what, c})
		}
	}
	for layer := IdentityLayer; layer <= EndpointLayer; layer++ {
		add(layer.String(), "explicit-deny", "implicit-deny")
	}
	for _, layer := range []Layer{NoLayer, IdentityLayer, ResourceLayer} {
		add(layer.String(), "allow")
	}
	for _, name := range callerNames {
		add(name, "allow", "explicit-deny", "implicit-deny", "is named as everyone")
	}
	for _, kind := range []Kind{Resource, Trust, Key} {
		add("a policy of kind "+kind.String(), "allow", "explicit-deny", "implicit-deny")
	}
	for _, name := range []string{"user", "session", "federated user", "service", "web identity"} {
		add(name, "is named as exact")
	}
	for _, name := range []string{"user", "session", "federated user", "root"} {
		add(name, "is named as account")
	}
	add("session", "is named as source of the session")
	add("federated user", "is named as source of the session")
	for _, shape := range []string{"across accounts", "a resource of over 300 bytes", "a resource that is not UTF-8", "an action without service", "no keys", "over 64 keys",
		"a key in two letter cases", "a key in both maps", "an empty list", "a list of one", "a list of over 8", "a resource of over 64 separators"} {
		add(shape, "allow", "explicit-deny", "implicit-deny")
	}
	add("a long action", "allow", "implicit-deny")
	for _, shape := range wantedShapes {
		add(shape, applies, fails)
	}
	for _, set := range []string{"", operator.ForAllPrefix, operator.ForAnyPrefix} {
		for _, presence := range []string{"no value", "an empty list", "a list of one", "a list", "a value"} {
			for n := range 3 {
				add("set "+set+presence+" with "+number3(n), fails)
			}
		}
	}
	few = []feature{{"a resource of over 64 KiB", "is asked for"}}
	for _, op := range operator.Base {
		for _, set := range []string{"", operator.ForAllPrefix, operator.ForAnyPrefix} {
			for _, suffix := range []string{"", operator.IfExistsSuffix} {
				if suffix == "" || op.Class != operator.Null {
					few = append(few, feature{set + op.Base + suffix, "is true"}, feature{set + op.Base + suffix, "is false"})
				}
			}
		}
	}
	return often, few
}

var wantedShapes = []string{
	"Allow with NotAction", "Deny with NotAction", "Allow with NotResource", "Deny with NotResource", "Allow with NotPrincipal", "Deny with NotPrincipal",
	"no Resource", "one of over 64 statements", "one of over 256 resources", "over 8 principals", "over 64 principals", "a bound principal", "over 8 actions", "over 64 actions",
	"over 8 resources", "over 8 exact values", "over 8 values with wildcards", "over 64 values", "over 64 ranges of addresses", "a variable in a condition",
	"a wildcard in part 1", "a wildcard in part 2", "a wildcard in part 3", "a wildcard in part 4", "a wildcard in part 5", "a wildcard in part 6",
	"a beginning up to a colon", "a beginning up to a slash", "a beginning just beyond a colon", "a beginning just beyond a slash",
	"a beginning just before a colon", "a beginning just before a slash", "a beginning up to a long character",
	"many wildcards between stars", "many wildcards and letters between stars", "a variable in a resource", "no variable in a resource", "a character by its variable", "a variable with a default",
}

// report fails the test for each wanted feature that was not seen, and logs the
// rest.
func (c coverage) report(t *testing.T, short bool) {
	often, few := wanted()
	if !short {
		often = append(often, few...)
	}
	for _, f := range often {
		if c[f] == 0 {
			t.Errorf("%q never %s", f.what, f.came)
		}
	}
	if !testing.Verbose() {
		return
	}
	for _, f := range slices.SortedFunc(maps.Keys(c), func(a, b feature) int {
		return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.came, b.came))
	}) {
		t.Logf("%8d %s: %s", c[f], f.what, f.came)
	}
}
