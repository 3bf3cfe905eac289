// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

const crc32c = "x-amz-checksum-crc32c"

func TestBodyErrors(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), chunkSize/8) // two chunks
	replace := func(old, text string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, text, 1) }
	}
	cut := func(n int) func(string) string { return func(s string) string { return s[:len(s)-n] } }
	add := func(more string) func(string) string { return func(s string) string { return s + more } }
	swap := func(s string) string { // the first two chunks
		half := strings.Index(s[1:], "10000") + 1
		end := strings.Index(s, "\r\n0;") + 2
		return s[half:end] + s[:half] + s[end:]
	}
	const signed, both, unsigned = StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer
	tests := []struct {
		name, payload string
		edit          func(string) string
		want          error
	}{
		{"data-changed", signed, replace("89a", "89b"), ErrBodySignature},
		{"chunks-swapped", signed, swap, ErrBodySignature}, // equal data: only the chain tells them apart
		{"last-chunk-gone", signed, func(s string) string { return s[:strings.LastIndex(s, "0;chunk")] }, ErrBodyLength},
		{"chunk-gone", signed, func(s string) string { return s[strings.LastIndex(s, "10000;"):] }, ErrBodySignature},
		{"last-line-end-gone", signed, cut(2), ErrBodyLength},
		{"bytes-after-the-end", signed, add("x"), ErrBodyLength},
		{"lines-after-the-end", signed, add("x\r\n"), ErrBodyMalformed},
		{"trailer-signature-without-trailers", signed, add(trailerSignature + ":" + hexA + "\r\n"), ErrBodyMalformed},
		{"many-blank-lines", signed, add("\r\n\r\n\r\n"), ErrBodyMalformed},
		{"signature-gone", signed, func(s string) string { return s[:5] + s[strings.Index(s, "\r\n"):] }, ErrBodyMalformed},
		{"signature-short", signed, func(s string) string { i := strings.Index(s, "\r\n"); return s[:i-1] + s[i:] }, ErrBodyMalformed},
		{"size-in-words", signed, replace("10000", "xyzzy"), ErrBodyMalformed},
		{"size-missing", signed, replace("10000;", ";"), ErrBodyMalformed},
		{"size-negative", signed, replace("10000;", "-1;"), ErrBodyMalformed},
		{"size-huge", signed, replace("10000;", "7fffffffffffffff;"), ErrBodyMalformed},
		{"size-over-the-declared-length", signed, replace("10000;", "20001;"), ErrBodyLength},
		{"size-one-less", signed, replace("10000;", "ffff;"), ErrBodySignature},
		{"no-line-end-after-data", signed, replace("f\r\n10000", "fxx10000"), ErrBodyMalformed},
		{"line-too-long", signed, replace("10000;", strings.Repeat("0", readSize)+"10000;"), ErrBodyMalformed},
		{"empty", signed, func(string) string { return "" }, ErrBodyLength},

		{"trailer-changed", both, replace(crc32c+":", crc32c+":A"), ErrBodyDigest},
		{"trailer-gone", both, func(s string) string {
			i := strings.Index(s, crc32c)
			return s[:i] + s[i+strings.Index(s[i:], "\n")+1:]
		}, ErrBodyMalformed},
		{"trailer-signature-gone", both, func(s string) string { return s[:strings.Index(s, trailerSignature)] + "\r\n" }, ErrBodySignature},
		{"trailer-signature-changed", both, replace(trailerSignature+":", trailerSignature+":0"), ErrBodySignature},
		{"trailer-added", both, replace(crc32c, "x-amz-other:1\r\n"+crc32c), ErrBodyMalformed},
		{"trailer-again", both, add(crc32c + ":AAAAAA==\r\n"), ErrBodyMalformed},
		{"trailer-after-its-signature", both, func(s string) string {
			i, j := strings.Index(s, crc32c), strings.Index(s, trailerSignature)
			return s[:i] + s[j:len(s)-2] + s[i:j] + "\r\n"
		}, ErrBodyMalformed},
		{"trailer-without-colon", both, replace(crc32c+":", crc32c), ErrBodyMalformed},

		{"unsigned-data-changed", unsigned, replace("89a", "89b"), ErrBodyDigest},
		{"unsigned-trailer-gone", unsigned, func(s string) string { return s[:strings.Index(s, crc32c)] + "\r\n" }, ErrBodyMalformed},
		{"unsigned-trailer-twice", unsigned, func(s string) string {
			i := strings.Index(s, crc32c)
			return s[:i] + s[i:len(s)-2] + s[i:]
		}, ErrBodyMalformed},
		{"unsigned-with-a-signature", unsigned, replace("10000", "10000;chunk-signature="+hexA), ErrBodyMalformed},
		{"unsigned-cut-in-data", unsigned, func(s string) string { return s[:1000] }, ErrBodyLength},
		{"unsigned-without-the-end", unsigned, func(s string) string { return s[:strings.LastIndex(s, "0\r\n")] }, ErrBodyLength},
		{"unsigned-size-over-the-declared-length", unsigned, replace("10000", "20001"), ErrBodyLength},
		{"unsigned-no-line-end-after-data", unsigned, replace("f\r\n10000", "fxx10000"), ErrBodyMalformed},
		{"unsigned-ends-early", unsigned, func(s string) string { return s[strings.LastIndex(s, "10000"):] }, ErrBodyLength},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, encoded := streamed(t, test.payload, crc32c, data)
			if _, _, err := readBody(r, encoded); err != nil {
				t.Fatalf("unchanged: %v", err)
			}
			edited := test.edit(string(encoded))
			if edited == string(encoded) {
				t.Fatal("the edit changes nothing")
			}
			got, _, err := readBody(r, []byte(edited))
			if !errors.Is(err, test.want) {
				t.Errorf("Body = %v, want %v", err, test.want)
			}
			if test.payload != unsigned && !bytes.HasPrefix(data, got) {
				t.Error("data that no signature covers was released")
			}
		})
	}
}

