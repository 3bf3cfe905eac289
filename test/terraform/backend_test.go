// SPDX-License-Identifier: Apache-2.0

// Package terraform tests innkeeper with Terraform: the program itself where its
// own credentials are concerned, and the calls of the AWS provider, which is not
// part of it, as the provider makes them.
package terraform

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

var fence = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// page returns the blocks of HCL of the page on Terraform.
func page(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "terraform.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// A program is Terraform in a directory.
type program struct {
	t    *testing.T
	path string
	dir  string
	env  []string
}

// newProgram skips the test where Terraform is not installed.
func newProgram(t *testing.T, env ...string) *program {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed")
	}
	env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "TF_") })
	return &program{t, path, t.TempDir(), append(env, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0")}
}

// run returns the exit status and everything that was written, on one line.
func (p *program) run(args ...string) (int, string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.path, append(args, "-no-color")...)
	cmd.Dir, cmd.Env = p.dir, p.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.Join(strings.Fields(out.String()), " ")
}

// want is run with an exit status to expect.
func (p *program) want(status int, args ...string) string {
	p.t.Helper()
	got, out := p.run(args...)
	if got != status {
		p.t.Fatalf("terraform %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, status, out)
	}
	return out
}

func (p *program) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func TestPage(t *testing.T) {
	p := newProgram(t, os.Environ()...)
	for i, block := range page(t) {
		p.write(fmt.Sprintf("block%d.tf", i), block)
	}
	if out := p.want(0, "fmt", "-check", "-diff"); out != "" {
		t.Errorf("not as terraform fmt writes it:\n%s", out)
	}
}

const module = `
variable "greeting" {
  default = "hello"
}

resource "terraform_data" "greeting" {
  input = var.greeting
}
`

// TestBackend keeps the state of a module as a role, with the backend of the page.
func TestBackend(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	p := newProgram(t, s.Environ(t, deployer(t, s))...)
	b, url := newBucket(t)
	account := *must(s.STS(s.Admin).GetCallerIdentity(t.Context(), nil))(t).Account
	backend := strings.NewReplacer("http://127.0.0.1:4280", s.URL, "http://127.0.0.1:9000", url, "111122223333", account).Replace(page(t)[0])
	if !strings.Contains(backend, s.URL) || !strings.Contains(backend, account) {
		t.Fatalf("the first block of the page is no backend:\n%s", backend)
	}

	p.write("module.tf", module)
	p.write("backend.tf", strings.Replace(backend, `"for-the-lab"`, `"guess"`, 1))
	if out := p.want(1, "init"); !strings.Contains(out, "AccessDenied") || !strings.Contains(out, ":user/deployer is not authorized to perform: sts:AssumeRole") {
		t.Errorf("init with another external id:\n%s", out)
	}
	p.write("backend.tf", strings.Replace(backend, account+`"]`, `999999999999"]`, 1))
	if out := p.want(1, "init"); !strings.Contains(out, "AWS account ID not allowed: "+account) {
		t.Errorf("init for another account:\n%s", out)
	}
	p.write("backend.tf", backend)
	p.want(0, "init")
	p.want(0, "apply", "-auto-approve")
	p.want(0, "plan", "-detailed-exitcode")
	p.want(2, "plan", "-detailed-exitcode", "-var", "greeting=good evening")
	p.want(0, "apply", "-auto-approve", "-var", "greeting=good evening")
	if out := p.want(0, "state", "show", "terraform_data.greeting"); !strings.Contains(out, "good evening") {
		t.Errorf("the state after a change:\n%s", out)
	}
	p.want(0, "destroy", "-auto-approve")
	if got := b.keys(); !slices.Equal(got, []string{"app/terraform.tfstate"}) {
		t.Errorf("the bucket has %q, want the state alone, unlocked", got)
	}
}

// deployer makes a user who may assume the role deploy with an external id, and
// returns the user's key.
func deployer(t *testing.T, s *server.Server) server.Key {
	t.Helper()
	ctx, admin, name := t.Context(), s.IAM(s.Admin), aws.String("deployer")
	user := must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))(t).User
	must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("deploy"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + *user.Arn + `"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"for-the-lab"}}}}`)}))(t)
	return server.UserKey(must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name}))(t).AccessKey)
}

// TestBackendWebIdentity keeps the state of a module as a role that a job's
// token opens, without any key.
func TestBackendWebIdentity(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	p := newProgram(t, s.Environ(t, server.Key{})...)
	is, token := server.Issuer(t)
	b, url := newBucket(t)
	ctx, admin := t.Context(), s.IAM(s.Admin)
	provider := *must(admin.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: &is.URL, ClientIDList: []string{"sts.amazonaws.com"}}))(t).OpenIDConnectProviderArn
	role := *must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("job"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"` + strings.TrimPrefix(is.URL, "https://") + `:sub":"main"}}}}`)}))(t).Role.Arn
	p.write("module.tf", module)
	p.write("token", token("main"))
	p.write("backend.tf", fmt.Sprintf(`terraform {
  backend "s3" {
    bucket         = "state"
    key            = "job/terraform.tfstate"
    region         = "us-east-1"
    use_path_style = true
    endpoints      = { sts = %q, iam = %q, s3 = %q }
    assume_role_with_web_identity = {
      role_arn                = %q
      session_name            = "terraform"
      web_identity_token_file = "token"
    }
  }
}
`, s.URL, s.URL, url, role))
	p.want(0, "init")
	p.want(0, "apply", "-auto-approve")
	p.want(0, "plan", "-detailed-exitcode")
	if got := b.keys(); !slices.Equal(got, []string{"job/terraform.tfstate"}) {
		t.Errorf("the bucket has %q", got)
	}
	p.write("token", token("another branch"))
	if out := p.want(1, "plan"); !strings.Contains(out, "Not authorized to perform sts:AssumeRoleWithWebIdentity") {
		t.Errorf("plan with another token:\n%s", out)
	}
}

// must returns v, or fails the test with the error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
