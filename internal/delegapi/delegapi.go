// SPDX-License-Identifier: Apache-2.0

// Package delegapi is the operations of IAM on delegation requests.
package delegapi

import (
	"errors"
	"log/slog"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/delegation"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

//go:generate go run ../gen/shapes -package delegapi iam AcceptDelegationRequest AssociateDelegationRequest CreateDelegationRequest GetDelegationRequest GetHumanReadableSummary ListDelegationRequests RejectDelegationRequest SendDelegationToken UpdateDelegationRequest

// Options are what the operations need; all of them are required.
type Options struct {
	Store *store.Store
	IDs   *ids.Source
	Now   func() time.Time
	Authz *authz.Authorizer
	Log   *slog.Logger // told of every change of a request's state
}

// service has the operations as its methods.
type service struct {
	requests delegation.Registry
	now      func() time.Time
	authz    *authz.Authorizer
	log      *slog.Logger
}

// Ops returns the operations in order of their names, for the IAM service.
func Ops(o Options) []api.Op {
	s := &service{requests: delegation.Registry{Store: o.Store, IDs: o.IDs, Now: o.Now}, now: o.Now, authz: o.Authz, log: o.Log}
	return s.ops()
}

// told logs that a request has changed its state, and where AWS would send word of
// it. Nothing is sent from here.
func (s *service) told(c *api.Call, r *delegation.Request) {
	s.log.InfoContext(c.Context(), "delegation request", "id", r.ID, "state", string(r.Last), "requestor", r.Requestor, "owner", r.Account,
		"by", c.Caller.ARN, "channel", r.Channel)
}

// fail maps the errors of package delegation and of the store to AWS's.
//
// quirk Q095: which those are.
func fail(err error) error {
	var state *delegation.StateError
	var missing *store.NotFoundError
	var taken *store.ExistsError
	switch {
	case errors.As(err, &state):
		return awserr.InvalidInput.Msg("The delegation request %s is in the state %s and cannot be %s.", state.ID, state.State, state.Doing).Because(err)
	case errors.As(err, &missing) && missing.Kind == delegation.Kind:
		return unknown(missing.Name).Because(err)
	case errors.As(err, &taken) && taken.Kind == delegation.Kind:
		return awserr.EntityAlreadyExists.Msg("A delegation request with the workflow id %s already exists.", taken.Name).Because(err)
	case errors.Is(err, delegation.ErrOwnerSends):
		return awserr.AccessDenied.Msg("Only the owner of the delegation request can send its token.").Because(err)
	case errors.Is(err, delegation.ErrTooLong):
		return awserr.InvalidInput.Msg("A root user can accept delegation requests of at most %d seconds.", int(delegation.RootLimit/time.Second)).Because(err)
	}
	return iamop.Fail(err)
}

func unknown(id string) *awserr.Error {
	return awserr.NoSuchEntity.Msg("The delegation request with id %s cannot be found.", id)
}
