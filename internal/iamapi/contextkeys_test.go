// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// members are the members of the only list of an answer.
func members(body string) []string { return iamtest.Elements(body, "member") }

// TestContextKeys: the keys of conditions and the variables of policies, each
// once and as spelt first, in the order of the text (Q068).
func TestContextKeys(t *testing.T) {
	w := newWorld(t)
	statement := func(rest string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",` + rest + `}}`
	}
	for _, tt := range []struct{ name, policy, want string }{
		{"nothing", statement(`"Resource":"*"`), ""},
		{"a-variable-and-a-key", statement(`"Resource":"arn:aws:dynamodb:us-west-2:111122223333:table/${aws:username}","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}`), "aws:username aws:CurrentTime"},
		{"conditions-before-the-resource", statement(`"Condition":{"Bool":{"aws:SecureTransport":"true"}},"Resource":"arn:aws:s3:::${aws:PrincipalTag/team}/*"`), "aws:SecureTransport aws:PrincipalTag/team"},
		{"a-resource-that-is-excluded", statement(`"NotResource":"arn:aws:s3:::home/${aws:userid}"`), "aws:userid"},
		{"a-variable-as-value", statement(`"Resource":"*","Condition":{"StringLike":{"s3:prefix":["","home/${aws:username}/*"]}}`), "s3:prefix aws:username"},
		{"a-variable-with-a-default", statement(`"Resource":"arn:aws:s3:::${aws:PrincipalTag/team, 'none'}"`), "aws:PrincipalTag/team"},
		{"several-in-one-value", statement(`"Resource":"arn:aws:s3:::${aws:PrincipalAccount}-${aws:username}"`), "aws:PrincipalAccount aws:username"},
		{"each-once-as-spelt-first", statement(`"Resource":"arn:aws:s3:::${aws:UserName}","Condition":{"StringEquals":{"aws:username":"ann"},"StringLike":{"AWS:USERNAME":"a*"}}`), "aws:UserName"},
		{"characters-that-are-written-so", statement(`"Resource":"arn:aws:s3:::${*}${?}${$}"`), ""},
		{"qualified-operators", statement(`"Resource":"*","Condition":{"ForAllValues:StringEqualsIfExists":{"aws:TagKeys":"a"},"Null":{"aws:TokenIssueTime":"true"}}`), "aws:TagKeys aws:TokenIssueTime"},
		{"no-variables-in-numbers", statement(`"Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":"10"}}`), "s3:max-keys"},
		{"the-older-version-has-no-variables", strings.Replace(statement(`"Resource":"arn:aws:s3:::${aws:username}"`), "2012-10-17", "2008-10-17", 1), ""},
		{"a-resource-policy", statement(`"Principal":"*","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}`), "aws:SourceVpce"},
		{"a-trust-policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}`, "sts:ExternalId"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := w.Admin().OK("GetContextKeysForCustomPolicy", "PolicyInputList.member.1="+tt.policy)
			if got := strings.Join(members(body), " "); got != tt.want || !strings.Contains(body, "<ContextKeyNames") {
				t.Errorf("keys = %q, want %q\n%s", got, tt.want, body)
			}
		})
	}
	body := w.Admin().OK("GetContextKeysForCustomPolicy",
		"PolicyInputList.member.1="+statement(`"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}`),
		"PolicyInputList.member.2="+statement(`"Resource":"*","Condition":{"Bool":{"AWS:securetransport":"true"},"StringEquals":{"aws:Referer":"x"}}`))
	if got := strings.Join(members(body), " "); got != "aws:SecureTransport aws:Referer" {
		t.Errorf("keys of two policies = %q", got)
	}
	if got := w.Admin().Fail("InvalidInput", "GetContextKeysForCustomPolicy", "PolicyInputList.member.1="+anyPolicy, "PolicyInputList.member.2={}"); !strings.Contains(got, "PolicyInputList.2") {
		t.Errorf("a policy that is none: %s", got)
	}
}

