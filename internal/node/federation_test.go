// SPDX-License-Identifier: Apache-2.0

package node

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
)

// at is a listener that listens at nothing.
type at struct {
	net.Listener
	addr net.TCPAddr
}

func (l at) Addr() net.Addr { return &l.addr }

func TestPublicURL(t *testing.T) {
	for _, tc := range []struct {
		name, configured string
		ip               string // where it listens; "" for nowhere
		want             string
	}{
		{"as-configured", "https://inn.example.com", "127.0.0.1", "https://inn.example.com"},
		{"a-slash-at-the-end", "https://inn.example.com/", "0.0.0.0", "https://inn.example.com"},
		{"the-address", "", "127.0.0.1", "http://127.0.0.1:4280"},
		{"every-address-of-ipv4", "", "0.0.0.0", ""},
		{"every-address", "", "::", ""},
		{"not-listening", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := &Node{cfg: config.Config{PublicURL: tc.configured}}
			if tc.ip != "" {
				n.listener = at{addr: net.TCPAddr{IP: net.ParseIP(tc.ip), Port: 4280}}
			}
			if got := n.publicURL(); got != tc.want {
				t.Errorf("publicURL() = %q, want %q", got, tc.want)
			}
		})
	}
}

// TestIssuersArePublic: what issuers publish is read without a signature, and
// nothing but reading gets past the API.
func TestIssuersArePublic(t *testing.T) {
	n := &Node{metrics: newMetrics(nil), issuer: issuer.New(issuer.Options{}), api: new(api.Server)}
	var reached bool
	h := n.handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	for method, api := range map[string]bool{http.MethodGet: false, http.MethodHead: false, http.MethodPost: true, http.MethodPut: true} {
		reached = false
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/issuer/x/.well-known/jwks.json", nil))
		if reached != api || !api && w.Code != http.StatusNotFound {
			t.Errorf("%s: the API got it: %t, want %t; status %d", method, reached, api, w.Code)
		}
	}
}
