// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// defaultNamespace is used for errors of requests that name no service.
const defaultNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// buffers lends response buffers, each one *[]byte.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer is the largest buffer that is kept, in bytes.
const maxBuffer = 64 << 10

// release gives a buffer back, without the secrets that an answer may hold.
func release(buf *[]byte) {
	if cap(*buf) > maxBuffer {
		return
	}
	clear((*buf)[:cap(*buf)])
	buffers.Put(buf)
}

// refuse appends the answer of a request that failed.
func (s *Server) refuse(c *Call, b []byte, fault *awserr.Error) []byte {
	namespace := defaultNamespace
	if c.service != nil {
		namespace = c.service.Namespace
	}
	s.logFault(c, fault)
	if c.json {
		return wire.AppendJSONError(b, fault)
	}
	return wire.AppendError(b, namespace, fault, c.RequestID)
}

// write sends the answer in one piece: a header and a body in one write keep
// clients from waiting for a delayed acknowledgement.
func (s *Server) write(w http.ResponseWriter, c *Call, fault *awserr.Error, answer []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	if c.json {
		h["Content-Type"] = jsonContentType
	}
	h["Cache-Control"] = noStore
	h["X-Amzn-Requestid"] = []string{c.RequestID}
	h["Content-Length"] = []string{strconv.Itoa(len(answer))}
	status := http.StatusOK
	if fault != nil {
		status = fault.Status
	}
	w.WriteHeader(status)
	w.Write(answer) // the client may have gone; the record is complete all the same
}

// Header values that all answers share. An answer may hold a secret, so nobody
// may keep it.
var (
	contentType     = []string{"text/xml"}
	jsonContentType = []string{jsonType}
	noStore         = []string{"no-store"}
)

// jsonType is the media type of the JSON 1.1 protocol.
const jsonType = "application/x-amz-json-1.1"

// logFault logs what the client is not told: the cause of an internal error.
func (s *Server) logFault(c *Call, fault *awserr.Error) {
	if s.Log != nil && fault.Status >= 500 {
		s.Log.Error("request failed", "request", c.RequestID, "operation", c.op.Name, "error", fault.Error())
	}
}
