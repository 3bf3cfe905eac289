// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"slices"
	"strings"
)

// A base says what makes a valid request of an operation, beyond what its
// required parameters are by themselves (see usual).
type base struct {
	before []string // steps of the administrator; see sandbox.step
	input  object   // parameters beside the usual ones, or in place of them; nil: left out
	as     string   // who asks; "" is the administrator
	ends   string   // the code of the error with which even a valid request ends; "": it succeeds
	free   bool     // nobody needs permission for it
	other  string   // a code that the model does not list for it, of the status 400
	gone   string   // the code for something that does not exist; "": the usual one, "none": there is no error
	alone  bool     // of Organizations: there is no organization yet
}

// usual has the values of required parameters by name. The sandbox has most of
// the things that they name; others are made by a step.
var usual = object{
	"GroupName": "crew", "InstanceProfileName": "vm", "PolicyName": "reader", "RoleName": "app", "UserName": "ann",
	"ServerCertificateName": "site",

	"PolicyArn": arnOf("policy/reader"), "RoleArn": arnOf("role/app"), "PermissionsBoundary": arnOf("policy/reader"),
	"PolicySourceArn": arnOf("user/ann"), "Arn": arnOf("user/ann"),

	"AssumeRolePolicyDocument": "$trust", "PolicyDocument": "$policy", "PolicyInputList": list{"$policy"},
	"Tags": list{object{"Key": "team", "Value": "blue"}}, "TagKeys": list{"team"}, "Status": "Inactive",
	"ActionNames": list{"iam:GetUser"}, "AuthenticationCode1": "$earlier", "AuthenticationCode2": "$code",
	"ClientID": "app", "ServiceNamespaces": list{"iam"}, "RoleSessionName": "visit", "Encoding": "SSH",

	"AccessKeyId": "$AccessKeyId", "CertificateId": "$CertificateId", "OpenIDConnectProviderArn": "$OpenIDConnectProviderArn",
	"SAMLProviderArn": "$SAMLProviderArn", "SSHPublicKeyId": "$SSHPublicKeyId", "SerialNumber": "$SerialNumber",
	"ServiceSpecificCredentialId": "$ServiceSpecificCredentialId", "VersionId": "$VersionId",

	"AccountId": "$AccountId", "ChildId": "$AccountId", "OrganizationalUnitId": "$OrganizationalUnitId", "ParentId": "$RootId",
	"PolicyId": "$PolicyId", "ResourceId": "$RootId", "RootId": "$RootId", "TargetId": "$OrganizationalUnitId",
	"DelegationRequestId": "$DelegationRequestId", "HandshakeId": "$HandshakeId", "CreateAccountRequestId": "$CreateAccountRequestId",
	"SourceParentId": "$RootId", "DestinationParentId": "$OrganizationalUnitId", "ServicePrincipal": "access-analyzer.amazonaws.com",
	"PolicyType": "TAG_POLICY", "Filter": "TAG_POLICY", "ChildType": "ACCOUNT", "Id": "rt-00000000",
}

func arnOf(resource string) string { return "arn:aws:iam::$account:" + resource }

