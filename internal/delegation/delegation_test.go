// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	owner  = "111122223333"
	vendor = "444455556666"
	other  = "777788889999"

	readAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A site is a registry over the three accounts, with a clock that stands still.
type site struct {
	*Registry
	clock time.Time
	user  *store.User // of owner
}

func open(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "data"), NoSync: true})
	must(t, err)
	t.Cleanup(func() { db.Close() })
	keeper, err := seal.Create(filepath.Join(dir, "master.key"))
	must(t, err)
	s := &site{clock: start, user: &store.User{Name: "ann", Path: "/"}}
	st, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
	must(t, err)
	t.Cleanup(func() { st.Close() })
	s.Registry = &Registry{Store: st, IDs: &ids.Source{Rand: rand.NewChaCha8([32]byte{1})}, Now: func() time.Time { return s.clock }}
	for _, id := range []string{owner, vendor, other} {
		_, err := st.CreateAccount(t.Context(), store.Account{ID: id})
		must(t, err)
	}
	must(t, st.Update(t.Context(), owner, func(tx *store.Tx) error { return tx.CreateUser(s.user) }))
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ann is the owner of requests and their approver.
func (s *site) ann() Party { return Party{"arn:aws:iam::111122223333:user/ann", s.user.ID} }

func (s *site) approver() *Identity {
	return &Identity{Party: s.ann(), Kind: session.User, PrincipalID: s.user.ID, Name: "ann"}
}

// create makes a request of the vendor.
func (s *site) create(t testing.TB, workflow string, change func(*Request)) *Request {
	t.Helper()
	r := &Request{Requestor: vendor, Workflow: workflow, Policy: readAll, Template: "arn:aws:iam::444455556666:policy/t", Seconds: 3600}
	if change != nil {
		change(r)
	}
	must(t, s.Create(t.Context(), r))
	return r
}

// step does one thing with a request, by its name.
func (s *site) step(ctx context.Context, name, id string) error {
	var err error
	switch name {
	case "associate":
		_, err = s.Associate(ctx, id, owner, s.ann())
	case "forward":
		_, err = s.Forward(ctx, id, owner, nil)
	case "accept":
		_, err = s.Accept(ctx, id, owner, s.approver())
	case "reject":
		_, err = s.Reject(ctx, id, owner, nil)
	case "send":
		_, err = s.Send(ctx, id, owner, s.ann())
	}
	return err
}

// TestTransitions tries every step in every state: IAM User Guide, "Building your
// integration", state transitions. Also Q095.
func TestTransitions(t *testing.T) {
	s := open(t)
	paths := map[State][]string{
		Unassigned: nil,
		Assigned:   {"associate"},
		Pending:    {"associate", "forward"},
		Accepted:   {"associate", "accept"},
		Finalized:  {"associate", "accept", "send"},
		Rejected:   {"associate", "reject"},
		Expired:    {"associate", "forward", "accept"},
	}
	want := map[State]map[string]State{
		Unassigned: {"associate": Assigned},
		Assigned:   {"forward": Pending, "accept": Accepted, "reject": Rejected},
		Pending:    {"forward": Pending, "accept": Accepted, "reject": Rejected},
		Accepted:   {"reject": Rejected, "send": Finalized},
		Finalized:  {}, Rejected: {}, Expired: {},
	}
	for from, path := range paths {
		for _, step := range []string{"associate", "forward", "accept", "reject", "send"} {
			t.Run(string(from)+"/"+step, func(t *testing.T) {
				r := s.create(t, t.Name(), nil)
				for _, p := range path {
					must(t, s.step(t.Context(), p, r.ID))
				}
				begin := s.clock
				if from == Expired {
					s.clock = s.clock.Add(7 * day)
				}
				defer func() { s.clock = begin }()
				err := s.step(t.Context(), step, r.ID)
				now, _ := s.Find(t.Context(), r.ID)
				if to, ok := want[from][step]; ok {
					if err != nil || now.State(s.clock) != to {
						t.Errorf("%s in %s = %v and %s, want %s", step, from, err, now.State(s.clock), to)
					}
					return
				}
				e, ok := errors.AsType[*StateError](err)
				if !ok || e.State != from || now.State(s.clock) != from {
					t.Errorf("%s in %s = %v and %s, want a refusal", step, from, err, now.State(s.clock))
				}
			})
		}
	}
}

