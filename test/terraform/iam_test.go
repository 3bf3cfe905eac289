// SPDX-License-Identifier: Apache-2.0

package terraform

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// The documents hold what encoding and decoding could spoil. The provider
// unescapes them as a query.
const (
	trustDoc   = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"arn:aws:iam::ACCOUNT:root\"}, \"Action\": \"sts:AssumeRole\", \"Condition\": {\"StringEquals\": {\"sts:ExternalId\": [\"a+b c%20d\", \"apply+it\"]}}}]\n}\n"
	trustDoc2  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`
	readDoc    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::b/a+b c%20d/&<ü>"}]}`
	listDoc    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:List*","Resource":"*"}]}`
	anyDoc     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	awsManaged = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

// unescaped is a document as the provider reads it.
func unescaped(s *string) string {
	text, err := url.QueryUnescape(aws.ToString(s))
	if err != nil {
		return err.Error()
	}
	return text
}

func tags(pairs ...string) []types.Tag {
	var list []types.Tag
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return list
}

func tagged(list []types.Tag) string {
	m := make(map[string]string, len(list))
	for _, t := range list {
		m[*t.Key] = *t.Value
	}
	return fmt.Sprint(m)
}

var principals = []resource{{
	name: "aws_iam_user",
	create: func(c *calls) error {
		_, err := c.iam.CreateUser(c.ctx, &iam.CreateUserInput{UserName: aws.String("tf-ann"), Path: aws.String("/staff/"), Tags: tags("team", "a b+c", "cost", ""), PermissionsBoundary: aws.String(awsManaged)})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetUser(c.ctx, &iam.GetUserInput{UserName: aws.String(c.user())})
		if err != nil {
			return nil, err
		}
		a := attributes{"name": *out.User.UserName, "path": *out.User.Path, "arn": *out.User.Arn, "tags": tagged(out.User.Tags)}
		if b := out.User.PermissionsBoundary; b != nil {
			a["permissions_boundary"] = *b.PermissionsBoundaryArn
		}
		return a, nil
	},
	want: attributes{"name": "tf-ann", "path": "/staff/", "arn": "arn:aws:iam::ACCOUNT:user/staff/tf-ann", "tags": "map[cost: team:a b+c]", "permissions_boundary": awsManaged},
	change: func(c *calls) error {
		c.ids["user"] = "tf-anne"
		_, err := c.iam.UpdateUser(c.ctx, &iam.UpdateUserInput{UserName: aws.String("tf-ann"), NewUserName: aws.String("tf-anne"), NewPath: aws.String("/")})
		_, err2 := c.iam.PutUserPermissionsBoundary(c.ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("tf-anne"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
		_, err3 := c.iam.UntagUser(c.ctx, &iam.UntagUserInput{UserName: aws.String("tf-anne"), TagKeys: []string{"cost"}})
		_, err4 := c.iam.TagUser(c.ctx, &iam.TagUserInput{UserName: aws.String("tf-anne"), Tags: tags("team", "core")})
		return errors.Join(err, err2, err3, err4)
	},
	then: attributes{"name": "tf-anne", "path": "/", "arn": "arn:aws:iam::ACCOUNT:user/tf-anne", "tags": "map[team:core]", "permissions_boundary": "arn:aws:iam::aws:policy/AdministratorAccess"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteUser(c.ctx, &iam.DeleteUserInput{UserName: aws.String(c.user())})
		return err
	},
}, {
	name: "aws_iam_group",
	create: func(c *calls) error {
		_, err := c.iam.CreateGroup(c.ctx, &iam.CreateGroupInput{GroupName: aws.String("tf-devs"), Path: aws.String("/teams/")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetGroup(c.ctx, &iam.GetGroupInput{GroupName: aws.String("tf-devs")})
		if err != nil {
			return nil, err
		}
		return attributes{"name": *out.Group.GroupName, "path": *out.Group.Path}, nil
	},
	want: attributes{"name": "tf-devs", "path": "/teams/"},
	change: func(c *calls) error {
		_, err := c.iam.UpdateGroup(c.ctx, &iam.UpdateGroupInput{GroupName: aws.String("tf-devs"), NewPath: aws.String("/eng/")})
		return err
	},
	then: attributes{"path": "/eng/"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteGroup(c.ctx, &iam.DeleteGroupInput{GroupName: aws.String("tf-devs")})
		return err
	},
}, {
	name: "aws_iam_group_membership",
	create: func(c *calls) error {
		_, err := c.iam.AddUserToGroup(c.ctx, &iam.AddUserToGroupInput{GroupName: aws.String("tf-devs"), UserName: aws.String(c.user())})
		return err
	},
	read: func(c *calls) (attributes, error) {
		var names []string
		for p := iam.NewGetGroupPaginator(c.iam, &iam.GetGroupInput{GroupName: aws.String("tf-devs")}); p.HasMorePages(); {
			out, err := p.NextPage(c.ctx)
			if err != nil {
				return nil, err
			}
			for _, u := range out.Users {
				names = append(names, *u.UserName)
			}
		}
		return attributes{"users": strings.Join(names, " ")}, nil
	},
	want:   attributes{"users": "tf-ann"},
	change: func(*calls) error { return nil }, // the user was renamed
	then:   attributes{"users": "tf-anne"},
	delete: func(c *calls) error {
		_, err := c.iam.RemoveUserFromGroup(c.ctx, &iam.RemoveUserFromGroupInput{GroupName: aws.String("tf-devs"), UserName: aws.String(c.user())})
		return err
	},
	gone: func(err error) bool { return err == nil },
}, {
	name: "aws_iam_role",
	create: func(c *calls) error {
		_, err := c.iam.CreateRole(c.ctx, &iam.CreateRoleInput{RoleName: aws.String("tf-app"), Path: aws.String("/ci/"), Description: aws.String("100 % <&> \"é\""), MaxSessionDuration: aws.Int32(7200),
			AssumeRolePolicyDocument: aws.String(strings.ReplaceAll(trustDoc, "ACCOUNT", c.account)), Tags: tags("k", "v")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetRole(c.ctx, &iam.GetRoleInput{RoleName: aws.String("tf-app")})
		if err != nil {
			return nil, err
		}
		r := out.Role
		return attributes{"name": *r.RoleName, "path": *r.Path, "description": aws.ToString(r.Description), "assume_role_policy": unescaped(r.AssumeRolePolicyDocument),
			"max_session_duration": fmt.Sprint(*r.MaxSessionDuration), "tags": tagged(r.Tags)}, nil
	},
	want: attributes{"name": "tf-app", "path": "/ci/", "description": "100 % <&> \"é\"", "assume_role_policy": trustDoc, "max_session_duration": "7200", "tags": "map[k:v]"},
	change: func(c *calls) error {
		name := aws.String("tf-app")
		_, err := c.iam.UpdateAssumeRolePolicy(c.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(trustDoc2)})
		_, err2 := c.iam.UpdateRoleDescription(c.ctx, &iam.UpdateRoleDescriptionInput{RoleName: name, Description: aws.String("")})
		_, err3 := c.iam.UpdateRole(c.ctx, &iam.UpdateRoleInput{RoleName: name, MaxSessionDuration: aws.Int32(3600)})
		_, err4 := c.iam.UntagRole(c.ctx, &iam.UntagRoleInput{RoleName: name, TagKeys: []string{"k"}})
		return errors.Join(err, err2, err3, err4)
	},
	then: attributes{"assume_role_policy": trustDoc2, "description": "", "max_session_duration": "3600", "tags": "map[]"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: aws.String("tf-app")})
		return err
	},
}, {
	name: "aws_iam_instance_profile",
	create: func(c *calls) error {
		_, err := c.iam.CreateInstanceProfile(c.ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("tf-host"), Path: aws.String("/ci/"), Tags: tags("k", "v")})
		if err != nil {
			return err
		}
		if err := iam.NewInstanceProfileExistsWaiter(c.iam).Wait(c.ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("tf-host")}, waiting); err != nil {
			return err
		}
		_, err = c.iam.AddRoleToInstanceProfile(c.ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("tf-host"), RoleName: aws.String("tf-app")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetInstanceProfile(c.ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("tf-host")})
		if err != nil {
			return nil, err
		}
		p := out.InstanceProfile
		role := ""
		for _, r := range p.Roles {
			role += *r.RoleName
		}
		return attributes{"path": *p.Path, "role": role, "tags": tagged(p.Tags)}, nil
	},
	want: attributes{"path": "/ci/", "role": "tf-app", "tags": "map[k:v]"},
	change: func(c *calls) error {
		_, err := c.iam.TagInstanceProfile(c.ctx, &iam.TagInstanceProfileInput{InstanceProfileName: aws.String("tf-host"), Tags: tags("k", "w")})
		return err
	},
	then: attributes{"tags": "map[k:w]"},
	delete: func(c *calls) error {
		_, err := c.iam.RemoveRoleFromInstanceProfile(c.ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: aws.String("tf-host"), RoleName: aws.String("tf-app")})
		_, err2 := c.iam.DeleteInstanceProfile(c.ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: aws.String("tf-host")})
		return errors.Join(err, err2)
	},
}}

