// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"context"
	"errors"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

var (
	// ErrToken says that an account holds no request of that token, or that it was
	// not sent, or that nobody is there any more who could lend an identity. It
	// never says which.
	ErrToken = errors.New("delegation: invalid token")

	// ErrOver says that the delegation has ended.
	ErrOver = errors.New("delegation: the token has expired")

	// ErrTooLarge says that the session does not fit a token.
	ErrTooLarge = errors.New("delegation: the session policy and tags are too large")
)

// maxPacked is the most that a delegate's session policy and tags may take of a
// token, in percent of what those of AssumeRole may: with it they always fit.
const maxPacked = 400

// Exchange returns the claims of a session for a token, which is the id of a
// request that the account made and whose token was sent, and the ARN of the
// principal that it acts as. It may be called again as long as the delegation
// lasts; all its sessions begin and end with it, so that a policy that ends those
// from before a time ends those that are still to be got as well. Nothing is stored.
//
// quirk Q091: the token is the request's id, and worth nothing to other accounts.
func Exchange(ctx context.Context, s *store.Store, account, token string, now time.Time) (claims session.Claims, principal string, err error) {
	r, err := find(ctx, s, token)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return claims, "", ErrToken
	case err != nil:
		return claims, "", err
	case r.Requestor != account || r.Last != Finalized || r.Approver == nil:
		return claims, "", ErrToken
	case !now.Before(r.Ends()):
		return claims, "", ErrOver
	}
	v, err := s.View(ctx, r.Account)
	if errors.Is(err, store.ErrNotFound) {
		return claims, "", ErrToken
	}
	if err != nil {
		return claims, "", err
	}
	if v.Account().Closed() || !r.Approver.exists(v) || r.Managed && !unchanged(v, r) {
		return claims, "", ErrToken
	}
	claims = r.claims()
	if session.PackedSize(claims.Policy, claims.PolicyARNs, claims.Tags) > maxPacked {
		return claims, "", ErrTooLarge
	}
	return claims, r.Approver.ARN, nil
}

// exists reports whether the identity's principal is still there.
func (i *Identity) exists(v *store.View) bool {
	var err error
	switch i.Kind {
	case session.User:
		_, err = v.UserByID(i.PrincipalID)
	case session.Role:
		_, err = v.RoleByID(i.PrincipalID)
	}
	return err == nil
}

// unchanged reports whether AWS's policy says what was approved: with another
// version of this program it may not.
func unchanged(v *store.View, r *Request) bool {
	p, err := v.Policy(r.Template)
	if err != nil {
		return false
	}
	current := p.DefaultVersion()
	return current != nil && current.Document.Text() == r.Policy
}

// claims returns those of a session: the approver as it was, without the second
// factor, which the delegate did not show, and within the policy of the request.
//
// quirk Q094: so does the delegate appear.
func (r *Request) claims() session.Claims {
	a := r.Approver
	c := session.Claims{
		Account: r.Account, Kind: a.Kind, Name: a.Name, PrincipalID: a.PrincipalID, RoleName: a.RoleName, RolePath: a.RolePath,
		Provider: a.Provider, Federated: a.Federated, Tags: a.Tags, Transitive: a.Transitive,
		SourceIdentity: a.SourceIdentity, Chained: a.Chained,
		Issued: r.Entered, Expires: r.Ends(), Delegate: r.Requestor,
	}
	if r.Managed {
		c.PolicyARNs = []string{r.Template}
	} else {
		c.Policy = r.Policy
	}
	return c
}
