// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// chunkSize is how much data each chunk that we send carries.
const chunkSize = 64 << 10

// A chain computes the signatures of a body's chunks: each signs the one
// before (S3 API Reference, "Transferring Payload in Multiple Chunks").
type chain struct {
	key      Key
	prefix   string // "\n" time "\n" scope "\n"
	previous [hexSize]byte
	buf      []byte
}

func newChain(key Key, c Credential, date, seed string) chain {
	ch := chain{key: key, prefix: "\n" + date + "\n" + c.Scope() + "\n"}
	copy(ch.previous[:], seed)
	return ch
}

// next moves the chain on by a chunk and returns its signature.
func (c *chain) next(data []byte) [hexSize]byte {
	b := append(c.buf[:0], algorithm+"-PAYLOAD"...)
	b = append(b, c.prefix...)
	b = append(b, c.previous[:]...)
	b = append(b, "\n"+EmptyPayload+"\n"...)
	return c.sign(b, data)
}

// trailer is next for the canonical trailers, "name:value\n" each.
func (c *chain) trailer(data []byte) [hexSize]byte {
	b := append(c.buf[:0], algorithm+"-TRAILER"...)
	b = append(b, c.prefix...)
	b = append(b, c.previous[:]...)
	b = append(b, '\n')
	return c.sign(b, data)
}

func (c *chain) sign(b, data []byte) [hexSize]byte {
	sum := sha256.Sum256(data)
	c.buf = hex.AppendEncode(b, sum[:])
	mac := hmacSHA256(c.key[:], c.buf)
	hex.Encode(c.previous[:], mac[:])
	return c.previous
}

// A chunkWriter is a request body that reads another one and encodes it as
// aws-chunked.
type chunkWriter struct {
	src    io.ReadCloser
	left   int64 // bytes of src still to come
	signed bool
	chain  chain // set once the request is signed

	trailer string    // name of the trailing checksum, "" without one
	sum     hash.Hash // nil without a trailer

	data []byte // of one chunk
	room []byte // one chunk, encoded
	out  []byte // what of room is not yet read
	done bool
}

// newChunkWriter makes r send its body as payload declares it.
func newChunkWriter(r *http.Request, payload string) (*chunkWriter, error) {
	if r.ContentLength < 0 || r.ContentLength > 0 && r.Body == nil {
		return nil, fmt.Errorf("sigv4: %s needs a body of known length", payload)
	}
	w := &chunkWriter{src: r.Body, left: r.ContentLength, signed: payload != StreamingUnsignedTrailer}
	if w.src == nil {
		w.src = http.NoBody
	}
	if payload != StreamingSigned {
		w.trailer = strings.ToLower(r.Header.Get("X-Amz-Trailer"))
		if w.sum = NewChecksum(w.trailer); w.sum == nil {
			return nil, fmt.Errorf("sigv4: %s needs an X-Amz-Trailer that names one checksum", payload)
		}
	}
	r.Header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(r.ContentLength, 10))
	if enc := r.Header.Get("Content-Encoding"); enc == "" {
		r.Header.Set("Content-Encoding", "aws-chunked")
	} else if !strings.Contains(enc, "aws-chunked") {
		r.Header.Set("Content-Encoding", "aws-chunked,"+enc)
	}
	r.ContentLength = w.size()
	r.Body, r.GetBody = w, nil
	return w, nil
}

// size returns the length of the encoded body.
func (w *chunkWriter) size() int64 {
	frame := func(n int64) int64 { // of a chunk with n bytes of data, without the data
		size := int64(len(strconv.FormatInt(n, 16)) + len("\r\n"))
		if w.signed {
			size += int64(len(";chunk-signature=") + hexSize)
		}
		return size
	}
	size := w.left/chunkSize*(frame(chunkSize)+chunkSize+2) + frame(0) + 2
	if rest := w.left % chunkSize; rest > 0 {
		size += frame(rest) + rest + 2
	}
	if w.sum != nil {
		size += int64(len(w.trailer) + len(":\r\n") + base64.StdEncoding.EncodedLen(w.sum.Size()))
		if w.signed {
			size += int64(len(trailerSignature) + len(":\r\n") + hexSize)
		}
	}
	return size
}

const trailerSignature = "x-amz-trailer-signature"

func (w *chunkWriter) Read(p []byte) (int, error) {
	for len(w.out) == 0 {
		if w.done {
			return 0, io.EOF
		}
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.out)
	w.out = w.out[n:]
	return n, nil
}

// fill encodes the next chunk into w.out.
func (w *chunkWriter) fill() error {
	if w.data == nil {
		w.data = make([]byte, chunkSize)
	}
	data := w.data[:min(w.left, chunkSize)]
	if _, err := io.ReadFull(w.src, data); err != nil {
		return fmt.Errorf("%w: %w", ErrBodyLength, err)
	}
	w.left -= int64(len(data))
	b := strconv.AppendInt(w.room[:0], int64(len(data)), 16)
	if w.signed {
		signature := w.chain.next(data)
		b = append(b, ";chunk-signature="...)
		b = append(b, signature[:]...)
	}
	b = append(b, "\r\n"...)
	if len(data) > 0 {
		if w.sum != nil {
			w.sum.Write(data)
		}
		b = append(b, data...)
	} else {
		b = w.appendTrailer(b)
		w.done = true
	}
	w.room = append(b, "\r\n"...)
	w.out = w.room
	return nil
}

func (w *chunkWriter) appendTrailer(b []byte) []byte {
	if w.sum == nil {
		return b
	}
	line := w.trailer + ":" + base64.StdEncoding.EncodeToString(w.sum.Sum(nil))
	b = append(b, line...)
	b = append(b, "\r\n"...)
	if w.signed {
		signature := w.chain.trailer([]byte(line + "\n"))
		b = append(b, trailerSignature+":"...)
		b = append(b, signature[:]...)
		b = append(b, "\r\n"...)
	}
	return b
}

func (w *chunkWriter) Close() error { return w.src.Close() }
