// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

// A meddler does something in the middle of the body of a request, as it is sent.
type meddler struct {
	http.RoundTripper
	at int64        // the byte of the body that do gets first
	do func([]byte) // may change what is sent
}

func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.ContentLength >= 0 && r.ContentLength <= m.at {
		return m.RoundTripper.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Body, r.GetBody = &meddled{r.Body, m.at, m.do}, nil
	return m.RoundTripper.RoundTrip(r)
}

type meddled struct {
	io.ReadCloser
	left int64 // until the byte; less than 0 afterwards
	do   func([]byte)
}

func (m *meddled) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if m.left >= 0 && int64(n) > m.left {
		m.do(p[m.left:n])
		m.left = -1
	} else if m.left >= 0 {
		m.left -= int64(n)
	}
	return n, err
}

// spoiled changes one byte on its way.
func (s *site) spoiled(at int64) *http.Client {
	return &http.Client{Transport: meddler{s.http.Transport, at, func(p []byte) { p[0] ^= 1 }}}
}

// spoiledBodies: what is not what the client signed or declared becomes no object, and
// leaves alone what is there.
func spoiledBodies(t *testing.T, s *site) {
	const bucket = "spoiled"
	admin := s.bucket(t, bucket, "kept")
	const size = 300 << 10
	text := content()[:size]
	digest := md5.Sum(text[1:])
	for _, c := range []struct {
		name, code string // code: with TLS after a slash, if it is another one
		send       func(key string) (string, error)
	}{
		{"by-the-sdk", "XAmzContentSHA256Mismatch/BadDigest", func(key string) (string, error) {
			bad := s.s3(s.Admin, func(o *s3.Options) { o.HTTPClient = s.spoiled(size / 2) })
			_, err := bad.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader(text)})
			return server.Code(err), nil
		}},
		{"in-a-signed-chunk", "SignatureDoesNotMatch", func(key string) (string, error) {
			return s.putSigned(t, s.spoiled(size-100), bucket, key, text, sigv4.StreamingSigned, nil)
		}},
		{"in-a-signed-body", "XAmzContentSHA256Mismatch", func(key string) (string, error) {
			return s.putSigned(t, s.spoiled(size-1), bucket, key, text, sigv4.HashPayload(text), nil)
		}},
		{"another-md5", "BadDigest", func(key string) (string, error) {
			return s.putSigned(t, s.http, bucket, key, text, sigv4.UnsignedPayload, http.Header{"Content-Md5": {base64.StdEncoding.EncodeToString(digest[:])}})
		}},
		{"another-checksum", "BadDigest", func(key string) (string, error) {
			return s.putSigned(t, s.http, bucket, key, text, sigv4.UnsignedPayload, http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}})
		}},
		{"another-trailing-checksum", "BadDigest", func(key string) (string, error) {
			return s.putSigned(t, s.spoiled(10_000), bucket, key, text, sigv4.StreamingUnsignedTrailer, http.Header{"X-Amz-Trailer": {"x-amz-checksum-crc32c"}})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, withTLS, ok := strings.Cut(c.code, "/")
			if ok && strings.HasPrefix(s.Gateway, "https:") {
				want = withTLS
			}
			for _, key := range []string{c.name, "kept"} {
				if got, err := c.send(key); err != nil || got != want {
					t.Errorf("PUT %s = %q, %v, want %s", key, got, err, want)
				}
			}
			_, err := get(t.Context(), admin, bucket, c.name)
			refused(t, "the object", "NoSuchKey", err)
			if _, err := os.Stat(filepath.Join(s.store.Dir, bucket, c.name)); !os.IsNotExist(err) {
				t.Errorf("the store has the object: %v", err)
			}
			reads(t, admin, bucket, "kept")
		})
	}
	// The same, with nothing spoiled.
	for payload, h := range map[string]http.Header{
		sigv4.StreamingSigned: nil, sigv4.HashPayload(text): nil,
		sigv4.StreamingUnsignedTrailer: {"X-Amz-Trailer": {"x-amz-checksum-crc32c"}}, sigv4.StreamingSignedTrailer: {"X-Amz-Trailer": {"x-amz-checksum-sha256"}},
	} {
		if got, err := s.putSigned(t, s.http, bucket, "good", text, payload, h); err != nil || got != "" {
			t.Errorf("PUT with %s = %q, %v", payload, got, err)
		}
		if got, err := get(t.Context(), admin, bucket, "good"); err != nil || got != string(text) {
			t.Errorf("what was put with %s is %d bytes, %v", payload, len(got), err)
		}
	}
}

// putSigned puts an object with a request made by hand and returns the error code of
// the answer.
func (s *site) putSigned(t *testing.T, c *http.Client, bucket, key string, text []byte, payload string, h http.Header) (string, error) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), "PUT", s.Gateway+"/"+bucket+"/"+key, bytes.NewReader(text)))(t)
	for name, v := range h {
		req.Header[name] = v
	}
	if err := signer(s.Admin).Sign(req, payload); err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	return codeIn(resp.Body)
}

// codeIn is the code in the document of an error, "" without one.
func codeIn(r io.Reader) (string, error) {
	text, err := io.ReadAll(r)
	var e struct{ Code string }
	if len(text) > 0 {
		err = xml.Unmarshal(text, &e)
	}
	return e.Code, err
}

// goForms brings objects by forms, as browsers do.
func goForms(t *testing.T, s *site, admin *s3.Client, bucket string) {
	post := must(s3.NewPresignClient(admin).PresignPostObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("in/photo")},
		func(o *s3.PresignPostOptions) {
			o.Conditions = []any{[]any{"starts-with", "$key", "in/"}, []any{"content-length-range", 1, 100}}
		}))(t)
	send := func(fields map[string]string, text string) string {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		for name, value := range fields {
			do(t)(nil, form.WriteField(name, value))
		}
		do(t)(must(form.CreateFormFile("file", "photo"))(t).Write([]byte(text)))
		do(t)(nil, form.Close())
		req := must(http.NewRequestWithContext(t.Context(), "POST", post.URL, &b))(t)
		req.Header.Set("Content-Type", form.FormDataContentType())
		resp := must(s.http.Do(req))(t)
		defer resp.Body.Close()
		return must(codeIn(resp.Body))(t)
	}
	with := func(name, value string) map[string]string {
		m := map[string]string{name: value}
		for k, v := range post.Values {
			if k != name {
				m[k] = v
			}
		}
		return m
	}
	for _, c := range []struct {
		name   string
		fields map[string]string
		text   string
		want   string
	}{
		{"as-signed", post.Values, "smile", ""},
		{"too-large", post.Values, strings.Repeat("x", 101), "EntityTooLarge"},
		{"empty", post.Values, "", "EntityTooSmall"},
		{"another-key", with("key", "out/photo"), "smile", "AccessDenied"},
		{"a-field-that-the-policy-does-not-have", with("x-amz-meta-a", "b"), "smile", "AccessDenied"},
		{"another-signature", with("X-Amz-Signature", strings.Repeat("0", 64)), "smile", "SignatureDoesNotMatch"},
	} {
		if got := send(c.fields, c.text); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got, err := get(t.Context(), admin, bucket, "in/photo"); got != "smile" {
		t.Errorf("the object = %q, %v", got, err)
	}
}
