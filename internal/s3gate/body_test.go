// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

func TestBodies(t *testing.T) {
	w := start(t)
	big := strings.Repeat("0123456789abcdef", 20<<10) // streamed, not read before it is sent
	sum := sha256.Sum256([]byte(big))
	cases := map[string]struct {
		body    string
		headers []string
		code    string // "" for success
	}{
		"signed":                {big, nil, ""},
		"unsigned":              {big, []string{"X-Amz-Content-Sha256: UNSIGNED-PAYLOAD"}, ""},
		"empty":                 {"", nil, ""},
		"another-hash":          {big, []string{"X-Amz-Content-Sha256: " + sigv4.EmptyPayload}, "XAmzContentSHA256Mismatch"},
		"another-hash-small":    {"small", []string{"X-Amz-Content-Sha256: " + sigv4.EmptyPayload}, "XAmzContentSHA256Mismatch"},
		"right-md5":             {big, []string{"Content-Md5: " + md5Of(big)}, ""},
		"wrong-md5":             {big, []string{"Content-Md5: " + md5Of("")}, "BadDigest"},
		"malformed-md5":         {big, []string{"Content-Md5: abc"}, "InvalidDigest"},
		"right-checksum":        {big, []string{"X-Amz-Checksum-Sha256: " + base64.StdEncoding.EncodeToString(sum[:])}, ""},
		"wrong-checksum":        {big, []string{"X-Amz-Checksum-Crc32: AAAAAA=="}, "BadDigest"},
		"wrong-checksum-small":  {"small", []string{"X-Amz-Checksum-Crc32c: AAAAAA=="}, "BadDigest"},
		"checksum-of-odd-sizes": {big, []string{"X-Amz-Checksum-Sha1: AAAA"}, "InvalidDigest"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			target := "/box/" + name
			r := w.do(w.Admin(), "PUT", target, tc.body, tc.headers...)
			if r.code() != tc.code || (r.status == 200) != (tc.code == "") {
				t.Fatalf("PUT = %d %s, want %q\n%s", r.status, r.code(), tc.code, r.body)
			}
			rec := w.last()
			if rec.EventName != "PutObject" || rec.ErrorCode != tc.code {
				t.Errorf("the record is of %s with error %q, want %q", rec.EventName, rec.ErrorCode, tc.code)
			}
			got := w.do(w.Admin(), "GET", target, "")
			if tc.code == "" && got.body != tc.body || tc.code != "" && got.status != 404 {
				t.Errorf("afterwards GET = %d with %d bytes", got.status, len(got.body))
			}
		})
	}
}

// chunked signs a PUT in aws-chunked encoding and returns it with its body read.
func (w *world) chunked(target, body, payload, trailer string) (*http.Request, []byte) {
	w.t.Helper()
	r := w.request("PUT", target, body)
	if trailer != "" {
		r.Header.Set("X-Amz-Trailer", trailer)
	}
	must(w.t, w.signer(w.Admin()).Sign(r, payload))
	text, err := io.ReadAll(r.Body)
	must(w.t, err)
	return r, text
}

func TestChunks(t *testing.T) {
	w := start(t)
	body := strings.Repeat("chunk of text ", 20<<10)
	for _, payload := range []string{sigv4.StreamingSigned, sigv4.StreamingSignedTrailer, sigv4.StreamingUnsignedTrailer} {
		trailer := ""
		if payload != sigv4.StreamingSigned {
			trailer = "x-amz-checksum-crc32"
		}
		for name, code := range map[string]string{"whole": "", "tampered": "SignatureDoesNotMatch", "cut-short": "IncompleteBody"} {
			t.Run(strings.ToLower(payload)+"-"+name, func(t *testing.T) {
				target := "/box/" + payload + name
				r, text := w.chunked(target, body, payload, trailer)
				if name == "tampered" {
					text[len(text)/2] ^= 1
					if payload == sigv4.StreamingUnsignedTrailer {
						code = "BadDigest"
					}
				}
				if name == "cut-short" {
					text = text[:len(text)/2]
				}
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
				got := w.send(r)
				if got.code() != code || (got.status == 200) != (code == "") {
					t.Fatalf("PUT = %d %s, want %q\n%s", got.status, got.code(), code, got.body)
				}
				stored := w.do(w.Admin(), "GET", target, "")
				if code == "" && stored.body != body || code != "" && stored.status != 404 {
					t.Errorf("afterwards GET = %d with %d bytes", stored.status, len(stored.body))
				}
			})
		}
	}
}

