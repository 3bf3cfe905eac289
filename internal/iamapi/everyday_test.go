// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func TestRootUser(t *testing.T) {
	w := newWorld(t)
	root := w.Root(iamtest.Account)
	root.OK("ListUsers") // root needs no policy
	body := root.OK("GetUser")
	if got := iamtest.Element(body, "Arn") + " " + iamtest.Element(body, "UserId"); got != prefix+"root "+iamtest.Account {
		t.Errorf("GetUser by root: %s", got)
	}
	key := root.OK("CreateAccessKey")
	root.Fail("LimitExceeded", "CreateAccessKey")
	second := w.Client(iamtest.Element(key, "AccessKeyId"), iamtest.Element(key, "SecretAccessKey"), "")
	second.OK("GetCallerIdentity")
	if got := iamtest.Elements(second.OK("ListAccessKeys"), "AccessKeyId"); len(got) != 2 {
		t.Errorf("ListAccessKeys by root: %v", got)
	}
	second.OK("UpdateAccessKey", "AccessKeyId="+root.Key, "Status=Inactive")
	root.Fail("InvalidClientTokenId", "GetCallerIdentity")
	second.Fail("InvalidInput", "UpdateAccessKey", "AccessKeyId="+root.Key, "Status=Expired") // a status of AWS's model, not to be set
	root.Fail("InvalidClientTokenId", "GetCallerIdentity")
	second.OK("DeleteAccessKey", "AccessKeyId="+root.Key)
	second.Fail("InvalidUserType", "ChangePassword", "OldPassword=a", "NewPassword=b")
	summary := second.OK("GetAccountSummary")
	if !strings.Contains(summary, "<key>AccountAccessKeysPresent</key><value>1</value>") {
		t.Errorf("GetAccountSummary does not tell of root's key: %s", summary)
	}
}

// TestWithoutName: operations on oneself, by callers that are no users.
func TestWithoutName(t *testing.T) {
	w := newWorld(t)
	w.allow(t, policyOf([]string{allowing("*", "*")}))
	w.change(t, func(tx *store.Tx) error {
		if err := tx.Attach(store.RoleHolder("app"), adminAccess); err != nil {
			return err
		}
		return tx.SetBoundary(store.RoleHolder("app"), "")
	})
	visit := w.carl.Assume(prefix+"role/r/app", "visit")
	for _, op := range []string{"GetUser", "CreateAccessKey", "ListAccessKeys", "GetLoginProfile"} {
		if got, want := visit.Fail("ValidationError", op), "Must specify userName when calling with non-User credentials"; got != want {
			t.Errorf("%s by a role: %s, want %s", op, got, want)
		}
	}
	if got := iamtest.Element(visit.OK("GetUser", "UserName=ann"), "UserName"); got != "ann" {
		t.Errorf("GetUser(ann) by a role = %s", got)
	}
}

// TestUpdateRole: what the request does not have stays, but for the duration
// (Q031).
func TestUpdateRole(t *testing.T) {
	w := newWorld(t)
	w.Admin().OK("UpdateRole", "RoleName=app", "Description=one", "MaxSessionDuration=7200")
	w.Admin().OK("UpdateRole", "RoleName=app")
	body := w.Admin().OK("GetRole", "RoleName=app")
	if d, m := iamtest.Element(body, "Description"), iamtest.Element(body, "MaxSessionDuration"); d != "one" || m != "3600" {
		t.Errorf("UpdateRole without parameters: description %q, at most %s seconds", d, m)
	}
}

func TestANewUserHasNoCredentials(t *testing.T) {
	w := newWorld(t)
	w.Admin().OK("CreateUser", "UserName=new")
	if got := iamtest.Elements(w.Admin().OK("ListAccessKeys", "UserName=new"), "AccessKeyId"); len(got) > 0 {
		t.Errorf("a new user has keys: %v", got)
	}
	w.Admin().Fail("NoSuchEntity", "GetLoginProfile", "UserName=new")
}

