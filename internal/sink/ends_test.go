// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

func record(id, outcome string) []byte {
	r := audit.Record{Time: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), EventName: "Get Object\n", EventID: id}
	r.Decision.Action, r.Decision.Outcome = "s3:GetObject", outcome
	return r.AppendJSON(nil)
}

func TestWebhook(t *testing.T) {
	status, header := 200, http.Header{}
	var got *http.Request
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r, string(text)
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("one\n")
	h, err := NewWebhook(server.URL+"/in?x=1", token)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	lines := [][]byte{record("a", audit.Allow), record("b", audit.Allow)}
	if err := h.Send(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	if got.Method != "POST" || got.URL.String() != "/in?x=1" || got.Header.Get("Authorization") != "Bearer one" || got.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("the webhook got %s %s %v", got.Method, got.URL, got.Header)
	}
	if want := string(lines[0]) + "\n" + string(lines[1]) + "\n"; body != want {
		t.Errorf("the body is %q, want %q", body, want)
	}
	put("two") // the token changed
	if err := h.Send(t.Context(), lines); err != nil || got.Header.Get("Authorization") != "Bearer two" {
		t.Errorf("Send = %v with %q, want the new token", err, got.Header.Get("Authorization"))
	}
	for _, tt := range []struct {
		status     int
		retryAfter string
		want       RetryError
	}{
		{500, "", RetryError{}},
		{401, "", RetryError{}},
		{413, "", RetryError{Fewer: true}},
		{429, "17", RetryError{After: 17 * time.Second}},
		{503, "Wed, 21 Oct 2026 07:28:00 GMT", RetryError{}},
		{302, "", RetryError{}},
	} {
		status, header = tt.status, http.Header{"Retry-After": {tt.retryAfter}, "Location": {server.URL + "/elsewhere"}}
		retry, ok := errors.AsType[*RetryError](h.Send(t.Context(), lines))
		if !ok || retry.After != tt.want.After || retry.Fewer != tt.want.Fewer || !strings.Contains(retry.Error(), fmt.Sprint(tt.status)) || got.URL.Path != "/in" {
			t.Errorf("an answer of %d: %+v, want %+v", tt.status, retry, tt.want)
		}
	}
	server.Close()
	if err := h.Send(t.Context(), lines); err == nil || strings.Contains(err.Error(), "x=1") {
		t.Errorf("Send to nobody = %v, want an error without the URL", err)
	}
}

func TestNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ url, token, want string }{
		{"logs.example.com", "", "must be a URL"},
		{"ftp://logs.example.com", "", "must be a URL"},
		{"http://logs.example.com", "", "must be https"},
		{"http://10.0.0.1/", "", "must be https"},
		{"https://ann:secret@logs.example.com", "", "must not hold a password"},
		{"https://logs.example.com", empty, "no token"},
		{"https://logs.example.com", empty + ".none", "no such file"},
	} {
		if _, err := NewWebhook(tt.url, tt.token); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewWebhook(%s) = %v, want %q", tt.url, err, tt.want)
		}
	}
	for _, url := range []string{"http://localhost:1/", "http://[::1]:1", "https://logs.example.com/x"} {
		if _, err := NewWebhook(url, ""); err != nil {
			t.Errorf("NewWebhook(%s) = %v", url, err)
		}
	}
	for _, url := range []string{"", "host:514", "http://h", "tcp://", "tcp://h/path", "unix://h/dev/log", "unix:///", "tls://u@h", "udp://h?x"} {
		if _, err := NewSyslog(url); err == nil {
			t.Errorf("NewSyslog(%s) succeeds", url)
		}
	}
	for url, want := range map[string]string{
		"tls://h": "tcp h:6514 false", "tcp://h": "tcp h:601 true", "udp://h:99": "udp h:99 true", "tcp://[::1]": "tcp [::1]:601 false", "unix:///dev/log": "unixgram /dev/log false",
	} {
		s, err := NewSyslog(url)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(s.network, " ", s.address, " ", s.Plaintext()); got != want {
			t.Errorf("NewSyslog(%s) = %s, want %s", url, got, want)
		}
	}
}

