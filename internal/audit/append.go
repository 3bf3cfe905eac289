// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// Limits of a record. The first three are CloudTrail's ("record contents").
const (
	maxText   = 1 << 10   // bytes of an error message or a user agent
	maxRaw    = 100 << 10 // bytes of a raw field
	version   = "1.11"
	maxString = 2 << 10
	maxChecks = 100
)

const timeFormat = "2006-01-02T15:04:05Z"

// AppendJSON appends the record as one line of JSON, without a line break. It
// allocates nothing beyond growing b, save for a raw field that holds line
// breaks.
func (r *Record) AppendJSON(b []byte) []byte {
	e := encoder{b: append(b, '{')}
	e.always("eventVersion", version)
	e.identity(&r.Identity)
	e.time("eventTime", r.Time)
	e.always("eventSource", r.EventSource)
	e.always("eventName", r.EventName)
	e.always("awsRegion", r.Region)
	e.always("sourceIPAddress", r.SourceIP)
	e.always("userAgent", cut(r.UserAgent, maxText))
	e.some("errorCode", r.ErrorCode)
	e.some("errorMessage", cut(r.ErrorMessage, maxText))
	e.raw("requestParameters", r.RequestParameters)
	e.raw("responseElements", r.ResponseElements)
	if r.AdditionalEventData != nil {
		e.raw("additionalEventData", r.AdditionalEventData)
	}
	e.always("requestID", r.RequestID)
	e.always("eventID", r.EventID)
	e.bool("readOnly", r.ReadOnly)
	e.resources(r.Resources)
	if r.EventType == "" {
		e.always("eventType", "AwsApiCall")
	} else {
		e.always("eventType", r.EventType)
	}
	e.bool("managementEvent", !r.Data)
	e.always("recipientAccountId", r.Recipient)
	e.some("sharedEventID", r.SharedEventID)
	if r.Data {
		e.always("eventCategory", "Data")
	} else {
		e.always("eventCategory", "Management")
	}
	e.decision(&r.Decision)
	return append(e.b, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (r *Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

// An encoder appends JSON. Every name is a constant that needs no escape.
type encoder struct{ b []byte }

// name appends a comma, unless it is the first in its object, and the name.
func (e *encoder) name(name string) {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

func (e *encoder) open(name string) {
	e.name(name)
	e.b = append(e.b, '{')
}

func (e *encoder) close() { e.b = append(e.b, '}') }

func (e *encoder) always(name, value string) {
	e.name(name)
	e.b = appendString(e.b, cut(value, maxString))
}

func (e *encoder) some(name, value string) {
	if value != "" {
		e.always(name, value)
	}
}

func (e *encoder) bool(name string, value bool) {
	e.name(name)
	e.b = strconv.AppendBool(e.b, value)
}

func (e *encoder) number(name string, value int) {
	if value != 0 {
		e.name(name)
		e.b = strconv.AppendInt(e.b, int64(value), 10)
	}
}

func (e *encoder) time(name string, t time.Time) {
	e.name(name)
	e.b = append(e.b, '"')
	e.b = t.UTC().AppendFormat(e.b, timeFormat)
	e.b = append(e.b, '"')
}

func (e *encoder) raw(name string, raw json.RawMessage) {
	e.name(name)
	switch {
	case raw == nil:
		e.b = append(e.b, "null"...)
	case len(raw) > maxRaw:
		e.b = append(e.b, `{"omitted":true,"originalSize":`...)
		e.b = strconv.AppendInt(e.b, int64(len(raw)), 10)
		e.b = append(e.b, '}')
	case !json.Valid(raw) || !utf8.Valid(raw):
		e.b = appendString(e.b, string(raw))
	case bytes.IndexByte(raw, '\n') >= 0 || bytes.IndexByte(raw, '\r') >= 0:
		var line bytes.Buffer
		_ = json.Compact(&line, raw) // it is valid
		e.b = append(e.b, line.Bytes()...)
	default:
		e.b = append(e.b, raw...)
	}
}

func (e *encoder) identity(i *Identity) {
	e.open("userIdentity")
	e.always("type", i.Type)
	e.some("principalId", i.PrincipalID)
	e.some("arn", i.ARN)
	e.some("accountId", i.AccountID)
	e.some("accessKeyId", i.AccessKeyID)
	e.some("userName", i.UserName)
	e.some("identityProvider", i.IdentityProvider)
	if s := i.Session; s != nil {
		e.open("sessionContext")
		if s.Issuer != (Issuer{}) {
			e.open("sessionIssuer")
			e.some("type", s.Issuer.Type)
			e.some("principalId", s.Issuer.PrincipalID)
			e.some("arn", s.Issuer.ARN)
			e.some("accountId", s.Issuer.AccountID)
			e.some("userName", s.Issuer.UserName)
			e.close()
		}
		if s.Provider != "" {
			e.open("webIdFederationData")
			e.always("federatedProvider", s.Provider)
			e.close()
		}
		e.open("attributes")
		e.time("creationDate", s.Created)
		e.always("mfaAuthenticated", strconv.FormatBool(s.MFA)) // a string in CloudTrail
		e.close()
		e.some("sourceIdentity", s.SourceIdentity)
		if s.AssumedRoot {
			e.always("assumedRoot", "true") // a string in CloudTrail
		}
		e.close()
	}
	e.some("invokedBy", i.InvokedBy)
	if i.Delegate != "" {
		e.open("invokedByDelegate")
		e.always("accountId", i.Delegate)
		e.close()
	}
	e.close()
}

func (e *encoder) resources(all []Resource) {
	if len(all) == 0 {
		return
	}
	e.name("resources")
	e.b = append(e.b, '[')
	for i := range all[:min(len(all), maxChecks)] {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(e.b, '{')
		e.some("ARN", all[i].ARN)
		e.some("accountId", all[i].AccountID)
		e.some("type", all[i].Type)
		e.close()
	}
	e.b = append(e.b, ']')
}

// decision appends the one extension to CloudTrail's form.
func (e *encoder) decision(d *Decision) {
	if d.Check == (Check{}) && len(d.Checks) == 0 {
		return
	}
	e.open("innkeeper")
	e.check(&d.Check)
	if len(d.Checks) > 0 {
		e.name("checks")
		e.b = append(e.b, '[')
		for i := range d.Checks[:min(len(d.Checks), maxChecks)] {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			e.b = append(e.b, '{')
			e.check(&d.Checks[i])
			e.close()
		}
		e.b = append(e.b, ']')
	}
	e.close()
}

func (e *encoder) check(c *Check) {
	e.some("action", c.Action)
	e.some("resource", c.Resource)
	e.some("decision", c.Outcome)
	e.some("layer", c.Layer)
	e.some("policy", c.Policy)
	e.some("sid", c.Sid)
	e.number("statement", c.Statement)
	e.number("line", c.Line)
	e.number("column", c.Column)
	e.some("reason", c.Reason)
	if c.Learned {
		e.bool("learned", true)
	}
}

// cut returns s, or the start of it that has at most n bytes and no half of a
// character at its end.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}

// plain tells the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends s as a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		n := 0
		for n < len(s) && plain[s[n]] {
			n++
		}
		b = append(b, s[:n]...)
		if s = s[n:]; s == "" {
			return append(b, '"')
		}
		if s[0] >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s)
			b = utf8.AppendRune(b, r)
			s = s[size:]
			continue
		}
		b = appendEscape(b, s[0])
		s = s[1:]
	}
}

// appendEscape appends the escape for a byte that is ASCII and not plain.
func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
