// SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// beginRecord begins the audit record of a request with what the transport
// knows.
func (s *Server) beginRecord(r *http.Request, c *Call) {
	c.record = audit.Record{
		Time: c.Time, Identity: audit.Identity{Type: "Unknown"}, EventName: "Unknown",
		EventSource: r.Host, Region: s.Region, SourceIP: c.Env.SourceIP, UserAgent: c.Env.UserAgent,
		RequestID: c.RequestID, EventID: s.IDs.RequestID(),
	}
}

// complete writes the record of a request with its outcome. A durable one is on
// disk when complete returns; the others follow within a second.
func (s *Server) complete(c *Call, fault *awserr.Error) error {
	rec := &c.record
	rec.ReadOnly = !c.op.Changes
	if fault != nil {
		rec.ErrorCode, rec.ErrorMessage = fault.Code, recordedMessage(rec, fault)
		rec.ResponseElements = nil
	}
	return s.Audit.Write(rec, c.changed(fault))
}

// changed reports whether the request changed something, or may have because the
// operation failed half-way.
func (c *Call) changed(fault *awserr.Error) bool {
	return c.op.Changes && c.began && (fault == nil || fault.Status >= http.StatusInternalServerError)
}

// unrecorded is the answer when the audit log did not take the record: what was
// asked for was not done, or it was and cannot be confirmed.
func unrecorded(c *Call) *awserr.Error {
	if c.began {
		return awserr.ServiceFailure.Msg("The request could not be recorded.")
	}
	return awserr.ServiceUnavailable
}

// recordedMessage is the text of a failure in the record: that of a refusal is
// the reason, which the client may not have been told. A text that quotes the
// signature is left out: who exchanges the two halves of a key sends the secret
// where its id belongs.
func recordedMessage(rec *audit.Record, fault *awserr.Error) string {
	if fault.Is(awserr.AccessDenied) || fault.Is(awserr.AccessDeniedException) && rec.Decision.Outcome != audit.Allow {
		return cmp.Or(rec.Decision.Reason, fault.Message)
	}
	if fault.Is(awserr.SignatureDoesNotMatch) || fault.Is(awserr.InvalidSignatureException) {
		return awserr.SignatureDoesNotMatch.Message
	}
	if fault.Is(awserr.IncompleteSignature) || fault.Is(awserr.IncompleteSignatureException) {
		return "The request signature does not conform to AWS standards."
	}
	return fault.Message
}