// Steps that several operations need.
const (
	oidc        = "CreateOpenIDConnectProvider Url=https://id.example.com ClientIDList.member.1=app ThumbprintList.member.1=0123456789abcdef0123456789abcdef01234567 > OpenIDConnectProviderArn"
	saml        = "CreateSAMLProvider Name=Corp SAMLMetadataDocument=$metadata > SAMLProviderArn"
	accessKey   = "CreateAccessKey UserName=ann > AccessKeyId"
	sshKey      = "UploadSSHPublicKey UserName=ann SSHPublicKeyBody=$ssh > SSHPublicKeyId"
	certificate = "UploadSigningCertificate UserName=ann CertificateBody=$cert > CertificateId"
	site        = "UploadServerCertificate ServerCertificateName=site CertificateBody=$cert PrivateKey=$key"
	service     = "CreateServiceSpecificCredential UserName=ann ServiceName=codecommit.amazonaws.com > ServiceSpecificCredentialId"
	device      = "CreateVirtualMFADevice VirtualMFADeviceName=phone > SerialNumber Base32StringSeed"
	enable      = "EnableMFADevice UserName=ann SerialNumber=$SerialNumber AuthenticationCode1=$first AuthenticationCode2=$second"
	login       = "CreateLoginProfile UserName=ann Password=Correct-horse-1"
	version     = "CreatePolicyVersion PolicyArn=arn:aws:iam::$account:policy/reader PolicyDocument=$policy > VersionId"
	aliased     = "CreateAccountAlias AccountAlias=alias-$account"
	userPolicy  = "PutUserPolicy UserName=ann PolicyName=reader PolicyDocument=$policy"
	groupPolicy = "PutGroupPolicy GroupName=crew PolicyName=reader PolicyDocument=$policy"
	rolePolicy  = "PutRolePolicy RoleName=app PolicyName=reader PolicyDocument=$policy"
	toUser      = "AttachUserPolicy UserName=ann PolicyArn=arn:aws:iam::$account:policy/reader"
	toGroup     = "AttachGroupPolicy GroupName=crew PolicyArn=arn:aws:iam::$account:policy/reader"
	toRole      = "AttachRolePolicy RoleName=app PolicyArn=arn:aws:iam::$account:policy/reader"
	boundUser   = "PutUserPermissionsBoundary UserName=ann PermissionsBoundary=arn:aws:iam::$account:policy/reader"
	boundRole   = "PutRolePermissionsBoundary RoleName=app PermissionsBoundary=arn:aws:iam::$account:policy/reader"
	rules       = "UpdateAccountPasswordPolicy MinimumPasswordLength=8"
	inProfile   = "AddRoleToInstanceProfile InstanceProfileName=vm RoleName=app"
	inGroup     = "AddUserToGroup GroupName=crew UserName=ann"
	linked      = "CreateServiceLinkedRole AWSServiceName=elasticbeanstalk.amazonaws.com > RoleName"
	unlinked    = "DeleteServiceLinkedRole RoleName=$RoleName > DeletionTaskId"
	lastUsed    = "GenerateServiceLastAccessedDetails Arn=arn:aws:iam::$account:user/ann > JobId"
	report      = "GenerateOrganizationsAccessReport EntityPath=$OrganizationId/$RootId > JobId"
	outbound    = "EnableOutboundWebIdentityFederation"
	rootAccess  = `org:EnableAWSServiceAccess {"ServicePrincipal":"iam.amazonaws.com"}`
	rootKeys    = "EnableOrganizationsRootCredentialsManagement"
	asked       = "guest:CreateDelegationRequest OwnerAccountId=$account Description=help Permissions.PolicyTemplateArn=arn:aws:iam::aws:policy/ReadOnlyAccess RequestorWorkflowId=order-1 NotificationChannel=arn:aws:sns:us-east-1:444455556666:t SessionDuration=3600 > DelegationRequestId"
	taken       = "AssociateDelegationRequest DelegationRequestId=$DelegationRequestId"
	accepted    = "AcceptDelegationRequest DelegationRequestId=$DelegationRequestId"
	rootVisits  = "EnableOrganizationsRootSessions"
)

func steps(s ...string) []string { return s }

// inOrganization are steps in the management account of an organization.
func inOrganization(s ...string) []string { return slices.Concat(organization, s) }

