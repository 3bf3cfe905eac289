// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// An answer is the body of a response. Its errors are ours.
type answer struct {
	io.ReadCloser
	ctx    context.Context
	stream *stream // of the request, nil when it was not streamed
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if a.stream != nil {
		a.stream.release()
	}
	if err == io.EOF {
		return n, err
	}
	return n, classify(a.ctx, err, true)
}

func (a *answer) Close() error {
	if a.stream != nil {
		a.stream.release()
	}
	return a.ReadCloser.Close()
}

const mediumSize, largeSize = 16 << 10, 128 << 10

// medium and large are the buffers of bodies.
var (
	medium = sync.Pool{New: func() any { return new([mediumSize]byte) }}
	large  = sync.Pool{New: func() any { return new([largeSize]byte) }}
)

// Relay answers a client with resp, which Send returned, and closes its body.
// Headers that w has already stay as they are, as do those that w holds as nil.
// It returns how many bytes of the body the client was sent.
//
// After an error the client has an incomplete answer, and must be made to see
// that: once the record is written, the handler has to
// panic(http.ErrAbortHandler). The error wraps ErrClientGone, or is a *Failure.
func Relay(w http.ResponseWriter, resp *http.Response) (written int64, err error) {
	defer resp.Body.Close()
	header := w.Header()
	passBack(header, resp)
	for name := range resp.Trailer {
		if !withheld[name] {
			header.Add("Trailer", name)
		}
	}
	w.WriteHeader(resp.StatusCode)
	if resp.Body == http.NoBody {
		return 0, nil
	}
	if resp.ContentLength >= 0 && resp.ContentLength <= mediumSize {
		buf := medium.Get().(*[mediumSize]byte)
		defer medium.Put(buf)
		written, err = pipe(w, resp.Body, buf[:], nil)
	} else {
		buf := large.Get().(*[largeSize]byte)
		defer large.Put(buf)
		var flush func() error
		if resp.ContentLength < 0 {
			flush = http.NewResponseController(w).Flush
		}
		written, err = pipe(w, resp.Body, buf[:], flush)
	}
	if err != nil {
		return written, err
	}
	for name, values := range resp.Trailer {
		if !withheld[name] {
			header[name] = values
		}
	}
	return written, nil
}

// pipe copies body to w. With flush, which is for answers of no known length,
// each piece is sent on at once: it may be all that comes for a while.
func pipe(w io.Writer, body io.Reader, buf []byte, flush func() error) (written int64, err error) {
	for {
		n, rerr := body.Read(buf)
		if n > 0 {
			m, err := w.Write(buf[:n])
			written += int64(m)
			if err == nil && flush != nil {
				err = flush()
			}
			if err != nil {
				return written, fmt.Errorf("%w: %w", ErrClientGone, err)
			}
		}
		if rerr == io.EOF {
			return written, nil
		}
		if rerr != nil {
			return written, rerr
		}
	}
}

// peeked is how much of a refusal is looked at.
const peeked = 4 << 10

var (
	errorCode = regexp.MustCompile(`<Code>([A-Za-z]{1,64})</Code>|"__type"\s*:\s*"(?:[A-Za-z0-9.]*#)?([A-Za-z]{1,64})"`)

	wantedRegion = regexp.MustCompile(`<Region>([a-z0-9-]{1,64})</Region>`)

	// ownCodes are errors about who signed, which was not the client (S3 API
	// Reference, "Error responses"; IAM User Guide, "Common errors").
	ownCodes = []string{"AuthorizationHeaderMalformed", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
		"InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSecurity", "InvalidSignatureException", "InvalidToken",
		"MissingAuthenticationToken", "MissingSecurityHeader", "NotSignedUp", "RequestExpired", "RequestTimeTooSkewed",
		"SignatureDoesNotMatch", "TokenRefreshRequired", "UnrecognizedClientException", "XAmzContentSHA256Mismatch"}
)

// credentialRefused returns a *Failure if resp says that the gateway's own
// signature or credentials are wrong. Such an answer repeats the gateway's key
// and must not reach a client, who would take it for its own (quirk Q123).
func credentialRefused(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
	default:
		return nil
	}
	if resp.Body == http.NoBody {
		return nil
	}
	head := make([]byte, peeked)
	n, err := io.ReadFull(resp.Body, head)
	code, _, _ := strings.Cut(resp.Header.Get("X-Amzn-Errortype"), ":")
	if code == "" {
		code = refusalCode(head[:n])
	}
	if slices.Contains(ownCodes, code) {
		if m := wantedRegion.FindSubmatch(head[:n]); m != nil {
			return failure(Credential, "it answered %s: its region is %s", code, m[1])
		}
		return failure(Credential, "it answered %s", code)
	}
	if err == nil || n > 0 {
		resp.Body = &restored{io.MultiReader(bytes.NewReader(head[:n]), resp.Body), resp.Body}
	}
	return nil
}

func refusalCode(body []byte) string {
	m := errorCode.FindSubmatch(body)
	if m == nil {
		return ""
	}
	return string(m[1]) + string(m[2])
}

// restored is a body of which the beginning was read.
type restored struct {
	io.Reader
	io.Closer
}
