// SPDX-License-Identifier: Apache-2.0

// Package dev is a server for tests to throw away: on loopback, in memory, with a clock that can be moved.
package dev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

// What a server has when nobody chose anything else. The secret is no secret: it
// opens servers on loopback that hold nothing of worth.
const (
	DefaultAccount = "123456789012"
	DefaultSecret  = "innkeeper/dev/root/NOT/FOR/PRODUCTION/00"
	DefaultListen  = "127.0.0.1:4280"
	DefaultRegion  = "us-east-1"
)

// DefaultKeyID returns the id of the root key that an account has when nobody
// chose another.
func DefaultKeyID(account string) string { return "AKIA" + account + "ROOT" }

// A RootKey is the access key of an account's root user.
type RootKey = node.RootKey

// Options are what can be chosen about a server. The zero value is good.
type Options struct {
	Listen    string        // "" means 127.0.0.1:4280; nothing but loopback will do
	Accounts  []string      // nil means DefaultAccount alone
	RootKeys  []RootKey     // of some accounts; the others have DefaultKeyID and DefaultSecret
	Region    string        // "" means us-east-1
	Seed      uint64        // from which ids and secrets are made; 0 means chance
	Delay     time.Duration // until a change is seen (quirk Q107)
	Unchecked bool          // policies are decided and recorded, and not enforced (quirk Q108)
	Version   string        // that the server tells
	Log       *slog.Logger  // nil: nothing is logged
}

const maxAccounts = 100

// complete returns o with every default set, and each account's root key in the
// order of accounts.
func (o Options) complete() (Options, error) {
	o.Listen, o.Region = cmp.Or(o.Listen, DefaultListen), cmp.Or(o.Region, DefaultRegion)
	if len(o.Accounts) == 0 {
		o.Accounts = []string{DefaultAccount}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if host, _, err := net.SplitHostPort(o.Listen); err != nil {
		fail("--listen %q must be HOST:PORT, such as %s", o.Listen, DefaultListen)
	} else if !loopback(host) {
		fail("--listen %s is reachable from other machines: a server to throw away listens on loopback only, such as %s", o.Listen, DefaultListen)
	}
	if o.Delay < 0 || o.Delay > time.Hour {
		fail("--delay %v must be from 0 to 1h", o.Delay)
	}
	if len(o.Accounts) > maxAccounts {
		fail("%d accounts, at most %d", len(o.Accounts), maxAccounts)
	}
	var keys []RootKey
	used := make(map[string]bool)
	for i, account := range o.Accounts {
		if !arn.IsAccountID(account) {
			fail("--account %q must be twelve digits", account)
		}
		if slices.Contains(o.Accounts[:i], account) {
			fail("--account %s is given twice", account)
		}
		key := RootKey{Account: account, ID: DefaultKeyID(account), Secret: DefaultSecret}
		if n := slices.IndexFunc(o.RootKeys, func(k RootKey) bool { return k.Account == account }); n >= 0 {
			key = o.RootKeys[n]
		}
		if used[key.ID] {
			fail("the root key %s is of two accounts", key.ID)
		}
		used[key.ID] = true
		keys = append(keys, key)
	}
	errs = append(errs, o.checkKeys()...)
	o.RootKeys = keys
	return o, errors.Join(errs...)
}

// checkKeys returns what is wrong with the chosen root keys; no secret is in it.
func (o Options) checkKeys() (errs []error) {
	for i, k := range o.RootKeys {
		switch {
		case !slices.Contains(o.Accounts, k.Account):
			errs = append(errs, fmt.Errorf("a root key is for account %s, which the server does not have", k.Account))
		case slices.ContainsFunc(o.RootKeys[:i], func(other RootKey) bool { return other.Account == k.Account }):
			errs = append(errs, fmt.Errorf("account %s has two root keys", k.Account))
		case len(k.ID) > 128 || strings.Trim(k.ID, keyLetters) != "" || k.ID == "":
			errs = append(errs, fmt.Errorf("the id of the root key of account %s must be 1 to 128 letters and digits", k.Account))
		case k.Secret == "" || len(k.Secret) > 256:
			errs = append(errs, fmt.Errorf("the secret of the root key of account %s must have 1 to 256 characters", k.Account))
		}
	}
	return errs
}

const keyLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// ParseRootKey returns the root key that a text means: ID:SECRET for the first
// account, or ACCOUNT=ID:SECRET. The error does not hold the text.
func ParseRootKey(text, first string) (RootKey, error) {
	k := RootKey{Account: first}
	if len(text) > 13 && text[12] == '=' && arn.IsAccountID(text[:12]) {
		k.Account, text = text[:12], text[13:]
	}
	var ok bool
	if k.ID, k.Secret, ok = strings.Cut(text, ":"); !ok {
		return RootKey{}, errors.New("a root key must be ID:SECRET, or ACCOUNT=ID:SECRET")
	}
	return k, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// A Server is a running server. It is safe for concurrent use.
type Server struct {
	o        Options
	dir      string
	listener net.Listener
	http     *http.Server
	clock    *Clock
	failed   chan error
	ending   sync.WaitGroup // of what was reset

	resetting sync.Mutex // held during a reset
	runs      int        // how many there were; guarded by resetting
	closed    bool       // guarded by resetting
	now       atomic.Pointer[run]
}

// A run is what the server is from one reset to the next.
type run struct {
	node    *node.Node
	handler http.Handler
	dir     string
	idle    chan struct{} // closed when it is over and answers nothing any more

	mu       sync.Mutex // guards below
	requests int        // under way
	over     bool
}

// join counts a request, unless the run is over.
func (r *run) join() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.requests++
	}
	return !r.over
}

