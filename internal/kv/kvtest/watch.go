// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

var watchTests = []suite{
	{"from-the-beginning-the-middle-and-the-end", watchFrom},
	{"a-batch-is-one-commit-in-key-order", watchBatch},
	{"only-the-range-is-yielded", watchRange},
	{"later-commits-follow", watchLive},
	{"resuming-after-a-batch-repeats-and-misses-nothing", watchResume},
	{"progress-comes-at-once-and-keeps-coming", watchProgress},
	{"progress-covers-what-others-committed", watchOthers},
	{"a-slow-reader-delays-nobody-and-misses-nothing", watchSlow},
	{"it-ends-with-the-context", watchContext},
	{"a-future-revision-and-an-empty-range-are-refused", watchRefused},
}

func watchFrom(t *testing.T, db kv.DB) {
	var all []kv.Batch
	for i := range 20 {
		op := set(fmt.Sprintf("k%d", i%7), fmt.Sprint(i))
		all = append(all, batch(commit(t, db, op), op))
	}
	last := all[19].Revision
	wantBatches(t, "watch after 0", collect(t, db, "", "", 0, last), all)
	for i := range all {
		wantBatches(t, "watch from within", collect(t, db, "", "", all[i].Revision, last), all[i+1:])
	}
}

func watchBatch(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("z", "1"), set("a", "1"), set("m", "1"))
	r2 := commit(t, db, set("m", "2"), del("z"), set("b", "2"))
	r3 := commit(t, db, set("b", "2"))
	wantBatches(t, "watch", collect(t, db, "", "", 0, r3), []kv.Batch{
		batch(r1, set("a", "1"), set("m", "1"), set("z", "1")),
		batch(r2, set("b", "2"), set("m", "2"), del("z")),
		batch(r3, set("b", "2")),
	})
}

func watchRange(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("a", "1"), set("b", "1"), set("b/", "1"), set("c", "1"))
	r2 := commit(t, db, set("a", "2"), set("c", "2"))
	r3 := commit(t, db, del("b"), del("c"))
	for _, test := range []struct {
		start, end string
		want       []kv.Batch
	}{
		{"b", "c", []kv.Batch{batch(r1, set("b", "1"), set("b/", "1")), batch(r3, del("b"))}},
		{"c", "", []kv.Batch{batch(r1, set("c", "1")), batch(r2, set("c", "2")), batch(r3, del("c"))}},
		{"", "b", []kv.Batch{batch(r1, set("a", "1")), batch(r2, set("a", "2"))}},
		{"b", "b\x00", []kv.Batch{batch(r1, set("b", "1")), batch(r3, del("b"))}},
		{"d", "", nil},
	} {
		what := fmt.Sprintf("watch from %q to %q", test.start, test.end)
		wantBatches(t, what, collect(t, db, test.start, test.end, 0, r3), test.want)
	}
}

func watchLive(t *testing.T, db kv.DB) {
	r0 := latest(t, db)
	var want []kv.Batch
	i := 0
	for b, err := range db.Watch(within(t), "", "", r0) {
		if err != nil {
			t.Fatalf("Watch() = %v, want nil", err)
		}
		if len(b.Events) > 0 {
			wantBatches(t, "watch", []kv.Batch{b}, want)
		} else if i > 0 && b.Revision < want[0].Revision {
			continue
		}
		if i++; i > 20 {
			break
		}
		op := set("k", fmt.Sprint(i)) // only now: each step waits for the one before
		want = []kv.Batch{batch(commit(t, db, op), op)}
	}
}

func watchResume(t *testing.T, db kv.DB) {
	const n = 100
	r0 := latest(t, db)
	var want, got []kv.Batch
	for i := range n {
		op := set(fmt.Sprintf("k%02d", i%10), fmt.Sprint(i))
		want = append(want, batch(commit(t, db, op), op))
	}
	for at := r0; len(got) < n; {
		taken := 0
		for b, err := range db.Watch(within(t), "", "", at) {
			if err != nil {
				t.Fatalf("Watch(after %d) = %v, want nil", at, err)
			}
			if len(b.Events) > 0 {
				got = append(got, b)
			}
			at = b.Revision
			if taken++; taken == 13 || len(got) == n {
				break
			}
		}
	}
	wantBatches(t, "watch in parts", got, want)
}

