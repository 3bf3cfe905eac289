// SPDX-License-Identifier: Apache-2.0

package relaykv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/kvtest"
	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
)

// A site is a store with a Handler on a Unix socket, which can be stopped and
// started.
type site struct {
	t       testing.TB
	db      *memkv.DB
	socket  string
	server  *http.Server
	handler http.Handler
}

func newSite(t testing.TB, h *Handler) *site {
	s := &site{t: t, db: memkv.Open(memkv.Options{Keep: 4096}), socket: filepath.Join(t.TempDir(), "s")}
	h.DB = s.db
	s.handler = h
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *site) start() {
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = &http.Server{Handler: s.handler, ReadTimeout: 200 * time.Millisecond, WriteTimeout: 300 * time.Millisecond}
	go s.server.Serve(l)
}

func (s *site) stop() { s.server.Close() }

func (s *site) open() *DB {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.socket)
	}
	db := Open(Options{Client: &http.Client{Transport: &http.Transport{DialContext: dial}}, URL: "http://site/relay"})
	s.t.Cleanup(func() { db.Close() })
	return db
}

// A compactable is a DB that has its history forgotten where it is kept.
type compactable struct {
	*DB
	at kv.DB
}

func (c compactable) Compact(ctx context.Context, before kv.Revision) error {
	if err := c.DB.Compact(ctx, before); !errors.Is(err, ErrRefused) {
		return err
	}
	return c.at.Compact(ctx, before)
}

func TestConformance(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.DB {
		s := newSite(t, new(Handler))
		return compactable{s.open(), s.db}
	})
}

func put(t *testing.T, db kv.DB, key, value string) kv.Revision {
	t.Helper()
	rev, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: key, Value: []byte(value)}}})
	if err != nil {
		t.Fatalf("Commit(%s) = %v", key, err)
	}
	return rev
}

// upper lets keys through that begin with "seen/", in capitals.
func upper(key string, value []byte) ([]byte, bool) {
	return bytes.ToUpper(value), strings.HasPrefix(key, "seen/")
}

// TestWhatLeaves: a reader sees neither a key that is withheld nor its end, pages
// are as long as they would be without it, and values are what leaves of them.
func TestWhatLeaves(t *testing.T) {
	s := newSite(t, &Handler{Sent: upper, Taken: func(_ context.Context, op kv.Op) error {
		if op.Key != "seen/mine" {
			return fmt.Errorf("%w: %s", ErrRefused, op.Key)
		}
		return nil
	}})
	db := s.open()
	first := put(t, s.db, "hidden/0", "x")
	for i := range 3 {
		put(t, s.db, fmt.Sprint("hidden/", i), "x")
		put(t, s.db, fmt.Sprint("seen/", i), "x")
	}
	for limit, want := range map[int]string{0: "seen/0=X seen/1=X seen/2=X false", 2: "seen/0=X seen/1=X true", 3: "seen/0=X seen/1=X seen/2=X false"} {
		page, err := db.Range(t.Context(), "", "", 0, limit)
		got := ""
		for _, e := range page.Entries {
			got += fmt.Sprintf("%s=%s ", e.Key, e.Value)
		}
		if got += fmt.Sprint(page.More); err != nil || got != want {
			t.Errorf("Range(limit %d) = %s, %v, want %s", limit, got, err, want)
		}
	}
	for _, txn := range []kv.Txn{
		{Then: []kv.Op{{Key: "seen/1", Value: []byte("y")}}},
		{Then: []kv.Op{{Key: "seen/mine"}, {Key: "hidden/1", Delete: true}}},
		{If: []kv.Compare{{Key: "hidden/1"}}, Then: []kv.Op{{Key: "seen/mine"}}},
	} {
		if _, err := db.Commit(t.Context(), txn); !errors.Is(err, ErrRefused) || errors.Is(err, kv.ErrUnknown) {
			t.Errorf("Commit(%v) = %v, want ErrRefused", txn, err)
		}
	}
	put(t, db, "seen/mine", "y")
	if _, err := s.db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "hidden/0", Delete: true}, {Key: "seen/0", Delete: true}}}); err != nil {
		t.Fatal(err)
	}
	put(t, s.db, "hidden/3", "x")
	last := put(t, s.db, "seen/4", "z")
	var got []string
	for b, err := range db.Watch(t.Context(), "", "", first) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Events {
			got = append(got, fmt.Sprintf("%s=%s %t", e.Key, e.Value, e.Deleted))
		}
		if b.Revision >= last {
			break
		}
	}
	want := []string{"seen/0=X false", "seen/1=X false", "seen/2=X false", "seen/mine=Y false", "seen/0= true", "seen/4=Z false"}
	if !slices.Equal(got, want) {
		t.Errorf("Watch() = %q, want %q", got, want)
	}
}

