// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// TestWithoutTheServer: a gateway goes on with what it knows until the limit, and
// then refuses; what it does not know it refuses at once. When the server is back
// so is the gateway.
func TestWithoutTheServer(t *testing.T) {
	x := newSite(t)
	x.listen()
	const offline = 2500 * time.Millisecond
	g := x.gateway(x.enroll("gw", 0), offline)
	minted, err := x.ring.Mint(session.Claims{
		Account: account, Kind: session.User, Name: "ann", PrincipalID: "AIDAEXAMPLE", Issued: time.Now(), Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	scope, temporary := x.scope("s3"), x.scope("s3")
	temporary.AccessKeyID = minted.AccessKeyID
	both := func() error {
		_, err := g.longTerm(t.Context(), scope)
		_, _, other := g.keys.Session(t.Context(), temporary, minted.SessionToken)
		return errors.Join(err, other)
	}
	if err := both(); err != nil {
		t.Fatalf("with the server: %v", err)
	}

	x.leave()
	left := time.Now()
	for time.Since(left) < offline-1500*time.Millisecond { // the last progress batch is up to a second old
		if err := errors.Join(g.store.Ready(), both()); err != nil {
			t.Fatalf("%v after the server left, of %v: %v", time.Since(left), offline, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	begun := time.Now()
	_, err = g.longTerm(t.Context(), x.scope("dynamodb"))
	if took := time.Since(begun); !errors.Is(err, store.ErrStale) || took > time.Second {
		t.Errorf("a key that is not there = %v after %v, want ErrStale at once", err, took)
	}
	if _, _, err := g.keys.Session(t.Context(), temporary, "another"); !errors.Is(err, store.ErrStale) {
		t.Errorf("a token that is not known = %v, want ErrStale", err)
	}
	eventually(t, "the gateway refuses", func() bool { return errors.Is(g.store.Ready(), store.ErrStale) })
	if took := time.Since(left); took > offline+500*time.Millisecond {
		t.Errorf("refuses after %v, want %v", took, offline)
	}
	if err := both(); !errors.Is(err, store.ErrStale) {
		t.Errorf("after the limit = %v, want ErrStale", err)
	}

	x.update(func(tx *store.Tx) error { return tx.CreateUser(&store.User{Name: "bob"}) })
	x.db.reset()
	x.listen()
	time.Sleep(10 * time.Millisecond)
	eventually(t, "the gateway is back", func() bool { return g.store.Ready() == nil })
	eventually(t, "the gateway knows what happened meanwhile", func() bool { return g.knows("bob") })
	if err := both(); err != nil {
		t.Errorf("with the server again: %v", err)
	}
	if n := x.db.rows(); n > 10 {
		t.Errorf("the server read %d entries for that, want no reading of everything", n)
	}
}

func (g *gateway) knows(user string) bool {
	v, err := g.store.View(context.Background(), account)
	if err != nil {
		return false
	}
	_, err = v.User(user)
	return err == nil
}

func TestChangesReachTheGateway(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	g.knows("ann") // loads the account
	var worst time.Duration
	for i := range 20 {
		name := fmt.Sprintf("user-%d", i)
		x.update(func(tx *store.Tx) error { return tx.CreateUser(&store.User{Name: name}) })
		worst = max(worst, eventually(t, "the gateway knows the new user", func() bool { return g.knows(name) }))
	}
	t.Logf("at most %v", worst)
	if worst > 100*time.Millisecond {
		t.Errorf("a change reached the gateway after %v, want 100ms at most", worst)
	}
}

func TestADeactivatedKeyIsForgotten(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	scope := x.scope("s3")
	if _, err := g.longTerm(t.Context(), scope); err != nil {
		t.Fatal(err)
	}
	g.keys.tidy(t.Context())
	if len(g.keys.kept) != 1 {
		t.Fatalf("%d credentials kept, want 1", len(g.keys.kept))
	}
	x.update(func(tx *store.Tx) error {
		u, err := tx.User("ann")
		if err != nil {
			return err
		}
		u.Keys[0].Inactive = true
		return tx.PutUser(u)
	})
	eventually(t, "the gateway knows", func() bool {
		g.keys.tidy(t.Context())
		return len(g.keys.kept) == 0
	})
	if _, err := g.longTerm(t.Context(), scope); !errors.Is(err, authn.ErrUnknownKey) {
		t.Errorf("LongTerm(an inactive key) = %v, want ErrUnknownKey", err)
	}
	var answer keyAnswer
	q := keyRequest{AccessKeyID: scope.AccessKeyID, Date: scope.Date, Region: scope.Region, Service: scope.Service}
	if err := g.client.post(t.Context(), pathKey, q, &answer); err != nil || answer.Refused == "" || answer.Key != nil {
		t.Errorf("the server answers %+v, %v, want no key", answer, err)
	}
}

// TestTomorrow: before the day ends, keys that are in use are there for the next
// one; those of long ago go.
func TestTomorrow(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), time.Hour)
	evening := midnight(x.clock()).Sub(x.clock()) - 3*time.Hour
	if evening < 0 { // it is later now, and time does not go back
		evening += 24 * time.Hour
	}
	x.move(evening)
	today := x.scope("s3")
	if _, err := g.longTerm(t.Context(), today); err != nil {
		t.Fatal(err)
	}
	next := today
	next.Date = tomorrow(x.clock())
	q := question{credential{accessKeyID: today.AccessKeyID}, next.Date, next.Region, next.Service}
	there := func() bool { return g.keys.kept[q.credential].find(q) != nil }
	if g.keys.tidy(t.Context()); there() {
		t.Error("three hours before midnight: the key of tomorrow is there, which is not needed yet")
	}
	x.move(110 * time.Minute)
	if g.keys.tidy(t.Context()); there() {
		t.Error("the key of tomorrow is there, though today's was not used lately")
	}
	if _, err := g.longTerm(t.Context(), today); err != nil {
		t.Fatal(err)
	}
	if g.keys.tidy(t.Context()); !there() {
		t.Fatal("an hour before midnight: the key of tomorrow is not there")
	}
	x.leave()
	x.move(75 * time.Minute)
	if x.scope("s3") != next {
		t.Fatal("it is not tomorrow")
	}
	if got, err := g.longTerm(t.Context(), next); err != nil || got != sigv4.DeriveKey(x.secret, next.Date, next.Region, next.Service) {
		t.Errorf("LongTerm() after midnight, without the server = %v, want the key", err)
	}
	x.move(7 * 24 * time.Hour)
	q.date = today.Date
	g.keys.dropOld(q.credential, x.clock())
	if there() {
		t.Error("the key of eight days ago is there")
	}
}

// TestOneQuestion: of many who need the same key, one asks.
func TestOneQuestion(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	g.knows("ann")
	x.db.reset()
	var work sync.WaitGroup
	for range 50 {
		work.Go(func() {
			if _, err := g.longTerm(t.Context(), x.scope("s3")); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if n := x.db.calls(); n > 5 { // each is one reading of the gateway's row
		t.Errorf("the server was asked %d times, want about once", n)
	}
}

// TestTheKeyringIsBounded: whoever asks for one scope after the other takes no
// more than the place of that credential's own keys.
func TestTheKeyringIsBounded(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	for i := range 3 * maxScopes {
		scope := x.scope(fmt.Sprintf("service-%d", i))
		if _, err := g.longTerm(t.Context(), scope); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.keys.kept[credential{accessKeyID: x.key.ID}].scoped); n != maxScopes {
		t.Errorf("%d scopes of one credential are kept, want %d", n, maxScopes)
	}
	k := g.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range maxCredentials + 100 {
		q := question{credential{accessKeyID: fmt.Sprint(i)}, "20260102", "r", "s"}
		k.keepLocked(q, "", &flight{}, time.Unix(int64(i), 0))
	}
	if n := len(k.kept); n != maxCredentials {
		t.Errorf("%d credentials are kept, want %d", n, maxCredentials)
	}
}

// TestTenThousandUsers: a gateway starts with an account of that size.
func TestTenThousandUsers(t *testing.T) {
	x := newSite(t)
	const users = 10_000
	var txn kv.Txn
	for i := range users {
		value := fmt.Sprintf(`1{"name":"user-%d","path":"/","id":"AIDA%017d","created":"2026-01-02T03:04:05Z"}`, i, i)
		txn.Then = append(txn.Then, kv.Op{Key: fmt.Sprintf("a/%s/user/user-%d", account, i), Value: []byte(value)})
		if len(txn.Then) == 100 {
			if _, err := x.db.Commit(t.Context(), txn); err != nil {
				t.Fatal(err)
			}
			txn.Then = nil
		}
	}
	x.listen()
	begun := time.Now()
	g := x.gateway(x.enroll("gw", 0), 0)
	if !g.knows(fmt.Sprint("user-", users-1)) {
		t.Error("the gateway does not know the last user")
	}
	t.Logf("%d users after %v", users, time.Since(begun))
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the gateway knows the account after %v", took)
	}
}

// TestStartingWithoutTheServer: a gateway waits for a server that is away, and
// takes no answer for one that is none.
func TestStartingWithoutTheServer(t *testing.T) {
	x := newSite(t)
	x.listen()
	file := x.enroll("gw", 0)
	x.leave()
	c, err := Dial(Options{Server: httpsPrefix + x.addr, Identity: file})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if s, err := c.OpenStore(ctx, store.Options{}); err == nil {
		s.Close()
		t.Fatal("OpenStore() without a server = nil, want an error")
	}
	opened := make(chan error)
	go func() {
		s, err := c.OpenStore(t.Context(), store.Options{})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	time.Sleep(50 * time.Millisecond)
	x.listen()
	if err := <-opened; err != nil {
		t.Errorf("OpenStore() once the server is there = %v", err)
	}
	for _, server := range []string{"", "nowhere", "https://nowhere", "http://127.0.0.1:1", "127.0.0.1:1"} {
		if _, err := Dial(Options{Server: server, Identity: file}); err == nil {
			t.Errorf("Dial(%q) = nil, want an error", server)
		}
	}
	if _, err := Dial(Options{Server: "https://127.0.0.1:1", Identity: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("Dial(no identity) = nil, want an error")
	}
}

func BenchmarkKeyring(b *testing.B) {
	x := newSite(b)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	minted, err := x.ring.Mint(session.Claims{
		Account: account, Kind: session.User, Name: "ann", PrincipalID: "AIDAEXAMPLE", Issued: time.Now(), Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		b.Fatal(err)
	}
	scope := x.scope("s3")
	b.Run("credential=long-term", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.keys.LongTerm(b.Context(), account, &x.key, scope); err != nil {
				b.Fatal(err)
			}
		}
	})
	scope.AccessKeyID = minted.AccessKeyID
	b.Run("credential=session", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := g.keys.Session(b.Context(), scope, minted.SessionToken); err != nil {
				b.Fatal(err)
			}
		}
	})
}