// user is the user's name, which changes.
func (c *calls) user() string {
	if name := c.ids["user"]; name != "" {
		return name
	}
	return "tf-ann"
}

var policies = []resource{{
	name: "aws_iam_policy",
	create: func(c *calls) error {
		_, err := c.iam.CreatePolicy(c.ctx, &iam.CreatePolicyInput{PolicyName: aws.String("tf-read"), Path: aws.String("/ci/"), Description: aws.String("d"), PolicyDocument: aws.String(readDoc), Tags: tags("k", "v")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		arn := c.arn("policy/ci", "tf-read")
		out, err := c.iam.GetPolicy(c.ctx, &iam.GetPolicyInput{PolicyArn: arn})
		if err != nil {
			return nil, err
		}
		version, err := c.iam.GetPolicyVersion(c.ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: out.Policy.DefaultVersionId})
		if err != nil {
			return nil, err
		}
		p := out.Policy
		return attributes{"name": *p.PolicyName, "path": *p.Path, "description": *p.Description, "policy": unescaped(version.PolicyVersion.Document), "tags": tagged(p.Tags)}, nil
	},
	want: attributes{"name": "tf-read", "path": "/ci/", "description": "d", "policy": readDoc, "tags": "map[k:v]"},
	change: func(c *calls) error { // more often than there may be versions: the oldest makes room
		for _, doc := range []string{listDoc, readDoc, listDoc, readDoc, anyDoc, listDoc} {
			if err := c.revise(c.arn("policy/ci", "tf-read"), doc); err != nil {
				return err
			}
		}
		return nil
	},
	then: attributes{"policy": listDoc},
	delete: func(c *calls) error {
		arn := c.arn("policy/ci", "tf-read")
		versions, err := c.versions(arn)
		for _, v := range versions {
			if !v.IsDefaultVersion {
				_, err2 := c.iam.DeletePolicyVersion(c.ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: v.VersionId})
				err = errors.Join(err, err2)
			}
		}
		_, err2 := c.iam.DeletePolicy(c.ctx, &iam.DeletePolicyInput{PolicyArn: arn})
		return errors.Join(err, err2)
	},
}, attached("aws_iam_role_policy_attachment",
	func(c *calls) error {
		_, err := c.iam.AttachRolePolicy(c.ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("tf-app"), PolicyArn: c.arn("policy/ci", "tf-read")})
		return err
	}, func(c *calls) ([]types.AttachedPolicy, error) {
		out, err := c.iam.ListAttachedRolePolicies(c.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("tf-app")})
		if err != nil {
			return nil, err
		}
		return out.AttachedPolicies, nil
	}, func(c *calls) error {
		_, err := c.iam.DetachRolePolicy(c.ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("tf-app"), PolicyArn: c.arn("policy/ci", "tf-read")})
		return err
	}), attached("aws_iam_user_policy_attachment",
	func(c *calls) error {
		_, err := c.iam.AttachUserPolicy(c.ctx, &iam.AttachUserPolicyInput{UserName: aws.String(c.user()), PolicyArn: c.arn("policy/ci", "tf-read")})
		return err
	}, func(c *calls) ([]types.AttachedPolicy, error) {
		out, err := c.iam.ListAttachedUserPolicies(c.ctx, &iam.ListAttachedUserPoliciesInput{UserName: aws.String(c.user())})
		if err != nil {
			return nil, err
		}
		return out.AttachedPolicies, nil
	}, func(c *calls) error {
		_, err := c.iam.DetachUserPolicy(c.ctx, &iam.DetachUserPolicyInput{UserName: aws.String(c.user()), PolicyArn: c.arn("policy/ci", "tf-read")})
		return err
	}), attached("aws_iam_group_policy_attachment",
	func(c *calls) error {
		_, err := c.iam.AttachGroupPolicy(c.ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("tf-devs"), PolicyArn: c.arn("policy/ci", "tf-read")})
		return err
	}, func(c *calls) ([]types.AttachedPolicy, error) {
		out, err := c.iam.ListAttachedGroupPolicies(c.ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: aws.String("tf-devs")})
		if err != nil {
			return nil, err
		}
		return out.AttachedPolicies, nil
	}, func(c *calls) error {
		_, err := c.iam.DetachGroupPolicy(c.ctx, &iam.DetachGroupPolicyInput{GroupName: aws.String("tf-devs"), PolicyArn: c.arn("policy/ci", "tf-read")})
		return err
	}), inline("aws_iam_role_policy",
	func(c *calls, doc string) error {
		_, err := c.iam.PutRolePolicy(c.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("tf-app"), PolicyName: aws.String("inline"), PolicyDocument: &doc})
		return err
	}, func(c *calls) (*string, error) {
		out, err := c.iam.GetRolePolicy(c.ctx, &iam.GetRolePolicyInput{RoleName: aws.String("tf-app"), PolicyName: aws.String("inline")})
		if err != nil {
			return nil, err
		}
		return out.PolicyDocument, nil
	}, func(c *calls) error {
		_, err := c.iam.DeleteRolePolicy(c.ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("tf-app"), PolicyName: aws.String("inline")})
		return err
	}), inline("aws_iam_user_policy",
	func(c *calls, doc string) error {
		_, err := c.iam.PutUserPolicy(c.ctx, &iam.PutUserPolicyInput{UserName: aws.String(c.user()), PolicyName: aws.String("inline"), PolicyDocument: &doc})
		return err
	}, func(c *calls) (*string, error) {
		out, err := c.iam.GetUserPolicy(c.ctx, &iam.GetUserPolicyInput{UserName: aws.String(c.user()), PolicyName: aws.String("inline")})
		if err != nil {
			return nil, err
		}
		return out.PolicyDocument, nil
	}, func(c *calls) error {
		_, err := c.iam.DeleteUserPolicy(c.ctx, &iam.DeleteUserPolicyInput{UserName: aws.String(c.user()), PolicyName: aws.String("inline")})
		return err
	}), inline("aws_iam_group_policy",
	func(c *calls, doc string) error {
		_, err := c.iam.PutGroupPolicy(c.ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("tf-devs"), PolicyName: aws.String("inline"), PolicyDocument: &doc})
		return err
	}, func(c *calls) (*string, error) {
		out, err := c.iam.GetGroupPolicy(c.ctx, &iam.GetGroupPolicyInput{GroupName: aws.String("tf-devs"), PolicyName: aws.String("inline")})
		if err != nil {
			return nil, err
		}
		return out.PolicyDocument, nil
	}, func(c *calls) error {
		_, err := c.iam.DeleteGroupPolicy(c.ctx, &iam.DeleteGroupPolicyInput{GroupName: aws.String("tf-devs"), PolicyName: aws.String("inline")})
		return err
	})}