// TestTheServerGoesAndComes: a watch waits, without progress, and misses nothing;
// the rest fails soon.
func TestTheServerGoesAndComes(t *testing.T) {
	s := newSite(t, new(Handler))
	db := s.open()
	first := put(t, db, "k", "0")
	type yielded struct {
		b   kv.Batch
		err error
	}
	out := make(chan yielded)
	go func() {
		for b, err := range db.Watch(t.Context(), "", "", first) {
			out <- yielded{b, err}
		}
	}()
	if y := <-out; y.err != nil || len(y.b.Events) > 0 {
		t.Fatalf("Watch() = %+v, want progress", y)
	}
	s.stop()
	begun := time.Now()
	if _, err := db.Range(t.Context(), "", "", 0, 0); err == nil {
		t.Error("Range() without a server = nil, want an error")
	}
	_, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "k"}}})
	if err == nil || errors.Is(err, kv.ErrUnknown) {
		t.Errorf("Commit() that was never sent = %v, want an error that says that it was not applied", err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("without a server it takes %v to say so", took)
	}
	var want kv.Revision
	for i := range 10 {
		want = put(t, s.db, "k", fmt.Sprint(i))
	}
	select {
	case y := <-out:
		t.Errorf("Watch() = %+v while the server is away, want nothing", y)
	case <-time.After(1200 * time.Millisecond):
	}
	s.start()
	n := 0
	for n < 10 {
		y := <-out
		if y.err != nil {
			t.Fatal(y.err)
		}
		n += len(y.b.Events)
		if n == 10 && y.b.Revision != want {
			t.Errorf("the last batch has revision %d, want %d", y.b.Revision, want)
		}
	}
}

// TestACommitWhoseAnswerIsLost may have been applied.
func TestACommitWhoseAnswerIsLost(t *testing.T) {
	s := newSite(t, new(Handler))
	inner := s.handler
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	_, err := s.open().Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "k"}}})
	if !errors.Is(err, kv.ErrUnknown) {
		t.Errorf("Commit() = %v, want ErrUnknown", err)
	}
	page, err := s.db.Range(t.Context(), "k", "l", 0, 0)
	if err != nil || len(page.Entries) != 1 {
		t.Errorf("the store has %d entries, %v, want 1", len(page.Entries), err)
	}
}

// TestATurnedAwayWatchEnds, and says why.
func TestATurnedAwayWatchEnds(t *testing.T) {
	s := newSite(t, new(Handler))
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not you", http.StatusForbidden) })
	for _, err := range s.open().Watch(t.Context(), "", "", 0) {
		if status, ok := errors.AsType[*StatusError](err); !ok || !status.Refused() || status.Message != "not you" {
			t.Errorf("Watch() = %v, want what the server answers", err)
		}
	}
}

// TestOldProgressIsNone: what was under way for long does not say that the reader
// is up to date.
func TestOldProgressIsNone(t *testing.T) {
	s := newSite(t, new(Handler))
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &sender{w: w, c: http.NewResponseController(w)}
		for _, f := range []struct {
			rev  kv.Revision
			sent time.Duration
		}{{5, time.Minute}, {6, time.Minute - 3*kv.ProgressInterval}, {7, time.Minute}} {
			if err := out.send(kindBatch, appendBatch(nil, kv.Batch{Revision: f.rev}, f.sent)); err != nil {
				t.Error(err)
			}
		}
		<-r.Context().Done()
	})
	var got []kv.Revision
	for b, err := range s.open().Watch(t.Context(), "", "", 5) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, b.Revision); len(got) == 2 {
			break
		}
	}
	if want := []kv.Revision{5, 7}; !slices.Equal(got, want) {
		t.Errorf("Watch() = progress at %d, want %d", got, want)
	}
}

func TestWhatTheHandlerRefuses(t *testing.T) {
	s := newSite(t, new(Handler))
	db := s.open()
	for _, test := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"another-path", "POST", "/relay/compact", "", http.StatusNotFound},
		{"another-method", "GET", "/relay/range", "", http.StatusMethodNotAllowed},
		{"no-frame", "POST", "/relay/range", "", http.StatusBadRequest},
		{"a-frame-of-another-kind", "POST", "/relay/range", "W\x00\x00\x00\x00", http.StatusBadRequest},
		{"a-frame-too-large", "POST", "/relay/commit", "C\xff\xff\xff\xff", http.StatusBadRequest},
		{"more-than-a-frame", "POST", "/relay/watch", "W\x00\x00\x00\x00x", http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), test.method, "http://site"+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := db.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != test.want {
				t.Errorf("%s %s = %d, want %d", test.method, test.path, resp.StatusCode, test.want)
			}
		})
	}
}

func BenchmarkWatch(b *testing.B) {
	kvtest.BenchWatch(b, func(b *testing.B) kv.DB { return newSite(b, new(Handler)).open() })
}

func BenchmarkRange(b *testing.B) {
	kvtest.BenchRange(b, func(b *testing.B) kv.DB { return newSite(b, new(Handler)).open() })
}
