// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// Scan reads a line of a log into r, as json.Unmarshal does, but several times as
// fast if a Log of this version wrote the line. What r holds may share memory with
// line.
func Scan(line string, r *Record) error {
	s := scanner{rest: line}
	*r = Record{Decision: Decision{Checks: r.Decision.Checks[:0]}, Resources: r.Resources[:0]}
	s.record(r)
	if s.failed || s.rest != "" {
		*r = Record{}
		return json.Unmarshal([]byte(line), r)
	}
	if len(r.Resources) == 0 {
		r.Resources = nil
	}
	if len(r.Decision.Checks) == 0 {
		r.Decision.Checks = nil
	}
	return nil
}

// A scanner undoes what AppendJSON does, member by member. When anything is not
// just so, it has failed, and what it returned means nothing.
type scanner struct {
	rest   string
	failed bool
}

// try reads a text if it comes next.
func (s *scanner) try(text string) bool {
	rest, ok := strings.CutPrefix(s.rest, text)
	s.rest = rest
	return ok
}

// must reads a text, which comes next.
func (s *scanner) must(text string) {
	if !s.try(text) {
		s.failed = true
	}
}

// string reads a string.
func (s *scanner) string() string {
	if s.rest == "" || s.rest[0] != '"' {
		s.failed = true
		return ""
	}
	end := s.stringEnd(0)
	if end < 0 {
		s.failed = true
		return ""
	}
	text := s.rest[1 : end-1]
	plain := true
	for i := range len(text) {
		if c := text[i]; c == '\\' || c < ' ' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if !plain {
		var out string
		if json.Unmarshal([]byte(s.rest[:end]), &out) != nil {
			s.failed = true
		}
		text = out
	}
	s.rest = s.rest[end:]
	return text
}

// stringEnd returns where the string ends that begins at i, -1 if it does not.
func (s *scanner) stringEnd(i int) int {
	for i++; i < len(s.rest); i++ {
		n := strings.IndexByte(s.rest[i:], '"')
		if n < 0 {
			return -1
		}
		slash := strings.IndexByte(s.rest[i:i+n], '\\')
		if slash < 0 {
			return i + n + 1
		}
		i += slash + 1 // and the character behind it
	}
	return -1
}

// always reads a member that every record has, given as `"name":`.
func (s *scanner) always(name string) string {
	s.must(name)
	return s.string()
}

// some reads a member that a record may lack.
func (s *scanner) some(name string) string {
	if !s.try(name) {
		return ""
	}
	return s.string()
}

func (s *scanner) bool(name string) bool {
	s.must(name)
	if s.try("true") {
		return true
	}
	s.must("false")
	return false
}

func (s *scanner) number(name string) (n int) {
	if !s.try(name) {
		return 0
	}
	i := 0
	for ; i < len(s.rest) && i < 10 && '0' <= s.rest[i] && s.rest[i] <= '9'; i++ {
		n = 10*n + int(s.rest[i]-'0')
	}
	if i == 0 || i == 10 || i > 1 && s.rest[0] == '0' {
		s.failed = true
	}
	s.rest = s.rest[i:]
	return n
}

func (s *scanner) time(name string) time.Time {
	t, err := time.Parse(time.RFC3339, s.always(name))
	if err != nil {
		s.failed = true
	}
	return t
}

// raw reads a member that is any value; it must be valid JSON.
func (s *scanner) raw(name string) json.RawMessage {
	s.must(name)
	depth := 0
	for i := 0; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '"':
			end := s.stringEnd(i)
			if end < 0 {
				s.failed = true
				return nil
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 0 {
				value := s.rest[:i]
				s.rest = s.rest[i:]
				return rawOf(value)
			}
			if s.rest[i] != ',' {
				depth--
			}
		}
	}
	s.failed = true
	return nil
}

func rawOf(value string) json.RawMessage {
	if value == "null" {
		return nil
	}
	return json.RawMessage(value)
}

