// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

func addKey(s *Store, user string) func(*Tx) error {
	return func(tx *Tx) error {
		u, err := tx.User(user)
		if err != nil {
			return err
		}
		k, _ := s.NewKey(alpha)
		u.Keys = append(u.Keys, k)
		return tx.PutUser(u)
	}
}

func TestFiftyParallelKeysMakeTwo(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		t.Run(fmt.Sprintf("nodes=%d", nodes), func(t *testing.T) {
			s, x := newStore(t)
			stores := []*Store{s}
			if nodes == 2 {
				stores = append(stores, x.node(t))
			}
			update(t, s, createUser("ann"))
			last := stores[nodes-1]
			eventually(t, "the other node sees ann", func() bool { _, err := view(t, last, alpha).User("ann"); return err == nil })
			var made, refused atomic.Int32
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					s := stores[i%nodes]
					err := s.Update(t.Context(), alpha, addKey(s, "ann"))
					limit, ok := errors.AsType[*LimitError](err)
					switch {
					case err == nil:
						made.Add(1)
					case ok && *limit == LimitError{"AccessKeysPerUser", 2}:
						refused.Add(1)
					default:
						t.Errorf("adding a key = %v", err)
					}
				})
			}
			wg.Wait()
			if made.Load() != 2 || refused.Load() != 48 {
				t.Errorf("%d keys made and %d refused, want 2 and 48", made.Load(), refused.Load())
			}
			u, err := view(t, s, alpha).User("ann")
			if err != nil || len(u.Keys) != 2 {
				t.Errorf("ann has %d keys, %v, want 2", len(u.Keys), err)
			}
		})
	}
}

func TestNoUpdateIsLost(t *testing.T) {
	s, x := newStore(t)
	update(t, s, all(createUser("ann"), func(tx *Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.Tags: 1000}
		return tx.PutAccount(a)
	}))
	nodes := []*Store{s, x.node(t)}
	eventually(t, "the quota is on both nodes", func() bool { return view(t, nodes[1], alpha).Quota(quota.Tags) == 1000 })
	const writers, each = 8, 15
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				tag := Tag{Key: fmt.Sprintf("%d-%d", w, i)}
				n := nodes[w%2]
				if err := n.Update(t.Context(), alpha, func(tx *Tx) error {
					u, err := tx.User("ann")
					if err != nil {
						return err
					}
					u.Tags = append(u.Tags, tag)
					return tx.PutUser(u)
				}); err != nil {
					t.Errorf("Update = %v", err)
				}
				u, err := view(t, n, alpha).User("ann")
				if err != nil || !contains(u.Tags, tag) {
					t.Errorf("tag %s is not there after Update: %v", tag.Key, err)
				}
			}
		})
	}
	wg.Wait()
	for _, n := range nodes {
		eventually(t, "every tag is there", func() bool {
			u, err := view(t, n, alpha).User("ann")
			return err == nil && len(u.Tags) == writers*each
		})
	}
}

func contains(tags []Tag, tag Tag) bool {
	for _, x := range tags {
		if x == tag {
			return true
		}
	}
	return false
}

