// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"testing"
	"time"
)

func TestAuditLimits(t *testing.T) {
	day := 24 * time.Hour
	for _, tt := range []struct {
		keep string
		want Limits
		err  string // part of the error; "" for none
	}{
		{"", Limits{}, ""},
		{"90d", Limits{For: 90 * day}, ""},
		{"36h", Limits{For: 36 * time.Hour}, ""},
		{"500", Limits{Files: 500}, ""},
		{"20GiB", Limits{Bytes: 20 << 30}, ""},
		{"5GB,7d,3", Limits{For: 7 * day, Bytes: 5e9, Files: 3}, ""},
		{"0", Limits{}, "is no age"},
		{"-1d", Limits{}, "is no age"},
		{"0h", Limits{}, "is no age"},
		{"1KB", Limits{}, "less than 4096 bytes"},
		{"90 d", Limits{}, "is no age"},
		{"90m", Limits{}, "is no age"},
		{"d", Limits{}, "is no age"},
		{"99999999999999d", Limits{}, "is no age"},
		{"99999999999999999999", Limits{}, "is no age"},
		{"9999999999", Limits{}, "too many files"},
	} {
		var a Audit
		if tt.keep != "" {
			a.Keep = strings.Split(tt.keep, ",")
		}
		got, err := a.Limits()
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("Limits(%s) = %+v, %v, want %+v, %q", tt.keep, got, err, tt.want, tt.err)
		}
	}
	bad := Config{Audit: Audit{Keep: []string{"x"}, WebhookToken: "f"}}.Defaults().Validate()
	for _, part := range []string{"--audit-keep", "--audit-webhook-token goes"} {
		if bad == nil || !strings.Contains(bad.Error(), part) {
			t.Errorf("Validate() = %v, want it to say %q", bad, part)
		}
	}
}
