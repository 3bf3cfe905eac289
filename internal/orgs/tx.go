// SPDX-License-Identifier: Apache-2.0

package orgs

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A Registry changes organizations. All fields are required; it is safe for
// concurrent use.
type Registry struct {
	Store *store.Store
	IDs   *ids.Source
	Now   func() time.Time
}

// Update changes the organization of a management account, or makes it one, by
// the rules of store.Store.Update: fn may run more than once and must do nothing
// but use its Tx.
func (r *Registry) Update(ctx context.Context, management string, fn func(*Tx) error) error {
	return r.Store.Update(ctx, management, func(tx *store.Tx) error {
		o, err := Of(tx.View())
		if err != nil {
			return err
		}
		x := &Tx{r: r, tx: tx, found: o}
		if o != nil {
			x.self = o.self
		}
		if err := fn(x); err != nil {
			return err
		}
		return x.err
	})
}

// A Tx is one attempt at a change of an organization. It makes one change: rules
// are checked against the organization as it was found, and only the
// organization's own record and types show what the Tx itself did. Its methods
// return what those of store.Tx do.
type Tx struct {
	r     *Registry
	tx    *store.Tx
	found *Org          // nil: there is none
	self  *Organization // as it is to be
	err   error         // of encoding
}

// Found returns the organization as the transaction found it, or nil.
func (tx *Tx) Found() *Org { return tx.found }

func (tx *Tx) stamp() time.Time { return tx.r.Now().UTC().Truncate(time.Second) }

func (tx *Tx) put(key string, rec any) {
	b, err := json.Marshal(rec)
	if err != nil {
		tx.err = cmp.Or(tx.err, invalid("%s: %v", key, err))
		return
	}
	tx.tx.PutAnnexed(store.AnnexOrganization, key, b)
}

func (tx *Tx) quota(name string, before, now int) error {
	return tx.tx.Account().Within(name, before, now)
}

// set replaces the organization's own record.
func (tx *Tx) set(self *Organization) {
	tx.self = self
	tx.put(keySelf, self)
}

// changing returns the organization as the transaction found it, which it
// changes: the record is written with the change, so that no other change of the
// organization happens at the same time.
func (tx *Tx) changing() (*Org, error) {
	if tx.self == nil {
		return nil, notFound(store.KindOrganization, tx.tx.View().Account().ID)
	}
	tx.set(tx.self)
	return tx.found, nil
}

// CreateOrganization makes the account the management account of a new
// organization, and fills o's ID, Root and Created. The account must be in none.
func (tx *Tx) CreateOrganization(o *Organization) error {
	account := tx.tx.Account()
	if account.Organization != "" || tx.found != nil {
		return exists(store.KindOrganization, account.ID)
	}
	o.ID, o.Root, o.Created = "o-"+tx.r.IDs.Lower(10), "r-"+tx.r.IDs.Lower(4), tx.stamp()
	tx.set(o.clone())
	tx.put(dirMember+account.ID, &Member{
		ID: account.ID, Name: cmp.Or(account.Name, account.ID), Email: account.Mail(), Parent: o.Root, Invited: true,
		Joined: o.Created, State: MemberActive,
	})
	return tx.tx.Join(account.ID)
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
	if len(o.members) > 1 {
		return false, &store.InUseError{Kind: store.KindOrganization, Name: o.self.ID, Reason: store.ReasonMembers}
	}
	left := maxSweep
	for row := range tx.tx.View().Annex(store.AnnexOrganization).Rows() {
		if row.Key == keySelf || strings.HasPrefix(row.Key, dirMember) {
			continue
		}
		if left == 0 {
			return false, nil
		}
		tx.tx.DeleteAnnexed(store.AnnexOrganization, row.Key)
		left--
	}
	tx.tx.DeleteAnnexed(store.AnnexOrganization, dirMember+o.management)
	tx.tx.DeleteAnnexed(store.AnnexOrganization, keySelf)
	tx.tx.Leave(o.management)
	return true, nil
}

