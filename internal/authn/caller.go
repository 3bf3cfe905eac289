// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"errors"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Caller is who made a request, as proven by its signature, together with the
// one view of the account that every later step of the request reads.
// It is not modified after Authenticate returned it.
type Caller struct {
	Account     arn.AccountID
	ARN         string // as GetCallerIdentity shows it
	UserID      string // as GetCallerIdentity shows it: AIDA…, AROA…:session, account:name, or the account id for root
	AccessKeyID string
	Region      string // of the credential scope
	Principal   policy.Principal

	View    *store.View
	User    *store.User     // the user behind the call: also of its GetSessionToken and federation sessions; nil for root and roles
	Role    *store.Role     // the role of a role session, else nil
	Session *session.Claims // nil for long-term keys
	Proof   *Proof          // of a caller that an identity provider vouches for, who has no credentials and no ARN; else nil
}

// Root reports whether the caller is the account's root user, with its own key
// or in a session made from it.
func (c *Caller) Root() bool { return c.Principal.Type == policy.Root }

// Temporary reports whether the credentials are temporary.
func (c *Caller) Temporary() bool { return c.Session != nil }

// Delegate returns the account that acts in the caller's name by an accepted
// delegation request, "" if the caller acts itself or is nobody (nil).
func (c *Caller) Delegate() string {
	if c == nil || c.Session == nil {
		return ""
	}
	return c.Session.Delegate
}

// MFA returns the time of multi-factor authentication and whether there was one.
func (c *Caller) MFA() (time.Time, bool) {
	if c.Session == nil || c.Session.MFA.IsZero() {
		return time.Time{}, false
	}
	return c.Session.MFA, true
}

// longTerm completes a caller from a user's or the root user's own key.
func (c *Caller) longTerm(u *store.User) {
	if u == nil {
		c.asRoot()
		return
	}
	c.asUser(u)
}

func (c *Caller) asRoot() {
	c.ARN, c.UserID = arn.Root(c.Account).String(), string(c.Account)
	c.Principal = policy.Principal{Type: policy.Root, ARN: c.ARN, Account: string(c.Account), ID: string(c.Account)}
}

func (c *Caller) asUser(u *store.User) {
	c.User = u
	c.ARN, c.UserID = c.View.UserARN(u), u.ID
	c.Principal = policy.Principal{Type: policy.User, ARN: c.ARN, Account: string(c.Account), ID: u.ID}
}

func (c *Caller) asRole(r *store.Role, name string) {
	c.Role = r
	c.ARN, c.UserID = arn.AssumedRole(c.Account, r.Name, name).String(), r.ID+":"+name
	c.Principal = policy.Principal{
		Type: policy.RoleSession, ARN: c.ARN, Account: string(c.Account), ID: r.ID, Role: c.View.RoleARN(r),
	}
}

func (c *Caller) asFederated(u *store.User, name string) {
	c.User = u
	c.ARN, c.UserID = arn.FederatedUser(c.Account, name).String(), string(c.Account)+":"+name
	c.Principal = policy.Principal{Type: policy.FederatedUser, ARN: c.ARN, Account: string(c.Account)}
	if u != nil {
		c.Principal.ID, c.Principal.User = u.ID, c.View.UserARN(u)
	}
}

// ErrSessionCall says that the operation cannot be called with temporary
// credentials of this kind.
var ErrSessionCall = errors.New("authn: not to be called with session credentials")

// May says whether credentials of this kind may call an operation at all,
// whatever the policies say: nil, ErrUnknownKey or ErrSessionCall. Rules: IAM
// User Guide, "Request temporary security credentials", comparison of STS
// operations. GetSessionToken credentials of the principal itself reach IAM only with MFA, and of STS
// AssumeRole, GetCallerIdentity and GetWebIdentityToken; federation credentials
// never reach IAM, and of STS GetCallerIdentity. No session makes further long
// sessions.
//
// quirk Q093: a delegate gets no further credentials from STS: they would outlive
// what it was lent, and not show that it acts.
func (c *Caller) May(service, operation string) error {
	if c.Session == nil {
		return nil
	}
	_, mfa := c.MFA()
	plain := c.Session.Delegate == "" && (c.Session.Kind == session.User || c.Session.Kind == session.Root)
	federated := c.Session.Kind == session.Federated
	switch {
	case service == "iam" && (federated || plain && !mfa):
		return ErrUnknownKey
	case service != "sts" || operation == "GetCallerIdentity":
		return nil
	case c.Session.Delegate != "":
		if operation != "DecodeAuthorizationMessage" && operation != "GetAccessKeyInfo" {
			return ErrSessionCall
		}
	case operation == "GetWebIdentityToken": // which refuses those whom it does not serve itself
	case operation == "GetSessionToken", operation == "GetFederationToken", federated, plain && operation != "AssumeRole":
		return ErrSessionCall
	}
	return nil
}

// UseID is the id under which the use of the caller's credentials is counted:
// the access key of long-term credentials, the role of a role session, else "".
func (c *Caller) UseID() string {
	switch {
	case c.Session == nil:
		return c.AccessKeyID
	case c.Role != nil:
		return c.Role.ID
	}
	return ""
}