func watchProgress(t *testing.T, db kv.DB) {
	rev := commit(t, db, set("a", "1"))
	start := time.Now()
	var seen []time.Duration
	for b, err := range db.Watch(within(t), "", "", rev) {
		if err != nil {
			t.Fatalf("Watch() = %v, want nil", err)
		}
		if len(b.Events) > 0 || b.Revision < rev {
			t.Errorf("watch of a quiet store yielded %s, want progress at %d", showBatch(b), rev)
		}
		if seen = append(seen, time.Since(start)); len(seen) == 3 {
			break
		}
	}
	if seen[0] > kv.ProgressInterval || seen[2] > 5*kv.ProgressInterval {
		t.Errorf("progress came after %v, want at once and every %v", seen, kv.ProgressInterval)
	}
}

func watchOthers(t *testing.T, db kv.DB) {
	r0 := latest(t, db)
	r1 := kv.Revision(0)
	deadline := time.Now().Add(4 * kv.ProgressInterval)
	for b, err := range db.Watch(within(t), "a/", "a0", r0) {
		if err != nil {
			t.Fatalf("Watch() = %v, want nil", err)
		}
		if len(b.Events) > 0 {
			t.Fatalf("watch yielded %s, want progress only", showBatch(b))
		}
		if r1 == 0 {
			r1 = commit(t, db, set("b", "1"))
		} else if b.Revision >= r1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("progress is at %d, want %d by now", b.Revision, r1)
		}
	}
}

func watchSlow(t *testing.T, db kv.DB) {
	const n = 40
	r0 := latest(t, db)
	value := strings.Repeat("v", 200<<10) // 8 MiB in all: more than an engine should hold for one watch
	var want, got []kv.Batch
	for b, err := range db.Watch(within(t), "", "", r0) {
		if err != nil {
			t.Fatalf("Watch() = %v, want nil", err)
		}
		if len(b.Events) > 0 {
			got = append(got, b)
		}
		if len(got) == n {
			break
		}
		for len(want) < n { // while the watch waits
			op := set(fmt.Sprintf("k%d", len(want)%3), value+fmt.Sprint(len(want)))
			want = append(want, batch(commit(t, db, op), op))
		}
	}
	wantBatches(t, "watch", got, want)
}

func watchContext(t *testing.T, db kv.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for b, err := range db.Watch(ctx, "", "", 0) {
		if last = err; err != nil && (b.Revision != 0 || b.Events != nil) {
			t.Errorf("last batch = %+v, want the zero batch", b)
		}
		cancel()
	}
	wantError(t, "last error of the watch", last, context.Canceled)
}

func watchRefused(t *testing.T, db kv.DB) {
	now := commit(t, db, set("a", "1"))
	for _, test := range []struct {
		start, end string
		after      kv.Revision
		want       error
	}{
		{"", "", now + 1000, kv.ErrFuture},
		{"b", "b", now, kv.ErrInvalid},
		{"b", "a", now, kv.ErrInvalid},
		{"", "\x00", now, kv.ErrInvalid},
	} {
		wantEnd(t, db, test.start, test.end, test.after, test.want)
	}
}

// wantEnd checks that a watch yields nothing but an error that wraps want.
func wantEnd(t *testing.T, db kv.DB, start, end string, after kv.Revision, want error) {
	t.Helper()
	what := fmt.Sprintf("Watch(%q, %q, %d)", start, end, after)
	n := 0
	for b, err := range db.Watch(within(t), start, end, after) {
		if n++; err == nil {
			t.Fatalf("%s yielded %s, want an error that wraps %q", what, showBatch(b), want)
		}
		wantError(t, what, err, want)
	}
	if n != 1 {
		t.Errorf("%s yielded %d errors, want 1", what, n)
	}
}
