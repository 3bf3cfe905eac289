// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

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

// targetHeader names the operation in the JSON protocol.
const targetHeader = "X-Amz-Target"

// route finds the operation. A request names it in its parameters, which are
// returned, or in a header, and then its parameters are JSON, which nobody reads
// before it is known who sent it.
func (s *Server) route(c *Call, r *http.Request, body []byte) (*wire.Form, error) {
	if target, ok := r.Header[targetHeader]; ok {
		c.json = true
		return nil, s.routeTarget(c, r, target)
	}
	form, err := parseForm(r, body)
	if err != nil {
		return nil, err
	}
	return form, s.routeForm(c, form)
}

// routeTarget finds the operation of the JSON protocol by its header, such as
// "AWSOrganizationsV20161128.ListRoots".
func (s *Server) routeTarget(c *Call, r *http.Request, values []string) error {
	if r.Method != http.MethodPost {
		return awserr.UnknownOperationException.Msg("Requests are made with POST, not %s.", clip(r.Method))
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != jsonType {
		return awserr.SerializationException.Msg("Content-Type must be %s, not %q.", jsonType, clip(r.Header.Get("Content-Type")))
	}
	prefix, name, _ := strings.Cut(values[0], ".")
	for _, svc := range s.Services {
		if op, ok := svc.ops[name]; ok && len(values) == 1 && prefix != "" && svc.Target == prefix {
			c.found(svc, op)
			return nil
		}
	}
	return awserr.UnknownOperationException.Msg("Could not find operation %s.", clip(values[0]))
}

func (c *Call) found(svc *Service, op Op) {
	c.service, c.op = svc, op
	c.record.EventSource, c.record.EventName = svc.Name+".amazonaws.com", op.Name
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

// routeForm finds the operation of the query protocol by Action and Version.
// Each service has one version and the versions differ, so the two name one
// operation.
func (s *Server) routeForm(c *Call, f *wire.Form) error {
	action, ok := f.Get("Action")
	if !ok || action == "" {
		return awserr.MissingAction
	}
	version, ok := f.Get("Version")
	if !ok {
		version = "NO_VERSION_SPECIFIED" // as AWS calls it
	}
	for _, svc := range s.Services {
		if svc.Version != version || svc.Target != "" {
			continue
		}
		if op, ok := svc.ops[action]; ok {
			c.found(svc, op)
			return nil
		}
	}
	return awserr.InvalidAction.Msg("Could not find operation %s for version %s", clip(action), clip(version))
}

// check returns what was wrong with the parameters that were read.
func (s *Service) check(f *wire.Form) error {
	err := f.Err()
	if first, ok := f.Violated(); ok && s.Invalid != nil {
		return s.Invalid(first, awserr.From(err).Message)
	}
	return err
}

// clip makes what a client sent short enough to be repeated in a message.
func clip(s string) string { return s[:min(len(s), 128)] }
