// SPDX-License-Identifier: Apache-2.0

package delegapi

import "github.com/innkeeper-iam/innkeeper/internal/api"

// ops is the index of the package, sorted by name.
func (s *service) ops() []api.Op {
	return []api.Op{
		api.Void("iam:AcceptDelegationRequest", decodeAcceptDelegationRequestInput, s.acceptTarget, s.acceptDelegationRequest),
		api.Void("iam:AssociateDelegationRequest", decodeAssociateDelegationRequestInput, s.associateTarget, s.associateDelegationRequest),
		api.Write("iam:CreateDelegationRequest", decodeCreateDelegationRequestInput, createTarget, s.createDelegationRequest),
		api.Read("iam:GetDelegationRequest", decodeGetDelegationRequestInput, s.getTarget, s.getDelegationRequest),
		api.Read("iam:GetHumanReadableSummary", decodeGetHumanReadableSummaryInput, s.summaryTarget, s.getHumanReadableSummary),
		api.Read("iam:ListDelegationRequests", decodeListDelegationRequestsInput, listTarget, s.listDelegationRequests),
		api.Void("iam:RejectDelegationRequest", decodeRejectDelegationRequestInput, s.rejectTarget, s.rejectDelegationRequest),
		api.Void("iam:SendDelegationToken", decodeSendDelegationTokenInput, s.sendTarget, s.sendDelegationToken),
		api.Void("iam:UpdateDelegationRequest", decodeUpdateDelegationRequestInput, s.updateTarget, s.updateDelegationRequest),
	}
}
