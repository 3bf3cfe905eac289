// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// The records of the store as answers show them.

func showOrganization(o *orgs.Org) *Organization {
	self, types := o.Record(), []PolicyTypeSummary{}
	if self.Features == orgs.FeaturesAll { // not what is enabled: AWS has kept this member as it began
		types = append(types, PolicyTypeSummary{Type: new(orgs.TypeSCP), Status: new(PolicyTypeStatusEnabled)})
	}
	out := &Organization{
		Id: &self.ID, Arn: new(organizationARN(o)), FeatureSet: &self.Features, AvailablePolicyTypes: types,
		MasterAccountId: new(o.Management()), MasterAccountArn: new(accountARN(o, o.Management())),
	}
	if m, err := o.Member(o.Management()); err == nil {
		out.MasterAccountEmail = &m.Email
	}
	return out
}

func showRoot(o *orgs.Org, self *orgs.Organization) Root {
	types := []PolicyTypeSummary{}
	for i := range self.Types {
		if t := &self.Types[i]; t.Enabled {
			types = append(types, PolicyTypeSummary{Type: new(t.Name), Status: new(PolicyTypeStatusEnabled)})
		}
	}
	return Root{Id: new(self.Root), Arn: new(rootARN(o, self.Root)), Name: new("Root"), PolicyTypes: types}
}

func showUnit(o *orgs.Org, u *orgs.Unit) OrganizationalUnit {
	return OrganizationalUnit{Id: new(u.ID), Arn: new(unitARN(o, u.ID)), Name: new(u.Name), Path: new(pathOf(o, u.Parent, u.ID))}
}

// pathOf is where something is, as aws:PrincipalOrgPaths has it.
func pathOf(o *orgs.Org, parent, id string) string {
	return o.Record().ID + "/" + strings.Join(o.Path(parent), "/") + "/" + id + "/"
}

func showAccount(o *orgs.Org, m *orgs.Member) Account {
	return Account{
		Id: new(m.ID), Arn: new(accountARN(o, m.ID)), Email: new(m.Email), Name: new(m.Name),
		Status: new(m.State), State: new(m.State), Paths: []string{pathOf(o, m.Parent, m.ID)},
		JoinedMethod: new(joined(m)), JoinedTimestamp: m.Joined,
	}
}

func joined(m *orgs.Member) string {
	if m.Invited {
		return AccountJoinedMethodInvited
	}
	return AccountJoinedMethodCreated
}

func showPolicySummary(o *orgs.Org, p *orgs.Policy) PolicySummary {
	return PolicySummary{
		Id: new(p.ID), Arn: new(policyARN(o, p)), Name: new(p.Name), Description: new(p.Description), Type: new(p.Type), AwsManaged: p.Provided,
	}
}

func showPolicy(o *orgs.Org, p *orgs.Policy) *Policy {
	return &Policy{PolicySummary: new(showPolicySummary(o, p)), Content: new(p.Document.Text())}
}

func showRequest(r *orgs.AccountRequest) CreateAccountStatus {
	out := CreateAccountStatus{
		Id: new(r.ID), AccountName: new(r.Name), State: new(r.State), RequestedTimestamp: r.Requested, CompletedTimestamp: r.Completed,
		FailureReason: wire.NonZero(r.Failure),
	}
	if r.State == orgs.RequestDone {
		out.AccountId = new(r.Account)
	}
	return out
}
