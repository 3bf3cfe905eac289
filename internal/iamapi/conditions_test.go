// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const adminAccess = "arn:aws:iam::aws:policy/AdministratorAccess"

// conditionCases are calls of carl, whose tag is dept=kitchen, with one policy.
// The condition stands in an Allow of the action on every resource.
var conditionCases = []struct {
	name      string
	action    string // "" means that of the operation
	condition string
	op        string
	params    string
	ok        bool
	more      string // a further statement
}{
	{"only-that-policy-may-be-attached", "", `"ArnEquals":{"iam:PolicyARN":"` + readOnly + `"}`,
		"AttachUserPolicy", "UserName=ann PolicyArn=" + readOnly, true, ""},
	{"another-policy-may-not-be-attached", "", `"ArnEquals":{"iam:PolicyARN":"` + readOnly + `"}`,
		"AttachUserPolicy", "UserName=ann PolicyArn=" + adminAccess, false, ""},
	{"a-user-is-made-with-the-required-boundary", "", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`,
		"CreateUser", "UserName=new PermissionsBoundary=" + readOnly, true, ""},
	{"a-user-is-not-made-without-the-required-boundary", "", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`,
		"CreateUser", "UserName=new", false, ""},
	{"a-role-is-not-made-with-another-boundary", "", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`,
		"CreateRole", "RoleName=new AssumeRolePolicyDocument=" + trustPolicy + " PermissionsBoundary=" + adminAccess, false, ""},
	{"a-policy-is-put-on-a-user-with-the-boundary", "", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`,
		"PutUserPolicy", "UserName=ann PolicyName=x PolicyDocument=" + anyPolicy, true, ""},
	{"a-policy-is-not-put-on-a-user-without-the-boundary", "", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`,
		"PutUserPolicy", "UserName=carl PolicyName=x PolicyDocument=" + anyPolicy, false, ""},
	{"the-new-boundary-counts-when-it-is-replaced", "", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`,
		"PutUserPermissionsBoundary", "UserName=ann PermissionsBoundary=" + adminAccess, false, ""},
	{"the-boundary-in-force-counts-when-it-is-removed", "", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`,
		"DeleteRolePermissionsBoundary", "RoleName=app", true, ""},
	{"a-role-may-be-passed-to-ec2", "iam:PassRole", `"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}`,
		"AddRoleToInstanceProfile", "InstanceProfileName=prof RoleName=app", true, allowing("iam:AddRoleToInstanceProfile", "*")},
	{"a-role-may-not-be-passed-to-ec2", "iam:PassRole", `"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}`,
		"AddRoleToInstanceProfile", "InstanceProfileName=prof RoleName=app", false, allowing("iam:AddRoleToInstanceProfile", "*")},
	{"tags-at-creation-need-the-permission-to-tag", "iam:CreateUser", "",
		"CreateUser", "UserName=new Tags.member.1.Key=team Tags.member.1.Value=blue", false, ""},
	{"a-required-tag-is-there", "", `"StringEquals":{"aws:RequestTag/team":"blue"}`,
		"CreateUser", "UserName=new Tags.member.1.Key=team Tags.member.1.Value=blue", true, allowing("iam:TagUser", "*")},
	{"a-required-tag-has-another-value", "", `"StringEquals":{"aws:RequestTag/team":"blue"}`,
		"CreateUser", "UserName=new Tags.member.1.Key=team Tags.member.1.Value=red", false, allowing("iam:TagUser", "*")},
	{"only-listed-tag-keys", "", `"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}`,
		"TagRole", "RoleName=app Tags.member.1.Key=cost Tags.member.1.Value=1", true, ""},
	{"a-tag-key-that-is-not-listed", "", `"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}`,
		"TagRole", "RoleName=app Tags.member.1.Key=cost Tags.member.1.Value=1 Tags.member.2.Key=x Tags.member.2.Value=1", false, ""},
	{"untagging-a-key-that-is-not-listed", "", `"ForAllValues:StringEquals":{"aws:TagKeys":["cost"]}`,
		"UntagPolicy", "TagKeys.member.1=team PolicyArn=" + prefix + "policy/p/pol", false, ""},
	{"the-resource-has-the-tag", "", `"StringEquals":{"aws:ResourceTag/team":"blue"}`,
		"UpdateRole", "RoleName=app", true, ""},
	{"the-role-has-the-tag-under-its-older-key", "", `"StringEquals":{"iam:ResourceTag/team":"blue"}`,
		"UpdateRole", "RoleName=app", true, ""},
	{"only-users-and-roles-have-tags-under-the-older-key", "", `"StringEquals":{"iam:ResourceTag/team":"blue"}`,
		"DeleteInstanceProfile", "InstanceProfileName=prof", false, ""},
	{"the-resource-has-no-tag", "", `"StringEquals":{"aws:ResourceTag/team":"blue"}`,
		"GetUser", "UserName=carl", false, ""},
	{"the-caller-and-the-resource-have-one-tag", "", `"StringEquals":{"aws:ResourceTag/dept":"${aws:PrincipalTag/dept}"}`,
		"GetUser", "UserName=carl", true, ""},
	{"the-caller-and-the-resource-differ-in-a-tag", "", `"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/dept}"}`,
		"GetUser", "UserName=ann", false, ""},
	{"from-this-address", "", `"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`, "ListUsers", "", true, ""},
	{"from-another-address", "", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`, "ListUsers", "", false, ""},
	{"long-term-keys-say-nothing-of-mfa", "", `"Null":{"aws:MultiFactorAuthPresent":"true"}`, "ListUsers", "", true, ""},
	{"mfa-is-required-and-absent", "", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`, "ListUsers", "", false, ""},
	{"long-term-keys-have-no-issue-time", "", `"Null":{"aws:TokenIssueTime":"true"}`, "ListUsers", "", true, ""},
	{"the-connection-is-plain", "", `"Bool":{"aws:SecureTransport":"true"}`, "ListUsers", "", false, ""},
	{"the-caller-by-arn", "", `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/ca??"}`, "ListUsers", "", true, ""},
	{"the-region-of-the-scope", "", `"StringEquals":{"aws:RequestedRegion":"us-east-1"}`, "ListUsers", "", true, ""},
	{"the-client-by-name", "", `"StringLike":{"aws:UserAgent":"iam*"}`, "ListUsers", "", true, ""},
	{"before-a-date-that-is-past", "", `"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`, "ListUsers", "", false, ""},
}

