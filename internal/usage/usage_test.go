// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const alpha = "111122223333"

// A world is a store, an audit log and a clock. Its nodes come and go.
type world struct {
	t      *testing.T
	db     kv.DB
	keeper *seal.Keeper
	dir    string

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world {
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
	return &world{t: t, db: db, keeper: keeper, dir: dir, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// A node is an index on a store of its own, and what feeds it.
type node struct {
	*Index
	w     *world
	store *store.Store
	log   *audit.Log
}

// start starts a node whose audit log is in a folder of that name. It flushes
// when it is told to.
func (w *world) start(name string) *node {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), store.Options{DB: w.db, Keeper: w.keeper, Now: w.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	dir := filepath.Join(w.dir, name)
	x := New(Options{Store: s, Audit: dir, File: filepath.Join(w.dir, name+".mark"), Now: w.Now, FlushEvery: time.Hour})
	log, err := audit.Open(audit.Options{Dir: dir, Now: w.Now, Written: x.Note})
	if err != nil {
		w.t.Fatal(err)
	}
	x.Start()
	if err := x.Wait(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return &node{x, w, s, log}
}

// end stops the node; one that crashes does not write its uses.
func (n *node) end(crash bool) {
	n.w.t.Helper()
	if err := n.log.Close(); err != nil {
		n.w.t.Error(err)
	}
	if crash {
		n.stop()
		n.done.Wait()
	} else if err := n.Close(); err != nil {
		n.w.t.Error(err)
	}
	if err := n.store.Close(); err != nil {
		n.w.t.Error(err)
	}
}

func (n *node) user(name string) *store.User {
	n.w.t.Helper()
	u := &store.User{Name: name}
	n.update(func(tx *store.Tx) error { return tx.CreateUser(u) })
	return u
}

func (n *node) update(fn func(*store.Tx) error) {
	n.w.t.Helper()
	if err := n.store.Update(n.w.t.Context(), alpha, fn); err != nil {
		n.w.t.Fatal(err)
	}
}

func (n *node) account() {
	n.w.t.Helper()
	if _, err := n.store.CreateAccount(n.w.t.Context(), store.Account{ID: alpha}); err != nil {
		n.w.t.Fatal(err)
	}
}

func (n *node) view() *store.View {
	n.w.t.Helper()
	v, err := n.store.View(n.w.t.Context(), alpha)
	if err != nil {
		n.w.t.Fatal(err)
	}
	return v
}

// use is a request of a user now.
func (n *node) use(u *store.User, action string) {
	n.w.t.Helper()
	n.request("AKIA", action, audit.Identity{Type: "IAMUser", PrincipalID: u.ID, AccountID: alpha})
}

func (n *node) request(region, action string, id audit.Identity) {
	n.w.t.Helper()
	service, name, _ := strings.Cut(action, ":")
	r := audit.Record{Time: n.w.Now(), EventSource: service + ".amazonaws.com", EventName: name, Region: region, Identity: id}
	if err := n.log.Write(&r, false); err != nil {
		n.w.t.Fatal(err)
	}
}

func (n *node) flushed(all bool) {
	n.w.t.Helper()
	if err := n.save(n.w.t.Context(), all); err != nil {
		n.w.t.Fatal(err)
	}
}

// minutes returns how long ago an action was used, -1 for never.
func minutes(w *world, u Uses, action string) int {
	service, name, _ := strings.Cut(action, ":")
	use := u[service][name]
	if use.Unix == 0 {
		return -1
	}
	return int(w.Now().Sub(use.Time()) / time.Minute)
}

func TestUses(t *testing.T) {
	w := newWorld(t)
	n := w.start("a")
	defer n.end(false)
	n.account()
	ann := n.user("ann")
	n.use(ann, "iam:GetUser")
	w.advance(time.Hour)
	n.use(ann, "iam:CreateUser")
	n.use(ann, "sts:AssumeRole")
	check := func(when string) {
		t.Helper()
		u := n.Of(n.view(), ann.ID)
		if got := fmt.Sprint(minutes(w, u, "iam:GetUser"), minutes(w, u, "iam:CreateUser"), minutes(w, u, "iam:DeleteUser")); got != "60 0 -1" {
			t.Errorf("%s: minutes since GetUser, CreateUser, DeleteUser = %s, want 60 0 -1", when, got)
		}
		if last := u.Last("iam"); !last.Time().Equal(w.Now()) || u.Last("s3").Unix != 0 {
			t.Errorf("%s: Last(iam) = %v, Last(s3) = %v", when, last, u.Last("s3"))
		}
		if all := n.Services(n.view()); len(all) != 2 || !all["iam"].Time().Equal(w.Now()) {
			t.Errorf("%s: Services() = %v, want iam and sts, now", when, all)
		}
	}
	check("in memory")
	n.flushed(true)
	check("in the store")
	if len(n.pending(alpha)) > 0 {
		t.Error("after a flush of all there are uses in memory")
	}
	w.advance(Period)
	if u := n.Of(n.view(), ann.ID); minutes(w, u, "iam:GetUser") != -1 || u.Last("sts").Unix == 0 {
		t.Errorf("after the tracking period Of() = %v, want what is exactly as old as the period and no more", u)
	}
}

// TestWhose: a use counts for the user or role behind the credentials.
func TestWhose(t *testing.T) {
	w := newWorld(t)
	n := w.start("a")
	defer n.end(false)
	n.account()
	ann := n.user("ann")
	role := &store.Role{Name: "app", Trust: store.NewTrust(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`, nil)}
	n.update(func(tx *store.Tx) error { return tx.CreateRole(role) })
	session := func(kind, id string) *audit.Session {
		return &audit.Session{Issuer: audit.Issuer{Type: kind, PrincipalID: id, AccountID: alpha}}
	}
	for _, tt := range []struct {
		name string
		id   audit.Identity
		want string // whose; "" for nobody's
	}{
		{"a-user-with-its-key", audit.Identity{Type: "IAMUser", PrincipalID: ann.ID, AccountID: alpha}, ann.ID},
		{"a-role-session", audit.Identity{Type: "AssumedRole", PrincipalID: role.ID + ":x", AccountID: alpha, Session: session("Role", role.ID)}, role.ID},
		{"whom-a-user-federated", audit.Identity{Type: "FederatedUser", PrincipalID: alpha + ":bob", AccountID: alpha, Session: session("IAMUser", ann.ID)}, ann.ID},
		{"whom-the-root-user-federated", audit.Identity{Type: "FederatedUser", PrincipalID: alpha + ":bob", AccountID: alpha, Session: &audit.Session{}}, alpha},
		{"the-root-user", audit.Identity{Type: "Root", PrincipalID: alpha, AccountID: alpha}, alpha},
		{"nobody", audit.Identity{Type: "Unknown"}, ""},
		{"a-web-identity", audit.Identity{Type: "WebIdentityUser", PrincipalID: "x", AccountID: alpha}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			action := "iam:" + strings.ReplaceAll(tt.name, "-", "")
			n.request("eu-west-1", action, tt.id)
			for _, who := range []string{ann.ID, role.ID, alpha} {
				used := minutes(w, n.Of(n.view(), who), action) == 0
				if used != (who == tt.want) {
					t.Errorf("%s used it: %t", who, used)
				}
			}
		})
	}
	if err := n.log.Write(&audit.Record{Time: w.Now(), EventSource: "innkeeper", EventName: "Note", Identity: audit.Identity{Type: "Root", AccountID: alpha}}, false); err != nil {
		t.Fatal(err)
	}
	if u := n.Of(n.view(), alpha); len(u) != 1 {
		t.Errorf("uses of root = %v, want those of iam only", u)
	}
	if u := n.Of(n.view(), role.ID); u.Last("iam").Region != "eu-west-1" {
		t.Errorf("region = %q, want eu-west-1", u.Last("iam").Region)
	}
}

// TestWritten: the store learns of a new use at once, and of one more soon enough.
func TestWritten(t *testing.T) {
	w := newWorld(t)
	n := w.start("a")
	defer n.end(false)
	n.account()
	ann := n.user("ann")
	inStore := func() int { return minutes(w, stored(n.view(), ann.ID), "iam:GetUser") }
	step := func(d time.Duration, used bool, want int, why string) {
		t.Helper()
		w.advance(d)
		if used {
			n.use(ann, "iam:GetUser")
		}
		n.flushed(false)
		if got := inStore(); got != want {
			t.Errorf("%s: in the store it was used %d minutes ago, want %d", why, got, want)
		}
	}
	step(0, true, 0, "a first use")
	step(time.Minute, true, 1, "one soon after")
	step(10*time.Minute, true, 11, "one within the grain")
	step(5*time.Minute, true, 0, "one beyond the grain")
	step(5*time.Minute, true, 5, "one within the grain of that")
	step(14*time.Minute, false, 19, "no use for a while")
	step(time.Minute, false, 15, "no use for the grain: the last one is written")
	rows := n.view().Annex(store.AnnexReport).Len()
	if rows != 1 || len(n.pending(alpha)) != 0 {
		t.Errorf("%d rows and %d principals in memory, want 1 and 0", rows, len(n.pending(alpha)))
	}
}

// TestRestart: a node that starts again knows what it knew, whether it could
// write it or not, and does not read more of its log than it must.
func TestRestart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		crash bool
		then  func(*world)
		want  string // minutes since the two uses
	}{
		{"after-it-was-stopped", false, func(*world) {}, "121 120"},
		{"after-it-was-stopped-and-without-its-log", false, func(w *world) { os.RemoveAll(filepath.Join(w.dir, "a")) }, "121 120"},
		{"after-a-crash", true, func(*world) {}, "121 120"},
		{"after-a-crash-and-without-its-log", true, func(w *world) { os.RemoveAll(filepath.Join(w.dir, "a")) }, "200 -1"},
		{"after-a-crash-and-without-its-mark", true, func(w *world) { os.Remove(filepath.Join(w.dir, "a.mark")) }, "121 120"},
		{"on-a-store-from-before-the-mark", true, func(w *world) {
			if err := writeMark(filepath.Join(w.dir, "a.mark"), mark{Before: w.Now(), Revision: 1 << 40}); err != nil {
				w.t.Fatal(err)
			}
		}, "121 120"},
		{"by-a-mark-that-says-all-is-written", true, func(w *world) {
			if err := writeMark(filepath.Join(w.dir, "a.mark"), mark{Before: w.Now(), Revision: 1}); err != nil {
				w.t.Fatal(err)
			}
		}, "200 -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			n := w.start("a")
			n.account()
			ann := n.user("ann")
			n.use(ann, "iam:GetUser")
			n.flushed(false)
			w.advance(79 * time.Minute)
			n.use(ann, "iam:GetUser")
			w.advance(time.Minute)
			n.use(ann, "iam:CreateUser")
			for range 200 { // more than is not worth a search
				n.request(strings.Repeat("x", 1000), "sts:GetCallerIdentity", audit.Identity{Type: "Unknown"})
			}
			w.advance(2 * time.Hour)
			n.end(tt.crash)
			tt.then(w)
			n = w.start("a")
			defer n.end(false)
			u := n.Of(n.view(), ann.ID)
			if got := fmt.Sprint(minutes(w, u, "iam:GetUser"), " ", minutes(w, u, "iam:CreateUser")); got != tt.want {
				t.Errorf("minutes since GetUser, CreateUser = %s, want %s", got, tt.want)
			}
		})
	}
}

// TestNodes: what two nodes of one store see of one user ends up in one row.
func TestNodes(t *testing.T) {
	w := newWorld(t)
	a, b := w.start("a"), w.start("b")
	defer a.end(false)
	defer b.end(false)
	a.account()
	ann := a.user("ann")
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		v, err := b.store.View(t.Context(), alpha)
		if err == nil && exists(v, ann.ID) { // a node authenticates only those whom it knows
			break
		}
	}
	a.use(ann, "iam:GetUser")
	b.use(ann, "iam:CreateUser")
	b.use(ann, "iam:GetUser")
	a.flushed(false)
	b.flushed(false)
	for i, n := range []*node{a, b} {
		deadline := time.Now().Add(5 * time.Second)
		for minutes(w, stored(n.view(), ann.ID), "iam:CreateUser") != 0 && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond) // the other follows
		}
		if u := stored(n.view(), ann.ID); minutes(w, u, "iam:GetUser") != 0 || minutes(w, u, "iam:CreateUser") != 0 {
			t.Errorf("in the store of node %d: %v, want both uses", i, u)
		}
	}
}

// TestGone: nothing stays of those that are gone.
func TestGone(t *testing.T) {
	w := newWorld(t)
	n := w.start("a")
	defer n.end(false)
	n.account()
	ann, bob, eve := n.user("ann"), n.user("bob"), n.user("eve")
	n.use(ann, "iam:GetUser")
	n.use(bob, "iam:GetUser")
	n.flushed(false)
	n.use(eve, "iam:GetUser")
	w.advance(20 * time.Minute)
	n.use(ann, "iam:GetUser")
	n.update(func(tx *store.Tx) error {
		for _, name := range []string{"ann", "bob", "eve"} {
			if err := tx.DeleteUser(name); err != nil {
				return err
			}
		}
		return nil
	})
	n.request("", "iam:GetUser", audit.Identity{Type: "IAMUser", PrincipalID: "AIDAX", AccountID: "999988887777"})
	n.flushed(false)
	if _, ok := n.view().Annex(store.AnnexReport).Row(dir + ann.ID); ok {
		t.Error("the row of a user that was deleted is there after one more use")
	}
	w.advance(sweepEvery)
	n.flushed(false)
	if rows := n.view().Annex(store.AnnexReport).Len(); rows != 0 || len(n.pending(alpha)) != 0 {
		t.Errorf("%d rows and %d principals in memory of users that are gone", rows, len(n.pending(alpha)))
	}
	if len(n.pending("999988887777")) != 0 {
		t.Error("uses of an account that does not exist stay in memory")
	}
}

// TestConcurrentUse is for the race detector: uses, flushes and questions at once.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	n := w.start("a")
	defer n.end(false)
	n.account()
	users := []*store.User{n.user("ann"), n.user("bob")}
	var done sync.WaitGroup
	for i := range 4 {
		done.Go(func() {
			for j := range 200 {
				n.Note(&audit.Record{
					Time: w.Now().Add(time.Duration(j) * time.Hour), EventSource: "iam.amazonaws.com", EventName: fmt.Sprint("A", j%7),
					Identity: audit.Identity{Type: "IAMUser", PrincipalID: users[i%2].ID, AccountID: alpha},
				})
			}
		})
	}
	done.Go(func() {
		for range 10 {
			n.flushed(false)
		}
	})
	done.Go(func() {
		for range 50 {
			n.Of(n.view(), users[0].ID)
			n.Services(n.view())
		}
	})
	done.Wait()
	n.flushed(true)
	want := w.Now().Add(199 * time.Hour)
	for _, u := range users {
		if got := stored(n.view(), u.ID).Last("iam").Time(); !got.Equal(want) {
			t.Errorf("the last use of %s = %v, want %v", u.Name, got, want)
		}
	}
}

func BenchmarkNote(b *testing.B) {
	x := New(Options{})
	r := audit.Record{
		Time: time.Unix(1767323045, 0), EventSource: "iam.amazonaws.com", EventName: "GetUser",
		Identity: audit.Identity{Type: "IAMUser", PrincipalID: "AIDAQGHTZVKA5EXAMPLE2", AccountID: alpha},
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Time = r.Time.Add(time.Second)
		x.Note(&r)
	}
}