// TestGroupUnion: permissions of several groups add up, and a deny in one of
// them prevails.
func TestGroupUnion(t *testing.T) {
	w := newWorld(t)
	for name, statement := range map[string]string{
		"one": allowing("iam:List*", "*"), "two": allowing("iam:Get*", "*"),
		"not": `{"Effect":"Deny","Action":"iam:ListRoles","Resource":"*"}`,
	} {
		w.Admin().OK("CreateGroup", "GroupName="+name)
		w.Admin().OK("PutGroupPolicy", "GroupName="+name, "PolicyName=p", `PolicyDocument={"Version":"2008-10-17","Statement":[`+statement+`]}`)
		w.Admin().OK("AddUserToGroup", "GroupName="+name, "UserName=carl")
	}
	w.carl.OK("ListUsers")
	w.carl.OK("GetUser", "UserName=ann")
	if got := w.carl.Fail("AccessDenied", "ListRoles"); !strings.Contains(got, "with an explicit deny in an identity-based policy") {
		t.Errorf("ListRoles: %s", got)
	}
	w.Admin().OK("RemoveUserFromGroup", "GroupName=not", "UserName=carl")
	w.carl.OK("ListRoles")
	w.Admin().Fail("NoSuchEntity", "AddUserToGroup", "GroupName=one", "UserName=two")
	w.Admin().Fail("NoSuchEntity", "AddUserToGroup", "GroupName=one", "UserName=app")
}

// TestParallelKeys: of many who add a key at once, two succeed.
func TestParallelKeys(t *testing.T) {
	w := newWorld(t)
	w.Admin().OK("CreateUser", "UserName=busy")
	var mu sync.Mutex
	answers := make(map[string]int)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			status, body := w.Admin().Call("CreateAccessKey", "UserName=busy")
			mu.Lock()
			defer mu.Unlock()
			answers[fmt.Sprint(status, iamtest.Element(body, "Code"))]++
		})
	}
	wg.Wait()
	if answers["200"] != 2 || answers["409LimitExceeded"] != 48 {
		t.Errorf("50 parallel CreateAccessKey: %v, want 2 keys and 48 times LimitExceeded", answers)
	}
}

