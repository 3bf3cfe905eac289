// SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/policy"
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

// identify puts the caller into the record, in CloudTrail's userIdentity.
func identify(rec *audit.Record, c *authn.Caller) {
	rec.Recipient = string(c.Account)
	rec.Region = cmp.Or(c.Region, rec.Region)
	id := &rec.Identity
	*id = audit.Identity{
		Type: identityTypes[c.Principal.Type], PrincipalID: c.UserID, ARN: c.ARN,
		AccountID: string(c.Account), AccessKeyID: c.AccessKeyID,
	}
	if p := c.Proof; p != nil {
		*id = audit.Identity{Type: "WebIdentityUser", PrincipalID: c.UserID, UserName: p.Name, IdentityProvider: p.Issuer}
		if p.SAML {
			id.Type = "SAMLUser"
		}
		return
	}
	if c.User != nil && c.Principal.Type == policy.User {
		id.UserName = c.User.Name
	}
	if c.Session == nil {
		return
	}
	id.Delegate = c.Delegate()
	_, mfa := c.MFA()
	id.Session = &audit.Session{
		Created: c.Session.Issued, MFA: mfa, SourceIdentity: c.Session.SourceIdentity, Issuer: issuer(c), Provider: c.Session.Provider,
		AssumedRoot: c.Session.Kind == session.RootTask,
	}
}

var identityTypes = map[policy.PrincipalType]string{
	policy.User: "IAMUser", policy.RoleSession: "AssumedRole", policy.FederatedUser: "FederatedUser", policy.Root: "Root",
}

// issuer is what a session comes from, for role sessions and federated users.
func issuer(c *authn.Caller) audit.Issuer {
	switch {
	case c.Role != nil:
		return audit.Issuer{
			Type: "Role", PrincipalID: c.Role.ID, ARN: c.View.RoleARN(c.Role),
			AccountID: string(c.Account), UserName: c.Role.Name,
		}
	case c.Session.Kind == session.Federated && c.User != nil:
		return audit.Issuer{
			Type: "IAMUser", PrincipalID: c.User.ID, ARN: c.View.UserARN(c.User),
			AccountID: string(c.Account), UserName: c.User.Name,
		}
	}
	return audit.Issuer{}
}