func (r *run) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.requests--; r.over && r.requests == 0 {
		close(r.idle)
	}
}

// finish lets no more requests in and waits for those under way.
func (r *run) finish() {
	r.mu.Lock()
	if r.over = true; r.requests == 0 {
		close(r.idle)
	}
	r.mu.Unlock()
	<-r.idle
}

// Start starts a server.
func Start(ctx context.Context, o Options) (*Server, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, clock: newClock(), failed: make(chan error, 1)}
	if err := s.listen(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "innkeeper-dev-"); err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.listener.Close(), os.RemoveAll(s.dir))
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	go func() { s.failed <- s.http.Serve(s.listener) }()
	return s, nil
}

// listen takes the address; what its name resolves to must be loopback too.
func (s *Server) listen() (err error) {
	if s.listener, err = net.Listen("tcp", s.o.Listen); err != nil {
		return err
	}
	if at, ok := s.listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("%s is not on loopback", s.o.Listen), s.listener.Close())
	}
	return nil
}

// begin replaces the run by a new one. Requests that come from now on are the new
// one's; those under way end on the old one.
func (s *Server) begin(ctx context.Context) error {
	s.clock.restore()
	s.runs++
	r := &run{dir: filepath.Join(s.dir, strconv.Itoa(s.runs)), idle: make(chan struct{})}
	ids, ring := source(s.o.Seed)
	var err error
	r.node, err = node.OpenThrowaway(ctx, node.Throwaway{
		Dir: r.dir, URL: s.URL(), Region: s.o.Region, RootKeys: s.o.RootKeys, Clock: s.clock, IDs: ids, Ring: ring,
		Delay: s.o.Delay, Unchecked: s.o.Unchecked, Log: s.o.Log,
	})
	if err != nil {
		return err
	}
	r.handler = r.node.Handler()
	if old := s.now.Swap(r); old != nil {
		s.ending.Go(func() { s.end(old) })
	}
	return nil
}

// end closes a run when its last request is answered.
func (s *Server) end(r *run) {
	r.finish()
	if err := errors.Join(r.node.Discard(), os.RemoveAll(r.dir)); err != nil {
		s.o.Log.Warn("what was there before the reset is not gone entirely", "error", err)
	}
}

// enter returns the present run, which does not end before leave, or nil when the
// server is closed.
func (s *Server) enter() *run {
	for {
		r := s.now.Load()
		if r.join() {
			return r
		}
		if s.now.Load() == r {
			return nil
		}
	}
}

var errClosed = errors.New("the server is closed")

// URL returns the address that clients use.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// RootKey returns the root key of one of the accounts that the server began with.
func (s *Server) RootKey(account string) (RootKey, bool) {
	for _, k := range s.o.RootKeys {
		if k.Account == account {
			return k, true
		}
	}
	return RootKey{}, false
}

// Accounts returns the accounts that the server began with.
func (s *Server) Accounts() []string { return slices.Clone(s.o.Accounts) }

// Region returns the region that clients may name.
func (s *Server) Region() string { return s.o.Region }

// Reset empties everything but the accounts and their root keys, and puts the
// clock right (quirk Q109).
func (s *Server) Reset(ctx context.Context) error {
	s.resetting.Lock()
	defer s.resetting.Unlock()
	if s.closed {
		return errClosed
	}
	return s.begin(ctx)
}

// Now returns what the server's clock shows.
func (s *Server) Now() time.Time { return s.clock.Now() }

// Advance moves the clock on, or back if d is negative, and returns once what is
// due by then is seen.
func (s *Server) Advance(ctx context.Context, d time.Duration) error {
	return s.moved(ctx, s.clock.advance(d))
}

// Set sets the clock, which goes on from there.
func (s *Server) Set(ctx context.Context, t time.Time) error { return s.moved(ctx, s.clock.set(t)) }

func (s *Server) moved(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	r := s.enter()
	if r == nil {
		return errClosed
	}
	defer r.leave()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return r.node.CatchUp(ctx)
}

// Run waits until ctx is done or the listener fails, and closes the server.
func (s *Server) Run(ctx context.Context) error {
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-s.failed:
	}
	return errors.Join(failure, s.Close())
}

// Close lets the requests under way finish for some seconds, and leaves nothing.
// It must be closed once only.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	s.resetting.Lock()
	defer s.resetting.Unlock()
	s.closed = true
	s.end(s.now.Load())
	s.ending.Wait()
	return errors.Join(err, os.RemoveAll(s.dir))
}
