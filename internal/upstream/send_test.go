// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

var allPayloads = []string{sigv4.UnsignedPayload, sigv4.StreamingSigned, sigv4.StreamingSignedTrailer, sigv4.StreamingUnsignedTrailer, "hash"}

// What a client uploads, in every form, is what the store has then.
func TestUploads(t *testing.T) {
	u, mem := newStore(t)
	for _, payload := range allPayloads {
		for _, size := range []int{0, 1, small, small + 1, 1<<20 + 1} {
			t.Run(strings.ToLower(payload)+"/"+strconv.Itoa(size), func(t *testing.T) {
				data := bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]
				payload := payload
				if payload == "hash" {
					payload = sigv4.HashPayload(data)
				}
				resp, _, err := send(t, u, uploaded(t, payload, data, nil))
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("Send = %v, %v", resp, err)
				}
				if got, _ := stored(t, mem); got != string(data) {
					t.Errorf("%d bytes are stored, want %d", len(got), size)
				}
				if _, got, err := send(t, u, &Request{Method: "GET", Path: "/b/k"}); err != nil || got != string(data) {
					t.Errorf("Send(GET) = %d bytes, %v, want %d", len(got), err, size)
				}
			})
		}
	}
}

// A body that is not what was signed becomes no object, wherever the change is,
// and the upstream gets less than Content-Length says.
func TestTamperedUploads(t *testing.T) {
	flip := func(at func(n int) int) func([]byte) []byte {
		return func(b []byte) []byte { b[at(len(b))] ^= 1; return b }
	}
	edits := map[string]func([]byte) []byte{
		"first-byte-of-data": flip(func(int) int { return 100 }),
		"middle":             flip(func(n int) int { return n / 2 }),
		"cut":                func(b []byte) []byte { return b[:len(b)-1] },
		"longer":             func(b []byte) []byte { return append(b, 'x') },
		"empty":              func([]byte) []byte { return nil },
	}
	u, mem := newStore(t)
	for _, payload := range allPayloads[1:] {
		for _, size := range []int{200, small + 1, 300 << 10} {
			for name, edit := range edits {
				t.Run(strings.ToLower(payload)+"/"+strconv.Itoa(size)+"/"+name, func(t *testing.T) {
					data := bytes.Repeat([]byte("x"), size)
					payload := payload
					if payload == "hash" {
						payload = sigv4.HashPayload(data)
					}
					_, _, err := send(t, u, uploaded(t, payload, data, edit))
					if _, ok := errors.AsType[*BodyError](err); !ok {
						t.Errorf("Send = %v, want a *BodyError", err)
					}
					if got, ok := stored(t, mem); ok {
						t.Errorf("an object of %d bytes is stored, want none", len(got))
					}
				})
			}
		}
	}
}

// The last bytes of a body wait for its reader's word, also when they came in
// one piece with all that is before.
func TestLastBytesAreHeldBack(t *testing.T) {
	const size = small + 100
	for _, length := range []int64{size, -1} {
		got := make(chan []byte, 1)
		u := raw(t, Options{}, func(c net.Conn, r *bufio.Reader, _ int, head string) bool {
			if strings.Contains(head, "Expect: 100-continue") {
				io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			b, _ := io.ReadAll(r)
			got <- b
			return false
		})
		wrong := errors.New("wrong")
		_, _, err := send(t, u, &Request{Method: "PUT", Path: "/b/k", Body: io.MultiReader(bytes.NewReader(make([]byte, size)), failing{wrong}), Length: length})
		if e, ok := errors.AsType[*BodyError](err); !ok || e.Err != wrong {
			t.Errorf("Send = %v, want a *BodyError of %v", err, wrong)
		}
		b := <-got
		if length > 0 && len(b) >= size || length < 0 && bytes.HasSuffix(b, []byte("0\r\n\r\n")) {
			t.Errorf("length %d: the upstream got all %d bytes", length, len(b))
		}
	}
}

// An upload that ends early, for whatever reason, is reset: an orderly end would
// be the end of the body to a server that does not count.
func TestBrokenUploadsAreReset(t *testing.T) {
	wrong := errors.New("wrong")
	for _, secure := range []bool{false, true} {
		for name, fail := range map[string]func(cancel func()) error{
			"body-wrong":  func(func()) error { return wrong },
			"client-gone": func(cancel func()) error { cancel(); time.Sleep(50 * time.Millisecond); return wrong },
		} {
			t.Run(name+"/tls="+strconv.FormatBool(secure), func(t *testing.T) {
				ended := make(chan error, 1)
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				srv := httptest.NewUnstartedServer(nil)
				srv.StartTLS() // for its certificate
				defer srv.Close()
				go func() {
					c, err := l.Accept()
					if err != nil {
						return
					}
					if secure {
						c = tls.Server(c, srv.TLS)
					}
					defer c.Close()
					_, err = io.Copy(io.Discard, c)
					ended <- err
				}()
				scheme := map[bool]string{false: "http://", true: "https://"}[secure]
				u := reach(t, scheme+l.Addr().String(), Options{TLS: srv.Client().Transport.(*http.Transport).TLSClientConfig})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				body := io.MultiReader(bytes.NewReader(make([]byte, small)), readerFunc(func([]byte) (int, error) { return 0, fail(cancel) }))
				if _, err := u.Send(ctx, &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: body, Length: 2 * small}); err == nil {
					t.Error("Send = nil, want an error")
				}
				if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the upstream's connection ended with %v, want a reset", err)
				}
			})
		}
	}
}

