// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/s3req"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// withheldHeaders are the client's headers that the store does not get: what they say is the
// gateway's to know.
var withheldHeaders = []string{"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner", "X-Amz-Acl", "X-Amz-Object-Ownership"}

// forward sends the request to the store, as it was authorized.
func (c *call) forward() (answer, error) {
	out := &upstream.Request{Method: c.r.Method, Path: c.req.Path, Query: c.req.Query, Header: c.forwardable()}
	switch c.req.Op.Body {
	case s3req.Object:
		if err := c.stream(out); err != nil {
			return answer{}, err
		}
	case s3req.Document, s3req.Judged:
		attach(out, c.document)
		out.Trailer = c.r.Header.Get("X-Amz-Trailer")
	}
	resp, err := c.ask(out)
	if err != nil {
		return answer{}, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotModified {
		return answer{}, c.failed(resp)
	}
	if c.req.Op.Name == "HeadBucket" {
		resp.Header["X-Amz-Bucket-Region"] = []string{c.bucket.Region}
	}
	if slow[c.req.Op.Name] {
		if err := c.watched(resp); err != nil {
			return answer{}, err
		}
	}
	return answer{status: resp.StatusCode, resp: resp}, nil
}

// ask sends a request to the store and notes what it says. From here on a
// request that changes something may have done so.
func (c *call) ask(out *upstream.Request) (*http.Response, error) {
	c.began = c.changes()
	resp, err := c.reach(out)
	if err != nil {
		if _, ok := errors.AsType[*upstream.BodyError](err); ok {
			c.began = false // the store never had all of it
		}
		return nil, err
	}
	c.back.status, c.back.requestID = resp.StatusCode, resp.Header.Get("X-Amz-Request-Id")
	delete(resp.Header, "X-Amz-Bucket-Region") // buckets are in the gateway's regions
	return resp, nil
}

// reach sends a request to the store, which may be one of the gateway's own, and notes why it was not
// answered.
func (c *call) reach(out *upstream.Request) (*http.Response, error) {
	resp, err := c.g.Upstream.Send(c.ctx, out)
	if e, ok := errors.AsType[*upstream.Failure](err); ok {
		c.back.failure = e.Reason()
	}
	return resp, err
}

// forwardable is what the store gets of the client's headers.
func (c *call) forwardable() http.Header {
	h := upstream.Forwardable(c.req.Header(c.header))
	for _, name := range withheldHeaders {
		delete(h, name)
	}
	return h
}

// unsummed is forwardable for a body of the gateway's own, without the hashes of
// the one that came.
func (c *call) unsummed() http.Header {
	h := c.forwardable()
	delete(h, "Content-Md5")
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Checksum-") || name == "X-Amz-Sdk-Checksum-Algorithm" {
			delete(h, name)
		}
	}
	return h
}

// attach gives a request for the store a document for its body.
func attach(out *upstream.Request, text []byte) {
	out.Body, out.Length, out.SHA256 = bytes.NewReader(text), int64(len(text)), sigv4.HashPayload(text)
}

// stream adds a body that is sent on while it comes in. It is checked on the
// way, and the store gets the last of it only if it was right.
func (c *call) stream(out *upstream.Request) error {
	length, err := c.length()
	if err != nil {
		return err
	}
	if out.Body, err = c.body(); err != nil {
		return err
	}
	out.Length = length
	if c.sig != nil && len(c.sig.Payload) == len(sigv4.EmptyPayload) {
		out.SHA256 = c.sig.Payload
	}
	out.Trailer = c.r.Header.Get("X-Amz-Trailer")
	return nil
}

// length is how long the body is, decoded.
func (c *call) length() (int64, error) {
	text := c.r.Header["X-Amz-Decoded-Content-Length"]
	if c.sig == nil || !strings.HasPrefix(c.sig.Payload, "STREAMING-") {
		if c.r.ContentLength < 0 {
			return 0, missingContentLength
		}
		return c.r.ContentLength, nil
	}
	if len(text) != 1 {
		return 0, missingContentLength.Msg("You must provide the x-amz-decoded-content-length HTTP header.")
	}
	n, err := strconv.ParseInt(text[0], 10, 64)
	if err != nil || n < 0 {
		return 0, missingContentLength.Msg("You must provide the x-amz-decoded-content-length HTTP header.")
	}
	return n, nil
}

// body is the request's body, decoded, counted, and checked at its end: only
// io.EOF says that it was what the client declared and signed.
func (c *call) body() (io.Reader, error) {
	var src io.Reader = c.r.Body
	if c.sig != nil {
		b, err := c.sig.Body(c.r)
		if err != nil {
			return nil, err
		}
		src = b
		if len(c.r.Header["X-Amz-Trailer"]) > 0 {
			src = trailed{src}
		}
	}
	return digested(counter{src, &c.in}, c.header)
}

// failed is the error that the store answered with. Whether an object exists is
// only for those who may list its bucket: to others what is missing is as if it
// was refused (S3 API Reference, GetObject, "Permissions": 404 with
// s3:ListBucket, else 403).
//
// quirk Q128: so it is for every operation on an object, and for versions.
func (c *call) failed(resp *http.Response) error {
	fault := c.refusal(resp)
	if b := c.hidden(fault); b != nil {
		if err := c.mayList(b); err != nil {
			return err
		}
		if fault.Code == notFound {
			fault = noSuchKey.Because(fault)
		}
	}
	if fault.Code == noSuchKey.Code {
		fault = fault.With("Key", cmp.Or(c.req.SourceKey, c.req.Key))
	}
	for _, name := range []string{"X-Amz-Delete-Marker", "X-Amz-Version-Id", "Content-Range", "Retry-After", "Last-Modified"} {
		if v := resp.Header[name]; len(v) > 0 {
			c.w.Header()[name] = v
		}
	}
	return fault
}

// notFound is the code of an answer without a document.
const notFound = "NotFound"

// hidden is the bucket whose contents an error would tell about, nil for other
// errors.
func (c *call) hidden(fault *awserr.Error) *buckets.Bucket {
	switch fault.Code {
	case noSuchKey.Code, "NoSuchVersion", notFound, "MethodNotAllowed":
	default:
		return nil
	}
	switch {
	case c.source != nil:
		return c.source
	case c.req.Key != "":
		return c.bucket
	}
	return nil
}
