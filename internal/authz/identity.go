// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"cmp"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Identify puts the caller into the record, in CloudTrail's userIdentity. A nil
// caller is anonymous, as CloudTrail has it for S3: an account without an id.
func Identify(rec *audit.Record, c *authn.Caller) {
	if c == nil {
		rec.Identity = audit.Identity{Type: "AWSAccount", PrincipalID: "", AccountID: "ANONYMOUS_PRINCIPAL"}
		return
	}
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
