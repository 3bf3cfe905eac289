// SPDX-License-Identifier: Apache-2.0

package orgapi_test

import (
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const noUsers = `"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"`

// TestServiceControlPolicies: an SCP takes effect with the next request, at every
// level, for users, roles and root of member accounts, and never for the
// management account.
func TestServiceControlPolicies(t *testing.T) {
	w := newWorld(t)
	w.lab.OK("ListUsers")
	deny := w.policy(scp, "no-users", statement(noUsers))
	w.admin.OrgFail("PolicyTypeNotEnabledException", "AttachPolicy", `{"PolicyId":"`+deny+`","TargetId":"`+w.account+`"}`)
	w.enable(scp)
	w.lab.OK("ListUsers")
	root := w.Root(w.account)
	for _, target := range []string{w.account, w.unit, w.root} {
		w.attach(deny, target)
		msg := w.lab.Fail("AccessDenied", "ListUsers")
		if !strings.Contains(msg, "with an explicit deny in a service control policy") {
			t.Errorf("ListUsers under a deny at %s: %s", target, msg)
		}
		root.Fail("AccessDenied", "ListUsers")
		w.admin.OK("ListUsers")
		w.lab.OK("ListRoles")
		w.detach(deny, target)
		w.lab.OK("ListUsers")
		root.OK("ListUsers")
	}

	// An allow-list at one level limits what the others allow.
	only := w.policy(scp, "only-roles", statement(`"Effect":"Allow","Action":["iam:ListRoles","sts:*"],"Resource":"*"`))
	w.attach(only, w.unit)
	w.lab.OK("ListUsers")
	w.detach(orgs.FullAccess, w.unit)
	msg := w.lab.Fail("AccessDenied", "ListUsers")
	if !strings.Contains(msg, "because no service control policy allows the iam:ListUsers action") {
		t.Errorf("ListUsers without an allow: %s", msg)
	}
	w.lab.OK("ListRoles")
	w.admin.Org("MoveAccount", `{"AccountId":"`+w.account+`","SourceParentId":"`+w.unit+`","DestinationParentId":"`+w.root+`"}`)
	w.lab.OK("ListUsers")
	w.admin.Org("MoveAccount", `{"AccountId":"`+w.account+`","SourceParentId":"`+w.root+`","DestinationParentId":"`+w.unit+`"}`)
	w.lab.Fail("AccessDenied", "ListUsers")

	// A policy changes with its content.
	w.admin.Org("UpdatePolicy", `{"PolicyId":"`+only+`","Content":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"}`)
	w.lab.OK("ListUsers")

	// Disabled, nothing of it is left; enabled again, everything is as in the beginning.
	w.admin.Org("UpdatePolicy", `{"PolicyId":"`+only+`","Content":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"iam:*\",\"Resource\":\"*\"}}"}`)
	w.lab.Fail("AccessDenied", "ListUsers")
	w.admin.Org("DisablePolicyType", `{"RootId":"`+w.root+`","PolicyType":"`+scp+`"}`)
	w.lab.OK("ListUsers")
	w.enable(scp)
	w.lab.OK("ListUsers")
	if got := iamtest.Members(w.admin.Org("ListPoliciesForTarget", `{"TargetId":"`+w.unit+`","Filter":"`+scp+`"}`), "Id"); len(got) != 1 || got[0] != orgs.FullAccess {
		t.Errorf("policies of the unit = %q, want FullAWSAccess", got)
	}
}

// TestServiceLinkedRoles: SCPs are not for them.
func TestServiceLinkedRoles(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/aws-service-role/x.amazonaws.com/", "/app/"} {
		err := w.Store().Update(t.Context(), w.account, func(tx *store.Tx) error {
			return tx.CreateRole(&store.Role{
				Name: strings.Trim(strings.ReplaceAll(path, "/", "-"), "-"), Path: path, Trust: store.NewTrust(trustAll, nil),
				Grants: store.Grants{Inline: []store.Inline{{Name: "all", Document: store.NewDocument("all", allowAll)}}},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	linked := w.admin.Assume("arn:aws:iam::"+w.account+":role/aws-service-role/x.amazonaws.com/aws-service-role-x.amazonaws.com", "visit")
	other := w.admin.Assume("arn:aws:iam::"+w.account+":role/app/app", "visit")
	w.enable(scp)
	w.attach(w.policy(scp, "no-users", statement(noUsers)), w.root)
	linked.OK("ListUsers")
	other.Fail("AccessDenied", "ListUsers")
}

// TestResourceControlPolicies: an RCP over the account of a role decides who may
// assume it, wherever the caller is from.
func TestResourceControlPolicies(t *testing.T) {
	w := newWorld(t)
	stranger := w.AddAccount("444455556666")
	trust := func() {
		w.lab.OK("CreateRole", "RoleName=open", "AssumeRolePolicyDocument="+trustAll)
	}
	trust()
	role := "arn:aws:iam::" + w.account + ":role/open"
	stranger.Assume(role, "visit")
	w.enable(rcp)
	stranger.Assume(role, "visit")
	perimeter := w.policy(rcp, "perimeter", statement(`"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Resource":"*",`+
		`"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"`+w.org+`"}}`))
	w.attach(perimeter, w.unit)
	stranger.Fail("AccessDenied", "AssumeRole", "RoleArn="+role, "RoleSessionName=visit")
	w.admin.Assume(role, "visit")
	w.attach(w.policy(rcp, "no-iam", statement(`"Effect":"Deny","Principal":"*","Action":"iam:*","Resource":"*"`)), w.unit)
	w.lab.OK("ListRoles") // IAM knows no RCPs
	if _, reason := w.admin.OrgFail("InvalidInputException", "DetachPolicy", `{"PolicyId":"p-RCPFullAWSAccess","TargetId":"`+w.root+`"}`); reason != "NON_DETACHABLE_POLICY" {
		t.Errorf("reason = %q, want NON_DETACHABLE_POLICY", reason)
	}
	w.detach(perimeter, w.unit)
	stranger.Assume(role, "visit")
}

// TestConditionKeys: who asks and what is asked about are known by their place in
// organizations.
func TestConditionKeys(t *testing.T) {
	w := newWorld(t)
	path := w.org + "/" + w.root + "/" + w.unit + "/"
	for _, tc := range []struct {
		name, condition string
		want            bool
	}{
		{"the-organization", `"StringEquals":{"aws:PrincipalOrgID":"` + w.org + `"}`, true},
		{"another-organization", `"StringEquals":{"aws:PrincipalOrgID":"o-another000"}`, false},
		{"the-path", `"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"` + path + `"}`, true},
		{"below-the-root", `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"` + w.org + "/" + w.root + `/*"}`, true},
		{"another-path", `"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"` + w.org + "/" + w.root + `/"}`, false},
		{"the-organization-of-the-resource", `"StringEquals":{"aws:ResourceOrgID":"` + w.org + `"}`, true},
		{"the-path-of-the-resource", `"ForAnyValue:StringEquals":{"aws:ResourceOrgPaths":"` + path + `"}`, true},
		{"no-key", `"Null":{"aws:PrincipalOrgID":"true"}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			name := strings.ReplaceAll(tc.name, "-", "")
			w.lab.OK("CreateUser", "UserName="+name)
			w.lab.OK("PutUserPolicy", "UserName="+name, "PolicyName=p", "PolicyDocument="+
				statement(`"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{`+tc.condition+`}`))
			key := w.lab.OK("CreateAccessKey", "UserName="+name)
			c := w.Client(iamtest.Element(key, "AccessKeyId"), iamtest.Element(key, "SecretAccessKey"), "")
			if tc.want {
				c.OK("GetUser")
			} else {
				c.Fail("AccessDenied", "GetUser")
			}
		})
	}
	stranger := w.User("stray", statement(`"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"Null":{"aws:PrincipalOrgID":"true"}}`))
	stranger.Fail("AccessDenied", "GetUser") // the management account is in it, too
}

// TestClosedAccount: nobody signs for a closed account and nobody enters it.
func TestClosedAccount(t *testing.T) {
	w := newWorld(t)
	w.lab.OK("CreateUser", "UserName=ann")
	key := w.lab.OK("CreateAccessKey", "UserName=ann")
	ann := w.Client(iamtest.Element(key, "AccessKeyId"), iamtest.Element(key, "SecretAccessKey"), "")
	ann.OK("GetCallerIdentity")
	if _, reason := w.admin.OrgFail("ConstraintViolationException", "CloseAccount", `{"AccountId":"`+management+`"}`); reason != "CANNOT_CLOSE_MANAGEMENT_ACCOUNT" {
		t.Errorf("reason = %q", reason)
	}
	w.admin.Org("CloseAccount", `{"AccountId":"`+w.account+`"}`)
	w.lab.Fail("InvalidClientTokenId", "GetCallerIdentity")
	ann.Fail("InvalidClientTokenId", "GetCallerIdentity")
	w.Root(w.account).Fail("InvalidClientTokenId", "GetCallerIdentity")
	w.admin.Fail("AccessDenied", "AssumeRole", "RoleArn=arn:aws:iam::"+w.account+":role/OrganizationAccountAccessRole", "RoleSessionName=visit")
	if got := iamtest.Member(w.admin.Org("DescribeAccount", `{"AccountId":"`+w.account+`"}`), "Status"); got != "SUSPENDED" {
		t.Errorf("Status = %q, want SUSPENDED", got)
	}
	w.admin.OrgFail("AccountAlreadyClosedException", "CloseAccount", `{"AccountId":"`+w.account+`"}`)
	w.admin.OrgFail("ConstraintViolationException", "RemoveAccountFromOrganization", `{"AccountId":"`+w.account+`"}`)
}

// TestLeaving: with its membership an account loses what came with it.
func TestLeaving(t *testing.T) {
	w := newWorld(t)
	w.enable(scp)
	w.attach(w.policy(scp, "no-users", statement(noUsers)), w.root)
	w.lab.Fail("AccessDenied", "ListUsers")
	w.lab.Org("LeaveOrganization", "")
	w.lab.OK("ListUsers")
	w.lab.OrgFail("AWSOrganizationsNotInUseException", "DescribeOrganization", "")
	w.admin.OrgFail("AccountNotFoundException", "DescribeAccount", `{"AccountId":"`+w.account+`"}`)
	w.admin.OrgFail("MasterCannotLeaveOrganizationException", "LeaveOrganization", "")
	w.admin.Org("DeleteOrganization", "")
	w.admin.OrgFail("AWSOrganizationsNotInUseException", "DescribeOrganization", "")
	w.lab.Org("CreateOrganization", "")
}

// TestInvitation: an account joins by accepting, and only what waits for it.
func TestInvitation(t *testing.T) {
	w := newWorld(t)
	w.enable(scp)
	w.attach(w.policy(scp, "no-users", statement(noUsers)), w.root)
	guest, other := w.AddAccount("444455556666"), w.AddAccount("777788889999")
	invite := `{"Target":{"Id":"444455556666","Type":"ACCOUNT"},"Notes":"welcome"}`
	h := iamtest.Member(w.admin.Org("InviteAccountToOrganization", invite), "Id")
	w.admin.OrgFail("DuplicateHandshakeException", "InviteAccountToOrganization", invite)
	id := `{"HandshakeId":"` + h + `"}`
	other.OrgFail("HandshakeNotFoundException", "AcceptHandshake", id)
	w.admin.OrgFail("AccessDeniedException", "AcceptHandshake", id)
	guest.OrgFail("AccessDeniedException", "CancelHandshake", id)
	if got := iamtest.Member(guest.Org("ListHandshakesForAccount", ""), "State"); got != "OPEN" {
		t.Errorf("State = %q, want OPEN", got)
	}
	guest.Org("DeclineHandshake", id)
	guest.OrgFail("HandshakeNotFoundException", "AcceptHandshake", id)
	guest.OK("ListUsers")

	h = iamtest.Member(w.admin.Org("InviteAccountToOrganization", invite), "Id")
	w.admin.Org("CancelHandshake", `{"HandshakeId":"`+h+`"}`)
	guest.OrgFail("HandshakeNotFoundException", "AcceptHandshake", `{"HandshakeId":"`+h+`"}`)

	h = iamtest.Member(w.admin.Org("InviteAccountToOrganization", invite), "Id")
	guest.Org("AcceptHandshake", `{"HandshakeId":"`+h+`"}`)
	guest.Fail("AccessDenied", "ListUsers")
	if got := iamtest.Member(w.admin.Org("DescribeAccount", `{"AccountId":"444455556666"}`), "JoinedMethod"); got != "INVITED" {
		t.Errorf("JoinedMethod = %q, want INVITED", got)
	}
	if _, reason := w.admin.OrgFail("HandshakeConstraintViolationException", "InviteAccountToOrganization", invite); reason != "ALREADY_IN_AN_ORGANIZATION" {
		t.Errorf("reason = %q", reason)
	}
	w.admin.Org("RemoveAccountFromOrganization", `{"AccountId":"444455556666"}`)
	guest.OK("ListUsers")
}
