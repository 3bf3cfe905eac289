// SPDX-License-Identifier: Apache-2.0

package askapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// TestForward covers quirk Q148 too: what is ambiguous does not pass.
func TestForward(t *testing.T) {
	s := start(t)
	ann, bob := s.credential("ann"), s.credential("bob")
	s.Admin().OK("PutUserPolicy", "UserName=ann", "PolicyName=notes", "PolicyDocument="+`{"Version":"2012-10-17","Statement":[
		{"Sid":"Own","Effect":"Allow","Action":"notes:PUT","Resource":"arn:aws:notes::`+iamtest.Account+`:notes.example.com/home/${aws:username}/*"},
		{"Effect":"Allow","Action":"notes:Write","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
		{"Effect":"Deny","Action":"notes:*","Resource":"arn:aws:notes::`+iamtest.Account+`:notes.example.com/admin*"}]}`)
	const service = "?service=notes"
	for _, tt := range []struct {
		name, query          string
		method, host, target string
		authorization        string
		more                 []string
		want                 int
	}{
		{"allowed", service, "GET", "notes.example.com", "/x?y=z", ann, nil, 200},
		{"bearer", service, "GET", "notes.example.com", "/x", strings.Replace(ann, "Basic", "Bearer", 1), nil, 200},
		{"nobody", service, "GET", "notes.example.com", "/x", "", nil, 401},
		{"a-wrong-password", service, "GET", "notes.example.com", "/x", ann[:len(ann)-8] + "AAAAAAA=", nil, 401},
		{"denied", service, "GET", "notes.example.com", "/admin", ann, nil, 403},
		{"denied-in-an-escape", service, "GET", "notes.example.com", "/%61dmin", ann, nil, 403},
		{"denied-by-another-host-name", service, "GET", "NOTES.example.com.:8080", "/admin/x", ann, nil, 403},
		{"who-may-do-nothing", service, "GET", "notes.example.com", "/x", bob, nil, 403},
		{"a-method", service, "DELETE", "notes.example.com", "/x", ann, nil, 403},
		{"the-path-in-the-resource", service, "PUT", "notes.example.com", "/home/ann/x", ann, nil, 200},
		{"another-path-in-the-resource", service, "PUT", "notes.example.com", "/home/bob/x", ann, nil, 403},
		{"by-access", service + "&map=access", "PATCH", "notes.example.com", "/x", ann, []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "10.0.0.1"}, 200},
		{"by-access-without-tls", service + "&map=access", "PATCH", "notes.example.com", "/x", ann, []string{"X-Forwarded-For", "10.0.0.1"}, 403},
		{"the-last-address-counts", service + "&map=access", "PATCH", "notes.example.com", "/x", ann, []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "10.0.0.1, 192.0.2.1"}, 403},
		{"no-address", service, "GET", "notes.example.com", "/x", ann, []string{"X-Forwarded-For", "unknown"}, 403},
		{"by-access-what-nobody-knows", service + "&map=access", "BREW", "notes.example.com", "/x", ann, nil, 403},
		{"a-fixed-action", service + "&action=GET", "DELETE", "notes.example.com", "/x", ann, nil, 200},
		{"a-fixed-resource", service + "&resource=arn:aws:notes::" + iamtest.Account + ":notes.example.com/admin", "GET", "notes.example.com", "/x", ann, nil, 403},
		{"another-owner", service + "&account=444455556666", "GET", "notes.example.com", "/x", ann, nil, 403},
		{"dots", service, "GET", "notes.example.com", "/x/../admin", ann, nil, 403},
		{"escaped-dots", service, "GET", "notes.example.com", "/x/%2e%2e/admin", ann, nil, 403},
		{"an-escaped-slash", service, "GET", "notes.example.com", "/x%2fadmin", ann, nil, 403},
		{"a-double-escape", service, "GET", "notes.example.com", "/%2561dmin", ann, nil, 403},
		{"a-double-slash", service, "GET", "notes.example.com", "//admin", ann, nil, 403},
		{"a-backslash", service, "GET", "notes.example.com", `/x\admin`, ann, nil, 403},
		{"a-semicolon", service, "GET", "notes.example.com", "/x;y/admin", ann, nil, 403},
		{"a-zero-byte", service, "GET", "notes.example.com", "/x%00", ann, nil, 403},
		{"an-absolute-target", service, "GET", "notes.example.com", "http://a/x", ann, nil, 403},
		{"no-host", service, "GET", "", "/x", ann, nil, 403},
		{"a-strange-host", service, "GET", "notes.example.com/admin?", "/x", ann, nil, 403},
		{"two-forms-that-agree", service, "GET", "notes.example.com", "/x", ann, []string{"X-Forwarded-Uri", "/x"}, 200},
		{"two-forms-that-do-not", service, "GET", "notes.example.com", "/x", ann, []string{"X-Forwarded-Uri", "/admin"}, 403},
		{"a-proxy-that-is-not-known", service, "GET", "notes.example.com", "/x", ann, []string{"X-Innkeeper-Authorization", "Basic eDp5"}, 403},
		{"a-proxy-without-credential", service, "GET", "notes.example.com", "/x", ann, []string{"X-Innkeeper-Authorization", ""}, 403},
		{"a-proxy-that-may-not-ask", service, "GET", "notes.example.com", "/x", ann, []string{"X-Innkeeper-Authorization", bob}, 403},
		{"no-service", "", "GET", "notes.example.com", "/x", ann, nil, 400},
		{"an-unknown-parameter", service + "&resorce=x", "GET", "notes.example.com", "/x", ann, nil, 400},
		{"a-parameter-twice", service + "&service=x", "GET", "notes.example.com", "/x", ann, nil, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := append([]string{
				"X-Innkeeper-Authorization", s.basic, "X-Original-Method", tt.method, "X-Original-URI", tt.target, "X-Original-Host", tt.host,
				"Authorization", tt.authorization, "X-Innkeeper-Principal", "arn:aws:iam::" + iamtest.Account + ":root",
			}, tt.more...)
			a := s.send(t, http.MethodGet, "/authorize/v1/forward"+tt.query, "", headers...)
			if a.status != tt.want {
				t.Fatalf("%s %s%s = %d, want %d\n%s", tt.method, tt.host, tt.target, a.status, tt.want, a.body)
			}
			if got := a.header.Get("X-Innkeeper-Principal"); a.status == 200 && got != annARN {
				t.Errorf("X-Innkeeper-Principal = %q, want %s", got, annARN)
			}
			if (a.status == 401) != (a.header.Get("WWW-Authenticate") != "") || a.header.Get("X-Innkeeper-Reason") != "" {
				t.Errorf("headers of %d = %v", a.status, a.header)
			}
		})
	}
	// Caddy's and Traefik's form, and a reason for whoever wants it.
	a := s.send(t, http.MethodGet, "/authorize/v1/forward?service=notes&reason=1", "", "X-Innkeeper-Authorization", s.basic, "Authorization", ann,
		"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/admin", "X-Forwarded-Host", "notes.example.com")
	if a.status != 403 || !strings.HasPrefix(a.header.Get("X-Innkeeper-Reason"), "Denied: statement 3 of notes") {
		t.Errorf("X-Forwarded-… = %d with reason %q, want 403 by statement 3", a.status, a.header.Get("X-Innkeeper-Reason"))
	}
}

