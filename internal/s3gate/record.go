// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// begin begins a call and its audit record with what the transport knows. The
// ids of the request are in the header of its answer from here on: the second is
// the id of the record.
func (g *Gate) begin(w http.ResponseWriter, r *http.Request) *call {
	c := &call{g: g, w: w, r: r, ctx: r.Context(), env: g.Env(r), time: g.Now()}
	c.env.Time = c.time
	c.record = audit.Record{
		Time: c.time, Identity: audit.Identity{Type: "Unknown"}, EventName: "Unknown", EventSource: "s3.amazonaws.com",
		Region: g.Region, SourceIP: c.env.SourceIP, UserAgent: c.env.UserAgent,
		RequestID: g.IDs.RequestID(), EventID: g.IDs.RequestID(),
	}
	h := w.Header()
	h["X-Amz-Request-Id"] = []string{c.record.RequestID}
	h["X-Amz-Id-2"] = []string{c.record.EventID}
	return c
}

// complete writes the record of a request with its outcome. That of a change, or
// of what may have become one, is on disk when complete returns; the others follow
// within a second.
func (c *call) complete(fault *awserr.Error) error {
	rec := &c.record
	rec.ReadOnly = !c.changes()
	if fault != nil {
		rec.ErrorCode, rec.ErrorMessage = fault.Code, c.recordedMessage(fault)
		c.logFault(fault)
	} else if c.back.broke != "" {
		rec.ErrorCode, rec.ErrorMessage = internalError.Code, "The answer was broken off: "+c.back.broke
	} else if c.result != nil && c.result.fault() != "" {
		rec.ErrorCode, rec.ErrorMessage = c.result.fault(), "The store began its answer with success, and ended it with this error."
	}
	if c.req != nil {
		rec.Data = c.req.Key != "" || dataEvents[c.req.Op.Name]
		rec.RequestParameters = c.parameters()
		rec.Resources = c.resources()
		if c.caller == nil && c.bucket != nil {
			rec.Recipient = c.bucket.Account
		}
	}
	rec.AdditionalEventData = c.additional()
	return c.g.Audit.Write(rec, c.began && (fault == nil || fault.Status >= clientGone.Status))
}

// dataEvents are the operations on buckets that CloudTrail has among its data
// events, beside all those on objects (S3 User Guide, "Amazon S3 CloudTrail events").
var dataEvents = map[string]bool{
	"DeleteObjects": true, "HeadBucket": true, "ListMultipartUploads": true, "ListObjectVersions": true,
	"ListObjects": true, "ListObjectsV2": true, "PostObject": true,
}

// unrecorded is the answer when the audit log did not take the record: what was
// asked for was not done, or it was and cannot be confirmed.
func (c *call) unrecorded() *awserr.Error {
	if c.began {
		return internalError.Msg("The request could not be recorded.")
	}
	return serviceUnavailable
}

// recordedMessage is the text of a failure in the record: that of a refusal is
// the reason, which the client may not have been told. A text that quotes the
// signature is left out.
func (c *call) recordedMessage(fault *awserr.Error) string {
	switch fault.Code {
	case accessDenied.Code:
		if c.record.Decision.Outcome != audit.Allow && c.record.Decision.Reason != "" {
			return c.record.Decision.Reason
		}
		if cause := fault.Unwrap(); cause != nil {
			return cause.Error()
		}
	case headerMalformed.Code, queryParametersError.Code:
		return "The request signature does not conform to AWS standards."
	case noSuchBucket.Code:
		if c.bucket == nil && c.back.status == 0 {
			return noSuchBucket.Message + ": no account owns it. If the store has it, give it to an account with innkeeper bucket adopt."
		}
	}
	return fault.Message
}

