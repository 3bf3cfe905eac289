// SPDX-License-Identifier: Apache-2.0

package node

import (
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