// TestExpiry: the same page, "Expiration path".
func TestExpiry(t *testing.T) {
	for state, path := range map[State][]string{
		Unassigned: nil, Assigned: {"associate"}, Pending: {"associate", "forward"}, Accepted: {"associate", "accept"},
		Finalized: {"associate", "accept", "send"}, Rejected: {"associate", "reject"},
	} {
		s := open(t)
		r := s.create(t, "w", nil)
		for _, p := range path {
			s.clock = s.clock.Add(time.Hour) // every state begins anew
			must(t, s.step(t.Context(), p, r.ID))
		}
		life := 7 * day
		if state == Unassigned {
			life = day
		}
		r, err := s.Find(t.Context(), r.ID)
		must(t, err)
		if got := r.State(s.clock.Add(life - time.Second)); got != state {
			t.Errorf("%s a second before its end = %s", state, got)
		}
		if got := r.State(s.clock.Add(life)); got != Expired {
			t.Errorf("%s at its end = %s, want %s", state, got, Expired)
		}
	}
}

// TestForwardingAgainDoesNotProlong: a request waits for approval seven days, not
// seven days from the last note.
func TestForwardingAgainDoesNotProlong(t *testing.T) {
	s := open(t)
	r := s.create(t, "w", nil)
	must(t, s.step(t.Context(), "associate", r.ID))
	must(t, s.step(t.Context(), "forward", r.ID))
	before, _ := s.Find(t.Context(), r.ID)
	s.clock = s.clock.Add(time.Hour)
	after, err := s.Forward(t.Context(), r.ID, owner, new("please"))
	must(t, err)
	if after.Notes != "please" || !after.Expires().Equal(before.Expires()) || !after.Updated.Equal(s.clock) {
		t.Errorf("Forward = %+v, want the note and the end of %v", after, before.Expires())
	}
}

func TestRefusals(t *testing.T) {
	s := open(t)
	r := s.create(t, "w", func(r *Request) { r.Account, r.OwnerSends, r.Seconds = owner, true, int(RootLimit/time.Second)+1 })
	for name, err := range map[string]error{
		"associate by another account":   func() error { _, err := s.Associate(t.Context(), r.ID, other, s.ann()); return err }(),
		"associate by the requestor":     func() error { _, err := s.Associate(t.Context(), r.ID, vendor, s.ann()); return err }(),
		"reject by another account":      func() error { _, err := s.Reject(t.Context(), r.ID, other, nil); return err }(),
		"accept by the requestor itself": func() error { _, err := s.Accept(t.Context(), r.ID, vendor, s.approver()); return err }(),
	} {
		if !errors.Is(err, ErrForeign) {
			t.Errorf("%s = %v, want %v", name, err, ErrForeign)
		}
	}
	must(t, s.step(t.Context(), "associate", r.ID))
	root := &Identity{Party: Party{"arn:aws:iam::111122223333:root", owner}, Kind: session.Root, PrincipalID: owner}
	if _, err := s.Accept(t.Context(), r.ID, owner, root); !errors.Is(err, ErrTooLong) {
		t.Errorf("Accept of more than four hours by root = %v, want %v", err, ErrTooLong)
	}
	must(t, s.step(t.Context(), "accept", r.ID))
	for _, p := range []Party{{"arn:aws:iam::111122223333:user/bob", "AIDABOB"}, {s.ann().ARN, "AIDAANOTHERANN"}} {
		if _, err := s.Send(t.Context(), r.ID, owner, p); !errors.Is(err, ErrOwnerSends) {
			t.Errorf("Send by %v = %v, want %v", p, err, ErrOwnerSends)
		}
	}
	must(t, s.step(t.Context(), "send", r.ID))
	for _, id := range []string{"", "x", "not-a-uuid-at-all", "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-" + vendor} {
		if _, err := s.Find(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Find(%q) = %v, want %v", id, err, store.ErrNotFound)
		}
	}
}

