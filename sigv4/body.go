// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A Body reads a request's body and checks it against what was signed. Only
// io.EOF says that the whole body was right; after any other error nothing
// that was read may be kept. Read never returns data of a signed chunk before
// the chunk's signature is verified. A Body is for one goroutine.
type Body struct {
	// Trailer holds the trailing headers once Read returned io.EOF. The
	// checksums among them have been verified.
	Trailer http.Header

	read func(p []byte) (int, error)
	err  error // sticky
}

// Body returns the body of r, decoded from aws-chunked where s declares that.
// Call it once, after Verify(r, s, …, nil) returned nil, with the same r. The
// error is an *IncompleteError when headers that describe the body are missing
// or malformed.
func (s *Signature) Body(r *http.Request) (*Body, error) {
	if !s.verified || s.payload == "" {
		return nil, errors.New("sigv4: Body needs a Verify that succeeded without the body")
	}
	src := io.Reader(r.Body)
	if r.Body == nil {
		src = http.NoBody
	}
	b := new(Body)
	switch s.payload {
	case UnsignedPayload:
		b.read = src.Read
	case StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer:
		size, err := decodedLength(r)
		if err != nil {
			return nil, err
		}
		c := newChunkReader(src, size, newChain(s.key, s.Credential, s.date, s.signature))
		c.signed = s.payload != StreamingUnsignedTrailer
		if s.payload != StreamingSigned {
			b.Trailer = make(http.Header)
			if err := c.expect(r.Header["X-Amz-Trailer"], b.Trailer); err != nil {
				return nil, err
			}
		}
		b.read = c.Read
	default:
		b.read = (&hashReader{src: src, sum: sha256.New(), want: s.payload}).Read
	}
	return b, nil
}

// Read reads verified data.
func (b *Body) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	n, b.err = b.read(p)
	return n, b.err
}

func decodedLength(r *http.Request) (int64, error) {
	const name = "X-Amz-Decoded-Content-Length"
	v, err := single(r, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || v[0] == '+' {
		return 0, incomplete(name, "You must provide the x-amz-decoded-content-length HTTP header.")
	}
	return n, nil
}

// A hashReader compares the hash of what it read with want, in lower-case hex,
// at the end.
type hashReader struct {
	src  io.Reader
	sum  hash.Hash
	want string
}

func (h *hashReader) Read(p []byte) (int, error) {
	n, err := h.src.Read(p)
	h.sum.Write(p[:n])
	if err == io.EOF && subtle.ConstantTimeCompare(hex.AppendEncode(nil, h.sum.Sum(nil)), []byte(h.want)) != 1 {
		err = ErrBodyDigest
	}
	return n, err
}

// expect makes c read trailers into to: those that the values of X-Amz-Trailer
// name, all of them and no other.
func (c *chunkReader) expect(values []string, to http.Header) error {
	const name = "X-Amz-Trailer"
	c.trailers = make(map[string]hash.Hash)
	c.to = to
	for _, v := range values {
		for t := range strings.SplitSeq(v, ",") {
			t = strings.ToLower(strings.Trim(t, " \t"))
			_, again := c.trailers[t]
			if again || t == "" || len(c.trailers) == maxTrailers || strings.ContainsFunc(t, func(r rune) bool { return r > '~' || !lowerToken(byte(r)) }) {
				return incomplete(name, "The value specified in the x-amz-trailer header is not supported")
			}
			c.trailers[t] = NewChecksum(t)
		}
	}
	if len(c.trailers) == 0 && !c.signed {
		return incomplete(name, "%s needs an x-amz-trailer header", StreamingUnsignedTrailer)
	}
	return nil
}
