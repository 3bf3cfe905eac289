// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
)

// ops is the index of the service, sorted by name.
func (s *iam) ops() []api.Op {
	return slices.Concat(s.opsToC(), s.opsFromD(), s.opsFromE(), s.opsFromL(), s.opsFromP(), s.opsFromU())
}

func (s *iam) opsToC() []api.Op {
	return []api.Op{
		api.Void("iam:AddClientIDToOpenIDConnectProvider", decodeAddClientIDToOpenIDConnectProviderInput, addClientIDToOpenIDConnectProviderTarget, s.addClientIDToOpenIDConnectProvider),
		api.Void("iam:AddRoleToInstanceProfile", decodeAddRoleToInstanceProfileInput, addRoleToInstanceProfileTarget, s.addRoleToInstanceProfile),
		api.Void("iam:AddUserToGroup", decodeAddUserToGroupInput, addUserToGroupTarget, s.addUserToGroup),
		api.Void("iam:AttachGroupPolicy", decodeAttachGroupPolicyInput, attachGroupPolicyTarget, s.attachGroupPolicy),
		api.Void("iam:AttachRolePolicy", decodeAttachRolePolicyInput, attachRolePolicyTarget, s.attachRolePolicy),
		api.Void("iam:AttachUserPolicy", decodeAttachUserPolicyInput, attachUserPolicyTarget, s.attachUserPolicy),
		api.Void("iam:CreateAccountAlias", decodeCreateAccountAliasInput, iamop.Whole, s.createAccountAlias),
		api.Write("iam:CreateGroup", decodeCreateGroupInput, createGroupTarget, s.createGroup),
		api.Write("iam:CreateInstanceProfile", decodeCreateInstanceProfileInput, createInstanceProfileTarget, s.createInstanceProfile),
		api.Write("iam:CreateOpenIDConnectProvider", decodeCreateOpenIDConnectProviderInput, createOpenIDConnectProviderTarget, s.createOpenIDConnectProvider),
		api.Write("iam:CreatePolicy", decodeCreatePolicyInput, createPolicyTarget, s.createPolicy),
		api.Write("iam:CreatePolicyVersion", decodeCreatePolicyVersionInput, createPolicyVersionTarget, s.createPolicyVersion),
		api.Write("iam:CreateRole", decodeCreateRoleInput, createRoleTarget, s.createRole),
		api.Write("iam:CreateSAMLProvider", decodeCreateSAMLProviderInput, createSAMLProviderTarget, s.createSAMLProvider),
		api.Write("iam:CreateServiceLinkedRole", decodeCreateServiceLinkedRoleInput, createServiceLinkedRoleTarget, s.createServiceLinkedRole),
		api.Write("iam:CreateUser", decodeCreateUserInput, createUserTarget, s.createUser),
	}
}

