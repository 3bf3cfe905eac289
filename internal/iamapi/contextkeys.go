// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/policy"
)

func (s *iam) getContextKeysForCustomPolicy(_ *api.Call, in *GetContextKeysForCustomPolicyInput) (*GetContextKeysForCustomPolicyOutput, error) {
	sim := new(simulation)
	if err := sim.inputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return &GetContextKeysForCustomPolicyOutput{ContextKeyNames: sim.keys()}, nil
}

func getContextKeysForPrincipalPolicyTarget(c *api.Call, in *GetContextKeysForPrincipalPolicyInput) ([]authz.Check, error) {
	return sourceTarget(c, in.PolicySourceArn)
}

func (s *iam) getContextKeysForPrincipalPolicy(c *api.Call, in *GetContextKeysForPrincipalPolicyInput) (*GetContextKeysForPrincipalPolicyOutput, error) {
	sim := new(simulation)
	if err := sim.gather(c, in.PolicySourceArn); err != nil {
		return nil, err
	}
	if err := sim.inputs(in.PolicyInputList); err != nil {
		return nil, err
	}
	return &GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: sim.keys()}, nil
}

// inputs adds the policies of a request for context keys, which may be of a
// principal or of a resource.
func (m *simulation) inputs(texts []string) error {
	for i, text := range texts {
		kind := policy.Identity
		if d, err := policy.Parse("", []byte(text)); err == nil && slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return s.Principal != nil }) {
			kind = resourceKind(text)
		}
		if err := m.input("PolicyInputList."+strconv.Itoa(i+1), sourceIdentity, policy.IdentityLayer, kind, text); err != nil {
			return err
		}
	}
	return nil
}

// keys returns the condition keys and variables of the policies.
//
// quirk Q068: each once, as it is spelt first, in the order of the policies.
func (m *simulation) keys() []string {
	all := m.set.Identity
	if m.set.Boundary != nil {
		all = append(slices.Clip(all), m.set.Boundary)
	}
	out, listed := []string{}, make(map[string]bool)
	for _, p := range all {
		for _, key := range keysOf(p) {
			if name := strings.ToLower(key); !listed[name] {
				listed[name] = true
				out = append(out, key)
			}
		}
	}
	return out
}

// mention matches what may be a variable; the policy's own list of keys says
// whether it is one.
var mention = regexp.MustCompile(`\$\{([^,}]+)[,}]`)

// keysOf returns what a policy reads in the order of its text, also more than
// once.
func keysOf(p *policy.Policy) []string {
	var found []policy.Value
	in := func(values []policy.Value) {
		for _, v := range values {
			for _, m := range mention.FindAllStringSubmatch(v.Text, -1) {
				found = append(found, policy.Value{Text: m[1], Pos: v.Pos})
			}
		}
	}
	for _, st := range p.Document().Statements {
		in(st.Resource)
		for _, c := range st.Condition {
			found = append(found, policy.Value{Text: c.Key, Pos: c.KeyPos})
			in(c.Values)
		}
	}
	slices.SortStableFunc(found, func(a, b policy.Value) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	reads := p.Keys()
	var keys []string
	for _, f := range found {
		if _, ok := slices.BinarySearch(reads, strings.ToLower(f.Text)); ok {
			keys = append(keys, f.Text)
		}
	}
	return keys
}
