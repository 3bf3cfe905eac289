// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"fmt"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Named returns the caller that requests of a principal of the view's account
// would have, for questions about them. It proves nothing: no request may be
// answered for what it returns.
//
// The principal is given as GetCallerIdentity shows it: the ARN of a user, of a
// session of a role, of a federated user or of the account's root. s is the
// session, nil for long-term credentials; that of a federated user is needed,
// because its PrincipalID says who federated. The error is a
// *store.NotFoundError when the view has no such principal.
func Named(v *store.View, principal string, s *session.Claims) (*Caller, error) {
	e, ok := arn.SplitEntity(principal)
	if !ok || e.Account != v.Account().ID {
		return nil, fmt.Errorf("authn: %s is no principal of account %s", principal, v.Account().ID)
	}
	c := &Caller{Account: arn.AccountID(e.Account), View: v, Session: s}
	switch e.Kind {
	case arn.KindRoot:
		c.asRoot()
	case arn.KindUser:
		u, err := v.User(e.Name)
		if err != nil {
			return nil, err
		}
		c.asUser(u)
	case arn.KindAssumedRole:
		r, err := v.Role(e.Name)
		if err != nil {
			return nil, err
		}
		c.asRole(r, e.Session)
	case arn.KindFederatedUser:
		if s == nil {
			return nil, fmt.Errorf("authn: nothing says who federated %s", principal)
		}
		if s.PrincipalID == e.Account {
			c.asFederated(nil, e.Name)
			break
		}
		u, err := v.UserByID(s.PrincipalID)
		if err != nil {
			return nil, err
		}
		c.asFederated(u, e.Name)
	default:
		return nil, fmt.Errorf("authn: %s is no principal", principal)
	}
	if c.ARN != principal { // in another letter case, or under another path
		return nil, &store.NotFoundError{Kind: store.Kind(e.Kind), Name: principal}
	}
	return c, nil
}
