// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// answering is an upstream that gives every request the same answer, and
// closes the connection.
func answering(text string) func(t *testing.T) *Upstream {
	return func(t *testing.T) *Upstream {
		return raw(t, Options{Timeout: 100 * time.Millisecond}, func(c net.Conn, _ *bufio.Reader, _ int, _ string) bool {
			io.WriteString(c, text)
			return false
		})
	}
}

// endless is an upstream that repeats text until it is stopped.
func endless(first, text string) func(t *testing.T) *Upstream {
	return func(t *testing.T) *Upstream {
		return raw(t, Options{}, func(c net.Conn, _ *bufio.Reader, _ int, _ string) bool {
			io.WriteString(c, first)
			for {
				if _, err := io.WriteString(c, text); err != nil {
					return false
				}
			}
		})
	}
}

// Upstreams that fail before they answer.

func closed(t *testing.T) *Upstream {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return reach(t, "http://"+l.Addr().String(), Options{})
}

func silent(first string) func(t *testing.T) *Upstream {
	return func(t *testing.T) *Upstream {
		return raw(t, Options{Timeout: 50 * time.Millisecond}, func(c net.Conn, r *bufio.Reader, _ int, _ string) bool {
			io.WriteString(c, first)
			r.ReadByte()
			return false
		})
	}
}

func untrusted(t *testing.T) *Upstream {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	srv.Config.ErrorLog = discard
	t.Cleanup(srv.Close)
	return reach(t, srv.URL, Options{})
}

func noTLS(t *testing.T) *Upstream {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	return reach(t, strings.Replace(srv.URL, "http:", "https:", 1), Options{})
}

func reset(t *testing.T) *Upstream {
	return raw(t, Options{}, func(c net.Conn, _ *bufio.Reader, _ int, _ string) bool {
		c.(*net.TCPConn).SetLinger(0)
		return false
	})
}

func noCredentials(t *testing.T) *Upstream {
	return reach(t, "http://127.0.0.1:1", Options{Credentials: func(context.Context) (Credentials, error) {
		return Credentials{}, errors.New("the file is gone")
	}})
}

func TestFailures(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	refusal := func(status, code string) string {
		return "HTTP/1.1 " + status + "\r\nConnection: close\r\n\r\n<?xml version='1.0'?>\n<Error><Code>" + code + "</Code><AWSAccessKeyId>" + testID + "</AWSAccessKeyId></Error>"
	}
	tests := []struct {
		name   string
		u      func(t *testing.T) *Upstream
		kind   Kind
		reason string
	}{
		{"nothing-listens", closed, Unreachable, "connection refused"},
		{"closed-without-an-answer", answering(""), Reset, "EOF"},
		{"reset-without-an-answer", reset, Reset, ""},
		{"silent", silent(""), Timeout, ""},
		{"silent-in-the-headers", silent(ok + "A: b\r\n"), Timeout, ""},
		{"silent-in-the-body", silent(ok + "Content-Length: 10\r\n\r\nhalf"), Timeout, ""},
		{"closed-in-the-status", answering("HTTP/1.1 20"), Malformed, `malformed HTTP status code "20"`},
		{"closed-in-the-headers", answering(ok + "Content-Len"), Malformed, "missing colon"},
		{"closed-in-the-body", answering(ok + "Content-Length: 10\r\n\r\nhalf"), Broken, "EOF"},
		{"closed-in-a-chunk", answering(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhal"), Broken, "EOF"},
		{"closed-before-the-last-chunk", answering(ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), Broken, "EOF"},
		{"malformed-chunk", answering(ok + "Transfer-Encoding: chunked\r\n\r\nxx\r\nhalf\r\n"), Broken, "invalid byte"},
		{"no-http", answering("220 mail.example ESMTP\r\n"), Malformed, `malformed HTTP status code "mail.example"`},
		{"two-lengths", answering(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), Malformed, "Content-Length"},
		{"odd-length", answering(ok + "Content-Length: +1\r\n\r\nab"), Malformed, "Content-Length"},
		{"odd-encoding", answering(ok + "Transfer-Encoding: gzip\r\n\r\nab"), Malformed, "transfer encoding"},
		{"malformed-header", answering(ok + "Content-Length\r\n\r\nab"), Malformed, "missing colon"},
		{"headers-without-end", endless(ok, "A: "+strings.Repeat("x", 1000)+"\r\n"), Malformed, "exceeded 65536 bytes"},
		{"a-header-without-end", endless(ok+"A: ", strings.Repeat("x", 1000)), Malformed, "exceeded 65536 bytes"},
		{"interim-answers-without-end", endless("", "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"), Malformed, "exceeded 65536 bytes"},
		{"switched-protocols", answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), Malformed, "101"},
		{"untrusted-certificate", untrusted, TLS, "certificate"},
		{"no-tls", noTLS, TLS, "tls: "},
		{"quirk-Q123-redirected", answering("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n"),
			Redirected, `redirected: status 307 to "http://other.example/", region ""`},
		{"quirk-Q123-another-region", answering("HTTP/1.1 301 Moved Permanently\r\nX-Amz-Bucket-Region: eu-west-1\r\nContent-Length: 0\r\n\r\n"),
			Redirected, `status 301 to "", region "eu-west-1"`},
		{"quirk-Q123-key-unknown", answering(refusal("403 Forbidden", "InvalidAccessKeyId")), Credential, "credential: it answered InvalidAccessKeyId"},
		{"quirk-Q123-secret-wrong", answering(refusal("403 Forbidden", "SignatureDoesNotMatch")), Credential, "SignatureDoesNotMatch"},
		{"quirk-Q123-region-wrong", answering(refusal("400 Bad Request", "AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region><Code>")),
			Credential, "its region is eu-west-1"},
		{"quirk-Q123-json", answering("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + `{"__type":"com.amazon.coral.service#UnrecognizedClientException"}`),
			Credential, "UnrecognizedClientException"},
		{"quirk-Q123-rest-json", answering("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nx-amzn-ErrorType: InvalidSignatureException:http://x\r\n\r\n{}"),
			Credential, "InvalidSignatureException"},
		{"no-credentials", noCredentials, Credential, "the file is gone"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := send(t, test.u(t), &Request{Method: "GET", Path: "/b/k"})
			f, ok := errors.AsType[*Failure](err)
			if !ok {
				t.Fatalf("Send = %v, want a *Failure", err)
			}
			if f.Kind != test.kind || !strings.Contains(f.Reason(), test.reason) {
				t.Errorf("Send = %s, want %s with %q", f.Reason(), test.kind, test.reason)
			}
			if text := f.Error(); text == "" || strings.Contains(text, "127.0.0.1") || strings.Contains(f.Reason()+text, testID) {
				t.Errorf("text %q, reason %q: says too much", text, f.Reason())
			}
		})
	}
}

// What a store refuses for reasons that are the client's passes, whole.
func TestRefusalsPass(t *testing.T) {
	long := "<Error><Code>AccessDenied</Code><Message>" + strings.Repeat("x", 2*peeked) + "</Message></Error>"
	for _, body := range []string{"", "<Error><Code>AccessDenied</Code></Error>", long, "<Error><Code>BadDigest</Code><Code>SignatureDoesNotMatch</Code></Error>"} {
		for _, status := range []int{400, 403, 404, 412, 500, 503} {
			u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				io.WriteString(w, body)
			}), Options{})
			resp, got, err := send(t, u, &Request{Method: "GET", Path: "/b/k"})
			if err != nil || resp.StatusCode != status || got != body {
				t.Errorf("Send = %v, %d bytes, %v, want status %d and %d bytes", resp, len(got), err, status, len(body))
			}
		}
	}
}