func (s *iam) opsFromD() []api.Op {
	return []api.Op{
		api.Void("iam:DeleteAccountAlias", decodeDeleteAccountAliasInput, iamop.Whole, s.deleteAccountAlias),
		api.Void("iam:DeleteGroup", decodeDeleteGroupInput, deleteGroupTarget, s.deleteGroup),
		api.Void("iam:DeleteGroupPolicy", decodeDeleteGroupPolicyInput, deleteGroupPolicyTarget, s.deleteGroupPolicy),
		api.Void("iam:DeleteInstanceProfile", decodeDeleteInstanceProfileInput, deleteInstanceProfileTarget, s.deleteInstanceProfile),
		api.Void("iam:DeleteOpenIDConnectProvider", decodeDeleteOpenIDConnectProviderInput, deleteOpenIDConnectProviderTarget, s.deleteOpenIDConnectProvider),
		api.Void("iam:DeletePolicy", decodeDeletePolicyInput, deletePolicyTarget, s.deletePolicy),
		api.Void("iam:DeletePolicyVersion", decodeDeletePolicyVersionInput, deletePolicyVersionTarget, s.deletePolicyVersion),
		api.Void("iam:DeleteRole", decodeDeleteRoleInput, deleteRoleTarget, s.deleteRole),
		api.Void("iam:DeleteRolePermissionsBoundary", decodeDeleteRolePermissionsBoundaryInput, deleteRolePermissionsBoundaryTarget, s.deleteRolePermissionsBoundary),
		api.Void("iam:DeleteRolePolicy", decodeDeleteRolePolicyInput, deleteRolePolicyTarget, s.deleteRolePolicy),
		api.Void("iam:DeleteSAMLProvider", decodeDeleteSAMLProviderInput, deleteSAMLProviderTarget, s.deleteSAMLProvider),
		api.Write("iam:DeleteServiceLinkedRole", decodeDeleteServiceLinkedRoleInput, deleteServiceLinkedRoleTarget, s.deleteServiceLinkedRole),
		api.Void("iam:DeleteUser", decodeDeleteUserInput, deleteUserTarget, s.deleteUser),
		api.Void("iam:DeleteUserPermissionsBoundary", decodeDeleteUserPermissionsBoundaryInput, deleteUserPermissionsBoundaryTarget, s.deleteUserPermissionsBoundary),
		api.Void("iam:DeleteUserPolicy", decodeDeleteUserPolicyInput, deleteUserPolicyTarget, s.deleteUserPolicy),
		api.Void("iam:DetachGroupPolicy", decodeDetachGroupPolicyInput, detachGroupPolicyTarget, s.detachGroupPolicy),
		api.Void("iam:DetachRolePolicy", decodeDetachRolePolicyInput, detachRolePolicyTarget, s.detachRolePolicy),
		api.Void("iam:DetachUserPolicy", decodeDetachUserPolicyInput, detachUserPolicyTarget, s.detachUserPolicy),
	}
}

func (s *iam) opsFromE() []api.Op {
	return []api.Op{
		api.Read("iam:GetAccountAuthorizationDetails", decodeGetAccountAuthorizationDetailsInput, iamop.Whole, s.getAccountAuthorizationDetails),
		api.Read("iam:GetAccountSummary", decodeGetAccountSummaryInput, iamop.Whole, s.getAccountSummary),
		api.Read("iam:GetContextKeysForCustomPolicy", decodeGetContextKeysForCustomPolicyInput, iamop.Whole, s.getContextKeysForCustomPolicy),
		api.Read("iam:GetContextKeysForPrincipalPolicy", decodeGetContextKeysForPrincipalPolicyInput, getContextKeysForPrincipalPolicyTarget, s.getContextKeysForPrincipalPolicy),
		api.Read("iam:GetGroup", decodeGetGroupInput, getGroupTarget, s.getGroup),
		api.Read("iam:GetGroupPolicy", decodeGetGroupPolicyInput, getGroupPolicyTarget, s.getGroupPolicy),
		api.Read("iam:GetInstanceProfile", decodeGetInstanceProfileInput, getInstanceProfileTarget, s.getInstanceProfile),
		api.Read("iam:GetOpenIDConnectProvider", decodeGetOpenIDConnectProviderInput, getOpenIDConnectProviderTarget, s.getOpenIDConnectProvider),
		api.Read("iam:GetPolicy", decodeGetPolicyInput, getPolicyTarget, s.getPolicy),
		api.Read("iam:GetPolicyVersion", decodeGetPolicyVersionInput, getPolicyVersionTarget, s.getPolicyVersion),
		api.Read("iam:GetRole", decodeGetRoleInput, getRoleTarget, s.getRole),
		api.Read("iam:GetRolePolicy", decodeGetRolePolicyInput, getRolePolicyTarget, s.getRolePolicy),
		api.Read("iam:GetSAMLProvider", decodeGetSAMLProviderInput, getSAMLProviderTarget, s.getSAMLProvider),
		api.Read("iam:GetServiceLinkedRoleDeletionStatus", decodeGetServiceLinkedRoleDeletionStatusInput, getServiceLinkedRoleDeletionStatusTarget, s.getServiceLinkedRoleDeletionStatus),
		api.Read("iam:GetUser", decodeGetUserInput, getUserTarget, s.getUser),
		api.Read("iam:GetUserPolicy", decodeGetUserPolicyInput, getUserPolicyTarget, s.getUserPolicy),
	}
}

