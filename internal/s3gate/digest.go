// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// Errors of a body that is not what its headers say.
var (
	errDigest  = errors.New("s3gate: the body does not match its Content-MD5 or checksum header")
	errTrailer = errors.New("s3gate: the body does not match its trailing checksum")
)

// digests are the headers that tell a body's hash, in base64, in the spelling of
// http.Header (S3 User Guide, "Checking object integrity"). Stores are not relied
// upon to look at them.
var digests = []struct {
	header string
	make   func() hash.Hash
}{
	{"Content-Md5", md5.New},
	{"X-Amz-Checksum-Crc32", func() hash.Hash { return sigv4.NewChecksum("x-amz-checksum-crc32") }},
	{"X-Amz-Checksum-Crc32c", func() hash.Hash { return sigv4.NewChecksum("x-amz-checksum-crc32c") }},
	{"X-Amz-Checksum-Crc64nvme", func() hash.Hash { return sigv4.NewChecksum("x-amz-checksum-crc64nvme") }},
	{"X-Amz-Checksum-Sha1", func() hash.Hash { return sigv4.NewChecksum("x-amz-checksum-sha1") }},
	{"X-Amz-Checksum-Sha256", func() hash.Hash { return sigv4.NewChecksum("x-amz-checksum-sha256") }},
}

// A digestReader compares what it read with declared hashes, at the end: only
// io.EOF says that they were right.
type digestReader struct {
	src   io.Reader
	sums  []hash.Hash
	wants [][]byte
}

// digested returns src with the hashes that h declares checked on the way; src
// itself when there are none. The error is S3's InvalidDigest.
func digested(src io.Reader, h http.Header) (io.Reader, error) {
	var d *digestReader
	for _, x := range digests {
		v := h[x.header]
		if len(v) == 0 {
			continue
		}
		sum := x.make()
		want, err := base64.StdEncoding.DecodeString(v[0])
		if len(v) > 1 || err != nil || len(want) != sum.Size() {
			return nil, invalidDigest.Msg("The value of %s that you specified is not valid.", x.header)
		}
		if d == nil {
			d = &digestReader{src: src}
		}
		d.sums, d.wants = append(d.sums, sum), append(d.wants, want)
	}
	if d == nil {
		return src, nil
	}
	return d, nil
}

// Read reads from the source.
func (d *digestReader) Read(p []byte) (int, error) {
	n, err := d.src.Read(p)
	for _, sum := range d.sums {
		sum.Write(p[:n])
	}
	if err == io.EOF {
		for i, sum := range d.sums {
			if subtle.ConstantTimeCompare(sum.Sum(nil), d.wants[i]) != 1 {
				return n, errDigest
			}
		}
	}
	return n, err
}

// trailed tells a wrong trailing checksum from a wrong x-amz-content-sha256,
// which S3 has different codes for.
type trailed struct{ src io.Reader }

func (t trailed) Read(p []byte) (int, error) {
	n, err := t.src.Read(p)
	if errors.Is(err, sigv4.ErrBodyDigest) {
		err = fmt.Errorf("%w: %w", errTrailer, err)
	}
	return n, err
}

// md5Of is the Content-MD5 of a text.
func md5Of(text []byte) string {
	sum := md5.Sum(text)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// A counter counts the bytes that were read.
type counter struct {
	src io.Reader
	n   *int64
}

func (r counter) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	*r.n += int64(n)
	return n, err
}
