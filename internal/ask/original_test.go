// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPathOf covers quirk Q148.
func TestPathOf(t *testing.T) {
	for _, tt := range []struct {
		name, target, want string // "" means refused
	}{
		{"root", "/", "/"},
		{"plain", "/a/b", "/a/b"},
		{"a-trailing-slash", "/a/b/", "/a/b/"},
		{"a-query", "/a?b=/../%2f", "/a"},
		{"decoded-once", "/a%20b/%C3%BC", "/a b/ü"},
		{"a-plus-is-a-plus", "/a+b", "/a+b"},
		{"dots-in-a-name", "/a..b/...", "/a..b/..."},
		{"a-star", "/a*", "/a*"},
		{"nothing", "", ""},
		{"no-slash", "a", ""},
		{"an-absolute-target", "http://h/a", ""},
		{"an-empty-segment", "/a//b", ""},
		{"two-slashes", "//", ""},
		{"a-dot", "/a/./b", ""},
		{"dots", "/a/../b", ""},
		{"dots-at-the-end", "/a/..", ""},
		{"escaped-dots", "/a/%2E%2e/b", ""},
		{"an-escaped-slash", "/a%2Fb", ""},
		{"a-double-escape", "/a%252fb", ""},
		{"an-escape-of-nothing", "/a%zz", ""},
		{"half-an-escape", "/a%2", ""},
		{"a-zero-byte", "/a%00", ""},
		{"a-line-break", "/a%0Ab", ""},
		{"a-backslash", `/a\b`, ""},
		{"an-escaped-backslash", "/a%5cb", ""},
		{"a-semicolon", "/a;b/c", ""},
		{"no-utf-8", "/%ff", ""},
		{"an-overlong-slash", "/a%c0%afb", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pathOf(tt.target)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("pathOf(%q) = %q, %v, want %q", tt.target, got, err, tt.want)
			}
		})
	}
}

// FuzzPathOf holds that what passes reads the same to whoever cleans it, decodes it
// again, or takes it as it is.
func FuzzPathOf(f *testing.F) {
	for _, seed := range []string{"/", "/a/b/", "/a%20b", "/a/../b", "/%2e/", "/a%2fb", "/%252e", `/a\b`, "/a;b", "//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got, err := pathOf(target)
		if err != nil {
			return
		}
		clean := path.Clean(got)
		if strings.HasSuffix(got, "/") && clean != "/" {
			clean += "/"
		}
		again, err := url.PathUnescape(got)
		if clean != got || err != nil || again != got || !utf8.ValidString(got) || strings.ContainsAny(got, "\\;%\x00") {
			t.Errorf("pathOf(%q) = %q, which cleans to %q and decodes to %q", target, got, clean, again)
		}
	})
}

func TestHostOf(t *testing.T) {
	for host, want := range map[string]string{
		"Notes.Example.com": "notes.example.com", "notes:8080": "notes", "notes.example.com.": "notes.example.com", "192.0.2.1:80": "192.0.2.1",
		"": "", "[::1]:80": "", "a b": "", "a/b": "", "a:b": "", ".": "", "a?": "", "a:1:2": "",
	} {
		if got, err := hostOf(host); got != want || (err == nil) != (want != "") {
			t.Errorf("hostOf(%q) = %q, %v, want %q", host, got, err, want)
		}
	}
}
