// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSignErrors(t *testing.T) {
	get := func() *http.Request { return mustRequest(t, "GET", "https://inn.example/", nil) }
	put := func(trailer string, length int64) *http.Request {
		r := mustRequest(t, "PUT", "https://inn.example/", strings.NewReader("data"))
		r.ContentLength = length
		if trailer != "" {
			r.Header.Set("X-Amz-Trailer", trailer)
		}
		return r
	}
	tests := []struct {
		name    string
		signer  Signer
		r       *http.Request
		payload string
		want    string // in the message
	}{
		{"no-key", Signer{SecretAccessKey: "s", Region: "r", Service: "iam"}, get(), "", "needs an access key"},
		{"no-secret", Signer{AccessKeyID: "a", Region: "r", Service: "iam"}, get(), "", "needs an access key"},
		{"no-region", Signer{AccessKeyID: "a", SecretAccessKey: "s", Service: "iam"}, get(), "", "a region"},
		{"no-service", Signer{AccessKeyID: "a", SecretAccessKey: "s", Region: "r"}, get(), "", "a service"},
		{"unsigned-payload-is-for-s3", *testSigner("iam"), get(), UnsignedPayload, "UNSIGNED-PAYLOAD"},
		{"no-such-payload", *testSigner("s3"), get(), "abc", "abc"},
		{"stream-of-unknown-length", *testSigner("s3"), put("", -1), StreamingSigned, "known length"},
		{"stream-without-trailer", *testSigner("s3"), put("", 4), StreamingUnsignedTrailer, "X-Amz-Trailer"},
		{"stream-with-unknown-trailer", *testSigner("s3"), put("x-amz-checksum-md5", 4), StreamingSignedTrailer, "X-Amz-Trailer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.signer.Sign(test.r, test.payload); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Sign = %v, want %q", err, test.want)
			}
		})
	}
	s := testSigner("s3")
	if _, err := s.Presign(get(), time.Millisecond, ""); err == nil {
		t.Error("Presign for less than a second = nil, want an error")
	}
	if _, err := s.Presign(get(), time.Hour, StreamingSigned); err == nil {
		t.Error("Presign of a stream = nil, want an error")
	}
}

// Signing again replaces the former signature, whatever it was.
func TestSignAgain(t *testing.T) {
	first, second := testSigner("s3"), testSigner("s3")
	first.SessionToken = "token"
	r := mustRequest(t, "GET", "https://inn.example/a", nil)
	for _, s := range []*Signer{first, second} {
		if err := s.Sign(r, EmptyPayload); err != nil {
			t.Fatal(err)
		}
		if err := verifyOnce(&Verifier{Now: s.Now}, received(r), nil); err != nil {
			t.Errorf("Verify = %v, want nil", err)
		}
	}
	if r.Header.Get("X-Amz-Security-Token") != "" {
		t.Error("the former session token is still there")
	}
}

func TestPresign(t *testing.T) {
	tests := []struct{ name, service, target, payload string }{
		{"s3", "s3", "https://bucket.example/a%20b/ü?x=1;2", ""},
		{"s3-with-hash", "s3", "https://bucket.example/a", HashPayload([]byte("a"))},
		{"sts", "sts", "https://sts.example/?Action=GetCallerIdentity&Version=2011-06-15", ""},
		{"no-query", "sts", "https://sts.example", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := testSigner(test.service)
			s.SessionToken = "to/ken+="
			u, err := s.Presign(mustRequest(t, "GET", test.target, nil), time.Minute, test.payload)
			if strings.Contains(test.target, ";") {
				if err == nil {
					t.Errorf("Presign of a query with a semicolon = %s, want an error", u)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := received(mustRequest(t, "GET", u, nil))
			sig, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := (&Verifier{Now: s.Now}).Verify(r, sig, s3Secret, nil); err != nil {
				t.Errorf("%s: Verify = %v, want nil", u, err)
			}
			if sig.SessionToken != s.SessionToken || sig.Expires != time.Minute {
				t.Errorf("Parse = token %q, expires %v", sig.SessionToken, sig.Expires)
			}
		})
	}
}

// A streamed body is as long as its Content-Length says, and reads back.
func TestStream(t *testing.T) {
	for _, payload := range []string{StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer} {
		for _, trailer := range []string{"x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256"} {
			for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 5} {
				name := fmt.Sprintf("%s/%s/%d", payload, trailer, size)
				if payload == StreamingSigned && trailer != "x-amz-checksum-crc32" {
					continue
				}
				t.Run(name, func(t *testing.T) {
					data := bytes.Repeat([]byte("inn"), size)[:size]
					in, encoded := streamed(t, payload, trailer, data)
					if in.ContentLength != int64(len(encoded)) {
						t.Errorf("ContentLength = %d, want %d", in.ContentLength, len(encoded))
					}
					got, trailers, err := readBody(in, encoded)
					if err != nil || !bytes.Equal(got, data) {
						t.Fatalf("Body = %d bytes, %v, want %d, nil", len(got), err, size)
					}
					if payload != StreamingSigned && trailers.Get(trailer) == "" {
						t.Errorf("Trailer = %v, want %s", trailers, trailer)
					}
				})
			}
		}
	}
}

// streamed returns a received request whose data was signed as payload
// declares, and the body that was sent.
func streamed(t testing.TB, payload, trailer string, data []byte) (*http.Request, []byte) {
	s := testSigner("s3")
	r := mustRequest(t, "PUT", "https://bucket.example/a", bytes.NewReader(data))
	if payload != StreamingSigned {
		r.Header.Set("X-Amz-Trailer", trailer)
	}
	if err := s.Sign(r, payload); err != nil {
		t.Fatal(err)
	}
	encoded, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return received(r), encoded
}

// readBody verifies r and reads encoded as its body.
func readBody(r *http.Request, encoded []byte) ([]byte, http.Header, error) {
	r.Body = io.NopCloser(bytes.NewReader(encoded))
	s, err := Parse(r)
	if err == nil {
		err = (&Verifier{Now: at(testStamp)}).Verify(r, s, s3Secret, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	b, err := s.Body(r)
	if err != nil {
		return nil, nil, err
	}
	got, err := io.ReadAll(b)
	return got, b.Trailer, err
}

// A body that ends early is an error, not a short upload.
func TestStreamEndsEarly(t *testing.T) {
	r := mustRequest(t, "PUT", "https://bucket.example/a", io.LimitReader(strings.NewReader("data"), 3))
	r.ContentLength = 4
	if err := testSigner("s3").Sign(r, StreamingSigned); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r.Body); err == nil {
		t.Errorf("ReadAll = %q, nil, want an error", got)
	}
}

// Check values of the CRC catalogue and of RFC 3174 and FIPS 180, of
// "123456789".
func TestChecksums(t *testing.T) {
	for name, want := range map[string]string{
		"x-amz-checksum-crc32":     "cbf43926",
		"x-amz-checksum-crc32c":    "e3069283",
		"x-amz-checksum-crc64nvme": "ae8b14860a799888",
		"x-amz-checksum-sha1":      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		"x-amz-checksum-sha256":    "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h := NewChecksum(name)
		h.Write([]byte("123456789"))
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}
