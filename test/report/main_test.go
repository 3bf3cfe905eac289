// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		name, in, out string
		want          tally
	}{
		{"passing-tests-are-counted-and-silent", `
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA (0.00s)\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"-test.shuffle 17\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			"ok  \tp\t0.1s\n", tally{passed: 1}},
		{"a-failing-test-says-why-once", `
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: no\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"fail","Package":"p"}`,
			"    a_test.go:1: no\n--- FAIL: TestA (0.00s)\nFAIL\n", tally{failed: 1}},
		{"a-skipped-test-is-named-with-its-reason", `
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: needs a tpm\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"empty"}`,
			"skipped p TestA: a_test.go:1: needs a tpm\n", tally{skipped: 1}},
		{"a-package-that-does-not-build-is-one-failure", `
{"ImportPath":"p [p.test]","Action":"build-output","Output":"p/a.go:1: undefined: X\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			"p/a.go:1: undefined: X\nFAIL\tp [build failed]\n", tally{failed: 1}},
		{"a-package-that-dies-shows-what-was-running", `
{"Action":"output","Package":"p","Test":"TestA","Output":"about to exit\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			"FAIL\tp\t0.1s\nabout to exit\n", tally{failed: 1}},
		{"what-is-no-event-passes-through", "go: cannot find main module", "go: cannot find main module\n", tally{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			got, err := report(strings.NewReader(strings.TrimPrefix(tt.in, "\n")), &out)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("report = %+v, want %+v", got, tt.want)
			}
			if out.String() != tt.out {
				t.Errorf("report wrote\n%s\nwant\n%s", out.String(), tt.out)
			}
		})
	}
}