// Organization returns the organization's own record.
func (tx *Tx) Organization() (*Organization, error) {
	if _, err := tx.changing(); err != nil {
		return nil, err
	}
	return tx.self.clone(), nil
}

// PutOrganization replaces the organization's own record. Its ids, time of
// creation, types and attachments must be as they were. A resource policy that
// is new gets an id.
func (tx *Tx) PutOrganization(o *Organization) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	was := tx.self
	if o.ID != was.ID || o.Root != was.Root || !o.Created.Equal(was.Created) || !slices.Equal(o.Types, was.Types) {
		return invalid("organization %s: something changed that PutOrganization does not change", was.ID)
	}

	for _, tags := range [][2][]store.Tag{{was.Tags, o.Tags}, {was.PolicyTags, o.PolicyTags}} {
		if err := tx.quota(quota.Tags, len(tags[0]), len(tags[1])); err != nil {
			return err
		}
	}
	switch {
	case o.Policy == nil:
		o.PolicyID, o.PolicyTags = "", nil
	case was.PolicyID == "":
		o.PolicyID = "rp-" + tx.r.IDs.Lower(8)
	}
	tx.set(o.clone())
	return nil
}

// CreateUnit stores a new organizational unit and fills its ID.
func (tx *Tx) CreateUnit(u *Unit) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	if !o.Holds(u.Parent) {
		return notFound(store.KindParent, u.Parent)
	}
	if err := tx.checkUnit(o, u, nil); err != nil {
		return err
	}
	n := len(o.units)
	if err := tx.quota(quota.OrgUnits, n, n+1); err != nil {
		return err
	}
	depth := len(o.Path(u.Parent)) // the root is no level of units
	if err := tx.quota(quota.OrgDepth, 0, depth); err != nil {
		return err
	}
	u.ID = "ou-" + strings.TrimPrefix(o.self.Root, "r-") + "-" + tx.r.IDs.Lower(8)
	if _, err := o.Unit(u.ID); err == nil {
		return exists(store.KindUnit, u.ID)
	}
	tx.put(dirUnit+u.ID, u)
	return nil
}

// PutUnit replaces a unit's name and tags.
func (tx *Tx) PutUnit(u *Unit) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	was, err := o.Unit(u.ID)
	if err != nil {
		return err
	}
	if u.Parent != was.Parent {
		return invalid("unit %s moved", u.ID)
	}
	if err := tx.checkUnit(o, u, was.Tags); err != nil {
		return err
	}
	tx.put(dirUnit+u.ID, u)
	return nil
}

func (tx *Tx) checkUnit(o *Org, u *Unit, tags []store.Tag) error {
	if u.Name == "" || utf8.RuneCountInString(u.Name) > 128 {
		return invalid("unit name %.200q", u.Name)
	}
	for id := range o.Children(u.Parent, false, "") {
		if sibling, err := o.Unit(id); err == nil && id != u.ID && sibling.Name == u.Name {
			return exists(store.KindUnit, u.Name)
		}
	}
	return tx.quota(quota.Tags, len(tags), len(u.Tags))
}

// Unit returns the organizational unit of that id.
func (tx *Tx) Unit(id string) (*Unit, error) {
	o, err := tx.changing()
	if err != nil {
		return nil, err
	}
	was, err := o.Unit(id)
	if err != nil {
		return nil, err
	}
	return was.clone(), nil
}

// DeleteUnit deletes a unit that holds nothing.
func (tx *Tx) DeleteUnit(id string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	if _, err := o.Unit(id); err != nil {
		return err
	}
	for _, accounts := range []bool{false, true} {
		for range o.Children(id, accounts, "") {
			return &store.InUseError{Kind: store.KindUnit, Name: id, Reason: store.ReasonChildren}
		}
	}
	tx.tx.DeleteAnnexed(store.AnnexOrganization, dirUnit+id)
	return nil
}

// Member returns the account of that id in the organization.
func (tx *Tx) Member(account string) (*Member, error) {
	o, err := tx.changing()
	if err != nil {
		return nil, err
	}
	was, err := o.Member(account)
	if err != nil {
		return nil, err
	}
	return was.clone(), nil
}

