// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"io"
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
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
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
		return nil, awserr.InvalidAction.Msg("Requests are made with POST or GET, not %s.", r.Method)
	}
	if len(body) == 0 {
		return wire.ParseForm(r.URL.RawQuery)
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, awserr.MalformedInput.Msg("Content-Type must be application/x-www-form-urlencoded, not %q.", r.Header.Get("Content-Type"))
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
	version, _ := f.Get("Version")
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
	return awserr.InvalidAction.Msg("Could not find operation %s for version %s", action, version)
}
