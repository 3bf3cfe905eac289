// SPDX-License-Identifier: Apache-2.0

package spelling

import (
	"strings"
	"testing"
)

func TestClosest(t *testing.T) {
	tests := []struct{ word, want string }{
		{"Action", "Action"}, {"ACTION", "Action"}, {"Acton", "Action"}, {"Aciton", "Action"}, {"Actions", "Action"},
		{"NotActions", "NotAction"}, {"Resourcse", "Resource"}, {"Sids", "Sid"}, {"", ""}, {"X", ""}, {"Permission", ""},
		{strings.Repeat("Action", 20), ""},
	}
	for _, tt := range tests {
		if got := Closest(tt.word, []string{"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"}); got != tt.want {
			t.Errorf("Closest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
	distances := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"abc", "abc", 0}, {"ca", "abc", 3}}
	for _, tt := range distances {
		if got, back := editDistance(tt.a, tt.b), editDistance(tt.b, tt.a); got != tt.want || back != tt.want {
			t.Errorf("editDistance(%q, %q) = %d and back %d, want %d", tt.a, tt.b, got, back, tt.want)
		}
	}
}
