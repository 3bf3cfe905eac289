// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"

	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// slow are the operations whose answer may begin with success, and with white
// space for as long as they take, and then turn out to be an error (S3 API
// Reference, CompleteMultipartUpload, CopyObject and UploadPartCopy).
var slow = map[string]bool{"CompleteMultipartUpload": true, "CopyObject": true, "UploadPartCopy": true}

// watched gives the answer of a slow operation a body that shows the object where
// clients find it, not where the store has it, and that tells what it turned out
// to be: for the record, if the store knew that when it began to answer.
func (c *call) watched(resp *http.Response) error {
	c.result = &result{src: resp.Body, place: string(wire.AppendString(nil, "Location", c.scheme()+c.r.Host+c.r.URL.EscapedPath()))}
	known := resp.ContentLength >= 0 && resp.ContentLength <= maxRefusal
	resp.Body, resp.ContentLength = c.result, -1
	delete(resp.Header, "Content-Length")
	if !known {
		return nil
	}
	defer c.result.Close()
	text, err := io.ReadAll(c.result)
	if err != nil {
		return err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	resp.Header["Content-Length"] = []string{strconv.Itoa(len(text))}
	return nil
}

func (c *call) scheme() string {
	if c.env.Secure {
		return "https://"
	}
	return "http://"
}

// maxKept is how much of a result is looked at for an error, in bytes.
const maxKept = 4 << 10

// A result passes a document on while it comes, with another Location.
type result struct {
	src   io.ReadCloser
	place string // element Location, as clients shall see it

	in    [512]byte
	held  []byte // read, and not yet judged
	out   []byte // to be passed on
	after []byte // the tag that ends what is left out; nil: nothing is left out
	kept  []byte // the beginning of what was passed on
	err   error  // of src
}

var (
	locationBegins = []byte("<Location>")
	locationEnds   = []byte("</Location>")
)

func (r *result) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.src.Read(r.in[:])
		r.held = append(r.held, r.in[:n]...)
		r.judge()
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	if room := maxKept - len(r.kept); room > 0 {
		r.kept = append(r.kept, p[:min(n, room)]...)
	}
	return n, nil
}

// judge moves what is held to what is passed on, as far as it is clear.
func (r *result) judge() {
	for {
		tag := locationBegins
		if r.after != nil {
			tag = r.after
		}
		before, rest, found := bytes.Cut(r.held, tag)
		if !found {
			break
		}
		if r.after == nil {
			r.out = append(append(r.out, before...), r.place...)
			r.after = locationEnds
		} else {
			r.after = nil
		}
		r.held = rest
	}
	sure := len(r.held)
	if r.err == nil {
		sure -= partial(r.held, r.after)
	}
	if r.after == nil {
		r.out = append(r.out, r.held[:sure]...)
	}
	r.held = append([]byte(nil), r.held[sure:]...)
}

// partial is how many of the last bytes of b may be the beginning of a tag.
func partial(b, tag []byte) int {
	if tag == nil {
		tag = locationBegins
	}
	for n := min(len(b), len(tag)-1); n > 0; n-- {
		if bytes.HasSuffix(b, tag[:n]) {
			return n
		}
	}
	return 0
}

func (r *result) Close() error { return r.src.Close() }

// fault is the code of the error that the document turned out to be, "" if it is
// none.
func (r *result) fault() string {
	var e struct {
		XMLName xml.Name
		Code    string
	}
	if xml.Unmarshal(bytes.TrimSpace(r.kept), &e) != nil || e.XMLName.Local != "Error" {
		return ""
	}
	return e.Code
}
