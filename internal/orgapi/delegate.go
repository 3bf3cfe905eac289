// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"iter"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
)

func (s *org) delegateTarget(c *api.Call, account, principal string) ([]authz.Check, error) {
	list, err := s.checks(c, only, func(o *orgs.Org) []authz.Check { return resources(o, account) })
	return withKey(list, "organizations:ServicePrincipal", principal), err
}

func (s *org) registerTarget(c *api.Call, in *RegisterDelegatedAdministratorInput) ([]authz.Check, error) {
	return s.delegateTarget(c, in.AccountId, in.ServicePrincipal)
}

func (s *org) register(c *api.Call, in *RegisterDelegatedAdministratorInput) error {
	o, err := s.enter(c, only)
	if err != nil {
		return err
	}
	if err := servicePrincipal(in.ServicePrincipal); err != nil {
		return err
	}
	if o.Record().Features != orgs.FeaturesAll {
		return notAllFeatures()
	}
	return s.update(c, func(tx *orgs.Tx) error {
		now, err := tx.Organization()
		if err != nil {
			return err
		}
		m, err := tx.Member(in.AccountId)
		switch {
		case err != nil:
			return err
		case in.AccountId == string(c.Account):
			return constraint(ConstraintViolationExceptionReasonCannotRegisterMasterAsDelegatedAdministrator,
				"You cannot register the management account of the organization as a delegated administrator.")
		case m.State != orgs.MemberActive:
			return constraint(ConstraintViolationExceptionReasonCannotRegisterSuspendedAccountAsDelegatedAdministrator,
				"You cannot register a suspended account as a delegated administrator.")
		case delegates(m, in.ServicePrincipal):
			return awserr.AccountAlreadyRegisteredException
		}
		m.Delegated = s.withService(m.Delegated, in.ServicePrincipal)
		now.Services = s.withService(now.Services, in.ServicePrincipal)
		if err := tx.PutOrganization(now); err != nil {
			return err
		}
		return tx.PutMember(m)
	})
}

func delegates(m *orgs.Member, principal string) bool {
	return slices.ContainsFunc(m.Delegated, func(a orgs.ServiceAccess) bool { return a.Principal == principal })
}

func (s *org) deregisterTarget(c *api.Call, in *DeregisterDelegatedAdministratorInput) ([]authz.Check, error) {
	return s.delegateTarget(c, in.AccountId, in.ServicePrincipal)
}

func (s *org) deregister(c *api.Call, in *DeregisterDelegatedAdministratorInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	return s.update(c, func(tx *orgs.Tx) error {
		m, err := tx.Member(in.AccountId)
		if err != nil {
			return err
		}
		if !delegates(m, in.ServicePrincipal) {
			return awserr.AccountNotRegisteredException
		}
		m.Delegated = withoutService(m.Delegated, in.ServicePrincipal)
		return tx.PutMember(m)
	})
}

func (s *org) listDelegatedAdministratorsTarget(c *api.Call, in *ListDelegatedAdministratorsInput) ([]authz.Check, error) {
	list, err := s.checks(c, reader, everything)
	if in.ServicePrincipal != nil {
		list = withKey(list, "organizations:ServicePrincipal", *in.ServicePrincipal)
	}
	return list, err
}

func (s *org) listDelegatedAdministrators(c *api.Call, in *ListDelegatedAdministratorsInput) (*ListDelegatedAdministratorsOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq[*orgs.Member] {
		return filter(o.Members(after), func(m *orgs.Member) bool {
			return len(m.Delegated) > 0 && (in.ServicePrincipal == nil || delegates(m, *in.ServicePrincipal))
		})
	}
	p, err := paginate(in.NextToken, in.MaxResults, from, memberID, func(m *orgs.Member) DelegatedAdministrator {
		first := m.Delegated[0].Since
		for _, d := range m.Delegated {
			if d.Since.Before(first) {
				first = d.Since
			}
		}
		return DelegatedAdministrator{
			Id: new(m.ID), Arn: new(accountARN(o, m.ID)), Email: new(m.Email), Name: new(m.Name), Status: new(m.State), State: new(m.State),
			JoinedMethod: new(joined(m)), JoinedTimestamp: m.Joined, DelegationEnabledDate: first,
		}
	})
	if err != nil {
		return nil, err
	}
	return &ListDelegatedAdministratorsOutput{DelegatedAdministrators: p.items, NextToken: p.next}, nil
}

func (s *org) listDelegatedServices(c *api.Call, in *ListDelegatedServicesForAccountInput) (*ListDelegatedServicesForAccountOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	m, err := o.Member(in.AccountId)
	if err != nil {
		return nil, fail(err)
	}
	if len(m.Delegated) == 0 {
		return nil, awserr.AccountNotRegisteredException
	}
	from := func(last string) iter.Seq[orgs.ServiceAccess] { return after(m.Delegated, last, principalOf) }
	p, err := paginate(in.NextToken, in.MaxResults, from, principalOf, func(a orgs.ServiceAccess) DelegatedService {
		return DelegatedService{ServicePrincipal: new(a.Principal), DelegationEnabledDate: a.Since}
	})
	if err != nil {
		return nil, err
	}
	return &ListDelegatedServicesForAccountOutput{DelegatedServices: p.items, NextToken: p.next}, nil
}
