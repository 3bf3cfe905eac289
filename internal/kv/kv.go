// SPDX-License-Identifier: Apache-2.0

// Package kv is an ordered, transactional, revisioned key-value store.
//
// It is a contract with three engines: [boltkv] keeps everything in one file, [etcdkv] in an etcd cluster, and [memkv]
// nothing beyond its process. Package kvtest is the suite that all pass.
//
// Transactions are serializable in the order of their revisions, and the store is linearizable: a [DB.Range] at the
// latest revision that begins after a [DB.Commit] returned sees that commit, on every node.
//
// [boltkv]: https://pkg.go.dev/github.com/innkeeper-iam/innkeeper/internal/kv/boltkv
// [etcdkv]: https://pkg.go.dev/github.com/innkeeper-iam/innkeeper/internal/kv/etcdkv
// [memkv]: https://pkg.go.dev/github.com/innkeeper-iam/innkeeper/internal/kv/memkv
package kv

import (
	"context"
	"errors"
	"iter"
	"time"
)

// A Revision is a point in the history of a store. It increases with every commit that changes something, not
// necessarily by one. 0 means before the first commit; a new store is at 1, or later if it shares a cluster.
type Revision int64

// An Entry is a key with its value at some revision. The receiver owns Value but must not change it: watchers and
// readers may share it.
type Entry struct {
	Key      string
	Value    []byte
	Modified Revision // of the commit that put this value
}

// A Page is the answer to one Range.
type Page struct {
	Entries  []Entry  // in key order
	Revision Revision // that was read: never 0; pass it on to read the next page of the same snapshot
	More     bool     // entries were left out because of the limit
}

// A Compare holds when the last modification of Key has revision Modified. Modified 0: the key does not exist.
type Compare struct {
	Key      string
	Modified Revision
}

// An Op puts Value under Key, or deletes Key. Putting the value that is already there is a modification; deleting a
// key that does not exist is not.
type Op struct {
	Key    string
	Value  []byte // nil and empty are the same
	Delete bool   // then Value must be empty
}

// A Txn is applied all or nothing: if every comparison of If holds, every operation of Then is. If may be empty, Then
// may not, and no key may occur twice in Then. See [Check] for the limits.
type Txn struct {
	If   []Compare
	Then []Op
}

// An Event is what one commit did to one key.
type Event struct {
	Key     string
	Value   []byte // the receiver must not change it; empty if Deleted
	Deleted bool
}

// A Batch holds all that one commit did within the range of a watch, in key order.
//
// With no Events it is a progress batch: everything up to Revision has been yielded, and Revision was still the latest
// of the whole store at some moment after the previous progress batch. A reader that has seen no progress batch for
// several [ProgressInterval] is out of touch with the store.
type Batch struct {
	Revision Revision
	Events   []Event
}

// ProgressInterval is how often a watch that has caught up yields a progress batch, about.
const ProgressInterval = time.Second

// A DB is an open store. It is safe for concurrent use.
//
// Every error wraps one of the errors of this package that says what happened, the context's error, or is a failure of
// the engine, after which reading or writing may be tried again.
type DB interface {
	// Range returns up to limit entries (0: all) with start <= key < end in key order, as of revision rev
	// (0: the latest). An empty end is no upper bound; a range that cannot hold a key is empty. The error wraps
	// ErrCompacted or ErrFuture when revision rev cannot be read.
	Range(ctx context.Context, start, end string, rev Revision, limit int) (Page, error)

	// Commit applies t if every comparison holds, and returns its revision once it is durable. If a comparison does
	// not hold, nothing is applied and the error wraps ErrConflict. If the error wraps ErrUnknown, t was applied
	// entirely or not at all, or may still be; after any other error it was not and will not be. A transaction that
	// only deletes keys that do not exist changes nothing and returns the latest revision. Commit does not retain t.
	Commit(ctx context.Context, t Txn) (Revision, error)

	// Watch yields every batch with a revision later than after that touches a key with start <= key < end, once and
	// in order, and progress batches between them. The first progress batch comes when the watch has caught up with
	// what was the latest revision as it began. An empty end is no upper bound.
	//
	// It ends only with an error, yielded last with a zero Batch: one that wraps ErrCompacted or ErrFuture when it
	// cannot begin after revision after, or fell so far behind that what it has to yield is gone; ctx's error;
	// ErrClosed; ErrInvalid for a range that cannot hold a key; or a lasting failure. Short failures are bridged. A
	// slow reader never delays commits. The sequence may be used once.
	Watch(ctx context.Context, start, end string, after Revision) iter.Seq2[Batch, error]

	// Compact allows the store to forget how it was before revision before: from then on, reading at, or watching
	// after, a revision earlier than that may end with ErrCompacted. Compacting again, or less than before, is no
	// error; a revision that was not reached yet is ErrFuture.
	Compact(ctx context.Context, before Revision) error

	// Close ends every watch with ErrClosed, waits for commits that have begun and releases the store. Using the DB
	// after that returns ErrClosed; closing it again returns nil.
	Close() error
}

// The errors of a store, always wrapped with what was sought.
var (
	ErrConflict  = errors.New("a comparison does not hold")
	ErrCompacted = errors.New("revision was compacted")
	ErrFuture    = errors.New("revision was not reached yet") // by a store restored from an older backup, for example
	ErrClosed    = errors.New("store is closed")
	ErrTooLarge  = errors.New("limit exceeded")
	ErrInvalid   = errors.New("invalid request")
	ErrUnknown   = errors.New("outcome unknown, may have been applied")
)
