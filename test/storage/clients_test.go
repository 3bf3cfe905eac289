// SPDX-License-Identifier: Apache-2.0

package storage

import "testing"

func TestGateway(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"credentials-of-fred", credentialsOfFred},
		{"learning", learning},
		{"two-accounts", twoAccounts},
		{"everybody", everybody},
		{"adopted", adopted},
		{"go-sdk", goSDK},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}
