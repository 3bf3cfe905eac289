// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const account = "111122223333"

// A site is a server that gateways can reach, and that can be stopped and
// started.
type site struct {
	t      testing.TB
	db     *counted
	store  *store.Store
	ring   *session.Ring
	audit  string // directory
	server *Server
	key    store.AccessKey
	secret string

	mu   sync.Mutex
	now  time.Duration // by which the clock is moved
	addr string
	http *http.Server
}

// A counted DB counts how often it is read, and how much.
type counted struct {
	kv.DB
	mu      sync.Mutex
	ranges  int
	entries int
}

func (c *counted) Range(ctx context.Context, start, end string, rev kv.Revision, limit int) (kv.Page, error) {
	page, err := c.DB.Range(ctx, start, end, rev, limit)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ranges++
	c.entries += len(page.Entries)
	return page, err
}

func (c *counted) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ranges, c.entries = 0, 0
}

func (c *counted) calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ranges
}

func (c *counted) rows() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries
}

func newSite(t testing.TB) *site {
	t.Helper()
	x := &site{t: t, db: &counted{DB: memkv.Open(memkv.Options{Keep: 1 << 20})}, audit: t.TempDir()}
	t.Cleanup(func() { x.db.Close() })
	var err error
	if x.store, err = store.Open(t.Context(), store.Options{DB: x.db, Keeper: seal.New()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.store.Close() })
	source := new(ids.Source)
	if x.ring, err = session.NewRing(source, session.NewKey()); err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(audit.Options{Dir: x.audit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	if _, err := x.store.CreateAccount(t.Context(), store.Account{ID: account, Name: "test"}); err != nil {
		t.Fatal(err)
	}
	x.key, x.secret = x.store.NewKey(account)
	x.update(func(tx *store.Tx) error {
		return tx.CreateUser(&store.User{Name: "ann", Keys: []store.AccessKey{x.key}})
	})
	x.server = New(ServerOptions{
		DB: x.db, Store: x.store, Sessions: x.ring, Audit: log, IDs: source, Region: "us-east-1", Now: x.clock,
	})
	return x
}

func (x *site) clock() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return time.Now().Add(x.now)
}

func (x *site) move(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.now += d
}

func (x *site) update(fn func(*store.Tx) error) {
	x.t.Helper()
	if err := x.store.Update(x.t.Context(), account, fn); err != nil {
		x.t.Fatalf("Update = %v", err)
	}
}

// listen makes the server reachable for gateways, at the address that it had
// before.
func (x *site) listen() {
	x.t.Helper()
	l, err := net.Listen("tcp", cmp.Or(x.addr, "127.0.0.1:0"))
	if err != nil {
		x.t.Fatal(err)
	}
	x.addr = l.Addr().String()
	x.server = New(x.server.o) // as a node that starts again
	if x.http, err = x.server.HTTP(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	go x.http.ServeTLS(l, "", "")
	x.t.Cleanup(func() { x.http.Close() })
}

// leave makes the server unreachable.
func (x *site) leave() {
	x.t.Helper()
	if err := x.http.Shutdown(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
}

// enroll returns the file of a new gateway's identity.
func (x *site) enroll(name string, ttl time.Duration) string {
	x.t.Helper()
	text, err := x.server.Enroll(x.t.Context(), name, ttl)
	if err != nil {
		x.t.Fatalf("Enroll(%s) = %v", name, err)
	}
	file := filepath.Join(x.t.TempDir(), "gw.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		x.t.Fatal(err)
	}
	return file
}

// A gateway is what one has of a server.
type gateway struct {
	client *Client
	store  *store.Store
	keys   *Keyring
}

// gateway returns a gateway that follows the server, and goes on without it for
// offline.
func (x *site) gateway(identity string, offline time.Duration) *gateway {
	x.t.Helper()
	c, err := Dial(Options{Server: httpsPrefix + x.addr, Identity: identity, Now: x.clock})
	if err != nil {
		x.t.Fatalf("Dial = %v", err)
	}
	x.t.Cleanup(func() { c.Close() })
	s, err := c.OpenStore(x.t.Context(), store.Options{StaleAfter: offline, FlushEvery: 20 * time.Millisecond})
	if err != nil {
		x.t.Fatalf("OpenStore = %v", err)
	}
	x.t.Cleanup(func() { s.Close() })
	k := c.Keyring(s, offline)
	x.t.Cleanup(k.Close)
	return &gateway{c, s, k}
}

func (x *site) scope(service string) sigv4.Credential {
	return sigv4.Credential{AccessKeyID: x.key.ID, Date: x.clock().UTC().Format(dateLayout), Region: "us-east-1", Service: service}
}

// longTerm returns the signing key of ann's key, by the gateway's own view of it.
func (g *gateway) longTerm(ctx context.Context, scope sigv4.Credential) (sigv4.Key, error) {
	v, err := g.store.View(ctx, account)
	if err != nil {
		return sigv4.Key{}, err
	}
	_, key, err := v.UserByKey(scope.AccessKeyID)
	if err != nil {
		return sigv4.Key{}, err
	}
	return g.keys.LongTerm(ctx, account, key, scope)
}

// eventually waits until ok, for two seconds.
func eventually(t testing.TB, what string, ok func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for !ok() {
		if time.Since(begun) > 2*time.Second {
			t.Fatalf("not after two seconds: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(begun)
}

func TestKeysAreThoseOfTheSecret(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	scope := x.scope("s3")
	for range 2 { // from the server, from memory
		got, err := g.longTerm(t.Context(), scope)
		if want := sigv4.DeriveKey(x.secret, scope.Date, scope.Region, scope.Service); err != nil || got != want {
			t.Fatalf("LongTerm() = %x, %v, want %x", got, err, want)
		}
	}

	claims := session.Claims{
		Account: account, Kind: session.Role, Name: "s", PrincipalID: "AROAEXAMPLE", RoleName: "r", RolePath: "/",
		Policy: `{"Statement":[]}`, PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, Tags: []session.Tag{{Key: "k", Value: "v"}},
		Issued: time.Now().Truncate(time.Second).UTC(), Expires: time.Now().Add(time.Hour).Truncate(time.Second).UTC(),
	}
	minted, err := x.ring.Mint(claims)
	if err != nil {
		t.Fatal(err)
	}
	scope.AccessKeyID = minted.AccessKeyID
	for range 2 {
		said, got, err := g.keys.Session(t.Context(), scope, minted.SessionToken)
		if err != nil {
			t.Fatalf("Session() = %v", err)
		}
		if want := sigv4.DeriveKey(minted.SecretAccessKey, scope.Date, scope.Region, scope.Service); got != want {
			t.Errorf("Session() = key %x, want %x", got, want)
		}
		if got, want := fmt.Sprintf("%+v", *said), fmt.Sprintf("%+v", claims); got != want {
			t.Errorf("Session() = claims\n%s\nwant\n%s", got, want)
		}
	}
	for name, try := range map[string]func() (string, string){
		"another-token":      func() (string, string) { return scope.AccessKeyID, minted.SessionToken[:40] },
		"another-access-key": func() (string, string) { return x.key.ID, minted.SessionToken },
		"no-token":           func() (string, string) { return scope.AccessKeyID, "" },
		"a-token-too-long":   func() (string, string) { return scope.AccessKeyID, strings.Repeat("t", session.MaxToken+1) },
	} {
		t.Run(name, func(t *testing.T) {
			other := scope
			var token string
			other.AccessKeyID, token = try()
			if _, key, err := g.keys.Session(t.Context(), other, token); !errors.Is(err, authn.ErrUnknownKey) || key != (sigv4.Key{}) {
				t.Errorf("Session() = %v, want ErrUnknownKey", err)
			}
		})
	}
}

// TestScopes: quirks Q150 and Q151.
func TestScopes(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	day := func(n int) string { return x.clock().UTC().AddDate(0, 0, n).Format(dateLayout) }
	for _, test := range []struct {
		name, date, region, service string
		want                        bool
	}{
		{"today", day(0), "us-east-1", "s3", true},
		{"tomorrow", day(1), "us-east-1", "s3", true},
		{"the-day-after", day(2), "us-east-1", "s3", false},
		{"a-week-ago", day(-7), "us-east-1", "s3", true},
		{"longer-ago", day(-8), "us-east-1", "s3", false},
		{"no-day", "today", "us-east-1", "s3", false},
		{"another-service", day(0), "eu-west-1", "dynamodb", true},
		{"the-servers-iam", day(0), "us-east-1", "iam", false},
		{"the-servers-sts", day(0), "us-east-1", "sts", false},
		{"the-servers-sts-in-capitals", day(0), "us-east-1", "STS", false},
		{"the-servers-organizations", day(0), "us-east-1", "organizations", false},
		{"no-region", day(0), "", "s3", false},
		{"no-service", day(0), "us-east-1", "", false},
		{"a-strange-region", day(0), "us east", "s3", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := g.longTerm(t.Context(), sigv4.Credential{AccessKeyID: x.key.ID, Date: test.date, Region: test.region, Service: test.service})
			if test.want && err != nil || !test.want && !errors.Is(err, authn.ErrUnknownKey) {
				t.Errorf("LongTerm(%s/%s/%s) = %v, want a key: %t", test.date, test.region, test.service, err, test.want)
			}
			// The server does not rely on what the gateway leaves out.
			q := keyRequest{AccessKeyID: x.key.ID, Date: test.date, Region: test.region, Service: test.service}
			var answer keyAnswer
			if err := g.client.post(t.Context(), pathKey, q, &answer); err != nil || (answer.Refused == "") != test.want || (answer.Key != nil) != test.want {
				t.Errorf("the server answers %+v, %v, want a key: %t", answer, err, test.want)
			}
		})
	}
}