func TestConditionKeys(t *testing.T) {
	for _, tt := range conditionCases {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.change(t, func(tx *store.Tx) error {
				u, err := tx.User("carl")
				if err != nil {
					return err
				}
				u.Tags = []store.Tag{{Key: "dept", Value: "kitchen"}}
				return tx.PutUser(u)
			})
			action := tt.action
			if action == "" {
				action = "iam:" + tt.op
			}
			statements := []string{fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":"*","Condition":{%s}}`, action, tt.condition)}
			if tt.more != "" {
				statements = append(statements, tt.more)
			}
			w.allow(t, policyOf(statements))
			params := strings.Fields(tt.params)
			status, body := w.carl.Call(tt.op, params...)
			if (status == 200) != tt.ok || status != 200 && iamtest.Element(body, "Code") != "AccessDenied" {
				t.Errorf("%s(%s) = %d, want allowed %v\n%s", tt.op, tt.params, status, tt.ok, body)
			}
		})
	}
}

// TestRefusalsNameTheLayer shows AWS's sentences (IAM User Guide, "Troubleshoot
// access denied error messages").
func TestRefusalsNameTheLayer(t *testing.T) {
	w := newWorld(t)
	deny := strings.Replace(allowing("iam:ListUsers", "*"), "Allow", "Deny", 1)
	for _, tt := range []struct{ name, policy, boundary, want string }{
		{"nothing-allows", policyOf(nil), "", " because no identity-based policy allows the iam:ListUsers action"},
		{"a-policy-denies", policyOf([]string{allowing("*", "*"), deny}), "", " with an explicit deny in an identity-based policy"},
		{"the-boundary-does-not-allow", policyOf([]string{allowing("*", "*")}), prefix + "policy/p/pol", " because no permissions boundary allows the iam:ListUsers action"},
		{"both-are-silent", policyOf(nil), prefix + "policy/p/pol", " because no identity-based policy allows the iam:ListUsers action"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.change(t, func(tx *store.Tx) error {
				if u, err := tx.User("carl"); err != nil || u.Boundary == tt.boundary {
					return err
				}
				return tx.SetBoundary(store.UserHolder("carl"), tt.boundary)
			})
			w.allow(t, strings.Replace(tt.policy, `"Statement":[]`, `"Statement":[`+allowing("s3:ListAllMyBuckets", "*")+`]`, 1))
			got, _, _ := strings.Cut(w.carl.Fail("AccessDenied", "ListUsers"), ". Encoded")
			want := "User: " + prefix + "user/carl is not authorized to perform: iam:ListUsers on resource: " + prefix + "user/" + tt.want
			if got != want {
				t.Errorf("ListUsers: %s\nwant %s", got, want)
			}
		})
	}
}

