// SPDX-License-Identifier: Apache-2.0

package clients

import (
	_ "embed"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

//go:embed testdata/organizations.py
var organizationsScript string

// TestOrganizationsCLI makes an organization with an account, enters it, and sees
// a service control policy take hold at once and let go again.
func TestOrganizationsCLI(t *testing.T) {
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			cli := s.CLI(t, path, s.Admin)
			org := func(args ...string) string { return cli.Run(append([]string{"organizations"}, args...)...) }
			cli.Refused("AWSOrganizationsNotInUseException", []string{"not a member of an organization"}, "organizations", "describe-organization")
			id := org("create-organization", "--feature-set", "ALL", "--query", "Organization.Id")
			root := org("list-roots", "--query", "Roots[0].Id")
			unit := org("create-organizational-unit", "--parent-id", root, "--name", "work", "--query", "OrganizationalUnit.Id")
			request := org("create-account", "--email", "lab@example.com", "--account-name", "lab", "--tags", "Key=stage,Value=test",
				"--query", "CreateAccountStatus.Id")
			account := org("describe-create-account-status", "--create-account-request-id", request, "--query", "CreateAccountStatus.AccountId")
			org("move-account", "--account-id", account, "--source-parent-id", root, "--destination-parent-id", unit)
			if got := org("list-parents", "--child-id", account, "--query", "Parents[0].Id"); got != unit {
				t.Errorf("list-parents = %s, want %s", got, unit)
			}
			lab := enter(t, s, path, cli, account)
			lab.Run("iam", "list-users")
			if got := lab.Run("organizations", "describe-organization", "--query", "Organization.Id"); got != id {
				t.Errorf("describe-organization by the account = %s, want %s", got, id)
			}
			lab.Refused("AccessDeniedException", []string{"You don't have permissions to access this resource."}, "organizations", "list-accounts")

			org("enable-policy-type", "--root-id", root, "--policy-type", "SERVICE_CONTROL_POLICY")
			policy := org("create-policy", "--type", "SERVICE_CONTROL_POLICY", "--name", "no-users", "--description", "d",
				"--content", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*User*","Resource":"*"}}`, "--query", "Policy.PolicySummary.Id")
			org("attach-policy", "--policy-id", policy, "--target-id", unit)
			lab.Refused("AccessDenied", []string{"explicit deny in a service control policy"}, "iam", "list-users")
			lab.Run("iam", "list-roles")
			cli.Run("iam", "list-users")
			org("attach-policy", "--policy-id", policy, "--target-id", root)
			cli.Run("iam", "list-users")
			cli.Refused("PolicyInUseException", nil, "organizations", "delete-policy", "--policy-id", policy)
			org("detach-policy", "--policy-id", policy, "--target-id", root)
			org("detach-policy", "--policy-id", policy, "--target-id", unit)
			lab.Run("iam", "list-users")
			org("delete-policy", "--policy-id", policy)

			org("close-account", "--account-id", account)
			if got := org("list-accounts", "--query", "Accounts[?Id=='"+account+"'].Status"); got != "SUSPENDED" {
				t.Errorf("status of the closed account = %s, want SUSPENDED", got)
			}
			lab.Refused("InvalidClientTokenId", nil, "iam", "list-users")
		})
	}
}

// enter returns the CLI with a session of the role by which the management
// account enters an account.
func enter(t *testing.T, s *server.Server, path string, cli *server.CLI, account string) *server.CLI {
	creds := strings.Fields(cli.Run("sts", "assume-role", "--role-arn", "arn:aws:iam::"+account+":role/OrganizationAccountAccessRole",
		"--role-session-name", "visit", "--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]"))
	return s.CLI(t, path, server.Key{ID: creds[0], Secret: creds[1], Token: creds[2]})
}

func TestOrganizationsBoto3(t *testing.T) {
	for _, python := range server.Pythons(t) {
		t.Run(filepath.Dir(python), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			cmd := exec.CommandContext(t.Context(), python, "-")
			cmd.Env = s.Environ(t, s.Admin)
			cmd.Stdin = strings.NewReader(organizationsScript)
			server.Script(t, cmd, 5)
		})
	}
}
