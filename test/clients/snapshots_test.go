// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// unknown are the codes of a server that does not know the operation, or that
// cannot read its parameters.
var unknown = []string{"InvalidAction", "UnknownOperationException", "MalformedInput", "MalformedQueryString", "SerializationException", "InvalidParameterCombination", "InternalFailure", "ServiceFailure"}

var (
	codeXML  = regexp.MustCompile(`<Code>([^<]*)</Code>`)
	codeJSON = regexp.MustCompile(`"__type":"([^"]*)"`)
)

// unanswered are the operations that innkeeper does not have: the SDK's model is
// newer than the one that the shapes come from.
var unanswered = []string{
	"AcquireRole", "GetAccountProperties", "GetRoleTemplateVersion", "PutAccountProperties",
}

// TestRequestSnapshots sends every request that the AWS SDK for Go keeps as a
// snapshot: one for each operation, with all of its parameters. Most of their
// values make no sense, which the server may say; but it must read them all.
func TestRequestSnapshots(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	for _, service := range []string{"iam", "sts", "organizations"} {
		module := "github.com/aws/aws-sdk-go-v2/service/" + service
		dir := strings.TrimSpace(string(must(exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output())(t)))
		files := must(filepath.Glob(filepath.Join(dir, "request_snapshot", "*.request.snap")))(t)
		if len(files) < 11 {
			t.Fatalf("%s has %d snapshots", module, len(files))
		}
		for _, file := range files {
			operation := strings.TrimSuffix(filepath.Base(file), ".request.snap")
			t.Run(service+"-"+operation, func(t *testing.T) {
				status, body := replay(t, s, service, must(os.ReadFile(file))(t))
				m := codeXML.FindStringSubmatch(body)
				if m == nil {
					m = codeJSON.FindStringSubmatch(body)
				}
				if m != nil && m[1] == "InvalidAction" && slices.Contains(unanswered, operation) {
					t.Skip("newer than the model of innkeeper")
				}
				if status != http.StatusOK && (m == nil || status >= 500 || slices.Contains(unknown, m[1])) {
					t.Errorf("%d %s", status, body)
				}
			})
		}
	}
}

// replay signs and sends a snapshot: the request line, headers and the body, each
// after an empty line.
func replay(t *testing.T, s *server.Server, service string, snapshot []byte) (int, string) {
	t.Helper()
	parts := bytes.SplitN(snapshot, []byte("\n\n"), 3)
	if len(parts) != 3 || string(parts[0]) != "POST /" {
		t.Fatalf("no snapshot of a request: %s", snapshot)
	}
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, bytes.NewReader(parts[2])))(t)
	for line := range strings.Lines(string(parts[1])) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(name, value)
	}
	sum := sha256.Sum256(parts[2])
	key := aws.Credentials{AccessKeyID: s.Admin.ID, SecretAccessKey: s.Admin.Secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(sum[:]), service, server.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	resp := must(http.DefaultClient.Do(r))(t)
	defer resp.Body.Close()
	return resp.StatusCode, string(must(io.ReadAll(resp.Body))(t))
}
