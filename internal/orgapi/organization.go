// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

func (s *org) createOrganization(c *api.Call, in *CreateOrganizationInput) (*CreateOrganizationOutput, error) {
	if c.Membership != nil {
		return nil, awserr.AlreadyInOrganizationException
	}
	err := fail(s.orgs.Update(c.Context(), string(c.Account), func(tx *orgs.Tx) error {
		return tx.CreateOrganization(&orgs.Organization{Features: wire.Value(in.FeatureSet, orgs.FeaturesAll)})
	}))
	if err != nil {
		return nil, err
	}
	o, err := s.latest(c.Context(), string(c.Account))
	if err != nil {
		return nil, err
	}
	if o == nil { // deleted meanwhile
		return nil, awserr.ConcurrentModificationException
	}
	return &CreateOrganizationOutput{Organization: showOrganization(o)}, nil
}

func (s *org) describeOrganization(c *api.Call, _ *DescribeOrganizationInput) (*DescribeOrganizationOutput, error) {
	o, err := s.enter(c, member)
	if err != nil {
		return nil, err
	}
	return &DescribeOrganizationOutput{Organization: showOrganization(o)}, nil
}

func (s *org) deleteOrganization(c *api.Call, _ *DeleteOrganizationInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	for done := false; !done; {
		err := s.update(c, func(tx *orgs.Tx) (err error) {
			done, err = tx.DeleteOrganization()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *org) listRoots(c *api.Call, in *ListRootsInput) (*ListRootsOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	if _, err := openToken(in.NextToken); err != nil {
		return nil, err
	}
	return &ListRootsOutput{Roots: []Root{showRoot(o, o.Record())}}, nil
}

// serviceTarget is the target of an operation about an AWS service.
func (s *org) serviceTarget(c *api.Call, l level, principal string) ([]authz.Check, error) {
	list, err := s.checks(c, l, everything)
	return withKey(list, "organizations:ServicePrincipal", principal), err
}

func (s *org) enableAWSServiceAccessTarget(c *api.Call, in *EnableAWSServiceAccessInput) ([]authz.Check, error) {
	return s.serviceTarget(c, only, in.ServicePrincipal)
}

func (s *org) enableAWSServiceAccess(c *api.Call, in *EnableAWSServiceAccessInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	if err := servicePrincipal(in.ServicePrincipal); err != nil {
		return err
	}
	return s.changeOrganization(c, func(o *orgs.Organization) error {
		if o.Features != orgs.FeaturesAll {
			return notAllFeatures()
		}
		o.Services = s.withService(o.Services, in.ServicePrincipal)
		return nil
	})
}

func (s *org) disableAWSServiceAccessTarget(c *api.Call, in *DisableAWSServiceAccessInput) ([]authz.Check, error) {
	return s.serviceTarget(c, only, in.ServicePrincipal)
}

func (s *org) disableAWSServiceAccess(c *api.Call, in *DisableAWSServiceAccessInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	if err := servicePrincipal(in.ServicePrincipal); err != nil {
		return err
	}
	return s.update(c, func(tx *orgs.Tx) error {
		o, err := tx.Organization()
		if err != nil {
			return err
		}
		for m := range tx.Found().Members("") {
			if delegates(m, in.ServicePrincipal) {
				return constraint(ConstraintViolationExceptionReasonDelegatedAdministratorExistsForThisService,
					"You have delegated administrator/s for this service. De-register them in order to disable service access.")
			}
		}
		o.Services = withoutService(o.Services, in.ServicePrincipal)
		return tx.PutOrganization(o)
	})
}

func (s *org) listAWSServiceAccess(c *api.Call, in *ListAWSServiceAccessForOrganizationInput) (*ListAWSServiceAccessForOrganizationOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	from := func(last string) iter.Seq[orgs.ServiceAccess] { return after(o.Record().Services, last, principalOf) }
	p, err := paginate(in.NextToken, in.MaxResults, from, principalOf, func(a orgs.ServiceAccess) EnabledServicePrincipal {
		return EnabledServicePrincipal{ServicePrincipal: new(a.Principal), DateEnabled: a.Since}
	})
	if err != nil {
		return nil, err
	}
	return &ListAWSServiceAccessForOrganizationOutput{EnabledServicePrincipals: p.items, NextToken: p.next}, nil
}

// changeOrganization applies change, which may run more than once, to the
// organization's own record.
func (s *org) changeOrganization(c *api.Call, change func(*orgs.Organization) error) error {
	return s.update(c, func(tx *orgs.Tx) error {
		o, err := tx.Organization()
		if err != nil {
			return err
		}
		if err := change(o); err != nil {
			return err
		}
		return tx.PutOrganization(o)
	})
}

func principalOf(a orgs.ServiceAccess) string { return a.Principal }

// servicePrincipal refuses what is no name of a service.
func servicePrincipal(name string) error {
	if !strings.HasSuffix(name, ".amazonaws.com") && !strings.HasSuffix(name, ".amazon.com") {
		return badInput(InvalidInputExceptionReasonUnrecognizedServicePrincipal, "You specified an unrecognized service principal.")
	}
	return nil
}

// withService returns a copy of list with a service, in its place.
func (s *org) withService(list []orgs.ServiceAccess, principal string) []orgs.ServiceAccess {
	i, found := slices.BinarySearchFunc(list, principal, func(a orgs.ServiceAccess, p string) int { return strings.Compare(a.Principal, p) })
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), i, orgs.ServiceAccess{Principal: principal, Since: s.stamp()})
}

func withoutService(list []orgs.ServiceAccess, principal string) []orgs.ServiceAccess {
	return slices.DeleteFunc(slices.Clone(list), func(a orgs.ServiceAccess) bool { return a.Principal == principal })
}

func notAllFeatures() error {
	return constraint(ConstraintViolationExceptionReasonOrganizationNotInAllFeaturesMode,
		"This operation requires that all features are enabled in the organization.")
}
