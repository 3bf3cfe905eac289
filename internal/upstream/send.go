// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const (
	// small bodies are read before the request is begun: they cost no broken
	// connection when they are wrong, and their hash is signed.
	small = 16 << 10

	// expectOver is the length of bodies from which the upstream is asked
	// whether it wants them.
	expectOver = 1 << 20
)

// A Request is what was authorized.
type Request struct {
	Method string

	// Path and Query are the request target: escaped, sent byte for byte.
	Path  string
	Query string

	// Header is what Forwardable returned, and is Send's from then on.
	Header http.Header

	// Body is the decoded body, nil for none. Only io.EOF says that it was
	// right. Send reads it, at times in another goroutine and, when it
	// fails or the upstream answers early, not to its end.
	Body io.Reader

	// Length is that of Body. -1 means that it is not known; the request then
	// is sent in chunks of HTTP, which S3 stores refuse.
	Length int64

	// SHA256 is the hash of Body that the client signed, in lower-case hex.
	// "" means that the client did not sign one: the upstream of S3 is then
	// told UNSIGNED-PAYLOAD for all but small bodies. Upstreams of other
	// services need it for bodies over 16 KiB.
	SHA256 string

	// Trailer is the client's X-Amz-Trailer if it sent its checksum behind
	// the body. The upstream gets the checksum too: in a header with a small
	// body, as a trailer where the profile says that the store takes them,
	// and not at all otherwise.
	Trailer string
}

// Send sends r and returns the upstream's answer, whose body is to be read with
// Relay, or closed. The error is a *BodyError, a *Failure, or wraps
// ErrClientGone when ctx, which is that of the client's request, was
// cancelled; any other means that r cannot be sent as it is. Answers that
// redirect, or that refuse the gateway's own credentials, are Failures.
//
// When the upstream fails in the middle of an upload whose client pauses, Send
// returns once the client sends more, or leaves.
func (u *Upstream) Send(ctx context.Context, r *Request) (*http.Response, error) {
	return u.send(ctx, r, *u.profile.Load())
}

// send is Send to a store of the given profile.
func (u *Upstream) send(ctx context.Context, r *Request, p Profile) (*http.Response, error) {
	b := &outgoing{u: u, r: r}
	sendCtx := ctx
	if r.Body != nil {
		sendCtx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: b.gotConn})
	}
	req := (&http.Request{Method: r.Method, Host: u.o.URL.Host, Header: r.Header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(sendCtx)
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header["User-Agent"] = none
	}
	var err error
	if req.URL, err = u.target(r.Path, r.Query); err != nil {
		return nil, err
	}
	b.req = req
	if err := b.prepare(ctx, p); err != nil {
		return nil, err
	}
	resp, err := u.transport.RoundTrip(req)
	if err := b.judge(ctx, resp, err); err != nil {
		if resp != nil {
			resp.Body.Close()
		}
		if b.stream != nil {
			b.stream.release()
		}
		return nil, err
	}
	switch {
	case resp.Body != http.NoBody:
		resp.Body = &answer{ReadCloser: resp.Body, ctx: ctx, stream: b.stream}
	case b.stream != nil:
		b.stream.release()
	}
	return resp, nil
}

// none keeps the transport from naming itself.
var none = []string{""}

// target returns the URL that makes net/http send path?query as they are.
func (u *Upstream) target(path, query string) (*url.URL, error) {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") || strings.Contains(query, "#") ||
		!visible(path) || !visible(query) {
		return nil, errors.New("upstream: a target that cannot be sent as it is")
	}
	t := &url.URL{Scheme: u.o.URL.Scheme, Host: u.o.URL.Host, Opaque: path, RawQuery: query}
	if strings.HasPrefix(path, "//") { // which Opaque would turn into a host
		t.Opaque, t.RawPath = "", path
		t.Path, _ = url.PathUnescape(path)
	}
	want := path
	if query != "" {
		want += "?" + query
	}
	if t.RequestURI() != want {
		return nil, errors.New("upstream: a target that cannot be sent as it is")
	}
	return t, nil
}

// visible reports whether s is printing ASCII without spaces.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// An outgoing is a request on its way.
type outgoing struct {
	u      *Upstream
	r      *Request
	req    *http.Request
	stream *stream // nil when the body is small, or there is none
	conn   *conn   // that it is sent on; nil without a body
}

