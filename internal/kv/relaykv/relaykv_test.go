// SPDX-License-Identifier: Apache-2.0

package relaykv

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
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
