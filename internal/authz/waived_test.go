// SPDX-License-Identifier: Apache-2.0

package authz_test

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// TestWaived: quirk Q108. What would be refused goes on, is told and is recorded
// as it was decided.
func TestWaived(t *testing.T) {
	s := open(t)
	var told []string
	s.Waived = func(e *authz.DeniedError) { told = append(told, e.Action) }
	var rec audit.Record
	err := s.Authorize(t.Context(), &rec, s.key(t, "ann"), new(authz.Env),
		authz.Check{Action: "iam:CreateUser", Resource: "*"}, authz.Check{Action: "iam:DeleteUser", Resource: "*"})
	if err != nil {
		t.Fatalf("Authorize() = %v, want nil", err)
	}
	if len(told) != 2 || told[0] != "iam:CreateUser" || told[1] != "iam:DeleteUser" {
		t.Errorf("told of %v, want both", told)
	}
	d := rec.Decision
	if d.Outcome != policy.ExplicitDeny.String() || d.Reason == "" || len(d.Checks) != 1 || d.Checks[0].Outcome != policy.ImplicitDeny.String() {
		t.Errorf("the record says %+v, want both refusals with their reason", d)
	}
	must(t, s.log.Close())
	if err := s.Authorize(t.Context(), &rec, s.key(t, "ann"), new(authz.Env), authz.Check{Action: "iam:CreateUser", Resource: "*"}); err == nil {
		t.Error("Authorize() = nil without an audit log, want an error")
	}
}
