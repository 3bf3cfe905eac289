// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"bytes"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// AWS's own policies are what AWS accepts.
func TestManagedPoliciesAreValid(t *testing.T) {
	for _, p := range managed.All() {
		d, err := policy.Parse(p.ARN, []byte(p.Document()))
		if err != nil {
			t.Error(err)
			continue
		}
		if err := d.Validate(policy.Identity); err != nil {
			t.Error(err)
		}
		if err := d.CheckVersion(); err != nil {
			t.Error(err)
		}
		if _, err := policy.Compile(d, policy.Identity); err != nil {
			t.Error(err)
		}
		var b bytes.Buffer
		if err := d.Print(&b); err != nil {
			t.Error(err)
		}
		if again, err := policy.Parse(p.ARN, b.Bytes()); err != nil || len(again.Statements) != len(d.Statements) {
			t.Errorf("%s: Print changed it: %v", p.ARN, err)
		}
	}
}