// TestOwnThings: the everyday policies that let a user manage itself.
func TestOwnThings(t *testing.T) {
	w := newWorld(t)
	own := prefix + "user/${aws:username}"
	w.allow(t, policyOf([]string{
		`{"Effect":"Allow","Action":["iam:*AccessKey*","iam:ChangePassword","iam:GetUser"],"Resource":"` + own + `"}`,
	}))
	id := iamtest.Element(w.carl.OK("CreateAccessKey"), "AccessKeyId")
	w.carl.Fail("LimitExceeded", "CreateAccessKey", "UserName=carl")
	w.carl.OK("UpdateAccessKey", "AccessKeyId="+id, "Status=Inactive")
	w.carl.OK("DeleteAccessKey", "AccessKeyId="+id)
	w.carl.Fail("AccessDenied", "CreateAccessKey", "UserName=ann")
	w.carl.Fail("AccessDenied", "DeleteAccessKey", "UserName=ann", "AccessKeyId="+w.key)
	w.carl.Fail("NoSuchEntity", "DeleteAccessKey", "AccessKeyId="+w.key) // one's own keys only
	w.carl.OK("GetUser")

	w.Admin().OK("CreateLoginProfile", "UserName=carl", "Password=Old-Pa55word")
	w.carl.Fail("AccessDenied", "ChangePassword", "OldPassword=wrong", "NewPassword=New-Pa55word")
	w.carl.Fail("PasswordPolicyViolation", "ChangePassword", "OldPassword=Old-Pa55word", "NewPassword=short")
	w.carl.OK("ChangePassword", "OldPassword=Old-Pa55word", "NewPassword=New-Pa55word")
	w.carl.Fail("AccessDenied", "ChangePassword", "OldPassword=Old-Pa55word", "NewPassword=Other-Pa55word")
	w.carl.Fail("AccessDenied", "UpdateLoginProfile", "UserName=carl", "Password=Other-Pa55word")
}

// TestRefusalsDoNotTellWhatExists: without the permission, something that exists
// and something that does not look the same.
func TestRefusalsDoNotTellWhatExists(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ op, param, there, gone string }{
		{"GetUser", "UserName", "ann", "nan"},
		{"GetGroup", "GroupName", "devs", "none"},
		{"GetRole", "RoleName", "app", "nop"},
		{"GetInstanceProfile", "InstanceProfileName", "full", "gone"},
		{"GetPolicy", "PolicyArn", prefix + "policy/p/pol", prefix + "policy/p/nop"},
		{"GetAccessKeyLastUsed", "AccessKeyId", w.key, w.key[:19] + "X"},
	} {
		refusal := func(name string) string {
			text, _, _ := strings.Cut(w.carl.Fail("AccessDenied", tt.op, tt.param+"="+name), ". Encoded")
			return strings.ReplaceAll(text, name, "NAME")
		}
		if there, gone := refusal(tt.there), refusal(tt.gone); there != gone {
			t.Errorf("%s: %s\nbut for what is not there: %s", tt.op, there, gone)
		}
	}
}
