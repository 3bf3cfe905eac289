// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Kind is the kind of a request in errors of the store.
const Kind store.Kind = "delegation request"

// QuotaRequests is how many requests that are not over an account may have made.
// Account.Quotas overrides it. AWS gives no figure.
const (
	QuotaRequests   = "DelegationRequestsPerAccount"
	defaultRequests = 1000
)

// A StateError says that a request is in a state in which something cannot be done
// with it.
type StateError struct {
	ID    string
	State State
	Doing string // "accepted"
}

func (e *StateError) Error() string {
	return fmt.Sprintf("delegation: request %s is %s and cannot be %s", e.ID, e.State, e.Doing)
}

var (
	// ErrForeign says that a request is for another account to decide about.
	ErrForeign = errors.New("delegation: the request is another account's")

	// ErrOwnerSends says that only the owner of a request may send its token.
	ErrOwnerSends = errors.New("delegation: only the owner sends the token")

	// ErrTooLong says that a root user may not approve a session of that length.
	ErrTooLong = errors.New("delegation: too long for a root user to approve")
)

func notFound(id string) error { return &store.NotFoundError{Kind: Kind, Name: id} }

// A Registry keeps requests. All fields are required; it is safe for concurrent
// use. Its methods return errors of the store, those above, and a
// *store.NotFoundError of Kind for a request that does not exist.
type Registry struct {
	Store *store.Store
	IDs   *ids.Source
	Now   func() time.Time
}

func (g *Registry) now() time.Time { return g.Now().UTC().Truncate(time.Second) }

// Find returns a request.
func (g *Registry) Find(ctx context.Context, id string) (*Request, error) {
	return find(ctx, g.Store, id)
}

func find(ctx context.Context, s *store.Store, id string) (*Request, error) {
	account, ok := home(id)
	if !ok {
		return nil, notFound(id)
	}
	v, err := s.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, err
	}
	return read(v, id)
}

// Create stores a request and fills its ID, Created and state. The requestor may
// have no other with that workflow id: the error is a *store.ExistsError then.
// Requests that are long over are deleted on the way.
func (g *Registry) Create(ctx context.Context, r *Request) error {
	id := newID(g.IDs.RequestID(), r.Requestor)
	return g.Store.Update(ctx, r.Requestor, func(tx *store.Tx) error {
		now := g.now()
		r.ID, r.Created, r.Last, r.Entered, r.Updated = id, now, Unassigned, now, now
		open, over, err := g.made(tx.View())
		if err != nil {
			return err
		}
		if err := within(tx.Account(), open+1); err != nil {
			return err
		}
		at := workflow(r.Workflow)
		if _, taken := tx.View().Annex(store.AnnexDelegation).Row(at); taken {
			return &store.ExistsError{Kind: Kind, Name: r.Workflow}
		}
		for _, old := range over {
			tx.DeleteAnnexed(store.AnnexDelegation, dirRequest+old.ID)
			tx.DeleteAnnexed(store.AnnexDelegation, workflow(old.Workflow))
		}
		return errors.Join(put(tx, at, r.ID), put(tx, dirRequest+r.ID, r))
	})
}

func within(a *store.Account, n int) error {
	limit, ok := a.Quotas[QuotaRequests]
	if !ok {
		limit = defaultRequests
	}
	if n > limit {
		return &store.LimitError{Quota: QuotaRequests, Limit: limit}
	}
	return nil
}

// maxSweep is how many requests that are long over are deleted at once.
const maxSweep = 20

// made counts the requests of the view's account that are not over, and lists
// some that are long over.
func (g *Registry) made(v *store.View) (open int, over []*Request, err error) {
	now := g.now()
	for row := range v.Annex(store.AnnexDelegation).Rows() {
		if row.Key < dirRequest || row.Key >= dirRequest+"\xff" {
			continue
		}
		r, err := decode(row)
		switch {
		case err != nil:
			return 0, nil, err
		case r.State(now) != Expired:
			open++
		case len(over) < maxSweep && now.After(r.Expires().Add(retention)):
			over = append(over, r)
		}
	}
	return open, over, nil
}

// workflow returns the key of a workflow id, which may have any characters.
func workflow(id string) string {
	sum := sha256.Sum256([]byte(id))
	return dirWorkflow + hex.EncodeToString(sum[:16])
}

func put(tx *store.Tx, key string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	tx.PutAnnexed(store.AnnexDelegation, key, b)
	return nil
}

