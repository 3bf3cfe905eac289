// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// received turns a request that a client would send into the one that the
// server gets.
func received(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), host(r)
	in.URL, _ = url.ParseRequestURI(in.RequestURI)
	in.Body = r.Body
	return in
}

func mustRequest(t testing.TB, method, target string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// signedGet is a GET of S3 with a session token, signed by s.
func signedGet(t testing.TB, s *Signer) *http.Request {
	r := mustRequest(t, "GET", "http://examplebucket.s3.amazonaws.com/photos/2026/inn.jpg", nil)
	if err := s.Sign(r, EmptyPayload); err != nil {
		t.Fatal(err)
	}
	return received(r)
}

func testSigner(service string) *Signer {
	return &Signer{AccessKeyID: s3ID, SecretAccessKey: s3Secret, Region: "us-east-1", Service: service,
		Now: at("20261122T081500Z")}
}

func verifyOnce(v *Verifier, r *http.Request, body []byte) error {
	s, err := Parse(r)
	if err != nil {
		return err
	}
	return v.Verify(r, s, s3Secret, body)
}

func BenchmarkVerify(b *testing.B) {
	s3, iam := testSigner("s3"), testSigner("iam")
	s3.SessionToken = strings.Repeat("token/", 60)
	run := func(name string, r *http.Request, body []byte, keys *KeyCache) {
		b.Run(name, func(b *testing.B) {
			v := Verifier{Now: s3.Now, Keys: keys}
			if err := verifyOnce(&v, r, body); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := verifyOnce(&v, r, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("form=header", signedGet(b, s3), nil, new(KeyCache))
	run("form=header,key=derived", signedGet(b, s3), nil, nil)

	r := mustRequest(b, "GET", "http://examplebucket.s3.amazonaws.com/photos/2026/inn.jpg", nil)
	u, err := s3.Presign(r, time.Hour, "")
	if err != nil {
		b.Fatal(err)
	}
	run("form=presigned", received(mustRequest(b, "GET", u, nil)), nil, new(KeyCache))

	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		body := bytes.Repeat([]byte("a"), size)
		r := mustRequest(b, "POST", "http://iam.amazonaws.com/", nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := iam.Sign(r, HashPayload(body)); err != nil {
			b.Fatal(err)
		}
		run("body="+strconv.Itoa(size>>10)+"KiB", received(r), body, new(KeyCache))
	}
}

func BenchmarkVerifyParallel(b *testing.B) {
	s := testSigner("s3")
	v := Verifier{Now: s.Now, Keys: new(KeyCache)}
	r := signedGet(b, s)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := verifyOnce(&v, r, nil); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkKeyCache(b *testing.B) {
	c := new(KeyCache)
	scope := Credential{s3ID, "20261122", "us-east-1", "s3"}
	fp := c.fingerprint(s3Secret)
	key := deriveKey(s3Secret, scope)
	c.put(scope, &fp, &key)
	b.Run("find=hit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fp := c.fingerprint(s3Secret)
			if _, ok := c.get(scope, &fp); !ok {
				b.Fatal("a miss")
			}
		}
	})
	b.Run("find=miss", func(b *testing.B) {
		scope.Region = "eu-west-1"
		b.ReportAllocs()
		for b.Loop() {
			fp := c.fingerprint(s3Secret)
			if _, ok := c.get(scope, &fp); ok {
				b.Fatal("a hit")
			}
			_ = deriveKey(s3Secret, scope)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	s := testSigner("s3")
	s.Keys = new(KeyCache)
	r := mustRequest(b, "GET", "http://examplebucket.s3.amazonaws.com/photos/2026/inn.jpg", nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Sign(r, EmptyPayload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBody(b *testing.B) {
	const size = 4 << 20
	data := bytes.Repeat([]byte("a"), size)
	for _, payload := range []string{HashPayload(data), StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer} {
		b.Run("payload="+payload[:min(len(payload), 42)], func(b *testing.B) {
			s := testSigner("s3")
			v := Verifier{Now: s.Now}
			r := mustRequest(b, "PUT", "http://examplebucket.s3.amazonaws.com/a", bytes.NewReader(data))
			r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32c")
			if err := s.Sign(r, payload); err != nil {
				b.Fatal(err)
			}
			encoded, err := io.ReadAll(r.Body)
			if err != nil {
				b.Fatal(err)
			}
			in := received(r)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				in.Body = io.NopCloser(bytes.NewReader(encoded))
				sig, err := Parse(in)
				if err == nil {
					err = v.Verify(in, sig, s3Secret, nil)
				}
				if err != nil {
					b.Fatal(err)
				}
				body, err := sig.Body(in)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, body); n != size || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}