var message = regexp.MustCompile(`^<(\d+)>1 2026-03-04T05:06:07Z \S+ innkeeper \d+ GetObject - (\{.*\})$`)

// checkMessage checks one message and returns its priority and event id.
func checkMessage(t testing.TB, msg string) string {
	t.Helper()
	m := message.FindStringSubmatch(msg)
	if m == nil {
		t.Fatalf("%q is no message of RFC 5424", msg)
	}
	return m[1] + " " + idOf([]byte(m[2]))
}

// counted reads a message with its length before it.
func counted(t testing.TB, in *bufio.Reader) string {
	t.Helper()
	var n int
	if _, err := fmt.Fscanf(in, "%d ", &n); err != nil {
		t.Fatal(err)
	}
	msg := make([]byte, n)
	if _, err := io.ReadFull(in, msg); err != nil {
		t.Fatal(err)
	}
	return string(msg)
}

func TestSyslogStreams(t *testing.T) {
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	for _, scheme := range []string{"tcp", "tls"} {
		t.Run(scheme, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			s, err := NewSyslog(scheme + "://" + l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			accept := func() (net.Conn, *bufio.Reader) {
				conn, err := l.Accept()
				if err != nil {
					t.Error(err)
					return nil, nil
				}
				if scheme == "tls" {
					conn = tls.Server(conn, &tls.Config{Certificates: cert.TLS.Certificates})
				}
				return conn, bufio.NewReader(conn)
			}
			if scheme == "tls" {
				go func() { conn, _ := accept(); io.Copy(io.Discard, conn) }()
				if err := s.Send(t.Context(), [][]byte{record("a", audit.Allow)}); err == nil {
					t.Error("a certificate that nobody vouches for was taken")
				}
				s.tls.RootCAs = x509.NewCertPool()
				s.tls.RootCAs.AddCert(cert.Certificate())
			}
			sent := make(chan error, 1)
			send := func(lines ...[]byte) { go func() { sent <- s.Send(t.Context(), lines) }() }
			send(record("a", audit.Allow), record("b", audit.ExplicitDeny))
			conn, in := accept()
			for _, want := range []string{"110 a", "108 b"} {
				if got := checkMessage(t, counted(t, in)); got != want {
					t.Errorf("message %s, want %s", got, want)
				}
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			gone := s.gone
			conn.Close()
			<-gone
			send(record("c", audit.Allow)) // over a new connection: the server closed the other one
			_, in = accept()
			if got := checkMessage(t, counted(t, in)); got != "110 c" {
				t.Errorf("message %s, want 110 c", got)
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestSyslogDatagrams(t *testing.T) {
	local := filepath.Join(t.TempDir(), "log")
	for _, scheme := range []string{"udp", "unix"} {
		t.Run(scheme, func(t *testing.T) {
			network, address := "udp", "127.0.0.1:0"
			if scheme == "unix" {
				network, address = "unixgram", local
			}
			l, err := net.ListenPacket(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			s, err := NewSyslog(scheme + "://" + l.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			long := audit.Record{EventName: "Long", RequestParameters: []byte(`"` + strings.Repeat("x", 90<<10) + `"`)}
			if err := s.Send(t.Context(), [][]byte{record("a", audit.Allow), record("b", audit.ImplicitDeny), long.AppendJSON(nil)}); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 128<<10)
			for _, want := range []string{"110 a", "108 b"} {
				n, _, err := l.ReadFrom(buf)
				if err != nil {
					t.Fatal(err)
				}
				if got := checkMessage(t, string(buf[:n])); got != want {
					t.Errorf("message %s, want %s", got, want)
				}
			}
			n, _, err := l.ReadFrom(buf)
			if cut := n == maxDatagram; err != nil || cut != (scheme == "udp") || !strings.Contains(string(buf[:n]), ` Long - {"eventVersion"`) {
				t.Errorf("a long message has %d bytes, %v", n, err)
			}
		})
	}
}
