// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Options are what an Index needs. All but FlushEvery and Log are required.
type Options struct {
	Store      *store.Store
	Audit      string // the directory of the audit log
	File       string // remembers up to where the log is in the store; lost, the log is read from the beginning
	Now        func() time.Time
	FlushEvery time.Duration // 0: a minute
	Log        *slog.Logger  // nil: nobody is told
}

const (
	flushEvery = time.Minute
	grain      = 15 * time.Minute // how far the store may be behind for what it knows already
	batch      = 50               // principals in one transaction
	maxSweep   = 100              // rows of principals that are gone, in one transaction
	sweepEvery = 24 * time.Hour
)

// An Index has the last uses. Make one with New; tell it of records with Note;
// Start it when the audit log is open. It is safe for concurrent use.
type Index struct {
	o     Options
	ready chan struct{} // closed when the log was read
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu       sync.Mutex          // guards below
	accounts map[string]*account // what may not be in the store yet
}

type account struct {
	principals map[string]map[what]*fresh // by unique id
	swept      time.Time
}

type what struct{ service, action string }

// A fresh use may be later than the one in the store.
type fresh struct {
	use    Use
	stored int64 // seconds of the one in the store, 0 if there is none
	known  bool  // stored was looked up
}

// New returns an Index that has not read the audit log yet.
func New(o Options) *Index {
	o.FlushEvery = cmp.Or(o.FlushEvery, flushEvery)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Index{o: o, ready: make(chan struct{}), accounts: make(map[string]*account)}
}

// Note takes a record into account. It is quick, and keeps nothing of the record
// but strings.
func (x *Index) Note(r *audit.Record) {
	id, who := principal(r)
	service, name := action(r)
	if id == "" || who == "" || service == "" {
		return
	}
	use := Use{r.Time.Unix(), r.Region}
	x.mu.Lock()
	defer x.mu.Unlock()
	a := x.accounts[id]
	if a == nil {
		a = &account{principals: make(map[string]map[what]*fresh)}
		x.accounts[id] = a
	}
	uses := a.principals[who]
	if uses == nil {
		uses = make(map[what]*fresh)
		a.principals[who] = uses
	}
	k := what{service, name}
	if f := uses[k]; f == nil {
		uses[k] = &fresh{use: use}
	} else {
		f.use = later(f.use, use)
	}
}

// Of returns the uses of a principal of the view's account within Period: of a
// user or role by its unique id, of the root user by the account's.
func (x *Index) Of(v *store.View, principal string) Uses {
	u := stored(v, principal)
	x.overlay(u, v.Account().ID, principal)
	u.prune(x.horizon())
	return u
}

// Services returns when the services were last used by anybody in the view's
// account within Period, by prefix.
func (x *Index) Services(v *store.View) map[string]Use {
	all := make(Uses)
	for row := range v.Annex(store.AnnexReport).Rows() {
		id, ok := strings.CutPrefix(row.Key, dir)
		if !ok {
			continue
		}
		u := decode(row)
		for service := range u {
			all.add(service, id, u.Last(service))
		}
	}
	for _, id := range x.pending(v.Account().ID) {
		u := make(Uses)
		x.overlay(u, v.Account().ID, id)
		for service := range u {
			all.add(service, id, u.Last(service))
		}
	}
	all.prune(x.horizon())
	last := make(map[string]Use, len(all))
	for service := range all {
		last[service] = all.Last(service)
	}
	return last
}

func (x *Index) horizon() int64 { return x.o.Now().Add(-Period).Unix() }

// overlay adds what is in memory.
func (x *Index) overlay(u Uses, id, principal string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a := x.accounts[id]; a != nil {
		for k, f := range a.principals[principal] {
			u.add(k.service, k.action, f.use)
		}
	}
}

// pending returns who has uses in memory.
func (x *Index) pending(id string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a := x.accounts[id]; a != nil {
		return slices.Collect(maps.Keys(a.principals))
	}
	return nil
}

