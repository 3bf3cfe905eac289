// SPDX-License-Identifier: Apache-2.0

package mfa

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	account   = "111122223333"
	freeTries = 5
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A site is a store, or several of one DB, with the users ann and bob and the
// devices phone of ann, key of the root user, and spare, which is nobody's.
type site struct {
	stores []*store.Store
	seed   map[string][]byte
	ann    string // unique id
}

func newSite(t *testing.T, nodes int) *site {
	t.Helper()
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "data"), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	keeper, err := seal.Create(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	x := &site{seed: make(map[string][]byte)}
	for range nodes {
		s, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		x.stores = append(x.stores, s)
	}
	s := x.stores[0]
	if _, err := s.CreateAccount(t.Context(), store.Account{ID: account}); err != nil {
		t.Fatal(err)
	}
	x.change(t, func(tx *store.Tx) error {
		ann := &store.User{Name: "ann"}
		err := errors.Join(tx.CreateUser(ann), tx.CreateUser(&store.User{Name: "bob"}))
		x.ann = ann.ID
		for _, name := range []string{"phone", "key", "spare"} {
			d, seed := s.NewDevice(account, "/", name)
			x.seed[name] = seed
			err = errors.Join(err, tx.CreateDevice(d))
		}
		return errors.Join(err, tx.AssignDevice(serial("phone"), "ann", start), tx.AssignDevice(serial("key"), "", start),
			tx.CreateDevice(&store.MFADevice{Kind: store.DeviceFIDO, Name: "fob", Path: "/user/ann/"}),
			tx.AssignDevice("arn:aws:iam::"+account+":u2f/user/ann/fob", "ann", start))
	})
	return x
}

func (x *site) change(t *testing.T, fn func(*store.Tx) error) {
	t.Helper()
	if err := x.stores[0].Update(t.Context(), account, fn); err != nil {
		t.Fatal(err)
	}
}

func serial(name string) string { return "arn:aws:iam::" + account + ":mfa/" + name }

// check is an attempt at a device some time after the start.
func (x *site) check(name string, after time.Duration) *Check {
	return &Check{Store: x.stores[0], Account: account, Serial: serial(name), Now: start.Add(after)}
}

// code is what a device shows some time after the start.
func (x *site) code(name string, after time.Duration) string {
	return Code(x.seed[name], Step(start.Add(after)))
}

func TestVerify(t *testing.T) {
	x := newSite(t, 1)
	for _, tt := range []struct {
		name   string
		device string
		owner  string
		now    time.Duration
		code   string
		want   error
	}{
		{"the-code-of-now", "phone", x.ann, 0, x.code("phone", 0), nil},
		{"the-same-code-again", "phone", x.ann, 0, x.code("phone", 0), ErrCode},
		{"the-code-before-a-spent-one", "phone", x.ann, 0, x.code("phone", -Period), ErrCode},
		{"the-next-code-early", "phone", x.ann, 0, x.code("phone", Period), nil},
		{"a-code-of-the-period-before", "phone", x.ann, 3 * Period, x.code("phone", 2*Period), nil},
		{"a-code-too-old", "phone", x.ann, 6 * Period, x.code("phone", 4*Period), ErrCode},
		{"a-code-too-early", "phone", x.ann, 6 * Period, x.code("phone", 8*Period), ErrCode},
		{"no-code-at-all", "phone", x.ann, 6 * Period, "", ErrCode},
		{"the-code-of-another-device", "phone", x.ann, 6 * Period, x.code("key", 6*Period), ErrCode},
		{"a-device-of-another", "phone", account, 6 * Period, x.code("phone", 6*Period), ErrDevice},
		{"the-root-users-device", "key", account, 6 * Period, x.code("key", 6*Period), nil},
		{"a-device-of-nobody", "spare", "", 6 * Period, x.code("spare", 6*Period), ErrDevice},
		{"an-unknown-device", "none", x.ann, 6 * Period, "123456", ErrDevice},
		{"letter-case-counts", "Phone", x.ann, 6 * Period, x.code("phone", 6*Period), ErrDevice},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := x.check(tt.device, tt.now).Verify(t.Context(), tt.owner, tt.code); !errors.Is(err, tt.want) {
				t.Errorf("Verify = %v, want %v", err, tt.want)
			}
		})
	}
	fob := &Check{Store: x.stores[0], Account: account, Serial: "arn:aws:iam::" + account + ":u2f/user/ann/fob", Now: start}
	if err := fob.Verify(t.Context(), x.ann, "123456"); !errors.Is(err, ErrDevice) {
		t.Errorf("Verify with a FIDO device = %v, want ErrDevice", err)
	}
	other := &Check{Store: x.stores[0], Account: account, Serial: "arn:aws:iam::444455556666:mfa/phone", Now: start}
	if err := other.Verify(t.Context(), x.ann, "123456"); !errors.Is(err, ErrDevice) {
		t.Errorf("Verify with a device of another account = %v, want ErrDevice", err)
	}
}

