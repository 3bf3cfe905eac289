// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"encoding/json"
	"iter"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

func (s *org) createPolicyTarget(c *api.Call, in *CreatePolicyInput) ([]authz.Check, error) {
	list, err := s.checks(c, manager, everything)
	return withTags(withKey(list, "organizations:PolicyType", in.Type), in.Tags), err
}

func (s *org) createPolicy(c *api.Call, in *CreatePolicyInput) (*CreatePolicyOutput, error) {
	o, err := s.enter(c, manager)
	if err != nil {
		return nil, err
	}
	if o.Record().Features != orgs.FeaturesAll {
		return nil, awserr.PolicyTypeNotAvailableForOrganizationException
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	doc, err := document(in.Type, in.Name, in.Content)
	if err != nil {
		return nil, err
	}
	p := &orgs.Policy{Type: in.Type, Name: in.Name, Description: in.Description, Tags: tags, Document: doc}
	if err := s.update(c, func(tx *orgs.Tx) error { return tx.CreatePolicy(p) }); err != nil {
		return nil, err
	}
	return &CreatePolicyOutput{Policy: showPolicy(o, p)}, nil
}

func (s *org) updatePolicy(c *api.Call, in *UpdatePolicyInput) (*UpdatePolicyOutput, error) {
	o, err := s.enter(c, manager)
	if err != nil {
		return nil, err
	}
	var changed *orgs.Policy
	err = s.update(c, func(tx *orgs.Tx) error {
		p, err := tx.Policy(in.PolicyId)
		if err != nil {
			return err
		}
		p.Name, p.Description = wire.Value(in.Name, p.Name), wire.Value(in.Description, p.Description)
		if in.Content != nil {
			if p.Document, err = document(p.Type, p.Name, *in.Content); err != nil {
				return err
			}
		}
		changed = p
		return tx.PutPolicy(p)
	})
	if err != nil {
		return nil, err
	}
	return &UpdatePolicyOutput{Policy: showPolicy(o, changed)}, nil
}

// kinds has what policies of a type are to the policy engine. The documents of
// other types are JSON of their own.
var kinds = map[string]policy.Kind{orgs.TypeSCP: policy.SCP, orgs.TypeRCP: policy.RCP}

// document reads the content of a policy of a type.
func document(typ, name, text string) (*store.Document, error) {
	kind, ok := kinds[typ]
	if !ok {
		return store.NewDocument(name, text), otherDocument(text)
	}
	if utf8.RuneCountInString(text) > maxDocument { // not worth reading
		return nil, tooLarge
	}
	if _, err := api.Document(name, text, kind); err != nil {
		return nil, awserr.MalformedPolicyDocumentException.Msg("%s", awserr.From(err).Message).Because(err)
	}
	return store.NewDocument(name, text), nil
}

// maxDocument is more than any quota lets a document have, in characters.
const maxDocument = 100_000

// otherDocument checks a document that inherits: a JSON object, whose members
// with values are within operators (User Guide of Organizations, "Inheritance
// operators").
func otherDocument(text string) error {
	var doc map[string]any
	if len(text) > maxDocument {
		return tooLarge
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil || doc == nil {
		return awserr.MalformedPolicyDocumentException.Because(err)
	}
	return nil
}

func (s *org) describePolicy(c *api.Call, in *DescribePolicyInput) (*DescribePolicyOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	p, err := o.Policy(in.PolicyId)
	if err != nil {
		return nil, fail(err)
	}
	return &DescribePolicyOutput{Policy: showPolicy(o, p)}, nil
}

func (s *org) deletePolicy(c *api.Call, in *DeletePolicyInput) error {
	if _, err := s.enter(c, manager); err != nil {
		return err
	}
	return s.update(c, func(tx *orgs.Tx) error { return tx.DeletePolicy(in.PolicyId) })
}

func (s *org) listPoliciesTarget(c *api.Call, in *ListPoliciesInput) ([]authz.Check, error) {
	list, err := s.checks(c, reader, everything)
	return withKey(list, "organizations:PolicyType", in.Filter), err
}

func (s *org) listPolicies(c *api.Call, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq[*orgs.Policy] { return o.Policies(in.Filter, after) }
	p, err := paginate(in.NextToken, in.MaxResults, from, func(p *orgs.Policy) string { return p.ID },
		func(p *orgs.Policy) PolicySummary { return showPolicySummary(o, p) })
	if err != nil {
		return nil, err
	}
	return &ListPoliciesOutput{Policies: p.items, NextToken: p.next}, nil
}

func (s *org) attachPolicy(c *api.Call, in *AttachPolicyInput) error {
	if _, err := s.enter(c, manager); err != nil {
		return err
	}
	return s.update(c, func(tx *orgs.Tx) error { return tx.AttachPolicy(in.PolicyId, in.TargetId) })
}

func (s *org) detachPolicy(c *api.Call, in *DetachPolicyInput) error {
	if _, err := s.enter(c, manager); err != nil {
		return err
	}
	if in.PolicyId == orgs.FullResourceAccess {
		return badInput(InvalidInputExceptionReasonNonDetachablePolicy, "You can't detach this AWS Managed Policy.")
	}
	return s.update(c, func(tx *orgs.Tx) error { return tx.DetachPolicy(in.PolicyId, in.TargetId) })
}

func (s *org) listPoliciesForTargetTarget(c *api.Call, in *ListPoliciesForTargetInput) ([]authz.Check, error) {
	list, err := s.checks(c, reader, func(o *orgs.Org) []authz.Check { return resources(o, in.TargetId) })
	return withKey(list, "organizations:PolicyType", in.Filter), err
}

func (s *org) listPoliciesForTarget(c *api.Call, in *ListPoliciesForTargetInput) (*ListPoliciesForTargetOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	if !exists(o, in.TargetId) {
		return nil, awserr.TargetNotFoundException
	}
	attached := o.Attached(in.TargetId, in.Filter)
	from := func(last string) iter.Seq[string] {
		return filter(each(attached, last), func(id string) bool { _, err := o.Policy(id); return err == nil })
	}
	p, err := paginate(in.NextToken, in.MaxResults, from, itself, func(id string) PolicySummary {
		p, err := o.Policy(id)
		if err != nil { // cannot be: filter left it out
			return PolicySummary{}
		}
		return showPolicySummary(o, p)
	})
	if err != nil {
		return nil, err
	}
	return &ListPoliciesForTargetOutput{Policies: p.items, NextToken: p.next}, nil
}

// each yields what follows an item of a list that is in no order.
func each(items []string, last string) iter.Seq[string] {
	return func(yield func(string) bool) {
		begun := last == ""
		for _, item := range items {
			if begun && !yield(item) {
				return
			}
			begun = begun || item == last
		}
	}
}

// exists reports whether the id is that of the root, a unit or an account.
func exists(o *orgs.Org, id string) bool {
	_, err := o.Member(id)
	return err == nil || o.Holds(id)
}

func (s *org) listTargetsForPolicy(c *api.Call, in *ListTargetsForPolicyInput) (*ListTargetsForPolicyOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	policy, err := o.Policy(in.PolicyId)
	if err != nil {
		return nil, fail(err)
	}
	from := func(last string) iter.Seq[string] {
		return func(yield func(string) bool) {
			begun := last == ""
			for id := range o.Targets(policy) {
				if begun && !yield(id) {
					return
				}
				begun = begun || id == last
			}
		}
	}
	p, err := paginate(in.NextToken, in.MaxResults, from, itself, func(id string) PolicyTargetSummary { return showTarget(o, id) })
	if err != nil {
		return nil, err
	}
	return &ListTargetsForPolicyOutput{Targets: p.items, NextToken: p.next}, nil
}

func showTarget(o *orgs.Org, id string) PolicyTargetSummary {
	name, kind := "Root", TargetTypeRoot
	if u, err := o.Unit(id); err == nil {
		name, kind = u.Name, TargetTypeOrganizationalUnit
	} else if m, err := o.Member(id); err == nil {
		name, kind = m.Name, TargetTypeAccount
	}
	text, _ := resource(o, id)
	return PolicyTargetSummary{TargetId: &id, Arn: &text, Name: &name, Type: &kind}
}

func (s *org) policyTypeTarget(c *api.Call, root, typ string) ([]authz.Check, error) {
	list, err := s.checks(c, manager, func(o *orgs.Org) []authz.Check { return resources(o, root) })
	return withKey(list, "organizations:PolicyType", typ), err
}

func (s *org) enablePolicyTypeTarget(c *api.Call, in *EnablePolicyTypeInput) ([]authz.Check, error) {
	return s.policyTypeTarget(c, in.RootId, in.PolicyType)
}

func (s *org) enablePolicyType(c *api.Call, in *EnablePolicyTypeInput) (*EnablePolicyTypeOutput, error) {
	root, err := s.changeType(c, in.RootId, func(tx *orgs.Tx) error { return tx.EnableType(in.PolicyType) })
	if err != nil {
		return nil, err
	}
	return &EnablePolicyTypeOutput{Root: root}, nil
}

func (s *org) disablePolicyTypeTarget(c *api.Call, in *DisablePolicyTypeInput) ([]authz.Check, error) {
	return s.policyTypeTarget(c, in.RootId, in.PolicyType)
}

func (s *org) disablePolicyType(c *api.Call, in *DisablePolicyTypeInput) (*DisablePolicyTypeOutput, error) {
	root, err := s.changeType(c, in.RootId, func(tx *orgs.Tx) error { return tx.DisableType(in.PolicyType) })
	if err != nil {
		return nil, err
	}
	return &DisablePolicyTypeOutput{Root: root}, nil
}

// changeType changes which types of policies are enabled and returns the root as
// it is then.
func (s *org) changeType(c *api.Call, root string, change func(*orgs.Tx) error) (*Root, error) {
	o, err := s.enter(c, manager)
	if err != nil {
		return nil, err
	}
	switch {
	case root != o.Record().Root:
		return nil, awserr.RootNotFoundException
	case o.Record().Features != orgs.FeaturesAll:
		return nil, awserr.PolicyTypeNotAvailableForOrganizationException
	}
	var out Root
	err = s.update(c, func(tx *orgs.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		now, err := tx.Organization()
		if err == nil {
			out = showRoot(o, now)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}
