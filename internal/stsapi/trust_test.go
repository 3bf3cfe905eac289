// SPDX-License-Identifier: Apache-2.0

package stsapi_test

import (
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// TestWhoMayAssume: in one account the trust policy alone may grant, by naming
// the caller; across accounts both sides must.
func TestWhoMayAssume(t *testing.T) {
	w := newWorld(t)
	none := w.User("none", "")
	stranger := w.AddAccount(other)
	stranger.OK("CreateUser", "UserName=carl")
	key := stranger.OK("CreateAccessKey", "UserName=carl")
	powerless := w.Client(iamtest.Element(key, "AccessKeyId"), iamtest.Element(key, "SecretAccessKey"), "")
	for _, tt := range []struct {
		name, trust string
		client      *iamtest.Client
		ok          bool
	}{
		{"account-trusted-and-caller-allowed", trusts(iamtest.Account), w.carl, true},
		{"account-trusted-and-caller-not-allowed", trusts(iamtest.Account), none, false},
		{"caller-named", trusts(prefix + "user/none"), none, true},
		{"another-named", trusts(prefix + "user/none"), w.carl, false},
		{"other-account-not-trusted", trusts(iamtest.Account), stranger, false},
		{"other-account-trusted-and-caller-allowed", trusts(other), stranger, true},
		{"other-account-trusted-and-caller-not-allowed", trusts(other), powerless, false},
		{"other-caller-named-and-not-allowed", trusts("arn:aws:iam::" + other + ":user/carl"), powerless, false},
		{"everyone-trusted-across-accounts-needs-both", trusts("*"), powerless, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			role := w.role(tt.name, tt.trust)
			status, body := tt.client.Call("AssumeRole", assume(role)...)
			if (status == 200) != tt.ok {
				t.Fatalf("AssumeRole = %d, want allowed %v\n%s", status, tt.ok, body)
			}
			if tt.ok {
				return
			}
			got := iamtest.Element(body, "Message")
			gone := tt.client.Fail("AccessDenied", "AssumeRole", assume(role+"x")...)
			if strings.ReplaceAll(gone, role+"x", role) != got || !strings.HasSuffix(got, "is not authorized to perform: sts:AssumeRole on resource: "+role) {
				t.Errorf("a refusal tells whether the role exists:\n%s\n%s", got, gone)
			}
		})
	}
}

// TestTrustConditions: the condition keys of AssumeRole.
func TestTrustConditions(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, condition string
		params          []string
		ok              bool
	}{
		{"external-id-right", `"StringEquals":{"sts:ExternalId":"e-17"}`, []string{"ExternalId=e-17"}, true},
		{"external-id-wrong", `"StringEquals":{"sts:ExternalId":"e-17"}`, []string{"ExternalId=e-18"}, false},
		{"external-id-missing", `"StringEquals":{"sts:ExternalId":"e-17"}`, nil, false},
		{"session-name-right", `"StringLike":{"sts:RoleSessionName":"vis*"}`, nil, true},
		{"session-name-is-the-users", `"StringEquals":{"sts:RoleSessionName":"${aws:username}"}`, nil, false},
		{"source-identity-right", `"StringEquals":{"sts:SourceIdentity":"carl"}`, []string{"SourceIdentity=carl"}, true},
		{"source-identity-missing", `"StringEquals":{"sts:SourceIdentity":"carl"}`, nil, false},
		{"request-tag-right", `"StringEquals":{"aws:RequestTag/team":"blue"}`, []string{"Tags.member.1.Key=team", "Tags.member.1.Value=blue"}, true},
		{"request-tag-wrong", `"StringEquals":{"aws:RequestTag/team":"blue"}`, []string{"Tags.member.1.Key=team", "Tags.member.1.Value=red"}, false},
		{"tag-keys-listed", `"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}`, []string{"Tags.member.1.Key=team", "Tags.member.1.Value=x"}, true},
		{"tag-keys-not-listed", `"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}`, []string{"Tags.member.1.Key=cost", "Tags.member.1.Value=x"}, false},
		{"transitive-keys-listed", `"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":["team"]}`,
			[]string{"Tags.member.1.Key=team", "Tags.member.1.Value=x", "TransitiveTagKeys.member.1=team"}, true},
		{"transitive-keys-absent", `"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":["team"]}`, []string{"Tags.member.1.Key=team", "Tags.member.1.Value=x"}, false},
		{"mfa-required", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`, nil, false},
		{"address-right", `"IpAddress":{"aws:SourceIp":"127.0.0.1"}`, nil, true},
		{"address-wrong", `"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}`, nil, false},
		{"principal-arn-right", `"ArnEquals":{"aws:PrincipalArn":"` + prefix + `user/carl"}`, nil, true},
		{"principal-account-wrong", `"StringEquals":{"aws:PrincipalAccount":"` + other + `"}`, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			role := w.role(tt.name, trusts(iamtest.Account)+`,"Condition":{`+tt.condition+`}`)
			if status, body := w.carl.Call("AssumeRole", assume(role, tt.params...)...); (status == 200) != tt.ok {
				t.Errorf("AssumeRole = %d, want allowed %v\n%s", status, tt.ok, body)
			}
		})
	}
}