func TestWrongCodesLock(t *testing.T) {
	x := newSite(t, 1)
	wrong := func(after time.Duration) error {
		return x.check("phone", after).Verify(t.Context(), x.ann, "nocode")
	}
	for range freeTries {
		if err := wrong(0); !errors.Is(err, ErrCode) {
			t.Fatalf("a wrong code = %v, want ErrCode", err)
		}
	}
	at := time.Duration(0)
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		err := x.check("phone", at+wait-time.Second).Verify(t.Context(), x.ann, x.code("phone", at+wait-time.Second))
		if e, ok := errors.AsType[*LockedError](err); !ok || !e.Until.Equal(start.Add(at+wait)) {
			t.Fatalf("the right code while locked = %v, want a lock until %v", err, start.Add(at+wait))
		}
		at += wait
		if err := wrong(at); !errors.Is(err, ErrCode) {
			t.Fatalf("a wrong code after the lock = %v, want ErrCode", err)
		}
	}
	at += 15 * time.Minute
	if err := x.check("phone", at).Verify(t.Context(), x.ann, x.code("phone", at)); err != nil {
		t.Fatalf("the right code after the lock = %v", err)
	}
	for range freeTries - 1 { // the right one began a new count
		_ = wrong(at)
	}
	if err := x.check("phone", at+Period).Verify(t.Context(), x.ann, x.code("phone", at+Period)); err != nil {
		t.Errorf("after %d wrong codes the right one = %v", freeTries-1, err)
	}
	for range freeTries * 2 {
		if err := x.check("phone", at+Period).Verify(t.Context(), x.ann, x.code("phone", at+Period)); !errors.Is(err, ErrCode) {
			t.Fatalf("a spent code = %v, want ErrCode: it cannot lock", err)
		}
	}
}

// TestManyAtOnce: on two nodes, a code is good for one of many, and no more
// wrong codes are looked at than one after the other.
func TestManyAtOnce(t *testing.T) {
	x := newSite(t, 2)
	var good, locked, wrong atomic.Int32
	run := func(code string) {
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				c := x.check("phone", 0)
				c.Store = x.stores[i%2]
				err := c.Verify(t.Context(), x.ann, code)
				_, isLocked := errors.AsType[*LockedError](err)
				switch {
				case err == nil:
					good.Add(1)
				case isLocked:
					locked.Add(1)
				case errors.Is(err, ErrCode):
					wrong.Add(1)
				default:
					t.Errorf("Verify = %v", err)
				}
			})
		}
		wg.Wait()
	}
	for _, s := range x.stores { // each has seen the device
		for {
			if v, err := s.View(t.Context(), account); err == nil {
				if d, err := v.Device(serial("phone")); err == nil && d.Owner != "" {
					break
				}
			}
			time.Sleep(time.Millisecond)
		}
	}
	run(x.code("phone", 0))
	if good.Load() != 1 || wrong.Load() != 39 {
		t.Errorf("one code 40 times: %d good, %d wrong, %d locked, want 1, 39, 0", good.Load(), wrong.Load(), locked.Load())
	}
	good.Store(0)
	wrong.Store(0)
	run("nocode")
	if good.Load() != 0 || wrong.Load() != freeTries || locked.Load() != 40-freeTries {
		t.Errorf("40 wrong codes: %d good, %d wrong, %d locked, want 0, %d, %d", good.Load(), wrong.Load(), locked.Load(), freeTries, 40-freeTries)
	}
}

