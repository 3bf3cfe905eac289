// SPDX-License-Identifier: Apache-2.0

package enum

import "testing"

func TestNames(t *testing.T) {
	from1 := Names{Type: "Effect", First: 1, Texts: []string{"", "Allow", "Deny"}, Invalid: "invalid effect %d", Unknown: "unknown effect %q"}
	from0 := Names{Type: "Layer", Texts: []string{"", "identity"}, Invalid: "no such layer: %d", Unknown: "no such layer: %q"}
	for _, tc := range []struct {
		name  string
		names Names
		value int
		text  string
		want  string // the error of Marshal
	}{
		{"a-value", from1, 2, "Deny", ""},
		{"zero-that-is-not-valid", from1, 0, "Effect(0)", "invalid effect 0"},
		{"zero-that-is", from0, 0, "", ""},
		{"beyond-the-last", from0, 2, "Layer(2)", "no such layer: 2"},
		{"below-zero", from0, -1, "Layer(-1)", "no such layer: -1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.names.String(tc.value); got != tc.text {
				t.Errorf("String(%d) = %q, want %q", tc.value, got, tc.text)
			}
			text, err := tc.names.Marshal(tc.value)
			if tc.want != "" {
				if err == nil || err.Error() != tc.want {
					t.Errorf("Marshal(%d) = %q, %v, want the error %q", tc.value, text, err, tc.want)
				}
				return
			}
			if back, err := tc.names.Unmarshal(text); err != nil || back != tc.value {
				t.Errorf("Unmarshal(%q) = %d, %v, want %d", text, back, err, tc.value)
			}
		})
	}
	for text, want := range map[string]string{"": `unknown effect ""`, "deny": `unknown effect "deny"`} {
		if i, err := from1.Unmarshal([]byte(text)); i != 0 || err == nil || err.Error() != want {
			t.Errorf("Unmarshal(%q) = %d, %v, want 0 and %q", text, i, err, want)
		}
	}
}
