// SPDX-License-Identifier: Apache-2.0

package kvtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

var rangeTests = []suite{
	{"a-new-store-is-empty-and-has-a-revision", rangeEmpty},
	{"keys-come-in-byte-order", rangeOrder},
	{"bounds-are-half-open-and-an-empty-end-is-none", rangeBounds},
	{"a-limit-leaves-out-entries-and-says-so", rangeLimit},
	{"pages-of-one-revision-are-one-snapshot", rangePages},
	{"an-older-revision-is-as-it-was", rangeSnapshot},
	{"a-future-revision-is-refused", rangeFuture},
	{"entries-tell-when-they-were-modified", rangeModified},
	{"the-receiver-owns-the-values", rangeOwned},
}

func rangeEmpty(t *testing.T, db kv.DB) {
	page := scan(t, db, "", "", 0, 0)
	wantPairs(t, page)
	if page.Revision < 1 || page.More {
		t.Errorf("range of a new store = revision %d, more %t, want at least 1, false", page.Revision, page.More)
	}
	wantPairs(t, scan(t, db, "", "", page.Revision, 0))
}

// awkward are keys in byte order that engines may trip over.
var awkward = []string{
	"\x00", "\x00\x00", "\x00\xff", "\x01", "/", "/a", "/a/", "/a/b", "/a0", "A", "a", "a\x00", "a\x00b", "aa", "b",
	"user/\xc3\xa9", "\xc3\x28", "\xfe", "\xff", "\xff\x00", "\xff\xff",
}

func rangeOrder(t *testing.T, db kv.DB) {
	var want []string
	for i := range awkward {
		k := awkward[(i*8)%len(awkward)] // 8 and the length have no common divisor: every key, in no order
		commit(t, db, set(k, "v:"+k))
	}
	for _, k := range awkward {
		want = append(want, k, "v:"+k)
	}
	wantPairs(t, scan(t, db, "", "", 0, 0), want...)
	for i, k := range awkward {
		wantPairs(t, scan(t, db, k, k+"\x00", 0, 0), k, "v:"+k)
		wantPairs(t, scan(t, db, k, "", 0, 0), want[2*i:]...)
	}
}

func rangeBounds(t *testing.T, db kv.DB) {
	commit(t, db, set("a", "1"), set("b", "2"), set("b/x", "3"), set("c", "4"))
	for _, test := range []struct {
		start, end string
		want       []string
	}{
		{"a", "c", []string{"a", "1", "b", "2", "b/x", "3"}},
		{"a\x00", "c\x00", []string{"b", "2", "b/x", "3", "c", "4"}},
		{"b/", "b0", []string{"b/x", "3"}},
		{"b", "", []string{"b", "2", "b/x", "3", "c", "4"}},
		{"", "b", []string{"a", "1"}},
		{"d", "", []string{}},
		{"b", "b", []string{}},
		{"c", "a", []string{}},
		{"", "\x00", []string{}},
	} {
		t.Run(fmt.Sprintf("from-%q-to-%q", test.start, test.end), func(t *testing.T) {
			page := scan(t, db, test.start, test.end, 0, 0)
			wantPairs(t, page, test.want...)
			if page.Revision < 1 {
				t.Errorf("revision read = %d, want at least 1", page.Revision)
			}
		})
	}
}

func rangeLimit(t *testing.T, db kv.DB) {
	commit(t, db, set("a", "1"), set("b", "2"), set("c", "3"))
	for limit, more := range map[int]bool{1: true, 2: true, 3: false, 4: false, 0: false} {
		page := scan(t, db, "", "", 0, limit)
		want := []string{"a", "1", "b", "2", "c", "3"}
		if limit > 0 {
			want = want[:min(2*limit, 6)]
		}
		wantPairs(t, page, want...)
		if page.More != more {
			t.Errorf("range with limit %d: more = %t, want %t", limit, page.More, more)
		}
	}
	if page := scan(t, db, "a", "c", 0, 2); page.More {
		t.Error("range of exactly limit entries: more = true, want false")
	}
}

func rangePages(t *testing.T, db kv.DB) {
	var want []string
	for i := range 25 {
		k := fmt.Sprintf("k/%02d", i)
		commit(t, db, set(k, "old"))
		want = append(want, k, "old")
	}
	var all kv.Page
	for start, rev := "k/", kv.Revision(0); ; {
		page := scan(t, db, start, "k0", rev, 4)
		all.Entries = append(all.Entries, page.Entries...)
		if rev != 0 && page.Revision != rev {
			t.Fatalf("range at %d = revision %d", rev, page.Revision)
		}
		rev = page.Revision
		if !page.More {
			break
		}
		last := page.Entries[len(page.Entries)-1].Key
		start = last + "\x00"
		// Disturb what was read, what comes next and what lies between.
		commit(t, db, set(last, "new"), set(last+"+", "between"), del(fmt.Sprintf("k/%02d", len(all.Entries))))
	}
	wantPairs(t, all, want...)
}

func rangeSnapshot(t *testing.T, db kv.DB) {
	r0 := latest(t, db)
	r1 := commit(t, db, set("a", "1"), set("b", "1"))
	r2 := commit(t, db, set("a", "2"))
	r3 := commit(t, db, del("a"), set("c", "3"))
	r4 := commit(t, db, set("a", "4"), del("b"))
	for _, test := range []struct {
		rev  kv.Revision
		want string
	}{
		{r0, ""}, {r1, "a 1 b 1"}, {r2, "a 2 b 1"}, {r3, "b 1 c 3"}, {r4, "a 4 c 3"}, {0, "a 4 c 3"},
	} {
		wantPairs(t, scan(t, db, "", "", test.rev, 0), strings.Fields(test.want)...)
	}
	if page := scan(t, db, "", "", r2, 1); !page.More || page.Entries[0].Modified != r2 {
		t.Errorf("range at %d with limit 1 = %+v, want a of this revision, and more", r2, page)
	}
	if page := scan(t, db, "b", "", r3, 1); !page.More || page.Entries[0].Modified != r1 {
		t.Errorf("range at %d with limit 1 = %+v, want b of revision %d, and more", r3, page, r1)
	}
}

func rangeFuture(t *testing.T, db kv.DB) {
	now := commit(t, db, set("a", "1"))
	_, err := db.Range(within(t), "", "", now+1000, 0)
	wantError(t, "Range() at a future revision", err, kv.ErrFuture)
}

func rangeModified(t *testing.T, db kv.DB) {
	r1 := commit(t, db, set("a", "1"), set("b", "1"))
	r2 := commit(t, db, set("a", "1"))
	if r2 <= r1 {
		t.Fatalf("second commit has revision %d, want more than %d", r2, r1)
	}
	page := scan(t, db, "", "", 0, 0)
	if got := page.Entries; len(got) != 2 || got[0].Modified != r2 || got[1].Modified != r1 {
		t.Errorf("range = %+v, want a modified at %d and b at %d", got, r2, r1)
	}
	if page.Revision < r2 {
		t.Errorf("range after commit %d = revision %d", r2, page.Revision)
	}
}

func rangeOwned(t *testing.T, db kv.DB) {
	value := []byte("before")
	commit(t, db, kv.Op{Key: "a", Value: value})
	page := scan(t, db, "", "", 0, 0)
	copy(value, "XXXXXX")
	for i := range 50 {
		commit(t, db, set("a", strings.Repeat("y", 100*i)))
	}
	wantPairs(t, page, "a", "before")
}