func TestRacesLeaveNothingDangling(t *testing.T) {
	s, x := newStore(t)
	nodes := []*Store{s, x.node(t)}
	policy := alphaPolicy("p")
	for name, c := range map[string]struct {
		prepare, refer, remove, reset func(*Tx) error
	}{
		"add-member-and-delete-group": {
			prepare: createGroup("g"),
			refer:   func(tx *Tx) error { return tx.AddMember("g", "ann") },
			remove:  func(tx *Tx) error { return tx.DeleteGroup("g") },
			reset:   func(tx *Tx) error { return tx.RemoveMember("g", "ann") },
		},
		"attach-and-delete-policy": {
			prepare: createPolicy("p"),
			refer:   func(tx *Tx) error { return tx.Attach(UserHolder("ann"), policy) },
			remove:  func(tx *Tx) error { return tx.DeletePolicy(policy) },
			reset:   func(tx *Tx) error { return tx.Detach(UserHolder("ann"), policy) },
		},
		"bound-and-delete-policy": {
			prepare: createPolicy("p"),
			refer:   func(tx *Tx) error { return tx.SetBoundary(RoleHolder("app"), policy) },
			remove:  func(tx *Tx) error { return tx.DeletePolicy(policy) },
			reset:   func(tx *Tx) error { return tx.SetBoundary(RoleHolder("app"), "") },
		},
		"create-bounded-and-delete-policy": {
			prepare: createPolicy("p"),
			refer:   func(tx *Tx) error { return tx.CreateUser(&User{Name: "bob", Boundary: policy}) },
			remove:  func(tx *Tx) error { return tx.DeletePolicy(policy) },
			reset:   func(tx *Tx) error { return tx.DeleteUser("bob") },
		},
		"add-role-and-delete-role": {
			prepare: createRole("r"),
			refer:   func(tx *Tx) error { return tx.AddRole("vm", "r") },
			remove:  func(tx *Tx) error { return tx.DeleteRole("r") },
			reset:   func(tx *Tx) error { return tx.RemoveRole("vm", "r") },
		},
		"join-and-rename-group": {
			prepare: createGroup("g"),
			refer:   func(tx *Tx) error { return tx.AddMember("g", "ann") },
			remove: all(func(tx *Tx) error { return tx.RenameGroup("g", "h", "/new/") },
				func(tx *Tx) error { return tx.DeleteGroup("h") }),
			reset: func(tx *Tx) error { return tx.RemoveMember("g", "ann") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			update(t, s, all(quietly(createUser("ann")), quietly(createRole("app")),
				quietly(func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: "vm"}) })))
			synced := func() {
				eventually(t, "both nodes are at the same revision", func() bool { return nodes[0].Revision() == nodes[1].Revision() })
			}
			for round := range 90 {
				update(t, s, c.prepare)
				synced()
				i := rand.IntN(2)
				n, m := nodes[i], nodes[1-i]
				referred, removed := race(t, round, n, m, c.refer, c.remove)
				synced()
				_, inUse := errors.AsType[*InUseError](removed)
				switch {
				case referred == nil && inUse:
					update(t, s, c.reset)
					update(t, s, c.remove)
				case removed != nil || !errors.Is(referred, ErrNotFound):
					t.Fatalf("refer = %v and remove = %v, want one to succeed", referred, removed)
				}
				synced()
				for _, n := range nodes {
					checkSound(t, view(t, n, alpha))
				}
			}
		})
	}
}

// race runs two updates on two nodes: one within the first attempt of the
// other, or the two in parallel.
func race(t *testing.T, round int, n, m *Store, first, second func(*Tx) error) (err1, err2 error) {
	within := func(n, m *Store, outer, inner func(*Tx) error) (err1, err2 error) {
		tried := false
		err1 = n.Update(t.Context(), alpha, func(tx *Tx) error {
			err := outer(tx)
			if !tried {
				tried = true
				err2 = m.Update(t.Context(), alpha, inner)
			}
			return err
		})
		return err1, err2
	}
	switch round % 3 {
	case 0:
		return within(n, m, first, second)
	case 1:
		err2, err1 = within(m, n, second, first)
		return err1, err2
	}
	var wg sync.WaitGroup
	wg.Go(func() { err1 = n.Update(t.Context(), alpha, first) })
	wg.Go(func() { err2 = m.Update(t.Context(), alpha, second) })
	wg.Wait()
	return err1, err2
}

// quietly ignores that something exists already.
func quietly(fn func(*Tx) error) func(*Tx) error {
	return func(tx *Tx) error {
		if err := fn(tx); !errors.Is(err, ErrExists) {
			return err
		}
		return nil
	}
}

