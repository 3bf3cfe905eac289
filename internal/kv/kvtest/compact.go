// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

var compactTests = []suite{
	{"a-compacted-revision-is-refused-and-later-ones-are-not", compactRefuses},
	{"a-watch-in-progress-goes-on", compactWatch},
	{"a-future-revision-is-refused", compactFuture},
}

func compactRefuses(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("a", "1"), set("b", "1"))
	commit(t, db, set("a", "2"))
	r3 := commit(t, db, set("a", "3"))
	r4 := commit(t, db, del("b"), set("a", "4"))
	r5 := commit(t, db, set("c", "5"))
	for _, before := range []kv.Revision{r4, r4, r1} { // again, and less, change nothing
		if err := db.Compact(within(t), before); err != nil {
			t.Fatalf("Compact(%d) = %v, want nil", before, err)
		}
		_, err := db.Range(within(t), "", "", r1, 0)
		wantError(t, "Range() at a compacted revision", err, kv.ErrCompacted)
		_, err = db.Range(within(t), "", "", r3, 0)
		wantError(t, "Range() at the last compacted revision", err, kv.ErrCompacted)
		wantEnd(t, db, "", "", 0, kv.ErrCompacted)
		wantEnd(t, db, "", "", r1, kv.ErrCompacted)
		wantEnd(t, db, "", "", r3, kv.ErrCompacted) // b's deletion at r4 may be forgotten

		wantPairs(t, scan(t, db, "", "", r4, 0), "a", "4")
		wantPairs(t, scan(t, db, "", "", r5, 0), "a", "4", "c", "5")
		wantPairs(t, scan(t, db, "", "", 0, 0), "a", "4", "c", "5")
		wantBatches(t, "watch", collect(t, db, "", "", r4, r5), []kv.Batch{batch(r5, set("c", "5"))})
	}
}

func compactWatch(t *testing.T, db kv.DB) {
	r0 := latest(t, db)
	var want, got []kv.Batch
	for b, err := range db.Watch(within(t), "", "", r0) {
		if err != nil {
			t.Fatalf("Watch() = %v, want nil", err)
		}
		if len(b.Events) > 0 {
			got = append(got, b)
		}
		if len(got) == 10 {
			break
		}
		if len(got) == len(want) {
			op := set("a", string(rune('a'+len(got))))
			rev := commit(t, db, op)
			want = append(want, batch(rev, op))
			if err := db.Compact(within(t), b.Revision); err != nil {
				t.Fatalf("Compact(%d) = %v, want nil", b.Revision, err)
			}
		}
	}
	wantBatches(t, "watch", got, want)
}

func compactFuture(t *testing.T, db kv.DB) {
	now := commit(t, db, set("a", "1"))
	wantError(t, "Compact() before a future revision", db.Compact(within(t), now+1000), kv.ErrFuture)
	wantPairs(t, scan(t, db, "", "", now, 0), "a", "1")
}
