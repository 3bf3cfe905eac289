// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// Transfers of responsibility hand the bills of one organization to another.
// There are no bills here, so there is never one, and none can be begun.

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

func (s *org) listInboundTransfers(c *api.Call, _ *ListInboundResponsibilityTransfersInput) (*ListInboundResponsibilityTransfersOutput, error) {
	if _, err := s.enter(c, only); err != nil {
		return nil, err
	}
	return &ListInboundResponsibilityTransfersOutput{ResponsibilityTransfers: []ResponsibilityTransfer{}}, nil
}

func (s *org) listOutboundTransfers(c *api.Call, _ *ListOutboundResponsibilityTransfersInput) (*ListOutboundResponsibilityTransfersOutput, error) {
	if _, err := s.enter(c, only); err != nil {
		return nil, err
	}
	return &ListOutboundResponsibilityTransfersOutput{ResponsibilityTransfers: []ResponsibilityTransfer{}}, nil
}

// Every policy is checked when it is written, so no effective policy is invalid.

func (s *org) listInvalidAccounts(c *api.Call, in *ListAccountsWithInvalidEffectivePolicyInput) (*ListAccountsWithInvalidEffectivePolicyOutput, error) {
	if _, err := s.enter(c, reader); err != nil {
		return nil, err
	}
	return &ListAccountsWithInvalidEffectivePolicyOutput{Accounts: []Account{}, PolicyType: &in.PolicyType}, nil
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
