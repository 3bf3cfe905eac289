// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"errors"
	"fmt"
	"time"
)

// Errors of Parse.
var (
	// ErrMissing: the request carries no signature at all (AWS's
	// MissingAuthenticationToken).
	ErrMissing = errors.New("sigv4: the request is not signed")

	// ErrSigV2: the request is signed with Signature Version 2, which AWS
	// retired. The AWS CLI version 1 still presigns S3 URLs with it in
	// us-east-1.
	ErrSigV2 = errors.New("signature version 2 is not supported: use AWS4-HMAC-SHA256 " +
		"(for S3 with the AWS CLI or boto3, set signature_version = s3v4)")

	// ErrTwoForms: the request carries more than one signature, in
	// Authorization headers, in the query string or in a form (S3's
	// InvalidArgument).
	ErrTwoForms = errors.New("only one auth mechanism is allowed: " +
		"one Authorization header or the X-Amz-Algorithm query parameter")
)

// Errors of a Body's Read. They may be wrapped: match them with errors.Is.
var (
	ErrBodyMalformed = errors.New("sigv4: malformed aws-chunked body")
	ErrBodyLength    = errors.New("sigv4: the body is not as long as declared")
	ErrBodySignature = errors.New("sigv4: a chunk's signature does not match")
	ErrBodyDigest    = errors.New("sigv4: the body does not match its declared hash")
)

// An IncompleteError says which part of a signature is missing or malformed
// (AWS's IncompleteSignature; S3 has a code for each).
type IncompleteError struct {
	Part    string // for instance "Credential", "X-Amz-Date", "URI"
	Message string // AWS's text where AWS has one
}

func (e *IncompleteError) Error() string { return e.Message }

func incomplete(part, format string, args ...any) error {
	return &IncompleteError{Part: part, Message: fmt.Sprintf(format, args...)}
}

// A MismatchError says that the signature is not the one that the secret
// gives (AWS's SignatureDoesNotMatch). Values that may be secrets, such as
// session tokens and passwords, are masked in CanonicalRequest; StringToSign
// carries the hash of the unmasked one.
type MismatchError struct {
	CanonicalRequest string
	StringToSign     string
}

// Error is AWS's text, which helps to find what a client signed differently.
func (e *MismatchError) Error() string {
	return "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details." +
		"\n\nThe Canonical String for this request should have been\n'" + e.CanonicalRequest +
		"'\n\nThe String-to-Sign should have been\n'" + e.StringToSign + "'\n"
}

// A SkewError says that the signing time is too far from the server's (AWS's
// SignatureDoesNotMatch for most services, S3's RequestTimeTooSkewed).
type SkewError struct {
	Signed time.Time     // what the request says
	Now    time.Time     // what the server's clock says
	Skew   time.Duration // what is tolerated either way
}

func (e *SkewError) Error() string {
	now, signed := e.Now.UTC(), formatTime(e.Signed)
	if e.Signed.After(now) {
		return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %s.)",
			signed, formatTime(now.Add(e.Skew)), formatTime(now), minutes(e.Skew))
	}
	return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s.)",
		signed, formatTime(now.Add(-e.Skew)), formatTime(now), minutes(e.Skew))
}

// minutes prints a duration as AWS does, for instance "5 min".
func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.String()
}

// An ExpiredError says that a presigned request came after its time (AWS's
// RequestExpired, S3's AccessDenied "Request has expired").
type ExpiredError struct {
	Expires time.Time
	Now     time.Time
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("Request has expired: %s is later than %s", formatTime(e.Now), formatTime(e.Expires))
}

// A ScopeError says that the credential scope is not one that the server
// takes (AWS's SignatureDoesNotMatch). Its text is AWS's.
type ScopeError struct{ Message string }

func (e *ScopeError) Error() string { return e.Message }

func scopeError(format string, args ...any) error {
	return &ScopeError{Message: fmt.Sprintf(format, args...)}
}

// An UnsignedError names a header that the signature had to cover and does
// not (AWS's SignatureDoesNotMatch, S3's AccessDenied).
type UnsignedError struct{ Header string } // in lower case

func (e *UnsignedError) Error() string {
	name := e.Header
	if name == "host" {
		return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	}
	return "'" + name + "' must be a 'SignedHeader' in the AWS Authorization."
}
