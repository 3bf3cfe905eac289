// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const testID, testSecret = "UPSTREAMKEY", "upstream secret"

// TestMain fails when goroutines of a request outlive the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := leaked(); left != "" {
			fmt.Println("goroutines are left:\n" + left)
			code = 1
		}
	}
	os.Exit(code)
}

// leaked returns the stacks of goroutines that still serve a connection.
func leaked() string {
	var text string
	for range 50 {
		buf := make([]byte, 1<<20)
		text = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(text, "net/http.(*persistConn)") && !strings.Contains(text, "upstream.(*stream)") {
			return ""
		}
		time.Sleep(20 * time.Millisecond)
	}
	return text
}

// newStore starts an S3 server with a bucket "b".
func newStore(t testing.TB) (*Upstream, *s3mem.Backend) {
	mem := s3mem.New()
	if err := mem.CreateBucket("b"); err != nil {
		t.Fatal(err)
	}
	return serve(t, gofakes3.New(mem).Server(), Options{}), mem
}

// serve starts h and returns the upstream that it is.
func serve(t testing.TB, h http.Handler, o Options) *Upstream {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return reach(t, srv.URL, o)
}

func reach(t testing.TB, address string, o Options) *Upstream {
	t.Helper()
	var err error
	if o.URL, err = url.Parse(address); err != nil {
		t.Fatal(err)
	}
	if o.Credentials == nil {
		o.Credentials = Static(Credentials{AccessKeyID: testID, SecretAccessKey: testSecret})
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// raw starts a server that hands each connection to f, with the number of
// requests it had, from 1, and the head of the next one. f answers; the
// connection goes on while it returns true.
func raw(t testing.TB, o Options, f func(c net.Conn, r *bufio.Reader, n int, head string) bool) *Upstream {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for n := 1; ; n++ {
					var head strings.Builder
					for {
						line, err := r.ReadString('\n')
						if err != nil {
							return
						}
						if line == "\r\n" {
							break
						}
						head.WriteString(line)
					}
					if !f(c, r, n, head.String()) {
						return
					}
				}
			}()
		}
	}()
	return reach(t, "http://"+l.Addr().String(), o)
}

// send sends r and returns the answer with its whole body, and the error of
// either.
func send(t testing.TB, u *Upstream, r *Request) (*http.Response, string, error) {
	t.Helper()
	resp, err := u.Send(t.Context(), r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// put is a PUT of data.
func put(path string, data []byte) *Request {
	return &Request{Method: "PUT", Path: path, Header: http.Header{}, Body: bytes.NewReader(data), Length: int64(len(data))}
}

// uploaded is what a gateway reads of a client's upload with the given payload
// declaration, after the encoded body went through edit.
func uploaded(t testing.TB, payload string, data []byte, edit func([]byte) []byte) *Request {
	t.Helper()
	client := &sigv4.Signer{AccessKeyID: "CLIENTKEY", SecretAccessKey: "client secret", Region: "eu-west-1", Service: "s3"}
	r, err := http.NewRequest("PUT", "http://gateway.example/b/k", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(payload, "TRAILER") {
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-sha256")
		r.Header.Set("X-Amz-Sdk-Checksum-Algorithm", "SHA256")
	}
	if err := client.Sign(r, payload); err != nil {
		t.Fatal(err)
	}
	encoded, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		encoded = edit(encoded)
	}
	r.Body, r.RequestURI, r.Host = io.NopCloser(bytes.NewReader(encoded)), "/b/k", "gateway.example"
	sig, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := new(sigv4.Verifier).Verify(r, sig, "client secret", nil); err != nil {
		t.Fatal(err)
	}
	body, err := sig.Body(r)
	if err != nil {
		t.Fatal(err)
	}
	out := &Request{Method: "PUT", Path: "/b/k", Header: Forwardable(r.Header), Body: body, Length: int64(len(data)),
		Trailer: r.Header.Get("X-Amz-Trailer")}
	if len(payload) == len(sigv4.EmptyPayload) {
		out.SHA256 = payload
	}
	return out
}

// stored returns the object b/k and whether there is one.
func stored(t testing.TB, mem *s3mem.Backend) (string, bool) {
	t.Helper()
	o, err := mem.GetObject("b", "k", nil)
	if err != nil {
		return "", false
	}
	defer o.Contents.Close()
	got, err := io.ReadAll(o.Contents)
	if err != nil {
		t.Fatal(err)
	}
	return string(got), true
}
