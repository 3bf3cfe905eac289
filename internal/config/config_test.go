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
		{"issuers-in-private-networks", func(c *Config) { c.IssuerNetworks = []string{"private", "100.64.0.0/10", "fd00::/8"} }, nil},
		{"issuers-in-a-network-that-is-none", func(c *Config) { c.IssuerNetworks = []string{"10.0.0.1"} }, []string{`"10.0.0.1" is neither`}},
		{"a-public-url", func(c *Config) { c.PublicURL = "https://inn.example.com" }, nil},
		{"a-public-url-with-a-path", func(c *Config) { c.PublicURL = "https://inn.example.com/iam" }, []string{"--public-url"}},
		{"a-public-url-without-tls", func(c *Config) { c.PublicURL = "http://inn.example.com" }, []string{"--public-url"}},
		{"a-public-url-without-tls-on-loopback", func(c *Config) { c.PublicURL = "http://localhost:4280" }, nil},
		{"a-public-url-that-is-a-host", func(c *Config) { c.PublicURL = "inn.example.com" }, []string{"--public-url"}},
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