// TestTrustFollowsTheUniqueID: a user made anew under the name that a role
// trusts is not trusted.
func TestTrustFollowsTheUniqueID(t *testing.T) {
	w := newWorld(t)
	eve := w.User("eve", "")
	w.Admin().OK("CreateRole", "RoleName=vault", "AssumeRolePolicyDocument="+strings.Replace(trustPolicy, iamtest.Account, prefix+"user/eve", 1))
	role := prefix + "role/vault"
	eve.Assume(role, "visit").OK("GetCallerIdentity")
	w.Admin().OK("DeleteAccessKey", "UserName=eve", "AccessKeyId="+eve.Key)
	w.Admin().OK("DeleteUser", "UserName=eve")
	again := w.User("eve", "")
	again.Fail("AccessDenied", "AssumeRole", "RoleArn="+role, "RoleSessionName=visit")
	shown := iamtest.Element(w.Admin().OK("GetRole", "RoleName=vault"), "AssumeRolePolicyDocument")
	w.Admin().Fail("MalformedPolicyDocument", "UpdateAssumeRolePolicy", "RoleName=vault", "PolicyDocument="+strings.Replace(trustPolicy, iamtest.Account, "AIDAIOSFODNN7EXAMPLE1", 1))
	if strings.Contains(shown, "eve") || !strings.Contains(shown, "AIDA") {
		t.Errorf("the trust policy shows %s, want a unique id", shown)
	}
	w.Admin().OK("UpdateAssumeRolePolicy", "RoleName=vault", "PolicyDocument="+strings.Replace(trustPolicy, iamtest.Account, prefix+"user/eve", 1))
	again.OK("AssumeRole", "RoleArn="+role, "RoleSessionName=visit")
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin()
	long := strings.Repeat("x", 2048)
	document := func(n int) string {
		return policyOf([]string{allowing("s3:GetObject", "arn:aws:s3:::"+long[:n])})
	}
	for i := range 10 {
		admin.OK("CreatePolicy", fmt.Sprintf("PolicyName=p%d", i), "PolicyDocument="+anyPolicy)
		admin.OK("AttachGroupPolicy", "GroupName=devs", fmt.Sprintf("PolicyArn=%spolicy/p%d", prefix, i))
	}
	tags := []string{"UserName=carl"}
	for i := range 50 {
		tags = append(tags, fmt.Sprintf("Tags.member.%d.Key=k%d", i+1, i), fmt.Sprintf("Tags.member.%d.Value=v", i+1))
	}
	admin.OK("TagUser", tags...)
	for _, tt := range []struct {
		name, op string
		params   []string
		code     string
		says     string
	}{
		{"an-eleventh-policy", "AttachGroupPolicy", []string{"GroupName=devs", "PolicyArn=" + readOnly}, "LimitExceeded", "Cannot exceed quota for PoliciesPerGroup: 10"},
		{"a-51st-tag", "TagUser", []string{"UserName=carl", "Tags.member.1.Key=more", "Tags.member.1.Value=v"}, "LimitExceeded", "Cannot exceed quota for TagsPerResource: 50"},
		{"a-large-inline-policy", "PutUserPolicy", []string{"UserName=carl", "PolicyName=x", "PolicyDocument=" + document(2000)}, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user carl"},
		{"white-space-is-free", "PutUserPolicy", []string{"UserName=carl", "PolicyName=x", "PolicyDocument=" + strings.Repeat(" ", 3000) + document(100)}, "", ""},
		{"the-sum-counts", "PutUserPolicy", []string{"UserName=carl", "PolicyName=y", "PolicyDocument=" + document(1900)}, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user carl"},
		{"a-large-trust-policy", "UpdateAssumeRolePolicy", []string{"RoleName=app", "PolicyDocument=" + strings.Replace(trustPolicy, `"Effect"`, `"Sid":"`+long+`","Effect"`, 1)}, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"},
		{"a-large-managed-policy", "CreatePolicy", []string{"PolicyName=big", "PolicyDocument=" + strings.Repeat(document(2000), 4)}, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"},
		{"letters-beyond-latin-1", "PutUserPolicy", []string{"UserName=carl", "PolicyName=z", "PolicyDocument=" + policyOf([]string{allowing("s3:*", "arn:aws:s3:::\u0101")})}, "ValidationError", "policyDocument"},
		{"a-name-too-long", "CreateUser", []string{"UserName=" + long[:65]}, "ValidationError", "less than or equal to 64"},
		{"a-path-without-its-end", "CreateUser", []string{"UserName=x", "Path=/a"}, "ValidationError", "'path'"},
		{"a-reserved-tag", "TagUser", []string{"UserName=ann", "Tags.member.1.Key=aws:x", "Tags.member.1.Value=v"}, "InvalidInput", "reserved"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.code == "" {
				admin.OK(tt.op, tt.params...)
				return
			}
			if got := admin.Fail(tt.code, tt.op, tt.params...); !strings.Contains(got, tt.says) {
				t.Errorf("%s: %s\nwant %s", tt.op, got, tt.says)
			}
		})
	}
}

// TestSecretsStayOut: passwords and secret keys are not in the audit record.
func TestSecretsStayOut(t *testing.T) {
	w := newWorld(t)
	secret := iamtest.Element(w.Admin().OK("CreateAccessKey", "UserName=ann"), "SecretAccessKey")
	key := w.LastRecord()
	w.Admin().OK("CreateLoginProfile", "UserName=ann", "Password=Pa55word!")
	login := w.LastRecord()
	if text := string(key.AppendJSON(nil)); strings.Contains(text, secret) || !strings.Contains(text, "HIDDEN_DUE_TO_SECURITY_REASONS") {
		t.Errorf("the record of CreateAccessKey: %s", text)
	}
	if text := string(login.AppendJSON(nil)); strings.Contains(text, "Pa55word!") {
		t.Errorf("the record of CreateLoginProfile: %s", text)
	}
}
