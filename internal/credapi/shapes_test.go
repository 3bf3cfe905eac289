// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/wire/wiretest"
)

func TestShapes(t *testing.T) {
	wiretest.Run(t, shapes, wiretest.Config{Secrets: []string{
		"AuthenticationCode1", "AuthenticationCode2", "Base32StringSeed", "NewPassword", "OldPassword", "Password",
		"PrivateKey", "QRCodePNG", "SecretAccessKey", "ServiceCredentialSecret", "ServicePassword",
	}})
}