// change makes one step of a request that the account may decide about.
func (g *Registry) change(ctx context.Context, id, account, doing string, from []State, fn func(*Request, time.Time) error) (*Request, error) {
	at, ok := home(id)
	if !ok {
		return nil, notFound(id)
	}
	var changed *Request
	err := g.Store.Update(ctx, at, func(tx *store.Tx) error {
		now := g.now()
		r, err := read(tx.View(), id)
		if err != nil {
			return err
		}
		if !r.Concerns(account) {
			return ErrForeign
		}
		if s := r.State(now); !slices.Contains(from, s) {
			return &StateError{ID: id, State: s, Doing: doing}
		}
		if err := fn(r, now); err != nil {
			return err
		}
		changed = r
		return put(tx, dirRequest+id, r)
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// Associate makes p, of the account, the owner of a request that has none.
func (g *Registry) Associate(ctx context.Context, id, account string, p Party) (*Request, error) {
	r, err := g.Find(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !r.Concerns(account):
		return nil, ErrForeign
	case r.State(g.now()) != Unassigned:
		return nil, &StateError{ID: id, State: r.State(g.now()), Doing: "associated"}
	}
	stale, err := g.stale(ctx, account)
	if err != nil {
		return nil, err
	}
	err = g.Store.Update(ctx, account, func(tx *store.Tx) error {
		for _, old := range stale {
			if old != id {
				tx.DeleteAnnexed(store.AnnexDelegation, dirOwned+old)
			}
		}
		return put(tx, dirOwned+id, true)
	})
	if err != nil {
		return nil, err
	}
	return g.change(ctx, id, account, "associated", []State{Unassigned}, func(r *Request, now time.Time) error {
		r.Account, r.Owner = account, &p
		r.enter(Assigned, now)
		return nil
	})
}

// stale lists some pointers of an account to requests that are gone or another's.
func (g *Registry) stale(ctx context.Context, account string) ([]string, error) {
	v, err := g.Store.View(ctx, account)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, id := range under(v, dirOwned) {
		r, err := g.Find(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound), err == nil && r.Account != account && r.Account != "":
			list = append(list, id)
		case err != nil:
			return nil, err
		}
		if len(list) == maxSweep {
			break
		}
	}
	return list, nil
}

// Owned lists the requests that identities of the view's account own, by id.
func (g *Registry) Owned(ctx context.Context, v *store.View) ([]*Request, error) {
	var list []*Request
	for _, id := range under(v, dirOwned) {
		r, err := g.Find(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return nil, err
		case r.Owner != nil && r.Account == v.Account().ID:
			list = append(list, r)
		}
	}
	return list, nil
}

// Forward hands a request on to who can accept it; nil notes leave those there are.
func (g *Registry) Forward(ctx context.Context, id, account string, notes *string) (*Request, error) {
	return g.change(ctx, id, account, "updated", []State{Assigned, Pending}, func(r *Request, now time.Time) error {
		if notes != nil {
			r.Notes = *notes
		}
		r.enter(Pending, now)
		return nil
	})
}

// Accept approves a request in the name of the approver.
func (g *Registry) Accept(ctx context.Context, id, account string, by *Identity) (*Request, error) {
	return g.change(ctx, id, account, "accepted", []State{Assigned, Pending}, func(r *Request, now time.Time) error {
		if by.Kind == session.Root && r.Session() > RootLimit {
			return ErrTooLong
		}
		r.Approver = by
		r.enter(Accepted, now)
		return nil
	})
}

// Reject refuses a request, also one that was accepted, until its token is sent.
func (g *Registry) Reject(ctx context.Context, id, account string, reason *string) (*Request, error) {
	return g.change(ctx, id, account, "rejected", []State{Assigned, Pending, Accepted}, func(r *Request, now time.Time) error {
		if reason != nil {
			r.Rejection = *reason
		}
		r.enter(Rejected, now)
		return nil
	})
}

// Send lets the requestor exchange the token from now on.
func (g *Registry) Send(ctx context.Context, id, account string, by Party) (*Request, error) {
	return g.change(ctx, id, account, "sent", []State{Accepted}, func(r *Request, now time.Time) error {
		if r.OwnerSends && !r.OwnedBy(by) {
			return ErrOwnerSends
		}
		r.enter(Finalized, now)
		return nil
	})
}
