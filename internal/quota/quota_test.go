// SPDX-License-Identifier: Apache-2.0

package quota

import "testing"

func TestEachQuotaIsListedOnceWithADefault(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range All {
		if seen[q.Name] || q.Summary != "" && seen[q.Summary] {
			t.Errorf("quota %+v is listed twice", q)
		}
		seen[q.Name], seen[q.Summary] = true, q.Summary != ""
		if got := Default(q.Name); got != q.Default || got <= 0 {
			t.Errorf("Default(%s) = %d, want %d", q.Name, got, q.Default)
		}
	}
	if got := Default("none"); got != 0 {
		t.Errorf("Default(none) = %d, want 0", got)
	}
}
