// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"
)

// ErrClientGone: the client left, or its request was cancelled, before its
// answer was complete. It is wrapped.
var ErrClientGone = errors.New("the client left before the answer was complete")

// A BodyError says that the body of a request was not what the client
// declared or signed, or could not be read. The upstream did not get the whole
// of it. Err is the reader's error: of package sigv4, or of the connection.
type BodyError struct{ Err error }

func (e *BodyError) Error() string { return "the request body was refused: " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *BodyError) Unwrap() error { return e.Err }

// A Kind is a way in which an upstream fails.
type Kind string

// The kinds of failure.
const (
	Unreachable Kind = "unreachable" // no connection: refused, no route, no time
	DNS         Kind = "dns"         // its name has no address
	TLS         Kind = "tls"         // its certificate or its protocol is not right
	Timeout     Kind = "timeout"     // it was silent for too long
	Reset       Kind = "reset"       // it closed the connection before it answered
	Broken      Kind = "broken"      // it closed the connection in the middle of its answer
	Malformed   Kind = "malformed"   // its answer is no HTTP, too long, or came before it had the request
	Redirected  Kind = "redirected"  // it wants the request to be sent elsewhere
	Credential  Kind = "credential"  // it refuses the gateway's own credentials, or there are none
)

// String returns the kind's name.
func (k Kind) String() string { return string(k) }

// texts are what clients are told.
var texts = map[Kind]string{
	Unreachable: "The service behind this gateway cannot be reached.",
	DNS:         "The service behind this gateway cannot be reached.",
	TLS:         "No trusted connection to the service behind this gateway can be made.",
	Timeout:     "The service behind this gateway did not answer in time.",
	Reset:       "The service behind this gateway closed the connection without an answer.",
	Broken:      "The service behind this gateway broke off its answer.",
	Malformed:   "The service behind this gateway gave an answer that is not understood.",
	Redirected:  "The service behind this gateway redirected the request, which is not followed.",
	Credential:  "The service behind this gateway refuses the gateway.",
}

// A Failure says that the upstream did not do its part. Whether it acted on
// the request is known only for Unreachable, DNS and TLS (it did not) and for
// Broken (it did).
type Failure struct {
	Kind  Kind
	cause error
}

// Error returns a text that says nothing about the upstream.
func (f *Failure) Error() string { return texts[f.Kind] }

// Reason returns what happened, for logs and audit records: it may name the
// upstream's address, and has no credential. It is one line of ASCII.
func (f *Failure) Reason() string {
	if f.cause == nil {
		return string(f.Kind)
	}
	return string(f.Kind) + ": " + printable(f.cause.Error())
}

const maxReason = 300

// printable makes text of an upstream fit for a log line.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s[:min(len(s), maxReason)])
}

func failure(k Kind, format string, args ...any) *Failure {
	return &Failure{Kind: k, cause: fmt.Errorf(format, args...)}
}

// classify makes an error of the transport ours. answered says that the answer
// had begun.
func classify(ctx context.Context, err error, answered bool) error {
	switch ctx.Err() {
	case nil:
	case context.DeadlineExceeded:
		return &Failure{Kind: Timeout, cause: err}
	default:
		return fmt.Errorf("%w: %w", ErrClientGone, context.Cause(ctx))
	}
	return &Failure{Kind: kind(err, answered), cause: err}
}

func kind(err error, answered bool) Kind {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return DNS
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return Unreachable
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return Timeout
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "remote error" || op.Op == "local error") || is[*handshakeError](err) {
		return TLS // an alert, which may come after the handshake
	}
	if answered {
		return Broken
	}
	if isReset(err) {
		return Reset
	}
	return Malformed
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func isReset(err error) bool {
	if is[textproto.ProtocolError](err) {
		return false
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "server closed idle connection")
}
