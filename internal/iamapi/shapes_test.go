// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/wire/wiretest"
)

var shapeConfig = wiretest.Config{
	Secrets: []string{
		"AuthenticationCode1", "AuthenticationCode2", "Base32StringSeed", "NewPassword", "OldPassword", "Password",
		"PrivateKey", "QRCodePNG", "SecretAccessKey", "ServicePassword", "AddPrivateKey",
	},
	Documents: []string{
		"Role.AssumeRolePolicyDocument", "RoleDetail.AssumeRolePolicyDocument", "PolicyDetail.PolicyDocument", "PolicyVersion.Document",
		"GetGroupPolicyOutput.PolicyDocument", "GetRolePolicyOutput.PolicyDocument", "GetUserPolicyOutput.PolicyDocument",
	},
	Lists: []string{"InstanceProfile.Roles"},
}

func TestShapes(t *testing.T) { wiretest.Run(t, shapes, shapeConfig) }
