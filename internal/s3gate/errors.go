// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/s3req"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// answerOf turns the error of a stage into the one that the client gets.
// answerOf(nil) is nil.
func (c *call) answerOf(err error) *awserr.Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*awserr.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*authz.DeniedError](err); ok {
		return c.denied(e)
	}
	if e, ok := errors.AsType[*s3req.Error](err); ok {
		return sender(e.Code, e.Status, e.Message).Because(err)
	}
	if e := c.signature(err); e != nil {
		return e
	}
	if e := failure(err); e != nil {
		return e
	}
	if errors.Is(err, upstream.ErrClientGone) {
		return clientGone.Because(err)
	}
	switch {
	case errors.Is(err, authn.ErrUnknownKey) && c.sig != nil && c.sig.SessionToken != "":
		return invalidToken.Because(err)
	case errors.Is(err, authn.ErrUnknownKey):
		fault := invalidAccessKeyID
		if c.sig != nil {
			fault = fault.With("AWSAccessKeyId", c.sig.AccessKeyID)
		}
		return fault.Because(err)
	case errors.Is(err, authn.ErrExpired):
		return expiredToken.Because(err)
	case errors.Is(err, authz.ErrUnrecorded), errors.Is(err, store.ErrStale), errors.Is(err, store.ErrFormat):
		return serviceUnavailable.Because(err)
	case errors.Is(err, store.ErrConflict):
		return operationAborted.Because(err)
	case errors.Is(err, store.ErrNotFound): // gone since it was looked for
		return noSuchBucket.Because(err)
	}
	return internalError.Because(err)
}

// denied is a refusal as S3 words it: the reason is for callers of the bucket's
// own account; others learn nothing (S3 User Guide, "Troubleshoot access denied
// (403 Forbidden) errors").
func (c *call) denied(e *authz.DeniedError) *awserr.Error {
	cause := errors.New(cmp.Or(e.Summary, e.Action+" is not allowed"))
	if c.caller == nil || c.foreign {
		return accessDenied.Because(cause)
	}
	plain := *e
	plain.Encoded = ""
	if plain.Resource != "*" {
		plain.Resource = `"` + plain.Resource + `"`
	}
	return accessDenied.Msg("%s", plain.Error()).Because(cause)
}

// signature maps the errors of package sigv4 and of bodies that are not what was
// signed.
func (c *call) signature(err error) *awserr.Error {
	if e := body(err); e != nil {
		return e
	}
	switch {
	case errors.Is(err, sigv4.ErrSigV2):
		return invalidRequest.Msg("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256: " +
			"set signature_version = s3v4 for S3 in the AWS CLI's or boto3's configuration.").Because(err)
	case errors.Is(err, sigv4.ErrTwoForms):
		return invalidArgument.Msg("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified").Because(err)
	case errors.Is(err, sigv4.ErrMissing):
		return accessDenied.Because(err)
	}
	if e, ok := errors.AsType[*sigv4.MismatchError](err); ok {
		return c.mismatch(e)
	}
	if e, ok := errors.AsType[*sigv4.SkewError](err); ok {
		return requestTimeTooSkewed.With("RequestTime", e.Signed.UTC().Format(amzDate)).With("ServerTime", stamp(e.Now)).
			With("MaxAllowedSkewMilliseconds", strconv.FormatInt(e.Skew.Milliseconds(), 10)).Because(err)
	}
	if e, ok := errors.AsType[*sigv4.ExpiredError](err); ok {
		return accessDenied.Msg("Request has expired").With("Expires", stamp(e.Expires)).With("ServerTime", stamp(e.Now)).Because(err)
	}
	if e, ok := errors.AsType[*sigv4.UnsignedError](err); ok {
		return accessDenied.Msg("There were headers present in the request which were not signed").With("HeadersNotSigned", e.Header).Because(err)
	}
	if e, ok := errors.AsType[*sigv4.ScopeError](err); ok {
		return c.malformed().Msg("%s", e.Error()).Because(err)
	}
	if e, ok := errors.AsType[*sigv4.IncompleteError](err); ok {
		return c.malformed().Msg("%s", e.Error()).Because(err)
	}
	return nil
}