// Enroll adds an account below the root and fills Parent, Joined and State.
// One that is there already stays as it is.
func (tx *Tx) Enroll(m *Member) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	if _, err := o.Member(m.ID); err == nil {
		return nil
	}
	if err := tx.roomForMembers(o, 1); err != nil {
		return err
	}
	m.Parent, m.Joined, m.State = o.self.Root, tx.stamp(), MemberActive
	tx.put(dirMember+m.ID, m)
	return nil
}

// roomForMembers checks that n more accounts are within the quota, which counts
// those that are being created or were invited as well.
func (tx *Tx) roomForMembers(o *Org, n int) error {
	have := len(o.members)
	return tx.quota(quota.OrgAccounts, have, have+n)
}

// PutMember replaces what an organization knows of an account. Its name, mail
// address and place must be as they were.
func (tx *Tx) PutMember(m *Member) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	was, err := o.Member(m.ID)
	if err != nil {
		return err
	}
	if m.Name != was.Name || m.Email != was.Email || m.Parent != was.Parent || m.Invited != was.Invited || !m.Joined.Equal(was.Joined) {
		return invalid("account %s: something changed that PutMember does not change", m.ID)
	}
	if err := tx.quota(quota.Tags, len(was.Tags), len(m.Tags)); err != nil {
		return err
	}
	tx.put(dirMember+m.ID, m)
	return nil
}

// MoveMember moves an account from one root or unit to another.
func (tx *Tx) MoveMember(account, from, to string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	was, err := o.Member(account)
	switch {
	case err != nil:
		return err
	case was.Parent != from:
		return notFound(store.KindSource, from)
	case !o.Holds(to):
		return notFound(store.KindParent, to)
	case from == to:
		return exists(store.KindOrgAccount, account)
	}
	now := was.clone()
	now.Parent = to
	tx.put(dirMember+account, now)
	return nil
}

// DeleteMember takes an account out of the organization; it may not be the
// management account.
func (tx *Tx) DeleteMember(account string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	if _, err := o.Member(account); err != nil {
		return err
	}
	if account == o.management {
		return invalid("the management account cannot leave")
	}
	tx.tx.DeleteAnnexed(store.AnnexOrganization, dirMember+account)
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
	r.ID, r.State, r.Requested = "car-"+tx.r.IDs.Lower(32), RequestPending, tx.stamp()
	tx.put(dirRequest+r.ID, r)
	return nil
}

// FinishRequest ends a request that is pending: with a reason why it failed, or
// "" if it did not. One that has ended stays as it is.
func (tx *Tx) FinishRequest(id, failure string) error {
	o, err := tx.changing()
	if err != nil {
		return err
	}
	was, err := o.Request(id)
	if err != nil {
		return err
	}
	if was.State != RequestPending {
		return nil
	}
	now := was.clone()
	now.State, now.Failure, now.Completed = RequestDone, failure, tx.stamp()
	if failure != "" {
		now.State = RequestFailed
	}
	tx.put(dirRequest+id, now)
	return nil
}

// NewHandshake fills the ID and Requested of a handshake that is to be created,
// and Expires, which is so long after.
func (r *Registry) NewHandshake(h *Handshake, lasts time.Duration) {
	h.ID, h.Requested = "h-"+r.IDs.Lower(10), r.Now().UTC().Truncate(time.Second)
	h.Expires = h.Requested.Add(lasts)
}

// Handshake returns the handshake of that id.
func (tx *Tx) Handshake(id string) (*Handshake, error) {
	o, err := tx.changing()
	if err != nil {
		return nil, err
	}
	was, err := o.Handshake(id)
	if err != nil {
		return nil, err
	}
	return was.clone(), nil
}

// PutHandshake stores a handshake, new or changed.
func (tx *Tx) PutHandshake(h *Handshake) error {
	if _, err := tx.changing(); err != nil {
		return err
	}
	tx.put(dirHandshake+h.ID, h)
	return nil
}
