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

// buffers holds response buffers, each one *[]byte.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// write sends the answer in one piece: a header and a body in one write keep
// clients from waiting for a delayed acknowledgement.
func (s *Server) write(w http.ResponseWriter, c *Call, out wire.Output, fault *awserr.Error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	b, status := (*buf)[:0], http.StatusOK
	namespace := defaultNamespace
	if c.service != nil {
		namespace = c.service.Namespace
	}
	switch {
	case fault != nil:
		status = fault.Status
		b = wire.AppendError(b, namespace, fault, c.RequestID)
		s.logFault(c, fault)
	default:
		b = wire.AppendResponse(b, c.op.Name, namespace, c.RequestID, out)
	}
	*buf = b
	h := w.Header()
	h["Content-Type"] = contentType
	h["X-Amzn-Requestid"] = []string{c.RequestID}
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(status)
	w.Write(b) // the client may have gone; the record is complete all the same
}

var contentType = []string{"text/xml"}

// logFault logs what the client is not told: the cause of an internal error.
func (s *Server) logFault(c *Call, fault *awserr.Error) {
	if s.Log != nil && fault.Status >= 500 {
		s.Log.Error("request failed", "request", c.RequestID, "operation", c.op.Name, "error", fault.Error())
	}
}