func TestBodiesOfAnotherLength(t *testing.T) {
	u, mem := newStore(t)
	for _, size := range []int{0, 10, small + 10} {
		for _, length := range []int64{0, 5, 11, small + 5, small + 11} {
			if length == int64(size) {
				continue
			}
			r := put("/b/k", make([]byte, size))
			r.Length = length
			if _, _, err := send(t, u, r); !errors.Is(err, sigv4.ErrBodyLength) {
				t.Errorf("Send(%d bytes as %d) = %v, want %v", size, length, err, sigv4.ErrBodyLength)
			}
		}
	}
	if _, ok := stored(t, mem); ok {
		t.Error("an object is stored")
	}
}

// The upstream's request verifies with its own credentials, whatever the
// client's was signed like, and carries nothing of the client's signature.
func TestSignedAnew(t *testing.T) {
	type seen struct {
		payload, trailer, checksum, sdk, body string
		err                                   error
	}
	var last seen
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = seen{trailer: r.Header.Get("X-Amz-Trailer"), checksum: r.Header.Get("X-Amz-Checksum-Sha256"), sdk: r.Header.Get("X-Amz-Sdk-Checksum-Algorithm")}
		sig, err := sigv4.Parse(r)
		if err == nil {
			last.payload = sig.Payload
			err = new(sigv4.Verifier).Verify(r, sig, testSecret, nil)
		}
		if err == nil {
			var b *sigv4.Body
			if b, err = sig.Body(r); err == nil {
				var text []byte
				text, err = io.ReadAll(b)
				last.body = string(text)
				if sum := b.Trailer.Get("X-Amz-Checksum-Sha256"); sum != "" {
					last.checksum = sum
				}
			}
		}
		if last.err = err; err != nil {
			w.WriteHeader(http.StatusTeapot)
		}
	}), Options{})
	few, many := []byte("few"), bytes.Repeat([]byte("m"), small+1)
	sum := func(b []byte) string {
		h := sigv4.NewChecksum("x-amz-checksum-sha256")
		h.Write(b)
		return base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	const sdk, name = "SHA256", "x-amz-checksum-sha256"
	tests := []struct {
		name     string
		r        *Request
		trailers bool
		want     seen
	}{
		{"get", &Request{Method: "GET", Path: "/b/k", Query: "versionId=1"}, false, seen{payload: sigv4.EmptyPayload}},
		{"small", uploaded(t, sigv4.UnsignedPayload, few, nil), false, seen{payload: sigv4.HashPayload(few)}},
		{"large", uploaded(t, sigv4.UnsignedPayload, many, nil), false, seen{payload: sigv4.UnsignedPayload}},
		{"large-signed-chunks", uploaded(t, sigv4.StreamingSigned, many, nil), true, seen{payload: sigv4.UnsignedPayload}},
		{"large-hash", uploaded(t, sigv4.HashPayload(many), many, nil), true, seen{payload: sigv4.HashPayload(many)}},
		{"quirk-Q124-small-trailer", uploaded(t, sigv4.StreamingUnsignedTrailer, few, nil), false, seen{payload: sigv4.HashPayload(few), checksum: sum(few), sdk: sdk}},
		{"quirk-Q124-trailer-dropped", uploaded(t, sigv4.StreamingSignedTrailer, many, nil), false, seen{payload: sigv4.UnsignedPayload}},
		{"quirk-Q124-trailer-passed", uploaded(t, sigv4.StreamingSignedTrailer, many, nil), true,
			seen{payload: sigv4.StreamingUnsignedTrailer, trailer: name, checksum: sum(many), sdk: sdk}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.want.body = ""
			if test.r.Body != nil {
				test.want.body = string(few)
				if test.r.Length > small {
					test.want.body = string(many)
				}
			}
			resp, err := u.send(t.Context(), test.r, Profile{Trailers: test.trailers})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if last != test.want {
				t.Errorf("the upstream saw %+.200v, want %+.200v", last, test.want)
			}
		})
	}
}