func TestEnable(t *testing.T) {
	x := newSite(t, 1)
	pair := func(after time.Duration) (string, string) {
		return x.code("spare", after-Period), x.code("spare", after)
	}
	enable := func(now time.Duration, user, code1, code2 string) error {
		return x.check("spare", now).Enable(t.Context(), user, code1, code2)
	}
	one, two := pair(0)
	if err := enable(0, "ann", two, one); !errors.Is(err, ErrCode) {
		t.Errorf("Enable with the codes exchanged = %v, want ErrCode", err)
	}
	if err := enable(0, "ann", one, one); !errors.Is(err, ErrCode) {
		t.Errorf("Enable with one code twice = %v, want ErrCode", err)
	}
	if err := enable(0, "eve", one, two); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Enable for nobody = %v, want ErrNotFound", err)
	}
	if err := x.check("phone", 0).Enable(t.Context(), "ann", one, two); !errors.Is(err, store.ErrExists) {
		t.Errorf("Enable of an assigned device = %v, want ErrExists", err)
	}
	v, err := x.stores[0].View(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := v.Device(serial("spare")); d.Owner != "" || d.Failures != 2 {
		t.Errorf("after two wrong pairs the device is %q's with %d failures, want nobody's with 2", d.Owner, d.Failures)
	}
	// The device's clock is five minutes slow.
	slow := -5 * time.Minute
	one, two = pair(slow)
	if err := enable(0, "bob", one, two); err != nil {
		t.Fatalf("Enable = %v", err)
	}
	v, _ = x.stores[0].View(t.Context(), account)
	bob, _ := v.User("bob")
	if err := x.check("spare", 0).Verify(t.Context(), bob.ID, two); !errors.Is(err, ErrCode) {
		t.Errorf("Verify with a code that assigned the device = %v, want ErrCode", err)
	}
	if err := x.check("spare", Period).Verify(t.Context(), bob.ID, x.code("spare", slow+Period)); err != nil {
		t.Errorf("Verify of a slow device = %v", err)
	}
	// Its battery is changed: the clock is right now, and then an hour fast.
	hour := time.Hour
	if err := x.check("spare", 2*hour).Verify(t.Context(), bob.ID, x.code("spare", 3*hour)); !errors.Is(err, ErrCode) {
		t.Errorf("Verify of a fast device = %v, want ErrCode", err)
	}
	one, two = pair(3 * hour)
	if err := x.check("spare", 2*hour).Resync(t.Context(), x.ann, one, two); !errors.Is(err, ErrDevice) {
		t.Errorf("Resync by another = %v, want ErrDevice", err)
	}
	if err := x.check("spare", 2*hour).Resync(t.Context(), bob.ID, one, two); err != nil {
		t.Errorf("Resync = %v", err)
	}
	if err := x.check("spare", 2*hour).Resync(t.Context(), bob.ID, one, two); !errors.Is(err, ErrCode) {
		t.Errorf("Resync again = %v, want ErrCode", err)
	}
	if err := x.check("spare", 2*hour+Period).Verify(t.Context(), bob.ID, x.code("spare", 3*hour+Period)); err != nil {
		t.Errorf("Verify after Resync = %v", err)
	}
}

// TestNobodysDevice: a device that was taken from its owner proves nothing, and
// its spent codes stay spent for the next.
func TestNobodysDevice(t *testing.T) {
	x := newSite(t, 1)
	if err := x.check("phone", 0).Verify(t.Context(), x.ann, x.code("phone", 0)); err != nil {
		t.Fatal(err)
	}
	x.change(t, func(tx *store.Tx) error { return tx.ReleaseDevice(serial("phone")) })
	if err := x.check("phone", Period).Verify(t.Context(), x.ann, x.code("phone", Period)); !errors.Is(err, ErrDevice) {
		t.Errorf("Verify with a device that was released = %v, want ErrDevice", err)
	}
	if err := x.check("phone", 0).Enable(t.Context(), "bob", x.code("phone", -Period), x.code("phone", 0)); !errors.Is(err, ErrCode) {
		t.Errorf("Enable with spent codes = %v, want ErrCode", err)
	}
	if err := x.check("phone", 0).Enable(t.Context(), "bob", x.code("phone", Period), x.code("phone", 2*Period)); err != nil {
		t.Errorf("Enable with fresh codes = %v", err)
	}
}

func ExampleCode() {
	seed := []byte("12345678901234567890")
	fmt.Println(Code(seed, Step(time.Unix(59, 0))))
	// Output: 287082
}
