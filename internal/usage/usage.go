// SPDX-License-Identifier: Apache-2.0

// Package usage knows when principals last used which services and actions, as the audit log has it.
//
// Every record of a request that someone signed is a use of its action, whatever
// came of the request. The latest uses are kept in memory and written to the
// store once in a while: a first use within a minute, later ones so that the
// store is never more than a quarter of an hour behind. What was not written when
// a node stopped is read from its audit log when it starts again. So a node knows
// all that it answered itself, and of the other nodes what they have written.
//
// The uses of a principal are a row of its account's annex of reports
// ([store.AnnexReport]): "use/" and the principal's unique id, or the account's
// id for the root user.
package usage

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Period is for how long a use counts (User Guide, "Things to know about last
// accessed information": "at least the last 400 days").
const Period = 400 * 24 * time.Hour

// A Use is when something was last used, and in which region. The zero Use means
// never.
type Use struct {
	Unix   int64  `json:"t"` // seconds
	Region string `json:"r,omitempty"`
}

// Time returns when it was, the zero time for never.
func (u Use) Time() time.Time {
	if u.Unix == 0 {
		return time.Time{}
	}
	return time.Unix(u.Unix, 0).UTC()
}

// Uses are the last uses of a principal: by the prefix of the service, then by
// the name of the action.
type Uses map[string]map[string]Use

// Last returns the last use of a service.
func (u Uses) Last(service string) Use {
	var last Use
	for _, use := range u[service] {
		last = later(last, use)
	}
	return last
}

func later(a, b Use) Use {
	if b.Unix > a.Unix {
		return b
	}
	return a
}

// add notes a use, and reports whether that changed anything.
func (u Uses) add(service, action string, use Use) bool {
	actions := u[service]
	if actions[action].Unix >= use.Unix {
		return false
	}
	if actions == nil {
		actions = make(map[string]Use)
		u[service] = actions
	}
	actions[action] = use
	return true
}

// prune removes the uses from before a time.
func (u Uses) prune(before int64) {
	for service, actions := range u {
		maps.DeleteFunc(actions, func(_ string, use Use) bool { return use.Unix < before })
		if len(actions) == 0 {
			delete(u, service)
		}
	}
}

// dir is what the keys of the rows begin with.
const dir = "use/"

// stored returns the uses of a principal as the store has them. The caller owns
// the map. A row that cannot be read counts as none.
func stored(v *store.View, principal string) Uses {
	row, ok := v.Annex(store.AnnexReport).Row(dir + principal)
	if !ok {
		return make(Uses)
	}
	return decode(row)
}

func decode(row annex.Row) Uses {
	u := make(Uses)
	if json.Unmarshal(row.Value, &u) != nil {
		return make(Uses)
	}
	return u
}

// exists reports whether a unique id is that of a user, a role or the root user
// of the view's account.
func exists(v *store.View, principal string) bool {
	if principal == v.Account().ID {
		return true
	}
	if _, err := v.UserByID(principal); err == nil {
		return true
	}
	_, err := v.RoleByID(principal)
	return err == nil
}

// principal returns whose use a record is: the account, and the unique id of the
// user or role behind the credentials or the account's id for the root user. It
// returns "" for a request of somebody without an identity in an account.
func principal(r *audit.Record) (account, id string) {
	i := &r.Identity
	switch i.Type {
	case "IAMUser":
		return i.AccountID, i.PrincipalID
	case "Root":
		return i.AccountID, i.AccountID
	case "AssumedRole":
		if i.Session != nil {
			return i.AccountID, i.Session.Issuer.PrincipalID
		}
	case "FederatedUser":
		if i.Session != nil && i.Session.Issuer.PrincipalID != "" {
			return i.AccountID, i.Session.Issuer.PrincipalID
		}
		return i.AccountID, i.AccountID // the root user federated
	}
	return "", ""
}

// action returns the service and the action of a record; "" for one that is about
// no request to a service.
func action(r *audit.Record) (service, name string) {
	service, ok := strings.CutSuffix(r.EventSource, ".amazonaws.com")
	if !ok || r.EventType != "" && r.EventType != "AwsApiCall" {
		return "", ""
	}
	return service, r.EventName
}