func TestUnsigned(t *testing.T) {
	var got http.Header
	srv := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }), Options{})
	u, err := New(Options{URL: srv.o.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	if _, _, err := send(t, u, &Request{Method: "GET", Path: "/b/k", Header: http.Header{"Authorization": {"x"}}}); err != nil {
		t.Fatal(err)
	}
	r := uploaded(t, sigv4.StreamingUnsignedTrailer, make([]byte, small+1), nil)
	if _, err := u.send(t.Context(), r, Profile{Trailers: true}); err != nil || got["X-Amz-Trailer"] != nil || got["Content-Encoding"] != nil {
		t.Errorf("Send = %v, and the upstream got %v, want no chunks that nobody signed", err, got)
	}
	if got["Authorization"] != nil || got["X-Amz-Date"] != nil || got["User-Agent"] != nil || got["Accept-Encoding"] != nil {
		t.Errorf("the upstream got %v, want no signature and nothing added", got)
	}
}

// Another service than S3 must have the hash of what is too large to be held.
func TestOtherServices(t *testing.T) {
	var target string
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sig, err := sigv4.Parse(r)
		if err == nil {
			err = new(sigv4.Verifier).Verify(r, sig, testSecret, body)
		}
		if target = r.Header.Get("X-Amz-Target"); err != nil || sig.Service != "dynamodb" || sig.Region != "eu-west-1" {
			w.WriteHeader(http.StatusTeapot)
		}
	}), Options{Service: "dynamodb", Region: "eu-west-1"})
	many := make([]byte, small+1)
	for _, test := range []struct {
		body []byte
		hash string
		good bool
	}{{[]byte("{}"), "", true}, {many, sigv4.HashPayload(many), true}, {many, "", false}, {nil, "", true}} {
		r := put("/", test.body)
		r.Method, r.SHA256, r.Header = "POST", test.hash, http.Header{"X-Amz-Target": {"DynamoDB_20120810.GetItem"}}
		resp, _, err := send(t, u, r)
		if good := err == nil && resp.StatusCode == http.StatusOK && target == "DynamoDB_20120810.GetItem"; good != test.good {
			t.Errorf("Send(%d bytes, hash %q) = %v, %v, want good = %t", len(test.body), test.hash, resp, err, test.good)
		}
	}
}

// Targets arrive as they are, or not at all.
func TestTarget(t *testing.T) {
	var got string
	u := raw(t, Options{}, func(c net.Conn, _ *bufio.Reader, _ int, head string) bool {
		got, _, _ = strings.Cut(head, "\r\n")
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		return true
	})
	for _, test := range []struct {
		path, query string
		good        bool
	}{
		{"/", "", true},
		{"/b/k", "", true},
		{"/b/a%2Fb%2f", "", true},
		{"/b/a/../b/./c", "", true},
		{"/b/%2e%2E/c", "", true},
		{"/b//x//", "", true},
		{"//b/x", "a=1", true},
		{"//x@y:80/x", "", true},
		{"/b/!$&'()*+,;=:@[]~-._", "", true},
		{"/b/%00%ff%C3%A9", "", true},
		{`/b/"<>\^|{}` + "`", "", true},
		{"/b/%zz%", "", false}, // cannot be signed
		{"/b", "a=%zz", false},
		{"/b", "a;b", false},
		{"/b/k", "acl", true},
		{"/b/k", "a&c=%7e&+&&=&?/?", true},
		{"/b/k", "list-type=2&prefix=a%20b%2F&x=", true},
		{"", "", false},
		{"b/k", "", false},
		{"*", "", false},
		{"http://other/b", "", false},
		{"/b k", "", false},
		{"/b/k", "a b", false},
		{"/b\r\nX: y", "", false},
		{"/b/k", "a\n", false},
		{"/b/é", "", false},
		{"/b?acl", "", false},
		{"/b#x", "", false},
		{"/b", "x#y", false},
		{"//b/%zz", "", false},
	} {
		got = ""
		_, _, err := send(t, u, &Request{Method: "GET", Path: test.path, Query: test.query})
		want := "GET " + test.path + " HTTP/1.1"
		if test.query != "" {
			want = "GET " + test.path + "?" + test.query + " HTTP/1.1"
		}
		if !test.good {
			want = ""
		}
		if (err == nil) != test.good || got != want {
			t.Errorf("Send(%q, %q): the upstream got %q, %v, want %q", test.path, test.query, got, err, want)
		}
	}
}

