// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gateway serves what u answers, as a gateway without any checks does. The
// outcome of each Relay goes to done, unless that is nil.
func gateway(t testing.TB, u *Upstream, done func(written int64, err error)) *httptest.Server {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, query, _ := strings.Cut(r.RequestURI, "?")
		out := &Request{Method: r.Method, Path: path, Query: query, Header: Forwardable(r.Header)}
		if r.ContentLength != 0 {
			out.Body, out.Length = r.Body, r.ContentLength
		}
		resp, err := u.Send(r.Context(), out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("X-Amz-Request-Id", "ours")
		n, err := Relay(w, resp)
		if done != nil {
			done(n, err)
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	srv.Config.ErrorLog = discard
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// exchange sends a request line with headers over a connection of its own and
// returns the answer as it came.
func exchange(t *testing.T, srv *httptest.Server, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, strings.ReplaceAll(request, "\n", "\r\n")+"\r\nHost: gateway.example\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(answer), "\r\n", "\n")
}

func TestRelay(t *testing.T) {
	const date = "Date: Sun, 22 Nov 2026 08:15:00 GMT\n"
	head := func(status string, headers ...string) string {
		headers = append(headers, strings.TrimSuffix(date, "\n"), "X-Amz-Request-Id: ours", "Connection: close")
		slices.Sort(headers)
		return "HTTP/1.1 " + status + "\n" + strings.Join(headers, "\n") + "\n\n"
	}
	tests := []struct{ name, request, answer, want string }{
		{"get", "GET /b/k HTTP/1.1", "200 OK\nContent-Length: 4\nContent-Type: a/b\nETag: \"x\"\nX-Amz-Meta-A: 1\nX-Amz-Request-Id: theirs\n\ndata",
			head("200 OK", "Content-Length: 4", "Content-Type: a/b", `Etag: "x"`, "x-amz-meta-a: 1") + "data"},
		{"no-type-is-guessed", "GET /b/k HTTP/1.1", "200 OK\nContent-Length: 6\n\n<html>", head("200 OK", "Content-Length: 6") + "<html>"},
		{"head", "HEAD /b/k HTTP/1.1", "200 OK\nContent-Length: 12345\nContent-Type: a/b\n\n", head("200 OK", "Content-Length: 12345", "Content-Type: a/b")},
		{"head-of-nothing", "HEAD /b/k HTTP/1.1", "404 Not Found\n\n", head("404 Not Found")},
		{"range", "GET /b/k HTTP/1.1\nRange: bytes=1-2", "206 Partial Content\nContent-Length: 2\nContent-Range: bytes 1-2/4\nAccept-Ranges: bytes\n\nat",
			head("206 Partial Content", "Accept-Ranges: bytes", "Content-Length: 2", "Content-Range: bytes 1-2/4") + "at"},
		{"not-modified", "GET /b/k HTTP/1.1", "304 Not Modified\nETag: \"x\"\nContent-Length: 4\n\n", head("304 Not Modified", `Etag: "x"`)},
		{"no-content", "DELETE /b/k HTTP/1.1", "204 No Content\nX-Amz-Version-Id: 1\n\n", head("204 No Content", "X-Amz-Version-Id: 1")},
		{"refused", "GET /b/k HTTP/1.1", "416 Requested Range Not Satisfiable\nContent-Length: 1\n\nx", head("416 Requested Range Not Satisfiable", "Content-Length: 1") + "x"},
		{"between-hops", "GET /b/k HTTP/1.1", "200 OK\nContent-Length: 1\nConnection: X-Hop, keep-alive\nX-Hop: 1\nKeep-Alive: timeout=5\nProxy-Authenticate: Basic\n" +
			"Upgrade: h2c\nTE: x\n\nx", head("200 OK", "Content-Length: 1") + "x"},
		{"speaks-for-our-host", "GET /b/k HTTP/1.1", "200 OK\nContent-Length: 1\nSet-Cookie: a=b\nAlt-Svc: h3=\"evil:443\"\nStrict-Transport-Security: max-age=1\n" +
			"WWW-Authenticate: Basic\nServer: store\nVia: 1.1 x\nRefresh: 1; url=http://x\nClear-Site-Data: *\n\nx", head("200 OK", "Content-Length: 1") + "x"},
		{"location-of-ours", "PUT /b HTTP/1.1", "200 OK\nContent-Length: 0\nLocation: /b\n\n", head("200 OK", "Content-Length: 0", "Location: /b")},
		{"location-of-theirs", "PUT /b HTTP/1.1", "200 OK\nContent-Length: 0\nLocation: http://127.0.0.1:9000/b\n\n", head("200 OK", "Content-Length: 0")},
		{"location-of-another-host", "PUT /b HTTP/1.1", "200 OK\nContent-Length: 0\nLocation: //other/b\n\n", head("200 OK", "Content-Length: 0")},
		{"location-that-browsers-take-for-a-host", "PUT /b HTTP/1.1", "200 OK\nContent-Length: 0\nLocation: ///other/b\n\n", head("200 OK", "Content-Length: 0")},
		{"location-with-a-backslash", "PUT /b HTTP/1.1", "200 OK\nContent-Length: 0\nLocation: /\\other/b\n\n", head("200 OK", "Content-Length: 0")},
		{"after-interim-answers", "GET /b/k HTTP/1.1", "103 Early Hints\nLink: <x>\n\nHTTP/1.1 200 OK\nContent-Length: 1\n\nx", head("200 OK", "Content-Length: 1") + "x"},
		{"chunks", "GET /b/k HTTP/1.1", "200 OK\nTransfer-Encoding: chunked\n\n4\ndata\n0\n\n",
			head("200 OK", "Transfer-Encoding: chunked") + "4\ndata\n0\n\n"},
		{"trailers", "GET /b/k HTTP/1.1", "200 OK\nTransfer-Encoding: chunked\nTrailer: X-Sum, Set-Cookie\n\n4\ndata\n0\nX-Sum: 1\nSet-Cookie: a\n\n",
			head("200 OK", "Trailer: X-Sum", "Transfer-Encoding: chunked") + "4\ndata\n0\nX-Sum: 1\n\n"},
		{"until-the-end", "GET /b/k HTTP/1.1", "200 OK\nConnection: close\n\ndata",
			head("200 OK", "Transfer-Encoding: chunked") + "4\ndata\n0\n\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := raw(t, Options{}, func(c net.Conn, _ *bufio.Reader, _ int, _ string) bool {
				io.WriteString(c, strings.ReplaceAll("HTTP/1.1 "+strings.Replace(test.answer, "\n\n", "\n"+date+"\n", 1+strings.Count(test.answer, "HTTP/1.1")), "\n", "\r\n"))
				return false
			})
			got := exchange(t, gateway(t, u, nil), test.request)
			top, body, _ := strings.Cut(got, "\n\n")
			lines := strings.Split(top, "\n")
			slices.Sort(lines[1:])
			if got = strings.Join(lines, "\n") + "\n\n" + body; got != test.want {
				t.Errorf("the client got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// An answer that breaks off is never complete for the client either.
func TestBrokenAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"with-a-length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"in-chunks":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			outcome := make(chan error, 1)
			u := answering(answer)(t)
			srv := gateway(t, u, func(n int64, err error) {
				if n != 4 {
					t.Errorf("Relay = %d bytes, want 4", n)
				}
				outcome <- err
			})
			resp, err := srv.Client().Get(srv.URL)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if err == nil {
				t.Error("the client got a whole answer")
			}
			if f, ok := errors.AsType[*Failure](<-outcome); !ok || f.Kind != Broken {
				t.Errorf("Relay = %v, want a *Failure of kind %s", f, Broken)
			}
		})
	}
}

// When a client leaves in the middle of its answer, the upstream's connection
// is closed.
func TestClientGoneInRelay(t *testing.T) {
	stopped := make(chan struct{})
	u := raw(t, Options{}, func(c net.Conn, _ *bufio.Reader, _ int, _ string) bool {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
		for {
			if _, err := c.Write(make([]byte, 64<<10)); err != nil {
				close(stopped)
				return false
			}
		}
	})
	outcome := make(chan error, 1)
	srv := gateway(t, u, func(_ int64, err error) { outcome <- err })
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	io.CopyN(io.Discard, resp.Body, 1<<20)
	resp.Body.Close()
	if err := <-outcome; !errors.Is(err, ErrClientGone) {
		t.Errorf("Relay = %v, want %v", err, ErrClientGone)
	}
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Error("the upstream goes on")
	}
}

// Relay closes what it relays, whatever happens.
func TestRelayCloses(t *testing.T) {
	for _, fails := range []bool{false, true} {
		body := &closing{Reader: strings.NewReader("data")}
		if fails {
			body.Reader = failing{errors.New("wrong")}
		}
		_, err := Relay(&nowhere{header: http.Header{}}, &http.Response{StatusCode: 200, Body: body, ContentLength: 4})
		if !body.closed || (err != nil) != fails {
			t.Errorf("Relay = %v, closed = %t", err, body.closed)
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// Pieces of an answer without a length reach the client when they come.
func TestFlush(t *testing.T) {
	next := make(chan struct{})
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			io.WriteString(w, strconv.Itoa(i))
			http.NewResponseController(w).Flush()
			<-next
		}
	}), Options{})
	srv := gateway(t, u, nil)
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for i := range 3 {
		var piece [1]byte
		if _, err := io.ReadFull(resp.Body, piece[:]); err != nil || string(piece[:]) != strconv.Itoa(i) {
			t.Errorf("piece %d = %q, %v", i, piece, err)
		}
		next <- struct{}{}
	}
}

// The client is asked to go on only when the upstream wants the body, and a
// body is whole on both sides.
func TestThroughGateway(t *testing.T) {
	u, mem := newStore(t)
	srv := gateway(t, u, nil)
	for _, size := range []int{1, small + 1, 2 << 20} {
		data := bytes.Repeat([]byte("z"), size)
		r, err := http.NewRequest("PUT", srv.URL+"/b/k", bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Expect", "100-continue")
		resp, err := (&http.Transport{ExpectContinueTimeout: time.Minute, DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got, _ := stored(t, mem); resp.StatusCode != http.StatusOK || got != string(data) {
			t.Errorf("status %d, %d bytes stored, want %d", resp.StatusCode, len(got), size)
		}
	}
}
