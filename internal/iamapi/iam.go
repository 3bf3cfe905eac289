// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// Options are what the service needs; all of them are required.
type Options struct {
	Store   *store.Store
	IDs     *ids.Source
	Now     func() time.Time
	Issuers Issuers
}

// iam is the service; its methods are the operations.
type iam struct {
	store   *store.Store
	ids     *ids.Source
	now     func() time.Time
	issuers Issuers
}

// lastUse returns when something of the caller's account was last used.
func (s *iam) lastUse(c *api.Call, id string) store.Use {
	return s.store.LastUse(string(c.Account), id)
}

// New returns the IAM service with the operations of this package and more.
func New(o Options, more ...api.Op) *api.Service {
	s := &iam{store: o.Store, ids: o.IDs, now: o.Now, issuers: o.Issuers}
	return api.NewService("iam", "2010-05-08", namespace, append(s.ops(), more...))
}

// update changes the caller's account and maps the store's errors to AWS's. fn
// may run more than once.
func (s *iam) update(c *api.Call, fn func(*store.Tx) error) error {
	return iamop.Fail(s.store.Update(c.Context(), string(c.Account), fn))
}
