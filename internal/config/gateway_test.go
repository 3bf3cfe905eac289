// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"testing"
)

func TestGateway(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*Gateway)
		want string // part of the error; "": valid
	}{
		{"none", func(g *Gateway) { g.Upstreams, g.Listen = nil, "nowhere" }, ""},
		{"a-store", func(*Gateway) {}, ""},
		{"services", func(g *Gateway) {
			g.Upstreams = []string{"dynamodb=http://127.0.0.1:8000", "sqs=https://sqs.example.com/", "http://localhost:9000"}
		}, ""},
		{"the-same-service-twice", func(g *Gateway) {
			g.Upstreams = append(g.Upstreams, "s3=http://127.0.0.1:1")
		}, "names s3 twice"},
		{"a-path", func(g *Gateway) { g.Upstreams = []string{"http://127.0.0.1:9000/store"} }, "without a path"},
		{"a-query-that-looks-like-a-service", func(g *Gateway) { g.Upstreams = []string{"http://127.0.0.1:9000/?a=b"} }, "without a path"},
		{"a-user-in-the-url", func(g *Gateway) { g.Upstreams = []string{"http://me:secret@127.0.0.1:9000"} }, "must be a URL"},
		{"a-host", func(g *Gateway) { g.Upstreams = []string{"127.0.0.1:9000"} }, "must be a URL"},
		{"in-the-clear-beyond-loopback", func(g *Gateway) { g.Upstreams = []string{"http://10.0.0.9:9000"} }, "--upstream-plaintext"},
		{"in-the-clear-on-purpose", func(g *Gateway) { g.Upstreams, g.Plaintext = []string{"http://10.0.0.9:9000"}, true }, ""},
		{"a-service-that-has-no-such-name", func(g *Gateway) { g.Upstreams = []string{"Dynamo DB=http://127.0.0.1:8000"} }, "named as in signatures"},
		{"reachable-from-elsewhere", func(g *Gateway) { g.Listen = "0.0.0.0:4281" }, "--gateway-listen 0.0.0.0:4281 is reachable"},
		{"keys", func(g *Gateway) { g.Keys = "all" }, "--upstream-keys"},
		{"a-proxy-that-is-no-network", func(g *Gateway) { g.Proxies = []string{"10.0.0.1"} }, "--trusted-proxies"},
		{"a-domain-with-a-wildcard", func(g *Gateway) { g.Domains = []string{"*.s3.example.com"} }, "--gateway-domain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Gateway: Gateway{Upstreams: []string{"http://127.0.0.1:9000"}}}
			tt.set(&c.Gateway)
			err := c.Defaults().Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate() = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestServices(t *testing.T) {
	g := Gateway{Upstreams: []string{"http://127.0.0.1:9000/", "sqs=https://sqs.example.com"}}
	got, err := g.Services()
	if err != nil || len(got) != 2 || got["s3"].String() != "http://127.0.0.1:9000" || got["sqs"].String() != "https://sqs.example.com" {
		t.Errorf("Services() = %v, %v", got, err)
	}
}
