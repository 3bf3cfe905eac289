// SPDX-License-Identifier: Apache-2.0

package refusal_test

// organization makes one with an organizational unit, a member account and a
// policy.
var organization = []string{
	"org:CreateOrganization {} > Id=OrganizationId",
	"org:ListRoots {} > Id=RootId",
	`org:CreateOrganizationalUnit {"ParentId":"$RootId","Name":"work"} > Id=OrganizationalUnitId`,
	`org:CreateAccount {"AccountName":"lab","Email":"lab-$account@example.com"} > Id=CreateAccountRequestId`,
	`org:DescribeCreateAccountStatus {"CreateAccountRequestId":"$CreateAccountRequestId"} > AccountId`,
	`org:EnablePolicyType {"RootId":"$RootId","PolicyType":"SERVICE_CONTROL_POLICY"}`,
	`org:CreatePolicy {"Type":"SERVICE_CONTROL_POLICY","Name":"own","Description":"","Content":"$quotedDeny"} > Id=PolicyId`,
}

const denyIAM = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*"}}`

// Steps that several operations need.
const (
	attached  = `org:AttachPolicy {"PolicyId":"$PolicyId","TargetId":"$OrganizationalUnitId"}`
	tagTypes  = `org:EnablePolicyType {"RootId":"$RootId","PolicyType":"TAG_POLICY"}`
	tagPolicy = `org:CreatePolicy {"Type":"TAG_POLICY","Name":"costs","Description":"","Content":"{\"tags\":{\"cost\":{\"tag_key\":{\"@@assign\":\"Cost\"}}}}"} > Id=PolicyId`
	tagged    = `org:AttachPolicy {"PolicyId":"$PolicyId","TargetId":"$RootId"}`
	invited   = `org:InviteAccountToOrganization {"Target":{"Id":"$guest","Type":"ACCOUNT"}} > Id=HandshakeId`
	trusted   = `org:EnableAWSServiceAccess {"ServicePrincipal":"access-analyzer.amazonaws.com"}`
	delegated = `org:RegisterDelegatedAdministrator {"AccountId":"$AccountId","ServicePrincipal":"access-analyzer.amazonaws.com"}`
	resource  = `org:PutResourcePolicy {"Content":"$quotedResource"}`
	emptyUnit = `org:CreateOrganizationalUnit {"ParentId":"$RootId","Name":"empty"} > Id=OrganizationalUnitId`
	bills     = `org:CreateOrganization {"FeatureSet":"CONSOLIDATED_BILLING"}`
	alone     = `org:CreateOrganization {}`
)

const readable = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"organizations:ListAccounts","Resource":"*"}}`

var account = object{"Email": "more-$account@example.com", "AccountName": "more"}

// orgBases has the operations of Organizations that need more than the usual.
var orgBases = map[string]base{
	"AcceptHandshake":                            {before: steps(invited), as: "guest"},
	"CancelHandshake":                            {before: steps(invited)},
	"CreateAccount":                              {input: account},
	"CreateGovCloudAccount":                      {input: account, ends: "ConstraintViolationException"},
	"CreateOrganization":                         {alone: true},
	"CreateOrganizationalUnit":                   {input: object{"Name": "new", "Tags": list{}}},
	"CreatePolicy":                               {input: object{"Content": "$deny", "Description": "", "Name": "new", "Type": "SERVICE_CONTROL_POLICY"}},
	"DeclineHandshake":                           {before: steps(invited), as: "guest"},
	"DeleteOrganization":                         {alone: true, before: steps(alone)},
	"DeleteOrganizationalUnit":                   {before: steps(emptyUnit)},
	"DeleteResourcePolicy":                       {before: steps(resource)},
	"DeregisterDelegatedAdministrator":           {before: steps(trusted, delegated)},
	"DescribeEffectivePolicy":                    {before: steps(tagTypes, tagPolicy, tagged), input: object{"TargetId": "$AccountId"}},
	"DescribeHandshake":                          {before: steps(invited)},
	"DescribeResourcePolicy":                     {before: steps(resource)},
	"DescribeResponsibilityTransfer":             {ends: "ResponsibilityTransferNotFoundException"},
	"DetachPolicy":                               {before: steps(attached)},
	"DisableAWSServiceAccess":                    {before: steps(trusted)},
	"DisablePolicyType":                          {input: object{"PolicyType": "SERVICE_CONTROL_POLICY"}},
	"EnableAllFeatures":                          {alone: true, before: steps(bills)},
	"InviteAccountToOrganization":                {input: object{"Target": object{"Id": "$guest", "Type": "ACCOUNT"}}},
	"InviteOrganizationToTransferResponsibility": {input: object{"Type": "BILLING", "Target": object{"Id": "$guest", "Type": "ACCOUNT"}, "StartTimestamp": "1767323045", "SourceName": "bills"}, ends: "UnsupportedAPIEndpointException"},
	"LeaveOrganization":                          {as: "guest", before: steps(invited, "guest:org:AcceptHandshake {\"HandshakeId\":\"$HandshakeId\"}")},
	"ListAccountsWithInvalidEffectivePolicy":     {before: steps(tagTypes)},
	"ListDelegatedServicesForAccount":            {before: steps(trusted, delegated)},
	"ListEffectivePolicyValidationErrors":        {before: steps(tagTypes)},
	"ListHandshakesForAccount":                   {as: "guest"},
	"ListInboundResponsibilityTransfers":         {input: object{"Type": "BILLING"}},
	"ListOutboundResponsibilityTransfers":        {input: object{"Type": "BILLING"}},
	"PutResourcePolicy":                          {input: object{"Content": "$resource"}},
	"RegisterDelegatedAdministrator":             {before: steps(trusted)},
	"TerminateResponsibilityTransfer":            {ends: "ResponsibilityTransferNotFoundException"},
	"UpdateOrganizationalUnit":                   {input: object{"Name": "other"}},
	"UpdatePolicy":                               {input: object{"Name": "other"}},
	"UpdateResponsibilityTransfer":               {input: object{"Name": "other"}, ends: "ResponsibilityTransferNotFoundException"},
}
