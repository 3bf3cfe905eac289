// SPDX-License-Identifier: Apache-2.0

package stsapi

import "github.com/innkeeper-iam/innkeeper/internal/api"

// ops is the index of the service, sorted by name.
func (s *sts) ops() []api.Op {
	return []api.Op{
		api.Issue("sts:AssumeRole", decodeAssumeRoleInput, s.assumeRoleTarget, s.assumeRole),
		api.Exchange("sts:AssumeRoleWithSAML", decodeAssumeRoleWithSAMLInput, s.proveSAML, s.samlTarget, s.assumeRoleWithSAML),
		api.Exchange("sts:AssumeRoleWithWebIdentity", decodeAssumeRoleWithWebIdentityInput, s.proveWebIdentity, s.webIdentityTarget, s.assumeRoleWithWebIdentity),
		api.Issue("sts:AssumeRoot", decodeAssumeRootInput, s.assumeRootTarget, s.assumeRoot),
		api.Read("sts:DecodeAuthorizationMessage", decodeDecodeAuthorizationMessageInput, whole, s.decodeAuthorizationMessage),
		api.Read("sts:GetAccessKeyInfo", decodeGetAccessKeyInfoInput, whole, s.getAccessKeyInfo),
		api.Read("sts:GetCallerIdentity", decodeGetCallerIdentityInput, whole, s.getCallerIdentity),
		api.Issue("sts:GetDelegatedAccessToken", decodeGetDelegatedAccessTokenInput, whole, s.getDelegatedAccessToken),
		api.Issue("sts:GetFederationToken", decodeGetFederationTokenInput, getFederationTokenTarget, s.getFederationToken),
		api.Issue("sts:GetSessionToken", decodeGetSessionTokenInput, s.getSessionTokenTarget, s.getSessionToken),
		api.Issue("sts:GetWebIdentityToken", decodeGetWebIdentityTokenInput, s.getWebIdentityTokenTarget, s.getWebIdentityToken),
	}
}
