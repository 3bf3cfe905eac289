// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A paced is a DB whose reads and watch can be made to wait.
type paced struct {
	kv.DB
	read  atomic.Pointer[func()] // called when an account was read, before that is answered
	batch atomic.Pointer[func()] // called before a batch with events is yielded
}

func (d *paced) Range(ctx context.Context, start, end string, rev kv.Revision, limit int) (kv.Page, error) {
	page, err := d.DB.Range(ctx, start, end, rev, limit)
	if f := d.read.Load(); f != nil && strings.HasPrefix(start, dirContents) {
		(*f)()
	}
	return page, err
}

func (d *paced) Watch(ctx context.Context, start, end string, after kv.Revision) iter.Seq2[kv.Batch, error] {
	return func(yield func(kv.Batch, error) bool) {
		for b, err := range d.DB.Watch(ctx, start, end, after) {
			if f := d.batch.Load(); f != nil && len(b.Events) > 0 {
				(*f)()
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

func rePath(path string) func(*Tx) error {
	return func(tx *Tx) error { return tx.RenameUser("ann", "", path) }
}

func TestWhatHappensWhileLoadingIsNotLost(t *testing.T) {
	s, x := newStore(t)
	update(t, s, all(createUser("ann"), createUser("old")))
	db := &paced{DB: x.db}
	node := x.node(t, func(o *Options) { o.DB = db })
	once := func() {
		db.read.Store(nil)
		update(t, s, all(rePath("/new/"), createUser("bob"), func(tx *Tx) error { return tx.DeleteUser("old") }))
		eventually(t, "the watch of the node is past the change", func() bool { return node.Revision() >= s.Revision() })
	}
	db.read.Store(&once)
	v := view(t, node, alpha)
	checkSound(t, v)
	u, err := v.User("ann")
	_, err2 := v.User("bob")
	_, err3 := v.User("old")
	if err != nil || u.Path != "/new/" || err2 != nil || !errors.Is(err3, ErrNotFound) {
		t.Errorf("after loading: ann %+v %v, bob %v, old %v; want the state after the change", u, err, err2, err3)
	}
}

func TestTheWatchDoesNotBringBackThePast(t *testing.T) {
	s, x := newStore(t)
	update(t, s, createUser("ann"))
	db := &paced{DB: x.db}
	node := x.node(t, func(o *Options) { o.DB = db })
	step := make(chan struct{})
	wait := func() { <-step }
	db.batch.Store(&wait)
	for _, path := range []string{"/1/", "/2/", "/3/"} {
		update(t, s, rePath(path))
	}
	for range 3 { // the watch is behind what is loaded, by fewer changes each time
		if u, err := view(t, node, alpha).User("ann"); err != nil || u.Path != "/3/" {
			t.Errorf("User(ann) = %+v, %v, want the latest path", u, err)
		}
		before := node.Revision()
		step <- struct{}{}
		eventually(t, "the watch moves on", func() bool { return node.Revision() > before })
	}
	db.batch.Store(nil)
	close(step)
	if u, err := view(t, node, alpha).User("ann"); err != nil || u.Path != "/3/" {
		t.Errorf("User(ann) = %+v, %v, want the latest path", u, err)
	}
}

func TestLoadingEndsWithItsContext(t *testing.T) {
	s, x := newStore(t)
	update(t, s, createUser("ann"))
	db := &paced{DB: x.db}
	node := x.node(t, func(o *Options) { o.DB = db })
	reading, release := make(chan struct{}), make(chan struct{})
	block := func() {
		db.read.Store(nil)
		close(reading)
		<-release
	}
	db.read.Store(&block)
	loaded := make(chan error)
	go func() { _, err := node.View(t.Context(), alpha); loaded <- err }()
	<-reading
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := node.View(ctx, alpha); !errors.Is(err, context.Canceled) {
		t.Errorf("View while another loads, with an ended context = %v, want context.Canceled", err)
	}
	view(t, node, beta) // which nobody holds up
	close(release)
	if err := <-loaded; err != nil {
		t.Errorf("View of the other = %v", err)
	}
}

func TestIDsCarryTheAccount(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, all(createUser("x"), addKey(s, "x"), createGroup("x"), createRole("x"), createPolicy("x"),
		func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: "x"}) }))
	v := view(t, s, alpha)
	u, _ := v.User("x")
	g, _ := v.Group("x")
	r, _ := v.Role("x")
	p, _ := v.PolicyNamed("x")
	i, _ := v.Profile("x")
	for id, prefix := range map[string]string{u.ID: "AIDA", u.Keys[0].ID: "AKIA", g.ID: "AGPA", r.ID: "AROA", p.ID: "ANPA", i.ID: "AIPA"} {
		if account, ok := ids.Account(id); !ok || account != alpha || !strings.HasPrefix(id, prefix) {
			t.Errorf("Account(%s) = %s, %v, want %s and prefix %s", id, account, ok, alpha, prefix)
		}
	}
	if r.MaxSession != 3600 {
		t.Errorf("MaxSession of a new role = %d, want 3600", r.MaxSession)
	}
}
