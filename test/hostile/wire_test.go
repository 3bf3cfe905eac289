// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends text on a connection of its own, closes the sending side and returns
// the answer, if one comes.
func (c *client) raw(text string) (*http.Response, string, error) {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.s.URL, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
	go func() { // the server may answer before it has read all
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func connections(t *testing.T, c *client) {
	const head = "Host: inn\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	for _, tt := range []struct {
		name, text string
		status     int
		code       string // "": the transport's own answer, or none when status is 0
	}{
		{"truncated-body", "POST / HTTP/1.1\r\n" + head + "Content-Length: 1000\r\n\r\nAction=ListUsers", 400, "MalformedInput"},
		{"truncated-chunk", "POST / HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\nff\r\nAction=ListUsers", 400, "MalformedInput"},
		{"length-beyond-the-limit", "POST / HTTP/1.1\r\n" + head + "Content-Length: 99999999999\r\n\r\n", 413, "RequestEntityTooLarge"},
		{"chunks-beyond-the-limit", "POST / HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat("a", 1<<16)+"\r\n", 40) + "0\r\n\r\n", 413, "RequestEntityTooLarge"},
		{"http-1.0", "POST / HTTP/1.0\r\n" + head + "Content-Length: 35\r\n\r\nAction=ListUsers&Version=2010-05-08", 403, "MissingAuthenticationToken"},
		{"http-1.0-get", "GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.0\r\n\r\n", 403, "MissingAuthenticationToken"},
		{"other-paths-are-the-api", "GET /admin/../../etc/passwd HTTP/1.1\r\nHost: inn\r\n\r\n", 400, "MissingAction"},
		{"two-lengths", "POST / HTTP/1.1\r\n" + head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, ""},
		{"length-and-chunks", "POST / HTTP/1.1\r\n" + head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, ""},
		{"huge-header", "GET / HTTP/1.1\r\nHost: inn\r\nX: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", 431, ""},
		{"ten-thousand-headers", "GET / HTTP/1.1\r\nHost: inn\r\n" + strings.Repeat("X-Y: aaaaaaaaaa\r\n", 10_000) + "\r\n", 431, ""},
		{"huge-target", "GET /?" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: inn\r\n\r\n", 431, ""},
		{"not-http", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 500), 400, ""},
		{"no-host", "GET / HTTP/1.1\r\n\r\n", 400, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body, err := (&client{c.s, t}).raw(tt.text)
			switch {
			case tt.status == 0 && (err != nil || resp.StatusCode >= 400): // refused either way
			case err != nil:
				t.Errorf("no answer: %v", err)
			case resp.StatusCode != tt.status || tt.code != "" && !strings.Contains(body, "<Code>"+tt.code+"</Code>"):
				t.Errorf("answer %d %.200q, want %d %s", resp.StatusCode, body, tt.status, tt.code)
			}
		})
	}
	t.Run("drip", func(t *testing.T) { drip(t, c) })
}

// drip sends headers and a body letter by letter on many connections, for longer
// than the server has patience for, while others are served.
func drip(t *testing.T, c *client) {
	const (
		conns = 200
		limit = 20 * time.Second // the server gives 10 s for a header
	)
	began := time.Now()
	closed := make(chan time.Duration, conns)
	for range conns {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() {
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: inn\r\nX-Slow: ")
			for {
				if _, err := io.WriteString(conn, "a"); err != nil {
					closed <- time.Since(began)
					return
				}
				time.Sleep(200 * time.Millisecond)
			}
		}()
	}
	for range 5 {
		begin := time.Now()
		if a := (&client{c.s, t}).send(request{form: form("ListUsers")}); a.Status != http.StatusOK || time.Since(begin) > time.Second {
			t.Errorf("beside %d slow connections ListUsers = %d after %v", conns, a.Status, time.Since(begin))
		}
	}
	var last time.Duration
	for range conns {
		select {
		case last = <-closed:
		case <-time.After(limit):
			t.Fatalf("a connection that never ends its header is open after %v", limit)
		}
	}
	t.Logf("%d slow connections were closed within %v", conns, last.Round(time.Millisecond))
}
