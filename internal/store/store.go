// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
)

// Options are what a Store is made of. DB and Keeper are required.
type Options struct {
	DB     kv.DB        // stays the caller's, who closes it after the Store
	Keeper *seal.Keeper // of the master key that all nodes of this DB share
	Reads  *Store       // of the same DB, whose View is that of this one, to read late on purpose; nil: this one

	// Replica says that DB is what package replica lets through of a store that a server has
	// prepared. Then there is no need for a Keeper: no secret gets here.
	Replica bool

	// Admitted, when not nil, returns an error while the server of a replica does not
	// let it in: then the store is not ready, however fresh it is.
	Admitted func() error

	IDs        *ids.Source      // nil: crypto/rand
	Now        func() time.Time // for the times in records; nil: time.Now
	Log        *slog.Logger     // nil: nothing is logged
	StaleAfter time.Duration    // how old the last confirmed revision may be; 0: ten seconds
	FlushEvery time.Duration    // how often last uses are written; 0: one minute
}

// A Store is the accounts of one DB. It is safe for concurrent use. Several
// stores, in one process or in many, may share a DB; each sees the changes of
// the others a moment later.
type Store struct {
	db         kv.DB
	keeper     *seal.Keeper
	replica    bool
	admitted   func() error // or nil
	reads      *Store       // nil: this one
	ids        *ids.Source
	now        func() time.Time
	log        *slog.Logger
	staleAfter time.Duration

	provided provided
	applied  kv.Gate // the revision up to which every loaded account is

	directory atomic.Pointer[btree.Map[string, *account]] // every account by id; replaced, never changed
	buckets   atomic.Pointer[btree.Map[string, string]]   // owners by name; replaced, never changed

	confirmed atomic.Int64          // nanoseconds since started, when the watch was last known to be up to date; 0: never
	failure   atomic.Pointer[error] // why this version can no longer work with the data; nil while it can
	started   time.Time

	stop func()
	done sync.WaitGroup
}

// Open opens the store of a DB, and prepares an empty one. It returns once the
// store is up to date with the DB or ctx ends. The error wraps ErrFormat if a
// newer version wrote the data, and seal.ErrKey if it is sealed under another
// master key.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		db:         o.DB,
		keeper:     o.Keeper,
		replica:    o.Replica,
		admitted:   o.Admitted,
		reads:      o.Reads,
		ids:        cmp.Or(o.IDs, new(ids.Source)),
		now:        o.Now,
		log:        cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		staleAfter: cmp.Or(o.StaleAfter, 10*time.Second),
		started:    time.Now(),
	}
	if o.Replica {
		s.keeper = seal.New() // which opens nothing that anybody sealed
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.directory.Store(new(btree.Map[string, *account]))
	s.buckets.Store(new(btree.Map[string, string]))
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	rev, err := s.loadDirectory(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: reading accounts: %w", err)
	}
	s.applied.Pass(rev)

	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	synced := make(chan struct{})
	s.done.Go(func() { s.follow(running, rev, sync.OnceFunc(func() { close(synced) })) })
	s.done.Go(func() { s.flushLoop(running, cmp.Or(o.FlushEvery, time.Minute)) })
	select {
	case <-synced:
		return s, nil
	case <-ctx.Done():
		stop()
		s.done.Wait()
		return nil, fmt.Errorf("store: waiting for the first revision: %w", context.Cause(ctx))
	}
}

// Close writes the last uses and stops following the DB, which it does not
// close. Views stay readable. Updates must have returned.
func (s *Store) Close() error {
	s.stop()
	s.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.flush(ctx)
}

// prepare checks format and master key, and writes them into an empty DB.
func (s *Store) prepare(ctx context.Context) error {
	for {
		have, err := s.db.Range(ctx, "", "", 0, 1)
		if err != nil {
			return err
		}
		if len(have.Entries) > 0 || s.replica {
			return s.check(ctx)
		}
		_, err = s.db.Commit(ctx, kv.Txn{
			If: []kv.Compare{{Key: keyFormat}, {Key: keyMaster}},
			Then: []kv.Op{
				{Key: keyFormat, Value: []byte{format}},
				{Key: keyMaster, Value: []byte(s.keeper.ID())},
			},
		})
		if err != nil && !errors.Is(err, kv.ErrConflict) {
			return err
		}
	}
}

func (s *Store) check(ctx context.Context) error {
	written, err := s.get(ctx, keyFormat)
	if err != nil {
		return err
	}
	if written == nil {
		return invalid("the DB holds something else: it has no %s", keyFormat)
	}
	if err := checkFormat(written); err != nil || s.replica {
		return err
	}
	master, err := s.get(ctx, keyMaster)
	if err != nil {
		return err
	}
	if id := s.keeper.ID(); string(master) != id {
		return fmt.Errorf("the data is sealed under master key %q, this one is %q: %w", master, id, seal.ErrKey)
	}
	return nil
}