// bases has the operations of IAM and STS that need more than the usual.
var bases = map[string]base{
	"AcceptDelegationRequest":    {before: steps(asked, taken), other: "InvalidInput"}, // quirk Q095
	"AssociateDelegationRequest": {before: steps(asked), free: true},                   // while nobody has
	"CreateDelegationRequest": {input: object{
		"Description": "help", "Permissions": object{"PolicyTemplateArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
		"RequestorWorkflowId": "order-1", "NotificationChannel": "arn:aws:sns:us-east-1:444455556666:t", "SessionDuration": "3600",
	}},
	"GetDelegationRequest":                          {before: steps(asked, taken)},
	"GetHumanReadableSummary":                       {before: steps(asked, taken), input: object{"EntityArn": arnOf("delegation-request/$DelegationRequestId")}},
	"RejectDelegationRequest":                       {before: steps(asked, taken)},
	"SendDelegationToken":                           {before: steps(asked, taken, accepted)},
	"UpdateDelegationRequest":                       {before: steps(asked, taken)},
	"SetSecurityTokenServicePreferences":            {input: object{"GlobalEndpointTokenVersion": "v2Token"}},
	"AddClientIDToOpenIDConnectProvider":            {before: steps(oidc), input: object{"ClientID": "web"}},
	"ChangePassword":                                {before: steps(rules, login), as: "ann", input: object{"OldPassword": "Correct-horse-1", "NewPassword": "Correct-horse-2"}},
	"CreateAccessKey":                               {input: object{"UserName": "ann"}},
	"CreateAccountAlias":                            {input: object{"AccountAlias": "alias-$account"}},
	"CreateGroup":                                   {input: object{"GroupName": "new"}},
	"CreateInstanceProfile":                         {input: object{"InstanceProfileName": "new"}},
	"CreateLoginProfile":                            {input: object{"UserName": "ann", "Password": "Correct-horse-1"}},
	"CreateOpenIDConnectProvider":                   {input: object{"Url": "https://id.example.com", "ThumbprintList": list{"0123456789abcdef0123456789abcdef01234567"}}},
	"CreatePolicy":                                  {input: object{"PolicyName": "new"}},
	"CreateRole":                                    {input: object{"RoleName": "new"}},
	"CreateSAMLProvider":                            {input: object{"Name": "Corp", "SAMLMetadataDocument": "$metadata"}},
	"CreateServiceLinkedRole":                       {input: object{"AWSServiceName": "elasticbeanstalk.amazonaws.com"}},
	"CreateServiceSpecificCredential":               {input: object{"ServiceName": "codecommit.amazonaws.com"}},
	"CreateUser":                                    {input: object{"UserName": "new"}},
	"CreateVirtualMFADevice":                        {input: object{"VirtualMFADeviceName": "phone"}},
	"DeactivateMFADevice":                           {before: steps(device, enable), input: object{"UserName": "ann"}},
	"DeleteAccessKey":                               {before: steps(accessKey), input: object{"UserName": "ann"}},
	"DeleteAccountAlias":                            {before: steps(aliased), input: object{"AccountAlias": "alias-$account"}},
	"DeleteAccountPasswordPolicy":                   {before: steps(rules)},
	"DeleteGroupPolicy":                             {before: steps(groupPolicy)},
	"DeleteLoginProfile":                            {before: steps(login), input: object{"UserName": "ann"}},
	"DeleteOpenIDConnectProvider":                   {before: steps(oidc), gone: "none"}, // idempotent, its reference says
	"DeletePolicyVersion":                           {before: steps(version)},
	"DeleteRolePermissionsBoundary":                 {before: steps(boundRole)},
	"DeleteRolePolicy":                              {before: steps(rolePolicy)},
	"DeleteSAMLProvider":                            {before: steps(saml)},
	"DeleteSSHPublicKey":                            {before: steps(sshKey)},
	"DeleteServerCertificate":                       {before: steps(site)},
	"DeleteServiceLinkedRole":                       {before: steps(linked), input: object{"RoleName": "$RoleName"}},
	"DeleteServiceSpecificCredential":               {before: steps(service), input: object{"UserName": "ann"}},
	"DeleteSigningCertificate":                      {before: steps(certificate), input: object{"UserName": "ann"}},
	"DeleteUser":                                    {input: object{"UserName": "ben"}},
	"DeleteUserPermissionsBoundary":                 {before: steps(boundUser)},
	"DeleteUserPolicy":                              {before: steps(userPolicy)},
	"DeleteVirtualMFADevice":                        {before: steps(device)},
	"DetachGroupPolicy":                             {before: steps(toGroup)},
	"DetachRolePolicy":                              {before: steps(toRole)},
	"DetachUserPolicy":                              {before: steps(toUser)},
	"DisableOrganizationsRootCredentialsManagement": {before: inOrganization(rootAccess, rootKeys)},
	"DisableOrganizationsRootSessions":              {before: inOrganization(rootAccess, rootVisits)},
	"DisableOutboundWebIdentityFederation":          {before: steps(outbound)},
	"EnableOrganizationsRootCredentialsManagement":  {before: inOrganization(rootAccess)},
	"EnableOrganizationsRootSessions":               {before: inOrganization(rootAccess)},
	"EnableMFADevice":                               {before: steps(device)},
	"GenerateOrganizationsAccessReport":             {before: inOrganization(), input: object{"EntityPath": "$OrganizationId/$RootId"}},
	"GetOrganizationsAccessReport":                  {before: inOrganization(report), input: object{"JobId": "$JobId"}},
	"GetOutboundWebIdentityFederationInfo":          {before: steps(outbound)},
	"GetServiceLastAccessedDetails":                 {before: steps(lastUsed), input: object{"JobId": "$JobId"}},
	"GetServiceLastAccessedDetailsWithEntities":     {before: steps(lastUsed), input: object{"JobId": "$JobId", "ServiceNamespace": "iam"}},
	"GetServiceLinkedRoleDeletionStatus":            {before: steps(linked, unlinked), input: object{"DeletionTaskId": "$DeletionTaskId"}},
	"ListOrganizationsFeatures":                     {before: inOrganization(rootAccess)},
	"GetAccessKeyLastUsed":                          {before: steps(accessKey), gone: "AccessDenied"}, // as if there were no permission
	"GetAccountPasswordPolicy":                      {before: steps(rules)},
	"GetCredentialReport":                           {before: steps("GenerateCredentialReport")},
	"GetGroupPolicy":                                {before: steps(groupPolicy)},
	"GetLoginProfile":                               {before: steps(login), input: object{"UserName": "ann"}},
	"GetMFADevice":                                  {before: steps(device, enable), input: object{"UserName": "ann"}},
	"GetOpenIDConnectProvider":                      {before: steps(oidc)},
	"GetPolicyVersion":                              {before: steps(version)},
	"GetRolePolicy":                                 {before: steps(rolePolicy)},
	"GetSAMLProvider":                               {before: steps(saml)},
	"GetSSHPublicKey":                               {before: steps(sshKey)},
	"GetServerCertificate":                          {before: steps(site)},
	"GetUser":                                       {input: object{"UserName": "ann"}},
	"GetUserPolicy":                                 {before: steps(userPolicy)},
	"ListAccessKeys":                                {input: object{"UserName": "ann"}},
	"ListMFADeviceTags":                             {before: steps(device)},
	"ListMFADevices":                                {input: object{"UserName": "ann"}},
	"ListOpenIDConnectProviderTags":                 {before: steps(oidc)},
	"ListSAMLProviderTags":                          {before: steps(saml)},
	"ListSSHPublicKeys":                             {input: object{"UserName": "ann"}},
	"ListServerCertificateTags":                     {before: steps(site)},
	"ListServiceSpecificCredentials":                {input: object{"UserName": "ann"}},
	"ListSigningCertificates":                       {input: object{"UserName": "ann"}},
	"PutGroupPolicy":                                {input: object{"PolicyName": "new"}},
	"PutRolePolicy":                                 {input: object{"PolicyName": "new"}},
	"PutUserPolicy":                                 {input: object{"PolicyName": "new"}},
	"RemoveClientIDFromOpenIDConnectProvider":       {before: steps(oidc)},
	"RemoveRoleFromInstanceProfile":                 {before: steps(inProfile)},
	"RemoveUserFromGroup":                           {before: steps(inGroup)},
	"ResetServiceSpecificCredential":                {before: steps(service), input: object{"UserName": "ann"}},
	"ResyncMFADevice":                               {before: steps(device, enable)},
	"SetDefaultPolicyVersion":                       {before: steps(version)},
	"TagMFADevice":                                  {before: steps(device)},
	"TagOpenIDConnectProvider":                      {before: steps(oidc)},
	"TagSAMLProvider":                               {before: steps(saml)},
	"TagServerCertificate":                          {before: steps(site)},
	"UntagMFADevice":                                {before: steps(device)},
	"UntagOpenIDConnectProvider":                    {before: steps(oidc)},
	"UntagSAMLProvider":                             {before: steps(saml)},
	"UntagServerCertificate":                        {before: steps(site)},
	"UpdateAccessKey":                               {before: steps(accessKey), input: object{"UserName": "ann"}},
	"UpdateAccountPasswordPolicy":                   {input: object{"MinimumPasswordLength": "9"}},
	"UpdateAssumeRolePolicy":                        {input: object{"PolicyDocument": "$trust"}},
	"UpdateGroup":                                   {input: object{"NewGroupName": "team"}},
	"UpdateLoginProfile":                            {before: steps(login), input: object{"Password": "Correct-horse-2"}},
	"UpdateOpenIDConnectProviderThumbprint":         {before: steps(oidc), input: object{"ThumbprintList": list{"0123456789abcdef0123456789abcdef01234567"}}},
	"UpdateRoleDescription":                         {input: object{"Description": "for tests"}},
	"UpdateSAMLProvider":                            {before: steps(saml), input: object{"SAMLMetadataDocument": "$metadata"}},
	"UpdateSSHPublicKey":                            {before: steps(sshKey)},
	"UpdateServerCertificate":                       {before: steps(site), input: object{"NewServerCertificateName": "other"}},
	"UpdateServiceSpecificCredential":               {before: steps(service), input: object{"UserName": "ann"}},
	"UpdateSigningCertificate":                      {before: steps(certificate), input: object{"UserName": "ann"}},
	"UpdateUser":                                    {input: object{"UserName": "ben", "NewUserName": "bob"}},
	"UploadSSHPublicKey":                            {input: object{"SSHPublicKeyBody": "$ssh"}},
	"UploadServerCertificate":                       {input: object{"CertificateBody": "$cert", "PrivateKey": "$key"}},
	"UploadSigningCertificate":                      {input: object{"UserName": "ann", "CertificateBody": "$cert"}},

	"AssumeRole":                 {as: "ann"},
	"AssumeRoleWithSAML":         {before: steps(saml), ends: "InvalidIdentityToken", input: object{"PrincipalArn": "$SAMLProviderArn", "SAMLAssertion": "PHg+PC94Pg=="}},
	"AssumeRoleWithWebIdentity":  {ends: "InvalidIdentityToken", input: object{"WebIdentityToken": "e30.e30.e30"}},
	"DecodeAuthorizationMessage": {input: object{"EncodedMessage": "$EncodedMessage"}},
	"GetAccessKeyInfo":           {input: object{"AccessKeyId": "$unusedKey"}},
	"GetCallerIdentity":          {free: true},
	"GetFederationToken":         {input: object{"Name": "visitor"}, as: "ann"},
	"AssumeRoot":                 {before: inOrganization(rootAccess, rootKeys), input: object{"TargetPrincipal": "$AccountId", "TaskPolicyArn": object{"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}}},
	"GetDelegatedAccessToken":    {ends: "ValidationError", input: object{"TradeInToken": "none"}},
	"GetWebIdentityToken":        {before: steps(outbound), input: object{"Audience": list{"app"}, "SigningAlgorithm": "RS256"}},
	"GetSessionToken":            {free: true, as: "ann"},
}

// base returns the table's entry for an operation.
func (o *operation) base() base {
	if o.json() {
		b := orgBases[o.name]
		if !b.alone {
			b.before = inOrganization(b.before...)
		}
		return b
	}
	return bases[o.name]
}

// request returns a valid request of an operation in a sandbox that is prepared.
func (s *sandbox) request(o *operation) object {
	s.t.Helper()
	b, in := o.base(), o.input(o.name)
	req := make(object)
	for _, name := range in.Required {
		if v, ok := usual[name]; ok {
			req[name] = v
		}
	}
	for name, v := range b.input {
		req[name] = v
	}
	req = s.fill(req).(object)
	for _, name := range in.Required {
		if req[name] == nil {
			s.t.Fatalf("%s has no valid request: say in the table what its %s may be", o.name, name)
		}
	}
	if fails := o.objectFailures(in, req, ""); len(fails) > 0 {
		s.t.Fatalf("%s has no valid request: %s", o.name, fails[0].variants()[0])
	}
	return req
}

// An absent value names something of the right form that does not exist.
var absent = map[string]string{
	"UserName": "missing", "GroupName": "missing", "RoleName": "missing", "InstanceProfileName": "missing",
	"PolicyName": "missing", "ServerCertificateName": "missing",

	"PolicyArn": arnOf("policy/missing"), "PermissionsBoundary": arnOf("policy/missing"),
	"PolicySourceArn": arnOf("user/missing"), "Arn": arnOf("user/missing"), "RoleArn": arnOf("role/missing"),
	"OpenIDConnectProviderArn": arnOf("oidc-provider/missing.example.com"), "SAMLProviderArn": arnOf("saml-provider/missing"),
	"SerialNumber": arnOf("mfa/missing"), "EntityArn": arnOf("delegation-request/dr-00000000000000000000"),

	"AccessKeyId": "$unusedKey", "CertificateId": "ASCAMISSINGMISSINGMISSING", "SSHPublicKeyId": "APKAMISSINGMISSING123",
	"ServiceSpecificCredentialId": "ACCAMISSINGMISSING123", "VersionId": "v9", "AccountAlias": "missing",
	"JobId": "00000000-0000-0000-0000-000000000000", "DelegationRequestId": "dr-00000000000000000000",
	"DeletionTaskId": "task/aws-service-role/elasticbeanstalk.amazonaws.com/AWSServiceRoleForElasticBeanstalk/00000000-0000-0000-0000-000000000000",

	"AccountId": "000000000000", "ChildId": "000000000000", "OrganizationalUnitId": "ou-none-00000000", "ParentId": "ou-none-00000000",
	"PolicyId": "p-00000000", "ResourceId": "ou-none-00000000", "RootId": "r-none", "TargetId": "ou-none-00000000",
	"HandshakeId": "h-00000000", "CreateAccountRequestId": "car-00000000", "SourceParentId": "ou-none-00000000",
	"DestinationParentId": "ou-none-00000000",
}

// gone returns the name of something that does not exist, of the same kind as what
// a parameter names.
func (s *sandbox) gone(param, there string) string {
	switch {
	case absentCodes[param] == "":
		return s.expand(absent[param])
	case strings.HasPrefix(there, "r-"):
		return "r-none"
	case strings.HasPrefix(there, "ou-"):
		return "ou-none-00000000"
	case len(strings.Trim(there, "0123456789")) == 0:
		return "000000000000"
	}
	return absent[param]
}

// absentCodes says what Organizations calls the absence of what a parameter names.
var absentCodes = map[string]string{
	"AccountId": "AccountNotFoundException", "ChildId": "ChildNotFoundException", "OrganizationalUnitId": "OrganizationalUnitNotFoundException",
	"ParentId": "ParentNotFoundException", "PolicyId": "PolicyNotFoundException", "ResourceId": "TargetNotFoundException",
	"RootId": "RootNotFoundException", "TargetId": "TargetNotFoundException", "HandshakeId": "HandshakeNotFoundException",
	"CreateAccountRequestId": "CreateAccountStatusNotFoundException", "SourceParentId": "SourceParentNotFoundException",
	"DestinationParentId": "DestinationParentNotFoundException",
}

// names reports whether a parameter of an operation names something that must be
// there: not the name of what the operation makes.
func (o *operation) names(param string) bool {
	if absent[param] == "" {
		return false
	}
	if made, ok := strings.CutPrefix(o.name, "Create"); ok && (param == made+"Name" || param == made) {
		return false
	}
	switch o.name + " " + param {
	case "PutUserPolicy PolicyName", "PutGroupPolicy PolicyName", "PutRolePolicy PolicyName", "UploadServerCertificate ServerCertificateName",
		"GetAccessKeyInfo AccessKeyId", // says whose it would be
		"GetSessionToken SerialNumber", "AssumeRole SerialNumber",
		"AssumeRole RoleArn", "AssumeRoleWithSAML RoleArn", "AssumeRoleWithWebIdentity RoleArn": // refused as if there were no permission
		return false
	}
	return true
}