func (s *iam) opsFromL() []api.Op {
	return []api.Op{
		api.Read("iam:ListAccountAliases", decodeListAccountAliasesInput, iamop.Whole, s.listAccountAliases),
		api.Read("iam:ListAttachedGroupPolicies", decodeListAttachedGroupPoliciesInput, listAttachedGroupPoliciesTarget, s.listAttachedGroupPolicies),
		api.Read("iam:ListAttachedRolePolicies", decodeListAttachedRolePoliciesInput, listAttachedRolePoliciesTarget, s.listAttachedRolePolicies),
		api.Read("iam:ListAttachedUserPolicies", decodeListAttachedUserPoliciesInput, listAttachedUserPoliciesTarget, s.listAttachedUserPolicies),
		api.Read("iam:ListEntitiesForPolicy", decodeListEntitiesForPolicyInput, listEntitiesForPolicyTarget, s.listEntitiesForPolicy),
		api.Read("iam:ListGroupPolicies", decodeListGroupPoliciesInput, listGroupPoliciesTarget, s.listGroupPolicies),
		api.Read("iam:ListGroups", decodeListGroupsInput, listGroupsTarget, s.listGroups),
		api.Read("iam:ListGroupsForUser", decodeListGroupsForUserInput, listGroupsForUserTarget, s.listGroupsForUser),
		api.Read("iam:ListInstanceProfileTags", decodeListInstanceProfileTagsInput, listInstanceProfileTagsTarget, s.listInstanceProfileTags),
		api.Read("iam:ListInstanceProfiles", decodeListInstanceProfilesInput, listInstanceProfilesTarget, s.listInstanceProfiles),
		api.Read("iam:ListInstanceProfilesForRole", decodeListInstanceProfilesForRoleInput, listInstanceProfilesForRoleTarget, s.listInstanceProfilesForRole),
		api.Read("iam:ListOpenIDConnectProviderTags", decodeListOpenIDConnectProviderTagsInput, listOpenIDConnectProviderTagsTarget, s.listOpenIDConnectProviderTags),
		api.Read("iam:ListOpenIDConnectProviders", decodeListOpenIDConnectProvidersInput, listOpenIDConnectProvidersTarget, s.listOpenIDConnectProviders),
		api.Read("iam:ListPolicies", decodeListPoliciesInput, listPoliciesTarget, s.listPolicies),
		api.Read("iam:ListPolicyTags", decodeListPolicyTagsInput, listPolicyTagsTarget, s.listPolicyTags),
		api.Read("iam:ListPolicyVersions", decodeListPolicyVersionsInput, listPolicyVersionsTarget, s.listPolicyVersions),
		api.Read("iam:ListRolePolicies", decodeListRolePoliciesInput, listRolePoliciesTarget, s.listRolePolicies),
		api.Read("iam:ListRoleTags", decodeListRoleTagsInput, listRoleTagsTarget, s.listRoleTags),
		api.Read("iam:ListRoles", decodeListRolesInput, listRolesTarget, s.listRoles),
		api.Read("iam:ListSAMLProviderTags", decodeListSAMLProviderTagsInput, listSAMLProviderTagsTarget, s.listSAMLProviderTags),
		api.Read("iam:ListSAMLProviders", decodeListSAMLProvidersInput, listSAMLProvidersTarget, s.listSAMLProviders),
		api.Read("iam:ListUserPolicies", decodeListUserPoliciesInput, listUserPoliciesTarget, s.listUserPolicies),
		api.Read("iam:ListUserTags", decodeListUserTagsInput, listUserTagsTarget, s.listUserTags),
		api.Read("iam:ListUsers", decodeListUsersInput, listUsersTarget, s.listUsers),
	}
}

