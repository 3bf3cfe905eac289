// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"bytes"
	"context"
	"errors"
)

const maxUnknown = 3 // attempts to learn the outcome of one commit

// Commit commits t, which must compare whatever it replaces. If the engine cannot
// tell the outcome, t is committed again, which at most one of the two can be. When
// the second conflicts, the first was the one if what it wrote is there. The error
// is as that of DB.Commit; it wraps ErrUnknown if the outcome stays unknown.
func Commit(ctx context.Context, db DB, t Txn) (Revision, error) {
	rev, err := db.Commit(ctx, t)
	for range maxUnknown {
		if !errors.Is(err, ErrUnknown) {
			return rev, err
		}
		again, cause := db.Commit(ctx, t)
		switch {
		case cause == nil:
			return again, nil
		case errors.Is(cause, ErrConflict):
			return written(ctx, db, t, cause)
		case !errors.Is(cause, ErrUnknown):
			return 0, errors.Join(err, cause)
		}
	}
	return 0, err
}

// written returns the revision of a transaction whose writes are all there, or
// the error.
func written(ctx context.Context, db DB, t Txn, err error) (Revision, error) {
	var rev Revision
	for _, op := range t.Then {
		e, failure := Get(ctx, db, op.Key)
		switch {
		case failure != nil:
			return 0, errors.Join(ErrUnknown, failure)
		case e == nil && op.Delete:
		case e == nil || op.Delete || !bytes.Equal(e.Value, op.Value):
			return 0, err
		case rev == 0:
			rev = e.Modified
		case rev != e.Modified:
			return 0, err
		}
	}
	if rev == 0 { // only deletions: anyone may have made them
		return 0, err
	}
	return rev, nil
}
