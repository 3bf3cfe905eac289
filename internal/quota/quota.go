// SPDX-License-Identifier: Apache-2.0

// Package quota lists the quotas of accounts and what they are until someone changes them.
package quota

import "github.com/innkeeper-iam/innkeeper/internal/kv"

// Names of quotas, as AWS's LimitExceeded texts have them where they name one
// ("Cannot exceed quota for AccessKeysPerUser: 2").
const (
	Users            = "UsersPerAccount"
	Groups           = "GroupsPerAccount"
	Roles            = "RolesPerAccount"
	Policies         = "PoliciesPerAccount"
	Profiles         = "InstanceProfilesPerAccount"
	OIDCProviders    = "OpenIdConnectProvidersPerAccount"
	SAMLProviders    = "SAMLProvidersPerAccount"
	VersionsInUse    = "PolicyVersionsInUsePerAccount"
	ServerCerts      = "ServerCertificatesPerAccount"
	UserPolicies     = "PoliciesPerUser" // managed policies attached
	GroupPolicies    = "PoliciesPerGroup"
	RolePolicies     = "PoliciesPerRole"
	GroupsPerUser    = "GroupsPerUser"
	Versions         = "VersionsPerPolicy"
	Keys             = "AccessKeysPerUser"   // also of the root user
	SigningCerts     = "CertificatesPerUser" // also of the root user
	Devices          = "MFADevicesPerUser"   // also of the root user
	VirtualDevices   = "VirtualMFADevicesPerAccount"
	SSHKeys          = "SSHPublicKeysPerUser"
	ServiceCreds     = "ServiceSpecificCredentialsPerUser" // for one service
	RolesPerProfile  = "InstanceSessionsPerInstanceProfile"
	ClientIDs        = "ClientIdsPerOpenIdConnectProvider"
	Thumbprints      = "ThumbprintsPerOpenIdConnectProvider"
	SAMLKeys         = "PrivateKeysPerSAMLProvider"
	Tags             = "TagsPerResource"
	PolicySize       = "PolicySize"     // sizes count characters other than white space
	UserPolicySize   = "UserPolicySize" // all inline policies of one user together
	GroupPolicySize  = "GroupPolicySize"
	RolePolicySize   = "RolePolicySize"
	AssumePolicySize = "ACLSizePerRole"
	OrgAccounts      = "AccountsPerOrganization"
	OrgUnits         = "UnitsPerOrganization"
	OrgDepth         = "UnitDepth"
	OrgPolicies      = "PoliciesPerOrganization"  // of one type
	OrgAttachments   = "PoliciesPerTarget"        // of one type
	SCPSize          = "ServiceControlPolicySize" // these count every character
	RCPSize          = "ResourceControlPolicySize"
	AIPolicySize     = "AIServicesOptOutPolicySize"
	OrgPolicySize    = "OrganizationPolicySize" // of the other types
	Buckets          = "BucketsPerAccount"
	RecordSize       = "BytesPerRecord" // ours: white space counts, and so does what is around a document
)

// MaxRecord is the most bytes of one record: a transaction can write two of them.
const MaxRecord = kv.MaxTxn / 5 * 2

// A Quota is a limit that holds for an account, or for one thing in it.
type Quota struct {
	Name    string
	Default int
	Summary string // its key in GetAccountSummary, "" if it has none
}

// All lists every quota.
// Source: the IAM User Guide, "IAM and AWS STS quotas".
var All = []Quota{
	{Users, 5000, "UsersQuota"},
	{Groups, 300, "GroupsQuota"},
	{Roles, 1000, "RolesQuota"},
	{Policies, 1500, "PoliciesQuota"},
	{Profiles, 1000, "InstanceProfilesQuota"},
	{OIDCProviders, 100, ""},
	{SAMLProviders, 100, ""},
	{VersionsInUse, 10000, "PolicyVersionsInUseQuota"},
	{ServerCerts, 20, "ServerCertificatesQuota"},
	{UserPolicies, 10, "AttachedPoliciesPerUserQuota"},
	{GroupPolicies, 10, "AttachedPoliciesPerGroupQuota"},
	{RolePolicies, 10, "AttachedPoliciesPerRoleQuota"},
	{GroupsPerUser, 10, "GroupsPerUserQuota"},
	{Versions, 5, "VersionsPerPolicyQuota"},
	{Keys, 2, "AccessKeysPerUserQuota"},
	{SigningCerts, 2, "SigningCertificatesPerUserQuota"},
	{Devices, 8, ""},
	{VirtualDevices, 5000, ""},
	{SSHKeys, 5, ""},
	{ServiceCreds, 2, ""},
	{RolesPerProfile, 1, ""},
	{ClientIDs, 100, ""},
	{Thumbprints, 5, ""},
	{SAMLKeys, 2, ""},
	{Tags, 50, ""},
	{PolicySize, 6144, "PolicySizeQuota"},
	{UserPolicySize, 2048, "UserPolicySizeQuota"},
	{GroupPolicySize, 5120, "GroupPolicySizeQuota"},
	{RolePolicySize, 10240, "RolePolicySizeQuota"},
	{AssumePolicySize, 2048, "AssumeRolePolicySizeQuota"},
	{OrgAccounts, 10000, ""}, // AWS begins at 10 and raises it on request
	{OrgUnits, 2000, ""},     // these: User Guide of Organizations, "Quotas"
	{OrgDepth, 5, ""},
	{OrgPolicies, 2000, ""},
	{OrgAttachments, 5, ""},
	{SCPSize, 5120, ""},
	{RCPSize, 5120, ""},
	{AIPolicySize, 2500, ""},
	{OrgPolicySize, 10000, ""},
	{Buckets, 10000, ""}, // S3 User Guide, "Bucket quotas"
	{RecordSize, MaxRecord, ""},
}

var defaults = func() map[string]int {
	m := make(map[string]int, len(All))
	for _, q := range All {
		m[q.Name] = q.Default
	}
	return m
}()

// Default returns the limit of a quota that nobody changed; 0 if there is no quota
// of that name.
func Default(name string) int { return defaults[name] }