// TestForwardOfSignedRequests: a client's signature is verified as the client made
// it.
func TestForwardOfSignedRequests(t *testing.T) {
	s := start(t)
	for _, tt := range []struct {
		name, service, target, asked, payload string
		want                                  int
	}{
		{"as-signed", "execute-api", "/x?y=z", "/x?y=z", "", 200},
		{"for-the-route", "notes", "/x", "/x", "", 200},
		{"for-another-service", "iam", "/x", "/x", "", 401},
		{"another-path", "execute-api", "/x", "/y", "", 401},
		{"another-query", "execute-api", "/x?y=z", "/x?y=q", "", 401},
		{"with-a-body-that-nobody-saw", "execute-api", "/x", "/x", sigv4.HashPayload([]byte("body")), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://notes.example.com"+tt.target, nil)
			if err != nil {
				t.Fatal(err)
			}
			signer := sigv4.Signer{AccessKeyID: s.ann.Key, SecretAccessKey: s.ann.Secret, Region: "us-east-1", Service: tt.service}
			if err := signer.Sign(r, tt.payload); err != nil {
				t.Fatal(err)
			}
			headers := []string{
				"X-Innkeeper-Authorization", s.basic, "X-Original-Method", "GET", "X-Original-URI", tt.asked, "X-Original-Host", "notes.example.com",
			}
			for name := range r.Header {
				headers = append(headers, name, r.Header.Get(name))
			}
			if a := s.send(t, http.MethodGet, "/authorize/v1/forward?service=notes", "", headers...); a.status != tt.want {
				t.Errorf("status %d, want %d\n%s", a.status, tt.want, a.body)
			}
		})
	}
}
