// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const alpha = "111122223333"

// newReports returns Reports on a new store with the account alpha, whose clock
// is now.
func newReports(t *testing.T, now *time.Time) *Reports {
	t.Helper()
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	keeper, err := seal.Create(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.CreateAccount(t.Context(), store.Account{ID: alpha}); err != nil {
		t.Fatal(err)
	}
	r := New(Options{Store: s, IDs: new(ids.Source), Now: func() time.Time { return *now }})
	t.Cleanup(r.Close)
	return r
}

func (s *Reports) view(t *testing.T) *store.View {
	t.Helper()
	v, err := s.store.View(t.Context(), alpha)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// keys returns the keys of the rows, each up to its id.
func (s *Reports) keys(t *testing.T) []string {
	t.Helper()
	var keys []string
	for row := range s.view(t).Annex(store.AnnexReport).Rows() {
		keys = append(keys, row.Key)
	}
	return keys
}

// noise returns n bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{})
	_, _ = c.Read(b)
	return b
}

// TestParts: a result of any size is read as it was, what is too large for a row
// is in parts, and a report that takes the place of another leaves none of its.
func TestParts(t *testing.T) {
	now := time.Unix(1767323045, 0)
	s := newReports(t, &now)
	for _, tt := range []struct {
		name  string
		size  int
		parts int
	}{{"nothing", 0, 0}, {"one-row", maxPart - 100, 0}, {"more-than-one-row", maxPart + 1, 2}, {"many", 4*maxPart + 7, 5}, {"one-again", 10, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			want := noise(tt.size)
			id := s.newID()
			b, err := s.pack(t.Context(), alpha, id, want)
			if err != nil {
				t.Fatal(err)
			}
			if b.Parts != tt.parts {
				t.Errorf("%d parts, want %d", b.Parts, tt.parts)
			}
			if err := s.putCredentialReport(t.Context(), alpha, &credentialReport{ID: id, Started: now, Done: now, blob: b}); err != nil {
				t.Fatal(err)
			}
			v := s.view(t)
			got, err := current(v).open(v, id)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("open = %d bytes, %v, want the %d that were stored", len(got), err, len(want))
			}
			if n := len(s.keys(t)); n != tt.parts+1 {
				t.Errorf("%d rows, want %d", n, tt.parts+1)
			}
		})
	}
	if _, err := s.pack(t.Context(), alpha, s.newID(), noise(maxParts*maxPart+maxPart)); !errors.Is(err, awserr.LimitExceeded) {
		t.Errorf("a result beyond all parts: %v, want LimitExceeded", err)
	}
	v := s.view(t)
	if _, err := (blob{Parts: 3}).open(v, "gone"); err == nil {
		t.Error("a result whose parts are gone opens")
	}
}

// TestSweep: jobs and their parts go when they are old or too large together, the
// oldest first; parts of nobody go after an hour; nothing else does.
func TestSweep(t *testing.T) {
	now := time.Unix(1767323045, 0)
	s := newReports(t, &now)
	add := func(size int, head bool) string {
		t.Helper()
		now = now.Add(time.Second)
		id := s.newID()
		b, err := s.pack(t.Context(), alpha, id, noise(size))
		if err != nil {
			t.Fatal(err)
		}
		if head {
			err = s.update(t.Context(), alpha, func(tx *store.Tx) error { return put(tx, dirJob+id, &job{blob: b}) })
		}
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	sweep := func() []string {
		t.Helper()
		if err := s.update(t.Context(), alpha, func(tx *store.Tx) error { s.sweep(tx); return nil }); err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, key := range s.keys(t) {
			_, id, _ := strings.Cut(key, "/")
			id, _, _ = strings.Cut(id, "/")
			if !slices.Contains(left, id) {
				left = append(left, id)
			}
		}
		slices.Sort(left)
		return left
	}
	old, large := add(100, true), add(3*maxPart, true)
	orphan := add(2*maxPart, false)
	report := s.newID()
	b, err := s.pack(t.Context(), alpha, report, noise(2*maxPart))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.putCredentialReport(t.Context(), alpha, &credentialReport{ID: report, Started: now, Done: now, blob: b}); err != nil {
		t.Fatal(err)
	}
	if got := sweep(); len(got) != 5 { // "" is the credential report's own row
		t.Errorf("left %v, want all", got)
	}
	now = now.Add(time.Hour)
	if got := sweep(); slices.Contains(got, orphan) || len(got) != 4 {
		t.Errorf("after an hour left %v, want all but the parts of %s", got, orphan)
	}
	now = bornAt(old).Add(keep + time.Second)
	if got := sweep(); slices.Contains(got, old) || !slices.Contains(got, large) {
		t.Errorf("after a week left %v, want no %s", got, old)
	}
	var all []string
	for range 8 {
		all = append(all, add(8*maxPart, true)) // 2 MiB, in base64 more
	}
	got := sweep()
	if slices.Contains(got, all[0]) || !slices.Contains(got, all[7]) || slices.Contains(got, large) {
		t.Errorf("beyond %d bytes left %v, want the newest of %v", maxBytes, got, all)
	}
	total := 0
	for row := range s.view(t).Annex(store.AnnexReport).Rows() {
		total += len(row.Value)
	}
	if total > maxBytes+3*maxPart {
		t.Errorf("%d bytes are left, want at most %d and the credential report", total, maxBytes)
	}
	if !slices.Contains(got, report) {
		t.Error("the credential report is gone")
	}
}

// TestIDs: ids sort by age and have the form of a UUID.
func TestIDs(t *testing.T) {
	now := time.Unix(1767323045, 0)
	s := &Reports{now: func() time.Time { return now }, ids: new(ids.Source)}
	a := s.newID()
	if got := bornAt(a); !got.Equal(now) || len(a) != 36 {
		t.Errorf("bornAt(%s) = %v, want %v", a, got, now)
	}
	now = now.Add(time.Second)
	if b := s.newID(); b <= a {
		t.Errorf("%s comes before %s", b, a)
	}
	for _, id := range []string{"", "short", "zzzzzzzz-"} {
		if got := bornAt(id); !got.IsZero() {
			t.Errorf("bornAt(%q) = %v, want the zero time", id, got)
		}
	}
	if text, err := json.Marshal(job{}); err != nil || strings.Contains(string(text), "done") {
		t.Errorf("a job in progress = %s, %v", text, err)
	}
}