// TestBodiesNotTaken: bodies where none belongs, and lengths that nobody knows.
func TestBodiesNotTaken(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	w.refuse(w.Admin(), "InvalidRequest", "GET", "/box/k", "a body")
	w.refuse(w.Admin(), "InvalidRequest", "DELETE", "/box/k", "a body")
	r := w.request("PUT", "/box/k", "v")
	must(t, w.signer(w.Admin()).Sign(r, sigv4.UnsignedPayload))
	r.ContentLength = -1 // chunked of HTTP
	if got := w.send(r); got.code() != "MissingContentLength" || got.status != 411 {
		t.Errorf("a body of unknown length = %d %s", got.status, got.body)
	}
	w.refuse(w.Admin(), "EntityTooLarge", "PUT", "/box?policy", strings.Repeat(" ", 5<<20))
}

// TestExpect: who is refused is not asked for the body, and a body that was not asked for
// ends the connection.
func TestExpect(t *testing.T) {
	w := start(t)
	ann := w.User("ann", "")
	for by, want := range map[string]string{"ann": "HTTP/1.1 403 Forbidden", "admin": "HTTP/1.1 100 Continue"} {
		who := w.Admin()
		if by == "ann" {
			who = ann
		}
		r := w.request("PUT", "/box/k", "body")
		must(t, w.signer(who).Sign(r, sigv4.HashPayload([]byte("body"))))
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		must(t, err)
		defer conn.Close()
		must(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
		fmt.Fprintf(conn, "PUT /box/k HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: 4\r\n", r.URL.Host)
		must(t, r.Header.Write(conn))
		fmt.Fprint(conn, "\r\n")
		in := bufio.NewReader(conn)
		line, err := in.ReadString('\n')
		if err != nil || strings.TrimSpace(line) != want {
			t.Errorf("%s, before its body: %q, %v, want %s", by, line, err, want)
		}
	}
}

// TestStoreFails: whatever becomes of the store, the client gets an error of S3 and
// the record says so.
func TestStoreFails(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	cut := func(rw http.ResponseWriter, r *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	xml := func(status int, code string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("X-Amz-Request-Id", "THEIRS")
			rw.Header().Set("Content-Type", "application/xml")
			rw.WriteHeader(status)
			fmt.Fprintf(rw, "<Error><Code>%s</Code><Message>m</Message><RequestId>THEIRS</RequestId><Resource>/gateway-secret</Resource></Error>", code)
		}
	}
	cases := map[string]struct {
		h      http.HandlerFunc
		status int
		code   string
	}{
		"resets":                {cut, 503, "ServiceUnavailable"},
		"no-xml":                {func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(502) }, 500, "InternalError"},
		"slow-down":             {xml(503, "SlowDown"), 503, "SlowDown"},
		"an-error-of-its-own":   {xml(404, "NoSuchUpload"), 404, "NoSuchUpload"},
		"refuses-our-key":       {xml(403, "InvalidAccessKeyId"), 503, "ServiceUnavailable"},
		"refuses-our-signature": {xml(403, "SignatureDoesNotMatch"), 503, "ServiceUnavailable"},
		"refuses":               {xml(403, "AccessDenied"), 403, "AccessDenied"},
		"redirects": {func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://elsewhere/", http.StatusTemporaryRedirect)
		}, 500, "InternalError"},
		"precondition":             {xml(412, "PreconditionFailed"), 412, "PreconditionFailed"},
		"a-status-that-is-no-good": {xml(402, "Odd"), 402, "Odd"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w.store.answer(tc.h)
			defer w.store.answer(nil)
			r := w.do(w.Admin(), "PUT", "/box/k", "new")
			if r.status != tc.status || r.code() != tc.code {
				t.Errorf("PUT = %d %s, want %d %s\n%s", r.status, r.code(), tc.status, tc.code, r.body)
			}
			if strings.Contains(r.body, "THEIRS") || strings.Contains(r.body, "gateway-secret") || r.header.Get("X-Amz-Request-Id") == "THEIRS" {
				t.Errorf("the answer tells of the store: %s", r.body)
			}
			if rec := w.last(); rec.ErrorCode != tc.code || rec.EventName != "PutObject" {
				t.Errorf("the record has %s of %s", rec.ErrorCode, rec.EventName)
			}
		})
	}

	for _, length := range []string{"100000", ""} {
		t.Run("breaks-off-its-answer-of-length-"+length, func(t *testing.T) {
			w.store.answer(func(rw http.ResponseWriter, r *http.Request) {
				if length != "" {
					rw.Header().Set("Content-Length", length)
				}
				rw.Write(make([]byte, 50000))
				panic(http.ErrAbortHandler)
			})
			defer w.store.answer(nil)
			r := w.request("GET", "/box/k", "")
			must(t, w.signer(w.Admin()).Sign(r, sigv4.EmptyPayload))
			resp, err := http.DefaultClient.Do(r)
			must(t, err)
			defer resp.Body.Close()
			if _, err := io.ReadAll(resp.Body); err == nil {
				t.Error("half an answer was taken for the whole")
			}
			rec := w.last()
			if !strings.Contains(rec.ErrorMessage, "the store: broken") || rec.ErrorCode != "InternalError" {
				t.Errorf("the record says %q %q", rec.ErrorCode, rec.ErrorMessage)
			}
		})
	}
}

