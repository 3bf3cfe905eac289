// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// A Keyring gives the keys that signatures are verified with to a gateway that
// holds no secret itself. Its methods are called on the request path, by several
// goroutines at once. The error wraps ErrUnknownKey when there is no such
// credential; any other is a failure to be tried again later.
type Keyring interface {
	// LongTerm returns the signing key of an access key, which is active.
	LongTerm(ctx context.Context, account string, key *store.AccessKey, scope sigv4.Credential) (sigv4.Key, error)

	// Session returns what the token of temporary credentials says, and their
	// signing key. Whether they have expired is for the caller to see.
	Session(ctx context.Context, scope sigv4.Credential, token string) (*session.Claims, sigv4.Key, error)
}

// A proof is what a signature is verified with: a secret, or the key derived
// from it.
type proof struct {
	secret string
	key    sigv4.Key
}

func (p *proof) verify(v *sigv4.Verifier, r *http.Request, sig *sigv4.Signature, body []byte) error {
	if p.secret != "" {
		return v.Verify(r, sig, p.secret, body)
	}
	return v.VerifyKey(r, sig, p.key, body)
}

// s3Skew is how far the clocks of S3's clients may be off (S3 API Reference,
// "Error responses", RequestTimeTooSkewed: 15 minutes).
const s3Skew = 15 * time.Minute

// Gate returns the caller of a request to a gateway, which may be for any region
// and service: the caller must see to it that sig.Service is the one that the
// request is for. sig is what sigv4.Parse says of r. A nil body is not covered by
// this: for S3, read it through sig.Body; every other service must give its body,
// empty or not.
//
// The errors are those of Authenticate.
func (a *Authenticator) Gate(ctx context.Context, r *http.Request, sig *sigv4.Signature, body []byte) (*Caller, error) {
	if body == nil && !sig.S3() {
		return nil, errors.New("authn: the body of a request to this service is covered by its signature")
	}
	c, p, err := a.find(ctx, sig)
	if err != nil {
		return nil, err
	}
	if err := p.verify(a.by(a.gate(sig), sig.Time), r, sig, body); err != nil {
		return nil, err
	}
	if err := a.admit(c, sig); err != nil {
		return nil, err
	}
	return c, nil
}

// GateForm is Gate for an S3 POST policy form: sig is what sigv4.ParseForm says of
// it, and policy its policy field as it came. Whether the policy has expired and
// covers the form is for the caller to check.
func (a *Authenticator) GateForm(ctx context.Context, sig *sigv4.Signature, policy string) (*Caller, error) {
	c, p, err := a.find(ctx, sig)
	if err != nil {
		return nil, err
	}
	v := a.by(&a.s3, sig.Time)
	if p.secret != "" {
		err = v.VerifyPolicy(sig, p.secret, policy)
	} else {
		err = v.VerifyPolicyKey(sig, p.key, policy)
	}
	if err != nil {
		return nil, err
	}
	if err := a.admit(c, sig); err != nil {
		return nil, err
	}
	return c, nil
}

// gate returns the verifier of a gateway for the service of sig.
func (a *Authenticator) gate(sig *sigv4.Signature) *sigv4.Verifier {
	if sig.S3() {
		return &a.s3
	}
	return &a.any
}

// admit lets a caller in whose signature proved right, unless its session is over, and
// notes the use of its credentials.
func (a *Authenticator) admit(c *Caller, sig *sigv4.Signature) error {
	now := a.now()
	if c.Session != nil && !now.Before(c.Session.Expires) {
		return ErrExpired
	}
	if id := c.UseID(); id != "" {
		a.store.Touch(string(c.Account), id, store.Use{Time: now, Region: sig.Region, Service: sig.Service})
	}
	return nil
}

// find returns who holds the credential of a signature, and what to verify the
// signature with.
func (a *Authenticator) find(ctx context.Context, sig *sigv4.Signature) (*Caller, proof, error) {
	account, ok := a.Keys.Account(sig.AccessKeyID)
	if !ok {
		return nil, proof{}, ErrUnknownKey
	}
	view, err := a.open(ctx, account)
	if err != nil {
		return nil, proof{}, err
	}
	c := &Caller{Account: arn.AccountID(account), AccessKeyID: sig.AccessKeyID, Region: sig.Region, View: view}
	var p proof
	if sig.SessionToken == "" {
		p, err = a.longTerm(ctx, c, sig)
	} else {
		p, err = a.session(ctx, c, sig)
	}
	if err != nil {
		return nil, proof{}, err
	}
	return c, p, nil
}

func (a *Authenticator) longTerm(ctx context.Context, c *Caller, sig *sigv4.Signature) (p proof, err error) {
	user, key, err := c.View.UserByKey(c.AccessKeyID)
	if err != nil || key.Inactive {
		return p, ErrUnknownKey
	}
	c.longTerm(user)
	if a.Keyring != nil {
		p.key, err = a.Keyring.LongTerm(ctx, string(c.Account), key, sig.Credential)
		return p, err
	}
	p.secret, err = a.store.Secret(string(c.Account), key)
	return p, err
}

// session completes c from a token. The principal must still be the one that
// the session was made for: a user or role made anew under the same name has
// another unique id.
func (a *Authenticator) session(ctx context.Context, c *Caller, sig *sigv4.Signature) (p proof, err error) {
	var claims *session.Claims
	if a.Keyring != nil {
		claims, p.key, err = a.Keyring.Session(ctx, sig.Credential, sig.SessionToken)
		if err != nil {
			return p, err
		}
	} else if claims, p.secret, err = a.sessions.Open(c.AccessKeyID, sig.SessionToken); err != nil {
		return p, ErrUnknownKey
	}
	if claims.Account != string(c.Account) {
		return p, ErrUnknownKey
	}
	return p, c.inSession(claims)
}

// inSession completes a caller from the claims of its session. The error is
// ErrUnknownKey when the principal behind it is gone.
func (c *Caller) inSession(claims *session.Claims) error {
	c.Session = claims
	switch claims.Kind {
	case session.Role:
		role, err := c.View.RoleByID(claims.PrincipalID)
		if err != nil {
			return ErrUnknownKey
		}
		c.asRole(role, claims.Name)
	case session.User:
		user, err := c.View.UserByID(claims.PrincipalID)
		if err != nil {
			return ErrUnknownKey
		}
		c.asUser(user)
	case session.Federated:
		if claims.PrincipalID == claims.Account {
			c.asFederated(nil, claims.Name)
			break
		}
		user, err := c.View.UserByID(claims.PrincipalID)
		if err != nil {
			return ErrUnknownKey
		}
		c.asFederated(user, claims.Name)
	case session.Root, session.RootTask:
		c.asRoot()
	default:
		return ErrUnknownKey
	}
	return nil
}