func TestKinds(t *testing.T) {
	if got := kind(&url.Error{Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "store.example"}}}, false); got != DNS {
		t.Errorf("kind of a name without an address = %s, want %s", got, DNS)
	}
	if got := kind(&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, false); got != TLS {
		t.Errorf("kind of an alert = %s, want %s", got, TLS)
	}
	for k := range texts {
		if f := (&Failure{Kind: k}); f.Error() == "" || f.Reason() != k.String() {
			t.Errorf("%s: text %q, reason %q", k, f.Error(), f.Reason())
		}
	}
	f := failure(Reset, "a\nb\x1b[31mü%s", strings.Repeat("x", 1000))
	if got := f.Reason(); strings.ContainsAny(got, "\n\x1b") || len(got) > maxReason+20 || !strings.HasPrefix(got, "reset: a?b?[31m?") {
		t.Errorf("Reason = %q, want printing ASCII", got)
	}
}

// An upstream that answers at once is believed when it refuses, and the client
// is asked for no more.
func TestEarlyRefusal(t *testing.T) {
	rest := make(chan struct{})
	u := raw(t, Options{}, func(c net.Conn, r *bufio.Reader, _ int, head string) bool {
		io.CopyN(io.Discard, r, 1000)
		io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nhalf")
		go r.WriteTo(io.Discard)
		<-rest
		io.WriteString(c, "half")
		return false
	})
	body := &counted{more: make(chan struct{}, 1)}
	body.more <- struct{}{}
	r := &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: body, Length: expectOver}
	resp, err := u.Send(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	close(body.more) // the client would send on
	time.Sleep(20 * time.Millisecond)
	if n := body.reads.Load(); n > 2 { // one to send, one that was under way
		t.Errorf("the body was read %d times, want no more after the answer", n)
	}
	close(rest)
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(got) != "halfhalf" {
		t.Errorf("the answer is %q, %v", got, err)
	}
}

// The answer of an upstream that closes the connection on the rest of a
// request is not lost.
func TestRefusalBeforeReset(t *testing.T) {
	u := raw(t, Options{}, func(c net.Conn, _ *bufio.Reader, _ int, _ string) bool {
		io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>")
		return false // with bytes unread, which resets the connection
	})
	for range 20 {
		resp, err := u.Send(t.Context(), &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: io.LimitReader(zeros{}, 1<<20), Length: 1 << 20})
		if err != nil {
			t.Fatalf("Send = %v, want the answer", err)
		}
		resp.Body.Close()
	}
}

