// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

var concurrentTests = []suite{
	{"reads-writes-and-watches-are-linearizable", concurrentLoad},
	{"transfers-keep-the-sum", concurrentTransfers},
	{"one-of-many-creators-wins", concurrentCreate},
}

func concurrentLoad(t *testing.T, db kv.DB) {
	st := Load{DBs: []kv.DB{db, db, db}, Clients: 10, Ops: 120, Keys: 4}.Run(t)
	t.Logf("%+v", st)
	if st.Committed == 0 || st.Conflicts == 0 || st.Reads == 0 {
		t.Errorf("the load was %+v, want some of each", st)
	}
}

const (
	purses   = 6
	purseful = 100
)

// concurrentTransfers moves money between purses: no reader and no watch may ever see a sum that is not constant.
func concurrentTransfers(t *testing.T, db kv.DB) {
	ctx := within(t)
	var ops []kv.Op
	for i := range purses {
		ops = append(ops, set(fmt.Sprintf("purse/%d", i), strconv.Itoa(purseful)))
	}
	first := commit(t, db, ops...)
	var work sync.WaitGroup
	for range 6 {
		work.Go(func() {
			for done := 0; done < 30; {
				rev, err := transfer(ctx, db)
				if errors.Is(err, kv.ErrConflict) {
					continue
				}
				if err == nil {
					err = checkSum(ctx, db, rev) // as it was then
				}
				if err == nil {
					err = checkSum(ctx, db, 0)
				}
				if err != nil {
					t.Error(err)
					return
				}
				done++
			}
		})
	}
	work.Wait()
	last := latest(t, db)
	state := map[string]int{}
	for _, b := range collect(t, db, "purse/", "purse0", first-1, last) {
		sum := 0
		for _, e := range b.Events {
			state[e.Key], _ = strconv.Atoi(string(e.Value))
		}
		for _, n := range state {
			sum += n
		}
		if sum != purses*purseful {
			t.Fatalf("sum after batch %s = %d, want %d", showBatch(b), sum, purses*purseful)
		}
	}
}

// transfer moves some money between two purses, if nobody else does meanwhile.
func transfer(ctx context.Context, db kv.DB) (kv.Revision, error) {
	page, err := db.Range(ctx, "purse/", "purse0", 0, 0)
	if err != nil {
		return 0, err
	}
	from, to := rand.IntN(purses), rand.IntN(purses-1)
	if to >= from {
		to++
	}
	var txn kv.Txn
	for i, delta := range map[int]int{from: -7, to: 7} {
		e := page.Entries[i]
		n, _ := strconv.Atoi(string(e.Value))
		txn.If = append(txn.If, kv.Compare{Key: e.Key, Modified: e.Modified})
		txn.Then = append(txn.Then, set(e.Key, strconv.Itoa(n+delta)))
	}
	return db.Commit(ctx, txn)
}

func checkSum(ctx context.Context, db kv.DB, rev kv.Revision) error {
	page, err := db.Range(ctx, "purse/", "purse0", rev, 0)
	if err != nil {
		return err
	}
	sum := 0
	for _, e := range page.Entries {
		n, _ := strconv.Atoi(string(e.Value))
		sum += n
	}
	if sum != purses*purseful {
		return fmt.Errorf("sum at %d = %d, want %d", rev, sum, purses*purseful)
	}
	return nil
}

func concurrentCreate(t *testing.T, db kv.DB) {
	const creators = 16
	for round := range 5 {
		key := fmt.Sprintf("key/%d", round)
		var work sync.WaitGroup
		errs := make([]error, creators)
		for i := range creators {
			work.Go(func() {
				_, errs[i] = db.Commit(t.Context(), kv.Txn{
					If:   []kv.Compare{{Key: key}},
					Then: []kv.Op{set(key, strconv.Itoa(i))},
				})
			})
		}
		work.Wait()
		winners := []string{}
		for i, err := range errs {
			if err == nil {
				winners = append(winners, key, strconv.Itoa(i))
			} else {
				wantError(t, "Commit(create)", err, kv.ErrConflict)
			}
		}
		wantPairs(t, scan(t, db, key, key+"\x00", 0, 0), winners...)
		if len(winners) != 2 {
			t.Errorf("winners = %q, want one", winners)
		}
	}
}