func TestWorkflowIsUnique(t *testing.T) {
	s := open(t)
	s.create(t, "order 1", nil)
	err := s.Create(t.Context(), &Request{Requestor: vendor, Workflow: "order 1"})
	if e, ok := errors.AsType[*store.ExistsError](err); !ok || e.Kind != Kind {
		t.Errorf("Create of the same workflow = %v, want an ExistsError", err)
	}
	s.create(t, "order 1", func(r *Request) { r.Requestor = other })
	var wg sync.WaitGroup
	var made [8]error
	for i := range made {
		wg.Go(func() { made[i] = s.Create(context.Background(), &Request{Requestor: vendor, Workflow: "order 2"}) })
	}
	wg.Wait()
	if n := len(slices.DeleteFunc(made[:], func(err error) bool { return err != nil })); n != 1 {
		t.Errorf("%d of 8 requests of one workflow at once were made, want 1", n)
	}
}

// TestQuotaAndSweep: requests that are over do not count, and go in time.
func TestQuotaAndSweep(t *testing.T) {
	s := open(t)
	must(t, s.Store.Update(t.Context(), vendor, func(tx *store.Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{QuotaRequests: 2}
		return tx.PutAccount(a)
	}))
	first := s.create(t, "1", nil)
	must(t, s.step(t.Context(), "associate", first.ID))
	s.create(t, "2", nil)
	err := s.Create(t.Context(), &Request{Requestor: vendor, Workflow: "3"})
	if e, ok := errors.AsType[*store.LimitError](err); !ok || e.Quota != QuotaRequests || e.Limit != 2 {
		t.Fatalf("a third request = %v, want a LimitError", err)
	}
	s.clock = s.clock.Add(7 * day)
	s.create(t, "3", nil)
	if _, err := s.Find(t.Context(), first.ID); err != nil {
		t.Errorf("an expired request is gone at once: %v", err)
	}
	s.clock = s.clock.Add(retention + time.Second)
	s.create(t, "1 again", nil)
	if _, err := s.Find(t.Context(), first.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a request %v after its end = %v, want it gone", retention, err)
	}
	s.create(t, "1", nil) // the workflow is free again
	v, err := s.Store.View(t.Context(), owner)
	must(t, err)
	if list := under(v, dirOwned); len(list) != 1 {
		t.Fatalf("pointers = %q", list)
	}
	must(t, s.step(t.Context(), "associate", s.create(t, "4", func(r *Request) { r.Requestor = other }).ID))
	v, err = s.Store.View(t.Context(), owner)
	must(t, err)
	if list := under(v, dirOwned); len(list) != 1 || list[0] == first.ID {
		t.Errorf("pointers = %q, want the new one alone", list)
	}
}

// TestOwned: an account lists what its identities own, whoever made it.
func TestOwned(t *testing.T) {
	s := open(t)
	var want []string
	for i := range 5 {
		r := s.create(t, fmt.Sprint(i), func(r *Request) { r.Requestor = []string{vendor, other}[i%2] })
		if i == 0 {
			continue // nobody has it
		}
		must(t, s.step(t.Context(), "associate", r.ID))
		want = append(want, r.ID)
	}
	slices.Sort(want)
	for account, want := range map[string][]string{owner: want, vendor: nil, other: nil} {
		v, err := s.Store.View(t.Context(), account)
		must(t, err)
		list, err := s.Owned(t.Context(), v)
		must(t, err)
		var got []string
		for _, r := range list {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Owned(%s) = %q, want %q", account, got, want)
		}
	}
}

// TestAssociateAtOnce: of several who take up a request one gets it.
func TestAssociateAtOnce(t *testing.T) {
	s := open(t)
	r := s.create(t, "w", nil)
	var wg sync.WaitGroup
	var errs [8]error
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.Associate(context.Background(), r.ID, []string{owner, other}[i%2], Party{fmt.Sprint("arn", i), "AIDA"})
		})
	}
	wg.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			got, _ := s.Find(t.Context(), r.ID)
			if got.Owner.ARN != fmt.Sprint("arn", i) {
				t.Errorf("%d won and %+v owns it", i, got.Owner)
			}
		}
	}
	if won != 1 {
		t.Errorf("%d won: %v", won, errs)
	}
	if _, err := s.Find(t.Context(), r.ID); err != nil {
		t.Error(err)
	}
}

