// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/wire/wiretest"
)

var shapeConfig = wiretest.Config{
	Names:   map[string]string{"PolicyDescriptorType.Arn": "arn"},
	Secrets: []string{"SecretAccessKey", "SessionToken", "SAMLAssertion", "WebIdentityToken", "TokenCode"},
}

func TestShapes(t *testing.T) { wiretest.Run(t, shapes, shapeConfig) }
