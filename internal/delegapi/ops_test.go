// SPDX-License-Identifier: Apache-2.0

package delegapi

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestOps compares the operations with testdata/ops.golden, so that adding or
// losing one shows.
func TestOps(t *testing.T) {
	ops := new(service).ops()
	if !slices.IsSortedFunc(ops, func(a, b api.Op) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("ops() is not sorted by name")
	}
	var b strings.Builder
	for _, op := range ops {
		access := "Read"
		if op.Changes {
			access = "Write"
		}
		fmt.Fprintln(&b, op.Name, op.Action, access)
	}
	golden := filepath.Join("testdata", "ops.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("ops() = \n%swant\n%s", &b, want)
	}
}
