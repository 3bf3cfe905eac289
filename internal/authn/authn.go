// SPDX-License-Identifier: Apache-2.0

// Package authn turns a signed request into the Caller that made it.
package authn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

var (
	// ErrUnknownKey says that no active credential has the request's key and
	// token: the key is unknown, inactive or deleted, its principal is gone, or
	// the session token is missing, superfluous or not ours, or the account is
	// closed.
	ErrUnknownKey = errors.New("authn: no active credential with this access key and token")

	// ErrExpired says that the temporary credentials have expired.
	ErrExpired = errors.New("authn: the session has expired")
)

// Sessions opens session tokens; *session.Ring is one.
type Sessions interface {
	Open(accessKeyID, token string) (*session.Claims, string, error)
}

// An Authenticator proves who made a request. It is safe for concurrent use.
type Authenticator struct {
	store     *store.Store
	sessions  Sessions
	now       func() time.Time
	verifiers map[string]*sigv4.Verifier // by service

	// Keys are access keys whose ids do not carry their account; nil for none.
	Keys ids.Chosen

	// Clients, when not nil, is a second clock that requests may be signed by:
	// that of clients who do not follow a clock that is moved. A signing time is
	// compared with the nearer of the two (quirk Q106).
	Clients func() time.Time
}

// New returns an Authenticator for requests to the named services.
func New(s *store.Store, sessions Sessions, now func() time.Time, services ...string) *Authenticator {
	a := &Authenticator{store: s, sessions: sessions, now: now, verifiers: make(map[string]*sigv4.Verifier)}
	keys := new(sigv4.KeyCache)
	for _, name := range services {
		a.verifiers[name] = &sigv4.Verifier{Services: []string{name}, Keys: keys, Now: now}
	}
	return a
}

// Authenticate returns the caller of r. body is the request's payload as read;
// service is the name that the credential scope must carry. Errors are those of
// package sigv4, ErrUnknownKey and ErrExpired, wrapped; any other error is a
// failure of the server. It never says which of several things was unknown.
//
// Nobody is known while the store is out of touch (the error then wraps
// store.ErrStale): a key deleted elsewhere would still be taken for good.
//
// AWS answers an unknown key before it looks at the signature, and an expired
// session only after the signature proved right.
func (a *Authenticator) Authenticate(ctx context.Context, r *http.Request, body []byte, service string) (*Caller, error) {
	sig, err := sigv4.Parse(r)
	if err != nil {
		return nil, err
	}
	verifier := a.verifiers[service]
	if verifier == nil {
		return nil, fmt.Errorf("authn: no requests are taken for service %q", service)
	}
	if err := a.store.Ready(); err != nil {
		return nil, fmt.Errorf("authn: %w", err)
	}
	account, ok := a.Keys.Account(sig.AccessKeyID)
	if !ok {
		return nil, ErrUnknownKey
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
	c := &Caller{Account: arn.AccountID(account), AccessKeyID: sig.AccessKeyID, Region: sig.Region, View: view}
	var secret string
	if sig.SessionToken == "" {
		secret, err = a.longTerm(c)
	} else {
		secret, err = a.session(c, sig.SessionToken)
	}
	if err != nil {
		return nil, err
	}
	if body == nil {
		body = []byte{} // covered by the signature, not left out of it
	}
	if err := a.by(verifier, sig.Time).Verify(r, sig, secret, body); err != nil {
		return nil, err
	}
	if c.Session != nil && !a.now().Before(c.Session.Expires) {
		return nil, ErrExpired
	}
	return c, nil
}

// by returns the verifier with the clock that is nearer to the signing time.
func (a *Authenticator) by(v *sigv4.Verifier, signed time.Time) *sigv4.Verifier {
	if a.Clients == nil || signed.Sub(a.now()).Abs() <= signed.Sub(a.Clients()).Abs() {
		return v
	}
	other := *v
	other.Now = a.Clients
	return &other
}

func (a *Authenticator) longTerm(c *Caller) (secret string, err error) {
	user, key, err := c.View.UserByKey(c.AccessKeyID)
	if err != nil || key.Inactive {
		return "", ErrUnknownKey
	}
	c.longTerm(user)
	return a.store.Secret(string(c.Account), key)
}

// session completes c from a token. The principal must still be the one that
// the session was made for: a user or role made anew under the same name has
// another unique id.
func (a *Authenticator) session(c *Caller, token string) (secret string, err error) {
	claims, secret, err := a.sessions.Open(c.AccessKeyID, token)
	if err != nil || claims.Account != string(c.Account) {
		return "", ErrUnknownKey
	}
	c.Session = claims
	switch claims.Kind {
	case session.Role:
		role, err := c.View.RoleByID(claims.PrincipalID)
		if err != nil {
			return "", ErrUnknownKey
		}
		c.asRole(role, claims.Name)
	case session.User:
		user, err := c.View.UserByID(claims.PrincipalID)
		if err != nil {
			return "", ErrUnknownKey
		}
		c.asUser(user)
	case session.Federated:
		if claims.PrincipalID == claims.Account {
			c.asFederated(nil, claims.Name)
			break
		}
		user, err := c.View.UserByID(claims.PrincipalID)
		if err != nil {
			return "", ErrUnknownKey
		}
		c.asFederated(user, claims.Name)
	case session.Root, session.RootTask:
		c.asRoot()
	default:
		return "", ErrUnknownKey
	}
	return secret, nil
}