// A chunk that is larger than we hold is refused before it is read.
func TestSignedChunkTooLarge(t *testing.T) {
	r, _ := streamed(t, StreamingSigned, "", make([]byte, maxChunk+1))
	src := io.MultiReader(strings.NewReader("400001;chunk-signature="+hexA+"\r\n"), iotest.ErrReader(errors.New("read on")))
	s, err := Parse(r)
	if err == nil {
		err = (&Verifier{Now: at(testStamp)}).Verify(r, s, s3Secret, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(src)
	b, err := s.Body(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(b); !errors.Is(err, ErrBodyMalformed) {
		t.Errorf("Read = %v, want %v", err, ErrBodyMalformed)
	}
	if _, again := b.Read(make([]byte, 1)); !errors.Is(again, ErrBodyMalformed) {
		t.Errorf("Read again = %v, want the same error", again)
	}
}

func TestBodyWithDeclaredHash(t *testing.T) {
	s := testSigner("s3")
	for _, test := range []struct {
		name, payload, sent string
		want                error
	}{
		{"right", HashPayload([]byte("data")), "data", nil},
		{"changed", HashPayload([]byte("data")), "Data", ErrBodyDigest},
		{"longer", HashPayload([]byte("data")), "data!", ErrBodyDigest},
		{"empty", EmptyPayload, "", nil},
		{"not-empty", EmptyPayload, "data", ErrBodyDigest},
		{"unsigned", UnsignedPayload, "whatever", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := mustRequest(t, "PUT", "https://bucket.example/a", nil)
			if err := s.Sign(r, test.payload); err != nil {
				t.Fatal(err)
			}
			got, _, err := readBody(received(r), []byte(test.sent))
			if !errors.Is(err, test.want) || test.want == nil && string(got) != test.sent {
				t.Errorf("Body = %q, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestBodyNeedsItsHeaders(t *testing.T) {
	sign := func(payload string, headers ...string) *http.Request {
		r := &http.Request{Method: "PUT", RequestURI: "/a", Host: "bucket.example", Header: http.Header{
			"X-Amz-Date": {testStamp}, "X-Amz-Content-Sha256": {payload}}}
		for i := 0; i < len(headers); i += 2 {
			r.Header[headers[i]] = strings.Split(headers[i+1], "\n")
		}
		c := Credential{s3ID, "20261122", "us-east-1", "s3"}
		canonical, _ := oracleCanonical(r, "s3", signedHeaders(r), payload)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.String()+", SignedHeaders="+signedHeaders(r)+
			", Signature="+oracleSignature(canonical, s3Secret, testStamp, c))
		return r
	}
	const length = "X-Amz-Decoded-Content-Length"
	tests := []struct {
		name string
		r    *http.Request
		part string
	}{
		{"no-length", sign(StreamingSigned), length},
		{"length-in-words", sign(StreamingSigned, length, "ten"), length},
		{"length-negative", sign(StreamingSigned, length, "-1"), length},
		{"length-with-a-sign", sign(StreamingSigned, length, "+1"), length},
		{"length-twice", sign(StreamingSigned, length, "1\n1"), length},
		{"no-trailer", sign(StreamingUnsignedTrailer, length, "0"), "X-Amz-Trailer"},
		{"trailer-named-twice", sign(StreamingUnsignedTrailer, length, "0", "X-Amz-Trailer", crc32c+","+crc32c), "X-Amz-Trailer"},
		{"trailer-without-a-name", sign(StreamingUnsignedTrailer, length, "0", "X-Amz-Trailer", crc32c+","), "X-Amz-Trailer"},
		{"trailer-with-an-odd-name", sign(StreamingUnsignedTrailer, length, "0", "X-Amz-Trailer", "ü"), "X-Amz-Trailer"},
		{"too-many-trailers", sign(StreamingUnsignedTrailer, length, "0", "X-Amz-Trailer", strings.ReplaceAll(manyNames(maxTrailers+1), ";", ",")), "X-Amz-Trailer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := readBody(test.r, nil)
			if e, ok := errors.AsType[*IncompleteError](err); !ok || e.Part != test.part {
				t.Errorf("Body = %v, want an *IncompleteError of %s", err, test.part)
			}
		})
	}
}

func TestBodyNeedsVerify(t *testing.T) {
	r := signedGet(t, testSigner("s3"))
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	v := &Verifier{Now: at(testStamp)}
	verify := func(secret string, body []byte) { _ = v.Verify(r, s, secret, body) }
	for name, before := range map[string]func(){
		"never-verified":         func() {},
		"refused":                func() { verify(suiteSecret, nil) },
		"verified-then-refused":  func() { verify(s3Secret, nil); verify(suiteSecret, nil) },
		"verified-with-the-body": func() { verify(s3Secret, []byte{}) },
	} {
		before()
		if _, err := s.Body(r); err == nil {
			t.Errorf("%s: Body = nil, want an error", name)
		}
	}
}

// FuzzChunkReader changes a signed body and cuts it. What is released always
// is a prefix of what was signed, and only the whole ends in io.EOF. Unsigned
// bodies with a checksum keep that for their end.
func FuzzChunkReader(f *testing.F) {
	f.Add("data", 4, byte(0), 0, []byte("5"), 0)
	f.Add("data", 4, byte(1), 90, []byte("\r\n"), 3)
	f.Add("x", 3*chunkSize/2, byte(2), 5, []byte("0\r\n"), 1)
	f.Add("", 0, byte(1), 70, []byte("x-amz-checksum-sha256:\n"), 0)
	f.Fuzz(func(t *testing.T, pattern string, size int, mode byte, pos int, text []byte, drop int) {
		size = int(uint(size) % (2 * chunkSize))
		data := bytes.Repeat([]byte("."+pattern), size/(1+len(pattern))+1)[:size]
		payload := [...]string{StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer}[mode%3]
		r, encoded := streamed(t, payload, "x-amz-checksum-sha256", data)
		got, _, err := readBody(r, encoded)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("unchanged: %d bytes, %v, want %d, nil", len(got), err, len(data))
		}
		i := int(uint(pos) % uint(len(encoded)+1))
		j := min(len(encoded), i+int(uint(drop)%64))
		got, _, err = readBody(r, append(append(bytes.Clone(encoded[:i]), text...), encoded[j:]...))
		if err == nil && !bytes.Equal(got, data) {
			t.Fatalf("a changed body of other data ends well: %q", got)
		}
		if payload != StreamingUnsignedTrailer && !bytes.HasPrefix(data, got) {
			t.Fatalf("released %q, which was never signed", got)
		}
		if len(got) > len(data) {
			t.Fatalf("%d bytes, more than the declared %d", len(got), len(data))
		}
	})
}