// TestContextKeysOfPrincipals: the policies of the principal, of its groups and
// its boundary, and those of the request.
func TestContextKeysOfPrincipals(t *testing.T) {
	w := newWorld(t)
	condition := func(key string) string {
		return policyOf([]string{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"` + key + `":"x"}}}`})
	}
	w.Admin().OK("CreatePolicy", "PolicyName=attached", "PolicyDocument="+condition("k:attached"))
	w.Admin().OK("CreatePolicy", "PolicyName=boundary", "PolicyDocument="+condition("k:boundary"))
	w.Admin().OK("PutGroupPolicy", "GroupName=devs", "PolicyName=g", "PolicyDocument="+condition("k:group"))
	w.Admin().OK("AttachGroupPolicy", "GroupName=devs", "PolicyArn="+prefix+"policy/attached")
	w.Admin().OK("AddUserToGroup", "GroupName=devs", "UserName=ann")
	w.Admin().OK("PutUserPolicy", "UserName=ann", "PolicyName=own", "PolicyDocument="+condition("k:own"))
	w.Admin().OK("PutRolePolicy", "RoleName=app", "PolicyName=role", "PolicyDocument="+condition("k:role"))
	w.change(t, func(tx *store.Tx) error { return tx.SetBoundary(store.UserHolder("ann"), prefix+"policy/boundary") })
	more := "PolicyInputList.member.1=" + condition("k:more")
	for _, tt := range []struct {
		source string
		params []string
		want   string
	}{
		{"user/t/ann", nil, "k:own k:group k:attached k:boundary"},
		{"user/t/ann", []string{more}, "k:own k:group k:attached k:more k:boundary"},
		{"group/g/devs", nil, "k:group k:attached"},
		{"role/r/app", []string{more}, "k:role k:more s3express:SessionMode"}, // its boundary is ReadOnlyAccess
		{"user/carl", nil, ""},
	} {
		got := members(w.Admin().OK("GetContextKeysForPrincipalPolicy", append(slices.Clone(tt.params), "PolicySourceArn="+prefix+tt.source)...))
		if strings.Join(got, " ") != tt.want {
			t.Errorf("keys of %s with %q = %q, want %q", tt.source, tt.params, got, tt.want)
		}
	}
	w.Admin().Fail("NoSuchEntity", "GetContextKeysForPrincipalPolicy", "PolicySourceArn="+prefix+"user/ann")
	w.Admin().Fail("InvalidInput", "GetContextKeysForPrincipalPolicy", "PolicySourceArn="+prefix+"policy/p/pol")
}

// TestAccountSummary: AWS's 34 keys, with what is so.
func TestAccountSummary(t *testing.T) {
	w := newWorld(t)
	summary := func() map[string]string {
		body := w.Admin().OK("GetAccountSummary")
		keys, values := iamtest.Elements(body, "key"), iamtest.Elements(body, "value")
		m := make(map[string]string)
		for i, key := range keys {
			m[key] = values[i]
		}
		if len(m) != len(keys) {
			t.Errorf("a key twice: %q", keys)
		}
		return m
	}
	want := map[string]string{
		"Users": "3", "UsersQuota": "5000", "Groups": "1", "GroupsQuota": "300", "Roles": "1", "RolesQuota": "1000", "Policies": "1", "PoliciesQuota": "1500",
		"InstanceProfiles": "2", "InstanceProfilesQuota": "1000", "PolicyVersionsInUse": "2", "PolicyVersionsInUseQuota": "10000",
		"ServerCertificates": "1", "ServerCertificatesQuota": "20", "MFADevices": "1", "MFADevicesInUse": "0", "Providers": "0",
		"AccountMFAEnabled": "0", "AccountAccessKeysPresent": "0", "AccountPasswordPresent": "0", "AccountSigningCertificatesPresent": "0",
		"UserPolicySizeQuota": "2048", "GroupPolicySizeQuota": "5120", "RolePolicySizeQuota": "10240", "PolicySizeQuota": "6144", "AssumeRolePolicySizeQuota": "2048",
		"GroupsPerUserQuota": "10", "SigningCertificatesPerUserQuota": "2", "AccessKeysPerUserQuota": "2", "VersionsPerPolicyQuota": "5",
		"AttachedPoliciesPerUserQuota": "10", "AttachedPoliciesPerGroupQuota": "10", "AttachedPoliciesPerRoleQuota": "10",
		"GlobalEndpointTokenVersion": "2",
	}
	got := summary()
	if len(got) != 34 {
		t.Errorf("%d keys, want 34", len(got))
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s = %q, want %q", key, got[key], value)
		}
	}
	// The version of tokens is kept (Q067).
	w.Admin().OK("SetSecurityTokenServicePreferences", "GlobalEndpointTokenVersion=v1Token")
	if got := summary()["GlobalEndpointTokenVersion"]; got != "1" {
		t.Errorf("after v1Token the version is %s", got)
	}
	w.Admin().OK("SetSecurityTokenServicePreferences", "GlobalEndpointTokenVersion=v2Token")
	if got := summary()["GlobalEndpointTokenVersion"]; got != "2" {
		t.Errorf("after v2Token the version is %s", got)
	}
	w.Admin().Fail("ValidationError", "SetSecurityTokenServicePreferences", "GlobalEndpointTokenVersion=v3Token")
}
