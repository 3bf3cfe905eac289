// SPDX-License-Identifier: Apache-2.0

package delegapi

import (
	"errors"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/delegation"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func requestARN(c *api.Call, id string) string { return iamop.ARN(c, "delegation-request/"+id) }

// found returns a request if it is for the caller's account to decide about, and
// the check for an operation on it; nil for one that is not, or does not exist, of
// which the check tells nothing.
func (s *service) found(c *api.Call, id string) (*delegation.Request, authz.Check, error) {
	ck := authz.Check{Resource: requestARN(c, id)}
	r, err := s.requests.Find(c.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, ck, err
	}
	if err != nil || !r.Concerns(string(c.Account)) {
		return nil, ck, nil
	}
	if r.Owner != nil {
		iamop.SetKey(&ck, "iam:DelegationRequestOwner", r.Owner.ARN)
	}
	return r, ck, nil
}

func mine(c *api.Call, r *delegation.Request) bool { return r.OwnedBy(delegation.PartyOf(c.Caller)) }

// ownTarget is the target of what the owner of a request needs no permission for
// (IAM User Guide, "Managing permissions for delegation requests": the owner may
// view, forward and reject the request, and send its token once it is accepted).
func (s *service) ownTarget(c *api.Call, id string) ([]authz.Check, error) {
	r, ck, err := s.found(c, id)
	ck.Open = r != nil && mine(c, r)
	return []authz.Check{ck}, err
}

// acceptTarget: accepting needs a permission, of the owner as well.
func (s *service) acceptTarget(c *api.Call, in *AcceptDelegationRequestInput) ([]authz.Check, error) {
	_, ck, err := s.found(c, in.DelegationRequestId)
	return []authz.Check{ck}, err
}

func (s *service) acceptDelegationRequest(c *api.Call, in *AcceptDelegationRequestInput) error {
	by, ok := delegation.IdentityOf(c.Caller)
	if !ok {
		return awserr.AccessDenied.Msg("A session that is limited by a session policy cannot accept delegation requests.")
	}
	return s.done(c, in.DelegationRequestId)(s.requests.Accept(c.Context(), in.DelegationRequestId, string(c.Account), by))
}

// done returns what turns the outcome of a step into that of an operation.
func (s *service) done(c *api.Call, id string) func(*delegation.Request, error) error {
	return func(r *delegation.Request, err error) error {
		switch {
		case errors.Is(err, delegation.ErrForeign):
			return unknown(id).Because(err)
		case err != nil:
			return fail(err)
		}
		s.told(c, r)
		return nil
	}
}

// associateTarget: anyone may take up a request that nobody has (API reference of
// AssociateDelegationRequest), which grants nothing yet.
func (s *service) associateTarget(c *api.Call, in *AssociateDelegationRequestInput) ([]authz.Check, error) {
	r, ck, err := s.found(c, in.DelegationRequestId)
	ck.Open = r != nil && r.Owner == nil
	return []authz.Check{ck}, err
}

func (s *service) associateDelegationRequest(c *api.Call, in *AssociateDelegationRequestInput) error {
	return s.done(c, in.DelegationRequestId)(s.requests.Associate(c.Context(), in.DelegationRequestId, string(c.Account), delegation.PartyOf(c.Caller)))
}

func (s *service) updateTarget(c *api.Call, in *UpdateDelegationRequestInput) ([]authz.Check, error) {
	return s.ownTarget(c, in.DelegationRequestId)
}

func (s *service) updateDelegationRequest(c *api.Call, in *UpdateDelegationRequestInput) error {
	return s.done(c, in.DelegationRequestId)(s.requests.Forward(c.Context(), in.DelegationRequestId, string(c.Account), in.Notes))
}

func (s *service) rejectTarget(c *api.Call, in *RejectDelegationRequestInput) ([]authz.Check, error) {
	return s.ownTarget(c, in.DelegationRequestId)
}

func (s *service) rejectDelegationRequest(c *api.Call, in *RejectDelegationRequestInput) error {
	return s.done(c, in.DelegationRequestId)(s.requests.Reject(c.Context(), in.DelegationRequestId, string(c.Account), in.Notes))
}

func (s *service) sendTarget(c *api.Call, in *SendDelegationTokenInput) ([]authz.Check, error) {
	return s.ownTarget(c, in.DelegationRequestId)
}

func (s *service) sendDelegationToken(c *api.Call, in *SendDelegationTokenInput) error {
	return s.done(c, in.DelegationRequestId)(s.requests.Send(c.Context(), in.DelegationRequestId, string(c.Account), delegation.PartyOf(c.Caller)))
}
