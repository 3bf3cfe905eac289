// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"context"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Options are what the service needs; all of them are required.
type Options struct {
	Store *store.Store
	IDs   *ids.Source
	Now   func() time.Time
}

// org is the service; its methods are the operations.
type org struct {
	store *store.Store
	orgs  *orgs.Registry
	ids   *ids.Source
	now   func() time.Time
}

// New returns the Organizations service.
func New(o Options) *api.Service {
	s := &org{store: o.Store, orgs: &orgs.Registry{Store: o.Store, IDs: o.IDs, Now: o.Now}, ids: o.IDs, now: o.Now}
	svc := api.NewJSONService("organizations", Version, TargetPrefix, s.ops())
	svc.Invalid = invalid
	return svc
}

// update changes the organization of the caller's account, which the management
// account keeps, and maps the store's errors to AWS's. fn may run more than once.
func (s *org) update(c *api.Call, fn func(*orgs.Tx) error) error {
	return fail(s.orgs.Update(c.Context(), c.Membership.Org.Management(), fn))
}

// latest returns the organization of a management account as it is now, even if
// views come late; nil if it has none any more.
func (s *org) latest(ctx context.Context, management string) (o *orgs.Org, err error) {
	err = s.store.Update(ctx, management, func(tx *store.Tx) error {
		o, err = orgs.Of(tx.View())
		return err
	})
	return o, err
}

// stamp is the present time as records have it.
func (s *org) stamp() time.Time { return s.now().UTC().Truncate(time.Second) }