func (s *scanner) record(r *Record) {
	s.must(`{"eventVersion":"` + version + `",`)
	s.identity(&r.Identity)
	r.Time = s.time(`,"eventTime":`)
	r.EventSource = s.always(`,"eventSource":`)
	r.EventName = s.always(`,"eventName":`)
	r.Region = s.always(`,"awsRegion":`)
	r.SourceIP = s.always(`,"sourceIPAddress":`)
	r.UserAgent = s.always(`,"userAgent":`)
	r.ErrorCode = s.some(`,"errorCode":`)
	r.ErrorMessage = s.some(`,"errorMessage":`)
	r.RequestParameters = s.raw(`,"requestParameters":`)
	r.ResponseElements = s.raw(`,"responseElements":`)
	if strings.HasPrefix(s.rest, `,"additionalEventData":`) {
		r.AdditionalEventData = s.raw(`,"additionalEventData":`)
	}
	r.RequestID = s.always(`,"requestID":`)
	r.EventID = s.always(`,"eventID":`)
	r.ReadOnly = s.bool(`,"readOnly":`)
	s.resources(r)
	if r.EventType = s.always(`,"eventType":`); r.EventType == "AwsApiCall" {
		r.EventType = ""
	}
	s.bool(`,"managementEvent":`)
	r.Recipient = s.always(`,"recipientAccountId":`)
	r.SharedEventID = s.some(`,"sharedEventID":`)
	r.Data = s.always(`,"eventCategory":`) == "Data"
	s.decision(&r.Decision)
	s.must("}")
}

func (s *scanner) identity(i *Identity) {
	i.Type = s.always(`"userIdentity":{"type":`)
	i.PrincipalID = s.some(`,"principalId":`)
	i.ARN = s.some(`,"arn":`)
	i.AccountID = s.some(`,"accountId":`)
	i.AccessKeyID = s.some(`,"accessKeyId":`)
	i.UserName = s.some(`,"userName":`)
	i.IdentityProvider = s.some(`,"identityProvider":`)
	if s.try(`,"sessionContext":{`) {
		i.Session = s.session()
	}
	i.InvokedBy = s.some(`,"invokedBy":`)
	if s.try(`,"invokedByDelegate":{`) {
		i.Delegate = s.always(`"accountId":`)
		s.must("}")
	}
	s.must("}")
}

func (s *scanner) session() *Session {
	var c Session
	if s.try(`"sessionIssuer":{`) {
		s.members(
			member{"type", &c.Issuer.Type}, member{"principalId", &c.Issuer.PrincipalID}, member{"arn", &c.Issuer.ARN},
			member{"accountId", &c.Issuer.AccountID}, member{"userName", &c.Issuer.UserName},
		)
		s.must("},")
	}
	if s.try(`"webIdFederationData":{`) {
		c.Provider = s.always(`"federatedProvider":`)
		s.must("},")
	}
	s.must(`"attributes":{`)
	c.Created = s.time(`"creationDate":`)
	c.MFA = s.always(`,"mfaAuthenticated":`) == "true"
	s.must("}")
	c.SourceIdentity = s.some(`,"sourceIdentity":`)
	c.AssumedRoot = s.some(`,"assumedRoot":`) == "true"
	s.must("}")
	return &c
}

// A member is a string that an object may have.
type member struct {
	name string
	to   *string
}

// members reads those of an object that are there, in order.
func (s *scanner) members(all ...member) {
	first := true
	for _, m := range all {
		rest := s.rest
		if !first && !s.try(",") || !s.try(`"`) || !s.try(m.name) || !s.try(`":`) {
			s.rest = rest
			continue
		}
		*m.to = s.string()
		first = false
	}
}

func (s *scanner) resources(r *Record) {
	if !s.try(`,"resources":[`) {
		return
	}
	for more := true; more && !s.failed; more = s.try(",") {
		var one Resource
		s.must("{")
		s.members(member{"ARN", &one.ARN}, member{"accountId", &one.AccountID}, member{"type", &one.Type})
		s.must("}")
		r.Resources = append(r.Resources, one)
	}
	s.must("]")
}

func (s *scanner) decision(d *Decision) {
	if !s.try(`,"innkeeper":{`) {
		return
	}
	s.check(&d.Check)
	first := d.Check == (Check{})
	if (first || s.try(",")) && s.try(`"checks":[`) {
		for more := true; more && !s.failed; more = s.try(",") {
			var c Check
			s.must("{")
			s.check(&c)
			s.must("}")
			d.Checks = append(d.Checks, c)
		}
		s.must("]")
	}
	s.must("}")
}

// check reads the members of a check, of which none may be there.
func (s *scanner) check(c *Check) {
	s.members(
		member{"action", &c.Action}, member{"resource", &c.Resource}, member{"decision", &c.Outcome}, member{"layer", &c.Layer},
		member{"policy", &c.Policy}, member{"sid", &c.Sid},
	)
	c.Statement = s.number(`,"statement":`)
	c.Line = s.number(`,"line":`)
	c.Column = s.number(`,"column":`)
	c.Reason = s.some(`,"reason":`)
	if s.try(`,"learned":true`) {
		c.Learned = true
	}
}