// counted is a body that gives a piece for each word from more.
type counted struct {
	more  chan struct{}
	reads atomic.Int32
}

func (c *counted) Read(p []byte) (int, error) {
	<-c.more
	c.reads.Add(1)
	return min(len(p), 4096), nil
}

// An upstream that says that all is well before it can know is not believed.
func TestEarlySuccess(t *testing.T) {
	u := raw(t, Options{}, func(c net.Conn, r *bufio.Reader, _ int, _ string) bool {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		r.WriteTo(io.Discard)
		return false
	})
	more := make(chan struct{})
	_, err := u.Send(t.Context(), &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: &counted{more: more}, Length: 1 << 20})
	close(more)
	if f, ok := errors.AsType[*Failure](err); !ok || f.Kind != Malformed || !strings.Contains(f.Reason(), "before the body was sent") {
		t.Errorf("Send = %v, want a *Failure", err)
	}
}

// A large body is not touched when the upstream does not want it.
func TestExpectContinue(t *testing.T) {
	for name, wants := range map[string]bool{"refused": false, "wanted": true} {
		t.Run(name, func(t *testing.T) {
			u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Expect") != "100-continue" {
					w.WriteHeader(http.StatusTeapot)
				}
				if wants {
					io.Copy(io.Discard, r.Body)
					return
				}
				w.WriteHeader(http.StatusForbidden)
			}), Options{})
			read := 0
			body := readerFunc(func(p []byte) (int, error) { read += len(p); return len(p), nil })
			resp, _, err := send(t, u, &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Length: expectOver + 1,
				Body: io.MultiReader(io.LimitReader(body, expectOver), bytes.NewReader([]byte("x")))})
			want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[wants]
			if err != nil || resp.StatusCode != want || (read > 0) != wants {
				t.Errorf("Send = %v, %v after %d bytes, want status %d", resp, err, read, want)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// When the client leaves, the upstream is left too.
func TestClientGone(t *testing.T) {
	for name, at := range map[string]string{"before-the-answer": "", "in-the-answer": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"} {
		t.Run(name, func(t *testing.T) {
			began, ended := make(chan struct{}), make(chan struct{})
			u := raw(t, Options{}, func(c net.Conn, r *bufio.Reader, _ int, _ string) bool {
				io.WriteString(c, at)
				close(began)
				r.ReadByte()
				close(ended)
				return false
			})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-began; time.Sleep(10 * time.Millisecond); cancel() }()
			resp, err := u.Send(ctx, &Request{Method: "GET", Path: "/b/k"})
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if !errors.Is(err, ErrClientGone) {
				t.Errorf("Send = %v, want %v", err, ErrClientGone)
			}
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Error("the upstream's connection is still open")
			}
		})
	}
}

// A deadline of the gateway itself is the upstream's delay, not the client's.
func TestDeadline(t *testing.T) {
	u := raw(t, Options{}, func(_ net.Conn, r *bufio.Reader, _ int, _ string) bool { r.ReadByte(); return false })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := u.Send(ctx, &Request{Method: "GET", Path: "/"})
	if f, ok := errors.AsType[*Failure](err); !ok || f.Kind != Timeout {
		t.Errorf("Send = %v, want a *Failure of kind %s", err, Timeout)
	}
}

// An upstream may be silent for as long as it is being sent to, and a client
// that sends nothing is not the upstream's fault.
func TestSilence(t *testing.T) {
	t.Parallel()
	u := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }), Options{Timeout: 200 * time.Millisecond})
	slow := func(pause time.Duration) io.Reader {
		n := 0
		return readerFunc(func(p []byte) (int, error) {
			time.Sleep(pause)
			if n++; n > 8 {
				return 0, io.EOF
			}
			return copy(p, make([]byte, 4<<10)), nil
		})
	}
	if _, _, err := send(t, u, &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: slow(40 * time.Millisecond), Length: 32 << 10}); err != nil {
		t.Errorf("a body of 320 ms: Send = %v, want nil", err)
	}
	_, _, err := send(t, u, &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: slow(300 * time.Millisecond), Length: 32 << 10})
	if _, ok := errors.AsType[*BodyError](err); !ok {
		t.Errorf("a client that pauses for 300 ms: Send = %v, want a *BodyError", err)
	}
	stuck := raw(t, Options{Timeout: 100 * time.Millisecond}, func(_ net.Conn, _ *bufio.Reader, _ int, _ string) bool {
		time.Sleep(500 * time.Millisecond) // and reads nothing
		return false
	})
	_, _, err = send(t, stuck, &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: io.LimitReader(zeros{}, 64<<20), Length: 64 << 20})
	if f, ok := errors.AsType[*Failure](err); !ok || f.Kind != Timeout {
		t.Errorf("an upstream that takes nothing: Send = %v, want a *Failure of kind %s", err, Timeout)
	}
}

// zeros is a body without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

var discard = log.New(io.Discard, "", 0)
