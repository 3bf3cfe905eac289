// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/wire/wiretest"
)

var shapeConfig = wiretest.Config{
	JSON: true,
	Secrets: []string{
		"AccountName", "Email", "MasterAccountEmail", "ManagementAccountEmail", "Notes", "SourceName",
		"Account.Name", "DelegatedAdministrator.Name", "HandshakeParty.Id", "HandshakeResource.Value",
		"ResponsibilityTransfer.Name", "UpdateResponsibilityTransferInput.Name",
	},
}

func TestShapes(t *testing.T) { wiretest.Run(t, shapes, shapeConfig) }

func FuzzDecode(f *testing.F) {
	f.Add(`{"AccountName":"a","Email":"a@b.cd","Tags":[{"Key":"k","Value":"v"}]}`)
	f.Add(`{"Target":{"Id":"111122223333","Type":"ACCOUNT"},"Notes":null,"MaxResults":1e9,"StartTimestamp":1.5,"Filter":[]}`)
	wiretest.FuzzJSON(f, shapes)
}
