// SPDX-License-Identifier: Apache-2.0

package terraform

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// data reads the module's resources as data sources do.
func data(t *testing.T, s *server.Server, c *calls) {
	t.Run("data-aws_iam_users", func(t *testing.T) {
		var names []string
		for p := iam.NewListUsersPaginator(c.iam, &iam.ListUsersInput{PathPrefix: aws.String("/staff/")}); p.HasMorePages(); {
			for _, u := range must(p.NextPage(c.ctx))(t).Users {
				names = append(names, *u.UserName)
			}
		}
		if !slices.Equal(names, []string{"tf-ann"}) {
			t.Errorf("users of /staff/ = %q", names)
		}
	})
	t.Run("data-aws_iam_roles", func(t *testing.T) {
		var names []string
		for p := iam.NewListRolesPaginator(c.iam, &iam.ListRolesInput{PathPrefix: aws.String("/ci/")}); p.HasMorePages(); {
			for _, r := range must(p.NextPage(c.ctx))(t).Roles {
				names = append(names, *r.RoleName)
			}
		}
		if !slices.Equal(names, []string{"tf-app"}) {
			t.Errorf("roles of /ci/ = %q", names)
		}
	})
	t.Run("data-aws_iam_policy-by-name", func(t *testing.T) {
		var found []string
		for p := iam.NewListPoliciesPaginator(c.iam, &iam.ListPoliciesInput{PathPrefix: aws.String("/ci/")}); p.HasMorePages(); {
			for _, p := range must(p.NextPage(c.ctx))(t).Policies {
				if *p.PolicyName == "tf-read" {
					found = append(found, *p.Arn)
				}
			}
		}
		if !slices.Equal(found, []string{*c.arn("policy/ci", "tf-read")}) {
			t.Errorf("policies named tf-read = %q", found)
		}
		// One of AWS's, as most modules look up.
		out := must(c.iam.GetPolicy(c.ctx, &iam.GetPolicyInput{PolicyArn: aws.String(awsManaged)}))(t)
		must(c.iam.GetPolicyVersion(c.ctx, &iam.GetPolicyVersionInput{PolicyArn: out.Policy.Arn, VersionId: out.Policy.DefaultVersionId}))(t)
	})
	t.Run("data-aws_iam_session_context", func(t *testing.T) {
		out := must(c.sts.AssumeRole(c.ctx, &sts.AssumeRoleInput{RoleArn: c.arn("role/ci", "tf-app"), RoleSessionName: aws.String("apply"), ExternalId: aws.String("apply+it")}))(t)
		me := *must(s.STS(server.SessionKey(out.Credentials)).GetCallerIdentity(c.ctx, nil))(t).Arn
		if want := "arn:aws:sts::" + c.account + ":assumed-role/tf-app/apply"; me != want {
			t.Errorf("GetCallerIdentity = %s, want %s", me, want)
		}
	})
	t.Run("data-aws_iam_principal_policy_simulation", func(t *testing.T) {
		results := must(c.iam.SimulatePrincipalPolicy(c.ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: c.arn("role/ci", "tf-app"), ActionNames: []string{"s3:GetObject", "s3:PutObject"},
			ResourceArns: []string{"arn:aws:s3:::b/a+b c%20d/&<ü>"}}))(t).EvaluationResults
		if len(results) != 2 || results[0].EvalDecision != types.PolicyEvaluationDecisionTypeAllowed || results[1].EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny {
			t.Errorf("SimulatePrincipalPolicy = %+v", results)
		}
	})
	t.Run("data-aws_organizations_organization", func(t *testing.T) {
		var names []string
		for p := organizations.NewListAccountsPaginator(c.org, &organizations.ListAccountsInput{}); p.HasMorePages(); {
			for _, a := range must(p.NextPage(c.ctx))(t).Accounts {
				names = append(names, *a.Name)
			}
		}
		if len(names) != 2 || !slices.Contains(names, "lab") {
			t.Errorf("accounts = %q", names)
		}
		units := must(c.org.ListOrganizationalUnitsForParent(c.ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: c.id("root")}))(t).OrganizationalUnits
		if len(units) != 1 || *units[0].Id != c.ids["unit"] {
			t.Errorf("units of the root = %+v", units)
		}
	})
	t.Run("provider-with-assume_role", func(t *testing.T) {
		role := "arn:aws:iam::" + c.ids["account"] + ":role/Admin"
		out := must(c.sts.AssumeRole(c.ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("apply")}))(t)
		lab := s.IAM(server.SessionKey(out.Credentials))
		must(lab.CreateRole(c.ctx, &iam.CreateRoleInput{RoleName: aws.String("app"), AssumeRolePolicyDocument: aws.String(trustDoc2)}))(t)
		_, err := lab.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: aws.String("app")})
		if server.Code(err) != "AccessDenied" || !strings.Contains(err.Error(), "service control policy") {
			t.Errorf("DeleteRole in the account of the module's service control policy: %v", err)
		}
	})
}
