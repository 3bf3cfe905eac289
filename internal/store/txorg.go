// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// An orgTx is the part of a transaction that is about the organization which the
// account manages.
type orgTx struct {
	self       slot[Organization]
	units      table[Unit]
	members    table[Member]
	policies   table[OrgPolicy]
	requests   table[AccountRequest]
	handshakes table[Handshake]
	read       bool // self was read
}

// o returns the transaction's orgTx.
func (tx *Tx) o() *orgTx {
	if tx.org == nil {
		tx.org = newOrgTx(tx.view.s.org)
	}
	return tx.org
}

func newOrgTx(o *Org) *orgTx {
	return &orgTx{
		self:       slot[Organization]{old: o.self.rec, now: o.self.rec, mod: o.self.mod},
		units:      table[Unit]{KindUnit, dirUnit, o.units, map[string]*slot[Unit]{}},
		members:    table[Member]{KindOrgAccount, dirMember, o.members, map[string]*slot[Member]{}},
		policies:   table[OrgPolicy]{KindOrgPolicy, dirOrgPolicy, o.policies, map[string]*slot[OrgPolicy]{}},
		requests:   table[AccountRequest]{KindAccountRequest, dirRequest, o.requests, map[string]*slot[AccountRequest]{}},
		handshakes: table[Handshake]{KindHandshake, dirHandshake, o.handshakes, map[string]*slot[Handshake]{}},
	}
}

// add appends what was read and changed to a transaction. A nil orgTx has
// nothing.
func (x *orgTx) add(t *kv.Txn, account string) error {
	if x == nil {
		return nil
	}
	var err error
	if x.read {
		err = x.self.add(t, contents(account)+keyOrg)
	}
	for _, add := range []func(*kv.Txn, string) error{
		x.units.add, x.members.add, x.policies.add, x.requests.add, x.handshakes.add,
	} {
		if err == nil {
			err = add(t, account)
		}
	}
	return err
}

// changing returns the organization as the transaction found it, which it
// changes: the record is written with the change. So a transaction changes one
// thing of an organization, whose rules are checked against what it found.
func (tx *Tx) changing() (*Org, error) {
	tx.o().read = true
	if tx.o().self.now == nil {
		return nil, notFound(KindOrganization, tx.a.id)
	}
	tx.o().self.touch()
	return tx.view.s.org, nil
}

// CreateOrganization makes the account the management account of a new
// organization, and fills o's ID, Root and Created. The account must be in none.
func (tx *Tx) CreateOrganization(o *Organization) error {
	account := tx.account.now
	if account.Organization != "" || tx.o().self.now != nil {
		return exists(KindOrganization, tx.a.id)
	}
	source := tx.a.s.ids
	o.ID, o.Root, o.Created = "o-"+source.Lower(10), "r-"+source.Lower(4), stamp(tx.a.s.now())
	tx.o().read = true
	tx.o().self.set(o.clone())
	tx.o().members.slot(account.ID).set(&Member{
		ID: account.ID, Name: cmp.Or(account.Name, account.ID), Email: account.Mail(), Parent: o.Root, Invited: true,
		Joined: o.Created, State: MemberActive,
	})
	tx.setOrganization(account.ID)
	return nil
}

// setOrganization points the account to an organization, "" for none.
func (tx *Tx) setOrganization(management string) {
	now := tx.account.now.clone()
	now.Organization = management
	tx.account.set(now)
}

// Join points the account to an organization of another account. The error wraps
// ErrExists if it points to another one.
func (tx *Tx) Join(management string) error {
	if was := tx.account.now.Organization; was != "" && was != management {
		return exists(KindOrganization, was)
	}
	tx.setOrganization(management)
	return nil
}

// Leave takes the pointer to an organization away, if it is to that one.
func (tx *Tx) Leave(management string) {
	if tx.account.now.Organization == management {
		tx.setOrganization("")
	}
}

// Close closes the account: from then on no credential of it is good, and none
// of its roles can be assumed.
func (tx *Tx) Close() {
	if tx.account.now.Closed() {
		return
	}
	now := tx.account.now.clone()
	now.ClosedAt = stamp(tx.a.s.now())
	tx.account.set(now)
}

// maxSweep is how many records DeleteOrganization deletes at once.
const maxSweep = 100

