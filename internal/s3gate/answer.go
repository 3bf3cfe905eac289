// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
)

// refuse sends an error. A body that was not read is not read for it: net/http
// closes the connection of one that is large, or that waits to be asked for.
func (c *call) refuse(fault *awserr.Error) {
	h := c.w.Header()
	text := c.appendError(nil, fault)
	h["Content-Type"] = xmlType
	h["Content-Length"] = []string{strconv.Itoa(len(text))}
	c.w.WriteHeader(fault.Status)
	c.w.Write(text) // the client may have gone; the record is complete all the same
}

var xmlType = []string{"application/xml"}

// send sends the answer of a request that was recorded.
func (c *call) send(a answer) {
	if a.resp != nil {
		c.relay(a)
		if c.back.broke != "" {
			c.g.Log.Warn("an answer was broken off", "request", c.record.RequestID, "operation", c.record.EventName, "by", c.back.broke)
			panic(http.ErrAbortHandler)
		}
		return
	}
	h := c.w.Header()
	maps.Copy(h, a.header)
	if len(a.body) > 0 {
		if _, ok := h["Content-Type"]; !ok {
			h["Content-Type"] = xmlType
		}
	}
	if a.status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	c.w.WriteHeader(a.status)
	c.w.Write(a.body)
}

// relay sends the answer of the store.
func (c *call) relay(a answer) {
	n, err := upstream.Relay(c.w, a.resp)
	c.out = n
	if err != nil {
		c.back.broke = broke(err)
	}
}

// broke says who broke an answer off.
func broke(err error) string {
	if e, ok := errors.AsType[*upstream.Failure](err); ok {
		return "the store: " + e.Reason()
	}
	return "the client"
}

// maxRefusal bounds the error document of a store, in bytes.
const maxRefusal = 64 << 10

// storeError is an error of the store, in S3's form.
type storeError struct {
	Code    string `xml:"Code"`
	Message string `xml:"Message"`
}

// refusal reads the error that the store answered with. The store's own ids,
// names and addresses stay behind.
func (c *call) refusal(resp *http.Response) *awserr.Error {
	defer resp.Body.Close()
	var e storeError
	if c.r.Method != http.MethodHead {
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
		if err != nil || xml.Unmarshal(text, &e) != nil {
			e = storeError{}
		}
	}
	if e.Code == "" {
		return bare(resp.StatusCode)
	}
	if e.Code == accessDenied.Code {
		return accessDenied.Because(errors.New("refused by the store: " + e.Message))
	}
	fault := sender(e.Code, resp.StatusCode, e.Message)
	if resp.StatusCode >= 500 {
		fault.Fault = awserr.Receiver
	}
	return fault.Because(errors.New("answered by the store"))
}

// bare is an error of the store that came without a document, as to HEAD.
func bare(status int) *awserr.Error {
	switch status {
	case http.StatusNotFound:
		return sender("NotFound", status, "Not Found")
	case http.StatusForbidden:
		return accessDenied.Because(errors.New("refused by the store"))
	case http.StatusPreconditionFailed:
		return sender("PreconditionFailed", status, "At least one of the pre-conditions you specified did not hold")
	case http.StatusRequestedRangeNotSatisfiable:
		return sender("InvalidRange", status, "The requested range is not satisfiable")
	case http.StatusMethodNotAllowed:
		return methodNotAllowed
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return slowDown
	case http.StatusBadRequest, http.StatusConflict, http.StatusNotImplemented:
		return sender(strings.ReplaceAll(http.StatusText(status), " ", ""), status, http.StatusText(status))
	}
	return internalError.Because(errors.New("the store answered " + strconv.Itoa(status)))
}
