// SPDX-License-Identifier: Apache-2.0

package stsapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

const rootTask = "arn:aws:iam::aws:policy/root-task/"

// A roof is an organization in which IAM is trusted and both features of central
// root access are on, with the accounts lab and, not in it, other. Its clock stands
// still.
type roof struct {
	*world
	admin    *iamtest.Client // of the management account
	lab      string          // account
	labAdmin *iamtest.Client
}

func newRoof(t *testing.T) *roof {
	t.Helper()
	r := &roof{world: newWorld(t)}
	r.admin = r.Admin()
	r.admin.Org("CreateOrganization", "")
	r.lab = r.member("lab")
	r.labAdmin = r.admin.Assume("arn:aws:iam::"+r.lab+":role/OrganizationAccountAccessRole", "visit")
	r.AddAccount(other)
	r.trust(true)
	r.admin.OK("EnableOrganizationsRootCredentialsManagement")
	r.admin.OK("EnableOrganizationsRootSessions")
	return r
}

// member creates a member account and returns its id.
func (r *roof) member(name string) string {
	request := iamtest.Member(r.admin.Org("CreateAccount", `{"AccountName":"`+name+`","Email":"`+name+`@example.com"}`), "Id")
	return iamtest.Member(r.admin.Org("DescribeCreateAccountStatus", `{"CreateAccountRequestId":"`+request+`"}`), "AccountId")
}

func (r *roof) trust(on bool) {
	op := "DisableAWSServiceAccess"
	if on {
		op = "EnableAWSServiceAccess"
	}
	r.admin.Org(op, `{"ServicePrincipal":"iam.amazonaws.com"}`)
}

func task(target, policy string, more ...string) []string {
	return append([]string{"TargetPrincipal=" + target, "TaskPolicyArn.arn=" + rootTask + policy}, more...)
}

// TestAssumeRoot: a session is the root user of the member account, for at most a
// quarter of an hour.
func TestAssumeRoot(t *testing.T) {
	r := newRoof(t)
	for _, target := range []string{r.lab, "arn:aws:iam::" + r.lab + ":root"} {
		body := r.carl.OK("AssumeRoot", task(target, "IAMAuditRootUserCredentials")...)
		if got := r.lasts(body); got != 15*time.Minute {
			t.Errorf("the session lasts %v, want 15m", got)
		}
		if strings.Contains(body, "SourceIdentity") {
			t.Errorf("the answer %s has a source identity", body)
		}
	}
	root := r.carl.Session("AssumeRoot", task(r.lab, "IAMAuditRootUserCredentials", "DurationSeconds=60")...)
	body := root.OK("GetCallerIdentity")
	same(t, "Arn", iamtest.Element(body, "Arn"), "arn:aws:iam::"+r.lab+":root")
	same(t, "UserId", iamtest.Element(body, "UserId"), r.lab)
	rec := r.LastRecord()
	if s := rec.Identity.Session; rec.Identity.Type != "Root" || rec.Recipient != r.lab || s == nil || !s.AssumedRoot {
		t.Errorf("the record's identity = %+v, want Root with assumedRoot", rec.Identity)
	}
	r.clock.Advance(time.Minute)
	root.Fail("ExpiredToken", "GetCallerIdentity")
	r.carl.Session("AssumeRoot", task(r.lab, "IAMAuditRootUserCredentials", "DurationSeconds=0")...).Fail("ExpiredToken", "GetCallerIdentity")
}

// TestAssumeRootRecord: the record says for which account and which task.
func TestAssumeRootRecord(t *testing.T) {
	r := newRoof(t)
	r.carl.OK("AssumeRoot", task(r.lab, "SQSUnlockQueuePolicy")...)
	rec := r.LastRecord()
	want := fmt.Sprintf(`{"targetPrincipal":%q,"taskPolicyArn":{"arn":%q}}`, r.lab, rootTask+"SQSUnlockQueuePolicy")
	if rec.EventName != "AssumeRoot" || string(rec.RequestParameters) != want {
		t.Errorf("record of %s has %s, want %s", rec.EventName, rec.RequestParameters, want)
	}
	if !strings.Contains(string(rec.ResponseElements), `"secretAccessKey":"HIDDEN`) || !strings.Contains(string(rec.ResponseElements), `"accessKeyId":"ASIA`) {
		t.Errorf("ResponseElements = %s, want the key id and no secret", rec.ResponseElements)
	}
}

