// SPDX-License-Identifier: Apache-2.0

package store

import (
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// Names of quotas, as AWS's LimitExceeded texts have them where they name one
// ("Cannot exceed quota for AccessKeysPerUser: 2").
const (
	QuotaUsers            = "UsersPerAccount"
	QuotaGroups           = "GroupsPerAccount"
	QuotaRoles            = "RolesPerAccount"
	QuotaPolicies         = "PoliciesPerAccount"
	QuotaProfiles         = "InstanceProfilesPerAccount"
	QuotaOIDCProviders    = "OpenIdConnectProvidersPerAccount"
	QuotaSAMLProviders    = "SAMLProvidersPerAccount"
	QuotaVersionsInUse    = "PolicyVersionsInUsePerAccount"
	QuotaServerCerts      = "ServerCertificatesPerAccount"
	QuotaUserPolicies     = "PoliciesPerUser" // managed policies attached
	QuotaGroupPolicies    = "PoliciesPerGroup"
	QuotaRolePolicies     = "PoliciesPerRole"
	QuotaGroupsPerUser    = "GroupsPerUser"
	QuotaVersions         = "VersionsPerPolicy"
	QuotaKeys             = "AccessKeysPerUser"   // also of the root user
	QuotaSigningCerts     = "CertificatesPerUser" // also of the root user
	QuotaDevices          = "MFADevicesPerUser"   // also of the root user
	QuotaVirtualDevices   = "VirtualMFADevicesPerAccount"
	QuotaSSHKeys          = "SSHPublicKeysPerUser"
	QuotaServiceCreds     = "ServiceSpecificCredentialsPerUser" // for one service
	QuotaRolesPerProfile  = "InstanceSessionsPerInstanceProfile"
	QuotaClientIDs        = "ClientIdsPerOpenIdConnectProvider"
	QuotaThumbprints      = "ThumbprintsPerOpenIdConnectProvider"
	QuotaSAMLKeys         = "PrivateKeysPerSAMLProvider"
	QuotaTags             = "TagsPerResource"
	QuotaPolicySize       = "PolicySize"     // sizes count characters other than white space
	QuotaUserPolicySize   = "UserPolicySize" // all inline policies of one user together
	QuotaGroupPolicySize  = "GroupPolicySize"
	QuotaRolePolicySize   = "RolePolicySize"
	QuotaAssumePolicySize = "ACLSizePerRole"
	QuotaOrgAccounts      = "AccountsPerOrganization"
	QuotaOrgUnits         = "UnitsPerOrganization"
	QuotaOrgDepth         = "UnitDepth"
	QuotaOrgPolicies      = "PoliciesPerOrganization"  // of one type
	QuotaOrgAttachments   = "PoliciesPerTarget"        // of one type
	QuotaSCPSize          = "ServiceControlPolicySize" // these count every character
	QuotaRCPSize          = "ResourceControlPolicySize"
	QuotaAIPolicySize     = "AIServicesOptOutPolicySize"
	QuotaOrgPolicySize    = "OrganizationPolicySize" // of the other types
	QuotaRecordSize       = "BytesPerRecord"         // ours: white space counts, and so does what is around a document
)

// maxRecord is such that a transaction can write two of the largest records.
const maxRecord = kv.MaxTxn / 5 * 2

// A Quota is a limit that holds for an account, or for one thing in it.
type Quota struct {
	Name    string
	Default int
	Summary string // its key in GetAccountSummary, "" if it has none
}

// Quotas lists every quota. Account.Quotas overrides the defaults by name.
// Source: the IAM User Guide, "IAM and AWS STS quotas".
var Quotas = []Quota{
	{QuotaUsers, 5000, "UsersQuota"},
	{QuotaGroups, 300, "GroupsQuota"},
	{QuotaRoles, 1000, "RolesQuota"},
	{QuotaPolicies, 1500, "PoliciesQuota"},
	{QuotaProfiles, 1000, "InstanceProfilesQuota"},
	{QuotaOIDCProviders, 100, ""},
	{QuotaSAMLProviders, 100, ""},
	{QuotaVersionsInUse, 10000, "PolicyVersionsInUseQuota"},
	{QuotaServerCerts, 20, "ServerCertificatesQuota"},
	{QuotaUserPolicies, 10, "AttachedPoliciesPerUserQuota"},
	{QuotaGroupPolicies, 10, "AttachedPoliciesPerGroupQuota"},
	{QuotaRolePolicies, 10, "AttachedPoliciesPerRoleQuota"},
	{QuotaGroupsPerUser, 10, "GroupsPerUserQuota"},
	{QuotaVersions, 5, "VersionsPerPolicyQuota"},
	{QuotaKeys, 2, "AccessKeysPerUserQuota"},
	{QuotaSigningCerts, 2, "SigningCertificatesPerUserQuota"},
	{QuotaDevices, 8, ""},
	{QuotaVirtualDevices, 5000, ""},
	{QuotaSSHKeys, 5, ""},
	{QuotaServiceCreds, 2, ""},
	{QuotaRolesPerProfile, 1, ""},
	{QuotaClientIDs, 100, ""},
	{QuotaThumbprints, 5, ""},
	{QuotaSAMLKeys, 2, ""},
	{QuotaTags, 50, ""},
	{QuotaPolicySize, 6144, "PolicySizeQuota"},
	{QuotaUserPolicySize, 2048, "UserPolicySizeQuota"},
	{QuotaGroupPolicySize, 5120, "GroupPolicySizeQuota"},
	{QuotaRolePolicySize, 10240, "RolePolicySizeQuota"},
	{QuotaAssumePolicySize, 2048, "AssumeRolePolicySizeQuota"},
	{QuotaOrgAccounts, 10000, ""}, // AWS begins at 10 and raises it on request
	{QuotaOrgUnits, 2000, ""},     // these: User Guide of Organizations, "Quotas"
	{QuotaOrgDepth, 5, ""},
	{QuotaOrgPolicies, 2000, ""},
	{QuotaOrgAttachments, 5, ""},
	{QuotaSCPSize, 5120, ""},
	{QuotaRCPSize, 5120, ""},
	{QuotaAIPolicySize, 2500, ""},
	{QuotaOrgPolicySize, 10000, ""},
	{QuotaRecordSize, maxRecord, ""},
}

var quotaDefaults = func() map[string]int {
	m := make(map[string]int, len(Quotas))
	for _, q := range Quotas {
		m[q.Name] = q.Default
	}
	return m
}()

func (a *Account) quota(name string) int {
	if n, ok := a.Quotas[name]; ok {
		return n
	}
	return quotaDefaults[name]
}

// Within is within for packages that keep their own things in an account.
func (a *Account) Within(name string, before, now int) error { return a.within(name, before, now) }

// within returns a LimitError if now is over the quota and more than before,
// so that a lowered quota never stops anyone from removing things.
func (a *Account) within(name string, before, now int) error {
	if limit := a.quota(name); now > limit && now > before {
		return &LimitError{Quota: name, Limit: limit}
	}
	return nil
}

// Size returns the size of a policy text as quotas count it: its characters
// other than white space.
func Size(text string) int {
	n := utf8.RuneCountInString(text)
	for i := range len(text) {
		switch text[i] {
		case ' ', '\t', '\r', '\n':
			n--
		}
	}
	return n
}
