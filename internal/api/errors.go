// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// answer turns the error of a stage into the one that the client gets, in its
// protocol. answer(nil) is nil.
func (c *Call) answer(err error) *awserr.Error {
	if err == nil {
		return nil
	}
	fault := c.queryAnswer(err)
	if inJSON := jsonCodes[fault.Code]; c.json && inJSON != nil {
		msg := fault.Message
		if fault.Is(awserr.MissingAuthenticationToken) {
			msg = inJSON.Message
		}
		return inJSON.Msg("%s", msg).Because(fault.Unwrap())
	}
	return fault
}

// jsonCodes has what the JSON protocol answers in place of the errors that the
// stages have in common.
var jsonCodes = map[string]*awserr.Error{
	awserr.AccessDenied.Code:               awserr.AccessDeniedException,
	awserr.ConcurrentModification.Code:     awserr.ConcurrentModificationException,
	awserr.ExpiredToken.Code:               awserr.ExpiredTokenException,
	awserr.IncompleteSignature.Code:        awserr.IncompleteSignatureException,
	awserr.InvalidClientTokenId.Code:       awserr.UnrecognizedClientException,
	awserr.MalformedInput.Code:             awserr.SerializationException,
	awserr.MissingAuthenticationToken.Code: awserr.MissingAuthenticationTokenException,
	awserr.RequestEntityTooLarge.Code:      awserr.RequestEntityTooLargeException,
	awserr.RequestExpired.Code:             awserr.InvalidSignatureException,
	awserr.ServiceFailure.Code:             awserr.InternalFailure,
	awserr.ServiceUnavailable.Code:         awserr.ServiceUnavailableException,
	awserr.SignatureDoesNotMatch.Code:      awserr.InvalidSignatureException,
}

// queryAnswer is answer in the query protocol. What operations return is AWS's
// own error already; this is the one place that knows what AWS says about
// signatures, tokens and permission.
func (c *Call) queryAnswer(err error) *awserr.Error {
	if e, ok := errors.AsType[*awserr.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*authz.DeniedError](err); ok {
		return awserr.AccessDenied.Msg("%s", e.Error()).Because(errors.New(e.Summary))
	}
	if e := signature(err); e != nil {
		return e
	}
	switch {
	case errors.Is(err, authn.ErrUnknownKey):
		return awserr.InvalidClientTokenId.Because(err)
	case errors.Is(err, authn.ErrExpired):
		return awserr.ExpiredToken.Because(err)
	case errors.Is(err, authn.ErrSessionCall):
		return awserr.AccessDenied.Msg("Cannot call %s with session credentials", c.op.Name).Because(err)
	case errors.Is(err, store.ErrConflict):
		return awserr.ConcurrentModification.Msg("The request was rejected because multiple requests to change this object were submitted simultaneously. Wait a few minutes and submit your request again.").Because(err)
	case errors.Is(err, authz.ErrUnrecorded), errors.Is(err, store.ErrStale), errors.Is(err, store.ErrFormat):
		return awserr.ServiceUnavailable.Because(err)
	}
	return awserr.From(err)
}

// signature maps the errors of package sigv4.
func signature(err error) *awserr.Error {
	if errors.Is(err, sigv4.ErrMissing) {
		return awserr.MissingAuthenticationToken.Because(err)
	}
	if e, ok := errors.AsType[*sigv4.IncompleteError](err); ok {
		return awserr.IncompleteSignature.Msg("%s", e.Error())
	}
	if e, ok := errors.AsType[*sigv4.ExpiredError](err); ok {
		return awserr.RequestExpired.Msg("%s", e.Error())
	}
	if e, ok := errors.AsType[*sigv4.SkewError](err); ok {
		return awserr.SignatureDoesNotMatch.Msg("%s", e.Error())
	}
	if e, ok := errors.AsType[*sigv4.ScopeError](err); ok {
		return awserr.SignatureDoesNotMatch.Msg("%s", e.Error())
	}
	if e, ok := errors.AsType[*sigv4.UnsignedError](err); ok {
		return awserr.SignatureDoesNotMatch.Msg("%s", e.Error())
	}
	if e, ok := errors.AsType[*sigv4.MismatchError](err); ok {
		return awserr.SignatureDoesNotMatch.Msg("%s", e.Error())
	}
	if errors.Is(err, sigv4.ErrSigV2) || errors.Is(err, sigv4.ErrTwoForms) {
		return awserr.IncompleteSignature.Msg("%s", err.Error())
	}
	return nil
}

// cause names a failed verification for the metrics: a closed list.
func cause(err error) string {
	switch {
	case errors.Is(err, authn.ErrUnknownKey):
		return "unknown-key"
	case errors.Is(err, authn.ErrExpired):
		return "expired-token"
	case errors.Is(err, sigv4.ErrMissing):
		return "missing"
	}
	if e := signature(err); e != nil {
		return map[string]string{
			awserr.IncompleteSignature.Code: "incomplete", awserr.RequestExpired.Code: "expired-request",
			awserr.SignatureDoesNotMatch.Code: "mismatch",
		}[e.Code]
	}
	return "failure"
}

func (s *Server) panicked(c *Call, p any) error {
	if s.Log != nil {
		s.Log.Error("panic while serving", "request", c.RequestID, "operation", c.op.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
	return fmt.Errorf("api: panic in %s: %v", c.op.Name, p)
}