func (s *iam) opsFromP() []api.Op {
	return []api.Op{
		api.Void("iam:PutGroupPolicy", decodePutGroupPolicyInput, putGroupPolicyTarget, s.putGroupPolicy),
		api.Void("iam:PutRolePermissionsBoundary", decodePutRolePermissionsBoundaryInput, putRolePermissionsBoundaryTarget, s.putRolePermissionsBoundary),
		api.Void("iam:PutRolePolicy", decodePutRolePolicyInput, putRolePolicyTarget, s.putRolePolicy),
		api.Void("iam:PutUserPermissionsBoundary", decodePutUserPermissionsBoundaryInput, putUserPermissionsBoundaryTarget, s.putUserPermissionsBoundary),
		api.Void("iam:PutUserPolicy", decodePutUserPolicyInput, putUserPolicyTarget, s.putUserPolicy),
		api.Void("iam:RemoveClientIDFromOpenIDConnectProvider", decodeRemoveClientIDFromOpenIDConnectProviderInput, removeClientIDFromOpenIDConnectProviderTarget, s.removeClientIDFromOpenIDConnectProvider),
		api.Void("iam:RemoveRoleFromInstanceProfile", decodeRemoveRoleFromInstanceProfileInput, removeRoleFromInstanceProfileTarget, s.removeRoleFromInstanceProfile),
		api.Void("iam:RemoveUserFromGroup", decodeRemoveUserFromGroupInput, removeUserFromGroupTarget, s.removeUserFromGroup),
		api.Void("iam:SetDefaultPolicyVersion", decodeSetDefaultPolicyVersionInput, setDefaultPolicyVersionTarget, s.setDefaultPolicyVersion),
		api.Void("iam:SetSecurityTokenServicePreferences", decodeSetSecurityTokenServicePreferencesInput, iamop.Whole, s.setSecurityTokenServicePreferences),
		api.Read("iam:SimulateCustomPolicy", decodeSimulateCustomPolicyInput, iamop.Whole, s.simulateCustomPolicy),
		api.Read("iam:SimulatePrincipalPolicy", decodeSimulatePrincipalPolicyInput, simulatePrincipalPolicyTarget, s.simulatePrincipalPolicy),
		api.Void("iam:TagInstanceProfile", decodeTagInstanceProfileInput, tagInstanceProfileTarget, s.tagInstanceProfile),
		api.Void("iam:TagOpenIDConnectProvider", decodeTagOpenIDConnectProviderInput, tagOpenIDConnectProviderTarget, s.tagOpenIDConnectProvider),
		api.Void("iam:TagPolicy", decodeTagPolicyInput, tagPolicyTarget, s.tagPolicy),
		api.Void("iam:TagRole", decodeTagRoleInput, tagRoleTarget, s.tagRole),
		api.Void("iam:TagSAMLProvider", decodeTagSAMLProviderInput, tagSAMLProviderTarget, s.tagSAMLProvider),
		api.Void("iam:TagUser", decodeTagUserInput, tagUserTarget, s.tagUser),
	}
}

func (s *iam) opsFromU() []api.Op {
	return []api.Op{
		api.Void("iam:UntagInstanceProfile", decodeUntagInstanceProfileInput, untagInstanceProfileTarget, s.untagInstanceProfile),
		api.Void("iam:UntagOpenIDConnectProvider", decodeUntagOpenIDConnectProviderInput, untagOpenIDConnectProviderTarget, s.untagOpenIDConnectProvider),
		api.Void("iam:UntagPolicy", decodeUntagPolicyInput, untagPolicyTarget, s.untagPolicy),
		api.Void("iam:UntagRole", decodeUntagRoleInput, untagRoleTarget, s.untagRole),
		api.Void("iam:UntagSAMLProvider", decodeUntagSAMLProviderInput, untagSAMLProviderTarget, s.untagSAMLProvider),
		api.Void("iam:UntagUser", decodeUntagUserInput, untagUserTarget, s.untagUser),
		api.Void("iam:UpdateAssumeRolePolicy", decodeUpdateAssumeRolePolicyInput, updateAssumeRolePolicyTarget, s.updateAssumeRolePolicy),
		api.Void("iam:UpdateGroup", decodeUpdateGroupInput, updateGroupTarget, s.updateGroup),
		api.Void("iam:UpdateOpenIDConnectProviderThumbprint", decodeUpdateOpenIDConnectProviderThumbprintInput, updateOpenIDConnectProviderThumbprintTarget, s.updateOpenIDConnectProviderThumbprint),
		api.Write("iam:UpdateRole", decodeUpdateRoleInput, updateRoleTarget, s.updateRole),
		api.Write("iam:UpdateRoleDescription", decodeUpdateRoleDescriptionInput, updateRoleDescriptionTarget, s.updateRoleDescription),
		api.Write("iam:UpdateSAMLProvider", decodeUpdateSAMLProviderInput, updateSAMLProviderTarget, s.updateSAMLProvider),
		api.Void("iam:UpdateUser", decodeUpdateUserInput, updateUserTarget, s.updateUser),
	}
}