func checkFormat(value []byte) error {
	if len(value) != 1 || value[0] > format {
		return fmt.Errorf("the store has format %.10q, this version reads up to %q: %w", value, format, ErrFormat)
	}
	return nil
}

// get returns the latest value of one key, nil if there is none.
func (s *Store) get(ctx context.Context, key string) ([]byte, error) {
	e, err := kv.Get(ctx, s.db, key)
	if e == nil {
		return nil, err
	}
	return e.Value, nil
}

// Revision returns the revision up to which every view is.
func (s *Store) Revision() kv.Revision { return s.applied.At() }

// Lag returns how long ago the views were last known to be up to date. With a
// healthy engine that is about kv.ProgressInterval at most.
func (s *Store) Lag() time.Duration {
	return time.Since(s.started) - time.Duration(s.confirmed.Load())
}

// Ready returns nil while the views are up to date, or nearly. The error wraps
// ErrStale if that was last confirmed too long ago, or ErrFormat if a newer
// version has taken over the data. A replica that was turned away is stale too.
func (s *Store) Ready() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	if s.admitted != nil {
		if err := s.admitted(); err != nil {
			return fmt.Errorf("store: %w: %w", ErrStale, err)
		}
	}
	if lag := s.Lag(); lag > s.staleAfter {
		return fmt.Errorf("store: revision %d was last confirmed %v ago: %w", s.Revision(), lag.Round(time.Millisecond), ErrStale)
	}
	return nil
}

func (s *Store) fail(err error) {
	s.failure.CompareAndSwap(nil, &err)
	s.log.Error("store: " + err.Error())
}

// View returns the account as it is now, from memory once it was loaded. The
// error wraps ErrNotFound for an account that does not exist, and ErrFormat
// for one that holds records of a newer version.
func (s *Store) View(ctx context.Context, account string) (*View, error) {
	if s.reads != nil {
		return s.reads.View(ctx, account)
	}
	a, err := s.find(account)
	if err != nil {
		return nil, err
	}
	return a.get(ctx)
}

func (s *Store) find(id string) (*account, error) {
	a, ok := s.directory.Load().Get(id)
	if !ok {
		return nil, notFound(KindAccount, id)
	}
	return a, nil
}

// NewKey returns a new access key of an account, active and not stored yet, and
// its secret.
func (s *Store) NewKey(account string) (AccessKey, string) {
	id, secret := s.ids.AccessKeyID(ids.LongLivedKey, account), s.ids.Secret()
	return s.KeyOf(account, id, secret), secret
}

// KeyOf is NewKey with an id and a secret that somebody chose.
func (s *Store) KeyOf(account, id, secret string) AccessKey {
	return AccessKey{ID: id, Created: stamp(s.now()), Sealed: s.keeper.Seal([]byte(secret), keyContext(account, id))}
}

// Secret returns the secret of a key. The error wraps those of package seal.
func (s *Store) Secret(account string, k *AccessKey) (string, error) {
	secret, err := s.keeper.Unseal(k.Sealed, keyContext(account, k.ID))
	if err != nil {
		return "", fmt.Errorf("access key %s: %w", k.ID, err)
	}
	return string(secret), nil
}

func keyContext(account, id string) []byte { return []byte("accesskey/" + account + "/" + id) }

// PutSystem stores a small secret of the system, such as a key ring, unless
// there is one of that name, and returns the one that is stored.
func (s *Store) PutSystem(ctx context.Context, name string, plain []byte) ([]byte, error) {
	key := dirSealed + name
	_, err := s.db.Commit(ctx, kv.Txn{
		If:   []kv.Compare{{Key: key}},
		Then: []kv.Op{{Key: key, Value: s.keeper.Seal(plain, []byte("system/"+name))}},
	})
	if err != nil && !errors.Is(err, kv.ErrConflict) {
		return nil, fmt.Errorf("storing %q: %w", key, err)
	}
	return s.System(ctx, name)
}

// System returns what PutSystem stored. The error wraps ErrNotFound or those of
// package seal.
func (s *Store) System(ctx context.Context, name string) ([]byte, error) {
	sealed, err := s.get(ctx, dirSealed+name)
	if err != nil {
		return nil, err
	}
	if sealed == nil {
		return nil, notFound(KindSystem, name)
	}
	plain, err := s.keeper.Unseal(sealed, []byte("system/"+name))
	if err != nil {
		return nil, fmt.Errorf("system value %s: %w", name, err)
	}
	return plain, nil
}
