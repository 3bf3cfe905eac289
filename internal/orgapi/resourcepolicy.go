// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// putResourcePolicyTarget names the organization's resource policy, of which no
// other operation than those on tags is a resource (Service Authorization
// Reference).
func (s *org) putResourcePolicyTarget(c *api.Call, in *PutResourcePolicyInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, func(o *orgs.Org) []authz.Check {
		if id := o.Record().PolicyID; id != "" {
			return resources(o, id)
		}
		return everything(o)
	})
	return withTags(list, in.Tags), err
}

func (s *org) putResourcePolicy(c *api.Call, in *PutResourcePolicyInput) (*PutResourcePolicyOutput, error) {
	o, err := s.enter(c, only)
	if err != nil {
		return nil, err
	}
	if o.Record().Features != orgs.FeaturesAll {
		return nil, notAllFeatures()
	}
	if err := delegation(in.Content); err != nil {
		return nil, err
	}
	var out *ResourcePolicy
	err = s.changeOrganization(c, func(self *orgs.Organization) error {
		if self.PolicyID != "" && len(in.Tags) > 0 {
			return badInput(InvalidInputExceptionReasonInvalidEnum,
				"You can't attach tags while you update a resource policy. Use TagResource.")
		}
		tags, err := newTags(self.PolicyTags, in.Tags)
		if err != nil {
			return err
		}
		self.Policy, self.PolicyTags = store.NewDocument("resource policy", in.Content), tags
		return nil
	})
	if err == nil {
		out, err = s.resourcePolicy(c)
	}
	if err != nil {
		return nil, err
	}
	return &PutResourcePolicyOutput{ResourcePolicy: out}, nil
}

// resourcePolicy returns the resource policy as it is now.
func (s *org) resourcePolicy(c *api.Call) (*ResourcePolicy, error) {
	o, err := s.latest(c.Context(), c.Membership.Org.Management())
	if err != nil {
		return nil, err
	}
	if o == nil || o.Record().Policy == nil {
		return nil, awserr.ResourcePolicyNotFoundException
	}
	id := o.Record().PolicyID
	return &ResourcePolicy{
		ResourcePolicySummary: &ResourcePolicySummary{Id: &id, Arn: new(thing(o, "resourcepolicy", id))},
		Content:               new(o.Record().Policy.Text()),
	}, nil
}

func (s *org) describeResourcePolicy(c *api.Call, _ *DescribeResourcePolicyInput) (*DescribeResourcePolicyOutput, error) {
	if _, err := s.enter(c, reader); err != nil {
		return nil, err
	}
	p, err := s.resourcePolicy(c)
	if err != nil {
		return nil, err
	}
	return &DescribeResourcePolicyOutput{ResourcePolicy: p}, nil
}

func (s *org) deleteResourcePolicy(c *api.Call, _ *DeleteResourcePolicyInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	return s.changeOrganization(c, func(self *orgs.Organization) error {
		if self.Policy == nil {
			return awserr.ResourcePolicyNotFoundException
		}
		self.Policy = nil
		return nil
	})
}

// delegable are the actions that a resource policy may allow to members, in lower
// case (User Guide of Organizations, "Delegated administrator for AWS
// Organizations"): to manage policies, and to read.
var delegable = []string{
	"attachpolicy", "createpolicy", "deletepolicy", "detachpolicy", "disablepolicytype", "enablepolicytype", "tagresource",
	"untagresource", "updatepolicy",
}

// delegation checks a resource policy.
func delegation(text string) error {
	d, err := api.Document("resource policy", text, policy.Resource)
	if err != nil {
		return badInput(InvalidInputExceptionReasonInvalidResourcePolicyJson,
			"You provided a resource policy that isn't valid JSON or a valid policy. ("+awserr.From(err).Message+")")
	}
	for i := range d.Statements {
		st := &d.Statements[i]
		if p := st.Principal; p == nil || p.Not || p.Everyone || len(p.AWS) == 0 || len(p.Service)+len(p.Federated)+len(p.Canonical) > 0 ||
			slices.ContainsFunc(p.AWS, func(v policy.Value) bool { return v.Text == "*" }) {
			return badInput(InvalidInputExceptionReasonInvalidPrincipal, "The resource policy must name accounts, users or roles as its principals.")
		}
		if st.NotAction || slices.ContainsFunc(st.Action, func(v policy.Value) bool { return !mayDelegate(v.Text) }) {
			return badInput(InvalidInputExceptionReasonUnsupportedActionInResourcePolicy, "The resource policy has an action that cannot be delegated.")
		}
	}
	return nil
}

// mayDelegate reports whether an action may be delegated.
func mayDelegate(action string) bool {
	name, ok := strings.CutPrefix(strings.ToLower(action), "organizations:")
	if !ok {
		return false
	}
	if strings.HasPrefix(name, "describe") || strings.HasPrefix(name, "list") {
		return true
	}
	return slices.Contains(delegable, name)
}
