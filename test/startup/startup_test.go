// SPDX-License-Identifier: Apache-2.0

// Package startup tests the first minutes of an inn: opening on an empty
// directory, the lines it prints, and more accounts.
package startup

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

func TestFromAnEmptyDirectory(t *testing.T) {
	var worst time.Duration
	for range 5 {
		s := server.Start(t, server.Options{})
		worst = max(worst, s.Took)
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	t.Logf("ready within %v", worst.Round(time.Millisecond))
	if worst > 2*time.Second {
		t.Errorf("ready after %v, want less than 2 s", worst)
	}
}

// TestPrintedLines pastes what the server prints into a shell.
func TestPrintedLines(t *testing.T) {
	s := server.Start(t, server.Options{Data: filepath.Join(t.TempDir(), "Ann's inn")})
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			home := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.Join(s.Lines, "\n")+"\naws sts get-caller-identity --query Arn --output text")
			cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Dir(path) + ":" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true"}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), ":user/admin") {
				t.Errorf("%s\naws sts get-caller-identity = %s, %v", strings.Join(s.Lines, "\n"), out, err)
			}
		})
	}
}

func TestFilesArePrivate(t *testing.T) {
	s := server.Start(t, server.Options{Data: filepath.Join(t.TempDir(), "data")})
	for name, want := range map[string]os.FileMode{".": 0o700, "admin.credentials": 0o600, "master.key": 0o600, "innkeeper.db": 0o600, "audit": 0o700, "audit/audit.log": 0o600, "node.sock": 0o600} {
		info, err := os.Stat(filepath.Join(s.Data, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

// addAccount runs innkeeper account add and returns the administrator's key and
// the account's id.
func addAccount(t *testing.T, data, name string, more ...string) (server.Key, string) {
	t.Helper()
	program, err := server.Program()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"account", "add", name, "--data", data, "--output", "json"}, more...)
	out, err := exec.CommandContext(t.Context(), program, args...).Output()
	if err != nil {
		t.Fatalf("account add %s: %v", name, err)
	}
	var answer struct{ ID, Credentials string }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("account add printed %s: %v", out, err)
	}
	key, err := server.ReadKey(answer.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(answer.Credentials); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v, %v", answer.Credentials, info.Mode(), err)
	}
	return key, answer.ID
}

func TestAccountAdd(t *testing.T) {
	s := server.Start(t, server.Options{})
	running, id := addAccount(t, s.Data, "running", "--id", "222233334444")
	if id != "222233334444" {
		t.Errorf("account %s, want the one asked for", id)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	stopped, _ := addAccount(t, s.Data, "stopped")
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, key := range []server.Key{s.Admin, running, stopped} {
		out, err := s.STS(key).GetCallerIdentity(t.Context(), nil)
		if err != nil || !strings.HasSuffix(*out.Arn, ":user/admin") || seen[*out.Account] {
			t.Errorf("GetCallerIdentity = %v, %v", out, err)
			continue
		}
		seen[*out.Account] = true
	}
}

func document(effect, action, resource string) *string {
	return aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":%q}]}`, effect, action, resource))
}

func trust(principal string) *string {
	return aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, principal))
}

// TestAccountsAreApart tests that one account reaches another only where both
// allow it.
func TestAccountsAreApart(t *testing.T) {
	ctx := t.Context()
	s := server.Start(t, server.Options{Args: []string{"--account-id", "111122223333"}})
	keyB, b := addAccount(t, s.Data, "other")
	const a = "111122223333"
	adminA, adminB := s.IAM(s.Admin), s.IAM(keyB)
	name := aws.String("same")
	for _, admin := range []*iam.Client{adminA, adminB} { // the same names in both
		if _, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := admin.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: name, PolicyDocument: document("Allow", "*", "*")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := adminA.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("only-a")}); err != nil {
		t.Fatal(err)
	}

	t.Run("lists-hold-only-ones-own", func(t *testing.T) {
		out, err := adminB.ListUsers(ctx, nil)
		if err != nil || len(out.Users) != 2 {
			t.Errorf("ListUsers: %v, %v", out, err)
		}
		for _, u := range out.Users {
			if !strings.HasPrefix(*u.Arn, "arn:aws:iam::"+b+":") {
				t.Errorf("%s is listed in account %s", *u.Arn, b)
			}
		}
	})
	t.Run("nothing-of-the-other-can-be-named", func(t *testing.T) {
		policyA := aws.String("arn:aws:iam::" + a + ":policy/same")
		_, err1 := adminB.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("only-a")})
		_, err2 := adminB.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: policyA})
		_, err3 := adminB.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: policyA})
		_, err4 := adminB.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: policyA})
		_, err5 := adminB.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: policyA, PolicyDocument: document("Deny", "*", "*")})
		_, err6 := adminB.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: name, PermissionsBoundary: policyA})
		for i, err := range []error{err1, err2, err3, err4, err5, err6} {
			switch code := server.Code(err); code {
			case "NoSuchEntity", "AccessDenied", "InvalidInput", "ValidationError", "PolicyNotAttachable":
			default:
				t.Errorf("step %d: %q, want a refusal", i+1, code)
			}
		}
	})
	assume := func(key server.Key) error {
		_, err := s.STS(key).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + a + ":role/door"), RoleSessionName: aws.String("guest")})
		return err
	}
	made, err := adminB.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	user := server.UserKey(made.AccessKey)
	const denied = "AccessDenied"
	for _, step := range []struct {
		name string
		do   func() error
		want string // code for the user of the other account
	}{
		{"no-role", func() error { return nil }, denied},
		{"role-that-trusts-its-own-account", func() error {
			_, err := adminA.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("door"), AssumeRolePolicyDocument: trust(a)})
			return err
		}, denied},
		{"caller-allowed-role-does-not-trust", func() error {
			_, err := adminB.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: document("Allow", "sts:AssumeRole", "*")})
			return err
		}, denied},
		{"both", func() error {
			_, err := adminA.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("door"), PolicyDocument: trust(b)})
			return err
		}, ""},
		{"role-trusts-caller-not-allowed", func() error {
			_, err := adminB.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: name})
			return err
		}, denied},
		{"role-trusts-the-user-itself-caller-not-allowed", func() error {
			_, err := adminA.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("door"), PolicyDocument: trust("arn:aws:iam::" + b + ":user/same")})
			return err
		}, denied},
		{"both-again", func() error {
			_, err := adminB.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: document("Allow", "sts:AssumeRole", "arn:aws:iam::"+a+":role/door")})
			return err
		}, ""},
	} {
		t.Run(step.name, func(t *testing.T) {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if got := server.Code(assume(user)); got != step.want {
				t.Errorf("AssumeRole = %q, want %q", got, step.want)
			}
		})
	}
}
