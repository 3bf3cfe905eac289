// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

var commitTests = []suite{
	{"create-if-absent-succeeds-once", commitCreate},
	{"a-comparison-with-another-revision-is-a-conflict", commitCompare},
	{"a-conflict-changes-nothing", commitAllOrNothing},
	{"a-deleted-key-does-not-exist", commitDelete},
	{"deleting-what-is-absent-changes-nothing", commitDeleteAbsent},
	{"values-are-any-bytes", commitValues},
	{"limits-are-kept", commitLimits},
	{"the-largest-transaction-fits", commitLargest},
	{"an-ended-context-applies-nothing", commitContext},
}

func commitCreate(t *testing.T, db kv.DB) {
	create := kv.Txn{If: []kv.Compare{{Key: "a"}}, Then: []kv.Op{set("a", "1")}}
	rev, err := db.Commit(within(t), create)
	if err != nil {
		t.Fatalf("Commit(create) = %v, want nil", err)
	}
	_, err = db.Commit(within(t), create)
	wantError(t, "Commit(create again)", err, kv.ErrConflict)
	if got := scan(t, db, "a", "", 0, 0).Entries; len(got) != 1 || got[0].Modified != rev {
		t.Errorf("range = %+v, want a modified at %d", got, rev)
	}
}

func commitCompare(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("a", "1"), set("b", "1"))
	r2 := commit(t, db, set("b", "2"))
	for _, test := range []struct {
		name string
		when []kv.Compare
		want error
	}{
		{"the-revision-of-the-key", []kv.Compare{{Key: "a", Modified: r1}}, nil},
		{"of-every-key", []kv.Compare{{Key: "b", Modified: r2}, {Key: "absent"}}, nil},
		{"an-older-revision", []kv.Compare{{Key: "b", Modified: r1}}, kv.ErrConflict},
		{"a-later-revision", []kv.Compare{{Key: "a", Modified: r2}}, kv.ErrConflict},
		{"absent-but-it-exists", []kv.Compare{{Key: "a"}}, kv.ErrConflict},
		{"exists-but-it-is-absent", []kv.Compare{{Key: "absent", Modified: r1}}, kv.ErrConflict},
		{"one-of-two", []kv.Compare{{Key: "b", Modified: r2}, {Key: "a", Modified: r2}}, kv.ErrConflict},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := db.Commit(within(t), kv.Txn{If: test.when, Then: []kv.Op{set("c/"+test.name, "x")}})
			if test.want == nil && err != nil {
				t.Errorf("Commit(if %+v) = %v, want nil", test.when, err)
			} else if test.want != nil {
				wantError(t, fmt.Sprintf("Commit(if %+v)", test.when), err, test.want)
			}
		})
	}
}

func commitAllOrNothing(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("a", "1"), set("z", "1"))
	_, err := db.Commit(within(t), kv.Txn{
		If:   []kv.Compare{{Key: "a", Modified: r1}, {Key: "z"}},
		Then: []kv.Op{set("a", "2"), set("new", "2"), del("z")},
	})
	wantError(t, "Commit()", err, kv.ErrConflict)
	wantPairs(t, scan(t, db, "", "", 0, 0), "a", "1", "z", "1")
	r2 := commit(t, db, set("a", "3"), set("new", "3"), del("z"))
	wantPairs(t, scan(t, db, "", "", 0, 0), "a", "3", "new", "3")
	wantBatches(t, "watch", collect(t, db, "", "", r1, r2), []kv.Batch{
		batch(r2, set("a", "3"), set("new", "3"), del("z")),
	})
}

func commitDelete(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("a", "1"))
	commit(t, db, del("a"))
	wantPairs(t, scan(t, db, "", "", 0, 0))
	_, err := db.Commit(within(t), kv.Txn{If: []kv.Compare{{Key: "a", Modified: r1}}, Then: []kv.Op{set("a", "2")}})
	wantError(t, "Commit(if as before the deletion)", err, kv.ErrConflict)
	if _, err := db.Commit(within(t), kv.Txn{If: []kv.Compare{{Key: "a"}}, Then: []kv.Op{set("a", "3")}}); err != nil {
		t.Errorf("Commit(create after deletion) = %v, want nil", err)
	}
	wantPairs(t, scan(t, db, "", "", 0, 0), "a", "3")
}

func commitDeleteAbsent(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("a", "1"))
	if rev := commit(t, db, del("none"), del("nothing")); rev < r1 {
		t.Errorf("Commit(delete absent keys) = %d, want at least %d", rev, r1)
	}
	r2 := commit(t, db, del("none"), set("b", "2"))
	wantBatches(t, "watch", collect(t, db, "", "", r1, r2), []kv.Batch{batch(r2, set("b", "2"))})
}