// FuzzTarget: what the first line of a request would be is what was asked for,
// or the target is refused.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/b/k", "//b//k", "/%2e%2e/..", "/a b", "/a\r\nb", "/é", "/a:b@c", "//[::1]/", "*"} {
		f.Add(seed, "a=b&c")
		f.Add("/b", seed)
	}
	u, err := New(Options{URL: &url.URL{Scheme: "http", Host: "store.example"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		target, err := u.target(path, query)
		if err != nil {
			return
		}
		var sent bytes.Buffer
		if err := (&http.Request{Method: "GET", URL: target, Host: "store.example", Header: http.Header{}}).Write(&sent); err != nil {
			return
		}
		want := path
		if query != "" {
			want += "?" + query
		}
		line, _, _ := strings.Cut(sent.String(), "\r\n")
		if line != "GET "+want+" HTTP/1.1" || target.Host != "store.example" {
			t.Errorf("target(%q, %q) makes net/http send %q to %s", path, query, line, target.Host)
		}
	})
}

// Nothing of an upload is sent twice, even when the connection that was kept
// open turns out to be closed.
func TestNothingIsSentTwice(t *testing.T) {
	for name, r := range map[string]func() *Request{
		"small":  func() *Request { return put("/b/k", []byte("data")) },
		"large":  func() *Request { return put("/b/k", make([]byte, small+1)) },
		"empty":  func() *Request { return put("/b/k", nil) },
		"post":   func() *Request { return &Request{Method: "POST", Path: "/b/k", Query: "uploads"} },
		"delete": func() *Request { return &Request{Method: "DELETE", Path: "/b/k"} },
	} {
		t.Run(name, func(t *testing.T) {
			var changes atomic.Int32
			u := raw(t, Options{}, func(c net.Conn, _ *bufio.Reader, n int, head string) bool {
				if strings.HasPrefix(head, "GET") {
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					return true
				}
				changes.Add(1)
				return false // closed, without an answer
			})
			if _, _, err := send(t, u, &Request{Method: "GET", Path: "/"}); err != nil { // the connection is kept
				t.Fatal(err)
			}
			_, _, err := send(t, u, r())
			if f, ok := errors.AsType[*Failure](err); !ok || f.Kind != Reset || changes.Load() != 1 {
				t.Errorf("Send = %v, and the upstream saw it %d times, want a reset and once", err, changes.Load())
			}
		})
	}
}

// An upload that was answered leaves a connection like any other.
func TestWholeUploadsEndOrderly(t *testing.T) {
	for _, size := range []int{1, 2 * small} {
		ended := make(chan error, 1)
		u := raw(t, Options{}, func(c net.Conn, r *bufio.Reader, _ int, _ string) bool {
			io.CopyN(io.Discard, r, int64(size))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			_, err := io.Copy(io.Discard, r)
			ended <- err
			return false
		})
		if _, _, err := send(t, u, put("/b/k", make([]byte, size))); err != nil {
			t.Fatal(err)
		}
		u.Close()
		if err := <-ended; err != nil {
			t.Errorf("%d bytes: the connection ended with %v, want an orderly end", size, err)
		}
	}
}

// However much is asked for, a body gives no more than its length.
func TestStreamGivesItsLength(t *testing.T) {
	s := newStream(context.Background(), strings.NewReader("data and more"), 4, time.Minute)
	if n, err := s.Read(make([]byte, 100)); n != 0 || !errors.Is(err, sigv4.ErrBodyLength) {
		t.Errorf("Read = %d, %v, want 0, %v", n, err, sigv4.ErrBodyLength)
	}
}

// A body of which nothing was read may use another connection.
func TestUntouchedBodyMayMove(t *testing.T) {
	b := &outgoing{u: reach(t, "http://store.example", Options{}), r: put("/b/k", make([]byte, small+1)),
		req: &http.Request{Method: "PUT", Header: http.Header{}, URL: &url.URL{Path: "/b/k"}, Host: "store.example"}}
	if err := b.prepare(t.Context(), Profile{}); err != nil {
		t.Fatal(err)
	}
	if again, err := b.req.GetBody(); again != b.req.Body || err != nil {
		t.Errorf("GetBody = %v, %v, want the body", again, err)
	}
	if _, err := io.ReadAll(b.req.Body); err != nil {
		t.Fatal(err)
	}
	if _, err := b.req.GetBody(); err == nil {
		t.Error("GetBody after a read = nil, want an error")
	}
}
