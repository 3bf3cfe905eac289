// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// cliOrganizations makes an organization with an account, enters it, and sees
// a service control policy take hold at once and let go again.
func cliOrganizations(t *testing.T) {
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			cli := s.CLI(t, path, s.Admin)
			org := func(args ...string) string { return cli.Run(append([]string{"organizations"}, args...)...) }
			cli.Refused("AWSOrganizationsNotInUseException", []string{"not a member of an organization"}, "organizations", "describe-organization")
			id := org("create-organization", "--feature-set", "ALL", "--query", "Organization.Id")
			root := org("list-roots", "--query", "Roots[0].Id")
			unit := org("create-organizational-unit", "--parent-id", root, "--name", "work", "--query", "OrganizationalUnit.Id")
			request := org("create-account", "--email", "lab@example.com", "--account-name", "lab", "--tags", "Key=stage,Value=test",
				"--query", "CreateAccountStatus.Id")
			account := org("describe-create-account-status", "--create-account-request-id", request, "--query", "CreateAccountStatus.AccountId")
			org("move-account", "--account-id", account, "--source-parent-id", root, "--destination-parent-id", unit)
			if got := org("list-parents", "--child-id", account, "--query", "Parents[0].Id"); got != unit {
				t.Errorf("list-parents = %s, want %s", got, unit)
			}
			lab := enter(t, s, path, cli, account)
			lab.Run("iam", "list-users")
			profile(t, s, path, "lab", `[profile lab]
role_arn = arn:aws:iam::`+account+`:role/OrganizationAccountAccessRole
role_session_name = profile
source_profile = admin
`+keyed("admin", s.Admin), "", "arn:aws:sts::"+account+":assumed-role/OrganizationAccountAccessRole/profile")
			if got := lab.Run("organizations", "describe-organization", "--query", "Organization.Id"); got != id {
				t.Errorf("describe-organization by the account = %s, want %s", got, id)
			}
			lab.Refused("AccessDeniedException", []string{"You don't have permissions to access this resource."}, "organizations", "list-accounts")

			org("enable-policy-type", "--root-id", root, "--policy-type", "SERVICE_CONTROL_POLICY")
			policy := org("create-policy", "--type", "SERVICE_CONTROL_POLICY", "--name", "no-users", "--description", "d",
				"--content", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*User*","Resource":"*"}}`, "--query", "Policy.PolicySummary.Id")
			org("attach-policy", "--policy-id", policy, "--target-id", unit)
			lab.Refused("AccessDenied", []string{"explicit deny in a service control policy"}, "iam", "list-users")
			lab.Run("iam", "list-roles")
			cli.Run("iam", "list-users")
			org("attach-policy", "--policy-id", policy, "--target-id", root)
			cli.Run("iam", "list-users")
			cli.Refused("PolicyInUseException", nil, "organizations", "delete-policy", "--policy-id", policy)
			org("detach-policy", "--policy-id", policy, "--target-id", root)
			org("detach-policy", "--policy-id", policy, "--target-id", unit)
			lab.Run("iam", "list-users")
			org("delete-policy", "--policy-id", policy)

			org("close-account", "--account-id", account)
			if got := org("list-accounts", "--query", "Accounts[?Id=='"+account+"'].Status"); got != "SUSPENDED" {
				t.Errorf("status of the closed account = %s, want SUSPENDED", got)
			}
			lab.Refused("InvalidClientTokenId", nil, "iam", "list-users")
		})
	}
}

// enter returns the CLI with a session of the role by which the management
// account enters an account.
func enter(t *testing.T, s *server.Server, path string, cli *server.CLI, account string) *server.CLI {
	creds := strings.Fields(cli.Run("sts", "assume-role", "--role-arn", "arn:aws:iam::"+account+":role/OrganizationAccountAccessRole",
		"--role-session-name", "visit", "--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]"))
	return s.CLI(t, path, server.Key{ID: creds[0], Secret: creds[1], Token: creds[2]})
}

func goOrganizations(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	ctx, org := t.Context(), organizations.NewFromConfig(s.Config(s.Admin))
	_, err := org.DescribeOrganization(ctx, nil)
	if _, ok := errors.AsType[*types.AWSOrganizationsNotInUseException](err); !ok {
		t.Errorf("DescribeOrganization: %v", err)
	}
	must(org.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll}))(t)
	root := must(org.ListRoots(ctx, nil))(t).Roots[0].Id
	unit := must(org.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: root, Name: aws.String("work")}))(t).OrganizationalUnit.Id
	status := must(org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("lab"), Email: aws.String("lab@example.com")}))(t).CreateAccountStatus
	if status.State != types.CreateAccountStateInProgress {
		t.Errorf("CreateAccount = %s", status.State)
	}
	account := must(org.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: status.Id}))(t).CreateAccountStatus.AccountId
	must(org.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: account, SourceParentId: root, DestinationParentId: unit}))(t)

	cfg := s.Config(s.Admin)
	role := "arn:aws:iam::" + *account + ":role/OrganizationAccountAccessRole"
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "visit" }))
	if got, want := *must(sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil))(t).Arn, "arn:aws:sts::"+*account+":assumed-role/OrganizationAccountAccessRole/visit"; got != want {
		t.Errorf("GetCallerIdentity = %s, want %s", got, want)
	}
	lab := iam.NewFromConfig(cfg)
	must(lab.ListUsers(ctx, nil))(t)

	must(org.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: root, PolicyType: types.PolicyTypeServiceControlPolicy}))(t)
	policy := must(org.CreatePolicy(ctx, &organizations.CreatePolicyInput{Type: types.PolicyTypeServiceControlPolicy, Name: aws.String("no-users"), Description: aws.String(""),
		Content: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}}`)}))(t).Policy.PolicySummary.Id
	must(org.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: policy, TargetId: unit}))(t)
	if _, err := lab.ListUsers(ctx, nil); server.Code(err) != "AccessDenied" || !strings.Contains(err.Error(), "explicit deny in a service control policy") {
		t.Errorf("ListUsers against a service control policy: %v", err)
	}
	_, err = org.DeletePolicy(ctx, &organizations.DeletePolicyInput{PolicyId: policy})
	if _, ok := errors.AsType[*types.PolicyInUseException](err); !ok {
		t.Errorf("DeletePolicy: %v", err)
	}
	must(org.DetachPolicy(ctx, &organizations.DetachPolicyInput{PolicyId: policy, TargetId: unit}))(t)
	must(lab.ListUsers(ctx, nil))(t)
	must(org.CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: account}))(t)
	if got := must(org.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: account}))(t).Account.Status; got != types.AccountStatusSuspended {
		t.Errorf("the closed account is %s", got)
	}
}