// DeleteOrganization deletes the organization, which must have no account but
// its own. If it has more records than one transaction can delete, done is false
// and it is still there with those that are left.
func (tx *Tx) DeleteOrganization() (done bool, err error) {
	o, err := tx.changing()
	if err != nil {
		return false, err
	}
	if o.members.Len() > 1 {
		return false, &InUseError{Kind: KindOrganization, Name: o.self.rec.ID, Reason: ReasonMembers}
	}
	left := maxSweep
	left -= sweep(&tx.o().units, left)
	left -= sweep(&tx.o().policies, left)
	left -= sweep(&tx.o().requests, left)
	left -= sweep(&tx.o().handshakes, left)
	if left == 0 {
		return false, nil
	}
	tx.o().members.slot(tx.a.id).set(nil)
	tx.o().self.set(nil)
	tx.setOrganization("")
	return true, nil
}

// sweep deletes at most n records and returns how many.
func sweep[T any](t *table[T], n int) int {
	deleted := 0
	t.base.Scan(func(key string, _ row[T]) bool {
		if deleted < n {
			t.slot(key).set(nil)
			deleted++
		}
		return deleted < n
	})
	return deleted
}

// Organization returns the organization's own record.
func (tx *Tx) Organization() (*Organization, error) {
	if _, err := tx.changing(); err != nil {
		return nil, err
	}
	return tx.o().self.now.clone(), nil
}

// PutOrganization replaces the organization's own record. Its ids, time of
// creation, types and attachments must be as they were. A resource policy that
// is new gets an id.
func (tx *Tx) PutOrganization(o *Organization) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	was := tx.o().self.now
	if o.ID != was.ID || o.Root != was.Root || !o.Created.Equal(was.Created) || !slices.Equal(o.Types, was.Types) {
		return invalid("organization %s: something changed that PutOrganization does not change", was.ID)
	}
	account := tx.account.now
	for _, tags := range [][2][]Tag{{was.Tags, o.Tags}, {was.PolicyTags, o.PolicyTags}} {
		if err := account.within(QuotaTags, len(tags[0]), len(tags[1])); err != nil {
			return err
		}
	}
	switch {
	case o.Policy == nil:
		o.PolicyID, o.PolicyTags = "", nil
	case was.PolicyID == "":
		o.PolicyID = "rp-" + tx.a.s.ids.Lower(8)
	}
	tx.o().self.set(o.clone())
	return nil
}

// CreateUnit stores a new organizational unit and fills its ID.
func (tx *Tx) CreateUnit(u *Unit) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	if !o.Holds(u.Parent) {
		return notFound(KindParent, u.Parent)
	}
	if err := tx.checkUnit(o, u, nil); err != nil {
		return err
	}
	account, n := tx.account.now, o.units.Len()
	if err := account.within(QuotaOrgUnits, n, n+1); err != nil {
		return err
	}
	depth := len(o.Path(u.Parent)) // the root is no level of units
	if err := account.within(QuotaOrgDepth, 0, depth); err != nil {
		return err
	}
	u.ID = "ou-" + strings.TrimPrefix(o.self.rec.Root, "r-") + "-" + tx.a.s.ids.Lower(8)
	s, err := tx.o().units.vacant(u.ID)
	if err != nil {
		return err
	}
	s.set(u.clone())
	return nil
}

// PutUnit replaces a unit's name and tags.
func (tx *Tx) PutUnit(u *Unit) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	s, err := tx.o().units.find(u.ID)
	if err != nil {
		return err
	}
	if u.Parent != s.now.Parent {
		return invalid("unit %s moved", u.ID)
	}
	if err := tx.checkUnit(o, u, s.now.Tags); err != nil {
		return err
	}
	s.set(u.clone())
	return nil
}

func (tx *Tx) checkUnit(o *Org, u *Unit, tags []Tag) error {
	if u.Name == "" || utf8.RuneCountInString(u.Name) > 128 {
		return invalid("unit name %.200q", u.Name)
	}
	for id := range o.Children(u.Parent, false, "") {
		if sibling, err := o.Unit(id); err == nil && id != u.ID && sibling.Name == u.Name {
			return exists(KindUnit, u.Name)
		}
	}
	return tx.account.now.within(QuotaTags, len(tags), len(u.Tags))
}