func (c *calls) versions(arn *string) ([]types.PolicyVersion, error) {
	out, err := c.iam.ListPolicyVersions(c.ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn})
	if err != nil {
		return nil, err
	}
	return out.Versions, nil
}

// revise makes a version of a policy the default, after the oldest other one has
// made room for it if there are five.
func (c *calls) revise(arn *string, doc string) error {
	versions, err := c.versions(arn)
	if err != nil {
		return err
	}
	if len(versions) >= 5 {
		others := slices.DeleteFunc(versions, func(v types.PolicyVersion) bool { return v.IsDefaultVersion })
		oldest := slices.MinFunc(others, func(a, b types.PolicyVersion) int { return a.CreateDate.Compare(*b.CreateDate) })
		if _, err := c.iam.DeletePolicyVersion(c.ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: oldest.VersionId}); err != nil {
			return err
		}
	}
	_, err = c.iam.CreatePolicyVersion(c.ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &doc, SetAsDefault: true})
	return err
}

// attached is a resource that attaches the policy tf-read to something.
func attached(name string, attach func(*calls) error, list func(*calls) ([]types.AttachedPolicy, error), detach func(*calls) error) resource {
	return resource{
		name: name, create: attach, delete: detach,
		read: func(c *calls) (attributes, error) {
			found, err := list(c)
			if err != nil {
				return nil, err
			}
			a := attributes{}
			for _, p := range found {
				a[*p.PolicyName] = *p.PolicyArn
			}
			if len(a) == 0 {
				return nil, errors.New("not attached")
			}
			return a, nil
		},
		want: attributes{"tf-read": "arn:aws:iam::ACCOUNT:policy/ci/tf-read"},
		gone: func(err error) bool { return err != nil && err.Error() == "not attached" },
	}
}

// inline is a resource that is an inline policy of something.
func inline(name string, put func(*calls, string) error, get func(*calls) (*string, error), remove func(*calls) error) resource {
	return resource{
		name:   name,
		create: func(c *calls) error { return put(c, readDoc) },
		read: func(c *calls) (attributes, error) {
			doc, err := get(c)
			if err != nil {
				return nil, err
			}
			return attributes{"policy": unescaped(doc)}, nil
		},
		want:   attributes{"policy": readDoc},
		change: func(c *calls) error { return put(c, listDoc) },
		then:   attributes{"policy": listDoc},
		delete: remove,
	}
}
