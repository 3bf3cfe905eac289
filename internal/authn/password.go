// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Password returns the caller with a service-specific credential of the named
// service, for clients that cannot sign. name is the credential's own, which ends
// in "-at-" and the account. The error is ErrUnknownKey, or a failure of the
// server; it never says which of name and password was wrong.
//
// quirk Q145: a credential is found by the user whose name it begins with, so that
// one of a user who was renamed is no longer taken.
func (a *Authenticator) Password(ctx context.Context, service, name, password string) (*Caller, error) {
	owner, account, ok := cutAccount(name)
	if !ok {
		return nil, ErrUnknownKey
	}
	view, err := a.open(ctx, account)
	if err != nil {
		return nil, err
	}
	owners := []string{owner}
	if i := strings.LastIndexByte(owner, '+'); i > 0 { // the second credential of a user, or a name with a plus
		owners = append(owners, owner[:i])
	}
	for _, owner := range owners {
		u, err := view.User(owner)
		if err != nil {
			continue
		}
		for i := range u.Services {
			cred := &u.Services[i]
			if cred.Service != service || cred.Name != name || !cred.Matches(password) {
				continue
			}
			if cred.Inactive || !cred.Expires.IsZero() && !a.now().Before(cred.Expires) {
				return nil, ErrUnknownKey
			}
			c := &Caller{Account: arn.AccountID(account), AccessKeyID: cred.ID, View: view}
			c.asUser(u)
			return c, nil
		}
	}
	new(store.ServiceCredential).Matches(password) // an unknown name takes no less time
	return nil, ErrUnknownKey
}

// cutAccount cuts the name of a service-specific credential, OWNER-at-ACCOUNT.
func cutAccount(name string) (owner, account string, ok bool) {
	i := strings.LastIndex(name, "-at-")
	if i <= 0 {
		return "", "", false
	}
	owner, account = name[:i], name[i+len("-at-"):]
	return owner, account, arn.IsAccountID(account)
}

// open returns the view of an account whose principals may be let in. The error
// is ErrUnknownKey for one that does not exist or is closed.
func (a *Authenticator) open(ctx context.Context, account string) (*store.View, error) {
	if err := a.store.Ready(); err != nil {
		return nil, fmt.Errorf("authn: %w", err)
	}
	view, err := a.store.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrUnknownKey
	}
	if err != nil {
		return nil, fmt.Errorf("authn: %w", err)
	}
	if view.Account().Closed() {
		return nil, ErrUnknownKey
	}
	return view, nil
}

// Holder returns the caller that requests with a credential of the view's account
// would have, for questions about who holds it; token is "" for a long-term key.
// Like Named it proves nothing: there is no signature. The errors are ErrUnknownKey
// and ErrExpired.
func (a *Authenticator) Holder(v *store.View, accessKeyID, token string) (*Caller, error) {
	account, ok := a.Keys.Account(accessKeyID)
	if !ok || account != v.Account().ID {
		return nil, ErrUnknownKey
	}
	c := &Caller{Account: arn.AccountID(account), AccessKeyID: accessKeyID, View: v}
	if token == "" {
		user, key, err := v.UserByKey(accessKeyID)
		if err != nil || key.Inactive {
			return nil, ErrUnknownKey
		}
		c.longTerm(user)
		return c, nil
	}
	claims, _, err := a.sessions.Open(accessKeyID, token)
	if err != nil || claims.Account != account {
		return nil, ErrUnknownKey
	}
	if err := c.inSession(claims); err != nil {
		return nil, err
	}
	if !a.now().Before(claims.Expires) {
		return nil, ErrExpired
	}
	return c, nil
}