// TestRootTasks: a session may do what its task's policy leaves of what root may,
// and nothing else.
func TestRootTasks(t *testing.T) {
	r := newRoof(t)
	r.labAdmin.OK("CreateUser", "UserName=ann")
	for policy, tc := range map[string]struct{ may, not []string }{
		"IAMAuditRootUserCredentials": {
			[]string{"GetUser", "ListAccessKeys", "ListSigningCertificates", "ListMFADevices", "GetAccountSummary"},
			[]string{"ListUsers", "CreateAccessKey", "DeleteAccountPasswordPolicy", "GetSessionToken"},
		},
		"IAMDeleteRootUserCredentials": {[]string{"GetUser", "ListAccessKeys", "ListMFADevices"}, []string{"GetAccountSummary", "CreateAccessKey", "CreateLoginProfile"}},
		"IAMCreateRootUserPassword":    {[]string{"CreateLoginProfile"}, []string{"DeleteLoginProfile", "GetUser", "ListAccessKeys"}},
		"S3UnlockBucketPolicy":         {nil, []string{"GetUser", "ListUsers"}},
		"SQSUnlockQueuePolicy":         {nil, []string{"GetUser", "ListUsers"}},
	} {
		t.Run(policy, func(t *testing.T) {
			root := r.carl.Session("AssumeRoot", task(r.lab, policy)...)
			for _, op := range tc.may {
				root.OK(op)
			}
			for _, op := range tc.not {
				if _, body := root.Call(op); !strings.Contains(body, "<Code>AccessDenied</Code>") {
					t.Errorf("%s = %s, want AccessDenied", op, body)
				}
			}
			if policy == "IAMAuditRootUserCredentials" { // the root user's, not others'
				msg := root.Fail("AccessDenied", "ListAccessKeys", "UserName=ann")
				if !strings.Contains(msg, "with an explicit deny in a session policy") {
					t.Errorf("ListAccessKeys of a user: %s", msg)
				}
			}
			root.Fail("AccessDenied", "AssumeRoot", task(r.lab, policy)...)
		})
	}
}

// TestRootFeatures: each task needs its feature, and IAM to be trusted; sessions
// that were made go on. quirk Q085
func TestRootFeatures(t *testing.T) {
	r := newRoof(t)
	session := r.carl.Session("AssumeRoot", task(r.lab, "IAMAuditRootUserCredentials")...)
	const (
		noCredentials = "Root credentials management feature is not enabled for your AWS Organization."
		noSessions    = "Root sessions feature is not enabled for your AWS Organization."
	)
	credentials := []string{"IAMAuditRootUserCredentials", "IAMCreateRootUserPassword", "IAMDeleteRootUserCredentials"}
	sessions := []string{"S3UnlockBucketPolicy", "SQSUnlockQueuePolicy"}
	check := func(policies []string, want string) {
		t.Helper()
		for _, p := range policies {
			if want == "" {
				r.carl.OK("AssumeRoot", task(r.lab, p)...)
			} else {
				same(t, p, r.carl.Fail("AccessDenied", "AssumeRoot", task(r.lab, p)...), want)
			}
		}
	}
	r.admin.OK("DisableOrganizationsRootSessions")
	check(credentials, "")
	check(sessions, noSessions)
	r.admin.OK("DisableOrganizationsRootCredentialsManagement")
	check(credentials, noCredentials)
	r.admin.OK("EnableOrganizationsRootSessions")
	check(credentials, noCredentials)
	check(sessions, "")
	r.trust(false)
	check(sessions, "Service not enabled for AWS Organizations.")
	session.OK("GetUser")
}

// TestWhoAssumesRoot: users and roles of the management account and of delegated
// administrators of IAM, of member accounts only.
func TestWhoAssumesRoot(t *testing.T) {
	r := newRoof(t)
	second := r.member("second")
	audit := func(target string) []string { return task(target, "IAMAuditRootUserCredentials") }
	refused := func(by *iamtest.Client, target string) {
		t.Helper()
		arn := iamtest.Element(by.OK("GetCallerIdentity"), "Arn")
		same(t, "message", by.Fail("AccessDenied", "AssumeRoot", audit(target)...),
			"User: "+arn+" is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::"+target+":root")
	}
	refused(r.carl, iamtest.Account) // the management account
	refused(r.carl, other)           // no member
	refused(r.carl, "777788889999")  // no account
	refused(r.Root(iamtest.Account), r.lab)
	refused(r.User("ann", listOnly), r.lab)
	refused(r.labAdmin, second) // a member like any other
	refused(r.labAdmin, r.lab)
	r.admin.Org("RegisterDelegatedAdministrator", `{"AccountId":"`+r.lab+`","ServicePrincipal":"sso.amazonaws.com"}`)
	refused(r.labAdmin, second)
	r.admin.Org("RegisterDelegatedAdministrator", `{"AccountId":"`+r.lab+`","ServicePrincipal":"iam.amazonaws.com"}`)
	r.labAdmin.OK("AssumeRoot", audit(second)...)
	refused(r.labAdmin, iamtest.Account)
	refused(r.labAdmin, r.lab)
	r.admin.Org("DeregisterDelegatedAdministrator", `{"AccountId":"`+r.lab+`","ServicePrincipal":"iam.amazonaws.com"}`)
	refused(r.labAdmin, second)
	r.carl.OK("AssumeRoot", audit(second)...)
	r.admin.Org("CloseAccount", `{"AccountId":"`+second+`"}`)
	refused(r.carl, second)
}

