// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// effectiveTarget: every account may ask about itself.
func (s *org) effectiveTarget(c *api.Call, in *DescribeEffectivePolicyInput) ([]authz.Check, error) {
	list, err := s.checks(c, effectiveLevel(c, in), func(o *orgs.Org) []authz.Check {
		return resources(o, wire.Value(in.TargetId, string(c.Account)))
	})
	return withKey(list, "organizations:PolicyType", in.PolicyType), err
}

func effectiveLevel(c *api.Call, in *DescribeEffectivePolicyInput) level {
	if wire.Value(in.TargetId, string(c.Account)) == string(c.Account) {
		return member
	}
	return reader
}

// describeEffectivePolicy merges the policies of a type that an account inherits
// with its own. Service and resource control policies, which are not inherited
// but all have to allow, have no such form: the model refuses them.
func (s *org) describeEffectivePolicy(c *api.Call, in *DescribeEffectivePolicyInput) (*DescribeEffectivePolicyOutput, error) {
	o, err := s.enter(c, effectiveLevel(c, in))
	if err != nil {
		return nil, err
	}
	target := wire.Value(in.TargetId, string(c.Account))
	if _, err := o.Member(target); err != nil { // units and roots have no effective policy
		return nil, awserr.TargetNotFoundException.Because(err)
	}
	merged, updated, found := merge(o, target, in.PolicyType)
	if !found {
		return nil, awserr.EffectivePolicyNotFoundException.Msg(
			"If you ran this action on the management account, this policy type is not enabled. If you ran the action on a member account, " +
				"the account doesn't have an effective policy of this type.")
	}
	text, err := json.Marshal(merged)
	if err != nil {
		return nil, err
	}
	return &DescribeEffectivePolicyOutput{EffectivePolicy: &EffectivePolicy{
		PolicyContent: new(string(text)), LastUpdatedTimestamp: updated, TargetId: &target, PolicyType: &in.PolicyType,
	}}, nil
}

// merge applies the policies of a type along the path to an account, the root's
// first and at one level in the order of attaching.
func merge(o *orgs.Org, account, typ string) (out map[string]any, updated time.Time, found bool) {
	root := make(object)
	for _, target := range o.Path(account) {
		for _, id := range o.Attached(target, typ) {
			p, err := o.Policy(id)
			if err != nil {
				continue
			}
			var doc map[string]any
			if json.Unmarshal([]byte(p.Document.Text()), &doc) != nil {
				continue
			}
			found = true
			if p.Updated.After(updated) {
				updated = p.Updated
			}
			root.apply(doc, true)
		}
		root.close()
	}
	return root.plain(), updated, found
}

// An object is what has been merged of one object: by lower-case name, for names
// of keys are inherited without regard to letter case.
type object map[string]*entry

// An entry is a member of an object: either an object or a value.
type entry struct {
	name    string // as first spelt
	members object // nil for a value
	value   []any  // in order, without repetition
	list    bool   // the value is a list
	allowed []string
	next    []string // what is allowed from the next level on
}

// The operators (User Guide of Organizations, "Inheritance operators").
const (
	assign  = "@@assign"
	add     = "@@append"
	remove  = "@@remove"
	control = "@@operators_allowed_for_child_policies"
	all     = "@@all"
	none    = "@@none"
)

// apply merges one document into o. open says whether what is above allows new
// members.
func (o object) apply(doc map[string]any, open bool) {
	for name, v := range doc {
		sub, ok := v.(map[string]any)
		if !ok || strings.HasPrefix(name, "@@") {
			continue
		}
		key := strings.ToLower(name)
		e := o[key]
		if e == nil {
			if !open {
				continue
			}
			e = &entry{name: name, allowed: []string{all}}
			o[key] = e
		}
		e.apply(sub)
	}
}

func (e *entry) apply(doc map[string]any) {
	for _, op := range []string{assign, add, remove} {
		if v, ok := doc[op]; ok && e.allows(op) {
			e.operate(op, v)
		}
	}
	if v, ok := doc[control]; ok {
		e.next = texts(v)
	}
	if e.members == nil {
		e.members = make(object)
	}
	e.members.apply(doc, e.allows(assign))
}

func (e *entry) allows(op string) bool {
	return slices.Contains(e.allowed, all) || slices.Contains(e.allowed, op)
}

func (e *entry) operate(op string, v any) {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	equal := func(a any) func(any) bool { return func(b any) bool { return a == b } }
	switch op {
	case assign:
		e.value, e.list = nil, isList
	case remove:
		e.value = slices.DeleteFunc(slices.Clone(e.value), func(a any) bool { return slices.ContainsFunc(list, equal(a)) })
		return
	case add:
		e.list = true
	}
	for _, a := range list {
		switch a.(type) {
		case string, float64, bool:
			if !slices.ContainsFunc(e.value, equal(a)) {
				e.value = append(e.value, a)
			}
		}
	}
}

// close ends a level: what it does not allow to the levels below holds from now
// on, and nobody below can take that back.
func (o object) close() {
	for _, e := range o {
		if e.next != nil {
			e.allowed = slices.DeleteFunc(slices.Clone(e.next), func(op string) bool {
				return op != all && !e.allows(op) || op == all && !slices.Contains(e.allowed, all)
			})
			e.next = nil
		}
		e.members.close()
	}
}

// plain returns the result without operators.
func (o object) plain() map[string]any {
	out := make(map[string]any, len(o))
	for _, e := range o {
		switch {
		case len(e.value) == 1 && !e.list:
			out[e.name] = e.value[0]
		case e.value != nil:
			out[e.name] = e.value
		default:
			out[e.name] = e.members.plain()
		}
	}
	return out
}

func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := []string{}
	for _, item := range list {
		if s, ok := item.(string); ok && s != none {
			out = append(out, s)
		}
	}
	return out
}
