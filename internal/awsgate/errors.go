// SPDX-License-Identifier: Apache-2.0

package awsgate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/classify"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// Errors that are EC2's own (EC2 API Reference, "Error codes").
var (
	authFailure  = &awserr.Error{Code: "AuthFailure", Status: 401, Fault: awserr.Sender, Message: "AWS was not able to validate the provided access credentials"}
	unauthorized = &awserr.Error{Code: "UnauthorizedOperation", Status: 403, Fault: awserr.Sender}
)

// clientGone is for records: nobody reads the answer.
var clientGone = &awserr.Error{Code: "ClientDisconnected", Status: 499, Fault: awserr.Sender, Message: "The client closed the connection before it was answered."}

// answerOf turns the error of a stage into the one that the client gets, in its protocol. answerOf(nil) is nil.
func (c *call) answerOf(err error) *awserr.Error {
	if err == nil {
		return nil
	}
	return c.inProtocol(faultOf(err))
}

// faultOf is the answer in the Query protocol.
func faultOf(err error) *awserr.Error {
	if e, ok := errors.AsType[*awserr.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*authz.DeniedError](err); ok {
		return awserr.AccessDenied.Msg("%s", e.Error()).Because(errors.New(e.Summary))
	}
	if e, ok := errors.AsType[*classify.Error](err); ok {
		return notUnderstood(e)
	}
	if e, ok := errors.AsType[*upstream.Failure](err); ok {
		return awserr.ServiceUnavailable.Msg("%s", e.Error()).Because(errors.New(e.Reason()))
	}
	if e := signature(err); e != nil {
		return e
	}
	switch {
	case errors.Is(err, upstream.ErrClientGone):
		return clientGone.Because(err)
	case errors.Is(err, authn.ErrUnknownKey):
		return awserr.InvalidClientTokenId.Because(err)
	case errors.Is(err, authn.ErrExpired):
		return awserr.ExpiredToken.Because(err)
	case errors.Is(err, authz.ErrUnrecorded), errors.Is(err, store.ErrStale), errors.Is(err, store.ErrFormat):
		return awserr.ServiceUnavailable.Because(err)
	}
	return awserr.From(err)
}

// notUnderstood is the answer to a request that could not be classified. It says why: who signed it has to change it.
func notUnderstood(e *classify.Error) *awserr.Error {
	switch e.Code {
	case classify.Unknown:
		return awserr.InvalidAction.Msg("The gateway does not know what is asked for: %s.", e.Reason).Because(e)
	case classify.Foreign:
		return awserr.AccessDenied.Msg("%s.", e.Reason).Because(e)
	}
	return awserr.MalformedInput.Msg("The gateway cannot tell what is asked for: %s.", e.Reason).Because(e)
}

// signature maps the errors of package sigv4.
func signature(err error) *awserr.Error {
	if errors.Is(err, sigv4.ErrMissing) {
		return awserr.MissingAuthenticationToken.Because(err)
	}
	if errors.Is(err, sigv4.ErrSigV2) || errors.Is(err, sigv4.ErrTwoForms) {
		return awserr.IncompleteSignature.Msg("%s", err.Error())
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
	return nil
}

// otherCodes has what protocols answer in place of the errors of Query that the stages have in common.
var otherCodes = map[classify.Protocol]map[string]*awserr.Error{
	classify.JSON: jsonCodes, classify.CBOR: jsonCodes, classify.RESTJSON: jsonCodes,
	classify.EC2: {
		awserr.AccessDenied.Code: unauthorized, awserr.InvalidClientTokenId.Code: authFailure, awserr.SignatureDoesNotMatch.Code: authFailure,
	},
}

var jsonCodes = map[string]*awserr.Error{
	awserr.AccessDenied.Code:               awserr.AccessDeniedException,
	awserr.ExpiredToken.Code:               awserr.ExpiredTokenException,
	awserr.IncompleteSignature.Code:        awserr.IncompleteSignatureException,
	awserr.InvalidAction.Code:              awserr.UnknownOperationException,
	awserr.InvalidClientTokenId.Code:       awserr.UnrecognizedClientException,
	awserr.MalformedInput.Code:             awserr.SerializationException,
	awserr.MissingAuthenticationToken.Code: awserr.MissingAuthenticationTokenException,
	awserr.RequestEntityTooLarge.Code:      awserr.RequestEntityTooLargeException,
	awserr.RequestExpired.Code:             awserr.InvalidSignatureException,
	awserr.ServiceFailure.Code:             awserr.InternalFailure,
	awserr.ServiceUnavailable.Code:         awserr.ServiceUnavailableException,
	awserr.SignatureDoesNotMatch.Code:      awserr.InvalidSignatureException,
}

// inProtocol is an error of Query as the request's protocol has it.
func (c *call) inProtocol(fault *awserr.Error) *awserr.Error {
	other, ok := otherCodes[c.protocol][fault.Code]
	if !ok {
		return fault
	}
	return other.Msg("%s", fault.Message).Because(fault.Unwrap())
}

// refuse sends an error in the request's protocol.
func (c *call) refuse(fault *awserr.Error) {
	h := c.w.Header()
	h["X-Amzn-Requestid"] = []string{c.record.RequestID}
	h["Cache-Control"] = []string{"no-store"}
	var b []byte
	switch c.protocol {
	case classify.JSON, classify.RESTJSON:
		h["X-Amzn-Errortype"] = []string{fault.Code}
		h["Content-Type"] = []string{"application/x-amz-json-1.1"}
		if c.protocol == classify.RESTJSON {
			h["Content-Type"] = []string{"application/json"}
		}
		b = wire.AppendJSONError(nil, fault)
	case classify.CBOR:
		h["Content-Type"] = []string{"application/cbor"}
		h["Smithy-Protocol"] = []string{"rpc-v2-cbor"}
		b = appendCBOR(nil, "__type", fault.Code, "message", fault.Message)
	case classify.EC2:
		h["Content-Type"] = []string{"text/xml"}
		b = appendEC2(nil, fault, c.record.RequestID)
	default:
		h["Content-Type"] = []string{"text/xml"}
		b = wire.AppendError(nil, "https://"+c.record.EventSource+"/doc/", fault, c.record.RequestID)
	}
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	c.w.WriteHeader(fault.Status)
	if c.r.Method != http.MethodHead {
		c.w.Write(b) // the client may have gone; the record is complete all the same
	}
}

// appendEC2 appends an error as EC2 has it.
func appendEC2(b []byte, e *awserr.Error, id string) []byte {
	b = append(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"...)
	b = wire.AppendString(wire.AppendString(b, "Code", e.Code), "Message", e.Message)
	b = append(b, "</Error></Errors>"...)
	return append(wire.AppendString(b, "RequestID", id), "</Response>"...)
}

// appendCBOR appends a map of texts, given as names and values.
func appendCBOR(b []byte, pairs ...string) []byte {
	b = append(b, 0xa0|byte(len(pairs)/2))
	for _, s := range pairs {
		b = binary.BigEndian.AppendUint32(append(b, 0x7a), uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

func (c *call) logFault(e *awserr.Error) {
	if e.Status >= 500 {
		c.g.Log.Error("request failed", "request", c.record.RequestID, "operation", c.record.EventName, "error", e.Error())
	}
}

func (c *call) panicked(p any) error {
	c.g.Log.Error("panic while serving", "request", c.record.RequestID, "operation", c.record.EventName,
		"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return fmt.Errorf("awsgate: panic in %s: %v", c.record.EventName, p)
}