// Unit returns the organizational unit of that id.
func (tx *Tx) Unit(id string) (*Unit, error) {
	s, err := tx.o().units.find(id)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// DeleteUnit deletes a unit that holds nothing.
func (tx *Tx) DeleteUnit(id string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	s, err := tx.o().units.find(id)
	if err != nil {
		return err
	}
	for _, accounts := range []bool{false, true} {
		for range o.Children(id, accounts, "") {
			return &InUseError{Kind: KindUnit, Name: id, Reason: ReasonChildren}
		}
	}
	s.set(nil)
	return nil
}

// Member returns the account of that id in the organization.
func (tx *Tx) Member(account string) (*Member, error) {
	s, err := tx.o().members.find(account)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// Enroll adds an account below the root and fills Parent, Joined and State.
// One that is there already stays as it is.
func (tx *Tx) Enroll(m *Member) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	s := tx.o().members.slot(m.ID)
	if s.now != nil {
		return nil
	}
	if err := tx.roomForMembers(o, 1); err != nil {
		return err
	}
	m.Parent, m.Joined, m.State = o.self.rec.Root, stamp(tx.a.s.now()), MemberActive
	s.set(m.clone())
	return nil
}

// roomForMembers checks that n more accounts are within the quota, which counts
// those that are being created or were invited as well.
func (tx *Tx) roomForMembers(o *Org, n int) error {
	have := o.members.Len()
	return tx.account.now.within(QuotaOrgAccounts, have, have+n)
}

// PutMember replaces what an organization knows of an account. Its name, mail
// address and place must be as they were.
func (tx *Tx) PutMember(m *Member) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	s, err := tx.o().members.find(m.ID)
	if err != nil {
		return err
	}
	was := s.now
	if m.Name != was.Name || m.Email != was.Email || m.Parent != was.Parent || m.Invited != was.Invited || !m.Joined.Equal(was.Joined) {
		return invalid("account %s: something changed that PutMember does not change", m.ID)
	}
	if err := tx.account.now.within(QuotaTags, len(was.Tags), len(m.Tags)); err != nil {
		return err
	}
	s.set(m.clone())
	return nil
}

// MoveMember moves an account from one root or unit to another.
func (tx *Tx) MoveMember(account, from, to string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	s, err := tx.o().members.find(account)
	switch {
	case err != nil:
		return err
	case s.now.Parent != from:
		return notFound(KindSource, from)
	case !o.Holds(to):
		return notFound(KindParent, to)
	case from == to:
		return exists(KindOrgAccount, account)
	}
	now := s.now.clone()
	now.Parent = to
	s.set(now)
	return nil
}

// DeleteMember takes an account out of the organization; it may not be the
// management account.
func (tx *Tx) DeleteMember(account string) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	s, err := tx.o().members.find(account)
	if err != nil {
		return err
	}
	if account == tx.a.id {
		return invalid("the management account cannot leave")
	}
	s.set(nil)
	return nil
}

// CreateRequest stores a new request to create an account, and fills ID, State
// and Requested. There must be room for the account.
func (tx *Tx) CreateRequest(r *AccountRequest) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	pending := 1
	for other := range o.Requests("") {
		if other.State == RequestPending {
			pending++
		}
	}
	if err := tx.roomForMembers(o, pending); err != nil {
		return err
	}
	r.ID, r.State, r.Requested = "car-"+tx.a.s.ids.Lower(32), RequestPending, stamp(tx.a.s.now())
	s, err := tx.o().requests.vacant(r.ID)
	if err != nil {
		return err
	}
	s.set(r.clone())
	return nil
}

// FinishRequest ends a request that is pending: with a reason why it failed, or
// "" if it did not. One that has ended stays as it is.
func (tx *Tx) FinishRequest(id, failure string) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	s, err := tx.o().requests.find(id)
	if err != nil {
		return err
	}
	if s.now.State != RequestPending {
		return nil
	}
	now := s.now.clone()
	now.State, now.Failure, now.Completed = RequestDone, failure, stamp(tx.a.s.now())
	if failure != "" {
		now.State = RequestFailed
	}
	s.set(now)
	return nil
}

// NewHandshake fills the ID and Requested of a handshake that is to be created,
// and Expires, which is so long after.
func (s *Store) NewHandshake(h *Handshake, lasts time.Duration) {
	h.ID, h.Requested = "h-"+s.ids.Lower(10), stamp(s.now())
	h.Expires = h.Requested.Add(lasts)
}

// Handshake returns the handshake of that id.
func (tx *Tx) Handshake(id string) (*Handshake, error) {
	s, err := tx.o().handshakes.find(id)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// PutHandshake stores a handshake, new or changed.
func (tx *Tx) PutHandshake(h *Handshake) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	if err := checkName(KindHandshake, h.ID); err != nil {
		return err
	}
	tx.o().handshakes.slot(h.ID).set(h.clone())
	return nil
}
