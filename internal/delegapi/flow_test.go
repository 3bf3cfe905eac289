// SPDX-License-Identifier: Apache-2.0

package delegapi_test

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

func TestTry(t *testing.T) {
	s := iamtest.Start(t)
	vendor := s.AddAccount("444455556666")
	owner := s.Admin()
	arn := iamtest.Element(vendor.OK("CreatePolicy", "PolicyName=t", `PolicyDocument={"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser","iam:CreateUser"],"Resource":"arn:aws:iam::*:user/@{prefix}*"},{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::@{buckets}/*"]}]}`), "Arn")
	id := iamtest.Element(vendor.OK("CreateDelegationRequest", "Description=d", "Permissions.PolicyTemplateArn="+arn,
		"Permissions.Parameters.member.1.Name=prefix", "Permissions.Parameters.member.1.Values.member.1=app-", "Permissions.Parameters.member.1.Type=string",
		"Permissions.Parameters.member.2.Name=buckets", "Permissions.Parameters.member.2.Values.member.1=a", "Permissions.Parameters.member.2.Values.member.2=b", "Permissions.Parameters.member.2.Type=stringList",
		"RequestorWorkflowId=order-1", "NotificationChannel=arn:aws:sns:us-east-1:444455556666:t", "SessionDuration=3600"), "DelegationRequestId")
	t.Log(id)
	owner.OK("AssociateDelegationRequest", "DelegationRequestId="+id)
	t.Log(owner.OK("GetDelegationRequest", "DelegationRequestId="+id, "DelegationPermissionCheck=true"))
	t.Log(owner.OK("GetHumanReadableSummary", "EntityArn=arn:aws:iam::111122223333:delegation-request/"+id))
	owner.OK("AcceptDelegationRequest", "DelegationRequestId="+id)
	owner.OK("SendDelegationToken", "DelegationRequestId="+id)
	t.Log(owner.OK("ListDelegationRequests"))
	d := vendor.Session("GetDelegatedAccessToken", "TradeInToken="+id)
	t.Log(d.OK("GetCallerIdentity"))
	t.Log(d.OK("CreateUser", "UserName=app-1"))
	t.Log(d.Fail("AccessDenied", "CreateUser", "UserName=x"))
	t.Log(s.LastRecord())
}