// amzDate is the form of signing times.
const amzDate = "20060102T150405Z"

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// malformed is S3's error for a signature that cannot be read, by where it is.
func (c *call) malformed() *awserr.Error {
	if strings.Contains(c.r.RequestURI, "X-Amz-") && len(c.r.Header["Authorization"]) == 0 {
		return queryParametersError
	}
	return headerMalformed
}

// mismatch is SignatureDoesNotMatch with what the server signed, as S3 sends it
// to show what a client signed differently. The texts hold no secrets.
func (c *call) mismatch(e *sigv4.MismatchError) *awserr.Error {
	fault := signatureDoesNotMatch
	if c.sig != nil {
		fault = fault.With("AWSAccessKeyId", c.sig.AccessKeyID)
	}
	return fault.With("StringToSign", e.StringToSign).With("StringToSignBytes", spaced(e.StringToSign)).
		With("CanonicalRequest", e.CanonicalRequest).With("CanonicalRequestBytes", spaced(e.CanonicalRequest)).
		Because(errors.New("the signature does not match"))
}

// spaced is a text's bytes in hex with blanks between them.
func spaced(s string) string {
	return fmt.Sprintf("% x", s)
}

// body maps the errors of a body that was not what its sender said.
func body(err error) *awserr.Error {
	switch {
	case errors.Is(err, errDigest):
		return badDigest.Because(err)
	case errors.Is(err, errTrailer):
		return badDigest.Because(err)
	case errors.Is(err, sigv4.ErrBodyDigest):
		return sha256Mismatch.Because(err)
	case errors.Is(err, sigv4.ErrBodySignature):
		return signatureDoesNotMatch.Because(err)
	case errors.Is(err, sigv4.ErrBodyMalformed), errors.Is(err, sigv4.ErrBodyLength):
		return incompleteBody.Because(err)
	}
	if _, ok := errors.AsType[*upstream.BodyError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return incompleteBody.Because(err)
	}
	return nil
}

// failure maps what went wrong between the gateway and the store.
func failure(err error) *awserr.Error {
	e, ok := errors.AsType[*upstream.Failure](err)
	if !ok {
		return nil
	}
	cause := errors.New(e.Reason())
	switch e.Kind {
	case upstream.Timeout:
		return slowDown.Msg("%s", e.Error()).Because(cause)
	case upstream.Malformed, upstream.Redirected, upstream.Broken:
		return internalError.Msg("%s", e.Error()).Because(cause)
	}
	return serviceUnavailable.Msg("%s", e.Error()).Because(cause)
}

// appendError appends the document of an error. S3's has no namespace.
func (c *call) appendError(b []byte, e *awserr.Error) []byte {
	b = append(b, xmlHeader...)
	b = append(b, "<Error>"...)
	b = wire.AppendString(b, "Code", e.Code)
	b = wire.AppendString(b, "Message", e.Message)
	for _, f := range e.Fields {
		b = wire.AppendString(b, f.Name, f.Value)
	}
	b = wire.AppendString(b, "RequestId", c.record.RequestID)
	b = wire.AppendString(b, "HostId", c.record.EventID)
	return append(b, "</Error>"...)
}

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// logFault logs what the client is not told: the cause of an internal error.
func (c *call) logFault(e *awserr.Error) {
	if e.Status >= 500 {
		c.g.Log.Error("request failed", "request", c.record.RequestID, "operation", c.record.EventName, "error", e.Error())
	}
}

func (c *call) panicked(p any) error {
	c.g.Log.Error("panic while serving", "request", c.record.RequestID, "operation", c.record.EventName,
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return fmt.Errorf("s3gate: panic in %s: %v", c.record.EventName, p)
}