// TestClientGone: a client that leaves in the middle of an answer is in the record.
func TestClientGone(t *testing.T) {
	w := start(t)
	gone := make(chan struct{})
	w.store.answer(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Length", "100000000")
		for range 1000 {
			if _, err := rw.Write(make([]byte, 100000)); err != nil {
				break
			}
		}
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	r := w.request("GET", "/box/k", "")
	must(t, w.signer(w.Admin()).Sign(r, sigv4.EmptyPayload))
	resp, err := http.DefaultClient.Do(r.WithContext(ctx))
	must(t, err)
	_, err = io.ReadFull(resp.Body, make([]byte, 1000))
	must(t, err)
	cancel()
	resp.Body.Close()
	<-gone
	for range 100 {
		if rec := w.last(); rec.EventName == "GetObject" {
			if !strings.Contains(rec.ErrorMessage, "the client") {
				t.Errorf("the record says %q %q", rec.ErrorCode, rec.ErrorMessage)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("there is no record of the GET")
}

// TestPassing: ranges, conditions, versions and metadata go through as they are.
func TestPassing(t *testing.T) {
	w := start(t)
	put := w.want(w.Admin(), "PUT", "/box/a%20b%2Bc", "0123456789", 200, "Content-Type: text/plain", "X-Amz-Meta-Color: red")
	r := w.want(w.Admin(), "GET", "/box/a%20b%2Bc", "", 206, "Range: bytes=2-4")
	if r.body != "234" || r.header.Get("X-Amz-Meta-Color") != "red" || r.header.Get("Content-Type") != "text/plain" {
		t.Errorf("a range = %q %v", r.body, r.header)
	}
	if n := len(r.header.Values("X-Amz-Request-Id")); n != 1 || r.header.Get("X-Amz-Request-Id") != w.last().RequestID {
		t.Errorf("x-amz-request-id = %q, %d of them", r.header.Get("X-Amz-Request-Id"), n)
	}
	rec := w.last()
	if got := additional(t, &rec); got["bytesTransferredOut"] != 3.0 || got["upstreamStatus"] != 206.0 || got["AuthenticationMethod"] != "AuthHeader" {
		t.Errorf("the record adds %v", got)
	}
	if got := string(rec.RequestParameters); !strings.Contains(got, `"key":"a b+c"`) || !strings.Contains(got, `"bucketName":"box"`) {
		t.Errorf("the record has parameters %s", got)
	}
	w.want(w.Admin(), "GET", "/box/a%20b%2Bc", "", 304, "If-None-Match: "+put.header.Get("Etag"))
	w.want(w.Admin(), "GET", "/box?list-type=2&prefix=a%20", "", 200)
	if got := w.store.last.Load().URL.RawQuery; got != "list-type=2&prefix=a%20" {
		t.Errorf("the store got query %q", got)
	}
	secret := base64.StdEncoding.EncodeToString(make([]byte, 32))
	w.do(w.Admin(), "PUT", "/box/sse", "v", "X-Amz-Server-Side-Encryption-Customer-Key: "+secret, "X-Amz-Server-Side-Encryption-Customer-Algorithm: AES256")
	if rec := w.last(); bytes.Contains(rec.AppendJSON(nil), []byte(secret)) {
		t.Error("the record holds the client's encryption key")
	}
}

// TestSlowResults: an error in an answer that began with success is in the record, and
// nobody learns where the store is.
func TestSlowResults(t *testing.T) {
	w := start(t)
	document := ""
	w.store.answer(func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, document) })
	const parts = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>"
	document = "<CompleteMultipartUploadResult><Location>http://store.internal:9000/box/k</Location></CompleteMultipartUploadResult>"
	r := w.want(w.Admin(), "POST", "/box/k?uploadId=u", parts, 200)
	if strings.Contains(string(r.body), "store.internal") || !strings.Contains(string(r.body), "<Location>"+w.url+"/box/k</Location>") {
		t.Errorf("the result is %s, want a location at %s", r.body, w.url)
	}
	if rec := w.last(); rec.ErrorCode != "" {
		t.Errorf("the record has the error %s", rec.ErrorCode)
	}
	document = "\n  <Error><Code>SlowDown</Code><Message>later</Message></Error>"
	w.want(w.Admin(), "POST", "/box/k?uploadId=u", parts, 200)
	if rec := w.last(); rec.ErrorCode != "SlowDown" || rec.ReadOnly {
		t.Errorf("the record has the error %q, want SlowDown", rec.ErrorCode)
	}
}
