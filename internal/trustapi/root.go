// SPDX-License-Identifier: Apache-2.0

package trustapi

import (
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
)

// Central root access: an organization keeps which of its two features are on. The
// management account switches them on, an administrator of IAM sees them and
// switches them off as well, while IAM is trusted in the organization (IAM User
// Guide, "Centralize root access for member accounts"). When IAM is trusted no
// longer nobody can use them; when it is again, they are as they were. Texts as
// AWS sends them.

// organization returns the organization of the caller's account if that may see
// and change its features.
func (s *service) organization(c *api.Call) (*orgs.Org, error) {
	m, err := orgs.Find(c.Context(), s.store, c.View)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, noOrganization()
	}
	if err := usable(m.Org, string(c.Account)); err != nil {
		return nil, err
	}
	return m.Org, nil
}

func noOrganization() *awserr.Error {
	return awserr.OrganizationNotFoundException.Msg("The request was rejected because no organization is associated with your account.")
}

// usable returns why an account may not see and change an organization's features.
func usable(o *orgs.Org, account string) error {
	switch {
	case !o.Administers(account, orgs.ServiceIAM):
		return awserr.AccountNotManagementOrDelegatedAdministratorException.Msg("Input account %s is neither management account nor delegated admin.", account)
	case o.Record().Features != orgs.FeaturesAll:
		return awserr.OrganizationNotInAllFeaturesModeException.Msg("The request was rejected because your organization does not have All features enabled.")
	case !o.Record().Trusts(orgs.ServiceIAM):
		return awserr.ServiceAccessNotEnabledException.Msg("Trusted Access for IAM not enabled by organization of input account %s.", account)
	}
	return nil
}

// features are what is on, in the order in which AWS names them. It is never nil.
func features(o *orgs.Organization) []string {
	on := []string{}
	if o.RootSessions {
		on = append(on, FeatureTypeRootSessions)
	}
	if o.RootCredentials {
		on = append(on, FeatureTypeRootCredentialsManagement)
	}
	return on
}

func (s *service) listFeatures(c *api.Call, _ *ListOrganizationsFeaturesInput) (*ListOrganizationsFeaturesOutput, error) {
	o, err := s.organization(c)
	if err != nil {
		return nil, err
	}
	return &ListOrganizationsFeaturesOutput{OrganizationId: &o.Record().ID, EnabledFeatures: features(o.Record())}, nil
}

// set changes the features of the caller's organization and returns it as it is
// then. Setting what is set is no error.
func (s *service) set(c *api.Call, enable bool, change func(*orgs.Organization)) (*orgs.Organization, error) {
	o, err := s.organization(c)
	if err != nil {
		return nil, err
	}
	account := string(c.Account)
	if enable && account != o.Management() {
		return nil, awserr.CallerIsNotManagementAccountException.Msg("Caller account %s is not management account of the organization and cannot enable IAM features.", account)
	}
	var now *orgs.Organization
	err = s.orgs.Update(c.Context(), o.Management(), func(tx *orgs.Tx) error {
		var err error
		if now, err = tx.Organization(); err != nil {
			return noOrganization().Because(err) // it was deleted meanwhile
		}
		if err := usable(tx.Found(), account); err != nil {
			return err
		}
		change(now)
		return tx.PutOrganization(now)
	})
	return now, err
}

func (s *service) enableRootCredentials(c *api.Call, _ *EnableOrganizationsRootCredentialsManagementInput) (*EnableOrganizationsRootCredentialsManagementOutput, error) {
	o, err := s.set(c, true, func(o *orgs.Organization) { o.RootCredentials = true })
	if err != nil {
		return nil, err
	}
	return &EnableOrganizationsRootCredentialsManagementOutput{OrganizationId: &o.ID, EnabledFeatures: features(o)}, nil
}

func (s *service) disableRootCredentials(c *api.Call, _ *DisableOrganizationsRootCredentialsManagementInput) (*DisableOrganizationsRootCredentialsManagementOutput, error) {
	o, err := s.set(c, false, func(o *orgs.Organization) { o.RootCredentials = false })
	if err != nil {
		return nil, err
	}
	return &DisableOrganizationsRootCredentialsManagementOutput{OrganizationId: &o.ID, EnabledFeatures: features(o)}, nil
}

func (s *service) enableRootSessions(c *api.Call, _ *EnableOrganizationsRootSessionsInput) (*EnableOrganizationsRootSessionsOutput, error) {
	o, err := s.set(c, true, func(o *orgs.Organization) { o.RootSessions = true })
	if err != nil {
		return nil, err
	}
	return &EnableOrganizationsRootSessionsOutput{OrganizationId: &o.ID, EnabledFeatures: features(o)}, nil
}

func (s *service) disableRootSessions(c *api.Call, _ *DisableOrganizationsRootSessionsInput) (*DisableOrganizationsRootSessionsOutput, error) {
	o, err := s.set(c, false, func(o *orgs.Organization) { o.RootSessions = false })
	if err != nil {
		return nil, err
	}
	return &DisableOrganizationsRootSessionsOutput{OrganizationId: &o.ID, EnabledFeatures: features(o)}, nil
}
