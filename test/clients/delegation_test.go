// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// addVendor makes an account that asks others for access, and returns its
// administrator's key.
func addVendor(t *testing.T, s *server.Server, id string) server.Key {
	t.Helper()
	program := must(server.Program())(t)
	if out, err := exec.Command(program, "account", "add", "vendor", "--id", id, "--data", s.Data).CombinedOutput(); err != nil {
		t.Fatalf("account add: %v\n%s", err, out)
	}
	return must(server.ReadKey(filepath.Join(s.Data, "vendor.credentials")))(t)
}

// TestDelegation lets a vendor in with the AWS SDK for Go: it asks, somebody looks,
// forwards and rejects, it asks again, somebody approves, and it works within what
// it asked for.
func TestDelegation(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	const vendorID = "444455556666"
	ctx, key := t.Context(), addVendor(t, s, vendorID)
	vendor, admin := s.IAM(key), s.IAM(s.Admin)
	me := must(s.STS(s.Admin).GetCallerIdentity(ctx, nil))(t)

	template := must(vendor.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("setup"), PolicyDocument: aws.String(
		allow("iam:CreateUser", "arn:aws:iam::*:user/@{prefixes}*"))}))(t).Policy.Arn
	ask := func(workflow string) *string {
		return must(vendor.CreateDelegationRequest(ctx, &iam.CreateDelegationRequestInput{
			OwnerAccountId: me.Account, Description: aws.String("Users for your reports"), RequestMessage: aws.String("as we spoke"),
			RequestorWorkflowId: aws.String(workflow), NotificationChannel: aws.String("arn:aws:sns:us-east-1:" + vendorID + ":t"),
			SessionDuration: aws.Int32(900), OnlySendByOwner: true, RedirectUrl: aws.String("https://vendor.example.com/back"),
			Permissions: &types.DelegationPermission{PolicyTemplateArn: template, Parameters: []types.PolicyParameter{
				{Name: aws.String("prefixes"), Type: types.PolicyParameterTypeEnumStringList, Values: []string{"report-", "chart-"}},
			}},
		}))(t).DelegationRequestId
	}
	first := ask("order-1")
	must(admin.AssociateDelegationRequest(ctx, &iam.AssociateDelegationRequestInput{DelegationRequestId: first}))(t)
	must(admin.UpdateDelegationRequest(ctx, &iam.UpdateDelegationRequestInput{DelegationRequestId: first, Notes: aws.String("what for?")}))(t)
	must(admin.RejectDelegationRequest(ctx, &iam.RejectDelegationRequestInput{DelegationRequestId: first, Notes: aws.String("say why")}))(t)
	seen := must(vendor.GetDelegationRequest(ctx, &iam.GetDelegationRequestInput{DelegationRequestId: first}))(t).DelegationRequest
	if seen.State != types.StateTypeRejected || aws.ToString(seen.RejectionReason) != "say why" || seen.OwnerId != nil || seen.Notes != nil {
		t.Errorf("the vendor sees %s, %q, %v, %v", seen.State, aws.ToString(seen.RejectionReason), seen.OwnerId, seen.Notes)
	}
	if _, err := admin.AcceptDelegationRequest(ctx, &iam.AcceptDelegationRequestInput{DelegationRequestId: first}); server.Code(err) != "InvalidInput" {
		t.Errorf("accepting what was rejected: %v", err)
	}
	_, err := vendor.CreateDelegationRequest(ctx, &iam.CreateDelegationRequestInput{
		Description: aws.String("again"), RequestorWorkflowId: aws.String("order-1"), NotificationChannel: aws.String("arn:aws:sns:us-east-1:" + vendorID + ":t"),
		SessionDuration: aws.Int32(900), Permissions: &types.DelegationPermission{PolicyTemplateArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")},
	})
	if server.Code(err) != "EntityAlreadyExists" {
		t.Errorf("the same workflow again: %v", err)
	}

	id := ask("order-2")
	must(admin.AssociateDelegationRequest(ctx, &iam.AssociateDelegationRequestInput{DelegationRequestId: id}))(t)
	out := must(admin.GetDelegationRequest(ctx, &iam.GetDelegationRequestInput{DelegationRequestId: id, DelegationPermissionCheck: true}))(t)
	r := out.DelegationRequest
	if r.State != types.StateTypeAssigned || aws.ToString(r.OwnerId) != *me.Arn || out.PermissionCheckResult != types.PermissionCheckResultTypeAllowed ||
		!strings.Contains(*r.PermissionPolicy, `["arn:aws:iam::*:user/report-*","arn:aws:iam::*:user/chart-*"]`) || len(r.Permissions.Parameters) != 1 ||
		time.Until(*r.ExpirationTime).Round(time.Hour) != 7*24*time.Hour {
		t.Errorf("GetDelegationRequest = %+v", r)
	}
	summary := must(admin.GetHumanReadableSummary(ctx, &iam.GetHumanReadableSummaryInput{
		EntityArn: aws.String("arn:aws:iam::" + *me.Account + ":delegation-request/" + *id), Locale: aws.String("en_US"),
	}))(t)
	if summary.SummaryState != types.SummaryStateTypeAvailable || !strings.Contains(*summary.SummaryContent, "for 15 minutes") {
		t.Errorf("GetHumanReadableSummary = %+v", summary)
	}
	must(admin.AcceptDelegationRequest(ctx, &iam.AcceptDelegationRequestInput{DelegationRequestId: id}))(t)
	must(admin.SendDelegationToken(ctx, &iam.SendDelegationTokenInput{DelegationRequestId: id}))(t)
	list := must(admin.ListDelegationRequests(ctx, &iam.ListDelegationRequestsInput{OwnerId: me.Arn}))(t)
	if len(list.DelegationRequests) != 2 || list.IsTruncated {
		t.Errorf("ListDelegationRequests = %d, %t", len(list.DelegationRequests), list.IsTruncated)
	}

	token := must(s.STS(key).GetDelegatedAccessToken(ctx, &sts.GetDelegatedAccessTokenInput{TradeInToken: id}))(t)
	if *token.AssumedPrincipal != *me.Arn || time.Until(*token.Credentials.Expiration) > 15*time.Minute {
		t.Errorf("GetDelegatedAccessToken = %s, %v", *token.AssumedPrincipal, token.Credentials.Expiration)
	}
	delegate := s.IAM(server.SessionKey(token.Credentials))
	must(delegate.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("chart-1")}))(t)
	if _, err := delegate.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")}); server.Code(err) != "AccessDenied" {
		t.Errorf("beyond what was asked for: %v", err)
	}
	if _, err := s.STS(s.Admin).GetDelegatedAccessToken(ctx, &sts.GetDelegatedAccessTokenInput{TradeInToken: id}); server.Code(err) != "ValidationError" {
		t.Errorf("the token in another account: %v", err)
	}
}
