// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/credapi"
	"github.com/innkeeper-iam/innkeeper/internal/iamapi"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// An authCase is one operation with the least parameters that it takes, the
// resource that its permission is on, and how a refusal shows that resource ("":
// as its ARN). KEY stands for the id of ann's access key.
type authCase struct {
	op       string
	resource string // without its beginning, arn:aws:iam::ACCOUNT:, unless it is "*"
	shown    string
	params   string // separated by spaces
	also     string // further permission needed, "action resource"
}

var authCases = []authCase{
	{op: "AddRoleToInstanceProfile", resource: "instance-profile/i/prof", shown: "instance profile prof", params: "InstanceProfileName=prof RoleName=app", also: "iam:PassRole role/r/app"},
	{op: "AddUserToGroup", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs UserName=ann"},
	{op: "AttachGroupPolicy", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs PolicyArn=" + readOnly},
	{op: "AttachRolePolicy", resource: "role/r/app", shown: "role app", params: "RoleName=app PolicyArn=" + readOnly},
	{op: "AttachUserPolicy", resource: "user/t/ann", shown: "user ann", params: "UserName=ann PolicyArn=" + readOnly},
	{op: "ChangePassword", resource: "user/carl", shown: "user carl", params: "OldPassword=a NewPassword=b"},
	{op: "CreateAccessKey", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "CreateAccountAlias", resource: "*", params: "AccountAlias=acme"},
	{op: "CreateGroup", resource: "group/n/new", params: "GroupName=new Path=/n/"},
	{op: "CreateInstanceProfile", resource: "instance-profile/n/new", params: "InstanceProfileName=new Path=/n/"},
	{op: "CreateLoginProfile", resource: "user/t/ann", shown: "user ann", params: "UserName=ann Password=Pa55word!"},
	{op: "CreatePolicy", resource: "policy/n/new", params: "PolicyName=new Path=/n/ PolicyDocument=" + anyPolicy},
	{op: "CreatePolicyVersion", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "PolicyArn=" + prefix + "policy/p/pol PolicyDocument=" + anyPolicy},
	{op: "CreateRole", resource: "role/n/new", params: "RoleName=new Path=/n/ AssumeRolePolicyDocument=" + trustPolicy},
	{op: "CreateServiceLinkedRole", resource: "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", params: "AWSServiceName=ecs.amazonaws.com"},
	{op: "CreateServiceSpecificCredential", resource: "user/t/ann", shown: "user ann", params: "UserName=ann ServiceName=codecommit.amazonaws.com"},
	{op: "CreateUser", resource: "user/n/new", params: "UserName=new Path=/n/"},
	{op: "CreateVirtualMFADevice", resource: "mfa/n/new", params: "VirtualMFADeviceName=new Path=/n/"},
	{op: "DeactivateMFADevice", resource: "user/t/ann", shown: "user ann", params: "UserName=ann SerialNumber=" + prefix + "mfa/phone"},
	{op: "DeleteAccessKey", resource: "user/t/ann", shown: "user ann", params: "UserName=ann AccessKeyId=KEY"},
	{op: "DeleteAccountAlias", resource: "*", params: "AccountAlias=acme"},
	{op: "DeleteAccountPasswordPolicy", resource: "*"},
	{op: "DeleteGroup", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs"},
	{op: "DeleteGroupPolicy", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs PolicyName=in"},
	{op: "DeleteInstanceProfile", resource: "instance-profile/i/prof", shown: "instance profile prof", params: "InstanceProfileName=prof"},
	{op: "DeleteLoginProfile", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "DeletePolicy", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "PolicyArn=" + prefix + "policy/p/pol"},
	{op: "DeletePolicyVersion", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "VersionId=v2 PolicyArn=" + prefix + "policy/p/pol"},
	{op: "DeleteRole", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "DeleteRolePermissionsBoundary", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "DeleteRolePolicy", resource: "role/r/app", shown: "role app", params: "RoleName=app PolicyName=in"},
	{op: "DeleteSSHPublicKey", resource: "user/t/ann", shown: "user ann", params: "UserName=ann SSHPublicKeyId=APKAAAAAAAAAAAAAAAAAA"},
	{op: "DeleteServerCertificate", resource: "server-certificate/c/tls", shown: "server certificate tls", params: "ServerCertificateName=tls"},
	{op: "DeleteServiceLinkedRole", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "DeleteServiceSpecificCredential", resource: "user/t/ann", shown: "user ann", params: "UserName=ann ServiceSpecificCredentialId=ACCAAAAAAAAAAAAAAAAAA"},
	{op: "DeleteSigningCertificate", resource: "user/t/ann", shown: "user ann", params: "UserName=ann CertificateId=AAAAAAAAAAAAAAAAAAAAAAAA"},
	{op: "DeleteUser", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "DeleteUserPermissionsBoundary", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "DeleteUserPolicy", resource: "user/t/ann", shown: "user ann", params: "UserName=ann PolicyName=in"},
	{op: "DeleteVirtualMFADevice", resource: "mfa/d/spare", params: "SerialNumber=" + prefix + "mfa/d/spare"},
	{op: "DetachGroupPolicy", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs PolicyArn=" + readOnly},
	{op: "DetachRolePolicy", resource: "role/r/app", shown: "role app", params: "RoleName=app PolicyArn=" + readOnly},
	{op: "DetachUserPolicy", resource: "user/t/ann", shown: "user ann", params: "UserName=ann PolicyArn=" + readOnly},
	{op: "EnableMFADevice", resource: "user/t/ann", shown: "user ann", params: "UserName=ann AuthenticationCode1=000000 AuthenticationCode2=000000 SerialNumber=" + prefix + "mfa/none"},
	{op: "GetAccessKeyLastUsed", resource: "user/t/ann", shown: "access key KEY", params: "AccessKeyId=KEY"},
	{op: "GetAccountAuthorizationDetails", resource: "*"},
	{op: "GetAccountPasswordPolicy", resource: "*"},
	{op: "GetAccountSummary", resource: "*"},
	{op: "GetContextKeysForCustomPolicy", resource: "*", params: "PolicyInputList.member.1=" + anyPolicy},
	{op: "GetContextKeysForPrincipalPolicy", resource: "user/t/ann", shown: "user ann", params: "PolicySourceArn=" + prefix + "user/t/ann"},
	{op: "GetGroup", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs"},
	{op: "GetGroupPolicy", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs PolicyName=in"},
	{op: "GetInstanceProfile", resource: "instance-profile/i/prof", shown: "instance profile prof", params: "InstanceProfileName=prof"},
	{op: "GetLoginProfile", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "GetMFADevice", resource: "user/t/ann", shown: "user ann", params: "UserName=ann SerialNumber=" + prefix + "mfa/phone"},
	{op: "GetPolicy", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "PolicyArn=" + prefix + "policy/p/pol"},
	{op: "GetPolicyVersion", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "VersionId=v1 PolicyArn=" + prefix + "policy/p/pol"},
	{op: "GetRole", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "GetRolePolicy", resource: "role/r/app", shown: "role app", params: "RoleName=app PolicyName=in"},
	{op: "GetSSHPublicKey", resource: "user/t/ann", shown: "user ann", params: "UserName=ann Encoding=SSH SSHPublicKeyId=APKAAAAAAAAAAAAAAAAAA"},
	{op: "GetServerCertificate", resource: "server-certificate/c/tls", shown: "server certificate tls", params: "ServerCertificateName=tls"},
	{op: "GetServiceLinkedRoleDeletionStatus", resource: "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", params: "DeletionTaskId=task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/one"},
	{op: "GetUser", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "GetUserPolicy", resource: "user/t/ann", shown: "user ann", params: "UserName=ann PolicyName=in"},
	{op: "ListAccessKeys", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListAccountAliases", resource: "*"},
	{op: "ListAttachedGroupPolicies", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs"},
	{op: "ListAttachedRolePolicies", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "ListAttachedUserPolicies", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListEntitiesForPolicy", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "PolicyArn=" + prefix + "policy/p/pol"},
	{op: "ListGroupPolicies", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs"},
	{op: "ListGroups", resource: "group/"},
	{op: "ListGroupsForUser", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListInstanceProfileTags", resource: "instance-profile/i/prof", shown: "instance profile prof", params: "InstanceProfileName=prof"},
	{op: "ListInstanceProfiles", resource: "instance-profile/"},
	{op: "ListInstanceProfilesForRole", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "ListMFADeviceTags", resource: "mfa/d/spare", params: "SerialNumber=" + prefix + "mfa/d/spare"},
	{op: "ListMFADevices", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListPolicies", resource: "policy/", shown: "policy path /"},
	{op: "ListPolicyTags", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "PolicyArn=" + prefix + "policy/p/pol"},
	{op: "ListPolicyVersions", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "PolicyArn=" + prefix + "policy/p/pol"},
	{op: "ListRolePolicies", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "ListRoleTags", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "ListRoles", resource: "role/"},
	{op: "ListSSHPublicKeys", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListServerCertificateTags", resource: "server-certificate/c/tls", shown: "server certificate tls", params: "ServerCertificateName=tls"},
	{op: "ListServerCertificates", resource: "server-certificate/"},
	{op: "ListServiceSpecificCredentials", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListSigningCertificates", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListUserPolicies", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListUserTags", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "ListUsers", resource: "user/"},
	{op: "ListVirtualMFADevices", resource: "mfa/"},
	{op: "PutGroupPolicy", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs PolicyName=x PolicyDocument=" + anyPolicy},
	{op: "PutRolePermissionsBoundary", resource: "role/r/app", shown: "role app", params: "RoleName=app PermissionsBoundary=" + readOnly},
	{op: "PutRolePolicy", resource: "role/r/app", shown: "role app", params: "RoleName=app PolicyName=x PolicyDocument=" + anyPolicy},
	{op: "PutUserPermissionsBoundary", resource: "user/t/ann", shown: "user ann", params: "UserName=ann PermissionsBoundary=" + readOnly},
	{op: "PutUserPolicy", resource: "user/t/ann", shown: "user ann", params: "UserName=ann PolicyName=x PolicyDocument=" + anyPolicy},
	{op: "RemoveRoleFromInstanceProfile", resource: "instance-profile/full", shown: "instance profile full", params: "InstanceProfileName=full RoleName=app"},
	{op: "RemoveUserFromGroup", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs UserName=ann"},
	{op: "ResetServiceSpecificCredential", resource: "user/t/ann", shown: "user ann", params: "UserName=ann ServiceSpecificCredentialId=ACCAAAAAAAAAAAAAAAAAA"},
	{op: "ResyncMFADevice", resource: "user/t/ann", shown: "user ann", params: "UserName=ann AuthenticationCode1=000000 AuthenticationCode2=000000 SerialNumber=" + prefix + "mfa/none"},
	{op: "SetDefaultPolicyVersion", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "VersionId=v2 PolicyArn=" + prefix + "policy/p/pol"},
	{op: "SetSecurityTokenServicePreferences", resource: "*", params: "GlobalEndpointTokenVersion=v1Token"},
	{op: "SimulateCustomPolicy", resource: "*", params: "ActionNames.member.1=s3:GetObject PolicyInputList.member.1=" + anyPolicy},
	{op: "SimulatePrincipalPolicy", resource: "user/t/ann", shown: "user ann", params: "ActionNames.member.1=s3:GetObject PolicySourceArn=" + prefix + "user/t/ann"},
	{op: "TagInstanceProfile", resource: "instance-profile/i/prof", shown: "instance profile prof", params: "InstanceProfileName=prof Tags.member.1.Key=k Tags.member.1.Value=v"},
	{op: "TagMFADevice", resource: "mfa/d/spare", params: "Tags.member.1.Key=k Tags.member.1.Value=v SerialNumber=" + prefix + "mfa/d/spare"},
	{op: "TagPolicy", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "Tags.member.1.Key=k Tags.member.1.Value=v PolicyArn=" + prefix + "policy/p/pol"},
	{op: "TagRole", resource: "role/r/app", shown: "role app", params: "RoleName=app Tags.member.1.Key=k Tags.member.1.Value=v"},
	{op: "TagServerCertificate", resource: "server-certificate/c/tls", shown: "server certificate tls", params: "ServerCertificateName=tls Tags.member.1.Key=k Tags.member.1.Value=v"},
	{op: "TagUser", resource: "user/t/ann", shown: "user ann", params: "UserName=ann Tags.member.1.Key=k Tags.member.1.Value=v"},
	{op: "UntagInstanceProfile", resource: "instance-profile/i/prof", shown: "instance profile prof", params: "InstanceProfileName=prof TagKeys.member.1=k"},
	{op: "UntagMFADevice", resource: "mfa/d/spare", params: "TagKeys.member.1=k SerialNumber=" + prefix + "mfa/d/spare"},
	{op: "UntagPolicy", resource: "policy/p/pol", shown: "policy " + prefix + "policy/p/pol", params: "TagKeys.member.1=k PolicyArn=" + prefix + "policy/p/pol"},
	{op: "UntagRole", resource: "role/r/app", shown: "role app", params: "RoleName=app TagKeys.member.1=k"},
	{op: "UntagServerCertificate", resource: "server-certificate/c/tls", shown: "server certificate tls", params: "ServerCertificateName=tls TagKeys.member.1=k"},
	{op: "UntagUser", resource: "user/t/ann", shown: "user ann", params: "UserName=ann TagKeys.member.1=k"},
	{op: "UpdateAccessKey", resource: "user/t/ann", shown: "user ann", params: "UserName=ann AccessKeyId=KEY Status=Inactive"},
	{op: "UpdateAccountPasswordPolicy", resource: "*"},
	{op: "UpdateAssumeRolePolicy", resource: "role/r/app", shown: "role app", params: "RoleName=app PolicyDocument=" + trustPolicy},
	{op: "UpdateGroup", resource: "group/g/devs", shown: "group devs", params: "GroupName=devs NewGroupName=ops", also: "iam:UpdateGroup group/g/ops"},
	{op: "UpdateLoginProfile", resource: "user/t/ann", shown: "user ann", params: "UserName=ann"},
	{op: "UpdateRole", resource: "role/r/app", shown: "role app", params: "RoleName=app"},
	{op: "UpdateRoleDescription", resource: "role/r/app", shown: "role app", params: "RoleName=app Description=d"},
	{op: "UpdateSSHPublicKey", resource: "user/t/ann", shown: "user ann", params: "UserName=ann Status=Inactive SSHPublicKeyId=APKAAAAAAAAAAAAAAAAAA"},
	{op: "UpdateServerCertificate", resource: "server-certificate/c/tls", shown: "server certificate tls", params: "ServerCertificateName=tls NewServerCertificateName=web", also: "iam:UpdateServerCertificate server-certificate/c/web"},
	{op: "UpdateServiceSpecificCredential", resource: "user/t/ann", shown: "user ann", params: "UserName=ann Status=Inactive ServiceSpecificCredentialId=ACCAAAAAAAAAAAAAAAAAA"},
	{op: "UpdateSigningCertificate", resource: "user/t/ann", shown: "user ann", params: "UserName=ann Status=Inactive CertificateId=AAAAAAAAAAAAAAAAAAAAAAAA"},
	{op: "UpdateUser", resource: "user/t/ann", shown: "user ann", params: "UserName=ann NewPath=/u/", also: "iam:UpdateUser user/u/ann"},
	{op: "UploadSSHPublicKey", resource: "user/t/ann", shown: "user ann", params: "UserName=ann SSHPublicKeyBody=words"},
	{op: "UploadServerCertificate", resource: "server-certificate/n/new", params: "ServerCertificateName=new Path=/n/ CertificateBody=words PrivateKey=words"},
	{op: "UploadSigningCertificate", resource: "user/t/ann", shown: "user ann", params: "UserName=ann CertificateBody=words"},
}

// absent are the operations that have nothing to do in the test's world once
// they are allowed, with the errors that say so.
var absent = map[string]string{
	"ChangePassword": "NoSuchEntity", "DeleteLoginProfile": "NoSuchEntity", "GetLoginProfile": "NoSuchEntity", "UpdateLoginProfile": "NoSuchEntity",
	"DetachGroupPolicy": "NoSuchEntity", "DetachRolePolicy": "NoSuchEntity", "DetachUserPolicy": "NoSuchEntity",
	"DeactivateMFADevice": "NoSuchEntity", "EnableMFADevice": "NoSuchEntity", "GetMFADevice": "NoSuchEntity", "ResyncMFADevice": "NoSuchEntity",
	"DeleteAccountPasswordPolicy": "NoSuchEntity", "GetAccountPasswordPolicy": "NoSuchEntity",
	"DeleteSSHPublicKey": "NoSuchEntity", "GetSSHPublicKey": "NoSuchEntity", "UpdateSSHPublicKey": "NoSuchEntity", "UploadSSHPublicKey": "UnrecognizedPublicKeyEncoding",
	"DeleteServiceSpecificCredential": "NoSuchEntity", "ResetServiceSpecificCredential": "NoSuchEntity", "UpdateServiceSpecificCredential": "NoSuchEntity",
	"DeleteSigningCertificate": "NoSuchEntity", "UpdateSigningCertificate": "NoSuchEntity", "UploadSigningCertificate": "MalformedCertificate",
	"UploadServerCertificate": "MalformedCertificate",
	"DeleteServiceLinkedRole": "NoSuchEntity", "GetServiceLinkedRoleDeletionStatus": "NoSuchEntity",
	"DeleteAccountAlias": "NoSuchEntity", "RemoveUserFromGroup": "NoSuchEntity",
	"DeleteGroup": "DeleteConflict", "DeletePolicy": "DeleteConflict", "DeleteRole": "DeleteConflict", "DeleteUser": "DeleteConflict",
}

func (c authCase) arn() string {
	if c.resource == "*" {
		return "*"
	}
	return prefix + c.resource
}

// TestEveryOperationIsAuthorized calls each operation without the permission,
// with it on something else, and with exactly it.
func TestEveryOperationIsAuthorized(t *testing.T) {
	listed := make(map[string]bool)
	for _, c := range append(authCases, providerCases()...) {
		listed[c.op] = true
		t.Run("op="+c.op, func(t *testing.T) { c.run(t) })
	}
	for _, op := range allOps() {
		if !listed[op.Name] {
			t.Errorf("operation %s: no case says which permission it needs", op.Name)
		}
	}
}

func (c authCase) run(t *testing.T) {
	w := newWorld(t)
	w.providers(t)
	action := "iam:" + c.op
	var params []string
	if c.params != "" {
		params = strings.Split(strings.ReplaceAll(c.params, "KEY", w.key), " ")
	}
	shown := strings.ReplaceAll(c.shown, "KEY", w.key)
	if shown == "" {
		shown = c.arn()
	}
	refused := fmt.Sprintf("User: %suser/carl is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action. Encoded", prefix, action, shown, action)
	if got := w.carl.Fail("AccessDenied", c.op, params...); !strings.HasPrefix(got, refused) {
		t.Fatalf("without a policy: %s\nwant %s…", got, refused)
	}
	statements := []string{allowing(action, c.arn())}
	if c.also != "" {
		w.allow(t, policyOf(statements))
		more, resource, _ := strings.Cut(c.also, " ")
		want := fmt.Sprintf("perform: %s on resource: %s%s ", more, prefix, resource)
		if got := w.carl.Fail("AccessDenied", c.op, params...); !strings.Contains(got, want) {
			t.Fatalf("without the further permission: %s\nwant …%s…", got, want)
		}
		statements = append(statements, allowing(more, prefix+resource))
	}
	if c.resource != "*" {
		w.allow(t, policyOf([]string{allowing(action, c.arn()+"x")}))
		w.carl.Fail("AccessDenied", c.op, params...)
	}
	w.allow(t, policyOf(statements))
	status, body := w.carl.Call(c.op, params...)
	if code := iamtest.Element(body, "Code"); status != 200 && code != absent[c.op] || status == 200 && absent[c.op] != "" {
		t.Errorf("with the permission: %d %s, want %q\n%s", status, code, absent[c.op], body)
	}
	rec := w.LastRecord()
	if rec.EventName != c.op || rec.Decision.Outcome != "allow" || rec.Decision.Policy != "test" || rec.ReadOnly == iamWrites[c.op] {
		t.Errorf("audit record: %s %+v readOnly=%v", rec.EventName, rec.Decision, rec.ReadOnly)
	}
}

// allOps are the operations of IAM in every package that has some.
func allOps() []api.Op {
	return iamapi.New(iamapi.Options{}, credapi.Ops(credapi.Options{})...).Ops()
}

// iamWrites are the operations that change something.
var iamWrites = func() map[string]bool {
	m := make(map[string]bool)
	for _, op := range allOps() {
		m[op.Name] = op.Changes
	}
	return m
}()

func allowing(action, resource string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)
}

func policyOf(statements []string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}