// parameters is what the request asked, as CloudTrail's records of S3 have it.
// The canonical query has no part of a signature, and no header of a presigned
// URL: of headers only a closed list is kept.
func (c *call) parameters() []byte {
	b := make([]byte, 1, 256)
	b[0] = '{'
	if c.req.Bucket != "" {
		b = wire.AppendJSONString(b, "bucketName", c.req.Bucket)
	}
	b = wire.AppendJSONString(b, "Host", c.r.Host)
	if c.req.Key != "" {
		b = wire.AppendJSONString(b, "key", c.req.Key)
	}
	for query := c.req.Query; query != ""; {
		var param string
		param, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(param, "=")
		b = wire.AppendJSONString(b, decoded(name), decoded(value))
	}
	for _, name := range recordedHeaders {
		if v := c.header[name]; len(v) > 0 {
			b = wire.AppendJSONString(b, strings.ToLower(name), v[0])
		}
	}
	return append(b, '}')
}

// recordedHeaders are the headers that a record keeps, in the spelling of
// http.Header. It is a closed list, so that no secret is ever among them.
var recordedHeaders = []string{
	"X-Amz-Acl", "X-Amz-Bypass-Governance-Retention", "X-Amz-Copy-Source", "X-Amz-Expected-Bucket-Owner",
	"X-Amz-Metadata-Directive", "X-Amz-Object-Lock-Legal-Hold", "X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Retain-Until-Date",
	"X-Amz-Object-Ownership", "X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
	"X-Amz-Storage-Class", "X-Amz-Tagging", "X-Amz-Tagging-Directive", "X-Amz-Website-Redirect-Location",
}

func decoded(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	if d, err := url.PathUnescape(s); err == nil { // a plus is a plus here: the query is in its canonical form
		return d
	}
	return s
}

// resources are what the request was about, as CloudTrail lists them for S3.
func (c *call) resources() []audit.Resource {
	if c.req.Bucket == "" {
		return nil
	}
	list := make([]audit.Resource, 0, 2)
	account := ""
	if c.bucket != nil {
		account = c.bucket.Account
	}
	if c.req.Key != "" {
		list = append(list, audit.Resource{ARN: bucketARN(c.req.Bucket) + "/" + c.req.Key, Type: "AWS::S3::Object"})
	}
	list = append(list, audit.Resource{ARN: bucketARN(c.req.Bucket), AccountID: account, Type: "AWS::S3::Bucket"})
	if c.source != nil {
		list = append(list, audit.Resource{ARN: bucketARN(c.req.SourceBucket) + "/" + c.req.SourceKey, AccountID: c.source.Account, Type: "AWS::S3::Object"})
	}
	return list
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }

// additional is what CloudTrail adds to its records of S3, and what the store
// said.
func (c *call) additional() []byte {
	b := make([]byte, 1, 320)
	b[0] = '{'
	if c.sig != nil {
		b = wire.AppendJSONString(b, "SignatureVersion", "SigV4")
		b = wire.AppendJSONString(b, "AuthenticationMethod", c.method())
	}
	b = appendCount(b, "bytesTransferredIn", c.in)
	b = appendCount(b, "bytesTransferredOut", c.out)
	b = wire.AppendJSONString(b, "x-amz-id-2", c.record.EventID)
	b = appendCount(b, "milliseconds", c.g.Now().Sub(c.time).Milliseconds())
	if c.back.status != 0 {
		b = appendCount(b, "upstreamStatus", int64(c.back.status))
	}
	if id := c.back.requestID; id != "" {
		b = wire.AppendJSONString(b, "upstreamRequestId", id)
	}
	if why := c.back.failure; why != "" {
		b = wire.AppendJSONString(b, "upstreamFailure", why)
	}
	if why := c.back.broke; why != "" {
		b = wire.AppendJSONString(b, "brokenOffBy", why)
	}
	if d := c.deletion; d != nil && len(d.refused) > 0 {
		b = appendCount(b, "keysRefused", int64(len(d.refused)))
	}
	return append(b, '}')
}

// method is CloudTrail's name for where a signature was.
func (c *call) method() string {
	switch {
	case c.form != nil:
		return "HtmlForm"
	case c.sig.Presigned:
		return "QueryString"
	}
	return "AuthHeader"
}

func appendCount(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(wire.AppendJSONKey(b, name), n, 10)
}
