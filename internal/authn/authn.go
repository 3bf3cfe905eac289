// SPDX-License-Identifier: Apache-2.0

// Package authn turns a signed request into the Caller that made it.
package authn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

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
	s3, any   sigv4.Verifier             // of gateways

	// Keyring gives the keys of signatures; nil: they are made from the secrets in
	// the store and in the tokens of sessions.
	Keyring Keyring

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
	a.s3 = sigv4.Verifier{Services: []string{"s3"}, Skew: s3Skew, Keys: keys, Now: now}
	a.any = sigv4.Verifier{Keys: keys, Now: now}
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
	c, p, err := a.find(ctx, sig)
	if err != nil {
		return nil, err
	}
	if body == nil {
		body = []byte{} // covered by the signature, not left out of it
	}
	if err := p.verify(a.by(verifier, sig.Time), r, sig, body); err != nil {
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
