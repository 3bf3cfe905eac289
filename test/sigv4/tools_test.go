// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	_ "embed"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

//go:embed testdata/boto.py
var botoScript string

// programs returns the different programs of a name, on the PATH and from
// Debian, for which works succeeds.
func programs(t *testing.T, name string, works func(path string) bool) []string {
	t.Helper()
	var found []string
	for _, p := range []string{name, "/usr/bin/" + name} {
		path, err := exec.LookPath(p)
		if err == nil && !slices.Contains(found, path) && works(path) {
			found = append(found, path)
		}
	}
	return found
}

// command prepares a program that talks to s with our credentials, and knows
// no others.
func (s *server) command(t *testing.T, path string, args ...string) *exec.Cmd {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("[default]\nregion = "+region+"\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") }),
		"AWS_ACCESS_KEY_ID="+keyID, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_SESSION_TOKEN="+token, "AWS_DEFAULT_REGION="+region,
		"AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+config+".none", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		"AWS_MAX_ATTEMPTS=1", "PYTHONUTF8=1", "LC_ALL=C.UTF-8", "INN_ENDPOINT="+s.URL, "INN_KEYS="+strings.Join(keys, "\n"))
	if s.TLS != nil {
		cmd.Env = append(cmd.Env, "AWS_CA_BUNDLE="+s.caFile(t))
	}
	return cmd
}

// run runs cmd and returns what it wrote to its standard output.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return stdout.String()
}

func TestCLI(t *testing.T) {
	found := programs(t, "aws", func(string) bool { return true })
	if len(found) == 0 {
		t.Fatal("the AWS CLI is not installed: run make test, which installs it")
	}
	for _, path := range found {
		t.Run(path, func(t *testing.T) {
			each(t, func(t *testing.T, s *server) { testCLI(t, s, path) })
		})
	}
}

func testCLI(t *testing.T, s *server, path string) {
	aws := func(args ...string) string {
		t.Helper()
		return run(t, s.command(t, path, append(args, "--endpoint-url", s.URL)...))
	}
	out := aws("iam", "create-user", "--user-name", "ann", "--path", "/a+b=c&d e/", "--query", "User.Path", "--output", "text")
	if strings.TrimSpace(out) != "/a+b=c&d e/" {
		t.Errorf("create-user = %q", out)
	}
	aws("sts", "get-caller-identity")
	if got := s.take(); len(got) != 2 || got[0].Service != "iam" || got[1].Service != "sts" || got[1].Token != token {
		t.Errorf("seen %+v", got)
	}

	const data = "data from the command line"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	const key = "a b+c/ü;%~(1).txt"
	aws("s3", "cp", "--quiet", file, "s3://bucket/"+key)
	if got, _ := s.object("/bucket/" + key); got != data {
		t.Errorf("s3 cp stored %q, want %q", got, data)
	}
	aws("s3api", "put-object", "--bucket", "bucket", "--key", "x", "--body", file, "--checksum-algorithm", "SHA256")
	if got, _ := s.object("/bucket/x"); got != data {
		t.Errorf("put-object stored %q, want %q", got, data)
	}
	if got := payloads(s.take()); s.TLS != nil && !slices.Contains(got, sigv4.StreamingUnsignedTrailer) {
		t.Errorf("uploads declared %v, want %s among them", got, sigv4.StreamingUnsignedTrailer)
	}
	link := strings.TrimSpace(aws("s3", "presign", "s3://bucket/"+key, "--expires-in", "60"))
	if status := fetch(t, s.Client(), http.MethodGet, link, nil, ""); status != http.StatusOK {
		t.Errorf("GET %s: status %d, want 200", link, status)
	}
}

func TestBoto3(t *testing.T) {
	found := programs(t, "python3", func(path string) bool {
		return exec.CommandContext(t.Context(), path, "-c", "import boto3").Run() == nil
	})
	if len(found) == 0 {
		t.Fatal("boto3 is not installed: run make test, which installs it")
	}
	for _, path := range found {
		t.Run(path, func(t *testing.T) {
			each(t, func(t *testing.T, s *server) {
				cmd := s.command(t, path, "-")
				cmd.Stdin = strings.NewReader(botoScript)
				for line := range strings.Lines(run(t, cmd)) {
					method, link, _ := strings.Cut(strings.TrimSpace(line), " ")
					if status := fetch(t, s.Client(), method, link, nil, ""); status != http.StatusOK {
						t.Errorf("%s %s: status %d, want 200", method, link, status)
					}
				}
				for _, key := range keys {
					if _, ok := s.object("/bucket/" + key); !ok {
						t.Errorf("no object %q was stored", key)
					}
				}
				var services []string
				var presigned int
				for _, v := range s.take() {
					services = append(services, v.Service)
					if v.Presigned {
						presigned++
					}
				}
				slices.Sort(services)
				if got := slices.Compact(services); !slices.Equal(got, []string{"iam", "s3", "sts"}) || presigned != 2*len(keys)+1 {
					t.Errorf("seen services %v, %d presigned requests, want %d", got, presigned, 2*len(keys)+1)
				}
			})
		})
	}
}
