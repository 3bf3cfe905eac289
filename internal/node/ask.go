// SPDX-License-Identifier: Apache-2.0

package node

import (
	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/internal/askapi"
)

// desk returns what answers questions about permissions, from the parts of the
// API.
func (n *Node) desk() *ask.Desk {
	return ask.New(ask.Options{
		Store: n.store, Authn: n.api.Authn, Authz: n.api.Authz, Audit: n.audit, IDs: n.ids, Now: n.now, Region: n.cfg.Region,
	})
}

// asking returns the authorization API over HTTP.
func (n *Node) asking() *askapi.Handler {
	return askapi.New(askapi.Options{Desk: n.desk(), Now: n.now, Log: n.log, URL: n.cfg.PublicURL})
}
