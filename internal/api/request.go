// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"errors"
	"mime"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// readBody reads the whole body once, within MaxBody.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > MaxBody {
		return nil, tooLarge()
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), 8<<10)) + bytes.MinRead)
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	body := buf.Bytes()
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, awserr.MalformedInput.Msg("The request body ended early: %d bytes came.", len(body)).Because(err)
	}
	return body, nil
}

func tooLarge() error {
	return awserr.RequestEntityTooLarge.Msg("The request body is larger than %d bytes.", MaxBody)
}

// parseForm returns the parameters: those of a form body, or of the query string
// when there is no body (GET, and presigned requests).
func parseForm(r *http.Request, body []byte) (*wire.Form, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return nil, awserr.InvalidAction.Msg("Requests are made with POST or GET, not %s.", clip(r.Method))
	}
	if len(body) == 0 {
		return wire.ParseForm(r.URL.RawQuery)
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, awserr.MalformedInput.Msg("Content-Type must be application/x-www-form-urlencoded, not %q.", clip(r.Header.Get("Content-Type")))
	}
	return wire.ParseForm(string(body))
}

// route finds the operation by Action and Version. Each service has one version
// and the versions differ, so the two name one operation.
func (s *Server) route(c *Call, f *wire.Form) error {
	action, ok := f.Get("Action")
	if !ok || action == "" {
		return awserr.MissingAction
	}
	version, ok := f.Get("Version")
	if !ok {
		version = "NO_VERSION_SPECIFIED" // as AWS calls it
	}
	for _, svc := range s.Services {
		if svc.Version != version {
			continue
		}
		if op, ok := svc.ops[action]; ok {
			c.service, c.op = svc, op
			c.record.EventSource, c.record.EventName = svc.Name+".amazonaws.com", op.Name
			return nil
		}
	}
	return awserr.InvalidAction.Msg("Could not find operation %s for version %s", clip(action), clip(version))
}

// clip makes what a client sent short enough to be repeated in a message.
func clip(s string) string { return s[:min(len(s), 128)] }
