// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"testing"
)

func TestNetworks(t *testing.T) {
	for _, tt := range []struct {
		listen string
		names  []string
		want   string
	}{
		{"127.0.0.1:4280", nil, "[127.0.0.0/8 ::1/128]"},
		{"localhost:4280", nil, "[127.0.0.0/8 ::1/128]"},
		{"10.0.0.5:4280", nil, "[]"},
		{":4280", nil, "[]"},
		{"127.0.0.1:4280", []string{"10.1.2.3/8"}, "[10.0.0.0/8]"},
		{"10.0.0.5:4280", []string{"private"}, "[10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7]"},
	} {
		if got := fmt.Sprint(Config{Listen: tt.listen, IssuerNetworks: tt.names}.Networks()); got != tt.want {
			t.Errorf("Networks() on %s with %v = %s, want %s", tt.listen, tt.names, got, tt.want)
		}
	}
}
