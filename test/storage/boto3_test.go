// SPDX-License-Identifier: Apache-2.0

package storage

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

//go:embed flows.py
var flows []byte

// boto3 runs the flows of the script, or those that are named, with every boto3 that is
// here. The newest brings the largest object; with TLS, none does.
func boto3(t *testing.T, s *site, named ...string) {
	files := s.objects(t)
	script := filepath.Join(t.TempDir(), "flows.py")
	do(t)(nil, os.WriteFile(script, flows, 0o600))
	least := len(named)
	if least == 0 {
		least = 11
	}
	pythons := server.Pythons(t)
	for i, python := range pythons {
		t.Run(filepath.Dir(python), func(t *testing.T) {
			largest := "part"
			if i == len(pythons)-1 && s.ca == "" {
				largest = "large"
			}
			cmd := exec.CommandContext(t.Context(), python, append([]string{script}, named...)...)
			cmd.Env = append(s.Environ(t, s.Admin), "GATEWAY="+s.endpoint, "FILES="+files, "BUCKETS="+fmt.Sprint("py", i), "ACCOUNT="+account,
				"OTHER_ID="+s.other.ID, "OTHER_SECRET="+s.other.Secret, "AWS_CA_BUNDLE="+s.ca, "LARGEST="+largest)
			s.flat(t, func() { server.Script(t, cmd, least) })
		})
	}
}

// objects makes a directory with the objects of [sizes].
func (s *site) objects(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, size := range sizes {
		do(t)(nil, os.WriteFile(filepath.Join(dir, name), content()[:size], 0o600))
	}
	return dir
}
