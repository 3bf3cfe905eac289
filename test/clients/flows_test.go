// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// flows says what drives each flow from its beginning to its end with each
// client. None may be missing.
var flows = []struct {
	flow                          string
	cli, boto3, goSDK, javaScript func(*testing.T)
}{
	{"everyday", cliEveryday, boto3Everyday, goEveryday, javaScriptEveryday},
	{"federation", cliFederation, boto3Federation, goFederation, javaScriptFederation},
	{"mfa", cliMFA, boto3MFA, goMFA, javaScriptMFA},
	{"organizations", cliOrganizations, boto3Organizations, goOrganizations, javaScriptOrganizations},
	{"credential-report", cliReport, boto3Report, goReport, javaScriptReport},
}

func TestFlows(t *testing.T) {
	for _, f := range flows {
		t.Run(f.flow, func(t *testing.T) {
			for _, c := range []struct {
				client string
				drive  func(*testing.T)
			}{{"aws-cli", f.cli}, {"boto3", f.boto3}, {"go-sdk", f.goSDK}, {"javascript-sdk", f.javaScript}} {
				t.Run(c.client, func(t *testing.T) {
					if c.drive == nil {
						t.Fatalf("nothing drives %s with %s", f.flow, c.client)
					}
					c.drive(t)
				})
			}
		})
	}
}

// profile runs get-caller-identity with a profile of a configuration file, no
// key in the environment, and a code for when the AWS CLI asks for one. It
// reports whether this AWS CLI can: an older one takes what profiles ask of STS
// to AWS itself.
func profile(t *testing.T, s *server.Server, path, name, config, code, want string) bool {
	t.Helper()
	if !knowsEndpoints(t, path) {
		t.Logf("%s is too old to look elsewhere than AWS for the role of a profile: not tried", path)
		return false
	}
	if got := s.ProfileCLI(t, path, name, config, code).Run("sts", "get-caller-identity", "--query", "Arn"); got != want {
		t.Errorf("get-caller-identity with the profile %s = %s, want %s", name, got, want)
	}
	return true
}

// keyed is a profile that holds a key.
func keyed(name string, k server.Key) string {
	return fmt.Sprintf("\n[profile %s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, k.ID, k.Secret)
}

var (
	cliVersion = regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)`)
	versions   sync.Map // of AWS CLIs, by path: what each says of itself
)

// knowsEndpoints reports whether an AWS CLI heeds AWS_ENDPOINT_URL.
func knowsEndpoints(t *testing.T, path string) bool {
	t.Helper()
	said, ok := versions.Load(path)
	if !ok {
		said = string(must(exec.CommandContext(t.Context(), path, "--version").CombinedOutput())(t))
		versions.Store(path, said)
	}
	m := cliVersion.FindStringSubmatch(said.(string))
	if m == nil {
		t.Fatalf("%s --version = %s", path, said)
	}
	minor := must(strconv.Atoi(m[2]))(t)
	return m[1] == "1" && minor >= 29 || m[1] == "2" && minor >= 13
}