func commitValues(t *testing.T, db kv.DB) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	commit(t, db, kv.Op{Key: "every", Value: every}, kv.Op{Key: "nil"}, kv.Op{Key: "empty", Value: []byte{}})
	commit(t, db, kv.Op{Key: "large", Value: bytes.Repeat(every, kv.MaxValue/256)})
	page := scan(t, db, "", "", 0, 0)
	wantPairs(t, page, "empty", "", "every", string(every), "large", strings.Repeat(string(every), kv.MaxValue/256), "nil", "")
	for _, e := range page.Entries {
		if e.Modified == 0 {
			t.Errorf("key %q: modified = 0, want a revision", e.Key)
		}
	}
}

func commitLimits(t *testing.T, db kv.DB) {
	many := func(n int) (ops []kv.Op, when []kv.Compare) {
		for i := range n {
			ops = append(ops, set(fmt.Sprintf("k%03d", i), "v"))
			when = append(when, kv.Compare{Key: fmt.Sprintf("k%03d", i)})
		}
		return ops, when
	}
	ops, when := many(kv.MaxOps + 1)
	large := make([]byte, kv.MaxValue)
	key := strings.Repeat("k", kv.MaxKey)
	one := []kv.Op{set("a", "1")}
	for _, test := range []struct {
		name string
		txn  kv.Txn
		want error
	}{
		{"no-operation", kv.Txn{}, kv.ErrInvalid},
		{"only-a-comparison", kv.Txn{If: when[:1]}, kv.ErrInvalid},
		{"too-many-operations", kv.Txn{Then: ops}, kv.ErrTooLarge},
		{"too-many-comparisons", kv.Txn{If: when, Then: one}, kv.ErrTooLarge},
		{"empty-key", kv.Txn{Then: []kv.Op{set("", "1")}}, kv.ErrInvalid},
		{"empty-key-compared", kv.Txn{If: []kv.Compare{{}}, Then: one}, kv.ErrInvalid},
		{"negative-revision-compared", kv.Txn{If: []kv.Compare{{Key: "a", Modified: -1}}, Then: one}, kv.ErrInvalid},
		{"long-key", kv.Txn{Then: []kv.Op{set(key+"k", "1")}}, kv.ErrTooLarge},
		{"long-key-compared", kv.Txn{If: []kv.Compare{{Key: key + "k"}}, Then: one}, kv.ErrTooLarge},
		{"large-value", kv.Txn{Then: []kv.Op{{Key: "a", Value: append(large, 0)}}}, kv.ErrTooLarge},
		{"large-transaction", kv.Txn{Then: []kv.Op{{Key: "a", Value: large}, {Key: "b", Value: large}}}, kv.ErrTooLarge},
		{"key-twice", kv.Txn{Then: []kv.Op{set("a", "1"), set("b", "1"), del("a")}}, kv.ErrInvalid},
		{"delete-with-a-value", kv.Txn{Then: []kv.Op{{Key: "a", Value: large[:1], Delete: true}}}, kv.ErrInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := db.Commit(within(t), test.txn)
			wantError(t, "Commit()", err, test.want)
		})
	}
	wantPairs(t, scan(t, db, "", "", 0, 0))
}

func commitLargest(t *testing.T, db kv.DB) {
	var txn kv.Txn
	for i := range kv.MaxOps {
		key := fmt.Sprintf("%0*d", kv.MaxKey, i)
		txn.If = append(txn.If, kv.Compare{Key: key})
		value := make([]byte, kv.MaxTxn/kv.MaxOps-2*kv.MaxKey)
		txn.Then = append(txn.Then, kv.Op{Key: key, Value: value})
	}
	if _, err := db.Commit(within(t), txn); err != nil {
		t.Fatalf("Commit(%d keys of %d bytes, %d bytes in all) = %v, want nil", kv.MaxOps, kv.MaxKey, kv.MaxTxn, err)
	}
	if n := len(scan(t, db, "", "", 0, 0).Entries); n != kv.MaxOps {
		t.Errorf("range = %d entries, want %d", n, kv.MaxOps)
	}
}

func commitContext(t *testing.T, db kv.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := db.Commit(ctx, kv.Txn{Then: []kv.Op{set("a", "1")}})
	wantError(t, "Commit() with an ended context", err, context.Canceled)
	_, err = db.Range(ctx, "", "", 0, 0)
	wantError(t, "Range() with an ended context", err, context.Canceled)
	wantPairs(t, scan(t, db, "", "", 0, 0))
}
