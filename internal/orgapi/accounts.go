// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"errors"
	"iter"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func (s *org) listAccounts(c *api.Call, in *ListAccountsInput) (*ListAccountsOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	p, err := paginate(in.NextToken, in.MaxResults, o.Members, memberID, func(m *orgs.Member) Account { return showAccount(o, m) })
	if err != nil {
		return nil, err
	}
	return &ListAccountsOutput{Accounts: p.items, NextToken: p.next}, nil
}

func memberID(m *orgs.Member) string { return m.ID }

func (s *org) listAccountsForParent(c *api.Call, in *ListAccountsForParentInput) (*ListAccountsForParentOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	if !o.Holds(in.ParentId) {
		return nil, awserr.ParentNotFoundException
	}
	from := func(after string) iter.Seq[string] { return o.Children(in.ParentId, true, after) }
	p, err := paginate(in.NextToken, in.MaxResults, from, itself, func(id string) Account {
		m, err := o.Member(id)
		if err != nil { // cannot be: the list is made of the accounts
			return Account{}
		}
		return showAccount(o, m)
	})
	if err != nil {
		return nil, err
	}
	return &ListAccountsForParentOutput{Accounts: p.items, NextToken: p.next}, nil
}

func (s *org) describeAccount(c *api.Call, in *DescribeAccountInput) (*DescribeAccountOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	m, err := o.Member(in.AccountId)
	if err != nil {
		return nil, fail(err)
	}
	return &DescribeAccountOutput{Account: new(showAccount(o, m))}, nil
}

func (s *org) moveAccount(c *api.Call, in *MoveAccountInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	err := s.orgs.Update(c.Context(), c.Membership.Org.Management(), func(tx *orgs.Tx) error {
		return tx.MoveMember(in.AccountId, in.SourceParentId, in.DestinationParentId)
	})
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == store.KindParent {
		return awserr.DestinationParentNotFoundException.Because(err)
	}
	return fail(err)
}

// closeAccount closes an account for good: in AWS, too, nobody can use it from
// now on, and it stays in the organization for 90 days. The organization knows
// first that it is closing, so that a request that was interrupted can be made
// again.
func (s *org) closeAccount(c *api.Call, in *CloseAccountInput) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	state := func(state string) error {
		return s.update(c, func(tx *orgs.Tx) error {
			m, err := tx.Member(in.AccountId)
			switch {
			case err != nil:
				return err
			case in.AccountId == string(c.Account):
				return constraint(ConstraintViolationExceptionReasonCannotCloseManagementAccount, "You cannot close the management account.")
			case m.State == orgs.MemberClosed:
				return awserr.AccountAlreadyClosedException
			case len(m.Delegated) > 0:
				return constraint(ConstraintViolationExceptionReasonCannotRemoveDelegatedAdministratorFromOrg,
					"The account is a delegated administrator: deregister it before you close it.")
			}
			m.State = state
			return tx.PutMember(m)
		})
	}
	if err := state(orgs.MemberClosing); err != nil {
		return err
	}
	err := s.store.Update(c.Context(), in.AccountId, func(tx *store.Tx) error {
		if tx.Account().Organization == c.Membership.Org.Management() {
			tx.Close()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return state(orgs.MemberClosed)
}

func (s *org) removeAccount(c *api.Call, in *RemoveAccountFromOrganizationInput) error {
	o, err := s.enter(c, only)
	if err != nil {
		return err
	}
	if in.AccountId == string(c.Account) {
		return awserr.MasterCannotLeaveOrganizationException
	}
	return s.leave(c, o, in.AccountId)
}

// leaveTarget is the target of an operation on the caller's own account.
func (s *org) leaveTarget(c *api.Call, _ *LeaveOrganizationInput) ([]authz.Check, error) {
	return s.checks(c, member, everything)
}

// leaveOrganization also clears a pointer to an organization that does not list
// the account, which a join that was interrupted leaves behind.
func (s *org) leaveOrganization(c *api.Call, _ *LeaveOrganizationInput) error {
	if c.Membership == nil && c.View.Account().Organization != "" {
		management := c.View.Account().Organization
		return s.store.Update(c.Context(), string(c.Account), func(tx *store.Tx) error {
			tx.Leave(management)
			return nil
		})
	}
	o, err := s.enter(c, member)
	if err != nil {
		return err
	}
	if c.Membership.Management {
		return awserr.MasterCannotLeaveOrganizationException
	}
	return s.leave(c, o, string(c.Account))
}

// leave ends the membership of an account.
func (s *org) leave(c *api.Call, o *orgs.Org, account string) error {
	err := s.update(c, func(tx *orgs.Tx) error {
		m, err := tx.Member(account)
		switch {
		case err != nil:
			return err
		case len(m.Delegated) > 0:
			return constraint(ConstraintViolationExceptionReasonCannotRemoveDelegatedAdministratorFromOrg,
				"The account is a delegated administrator: deregister it before you remove it.")
		case pending(tx.Found(), account):
			return constraint(ConstraintViolationExceptionReasonAccountCreationNotComplete, "The creation of the account is not complete. Try again later.")
		case m.State != orgs.MemberActive:
			return constraint(ConstraintViolationExceptionReasonAccountCannotLeaveOrganization, "You cannot remove an account that is closed.")
		}
		return tx.DeleteMember(account)
	})
	if err != nil {
		return err
	}
	return s.store.Update(c.Context(), account, func(tx *store.Tx) error {
		tx.Leave(o.Management())
		return nil
	})
}

// pending reports whether an account is still being created.
func pending(o *orgs.Org, account string) bool {
	for r := range o.Requests("") {
		if r.Account == account && r.State == orgs.RequestPending {
			return true
		}
	}
	return false
}
