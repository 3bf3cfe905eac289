// SPDX-License-Identifier: Apache-2.0

package policytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

func explain(r *policy.Request, s *policy.Set) policy.Decision { return policy.Explain(r, s).Decision }

// TestCorpus runs every file of the corpus against both evaluators.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../testdata/corpus/*.json")
	if err != nil || len(files) < 1 {
		t.Fatalf("corpus files: %v, %v", files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := policytest.Read(filepath.Base(name), data, nil)
		if err != nil {
			t.Fatal(err)
		}
		for engine, decide := range map[string]policytest.Engine{"decide": policy.Decide, "explain": explain} {
			t.Run(strings.TrimSuffix(filepath.Base(name), ".json")+"/"+engine, func(t *testing.T) {
				for _, c := range f.Run(decide).Cases {
					if !c.Passed {
						var b strings.Builder
						_ = c.Trace.Write(&b)
						t.Errorf("%s:%d: %s: %s\n%s", name, c.Line, c.Name, c.Failure, b.String())
					}
				}
			})
		}
	}
}