// TestExchange tests Q091 and Q094: who gets what for a token, and when.
func TestExchange(t *testing.T) {
	s := open(t)
	exchange := func(account, token string) (session.Claims, error) {
		c, principal, err := Exchange(t.Context(), s.Store, account, token, s.clock)
		if err == nil && principal != s.ann().ARN {
			t.Errorf("principal = %s, want %s", principal, s.ann().ARN)
		}
		return c, err
	}
	r := s.create(t, "w", nil)
	for _, step := range []string{"associate", "forward", "accept", "send"} {
		if _, err := exchange(vendor, r.ID); !errors.Is(err, ErrToken) {
			t.Errorf("Exchange before %s = %v, want %v", step, err, ErrToken)
		}
		must(t, s.step(t.Context(), step, r.ID))
	}
	s.clock = s.clock.Add(time.Minute)
	c, err := exchange(vendor, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if c.Account != owner || c.Kind != session.User || c.PrincipalID != s.user.ID || c.Delegate != vendor || c.Policy != readAll ||
		!c.MFA.IsZero() || !c.Issued.Equal(start) || !c.Expires.Equal(start.Add(time.Hour)) {
		t.Errorf("claims = %+v", c)
	}
	for _, account := range []string{owner, other} {
		if _, err := exchange(account, r.ID); !errors.Is(err, ErrToken) {
			t.Errorf("Exchange by %s = %v, want %v", account, err, ErrToken)
		}
	}
	if _, err := exchange(vendor, "arn:aws:iam::111122223333:delegation-request/"+r.ID); !errors.Is(err, ErrToken) {
		t.Errorf("Exchange of an ARN = %v, want %v", err, ErrToken)
	}
	s.clock = start.Add(time.Hour)
	if _, err := exchange(vendor, r.ID); !errors.Is(err, ErrOver) {
		t.Errorf("Exchange at the end = %v, want %v", err, ErrOver)
	}
	s.clock = start.Add(30 * time.Minute)
	must(t, s.Store.Update(t.Context(), owner, func(tx *store.Tx) error { return tx.DeleteUser("ann") }))
	must(t, s.Store.Update(t.Context(), owner, func(tx *store.Tx) error { return tx.CreateUser(&store.User{Name: "ann", Path: "/"}) }))
	if _, err := exchange(vendor, r.ID); !errors.Is(err, ErrToken) {
		t.Errorf("Exchange after the approver was made anew = %v, want %v", err, ErrToken)
	}
}

// TestExchangeOfRole: the session is the approver's, with its tags, and without its
// second factor.
func TestExchangeOfRole(t *testing.T) {
	s := open(t)
	role := &store.Role{Name: "admin", Path: "/ops/", Trust: store.NewTrust(`{}`, nil)}
	must(t, s.Store.Update(t.Context(), owner, func(tx *store.Tx) error { return tx.CreateRole(role) }))
	const managed = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
	v, err := s.Store.View(t.Context(), owner)
	must(t, err)
	p, err := v.Policy(managed)
	must(t, err)
	text := p.DefaultVersion().Document.Text()
	tags := []session.Tag{{Key: "team", Value: "red"}}
	by := &Identity{
		Party: Party{"arn:aws:sts::111122223333:assumed-role/admin/ann", role.ID + ":ann"}, Kind: session.Role, PrincipalID: role.ID,
		Name: "ann", RoleName: "admin", RolePath: "/ops/", Tags: tags, Transitive: []string{"team"}, SourceIdentity: "ann",
	}
	for name, tc := range map[string]struct {
		text string
		want error
	}{"as-approved": {text, nil}, "changed-since": {readAll, ErrToken}} {
		t.Run(name, func(t *testing.T) {
			r := s.create(t, name, func(r *Request) { r.Managed, r.Template, r.Policy = true, managed, tc.text })
			must(t, s.step(t.Context(), "associate", r.ID))
			_, err := s.Accept(t.Context(), r.ID, owner, by)
			must(t, err)
			must(t, s.step(t.Context(), "send", r.ID))
			c, _, err := Exchange(t.Context(), s.Store, vendor, r.ID, s.clock)
			if !errors.Is(err, tc.want) {
				t.Fatalf("Exchange = %v, want %v", err, tc.want)
			}
			if err == nil && (c.Kind != session.Role || c.Name != "ann" || c.RolePath != "/ops/" || !slices.Equal(c.Tags, tags) ||
				c.SourceIdentity != "ann" || c.Policy != "" || !slices.Equal(c.PolicyARNs, []string{managed})) {
				t.Errorf("claims = %+v", c)
			}
		})
	}
}
