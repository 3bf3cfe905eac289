// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
)

const (
	alpha = "111122223333"
	beta  = "444455556666"
)

// A site is a DB with what its nodes share.
type site struct {
	db     kv.DB
	file   string
	keeper *seal.Keeper
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "data")
	db, err := boltkv.Open(boltkv.Options{Path: file, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	keeper, err := seal.Create(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &site{db, file, keeper}
}

// node opens one more store on the site.
func (x *site) node(t testing.TB, change ...func(*Options)) *Store {
	t.Helper()
	o := Options{DB: x.db, Keeper: x.keeper}
	for _, f := range change {
		f(&o)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// newStore opens a store on a site of its own, with the accounts alpha and beta.
func newStore(t testing.TB) (*Store, *site) {
	t.Helper()
	x := newSite(t)
	s := x.node(t)
	for _, id := range []string{alpha, beta} {
		if _, err := s.CreateAccount(t.Context(), Account{ID: id, Name: "test"}); err != nil {
			t.Fatalf("CreateAccount(%s) = %v", id, err)
		}
	}
	return s, x
}

// update changes alpha, and the test ends if that fails.
func update(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), alpha, fn); err != nil {
		t.Fatalf("Update = %v", err)
	}
}

func view(t testing.TB, s *Store, account string) *View {
	t.Helper()
	v, err := s.View(t.Context(), account)
	if err != nil {
		t.Fatalf("View(%s) = %v", account, err)
	}
	return v
}

func createUser(name string) func(*Tx) error {
	return func(tx *Tx) error { return tx.CreateUser(&User{Name: name}) }
}

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
const trustAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}`

func doc() *Document { return NewDocument("", allowAll) }

func createRole(name string) func(*Tx) error {
	return func(tx *Tx) error { return tx.CreateRole(&Role{Name: name, Trust: NewTrust(trustAll, nil)}) }
}

func createGroup(name string) func(*Tx) error {
	return func(tx *Tx) error { return tx.CreateGroup(&Group{Name: name}) }
}

func createPolicy(name string) func(*Tx) error {
	return func(tx *Tx) error { return tx.CreatePolicy(&Policy{Name: name}, doc()) }
}

func alphaPolicy(name string) string { return "arn:aws:iam::" + alpha + ":policy/" + name }

func all(steps ...func(*Tx) error) func(*Tx) error {
	return func(tx *Tx) error {
		for _, step := range steps {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	}
}

// eventually waits until ok; another node follows within the watch delay.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

// checkSound verifies that nothing in the view dangles, and that its indexes
// are those of its records.
func checkSound(t testing.TB, v *View) {
	t.Helper()
	s, want := v.s, newState(v.s.id)
	add := func(key string, rec any) {
		value, err := encode(rec)
		if err != nil {
			t.Fatal(err)
		}
		if err := want.applyOne(1, kv.Event{Key: key, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	add("", s.account.rec)
	for u := range v.Users("") {
		add(dirUser+lower(u.Name), u)
		for _, id := range u.Groups {
			if _, err := v.GroupByID(id); err != nil {
				t.Errorf("user %s is in a group that is gone: %v", u.Name, err)
			}
		}
		checkPolicies(t, v, "user "+u.Name, append(slices.Clone(u.Attached), u.Boundary))
	}
	for g := range v.Groups("") {
		add(dirGroup+lower(g.Name), g)
		checkPolicies(t, v, "group "+g.Name, g.Attached)
	}
	for r := range v.Roles("") {
		add(dirRole+lower(r.Name), r)
		checkPolicies(t, v, "role "+r.Name, append(slices.Clone(r.Attached), r.Boundary))
	}
	for p := range v.Policies("") {
		add(dirPolicy+lower(p.Name), p)
		if p.DefaultVersion() == nil {
			t.Errorf("policy %s has no default version", p.Name)
		}
	}
	for p := range v.Profiles("") {
		add(dirProfile+lower(p.Name), p)
		if p.Role != "" {
			if _, err := v.Role(p.Role); err != nil {
				t.Errorf("profile %s has a role that is gone: %v", p.Name, err)
			}
		}
	}
	for p := range v.OIDCProviders("") {
		add(dirOIDC+lower(p.URL), p)
	}
	for p := range v.SAMLProviders("") {
		add(dirSAML+lower(p.Name), p)
	}
	if got, want := s.indexes(), want.indexes(); got != want {
		t.Errorf("indexes of the view at %d:\n%s\nwant those of its records:\n%s", v.Revision(), got, want)
	}
}

func checkPolicies(t testing.TB, v *View, holder string, arns []string) {
	t.Helper()
	for _, arn := range arns {
		if arn == "" {
			continue
		}
		if _, err := v.Policy(arn); err != nil {
			t.Errorf("%s holds a policy that is gone: %v", holder, err)
		}
	}
}

// indexes writes down every index.
func (s *state) indexes() string {
	var b strings.Builder
	s.ids.Scan(func(id string, rec any) bool {
		switch rec := rec.(type) {
		case *User:
			fmt.Fprintln(&b, "id", id, rec.Name)
		case *Group:
			fmt.Fprintln(&b, "id", id, rec.Name)
		case *Role:
			fmt.Fprintln(&b, "id", id, rec.Name)
		case *Policy:
			fmt.Fprintln(&b, "id", id, rec.Name)
		case *InstanceProfile:
			fmt.Fprintln(&b, "id", id, rec.Name)
		}
		return true
	})
	s.keys.Scan(func(id string, u *User) bool {
		if u == nil {
			fmt.Fprintln(&b, "key", id, "root")
		} else {
			fmt.Fprintln(&b, "key", id, u.Name, len(u.Keys), len(u.Tags))
		}
		return true
	})
	s.links.Scan(func(link string, _ struct{}) bool {
		fmt.Fprintf(&b, "link %q\n", link)
		return true
	})
	s.counts.Scan(func(target string, n int) bool {
		fmt.Fprintf(&b, "count %q %d\n", target, n)
		return true
	})
	fmt.Fprintln(&b, "versions", s.versions)
	return b.String()
}

func TestWritesAreReadAtOnce(t *testing.T) {
	s, _ := newStore(t)
	for i := range 50 {
		name := fmt.Sprintf("user-%02d", i)
		u := &User{Name: name, Path: "/staff/"}
		update(t, s, func(tx *Tx) error { return tx.CreateUser(u) })
		got, err := view(t, s, alpha).User(name)
		if err != nil {
			t.Fatalf("User(%s) after Update = %v", name, err)
		}
		if got.ID != u.ID || got.ID == "" || !got.Created.Equal(u.Created) || got.Path != "/staff/" {
			t.Errorf("User(%s) = %+v, want %+v", name, got, u)
		}
		if got == u {
			t.Error("the view holds the caller's own record")
		}
	}
	checkSound(t, view(t, s, alpha))
}

func TestWhatWasWrittenSurvivesReopening(t *testing.T) {
	s, x := newStore(t)
	update(t, s, all(createUser("Ann"), createGroup("Staff"), createPolicy("Read"), createRole("App"),
		func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: "VM"}) },
		func(tx *Tx) error { return tx.AddRole("vm", "app") },
		func(tx *Tx) error { return tx.AddMember("staff", "ann") },
		func(tx *Tx) error { return tx.Attach(GroupHolder("staff"), alphaPolicy("Read")) },
		func(tx *Tx) error { return tx.PutInline(UserHolder("ann"), "own", doc()) }))
	before := view(t, s, alpha)
	if err := s.Close(); err != nil {
		t.Fatalf("Close = %v", err)
	}
	after := view(t, x.node(t), alpha)
	checkSound(t, after)
	if got, want := after.s.indexes(), before.s.indexes(); got != want {
		t.Errorf("after reopening:\n%s\nwant\n%s", got, want)
	}
	u, err := after.User("ANN")
	if err != nil || u.Name != "Ann" || len(after.GroupsOf(u)) != 1 || after.GroupsOf(u)[0].Name != "Staff" {
		t.Errorf("User(ANN) = %+v, %v, want Ann in Staff", u, err)
	}
	if d := u.InlineNamed("own"); d == nil || d.Text() != allowAll {
		t.Errorf("inline policy own = %v, want it as stored", d)
	}
}

func TestAnErrorOfFnWritesNothing(t *testing.T) {
	s, _ := newStore(t)
	stop := errors.New("stop")
	before := s.Revision()
	err := s.Update(t.Context(), alpha, all(createUser("ann"), func(*Tx) error { return stop }))
	if err != stop {
		t.Errorf("Update = %v, want the error of fn itself", err)
	}
	if _, err := view(t, s, alpha).User("ann"); !errors.Is(err, ErrNotFound) {
		t.Errorf("User(ann) after a failed Update = %v, want ErrNotFound", err)
	}
	update(t, s, func(tx *Tx) error { _, err := tx.User("nobody"); _ = err; return nil })
	if after := s.Revision(); after != before {
		t.Errorf("revision after updates without changes = %d, want %d", after, before)
	}
}

func TestUnknownAccounts(t *testing.T) {
	s, _ := newStore(t)
	for _, id := range []string{"", "999999999999", "1", alpha + "/user", alpha + "\x00"} {
		if _, err := s.View(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("View(%q) = %v, want ErrNotFound", id, err)
		}
		if err := s.Update(t.Context(), id, createUser("ann")); !errors.Is(err, ErrNotFound) {
			t.Errorf("Update(%q) = %v, want ErrNotFound", id, err)
		}
		s.Touch(id, "AKIA", Use{Time: time.Now()})
		if u := s.LastUse(id, "AKIA"); u != (Use{}) {
			t.Errorf("LastUse(%q) = %v, want none", id, u)
		}
	}
}

func TestAccountsAreIsolated(t *testing.T) {
	s, x := newStore(t)
	key, _ := s.NewKey(alpha)
	update(t, s, all(createUser("ann"), createGroup("staff"), createRole("app"), createPolicy("read"),
		func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: "vm"}) },
		func(tx *Tx) error {
			u, err := tx.User("ann")
			if err != nil {
				return err
			}
			u.Keys = append(u.Keys, key)
			return tx.PutUser(u)
		}))
	a := view(t, s, alpha)
	user, _ := a.User("ann")
	group, _ := a.Group("staff")
	role, _ := a.Role("app")
	pol, _ := a.PolicyNamed("read")
	profile, _ := a.Profile("vm")
	for _, s := range []*Store{s, x.node(t)} {
		b := view(t, s, beta)
		for what, find := range map[string]func() error{
			"User":          func() error { _, err := b.User("ann"); return err },
			"UserByID":      func() error { _, err := b.UserByID(user.ID); return err },
			"UserByKey":     func() error { _, _, err := b.UserByKey(key.ID); return err },
			"Group":         func() error { _, err := b.Group("staff"); return err },
			"GroupByID":     func() error { _, err := b.GroupByID(group.ID); return err },
			"Role":          func() error { _, err := b.Role("app"); return err },
			"RoleByID":      func() error { _, err := b.RoleByID(role.ID); return err },
			"PolicyNamed":   func() error { _, err := b.PolicyNamed("read"); return err },
			"Policy":        func() error { _, err := b.Policy(alphaPolicy("read")); return err },
			"PolicyByID":    func() error { _, err := b.PolicyByID(pol.ID); return err },
			"Profile":       func() error { _, err := b.Profile("vm"); return err },
			"ProfileByID":   func() error { _, err := b.ProfileByID(profile.ID); return err },
			"another-kind":  func() error { _, err := a.RoleByID(user.ID); return err },
			"path-in-a-key": func() error { _, err := b.User("../../" + alpha + "/user/ann"); return err },
			"Attach": func() error {
				return s.Update(t.Context(), beta, all(createUser("eve"), func(tx *Tx) error {
					return tx.Attach(UserHolder("eve"), alphaPolicy("read"))
				}))
			},
			"SetBoundary": func() error {
				return s.Update(t.Context(), beta, func(tx *Tx) error {
					return tx.CreateUser(&User{Name: "eve", Boundary: alphaPolicy("read")})
				})
			},
		} {
			if err := find(); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s of alpha's things through beta = %v, want ErrNotFound", what, err)
			}
		}
		for range b.Users("") {
			t.Error("beta lists a user of alpha")
		}
		if _, err := s.Secret(beta, &key); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("Secret of alpha's key as beta's = %v, want seal.ErrTampered", err)
		}
	}
}

func TestNamesIgnoreLetterCaseAndKeepIt(t *testing.T) {
	s, _ := newStore(t)
	creates := map[Kind]func(name string) func(*Tx) error{
		KindUser: createUser, KindGroup: createGroup, KindRole: createRole, KindPolicy: createPolicy,
		KindProfile: func(name string) func(*Tx) error {
			return func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: name}) }
		},
	}
	for kind, create := range creates {
		update(t, s, create("TestName"))
		for _, again := range []string{"TestName", "testname", "TESTNAME"} {
			err := s.Update(t.Context(), alpha, create(again))
			if e, ok := errors.AsType[*ExistsError](err); !ok || e.Kind != kind || e.Name != again || !errors.Is(err, ErrExists) {
				t.Errorf("creating %s %s twice = %v, want ExistsError", kind, again, err)
			}
		}
		for _, bad := range []string{"", "a/b", "a b", "a\x00b", "é", strings.Repeat("x", 129), "a:b", "a*", "a\n"} {
			if err := s.Update(t.Context(), alpha, create(bad)); !errors.Is(err, ErrInvalid) {
				t.Errorf("creating %s %q = %v, want ErrInvalid", kind, bad, err)
			}
		}
	}
	v := view(t, s, alpha)
	u, err1 := v.User("tESTnAME")
	g, err2 := v.Group("tESTnAME")
	r, err3 := v.Role("tESTnAME")
	p, err4 := v.PolicyNamed("tESTnAME")
	i, err5 := v.Profile("tESTnAME")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{v.UserARN(u), v.GroupARN(g), v.RoleARN(r), v.PolicyARN(p), v.ProfileARN(i)} {
		if !strings.HasSuffix(got, "/TestName") || !strings.HasPrefix(got, "arn:aws:iam::"+alpha+":") {
			t.Errorf("ARN = %s, want the name as typed", got)
		}
	}
	if _, err := v.Policy(alphaPolicy("testname")); !errors.Is(err, ErrNotFound) {
		t.Errorf("Policy by an ARN in other letter case = %v, want ErrNotFound", err)
	}
}

func TestListsAreOrderedAndBeginAfter(t *testing.T) {
	s, _ := newStore(t)
	for _, name := range []string{"beta", "Alpha", "delta", "CHARLIE", "alpha2", "alpha-1"} {
		update(t, s, createUser(name))
	}
	v := view(t, s, alpha)
	for after, want := range map[string]string{
		"":        "Alpha alpha-1 alpha2 beta CHARLIE delta",
		"ALPHA":   "alpha-1 alpha2 beta CHARLIE delta",
		"alpha1":  "alpha2 beta CHARLIE delta",
		"b":       "beta CHARLIE delta",
		"charlie": "delta",
		"zoo":     "",
	} {
		var got []string
		for u := range v.Users(after) {
			got = append(got, u.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("Users(%q) = %v, want %v", after, got, want)
		}
	}
	for range v.Users("") {
		break // a list may be left
	}
}

func TestSecretsAreSealed(t *testing.T) {
	s, x := newStore(t)
	key, secret := s.NewKey(alpha)
	root, rootSecret := s.NewKey(alpha)
	update(t, s, all(createUser("ann"), func(tx *Tx) error {
		u, err := tx.User("ann")
		if err != nil {
			return err
		}
		u.Keys = append(u.Keys, key)
		return tx.PutUser(u)
	}, func(tx *Tx) error {
		a := tx.Account()
		a.Keys = append(a.Keys, root)
		return tx.PutAccount(a)
	}))
	ring := []byte("a system secret, 32 bytes or more")
	if got, err := s.PutSystem(t.Context(), "ring", ring); err != nil || !bytes.Equal(got, ring) {
		t.Fatalf("PutSystem = %q, %v", got, err)
	}

	other := x.node(t)
	if got, err := other.PutSystem(t.Context(), "ring", []byte("the loser's")); err != nil || !bytes.Equal(got, ring) {
		t.Errorf("PutSystem on another node = %q, %v, want the first one's", got, err)
	}
	if got, err := other.System(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("System(none) = %q, %v, want ErrNotFound", got, err)
	}
	for id, want := range map[string]string{key.ID: secret, root.ID: rootSecret} {
		user, k, err := view(t, other, alpha).UserByKey(id)
		if err != nil {
			t.Fatalf("UserByKey(%s) = %v", id, err)
		}
		if (user == nil) != (id == root.ID) {
			t.Errorf("UserByKey(%s) has user %v", id, user)
		}
		if got, err := other.Secret(alpha, k); err != nil || got != want {
			t.Errorf("Secret(%s) = %v, differs %v", id, err, got != want)
		}
	}
	moved := key
	moved.Sealed = root.Sealed
	if _, err := s.Secret(alpha, &moved); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("Secret of a key with another's sealed value = %v, want seal.ErrTampered", err)
	}
	data, err := os.ReadFile(x.file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(key.ID)) {
		t.Error("the data file does not hold the key id, so this test looks at the wrong file")
	}
	for _, plain := range []string{secret, rootSecret, string(ring)} {
		if bytes.Contains(data, []byte(plain)) {
			t.Error("the data file holds a secret in plain text")
		}
	}
}