// TestPermissions: who may call which operation. GetCallerIdentity and
// GetSessionToken need no permission.
func TestPermissions(t *testing.T) {
	w := newWorld(t)
	nobody := w.User("nobody", "")
	denied := w.User("denied", strings.Replace(allowAll, "Allow", "Deny", 1))
	federated := strings.Replace(prefix, ":iam:", ":sts:", 1) + "federated-user/kim"
	role := w.role("app", trusts(iamtest.Account))
	for _, tt := range []struct {
		op, resource, params string
		open                 bool
	}{
		{"AssumeRole", role, "RoleSessionName=visit RoleArn=" + role, false},
		{"DecodeAuthorizationMessage", "*", "EncodedMessage=x", false},
		{"GetAccessKeyInfo", "*", "AccessKeyId=" + w.carl.Key, false},
		{"GetCallerIdentity", "*", "", true},
		{"GetFederationToken", federated, "Name=kim", false},
		{"GetSessionToken", "*", "", true},
	} {
		t.Run("op="+tt.op, func(t *testing.T) {
			params := strings.Fields(tt.params)
			if tt.open {
				nobody.OK(tt.op, params...)
			} else if got, want := nobody.Fail("AccessDenied", tt.op, params...), "perform: sts:"+tt.op+" on resource: "+tt.resource; !strings.Contains(got, want) {
				t.Errorf("without permission: %s\nwant …%s…", got, want)
			}
			if tt.op == "GetCallerIdentity" {
				denied.OK(tt.op) // it cannot even be denied
			}
			w.change(func(tx *store.Tx) error {
				text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:` + tt.op + `","Resource":"` + tt.resource + `"}}`
				return tx.PutInline(store.UserHolder("nobody"), "test", store.NewDocument("test", text))
			})
			if status, body := nobody.Call(tt.op, params...); iamtest.Element(body, "Code") == "AccessDenied" {
				t.Errorf("with the permission: %d\n%s", status, body)
			}
			w.change(func(tx *store.Tx) error { return tx.DeleteInline(store.UserHolder("nobody"), "test") })
		})
	}
}

// TestIdentities: what GetCallerIdentity says of each kind of caller.
func TestIdentities(t *testing.T) {
	w := newWorld(t)
	sts := strings.Replace(prefix, ":iam:", ":sts:", 1)
	w.Admin().OK("CreateRole", "RoleName=app", "Path=/deep/", `AssumeRolePolicyDocument={"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+trusts(prefix+"user/carl")+`}]}`)
	userID := iamtest.Element(w.carl.OK("GetUser"), "UserId")
	roleID := iamtest.Element(w.Admin().OK("GetRole", "RoleName=app"), "RoleId")
	for _, tt := range []struct {
		name    string
		client  *iamtest.Client
		arn, id string
	}{
		{"user", w.carl, prefix + "user/carl", userID},
		{"session-of-a-user", w.carl.Session("GetSessionToken"), prefix + "user/carl", userID},
		{"role-without-its-path", w.carl.Assume(prefix+"role/deep/app", "visit"), sts + "assumed-role/app/visit", roleID + ":visit"},
		{"federated", w.carl.Session("GetFederationToken", "Name=kim"), sts + "federated-user/kim", iamtest.Account + ":kim"},
		{"root", w.Root(iamtest.Account), prefix + "root", iamtest.Account},
	} {
		body := tt.client.OK("GetCallerIdentity")
		if got := iamtest.Element(body, "Arn"); got != tt.arn {
			t.Errorf("%s: Arn = %q, want %q", tt.name, got, tt.arn)
		}
		if got := iamtest.Element(body, "UserId"); got != tt.id {
			t.Errorf("%s: UserId = %q, want %q", tt.name, got, tt.id)
		}
	}
	w.carl.Fail("AccessDenied", "AssumeRole", assume(prefix+"role/app")...) // the path is part of the ARN
	w.carl.Fail("ValidationError", "AssumeRole", assume("nothing-valid-in-here-12345")...)
}
