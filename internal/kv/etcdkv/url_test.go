// SPDX-License-Identifier: Apache-2.0

package etcdkv

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseURL(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, url string
		want      target
		tls       bool
	}{
		{"one-member", "etcd://127.0.0.1:1234", target{endpoints: []string{"127.0.0.1:1234"}}, false},
		{"default-port", "etcd://localhost", target{endpoints: []string{"localhost:2379"}}, false},
		{"three-members-and-a-prefix", "etcd://127.0.0.1:1,127.0.0.2:2,[::1]:3/a/b/",
			target{endpoints: []string{"127.0.0.1:1", "127.0.0.2:2", "[::1]:3"}, prefix: "a/b/"}, false},
		{"v6-without-a-port", "etcd://[::1]/", target{endpoints: []string{"[::1]:2379"}}, false},
		{"tls", "etcds://etcd.example,etcd2.example:99?timeout=250ms",
			target{endpoints: []string{"etcd.example:2379", "etcd2.example:99"}, timeout: 250 * time.Millisecond}, true},
		{"login", "etcds://user:p%40ss:w@etcd.example/x",
			target{endpoints: []string{"etcd.example:2379"}, prefix: "x/", user: "user", password: "p@ss:w"}, true},
		{"password-in-a-file", "etcd://user@localhost?password-file=" + file,
			target{endpoints: []string{"localhost:2379"}, user: "user", password: "from file"}, false},
		{"another-machine-if-asked", "etcd://etcd.example?insecure=true",
			target{endpoints: []string{"etcd.example:2379"}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseURL(test.url)
			if err != nil {
				t.Fatalf("parseURL(%q) = %v, want nil", test.url, err)
			}
			want := test.want
			if want.prefix == "" {
				want.prefix = "innkeeper/"
			}
			if want.timeout == 0 {
				want.timeout = 5 * time.Second
			}
			if !slices.Equal(got.endpoints, want.endpoints) || got.prefix != want.prefix || got.timeout != want.timeout ||
				got.user != want.user || got.password != want.password || (got.tls != nil) != test.tls {
				t.Errorf("parseURL(%q) = %+v, want %+v", test.url, got, want)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, test := range []struct{ name, url, want string }{
		{"nothing", "", "etcd://"},
		{"another-scheme", "http://localhost", "etcd://"},
		{"no-host", "etcd:///prefix", "not a host"},
		{"an-empty-member", "etcd://localhost,", "not a host"},
		{"a-port-that-is-none", "etcd://localhost:99999", "not a host"},
		{"a-port-of-zero", "etcd://localhost:0", "not a host"},
		{"no-tls-to-another-machine", "etcd://localhost,10.0.0.1", "10.0.0.1 is another machine"},
		{"no-tls-to-a-name", "etcd://localhost.example", "is another machine"},
		{"unknown-parameter", "etcd://localhost?tiemout=1s", `"tiemout"`},
		{"parameter-twice", "etcd://localhost?timeout=1s&timeout=2s", "once"},
		{"no-duration", "etcd://localhost?timeout=soon", "duration"},
		{"negative-duration", "etcd://localhost?timeout=-1s", "positive"},
		{"a-fragment", "etcd://localhost/a#b", "fragment"},
		{"a-long-prefix", "etcd://localhost/" + strings.Repeat("p", 200), "at most 128"},
		{"a-user-without-a-password", "etcds://user@localhost", "without a password"},
		{"a-password-without-a-user", "etcds://:hunter2@localhost", "without a user"},
		{"two-passwords", "etcds://user:hunter2@localhost?password-file=x", "a password and a password-file"},
		{"a-password-file-without-a-user", "etcds://localhost?password-file=x", "no user"},
		{"no-password-file", "etcds://user@localhost?password-file=none", "password-file"},
		{"a-ca-without-tls", "etcd://localhost?ca=x", "needs etcds"},
		{"insecure-tls", "etcds://localhost?insecure=true", "needs etcd"},
		{"no-ca-file", "etcds://localhost?ca=none", "ca:"},
		{"a-cert-without-a-key", "etcds://localhost?cert=x", "only one"},
		{"no-cert-file", "etcds://localhost?cert=none&key=none", "cert and key"},
		{"a-broken-escape-beside-a-password", "etcds://user:hunter2%zz@localhost", "not a valid URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseURL(test.url)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("parseURL(%q) = %v, want an error with %q", test.url, err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("parseURL(%q) = %v, which has the password", test.url, err)
			}
		})
	}
}
