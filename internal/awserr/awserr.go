// SPDX-License-Identifier: Apache-2.0

// Package awserr is the table of AWS error codes and the error that carries one to a client.
package awserr

import (
	"errors"
	"fmt"
)

// Fault says whose mistake an error is, in the words of the query protocol.
type Fault string

const (
	Sender   Fault = "Sender"   // the caller's: repeating the request unchanged does not help
	Receiver Fault = "Receiver" // ours: the request may be repeated
)

// Error is an error as a client sees it, with a cause that only logs see. The values of this package's
// table are shared and never changed: Msg, With and Because return copies. Functions return error,
// never *Error, because a nil *Error in an error is not nil.
type Error struct {
	Code    string // as sent, for example "NoSuchEntity"
	Status  int    // HTTP status
	Fault   Fault
	Message string  // plain text, escaped by whoever encodes it; the table's values hold AWS's fixed text, or none
	Fields  []Field // extra elements beside Code and Message, in order; usually none

	cause error
}

// Field is one more element of an error, such as S3's BucketName.
type Field struct{ Name, Value string }

// Error returns the code, the message and the cause, for logs. Clients get Code and Message.
func (e *Error) Error() string {
	s := e.Code
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Is reports whether target is an Error of the same code, whatever the message.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Msg returns a copy of e with a formatted message. Nothing secret belongs in it.
func (e *Error) Msg(format string, args ...any) *Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// With returns a copy of e with one more field.
func (e *Error) With(name, value string) *Error {
	c := *e
	c.Fields = append(e.Fields[:len(e.Fields):len(e.Fields)], Field{name, value})
	return &c
}

// Because returns a copy of e that wraps cause, which is logged and never sent.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// From returns the first Error in err's tree, or a ServiceFailure because of err when there is none.
// It is the one place where an unforeseen error gets a code. From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return ServiceFailure.Because(err)
}
