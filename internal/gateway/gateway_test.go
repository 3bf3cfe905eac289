// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// say is a handler that answers with its name.
func say(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
}

func TestFront(t *testing.T) {
	request := func(service string, header ...string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "http://gate.test/", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		if service != "" {
			by := sigv4.Signer{AccessKeyID: "AKIA", SecretAccessKey: "s", Region: "us-east-1", Service: service}
			if err := by.Sign(r, ""); err != nil {
				t.Fatal(err)
			}
		}
		return r
	}
	s3, others := say("s3"), say("others")
	for _, tt := range []struct {
		name  string
		front Front
		r     *http.Request
		want  string
	}{
		{"signed-for-s3", Front{s3, others}, request("s3"), "s3"},
		{"signed-for-sqs", Front{s3, others}, request("sqs"), "others"},
		{"signed-for-s3-with-the-header-of-another-protocol", Front{s3, others}, request("s3", "X-Amz-Target", "SQS.Send"), "s3"},
		{"anonymous", Front{s3, others}, request(""), "s3"},
		{"anonymous-json", Front{s3, others}, request("", "X-Amz-Target", "SQS.Send"), "others"},
		{"anonymous-query", Front{s3, others}, request("", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), "others"},
		{"sqs-when-there-is-only-s3", Front{S3: s3}, request("sqs"), "s3"},
		{"s3-when-there-is-none", Front{Others: others}, request("s3"), "others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tt.front.ServeHTTP(w, tt.r)
			if got := w.Body.String(); got != tt.want {
				t.Errorf("answered by %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEnv(t *testing.T) {
	w := Watch{Now: time.Now, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		proto      []string
		want       string
		secure     bool
	}{
		{"no-proxy", "192.0.2.1:99", nil, nil, "192.0.2.1", false},
		{"a-stranger-who-says-that-he-is-a-proxy", "192.0.2.1:99", []string{"203.0.113.7"}, []string{"https"}, "192.0.2.1", false},
		{"a-proxy", "10.1.2.3:99", []string{"203.0.113.7"}, []string{"https"}, "203.0.113.7", true},
		{"a-proxy-that-says-nothing", "10.1.2.3:99", nil, nil, "10.1.2.3", false},
		{"two-proxies", "10.1.2.3:99", []string{"203.0.113.7, 10.9.9.9"}, nil, "203.0.113.7", false},
		{"an-address-that-the-client-wrote", "10.1.2.3:99", []string{"127.0.0.1, 203.0.113.7"}, nil, "203.0.113.7", false},
		{"the-same-in-a-header-of-its-own", "10.1.2.3:99", []string{"127.0.0.1", "203.0.113.7"}, nil, "203.0.113.7", false},
		{"what-is-no-address-ends-the-search", "10.1.2.3:99", []string{"203.0.113.7, unknown, 10.9.9.9"}, nil, "10.9.9.9", false},
		{"a-port", "10.1.2.3:99", []string{"203.0.113.7:1234"}, nil, "203.0.113.7", false},
		{"ipv6", "[fd00::1]:99", []string{"[2001:db8::5%eth0]:443"}, nil, "2001:db8::5", false},
		{"ipv4-in-ipv6", "[::ffff:10.1.2.3]:99", []string{"::ffff:203.0.113.7"}, nil, "203.0.113.7", false},
		{"one-of-two-hops-was-in-the-clear", "10.1.2.3:99", []string{"203.0.113.7"}, []string{"http, https"}, "203.0.113.7", false},
		{"only-proxies", "10.1.2.3:99", []string{"10.0.0.1, 10.0.0.2"}, nil, "10.0.0.1", false},
		{"a-socket", "@", nil, nil, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://gate.test/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = tt.peer, tt.forwarded, tt.proto
			if got := w.Env(r); got.SourceIP != tt.want || got.Secure != tt.secure {
				t.Errorf("Env = %q, secure %v, want %q, %v", got.SourceIP, got.Secure, tt.want, tt.secure)
			}
		})
	}
}

// TestStall: who stops reading or sending is let go, who is slow is not.
func TestStall(t *testing.T) {
	const stall = 300 * time.Millisecond
	read := make(chan error, 1)
	s := httptest.NewUnstartedServer(Bodies(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, err := io.Copy(w, io.LimitReader(zeros{}, 1<<30))
			read <- err
			return
		}
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	}), stall))
	s.Listener = Listen(s.Listener, stall)
	s.Start()
	defer s.Close()
	dial := func(head string) net.Conn {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, head)
		return c
	}
	wait := func(what string, wantErr bool) {
		t.Helper()
		select {
		case err := <-read:
			if (err != nil) != wantErr {
				t.Errorf("%s: %v, want an error %v", what, err, wantErr)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: still waiting", what)
		}
	}
	c := dial("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	wait("a client that does not read", true)
	c.Close()

	c = dial("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
	wait("a client that does not send", true)
	c.Close()

	c = dial("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
	for range 4 {
		time.Sleep(stall / 2)
		io.WriteString(c, "x")
	}
	wait("a slow client", false)
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Errorf("the answer to a slow client: %v", err)
	}
	c.Close()
}

// TestContinue: who waits before a body is told to go on, also before an empty one.
func TestContinue(t *testing.T) {
	s := httptest.NewServer(Bodies(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}), time.Minute))
	defer s.Close()
	for head, want := range map[string][]int{
		"PUT / HTTP/1.1\r\nContent-Length: 0\r\nExpect: 100-continue\r\n": {100, 200},
		"PUT / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n": {100, 200},
		"PUT / HTTP/1.1\r\nContent-Length: 0\r\n":                         {200},
		"PUT / HTTP/1.0\r\nContent-Length: 0\r\nExpect: 100-continue\r\n": {200},
	} {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, head+"Host: x\r\nConnection: close\r\n\r\n1")
		in := bufio.NewReader(c)
		var got []int
		for {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				break
			}
			got = append(got, resp.StatusCode)
		}
		c.Close()
		if !slices.Equal(got, want) {
			t.Errorf("%q is answered with %v, want %v", head, got, want)
		}
	}
}

// zeros is as many as one reads.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestForwardedIsBounded(t *testing.T) {
	w := Watch{Now: time.Now, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	r := httptest.NewRequest(http.MethodGet, "http://gate.test/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header.Set("X-Forwarded-For", "203.0.113.7"+strings.Repeat(",10.0.0.2", 100))
	if got := w.Env(r).SourceIP; got != "10.0.0.2" {
		t.Errorf("Env behind a hundred proxies = %q, want a proxy", got)
	}
}
