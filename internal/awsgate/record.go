// SPDX-License-Identifier: Apache-2.0

package awsgate

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/classify"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// begin begins a call and its audit record with what the transport knows.
func (g *Gate) begin(w http.ResponseWriter, r *http.Request) *call {
	c := &call{g: g, w: w, r: r, ctx: r.Context(), env: g.Env(r), time: g.Now(), protocol: classify.ProtocolOf("", r.Header)}
	c.env.Time = c.time
	c.record = audit.Record{
		Time: c.time, Identity: audit.Identity{Type: "Unknown"}, EventName: "Unknown", EventSource: r.Host,
		Region: g.Region, SourceIP: c.env.SourceIP, UserAgent: c.env.UserAgent,
		RequestID: g.IDs.RequestID(), EventID: g.IDs.RequestID(),
	}
	return c
}

// complete writes the record of a request with its outcome. That of a change is on disk when complete returns; the others
// follow within a second. Parameters are not recorded, since any of them may be a secret; the resources are.
func (c *call) complete(fault *awserr.Error) error {
	rec := &c.record
	rec.ReadOnly = c.asked != nil && c.asked.ReadOnly
	switch {
	case fault != nil:
		rec.ErrorCode, rec.ErrorMessage = fault.Code, c.recordedMessage(fault)
		c.logFault(fault)
	case c.broke != "":
		rec.ErrorCode, rec.ErrorMessage = awserr.InternalFailure.Code, "The answer was broken off: "+c.broke
	case c.status >= http.StatusBadRequest:
		rec.ErrorCode, rec.ErrorMessage = "HTTP "+strconv.Itoa(c.status), "The service refused the request."
	}
	if c.asked != nil {
		for _, one := range c.asked.Checks {
			if one.Resource != "*" {
				rec.Resources = append(rec.Resources, audit.Resource{ARN: one.Resource, AccountID: c.owner})
			}
		}
	}
	rec.AdditionalEventData = c.additional()
	return c.g.Audit.Write(rec, c.began && (fault == nil || fault.Status >= http.StatusInternalServerError))
}

// unrecorded is the answer when the audit log did not take the record: what was asked for was not done, or it was and
// cannot be confirmed.
func (c *call) unrecorded() *awserr.Error {
	if c.began {
		return c.inProtocol(awserr.ServiceFailure.Msg("The request could not be recorded."))
	}
	return c.inProtocol(awserr.ServiceUnavailable)
}

// recordedMessage is the text of a failure in the record: that of a refusal is the reason, which the client may not have
// been told. A text that quotes the signature is left out.
func (c *call) recordedMessage(fault *awserr.Error) string {
	switch fault.Code {
	case awserr.AccessDenied.Code, awserr.AccessDeniedException.Code, unauthorized.Code:
		if c.record.Decision.Outcome != audit.Allow && c.record.Decision.Reason != "" {
			return c.record.Decision.Reason
		}
		if cause := fault.Unwrap(); cause != nil {
			return cause.Error()
		}
	case awserr.SignatureDoesNotMatch.Code, awserr.InvalidSignatureException.Code, authFailure.Code:
		return awserr.SignatureDoesNotMatch.Message
	case awserr.IncompleteSignature.Code, awserr.IncompleteSignatureException.Code:
		return "The request signature does not conform to AWS standards."
	}
	return fault.Message
}

// additional is what CloudTrail adds to records of data events, and what the service said.
func (c *call) additional() []byte {
	b := make([]byte, 1, 256)
	b[0] = '{'
	if c.sig != nil {
		b = wire.AppendJSONString(b, "SignatureVersion", "SigV4")
		b = wire.AppendJSONString(b, "AuthenticationMethod", "AuthHeader")
	}
	b = appendCount(b, "bytesTransferredIn", int64(len(c.body)))
	b = appendCount(b, "bytesTransferredOut", c.out)
	b = appendCount(b, "milliseconds", c.g.Now().Sub(c.time).Milliseconds())
	if c.status != 0 {
		b = appendCount(b, "upstreamStatus", int64(c.status))
	}
	for _, one := range []struct{ name, value string }{
		{"upstreamRequestId", c.backID}, {"upstreamFailure", c.failure}, {"brokenOffBy", c.broke},
	} {
		if one.value != "" {
			b = wire.AppendJSONString(b, one.name, one.value)
		}
	}
	return append(b, '}')
}

func appendCount(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(wire.AppendJSONKey(b, name), n, 10)
}

// relay sends the answer of the service.
func (c *call) relay(resp *http.Response) {
	h := c.w.Header()
	h["X-Amzn-Requestid"] = []string{c.record.RequestID}
	delete(resp.Header, "X-Amzn-Requestid")
	n, err := upstream.Relay(c.w, resp)
	c.out = n
	if e, ok := errors.AsType[*upstream.Failure](err); ok {
		c.broke = "the service: " + e.Reason()
	} else if err != nil {
		c.broke = cmp.Or(c.broke, "the client")
	}
}