// gotConn notes the connection that the transport chose.
func (b *outgoing) gotConn(info httptrace.GotConnInfo) {
	if c, ok := info.Conn.(*conn); ok {
		c.upload.Store(b)
		b.conn = c
	}
}

// prepare gives the request its body and signs it.
func (b *outgoing) prepare(ctx context.Context, p Profile) error {
	payload := b.r.SHA256
	checksum := strings.ToLower(b.r.Trailer) // quirk Q124
	coding := b.req.Header["Content-Encoding"]
	switch {
	case b.r.Body == nil:
	case b.r.Length >= 0 && b.r.Length <= small:
		body, err := readSmall(b.r.Body, b.r.Length)
		if err != nil {
			return b.bodyError(ctx, err)
		}
		if payload == "" {
			payload = sigv4.HashPayload(body)
		}
		if h := sigv4.NewChecksum(checksum); h != nil {
			h.Write(body)
			b.req.Header.Set(checksum, base64.StdEncoding.EncodeToString(h.Sum(nil)))
		}
		b.setBytes(body)
	default:
		b.setStream(ctx)
		switch {
		case p.Trailers && b.u.o.Credentials != nil && b.r.Length >= 0 && sigv4.NewChecksum(checksum) != nil:
			payload = sigv4.StreamingUnsignedTrailer
			b.req.Header.Set("X-Amz-Trailer", checksum)
		case checksum != "":
			// Stores refuse a request that names an algorithm and has no checksum.
			b.req.Header.Del("X-Amz-Sdk-Checksum-Algorithm")
		}
		if payload == "" {
			if !b.u.s3 {
				return fmt.Errorf("upstream: a body of %d bytes for %s needs its SHA-256", b.r.Length, b.u.o.Service)
			}
			payload = sigv4.UnsignedPayload
		}
	}
	if payload == "" {
		payload = sigv4.EmptyPayload
	}
	if err := b.u.sign(ctx, b.req, payload); err != nil {
		return err
	}
	if p.Unlabelled && payload == sigv4.StreamingUnsignedTrailer { // the signature does not cover this header
		if delete(b.req.Header, "Content-Encoding"); coding != nil {
			b.req.Header["Content-Encoding"] = coding
		}
	}
	return nil
}

// setBytes makes body, which is known to be right, that of the request.
func (b *outgoing) setBytes(body []byte) {
	if len(body) == 0 {
		return
	}
	b.req.ContentLength = int64(len(body))
	b.req.Body = io.NopCloser(bytes.NewReader(body))
	b.req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}

func (b *outgoing) setStream(ctx context.Context) {
	b.stream = newStream(ctx, b.r.Body, b.r.Length, b.u.o.Timeout)
	b.req.ContentLength = b.r.Length
	b.req.Body = b.stream
	b.req.GetBody = b.stream.again
	if b.r.Length < 0 || b.r.Length > expectOver {
		b.req.Header.Set("Expect", "100-continue")
	}
}

// bodyError is the error for a body that could not be read.
func (b *outgoing) bodyError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrClientGone, err)
	}
	return &BodyError{err}
}

// judge says what is wrong with the outcome of a round trip.
func (b *outgoing) judge(ctx context.Context, resp *http.Response, err error) error {
	if s := b.stream; s != nil {
		if err := s.failed(); err != nil {
			return b.bodyError(ctx, err)
		}
	}
	if err != nil {
		return classify(ctx, err, false)
	}
	if s := b.stream; s != nil && !s.complete.Load() {
		s.stop()
		if resp.StatusCode < 300 {
			return failure(Malformed, "status %d before the body was sent", resp.StatusCode)
		}
	} else if b.conn != nil {
		b.conn.upload.CompareAndSwap(b, nil) // the connection may serve another request by now
	}
	if resp.StatusCode < 200 {
		return failure(Malformed, "status %d", resp.StatusCode) // 101: a connection of another kind
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNotModified {
		return failure(Redirected, "status %d to %q, region %q", resp.StatusCode,
			resp.Header.Get("Location"), resp.Header.Get("X-Amz-Bucket-Region"))
	}
	if b.u.o.Credentials != nil {
		return credentialRefused(resp)
	}
	return nil
}
