// SPDX-License-Identifier: Apache-2.0

package terraform

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

const scpDoc = "{\n  \"Statement\": [{\"Action\": \"iam:DeleteRole\", \"Effect\": \"Deny\", \"Resource\": \"*\"}],\n  \"Version\": \"2012-10-17\"\n}"

// orgGone says that an error is of the type by which the provider knows.
func orgGone[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func (c *calls) orgTags(id *string) (string, error) {
	out, err := c.org.ListTagsForResource(c.ctx, &organizations.ListTagsForResourceInput{ResourceId: id})
	if err != nil {
		return "", err
	}
	m := make(map[string]string, len(out.Tags))
	for _, t := range out.Tags {
		m[*t.Key] = *t.Value
	}
	return fmt.Sprint(m), nil
}

var organization = []resource{{
	name: "aws_organizations_organization",
	create: func(c *calls) error {
		if _, err := c.org.CreateOrganization(c.ctx, &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll}); err != nil {
			return err
		}
		roots, err := c.org.ListRoots(c.ctx, nil)
		if err != nil {
			return err
		}
		c.ids["root"] = *roots.Roots[0].Id
		_, err = c.org.EnableAWSServiceAccess(c.ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("config.amazonaws.com")})
		_, err2 := c.org.EnablePolicyType(c.ctx, &organizations.EnablePolicyTypeInput{RootId: c.id("root"), PolicyType: types.PolicyTypeServiceControlPolicy})
		return errors.Join(err, err2, c.enabled("ENABLED"))
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.org.DescribeOrganization(c.ctx, nil)
		if err != nil {
			return nil, err
		}
		services, err := c.org.ListAWSServiceAccessForOrganization(c.ctx, nil)
		if err != nil {
			return nil, err
		}
		a := attributes{"feature_set": string(out.Organization.FeatureSet), "master_account_id": *out.Organization.MasterAccountId}
		for _, s := range services.EnabledServicePrincipals {
			a["aws_service_access_principals"] += *s.ServicePrincipal
		}
		roots, err := c.org.ListRoots(c.ctx, nil)
		if err != nil {
			return nil, err
		}
		for _, p := range roots.Roots[0].PolicyTypes {
			a["enabled_policy_types"] += string(p.Type) + " " + string(p.Status)
		}
		return a, nil
	},
	want: attributes{"feature_set": "ALL", "master_account_id": "ACCOUNT", "aws_service_access_principals": "config.amazonaws.com", "enabled_policy_types": "SERVICE_CONTROL_POLICY ENABLED"},
	delete: func(c *calls) error {
		_, err := c.org.DisableAWSServiceAccess(c.ctx, &organizations.DisableAWSServiceAccessInput{ServicePrincipal: aws.String("config.amazonaws.com")})
		_, err2 := c.org.DisablePolicyType(c.ctx, &organizations.DisablePolicyTypeInput{RootId: c.id("root"), PolicyType: types.PolicyTypeServiceControlPolicy})
		_, err3 := c.org.DeleteOrganization(c.ctx, nil)
		return errors.Join(err, err2, err3)
	},
	gone: orgGone[*types.AWSOrganizationsNotInUseException],
}, {
	name: "aws_organizations_organizational_unit",
	create: func(c *calls) error {
		out, err := c.org.CreateOrganizationalUnit(c.ctx, &organizations.CreateOrganizationalUnitInput{ParentId: c.id("root"), Name: aws.String("work"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("a b")}}})
		if err == nil {
			c.ids["unit"] = *out.OrganizationalUnit.Id
		}
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.org.DescribeOrganizationalUnit(c.ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: c.id("unit")})
		if err != nil {
			return nil, err
		}
		parents, err := c.org.ListParents(c.ctx, &organizations.ListParentsInput{ChildId: c.id("unit")})
		if err != nil {
			return nil, err
		}
		tags, err := c.orgTags(c.id("unit"))
		in := "elsewhere"
		if *parents.Parents[0].Id == c.ids["root"] {
			in = "root"
		}
		return attributes{"name": *out.OrganizationalUnit.Name, "parent_id": in, "tags": tags}, err
	},
	want: attributes{"name": "work", "parent_id": "root", "tags": "map[k:a b]"},
	change: func(c *calls) error {
		_, err := c.org.UpdateOrganizationalUnit(c.ctx, &organizations.UpdateOrganizationalUnitInput{OrganizationalUnitId: c.id("unit"), Name: aws.String("labs")})
		_, err2 := c.org.UntagResource(c.ctx, &organizations.UntagResourceInput{ResourceId: c.id("unit"), TagKeys: []string{"k"}})
		return errors.Join(err, err2)
	},
	then: attributes{"name": "labs", "tags": "map[]"},
	delete: func(c *calls) error {
		_, err := c.org.DeleteOrganizationalUnit(c.ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: c.id("unit")})
		return err
	},
	gone: func(err error) bool { // the organization is still there
		return orgGone[*types.OrganizationalUnitNotFoundException](err)
	},
}, {
	name: "aws_organizations_account",
	create: func(c *calls) error {
		out, err := c.org.CreateAccount(c.ctx, &organizations.CreateAccountInput{AccountName: aws.String("lab"), Email: aws.String("lab@example.com"), RoleName: aws.String("Admin"), IamUserAccessToBilling: types.IAMUserAccessToBillingAllow,
			Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
		if err != nil {
			return err
		}
		err = poll(func() (string, error) {
			status, err := c.org.DescribeCreateAccountStatus(c.ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: out.CreateAccountStatus.Id})
			if err != nil {
				return "", err
			}
			c.ids["account"] = aws.ToString(status.CreateAccountStatus.AccountId)
			return string(status.CreateAccountStatus.State), nil
		}, "SUCCEEDED", "IN_PROGRESS")
		if err != nil {
			return err
		}
		_, err = c.org.MoveAccount(c.ctx, &organizations.MoveAccountInput{AccountId: c.id("account"), SourceParentId: c.id("root"), DestinationParentId: c.id("unit")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.org.DescribeAccount(c.ctx, &organizations.DescribeAccountInput{AccountId: c.id("account")})
		if err != nil {
			return nil, err
		}
		parents, err := c.org.ListParents(c.ctx, &organizations.ListParentsInput{ChildId: c.id("account")})
		if err != nil {
			return nil, err
		}
		tags, err := c.orgTags(c.id("account"))
		in := "elsewhere"
		if *parents.Parents[0].Id == c.ids["unit"] {
			in = "unit"
		}
		return attributes{"name": *out.Account.Name, "email": *out.Account.Email, "joined_method": string(out.Account.JoinedMethod), "parent_id": in, "tags": tags, "status": string(out.Account.Status)}, err
	},
	want: attributes{"name": "lab", "email": "lab@example.com", "joined_method": "CREATED", "parent_id": "unit", "tags": "map[k:v]", "status": "ACTIVE"},
	change: func(c *calls) error {
		_, err := c.org.TagResource(c.ctx, &organizations.TagResourceInput{ResourceId: c.id("account"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("w")}}})
		return err
	},
	then: attributes{"tags": "map[k:w]"},
	delete: func(c *calls) error {
		_, err := c.org.RemoveAccountFromOrganization(c.ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: c.id("account")})
		return err
	},
	gone: orgGone[*types.AccountNotFoundException],
}, {
	name: "aws_organizations_policy",
	create: func(c *calls) error {
		out, err := c.org.CreatePolicy(c.ctx, &organizations.CreatePolicyInput{Type: types.PolicyTypeServiceControlPolicy, Name: aws.String("keep-roles"), Description: aws.String(""), Content: aws.String(scpDoc)})
		if err == nil {
			c.ids["policy"] = *out.Policy.PolicySummary.Id
		}
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.org.DescribePolicy(c.ctx, &organizations.DescribePolicyInput{PolicyId: c.id("policy")})
		if err != nil {
			return nil, err
		}
		p := out.Policy.PolicySummary
		return attributes{"name": *p.Name, "description": aws.ToString(p.Description), "content": *out.Policy.Content, "type": string(p.Type)}, nil
	},
	want: attributes{"name": "keep-roles", "description": "", "content": scpDoc, "type": "SERVICE_CONTROL_POLICY"},
	change: func(c *calls) error {
		_, err := c.org.UpdatePolicy(c.ctx, &organizations.UpdatePolicyInput{PolicyId: c.id("policy"), Description: aws.String("d"), Content: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
		if !orgGone[*types.MalformedPolicyDocumentException](err) {
			return fmt.Errorf("a policy without statements: %w", err)
		}
		_, err = c.org.UpdatePolicy(c.ctx, &organizations.UpdatePolicyInput{PolicyId: c.id("policy"), Name: aws.String("keep"), Description: aws.String("d")})
		return err
	},
	then: attributes{"name": "keep", "description": "d"},
	delete: func(c *calls) error {
		_, err := c.org.DeletePolicy(c.ctx, &organizations.DeletePolicyInput{PolicyId: c.id("policy")})
		return err
	},
	gone: orgGone[*types.PolicyNotFoundException],
}, {
	name: "aws_organizations_policy_attachment",
	create: func(c *calls) error {
		_, err := c.org.AttachPolicy(c.ctx, &organizations.AttachPolicyInput{PolicyId: c.id("policy"), TargetId: c.id("unit")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		for p := organizations.NewListTargetsForPolicyPaginator(c.org, &organizations.ListTargetsForPolicyInput{PolicyId: c.id("policy")}); p.HasMorePages(); {
			out, err := p.NextPage(c.ctx)
			if err != nil {
				return nil, err
			}
			for _, target := range out.Targets {
				if *target.TargetId == c.ids["unit"] {
					return attributes{"target": *target.Name}, nil
				}
			}
		}
		return nil, errors.New("not attached")
	},
	want:   attributes{"target": "work"},
	change: func(*calls) error { return nil }, // the unit was renamed
	then:   attributes{"target": "labs"},
	delete: func(c *calls) error {
		_, err := c.org.DetachPolicy(c.ctx, &organizations.DetachPolicyInput{PolicyId: c.id("policy"), TargetId: c.id("unit")})
		return err
	},
	gone: func(err error) bool { return err != nil && err.Error() == "not attached" },
}}

// enabled waits until service control policies have a status at the root.
func (c *calls) enabled(status string) error {
	return poll(func() (string, error) {
		out, err := c.org.ListRoots(c.ctx, nil)
		if err != nil {
			return "", err
		}
		for _, p := range out.Roots[0].PolicyTypes {
			if p.Type == types.PolicyTypeServiceControlPolicy {
				return string(p.Status), nil
			}
		}
		return "none", nil
	}, status, "none", "PENDING_ENABLE")
}
