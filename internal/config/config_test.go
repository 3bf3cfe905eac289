// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*Config)
		want []string // parts of the error; none: valid
	}{
		{"zero-config-is-valid", func(*Config) {}, nil},
		{"ipv6-loopback-needs-no-tls", func(c *Config) { c.Listen = "[::1]:4280" }, nil},
		{"localhost-needs-no-tls", func(c *Config) { c.Listen = "localhost:0" }, nil},
		{"every-interface-needs-tls", func(c *Config) { c.Listen = ":4280" }, []string{"--tls-cert"}},
		{"other-address-needs-tls", func(c *Config) { c.Listen = "10.0.0.1:4280" }, []string{"10.0.0.1:4280 is reachable"}},
		{"other-address-with-tls", func(c *Config) { c.Listen, c.TLSCert, c.TLSKey = "10.0.0.1:1", "a", "b" }, nil},
		{"certificate-without-key", func(c *Config) { c.TLSCert = "a" }, []string{"go together"}},
		{"no-port", func(c *Config) { c.Listen = "127.0.0.1" }, []string{"HOST:PORT"}},
		{"all-problems-at-once", func(c *Config) { c.LogLevel, c.AccountID = "loud", "12345" }, []string{"--log-level", "twelve digits"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c Config
			tt.set(&c)
			err := c.Defaults().Validate()
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("Validate() = %v, want error %v", err, tt.want)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Validate() = %q, want it to contain %q", err, part)
				}
			}
		})
	}
}
