// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

const (
	maxAttempts = 64                     // of one update, before it gives up with ErrConflict
	maxPause    = 100 * time.Millisecond // between two attempts
	maxAwait    = 10 * time.Second       // for what is committed to be seen
)

// Update changes an account: it calls fn and commits what fn did, all or
// nothing. If others changed a record meanwhile that fn had read, or found
// absent, Update calls fn again on the latest state; so fn must do nothing but
// use its Tx, and it must not call Update itself. An error of fn is returned as
// it is and nothing is written.
//
// On success the change is durable, and in every View that begins afterwards.
// The error wraps ErrNotFound for an account that does not exist; ErrConflict
// after too many attempts; kv.ErrTooLarge for more records than one
// transaction holds; kv.ErrUnknown if the change may have been made or not; and
// ErrStale if it was made but this node could not confirm that it sees it.
func (s *Store) Update(ctx context.Context, account string, fn func(*Tx) error) error {
	if failure := s.failure.Load(); failure != nil {
		return *failure
	}
	a, err := s.find(account)
	if err != nil {
		return err
	}
	queued := false
	for range maxAttempts {
		v, err := a.get(ctx)
		if err != nil {
			return err
		}
		done, err := a.attempt(ctx, v, fn)
		if done {
			return err
		}
		if !queued {
			if err := acquire(ctx, a.queue); err != nil {
				return err
			}
			defer func() { <-a.queue }()
			queued = true
		}
		if err := a.pause(ctx, v); err != nil {
			return err
		}
	}
	return fmt.Errorf("store: account %s: %w", account, ErrConflict)
}

// attempt runs one transaction on a view. It reports false if that has to be
// repeated.
func (a *account) attempt(ctx context.Context, v *View, fn func(*Tx) error) (done bool, err error) {
	tx := newTx(a, v)
	defer func() { a.release(tx.reserved) }()
	err = fn(tx)
	if tx.crowded {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	t, err := tx.txn()
	if err != nil || len(t.Then) == 0 {
		return true, err
	}
	rev, err := kv.Commit(ctx, a.s.db, t)
	switch {
	case errors.Is(err, kv.ErrConflict):
		return false, nil
	case err != nil:
		return true, fmt.Errorf("store: account %s: %w", a.id, err)
	}
	return true, a.s.await(ctx, rev)
}

// await returns once the views are at rev, which is committed. The end of ctx
// changes nothing about that and is ignored.
func (s *Store) await(ctx context.Context, rev kv.Revision) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(s.staleAfter, maxAwait))
	defer cancel()
	if s.applied.Wait(ctx, rev) != nil {
		return fmt.Errorf("store: committed at revision %d, but this node is at %d: %w", rev, s.Revision(), ErrStale)
	}
	return nil
}

// pause waits until an attempt on the view v may fare better: the account has
// changed, or a creation under way is over, or some time has passed.
func (a *account) pause(ctx context.Context, v *View) error {
	timer := time.NewTimer(maxPause)
	defer timer.Stop()
	released := a.released()
	for {
		moved := a.s.applied.Next(a.s.applied.At() + 1)
		if a.view.Load() != v {
			return nil
		}
		select {
		case <-moved: // nil, and so never ready, if it has moved meanwhile: then the timer ends the wait
		case <-released:
			return nil
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
