// SPDX-License-Identifier: Apache-2.0

package orgs

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	alpha = "111122223333"
	beta  = "444455556666"
	gamma = "777788889999"

	allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
)

// A node is one of the servers of a DB.
type node struct {
	*store.Store
	*Registry
}

// open returns what opens nodes on one new DB.
func open(t testing.TB) func() *node {
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
	return func() *node {
		t.Helper()
		s, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return &node{s, &Registry{Store: s, IDs: new(ids.Source), Now: time.Now}}
	}
}

// newStore opens a node with the accounts alpha and beta, and returns what opens
// more.
func newStore(t testing.TB) (*node, func() *node) {
	t.Helper()
	more := open(t)
	s := more()
	for _, id := range []string{alpha, beta} {
		if _, err := s.CreateAccount(t.Context(), store.Account{ID: id, Name: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	return s, more
}

// update changes alpha's organization, and the test ends if that fails.
func update(t testing.TB, s *node, fn func(*Tx) error) {
	t.Helper()
	if err := s.Registry.Update(t.Context(), alpha, fn); err != nil {
		t.Fatalf("Update = %v", err)
	}
}

func view(t testing.TB, s *node, account string) *store.View {
	t.Helper()
	v, err := s.View(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func createOrg(tx *Tx) error { return tx.CreateOrganization(&Organization{Features: FeaturesAll}) }

// place returns the place of an account, or nil.
func place(t testing.TB, s *node, account string) *Membership {
	t.Helper()
	m, err := Find(t.Context(), s.Store, view(t, s, account))
	if err != nil {
		t.Fatalf("Membership(%s) = %v", account, err)
	}
	return m
}

// join makes an account a member of alpha's organization.
func join(t testing.TB, s *node, account string) {
	t.Helper()
	if err := s.Store.Update(t.Context(), account, func(tx *store.Tx) error { return tx.Join(alpha) }); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.Enroll(&Member{ID: account, Name: "m", Email: account + "@example.com"}) })
}

// unit makes a unit and returns its id.
func unit(t testing.TB, s *node, parent, name string) string {
	t.Helper()
	u := &Unit{Parent: parent, Name: name}
	update(t, s, func(tx *Tx) error { return tx.CreateUnit(u) })
	return u.ID
}

// refuses ends the test unless a change of alpha fails with an error that is want.
func refuses(t testing.TB, s *node, what string, want error, fn func(*Tx) error) {
	t.Helper()
	if err := s.Registry.Update(t.Context(), alpha, fn); !errors.Is(err, want) {
		t.Errorf("%s = %v, want %v", what, err, want)
	}
}

func scp(name, text string) *Policy {
	return &Policy{Type: TypeSCP, Name: name, Document: store.NewDocument(name, text)}
}

// TestMembershipNeedsBoth: a pointer alone, and a row alone, make nobody a member.
func TestMembershipNeedsBoth(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, createOrg)
	if m := place(t, s, alpha); m == nil || !m.Management || m.SCPs != nil {
		t.Errorf("the management account's place = %+v", m)
	}
	if err := s.Store.Update(t.Context(), beta, func(tx *store.Tx) error { return tx.Join(alpha) }); err != nil {
		t.Fatal(err)
	}
	if m := place(t, s, beta); m != nil {
		t.Errorf("with a pointer alone the place is %+v, want none", m)
	}
	if err := s.Store.Update(t.Context(), beta, func(tx *store.Tx) error { return tx.Join(gamma) }); !errors.Is(err, store.ErrExists) {
		t.Errorf("Join of another organization = %v, want store.ErrExists", err)
	}
	update(t, s, func(tx *Tx) error { return tx.Enroll(&Member{ID: beta}) })
	m := place(t, s, beta)
	if m == nil || m.Management || m.Org.Management() != alpha {
		t.Fatalf("the member's place = %+v", m)
	}
	root := m.Org.Record()
	if want := root.ID + "/" + root.Root + "/"; m.Path != want {
		t.Errorf("Path = %s, want %s", m.Path, want)
	}
	if err := s.Store.Update(t.Context(), beta, func(tx *store.Tx) error { tx.Leave(gamma); tx.Leave(alpha); return nil }); err != nil {
		t.Fatal(err)
	}
	if m := place(t, s, beta); m != nil {
		t.Errorf("with a row alone the place is %+v, want none", m)
	}
}

// TestLevels: each level of the path has what is attached there, and a disabled
// type nothing.
func TestLevels(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, createOrg)
	join(t, s, beta)
	root := place(t, s, beta).Org.Record().Root
	upper := unit(t, s, root, "upper")
	lower := unit(t, s, upper, "lower")
	update(t, s, func(tx *Tx) error { return tx.MoveMember(beta, root, lower) })
	if m := place(t, s, beta); m.SCPs != nil || m.RCPs != nil {
		t.Errorf("levels before a type is enabled: %v, %v", m.SCPs, m.RCPs)
	}
	update(t, s, func(tx *Tx) error { return tx.EnableType(TypeSCP) })
	p := scp("p", allowAll)
	update(t, s, func(tx *Tx) error { return tx.CreatePolicy(p) })
	update(t, s, func(tx *Tx) error { return tx.AttachPolicy(p.ID, lower) })
	m := place(t, s, beta)
	var got []int
	for _, level := range m.SCPs {
		got = append(got, len(level))
	}
	if want := []int{1, 1, 2, 1}; !slices.Equal(got, want) || m.RCPs != nil {
		t.Errorf("policies by level = %v, want %v; RCPs %v", got, want, m.RCPs)
	}
	if want := strings.Join([]string{m.Org.Record().ID, root, upper, lower, ""}, "/"); m.Path != want {
		t.Errorf("Path = %s, want %s", m.Path, want)
	}
	if place(t, s, beta) != m {
		t.Error("the place is made anew though nothing changed")
	}
	update(t, s, func(tx *Tx) error { return tx.DisableType(TypeSCP) })
	update(t, s, func(tx *Tx) error { return tx.EnableType(TypeSCP) })
	if got := place(t, s, beta).Org.Attached(lower, TypeSCP); !slices.Equal(got, []string{FullAccess}) {
		t.Errorf("attached after enabling again = %q, want the default", got)
	}
}

// TestOrganizationOnEveryNode: a node that follows, and one that starts later,
// have the organization that the one which changed it has.
func TestOrganizationOnEveryNode(t *testing.T) {
	s, x := newStore(t)
	other := x()
	view(t, other, alpha)
	update(t, s, createOrg)
	join(t, s, beta)
	root := place(t, s, beta).Org.Record().Root
	update(t, s, func(tx *Tx) error { return tx.EnableType(TypeSCP) })
	u := unit(t, s, root, "u")
	empty := unit(t, s, root, "empty")
	update(t, s, func(tx *Tx) error { return tx.DeleteUnit(empty) })
	update(t, s, func(tx *Tx) error { return tx.MoveMember(beta, root, u) })
	p := scp("p", allowAll)
	update(t, s, func(tx *Tx) error { return tx.CreatePolicy(p) })
	update(t, s, func(tx *Tx) error { return tx.AttachPolicy(p.ID, u) })
	want := describe(place(t, s, beta))
	eventually(t, "the other node has it", func() bool {
		m, err := Find(t.Context(), other.Store, view(t, other, beta))
		return err == nil && m != nil && describe(m) == want
	})
	if got := describe(place(t, x(), beta)); got != want {
		t.Errorf("a new node has\n%s\nwant\n%s", got, want)
	}
	// A change on one node holds on the other within the watch's delay.
	update(t, other, func(tx *Tx) error { return tx.DetachPolicy(FullAccess, u) })
	eventually(t, "the first node follows", func() bool { return slices.Equal(place(t, s, beta).Org.Attached(u, TypeSCP), []string{p.ID}) })
}

func orgOf(t testing.TB, s *node) *Org {
	t.Helper()
	o, err := Of(view(t, s, alpha))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// describe writes down an account's place with everything around it.
func describe(m *Membership) string {
	o := m.Org
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %+v\n", m.Path, len(m.SCPs), *o.Record())
	for u := range o.Units("") {
		fmt.Fprintf(&b, "%+v %q %q\n", *u, slices.Collect(o.Children(u.ID, true, "")), o.Attached(u.ID, TypeSCP))
	}
	for m := range o.Members("") {
		fmt.Fprintf(&b, "%+v\n", *m)
	}
	for p := range o.Policies(TypeSCP, "") {
		fmt.Fprintln(&b, p.ID, p.Name, p.Document.Text(), slices.Collect(o.Targets(p)))
	}
	return b.String()
}

// TestChangesOneAfterAnother: rules about several records hold although two nodes
// change them at once.
func TestChangesOneAfterAnother(t *testing.T) {
	s, x := newStore(t)
	other := x()
	update(t, s, createOrg)
	update(t, s, func(tx *Tx) error { return tx.EnableType(TypeSCP) })
	root := place(t, s, alpha).Org.Record().Root
	eventually(t, "the other node has the organization", func() bool { return orgOf(t, other) != nil })
	for round := range 20 {
		p := scp(fmt.Sprint("p", round), allowAll)
		update(t, s, func(tx *Tx) error { return tx.CreatePolicy(p) })
		name := fmt.Sprint("u", round)
		var errs [4]error
		var wg sync.WaitGroup
		for i, fn := range []func(*Tx) error{
			func(tx *Tx) error { return tx.CreateUnit(&Unit{Parent: root, Name: name}) },
			func(tx *Tx) error { return tx.CreateUnit(&Unit{Parent: root, Name: name}) },
			func(tx *Tx) error { return tx.AttachPolicy(p.ID, alpha) },
			func(tx *Tx) error { return tx.DeletePolicy(p.ID) },
		} {
			n := []*node{s, other}[i%2]
			wg.Go(func() { errs[i] = n.Registry.Update(t.Context(), alpha, fn) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("two units %s at once: %v, %v, want one of them", name, errs[0], errs[1])
		}
		if errs[2] == nil && errs[3] == nil {
			t.Errorf("policy %s was attached and deleted", p.ID)
		}
		if errs[2] == nil {
			update(t, s, func(tx *Tx) error { return tx.DetachPolicy(p.ID, alpha) })
		}
	}
}

func TestOrganizationRules(t *testing.T) {
	s, _ := newStore(t)
	refuses(t, s, "a unit of no organization", store.ErrNotFound, func(tx *Tx) error { return tx.CreateUnit(&Unit{}) })
	update(t, s, createOrg)
	refuses(t, s, "a second organization", store.ErrExists, createOrg)
	join(t, s, beta)
	root := place(t, s, beta).Org.Record().Root
	u := unit(t, s, root, "u")
	p := scp("p", allowAll)
	update(t, s, func(tx *Tx) error { return tx.CreatePolicy(p) })
	refuses(t, s, "attaching a type that is not enabled", store.ErrNotFound, func(tx *Tx) error { return tx.AttachPolicy(p.ID, u) })
	update(t, s, func(tx *Tx) error { return tx.EnableType(TypeSCP) })
	refuses(t, s, "the last policy", ErrLastPolicy, func(tx *Tx) error { return tx.DetachPolicy(FullAccess, u) })
	refuses(t, s, "changing what AWS provides", store.ErrReadOnly, func(tx *Tx) error { return tx.DeletePolicy(FullAccess) })
	refuses(t, s, "a move by PutUnit", store.ErrInvalid, func(tx *Tx) error {
		x, err := tx.Unit(u)
		if err != nil {
			return err
		}
		x.Parent = "ou-x"
		return tx.PutUnit(x)
	})
	if err := s.Store.Update(t.Context(), beta, func(tx *store.Tx) error {
		a := tx.Account()
		a.Organization = ""
		return tx.PutAccount(a)
	}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a pointer by PutAccount = %v, want ErrInvalid", err)
	}
	refuses(t, s, "a policy of another type", store.ErrInvalid, func(tx *Tx) error {
		x := *p
		x.Type = TypeRCP
		return tx.PutPolicy(&x)
	})
	var limit *store.LimitError
	if err := s.Registry.Update(t.Context(), alpha, func(tx *Tx) error { return tx.CreatePolicy(scp("large", strings.Repeat(" ", 5121))) }); !errors.As(err, &limit) || limit.Quota != quota.SCPSize {
		t.Errorf("a policy of 5,121 characters: %v, want a store.LimitError of %s", err, quota.SCPSize)
	}
	for i := range 4 {
		q := scp(fmt.Sprint("q", i), allowAll)
		update(t, s, func(tx *Tx) error { return tx.CreatePolicy(q) })
		update(t, s, func(tx *Tx) error { return tx.AttachPolicy(q.ID, u) })
	}
	if err := s.Registry.Update(t.Context(), alpha, func(tx *Tx) error { return tx.AttachPolicy(p.ID, u) }); !errors.As(err, &limit) || limit.Quota != quota.OrgAttachments {
		t.Errorf("a sixth policy: %v, want a store.LimitError of %s", err, quota.OrgAttachments)
	}
	var inUse *store.InUseError
	if err := s.Registry.Update(t.Context(), alpha, func(tx *Tx) error { _, err := tx.DeleteOrganization(); return err }); !errors.As(err, &inUse) {
		t.Errorf("DeleteOrganization with a member = %v, want an store.InUseError", err)
	}
}

// TestDeleteLargeOrganization: what one transaction cannot delete takes several.
func TestDeleteLargeOrganization(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, createOrg)
	root := place(t, s, alpha).Org.Record().Root
	for i := range 130 {
		unit(t, s, root, fmt.Sprint("u", i))
	}
	rounds := 0
	for done := false; !done; rounds++ {
		update(t, s, func(tx *Tx) (err error) { done, err = tx.DeleteOrganization(); return err })
	}
	v := view(t, s, alpha)
	if rounds != 2 || orgOf(t, s) != nil || v.Account().Organization != "" || v.Annex(store.AnnexOrganization).Len() != 0 {
		t.Errorf("after %d rounds: %+v, %d rows", rounds, orgOf(t, s), v.Annex(store.AnnexOrganization).Len())
	}
	update(t, s, createOrg)
}

func TestMailIsUnique(t *testing.T) {
	s, _ := newStore(t)
	if _, err := s.CreateAccount(t.Context(), store.Account{ID: gamma, Email: "Lab@example.com"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.CreateAccount(t.Context(), store.Account{Email: "lab@EXAMPLE.com"})
	var taken *store.ExistsError
	if !errors.As(err, &taken) || taken.Kind != store.KindMail {
		t.Errorf("a second account with the address: %v, want an store.ExistsError of it", err)
	}
	if id, err := s.AccountByMail(t.Context(), "LAB@example.com"); err != nil || id != gamma {
		t.Errorf("AccountByMail = %s, %v, want %s", id, err, gamma)
	}
	if _, err := s.AccountByMail(t.Context(), "nobody@example.com"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("AccountByMail of nobody = %v, want store.ErrNotFound", err)
	}
}