func TestAccountQuotasHoldUnderConcurrency(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, func(tx *Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.Users: 10}
		return tx.PutAccount(a)
	})
	var made, refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := s.Update(t.Context(), alpha, func(tx *Tx) error {
				if i%4 == 0 { // fails after it was counted
					return errors.Join(tx.CreateUser(&User{Name: fmt.Sprint("u", i)}), errStop)
				}
				return tx.CreateUser(&User{Name: fmt.Sprint("u", i)})
			})
			switch limit, ok := errors.AsType[*LimitError](err); {
			case err == nil:
				made.Add(1)
			case ok && *limit == LimitError{quota.Users, 10}:
				refused.Add(1)
			case !errors.Is(err, errStop):
				t.Errorf("creating a user = %v", err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 10 || refused.Load() < 20 {
		t.Errorf("%d users made and %d refused, want 10 and at least 20", made.Load(), refused.Load())
	}
	update(t, s, func(tx *Tx) error { // room again
		for u := range tx.View().Users("") {
			return tx.DeleteUser(u.Name)
		}
		return nil
	})
	update(t, s, createUser("again"))
}

var errStop = errors.New("stop")

func TestConflictsEndAtLast(t *testing.T) {
	s, x := newStore(t)
	update(t, s, createUser("ann"))
	other := x.node(t)
	attempts := 0
	err := s.Update(t.Context(), alpha, func(tx *Tx) error {
		attempts++
		u, err := tx.User("ann")
		if err != nil {
			return err
		}
		// Another node is always faster.
		if err := other.Update(t.Context(), alpha, func(tx *Tx) error {
			u, err := tx.User("ann")
			if err != nil {
				return err
			}
			u.Path = fmt.Sprintf("/%d/", attempts)
			return tx.PutUser(u)
		}); err != nil {
			t.Fatal(err)
		}
		return tx.PutUser(u)
	})
	if !errors.Is(err, ErrConflict) || attempts != maxAttempts {
		t.Errorf("Update = %v after %d attempts, want ErrConflict after %d", err, attempts, maxAttempts)
	}
}

// TestViewsAreImmutableAndConsistent has writers who keep an invariant across
// two records, and readers who check it in views that they hold on to.
func TestViewsAreImmutableAndConsistent(t *testing.T) {
	s, x := newStore(t)
	other := x.node(t)
	update(t, s, all(createUser("left"), createUser("right"), createGroup("g"), createPolicy("p")))
	move := func(i int) func(*Tx) error {
		return func(tx *Tx) error {
			l, err := tx.User("left")
			if err != nil {
				return err
			}
			r, err := tx.User("right")
			if err != nil {
				return err
			}
			l.Path, r.Path = fmt.Sprintf("/%d/", i), fmt.Sprintf("/%d/", i)
			if err := errors.Join(tx.PutUser(l), tx.PutUser(r)); err != nil {
				return err
			}
			if len(l.Groups) == 0 {
				return errors.Join(tx.AddMember("g", "left"), tx.AddMember("g", "right"), tx.Attach(UserHolder("left"), alphaPolicy("p")))
			}
			return errors.Join(tx.RemoveMember("g", "left"), tx.RemoveMember("g", "right"), tx.Detach(UserHolder("left"), alphaPolicy("p")))
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, n := range []*Store{s, other} {
		for range 2 {
			wg.Go(func() {
				var last int64
				for {
					select {
					case <-stop:
						return
					default:
					}
					v := view(t, n, alpha)
					if rev := int64(v.Revision()); rev < last {
						t.Errorf("a view at %d after one at %d", rev, last)
					} else {
						last = rev
					}
					before := v.s.indexes()
					for range 3 {
						l, _ := v.User("left")
						r, _ := v.User("right")
						g, _ := v.Group("g")
						if l.Path != r.Path || v.MemberCount(g) != 2*len(l.Groups) || v.AttachmentCount(alphaPolicy("p")) != len(l.Attached) {
							t.Errorf("view at %d is not consistent: %+v %+v", v.Revision(), l, r)
						}
						time.Sleep(time.Millisecond)
					}
					if after := v.s.indexes(); after != before {
						t.Errorf("the view at %d changed:\n%s\nwas\n%s", v.Revision(), after, before)
					}
				}
			})
		}
	}
	var writers sync.WaitGroup
	for w, n := range []*Store{s, other, s} {
		writers.Go(func() {
			for i := range 40 {
				if err := n.Update(t.Context(), alpha, move(100*w+i)); err != nil {
					t.Errorf("Update = %v", err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	wg.Wait()
	checkSound(t, view(t, s, alpha))
}

// TestLoadingMeetsWriting loads an account on a fresh node again and again
// while another node changes it.
func TestLoadingMeetsWriting(t *testing.T) {
	s, x := newStore(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.Update(t.Context(), alpha, createUser(fmt.Sprint("u", i))); err != nil {
				t.Errorf("Update = %v", err)
				return
			}
		}
	})
	for range 25 {
		n := x.node(t)
		v := view(t, n, alpha)
		users := v.Usage(quota.Users)
		time.Sleep(2 * time.Millisecond)
		checkSound(t, view(t, n, alpha))
		if now := view(t, n, alpha).Usage(quota.Users); now < users {
			t.Errorf("%d users, and %d before", now, users)
		}
		want := view(t, s, alpha)
		eventually(t, "the new node catches up", func() bool { return view(t, n, alpha).Usage(quota.Users) >= want.Usage(quota.Users) })
		if err := n.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	close(stop)
	wg.Wait()
}
