// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
)

// Transfers of responsibility hand the bills of one organization to another.
// There are no bills here, so there is never one, and none can be begun. The
// operations on one ask for "*": whether it came or went is part of its ARN.

// transfer adds what kind of transfers an operation is about, and whether they
// come to the organization or go from it.
func transfer(list []authz.Check, kind, direction string) []authz.Check {
	return withKey(withKey(list, "organizations:TransferType", kind), "organizations:TransferDirection", direction)
}

// inviteToTransferTarget: who invites will have the responsibility.
func (s *org) inviteToTransferTarget(c *api.Call, in *InviteOrganizationToTransferResponsibilityInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, func(o *orgs.Org) []authz.Check { return invitee(o, in.Target) })
	return withTags(transfer(list, in.Type, inbound), in.Tags), err
}

func (s *org) inviteToTransfer(c *api.Call, _ *InviteOrganizationToTransferResponsibilityInput) (*InviteOrganizationToTransferResponsibilityOutput, error) {
	if _, err := s.enter(c, only); err != nil {
		return nil, err
	}
	return nil, awserr.UnsupportedAPIEndpointException
}

func (s *org) describeTransfer(c *api.Call, _ *DescribeResponsibilityTransferInput) (*DescribeResponsibilityTransferOutput, error) {
	return nil, s.noTransfer(c)
}

func (s *org) updateTransfer(c *api.Call, _ *UpdateResponsibilityTransferInput) (*UpdateResponsibilityTransferOutput, error) {
	return nil, s.noTransfer(c)
}

func (s *org) terminateTransfer(c *api.Call, _ *TerminateResponsibilityTransferInput) (*TerminateResponsibilityTransferOutput, error) {
	return nil, s.noTransfer(c)
}

func (s *org) noTransfer(c *api.Call) error {
	if _, err := s.enter(c, only); err != nil {
		return err
	}
	return awserr.ResponsibilityTransferNotFoundException
}

// The directions of transfers, as conditions have them.
const (
	inbound  = "INBOUND"
	outbound = "OUTBOUND"
)

func (s *org) listInboundTransfersTarget(c *api.Call, in *ListInboundResponsibilityTransfersInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, everything)
	return transfer(list, in.Type, inbound), err
}

func (s *org) listInboundTransfers(c *api.Call, _ *ListInboundResponsibilityTransfersInput) (*ListInboundResponsibilityTransfersOutput, error) {
	if _, err := s.enter(c, only); err != nil {
		return nil, err
	}
	return &ListInboundResponsibilityTransfersOutput{ResponsibilityTransfers: []ResponsibilityTransfer{}}, nil
}

func (s *org) listOutboundTransfersTarget(c *api.Call, in *ListOutboundResponsibilityTransfersInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, everything)
	return transfer(list, in.Type, outbound), err
}

func (s *org) listOutboundTransfers(c *api.Call, _ *ListOutboundResponsibilityTransfersInput) (*ListOutboundResponsibilityTransfersOutput, error) {
	if _, err := s.enter(c, only); err != nil {
		return nil, err
	}
	return &ListOutboundResponsibilityTransfersOutput{ResponsibilityTransfers: []ResponsibilityTransfer{}}, nil
}

// Every policy is checked when it is written, so no effective policy is invalid.

func (s *org) listInvalidAccountsTarget(c *api.Call, in *ListAccountsWithInvalidEffectivePolicyInput) ([]authz.Check, error) {
	list, err := s.checks(c, reader, everything)
	return withKey(list, "organizations:PolicyType", in.PolicyType), err
}

func (s *org) listInvalidAccounts(c *api.Call, in *ListAccountsWithInvalidEffectivePolicyInput) (*ListAccountsWithInvalidEffectivePolicyOutput, error) {
	if _, err := s.enter(c, reader); err != nil {
		return nil, err
	}
	return &ListAccountsWithInvalidEffectivePolicyOutput{Accounts: []Account{}, PolicyType: &in.PolicyType}, nil
}

func (s *org) listValidationErrorsTarget(c *api.Call, in *ListEffectivePolicyValidationErrorsInput) ([]authz.Check, error) {
	list, err := s.checks(c, reader, func(o *orgs.Org) []authz.Check { return resources(o, in.AccountId) })
	return withKey(list, "organizations:PolicyType", in.PolicyType), err
}

func (s *org) listValidationErrors(c *api.Call, in *ListEffectivePolicyValidationErrorsInput) (*ListEffectivePolicyValidationErrorsOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	m, err := o.Member(in.AccountId)
	if err != nil {
		return nil, fail(err)
	}
	return &ListEffectivePolicyValidationErrorsOutput{
		AccountId: &in.AccountId, PolicyType: &in.PolicyType, Path: new(pathOf(o, m.Parent, m.ID)), EvaluationTimestamp: s.stamp(),
		EffectivePolicyValidationErrors: []EffectivePolicyValidationError{},
	}, nil
}
