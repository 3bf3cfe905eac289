// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"errors"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// unauthenticated is why nobody was let in.
type unauthenticated struct{ err error }

func (e *unauthenticated) Error() string { return e.err.Error() }
func (e *unauthenticated) Unwrap() error { return e.err }

// failed reports whether an error is the server's and not the asker's.
func (e *unauthenticated) failed() bool {
	return errors.Is(e.err, store.ErrStale) || errors.Is(e.err, store.ErrFormat) || cause(e.err) == ""
}

// cause says why credentials are refused, "" for a failure. It does not repeat
// them: not the signature, which is nearly one, nor a key id, in whose place
// somebody may have put the secret.
func cause(err error) string {
	var (
		incomplete *sigv4.IncompleteError
		expired    *sigv4.ExpiredError
		skew       *sigv4.SkewError
		scope      *sigv4.ScopeError
		unsigned   *sigv4.UnsignedError
		mismatch   *sigv4.MismatchError
	)
	switch {
	case errors.Is(err, sigv4.ErrMissing):
		return "there are no credentials"
	case errors.Is(err, errScheme):
		return "the credentials must be a signature, or Basic or Bearer with the base64 of USER:PASSWORD"
	case errors.Is(err, authn.ErrUnknownKey):
		return "the credentials are not known"
	case errors.Is(err, authn.ErrExpired):
		return "the session has expired"
	case errors.As(err, &expired), errors.As(err, &skew), errors.As(err, &scope), errors.As(err, &unsigned):
		return err.Error()
	case errors.As(err, &mismatch):
		return "the signature does not match the request"
	case errors.As(err, &incomplete), errors.Is(err, sigv4.ErrSigV2), errors.Is(err, sigv4.ErrTwoForms), errors.Is(err, errTwice):
		return "the signature is not of a form that is understood"
	}
	return ""
}

// Status returns the HTTP status of an error and what to tell the asker, one
// sentence without full stop. Failures say nothing of their cause.
func Status(err error) (status int, message string) {
	if e, ok := errors.AsType[*InvalidError](err); ok {
		return http.StatusBadRequest, e.Error()
	}
	if e, ok := errors.AsType[*AmbiguousError](err); ok {
		return http.StatusForbidden, e.Error()
	}
	if e, ok := errors.AsType[*authz.DeniedError](err); ok {
		return http.StatusForbidden, e.Caller + " is not authorized to perform " + e.Action + " on " + e.Resource
	}
	if e, ok := errors.AsType[*unauthenticated](err); ok && !e.failed() {
		return http.StatusUnauthorized, cause(e.err)
	}
	if errors.Is(err, authz.ErrUnrecorded) || errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrFormat) {
		return http.StatusServiceUnavailable, "the service is not available"
	}
	return http.StatusInternalServerError, "internal failure"
}

// code is the error code of a record.
func code(err error) string {
	status, _ := Status(err)
	return map[int]string{
		http.StatusBadRequest: "ValidationError", http.StatusForbidden: "AccessDenied", http.StatusUnauthorized: "UnrecognizedClient",
		http.StatusServiceUnavailable: "ServiceUnavailable", http.StatusInternalServerError: "InternalFailure",
	}[status]
}

// recorded is the error message of a record: the reason of a refusal, which the
// asker is not told.
func recorded(err error) string {
	if e, ok := errors.AsType[*authz.DeniedError](err); ok {
		return e.Summary
	}
	_, message := Status(err)
	return message
}
