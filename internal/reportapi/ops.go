// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
)

// ops is the index of the package, sorted by name.
func (s *Reports) ops() []api.Op {
	return []api.Op{
		api.Write("iam:GenerateCredentialReport", decodeGenerateCredentialReportInput, iamop.Whole, s.generateCredentialReport),
		api.Write("iam:GenerateOrganizationsAccessReport", decodeGenerateOrganizationsAccessReportInput, generateOrganizationsAccessReportTarget, s.generateOrganizationsAccessReport),
		api.Write("iam:GenerateServiceLastAccessedDetails", decodeGenerateServiceLastAccessedDetailsInput, generateServiceLastAccessedDetailsTarget, s.generateServiceLastAccessedDetails),
		api.Read("iam:GetCredentialReport", decodeGetCredentialReportInput, iamop.Whole, s.getCredentialReport),
		api.Read("iam:GetOrganizationsAccessReport", decodeGetOrganizationsAccessReportInput, iamop.Whole, s.getOrganizationsAccessReport),
		api.Read("iam:GetServiceLastAccessedDetails", decodeGetServiceLastAccessedDetailsInput, iamop.Whole, s.getServiceLastAccessedDetails),
		api.Read("iam:GetServiceLastAccessedDetailsWithEntities", decodeGetServiceLastAccessedDetailsWithEntitiesInput, iamop.Whole, s.getServiceLastAccessedDetailsWithEntities),
		api.Read("iam:ListPoliciesGrantingServiceAccess", decodeListPoliciesGrantingServiceAccessInput, listPoliciesGrantingServiceAccessTarget, listPoliciesGrantingServiceAccess),
	}
}
