// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// awsCLI does what people do with the AWS CLI; with the older versions of it that are
// here, little.
func awsCLI(t *testing.T, s *site) {
	programs := server.AWS(t)
	for i, program := range programs {
		t.Run(filepath.Dir(program), func(t *testing.T) {
			admin := s.cli(t, program, s.Admin)
			if i == len(programs)-1 {
				cliEverything(t, s, admin, s.cli(t, program, s.user(t, "cli", allow("s3:GetObject", "arn:aws:s3:::cli/hotel/*"))))
				return
			}
			note := filepath.Join(t.TempDir(), "note")
			do(t)(nil, os.WriteFile(note, []byte("note"), 0o600))
			admin.Run("s3", "mb", "s3://cli-old")
			admin.Run("s3", "cp", "--only-show-errors", note, "s3://cli-old/notes/1")
			if got := admin.Run("s3", "cp", "s3://cli-old/notes/1", "-"); got != "note" {
				t.Errorf("s3 cp to standard output = %q, want note", got)
			}
		})
	}
}

// cli returns the AWS CLI, which will call the gateway.
func (s *site) cli(t *testing.T, program string, k server.Key) *server.CLI {
	t.Helper()
	over := *s.Server
	over.URL = s.Gateway
	return over.CLI(t, program, k)
}

func cliEverything(t *testing.T, s *site, admin, fred *server.CLI) {
	files, back := s.objects(t), t.TempDir()
	admin.Run("s3api", "create-bucket", "--bucket", "cli")
	s.flat(t, func() {
		admin.Run("s3", "cp", "--only-show-errors", "--recursive", files, "s3://cli/objects/")
		admin.Run("s3", "sync", "--only-show-errors", "s3://cli/objects/", back)
	})
	for name := range sizes {
		f := must(os.Open(filepath.Join(back, name)))(t)
		got, err := sum(f)
		f.Close()
		if err != nil || got != sumOf(name) {
			t.Errorf("%s came back as %s, %v", name, got, err)
		}
	}
	admin.Run("s3", "mv", "--only-show-errors", "s3://cli/objects/byte", "s3://cli/hotel/guest & co")
	lines := strings.Fields(admin.Run("s3", "ls", "--recursive", "s3://cli/hotel/"))
	if len(lines) < 3 || lines[2] != "1" {
		t.Errorf("s3 ls = %q, want one object of a byte", lines)
	}
	if got := fred.Run("s3", "cp", "s3://cli/hotel/guest & co", "-"); got != string(content()[:1]) {
		t.Errorf("s3 cp to standard output = %q", got)
	}
	fred.Refused("AccessDenied", []string{"ListObjectsV2", "s3:ListBucket", "user/cli"}, "s3", "ls", "s3://cli/hotel/")
	url := admin.Run("s3", "presign", "s3://cli/hotel/guest & co")
	if strings.Contains(url, "AWSAccessKeyId=") { // version 1, unless told otherwise
		s.wants(t, "s3 presign", "GET", url, "", 400, "signature_version = s3v4")
	} else {
		s.wants(t, "s3 presign", "GET", url, "", 200, string(content()[:1]))
	}
	admin.Run("s3api", "put-object-tagging", "--bucket", "cli", "--key", "objects/part", "--tagging", "TagSet=[{Key=team,Value=blue}]")
	if got := admin.Run("s3api", "list-objects-v2", "--bucket", "cli", "--delimiter", "/", "--query", "CommonPrefixes[].Prefix"); got != "hotel/\tobjects/" {
		t.Errorf("list-objects-v2 = %q, want two folders", got)
	}
	admin.Run("s3api", "delete-objects", "--bucket", "cli", "--delete", "Objects=[{Key=objects/part},{Key=objects/empty}]")
	admin.Run("s3", "rb", "--force", "s3://cli")
}
