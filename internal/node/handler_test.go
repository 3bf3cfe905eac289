// SPDX-License-Identifier: Apache-2.0

package node

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/config"
)

// TestOddPathsReachTheAPI: no path is answered, cleaned or redirected before the
// API, which refuses and records it.
func TestOddPathsReachTheAPI(t *testing.T) {
	n := started(t, config.Config{})
	paths := []string{"/", "//", "/a/../healthz", "/healthz/", "//metrics", "/%2e%2e/readyz"}
	for _, path := range paths {
		status, body := get(t, n, path)
		if status/100 != 4 || !strings.Contains(body, "<ErrorResponse") {
			t.Errorf("GET %s = %d %q, want a refusal of the API", path, status, body)
		}
	}
	dir := n.cfg.Data
	closing(t, n)
	records := 0
	for _, err := range audit.Records(dir + "/audit") {
		must(t, err)
		records++
	}
	if records != len(paths) {
		t.Errorf("%d records, want %d", records, len(paths))
	}
}

// TestOnlyReadsReachTheOperatorsPaths: what is posted to them is the API's.
func TestOnlyReadsReachTheOperatorsPaths(t *testing.T) {
	n := started(t, config.Config{})
	defer closing(t, n)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		resp, err := client.Post(n.URL()+path, "application/x-www-form-urlencoded", strings.NewReader("Action=GetUser&Version=2010-05-08"))
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != 403 {
			t.Errorf("POST %s = %d, want the API's 403", path, resp.StatusCode)
		}
	}
}

// TestNobodyElseReadsTheData: a data directory that did not exist, and all in it.
func TestNobodyElseReadsTheData(t *testing.T) {
	n := started(t, config.Config{Data: filepath.Join(t.TempDir(), "new")})
	defer closing(t, n)
	must(t, filepath.WalkDir(n.cfg.Data, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, want nothing for others", name, info.Mode())
		}
		return err
	}))
}
