// SPDX-License-Identifier: Apache-2.0

package managed_test

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// TestEveryDocumentIsAnIdentityPolicy runs AWS's own policies through our policy
// language: every one of them must parse, be valid and compile.
func TestEveryDocumentIsAnIdentityPolicy(t *testing.T) {
	for _, p := range managed.All() {
		d, err := policy.Parse(p.ARN, []byte(p.Document()))
		if err != nil {
			t.Errorf("Parse(%s) = %v", p.ARN, err)
			continue
		}
		if err := d.Validate(policy.Identity); err != nil {
			t.Errorf("Validate(%s) = %v", p.ARN, err)
		}
		if _, err := policy.Compile(d, policy.Identity); err != nil {
			t.Errorf("Compile(%s) = %v", p.ARN, err)
		}
	}
}
