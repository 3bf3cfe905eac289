// SPDX-License-Identifier: Apache-2.0

// Package services tests the gateway in front of an emulator of AWS's services, moto, with real clients.
package services

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// version of moto that is fetched where none is installed.
const version = "5.2.1"

var behind = []string{"dynamodb", "sqs", "sns", "kms", "secretsmanager", "ssm", "lambda", "monitoring"}

// moto returns the path of moto_server: the one on the PATH, or one that pip puts into the cache. The test is skipped
// where neither can be had.
func moto(t *testing.T) string {
	if path, err := exec.LookPath("moto_server"); err == nil {
		return path
	}
	cache, err := server.Cache()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "moto-"+version)
	program := filepath.Join(dir, "bin", "moto_server")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	unlock, err := server.Lock(dir + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, args := range [][]string{
		{"python3", "-m", "venv", dir},
		{filepath.Join(dir, "bin", "pip"), "install", "--quiet", "--retries", "0", "moto[server]==" + version},
	} {
		if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			os.RemoveAll(dir)
			t.Skipf("moto_server is not on the PATH and cannot be installed: %v\n%s", err, out)
		}
	}
	return program
}

// emulator runs moto until the end of the test and returns its address.
func emulator(t *testing.T) string {
	t.Helper()
	program, address := moto(t), server.FreeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	cmd := exec.CommandContext(t.Context(), program, "-H", host, "-p", port)
	cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_DISABLED=true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 600 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("moto does not answer")
	return ""
}

func TestServices(t *testing.T) {
	address := emulator(t)
	credentials := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(credentials, []byte("[default]\naws_access_key_id = AKIAEMULATOR\naws_secret_access_key = x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const account = "111122223333"
	listen := server.FreeAddress(t)
	args := []string{"--account-id", account, "--gateway-listen", listen, "--upstream-credentials", credentials}
	for _, s := range behind {
		args = append(args, "--upstream", s+"=http://"+address)
	}
	s := server.Start(t, server.Options{Args: args})
	aws := s.CLI(t, server.AWS(t)[0], s.Admin)
	aws.Run("iam", "create-user", "--user-name", "ann")
	here := "us-east-1:" + account
	aws.Run("iam", "put-user-policy", "--user-name", "ann", "--policy-name", "little", "--policy-document",
		`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:BatchGetItem"],"Resource":"arn:aws:dynamodb:`+here+`:table/music"},
		{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:`+here+`:jobs"},
		{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:`+here+`:news"},
		{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:`+here+`:secret:app/*"},
		{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"arn:aws:ssm:`+here+`:parameter/app/*"},
		{"Effect":"Allow","Action":"lambda:ListFunctions","Resource":"*"}]}`)
	f := strings.Fields(aws.Run("iam", "create-access-key", "--user-name", "ann", "--query", "AccessKey.[AccessKeyId,SecretAccessKey]"))

	script := exec.CommandContext(t.Context(), server.Pythons(t)[0], "services.py", "http://"+listen, account)
	script.Env = append(s.Environ(t, s.Admin), "USER_KEY="+f[0], "USER_SECRET="+f[1])
	server.Script(t, script, 20)
}
