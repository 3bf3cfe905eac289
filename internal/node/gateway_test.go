// SPDX-License-Identifier: Apache-2.0

package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/config"
)

// TestGatewayWithoutCredentials: a gateway whose upstream it cannot sign for does not
// start, and leaves nothing behind.
func TestGatewayWithoutCredentials(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	_, err := Start(t.Context(), config.Config{Data: data, Listen: "127.0.0.1:0", Gateway: config.Gateway{
		Upstreams: []string{"http://127.0.0.1:9"}, Listen: "127.0.0.1:0", Credentials: filepath.Join(data, "none"),
	}}, Options{NoSync: true})
	if err == nil || !strings.Contains(err.Error(), "upstream for s3") {
		t.Errorf("Start = %v, want an error about the upstream's credentials", err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the data directory is there: %v", err)
	}
}