func TestAssumeRootConditions(t *testing.T) {
	r := newRoof(t)
	by := r.User("ann", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRoot","Resource":"arn:aws:iam::`+r.lab+`:root",
		"Condition":{"StringEquals":{"sts:TaskPolicyArn":"`+rootTask+`IAMAuditRootUserCredentials","aws:ResourceAccount":"`+r.lab+`"}}}}`)
	by.OK("AssumeRoot", task(r.lab, "IAMAuditRootUserCredentials")...)
	by.Fail("AccessDenied", "AssumeRoot", task(r.lab, "IAMDeleteRootUserCredentials")...)
	by.Fail("AccessDenied", "AssumeRoot", task(r.member("second"), "IAMAuditRootUserCredentials")...)
}

func TestAssumeRootRefusals(t *testing.T) {
	r := newRoof(t)
	for _, tc := range []struct {
		name   string
		params []string
		text   string
	}{
		{"a-user-as-target", task("arn:aws:iam::"+r.lab+":user/ann", "S3UnlockBucketPolicy"), "Request must contain a valid target principal"},
		{"a-name-as-target", task("laboratories", "S3UnlockBucketPolicy"), "Request must contain a valid target principal"},
		{"another-policy", []string{"TargetPrincipal=" + r.lab, "TaskPolicyArn.arn=arn:aws:iam::aws:policy/ReadOnlyAccess"}, "Request must contain valid AWS managed task policy ARN"},
		{"a-task-that-is-not-known", task(r.lab, "Everything"), "Request must contain valid AWS managed task policy ARN"},
		{"no-policy", []string{"TargetPrincipal=" + r.lab}, "1 validation error detected: Value null at 'taskPolicyArn' failed to satisfy constraint: Member must not be null"},
		{"too-long", task(r.lab, "S3UnlockBucketPolicy", "DurationSeconds=901"),
			"1 validation error detected: Value '901' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 900"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			same(t, "message", r.carl.Fail("ValidationError", "AssumeRoot", tc.params...), tc.text)
		})
	}
}

// TestRootSessionsUnderSCPs: SCPs of the member account bind its root user's
// sessions; aws:AssumedRoot tells them from the root user (User Guide, "AWS global
// condition context keys").
func TestRootSessionsUnderSCPs(t *testing.T) {
	r := newRoof(t)
	root := iamtest.Member(r.admin.Org("ListRoots", ""), "Id")
	r.admin.Org("EnablePolicyType", `{"RootId":"`+root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	attach := func(name, content string) {
		id := iamtest.Member(r.admin.Org("CreatePolicy", fmt.Sprintf(`{"Type":"SERVICE_CONTROL_POLICY","Name":%q,"Description":"","Content":%q}`, name, content)), "Id")
		r.admin.Org("AttachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+r.lab+`"}`)
	}
	own := r.Root(r.lab)
	session := r.carl.Session("AssumeRoot", task(r.lab, "IAMAuditRootUserCredentials")...)
	own.OK("ListAccessKeys")
	session.OK("ListAccessKeys")
	attach("no-root", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:root"},"Null":{"aws:AssumedRoot":"true"}}}}`)
	own.Fail("AccessDenied", "ListAccessKeys")
	session.OK("ListAccessKeys")
	attach("no-lists", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListAccessKeys","Resource":"*"}}`)
	msg := session.Fail("AccessDenied", "ListAccessKeys")
	if !strings.Contains(msg, "with an explicit deny in a service control policy") {
		t.Errorf("message = %s", msg)
	}
	session.OK("ListMFADevices")
}

func TestAssumeRootKeepsTheSourceIdentity(t *testing.T) {
	r := newRoof(t)
	session := r.carl.Assume(r.role("app", trusts(prefix+"user/carl")), "visit", "SourceIdentity=carl")
	body := session.OK("AssumeRoot", task(r.lab, "IAMAuditRootUserCredentials")...)
	same(t, "SourceIdentity", iamtest.Element(body, "SourceIdentity"), "carl")
	r.Client(iamtest.Element(body, "AccessKeyId"), iamtest.Element(body, "SecretAccessKey"), iamtest.Element(body, "SessionToken")).OK("GetUser")
	if got := r.LastRecord().Identity.Session.SourceIdentity; got != "carl" {
		t.Errorf("the record's source identity = %q, want carl", got)
	}
}
