// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// Region is the region that tests name; innkeeper accepts every one.
const Region = "us-east-1"

// Config is what an SDK client needs to call the server with a key, once: it
// does not retry.
func (s *Server) Config(k Key) aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: 1, HTTPClient: s.client(),
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.Token),
	}
}

func (s *Server) client() *http.Client {
	if s.opts.Roots == nil {
		return client
	}
	over := http.DefaultTransport.(*http.Transport).Clone()
	over.TLSClientConfig = &tls.Config{RootCAs: s.opts.Roots}
	return &http.Client{Transport: whole{over}}
}

// client reads every answer whole before the SDK sees it. The SDK's transport
// (smithy-go 1.28.8) now and then closes the connection while it reads an answer
// of more than some 10 KB, from any server on loopback, and relies on retries.
var client = &http.Client{Transport: whole{http.DefaultTransport.(*http.Transport).Clone()}}

type whole struct{ http.RoundTripper }

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// IAM returns an IAM client with a key.
func (s *Server) IAM(k Key) *iam.Client { return iam.NewFromConfig(s.Config(k)) }

// STS returns an STS client with a key.
func (s *Server) STS(k Key) *sts.Client { return sts.NewFromConfig(s.Config(k)) }

// UserKey is the key of an answer to CreateAccessKey.
func UserKey(k *types.AccessKey) Key {
	return Key{ID: aws.ToString(k.AccessKeyId), Secret: aws.ToString(k.SecretAccessKey)}
}

// SessionKey is the key of a session.
func SessionKey(c *ststypes.Credentials) Key {
	return Key{aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)}
}

// Code returns the AWS error code of an SDK's error, "" for nil, and the text of
// an error that has no code.
func Code(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return err.Error()
}

// Environ is the environment of a program that talks to the server with a key,
// and that knows no others: it gets a new home directory.
func (s *Server) Environ(t testing.TB, k Key) []string {
	t.Helper()
	home := t.TempDir()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "HOME=")
	})
	return append(env, "HOME="+home,
		"AWS_ACCESS_KEY_ID="+k.ID, "AWS_SECRET_ACCESS_KEY="+k.Secret, "AWS_SESSION_TOKEN="+k.Token,
		"AWS_REGION="+Region, "AWS_DEFAULT_REGION="+Region,
		"AWS_CONFIG_FILE="+filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "PYTHONUTF8=1", "LC_ALL=C.UTF-8",
		"INNKEEPER_URL="+s.URL)
}

// A CLI is one version of the AWS CLI, with a key.
type CLI struct {
	Path  string
	t     testing.TB
	s     *Server
	env   []string
	input string // what it reads where it would ask a person; "" for nothing
}

// CLI returns the AWS CLI at a path (see Programs), which will call the server
// with a key.
func (s *Server) CLI(t testing.TB, path string, k Key) *CLI {
	t.Helper()
	return &CLI{path, t, s, s.Environ(t, k), ""}
}

// ProfileCLI returns the AWS CLI with a configuration file, of which it uses a
// profile, and with no key beside it. It answers questions with input.
func (s *Server) ProfileCLI(t testing.TB, path, profile, config, input string) *CLI {
	t.Helper()
	env := slices.DeleteFunc(s.Environ(t, Key{}), func(v string) bool {
		return strings.HasPrefix(v, "AWS_ACCESS_KEY_ID=") || strings.HasPrefix(v, "AWS_SECRET_ACCESS_KEY=") || strings.HasPrefix(v, "AWS_SESSION_TOKEN=")
	})
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return &CLI{path, t, s, append(env, "AWS_CONFIG_FILE="+file, "AWS_PROFILE="+profile, "AWS_ENDPOINT_URL="+s.URL), input}
}

// Try runs the AWS CLI and returns its output without the last line end. The
// error is what it wrote to its standard error.
func (c *CLI) Try(args ...string) (string, error) {
	c.t.Helper()
	args = append([]string{"--endpoint-url", c.s.URL, "--output", "text"}, args...)
	cmd := exec.CommandContext(c.t.Context(), c.Path, args...)
	cmd.Env = c.env
	cmd.Stdin = strings.NewReader(c.input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it would ask the terminal, if it had one
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSuffix(stdout.String(), "\n"), err
}

// Run is Try for what must succeed.
func (c *CLI) Run(args ...string) string {
	c.t.Helper()
	out, err := c.Try(args...)
	if err != nil {
		c.t.Fatalf("aws %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// Refused runs the AWS CLI and wants the error code, as the CLI shows it, and
// every part of the text. It returns the error.
func (c *CLI) Refused(code string, parts []string, args ...string) string {
	c.t.Helper()
	out, err := c.Try(args...)
	if err == nil {
		c.t.Fatalf("aws %s = %q, want %s", strings.Join(args, " "), out, code)
	}
	for _, part := range append(parts, "("+code+")") {
		if !strings.Contains(err.Error(), part) {
			c.t.Errorf("aws %s: %v, want it to say %q", strings.Join(args, " "), err, part)
		}
	}
	return err.Error()
}

// AWS returns the versions of the AWS CLI that are here: the one on the PATH and
// Debian's. The test fails when there is none.
func AWS(t testing.TB) []string {
	t.Helper()
	found := clis()
	if len(found) == 0 {
		t.Fatal("the AWS CLI is not installed: run make test, which installs it")
	}
	return found
}

// Pythons returns the Pythons that have boto3, as AWS does.
func Pythons(t testing.TB) []string {
	t.Helper()
	found := pythons()
	if len(found) == 0 {
		t.Fatal("boto3 is not installed: run make test, which installs it")
	}
	return found
}

var (
	clis    = sync.OnceValue(func() []string { return programs("aws", "--version") })
	pythons = sync.OnceValue(func() []string { return programs("python3", "-c", "import boto3; print(boto3.__version__)") })
)

// programs returns the programs of a name for which args succeed, and say
// different things.
func programs(name string, args ...string) []string {
	var found, said []string
	for _, p := range []string{"/usr/bin/" + name, name} {
		path, err := exec.LookPath(p)
		if err != nil || slices.Contains(found, path) {
			continue
		}
		cmd := exec.Command(path, args...)
		cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_DISABLED=true")
		out, err := cmd.CombinedOutput()
		if err != nil || slices.Contains(said, string(out)) {
			continue
		}
		found, said = append(found, path), append(said, string(out))
	}
	return found
}

// Script runs a program that reports one check a line, as "ok NAME" or "FAIL
// NAME: WHY", and makes a test of each. Other lines are logged. The program
// fails when it ends badly or makes fewer checks than least.
func Script(t *testing.T, cmd *exec.Cmd, least int) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(cmd.Path), err, stderr.String())
	}
	checks := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		name, why, _ := strings.Cut(rest, ": ")
		if word != "ok" && word != "FAIL" {
			t.Log(line)
			continue
		}
		checks++
		t.Run(name, func(t *testing.T) {
			if word == "FAIL" {
				t.Error(why)
			}
		})
	}
	if checks < least {
		t.Errorf("%d checks were made, want %d", checks, least)
	}
}