// flush writes what is due, or all. What cannot be written is tried again at the
// next flush.
func (x *Index) flush(ctx context.Context, all bool) error {
	x.mu.Lock()
	ids := slices.Collect(maps.Keys(x.accounts))
	x.mu.Unlock()
	var errs []error
	for _, id := range ids {
		err := x.flushAccount(ctx, id, all)
		if errors.Is(err, store.ErrNotFound) {
			x.mu.Lock()
			delete(x.accounts, id)
			x.mu.Unlock()
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (x *Index) flushAccount(ctx context.Context, id string, all bool) error {
	v, err := x.o.Store.View(ctx, id)
	if err != nil {
		return err
	}
	var due []string
	for _, who := range x.pending(id) {
		if x.due(v, id, who, all) {
			due = append(due, who)
		}
	}
	for some := range slices.Chunk(due, batch) {
		if err := x.write(ctx, id, some); err != nil {
			return err
		}
	}
	return x.sweep(ctx, id)
}

// due drops what the store has, and reports whether the rest should be written:
// what the store does not know at all, or has not known for a while.
func (x *Index) due(v *store.View, id, who string, all bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	uses := x.accounts[id].principals[who]
	for _, f := range uses {
		if !f.known {
			x.mu.Unlock() // reading the row may take a moment
			in := stored(v, who)
			x.mu.Lock()
			for k, f := range uses {
				f.stored, f.known = in[k.service][k.action].Unix, true
			}
			break
		}
	}
	now, old := x.o.Now().Unix(), int64(grain/time.Second)
	due := false
	for k, f := range uses {
		switch {
		case f.use.Unix <= f.stored:
			delete(uses, k)
		case all || f.stored == 0 || f.use.Unix-f.stored >= old || now-f.use.Unix >= old:
			due = true
		}
	}
	if len(uses) == 0 {
		delete(x.accounts[id].principals, who)
	}
	return due
}

// write puts all that is in memory of some principals into the store. Those that
// are gone are dropped.
func (x *Index) write(ctx context.Context, id string, some []string) error {
	taken := make(map[string]Uses, len(some))
	for _, who := range some {
		taken[who] = make(Uses)
		x.overlay(taken[who], id, who)
	}
	horizon := x.horizon()
	err := x.o.Store.Update(ctx, id, func(tx *store.Tx) error {
		for who, uses := range taken {
			if !exists(tx.View(), who) {
				tx.DeleteAnnexed(store.AnnexReport, dir+who)
				continue
			}
			row := stored(tx.View(), who)
			for service, actions := range uses {
				for action, use := range actions {
					row.add(service, action, use)
				}
			}
			row.prune(horizon)
			value, err := json.Marshal(row)
			if err != nil {
				return err
			}
			tx.PutAnnexed(store.AnnexReport, dir+who, value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for who, uses := range taken {
		x.settleLocked(id, who, uses)
	}
	return nil
}

// settleLocked drops what was written, unless it was used again meanwhile.
func (x *Index) settleLocked(id, who string, written Uses) {
	a := x.accounts[id]
	if a == nil {
		return
	}
	for k, f := range a.principals[who] {
		if at := written[k.service][k.action].Unix; f.use.Unix <= at {
			delete(a.principals[who], k)
		} else if at > 0 {
			f.stored, f.known = at, true
		}
	}
	if len(a.principals[who]) == 0 {
		delete(a.principals, who)
	}
}

// sweep deletes rows of principals that are gone, now and then.
func (x *Index) sweep(ctx context.Context, id string) error {
	now := x.o.Now()
	x.mu.Lock()
	a := x.accounts[id]
	due := a != nil && now.Sub(a.swept) >= sweepEvery
	x.mu.Unlock()
	if !due {
		return nil
	}
	gone := 0
	err := x.o.Store.Update(ctx, id, func(tx *store.Tx) error {
		gone = 0
		for row := range tx.View().Annex(store.AnnexReport).Rows() {
			who, ok := strings.CutPrefix(row.Key, dir)
			if ok && !exists(tx.View(), who) && gone < maxSweep {
				gone++
				tx.DeleteAnnexed(store.AnnexReport, row.Key)
			}
		}
		return nil
	})
	if err == nil && gone < maxSweep {
		x.mu.Lock()
		a.swept = now
		x.mu.Unlock()
	}
	return err
}
