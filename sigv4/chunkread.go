// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
)

const (
	maxChunk     = 4 << 20 // data in a signed chunk, which is held until it is verified
	maxChunkLine = 128     // a chunk's header: size, signature
	maxTrailers  = 16
	readSize     = 32 << 10 // buffer, and so the longest trailer line
)

// A chunkReader decodes and verifies an aws-chunked body: chunks of
//
//	size-in-hex[;chunk-signature=signature] CRLF data CRLF
//
// up to one of size 0, then "name:value" trailers, their signature if chunks
// are signed, and an empty line.
type chunkReader struct {
	src    *bufio.Reader
	left   int64 // decoded bytes still to come
	signed bool
	chain  chain

	trailers map[string]hash.Hash // what X-Amz-Trailer names, nil without trailers; a nil hash is no checksum
	to       http.Header          // receives the trailers

	chunk []byte // the data of a signed chunk
	ready []byte // what of chunk is verified and not yet read
	open  int64  // bytes left in an unsigned chunk
	end   bool   // the chunk of size 0 came
}

func newChunkReader(src io.Reader, size int64, c chain) *chunkReader {
	return &chunkReader{src: bufio.NewReaderSize(src, readSize), left: size, chain: c}
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch {
		case len(c.ready) > 0:
			n := copy(p, c.ready)
			c.ready = c.ready[n:]
			return n, nil
		case c.open > 0:
			return c.readOpen(p)
		case c.end:
			return 0, c.finish()
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
}

// readOpen reads from an unsigned chunk.
func (c *chunkReader) readOpen(p []byte) (int, error) {
	n, err := c.src.Read(p[:min(int64(len(p)), c.open)])
	c.open -= int64(n)
	c.sum(p[:n])
	switch {
	case err != nil:
		err = short(err)
	case c.open == 0:
		err = c.crlf()
	}
	if err != nil {
		n = 0
	}
	return n, err
}

// sum adds data to the checksums that will be compared.
func (c *chunkReader) sum(data []byte) {
	for _, h := range c.trailers {
		if h != nil {
			h.Write(data)
		}
	}
}

// next reads the header of a chunk and, when chunks are signed, its data.
func (c *chunkReader) next() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, signature, err := c.header(line)
	if err != nil {
		return err
	}
	if size > c.left || size == 0 && c.left > 0 {
		return ErrBodyLength
	}
	c.left -= size
	c.end = size == 0
	if !c.signed {
		c.open = size
		return nil
	}
	if size > maxChunk {
		return fmt.Errorf("%w: a signed chunk is longer than %d bytes", ErrBodyMalformed, maxChunk)
	}
	if err := c.fill(int(size)); err != nil {
		return err
	}
	if want := c.chain.next(c.chunk); subtle.ConstantTimeCompare(want[:], signature[:]) != 1 {
		return ErrBodySignature
	}
	if size == 0 {
		return nil // the line end belongs to the trailers
	}
	if err := c.crlf(); err != nil {
		return err
	}
	c.sum(c.chunk)
	c.ready = c.chunk
	return nil
}

// header parses the header of a chunk.
func (c *chunkReader) header(line []byte) (size int64, signature [hexSize]byte, err error) {
	digits, extension, extended := bytes.Cut(line, []byte(";"))
	if len(line) > maxChunkLine || len(digits) == 0 || len(digits) > 15 {
		return 0, signature, fmt.Errorf("%w: chunk size", ErrBodyMalformed)
	}
	for _, d := range digits {
		v := unhex(d)
		if v > 15 {
			return 0, signature, fmt.Errorf("%w: chunk size", ErrBodyMalformed)
		}
		size = size<<4 | int64(v)
	}
	value, ok := bytes.CutPrefix(extension, []byte("chunk-signature="))
	if extended != c.signed || c.signed && (!ok || len(value) != hexSize) {
		return 0, signature, fmt.Errorf("%w: chunk signature", ErrBodyMalformed)
	}
	copy(signature[:], value)
	return size, signature, nil
}

// fill reads size bytes into c.chunk. It makes room only as they come, so that
// a size alone costs no memory.
func (c *chunkReader) fill(size int) error {
	c.chunk = c.chunk[:0]
	for len(c.chunk) < size {
		if len(c.chunk) == cap(c.chunk) {
			grown := make([]byte, len(c.chunk), min(size, max(2*len(c.chunk), 64<<10)))
			copy(grown, c.chunk)
			c.chunk = grown
		}
		n, err := io.ReadFull(c.src, c.chunk[len(c.chunk):min(size, cap(c.chunk))])
		c.chunk = c.chunk[:len(c.chunk)+n]
		if err != nil {
			return short(err)
		}
	}
	return nil
}

// finish reads all that comes after the last chunk. It returns io.EOF when the
// body was right.
func (c *chunkReader) finish() error {
	var canonical []byte // what the trailer's signature covers
	var signature []byte
	for blank := 0; blank <= 2; {
		line, err := c.line()
		if errors.Is(err, io.ErrUnexpectedEOF) && len(line) == 0 {
			return c.finished(canonical, signature, blank > 0)
		}
		if err != nil {
			return err
		}
		if len(line) == 0 {
			blank++
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case !ok || signature != nil || c.trailers == nil:
			return fmt.Errorf("%w: after the last chunk", ErrBodyMalformed)
		case c.signed && string(name) == trailerSignature:
			signature = bytes.Clone(value)
		default:
			value = bytes.Trim(value, " \t")
			if err := c.trailer(string(name), value); err != nil {
				return err
			}
			canonical = append(append(append(append(canonical, name...), ':'), value...), '\n')
		}
	}
	return fmt.Errorf("%w: after the last chunk", ErrBodyMalformed)
}

// trailer takes one trailing header.
func (c *chunkReader) trailer(name string, value []byte) error {
	h, ok := c.trailers[name]
	if !ok {
		return fmt.Errorf("%w: a trailer that x-amz-trailer does not name, or names once", ErrBodyMalformed)
	}
	delete(c.trailers, name)
	if h != nil {
		want := base64.StdEncoding.EncodeToString(h.Sum(nil))
		if subtle.ConstantTimeCompare([]byte(want), value) != 1 {
			return fmt.Errorf("%w: %s", ErrBodyDigest, name)
		}
	}
	c.to.Set(name, string(value))
	return nil
}

// finished judges the body at its end.
func (c *chunkReader) finished(canonical, signature []byte, closed bool) error {
	if len(c.trailers) > 0 {
		return fmt.Errorf("%w: a trailer that x-amz-trailer names is missing", ErrBodyMalformed)
	}
	if c.signed && c.trailers != nil {
		if want := c.chain.trailer(canonical); subtle.ConstantTimeCompare(want[:], signature) != 1 {
			return ErrBodySignature
		}
	} else if !closed {
		return short(io.EOF)
	}
	return io.EOF
}

// line returns the next line without its line end, which may be LF alone: AWS
// documents that for trailers. It is good until the next read.
func (c *chunkReader) line() ([]byte, error) {
	line, err := c.src.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: a line is too long", ErrBodyMalformed)
	}
	if err != nil {
		return line, short(err)
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

// crlf reads the line end after a chunk's data.
func (c *chunkReader) crlf() error {
	var end [2]byte
	if _, err := io.ReadFull(c.src, end[:]); err != nil {
		return short(err)
	}
	if string(end[:]) != "\r\n" {
		return fmt.Errorf("%w: a chunk is longer than its size", ErrBodyMalformed)
	}
	return nil
}

// short is the error for a body that ended, or could not be read, too early.
func short(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrBodyLength, io.ErrUnexpectedEOF)
	}
	return err
}
