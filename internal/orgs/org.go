// SPDX-License-Identifier: Apache-2.0

package orgs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const (
	keySelf      = "self"
	dirUnit      = "unit/"
	dirMember    = "member/"
	dirPolicy    = "policy/"
	dirRequest   = "request/"
	dirHandshake = "handshake/"
)

// An Org is the organization of a management account at one revision: immutable,
// complete, and safe for concurrent use. What it returns is shared and must not
// be modified. A lookup that finds nothing returns a *store.NotFoundError. Lists
// are in the order of ids and begin strictly after one, "" for all.
type Org struct {
	management string
	self       *Organization
	units      []*Unit // by id, as all of these
	members    []*Member
	policies   []*Policy
	requests   []*AccountRequest
	handshakes []*Handshake
	below      map[string][]string // units by parent
	within     map[string][]string // accounts by parent
	read       map[string]reading  // by key

	places sync.Map // account → *Membership
}

// A reading is a row as it was read, for the next Org if the row is the same.
type reading struct {
	row annex.Row
	rec any
}

// Of returns the organization that the view's account manages, nil if it manages
// none. The error wraps store.ErrFormat for what this version cannot read.
func Of(v *store.View) (*Org, error) {
	if v.Annex(store.AnnexOrganization).Len() == 0 {
		return nil, nil
	}
	made := v.Annex(store.AnnexOrganization).Derive(func(before any) any {
		prev, _ := before.(*derived)
		return derive(v, prev)
	}).(*derived)
	return made.org, made.err
}

// A derived is what is made of an annex; it is kept with it.
type derived struct {
	org *Org // nil: there is none
	err error
}

func derive(v *store.View, before *derived) *derived {
	o := &Org{
		management: v.Account().ID, below: make(map[string][]string), within: make(map[string][]string), read: make(map[string]reading),
	}
	var prev map[string]reading
	if before != nil && before.org != nil {
		prev = before.org.read
	}
	for row := range v.Annex(store.AnnexOrganization).Rows() {
		if err := o.add(row, prev); err != nil {
			return &derived{err: fmt.Errorf("orgs: account %s: %q: %w", o.management, row.Key, err)}
		}
	}
	if o.self == nil {
		return &derived{}
	}
	return &derived{org: o}
}

func (o *Org) add(row annex.Row, prev map[string]reading) error {
	dir := row.Key[:strings.IndexByte(row.Key, '/')+1]
	switch {
	case row.Key == keySelf:
		rec, err := decode[Organization](o, row, prev)
		o.self = rec
		return err
	case dir == dirUnit:
		rec, err := decode[Unit](o, row, prev)
		if err == nil {
			o.units, o.below[rec.Parent] = append(o.units, rec), append(o.below[rec.Parent], rec.ID)
		}
		return err
	case dir == dirMember:
		rec, err := decode[Member](o, row, prev)
		if err == nil {
			o.members, o.within[rec.Parent] = append(o.members, rec), append(o.within[rec.Parent], rec.ID)
		}
		return err
	case dir == dirPolicy:
		rec, err := decode[Policy](o, row, prev)
		o.policies = append(o.policies, rec)
		return err
	case dir == dirRequest:
		rec, err := decode[AccountRequest](o, row, prev)
		o.requests = append(o.requests, rec)
		return err
	case dir == dirHandshake:
		rec, err := decode[Handshake](o, row, prev)
		o.handshakes = append(o.handshakes, rec)
		return err
	}
	return store.ErrFormat
}

// decode returns the record of a row, that of before if the row is the same: then
// its documents may be compiled already.
func decode[T any](o *Org, row annex.Row, prev map[string]reading) (*T, error) {
	if was, ok := prev[row.Key]; ok && was.row.Revision == row.Revision {
		o.read[row.Key] = was
		return was.rec.(*T), nil
	}
	rec := new(T)
	if err := json.Unmarshal(row.Value, rec); err != nil {
		return nil, err
	}
	switch rec := any(rec).(type) {
	case *Policy:
		rec.Document = store.NewDocument(rec.ID, rec.Document.Text())
	case *Organization:
		if rec.Policy != nil {
			rec.Policy = store.NewDocument(rec.PolicyID, rec.Policy.Text())
		}
	}
	o.read[row.Key] = reading{annex.Row{Revision: row.Revision}, rec}
	return rec, nil
}

// Record returns the organization's own record.
func (o *Org) Record() *Organization { return o.self }

// Management returns the id of the management account.
func (o *Org) Management() string { return o.management }

func search[T any](list []*T, id string, idOf func(*T) string) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(rec *T, id string) int { return strings.Compare(idOf(rec), id) })
}

func find[T any](list []*T, kind store.Kind, id string, idOf func(*T) string) (*T, error) {
	i, ok := search(list, id, idOf)
	if !ok {
		return nil, notFound(kind, id)
	}
	return list[i], nil
}

func from[T any](list []*T, after string, idOf func(*T) string) iter.Seq[*T] {
	i, ok := search(list, after, idOf)
	if ok {
		i++
	}
	return slices.Values(list[i:])
}

func unitID(u *Unit) string              { return u.ID }
func memberID(m *Member) string          { return m.ID }
func policyID(p *Policy) string          { return p.ID }
func requestID(r *AccountRequest) string { return r.ID }
func handshakeID(h *Handshake) string    { return h.ID }

func notFound(kind store.Kind, id string) error { return &store.NotFoundError{Kind: kind, Name: id} }
func exists(kind store.Kind, id string) error   { return &store.ExistsError{Kind: kind, Name: id} }

func invalid(format string, args ...any) error {
	return fmt.Errorf("orgs: "+format+": %w", append(args, store.ErrInvalid)...)
}

// Unit returns the organizational unit of that id.
func (o *Org) Unit(id string) (*Unit, error) { return find(o.units, store.KindUnit, id, unitID) }

// Member returns the account of that id.
func (o *Org) Member(account string) (*Member, error) {
	return find(o.members, store.KindOrgAccount, account, memberID)
}

// Policy returns the policy of that id, one of the organization's or of AWS's.
func (o *Org) Policy(id string) (*Policy, error) {
	if p := provided(id); p != nil {
		return p, nil
	}
	return find(o.policies, store.KindOrgPolicy, id, policyID)
}

// Request returns the request to create an account of that id.
func (o *Org) Request(id string) (*AccountRequest, error) {
	return find(o.requests, store.KindAccountRequest, id, requestID)
}

// Handshake returns the handshake of that id.
func (o *Org) Handshake(id string) (*Handshake, error) {
	return find(o.handshakes, store.KindHandshake, id, handshakeID)
}

// Members lists the accounts, the management account included.
func (o *Org) Members(after string) iter.Seq[*Member] { return from(o.members, after, memberID) }

// Units lists the organizational units.
func (o *Org) Units(after string) iter.Seq[*Unit] { return from(o.units, after, unitID) }

// Requests lists the requests to create accounts.
func (o *Org) Requests(after string) iter.Seq[*AccountRequest] {
	return from(o.requests, after, requestID)
}

// Handshakes lists the handshakes.
func (o *Org) Handshakes(after string) iter.Seq[*Handshake] {
	return from(o.handshakes, after, handshakeID)
}

// Policies lists the policies of a type, those of AWS among them in their place.
func (o *Org) Policies(typ, after string) iter.Seq[*Policy] {
	return func(yield func(*Policy) bool) {
		var aws []*Policy
		for _, p := range providedPolicies {
			if p.Type == typ && p.ID > after {
				aws = append(aws, p)
			}
		}
		for p := range from(o.policies, after, policyID) {
			for len(aws) > 0 && aws[0].ID < p.ID {
				if !yield(aws[0]) {
					return
				}
				aws = aws[1:]
			}
			if p.Type == typ && !yield(p) {
				return
			}
		}
		for _, p := range aws {
			if !yield(p) {
				return
			}
		}
	}
}

// Children lists the ids of the accounts, or else of the units, right below a
// root or unit.
func (o *Org) Children(parent string, accounts bool, after string) iter.Seq[string] {
	list := o.below[parent]
	if accounts {
		list = o.within[parent]
	}
	i, ok := slices.BinarySearch(list, after)
	if ok {
		i++
	}
	return slices.Values(list[i:])
}

func isUnit(id string) bool { return strings.HasPrefix(id, "ou-") }

// Holds reports whether the id is that of the root or of a unit.
func (o *Org) Holds(id string) bool {
	_, err := o.Unit(id)
	return err == nil || id == o.self.Root
}

// Parent returns the id of what holds a unit or account.
func (o *Org) Parent(id string) (string, error) {
	if isUnit(id) {
		u, err := o.Unit(id)
		if err != nil {
			return "", err
		}
		return u.Parent, nil
	}
	m, err := o.Member(id)
	if err != nil {
		return "", err
	}
	return m.Parent, nil
}

// Path returns the ids from the root down to a root, unit or account, which must
// exist, itself included.
func (o *Org) Path(id string) []string {
	path := []string{id}
	for id != o.self.Root && len(path) <= maxPath {
		parent, err := o.Parent(id)
		if err != nil {
			break
		}
		path, id = append(path, parent), parent
	}
	slices.Reverse(path)
	return path
}

// maxPath is more than any path has.
const maxPath = 64

// Attached returns the ids of the policies of a type that are attached to a root,
// unit or account itself. It returns none for a target that does not exist and
// for a type that is not enabled.
func (o *Org) Attached(target, typ string) []string {
	return o.attachments(target).of(o.self.Type(typ))
}

func (o *Org) attachments(target string) Attachments {
	switch {
	case target == o.self.Root:
		return o.self.Attached
	case isUnit(target):
		if u, err := o.Unit(target); err == nil {
			return u.Attached
		}
	default:
		if m, err := o.Member(target); err == nil {
			return m.Attached
		}
	}
	return nil
}

// Targets lists the ids of what a policy is attached to: the root, then units,
// then accounts.
func (o *Org) Targets(p *Policy) iter.Seq[string] {
	t := o.self.Type(p.Type)
	return func(yield func(string) bool) {
		has := func(a Attachments) bool { return slices.Contains(a.of(t), p.ID) }
		if t == nil || has(o.self.Attached) && !yield(o.self.Root) {
			return
		}
		for u := range o.Units("") {
			if has(u.Attached) && !yield(u.ID) {
				return
			}
		}
		for m := range o.Members("") {
			if has(m.Attached) && !yield(m.ID) {
				return
			}
		}
	}
}

// A Membership is the place of an account in its organization. It is shared and
// must not be modified.
type Membership struct {
	Org        *Org
	Management bool   // the account manages the organization
	Path       string // as aws:PrincipalOrgPaths has it: "o-…/r-…/ou-…/", without the account

	// The policies in force, compiled, a level each, the root first. Nil when
	// none apply: to the management account, and of types that are not enabled.
	SCPs, RCPs [][]*policy.Policy
}

// Find returns the place of the view's account in its organization, or nil if it
// is in none: if it points to none, or to one that does not list it. So both of
// them have to agree, and who writes them one after the other makes an account a
// member with the second write and ends that with the first.
func Find(ctx context.Context, s *store.Store, v *store.View) (*Membership, error) {
	account, management := v.Account().ID, v.Account().Organization
	if management == "" {
		return nil, nil
	}
	if management != account {
		var err error
		v, err = s.View(ctx, management)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	o, err := Of(v)
	if o == nil || err != nil {
		return nil, err
	}
	return o.place(account), nil
}

// place returns the place of an account, or nil.
func (o *Org) place(account string) *Membership {
	if p, ok := o.places.Load(account); ok {
		return p.(*Membership)
	}
	if _, err := o.Member(account); err != nil {
		return nil
	}
	path := o.Path(account)
	p := &Membership{Org: o, Management: account == o.management}
	p.Path = o.self.ID + "/" + strings.Join(path[:len(path)-1], "/") + "/"
	if !p.Management {
		p.SCPs, p.RCPs = o.levels(path, TypeSCP, policy.SCP), o.levels(path, TypeRCP, policy.RCP)
	}
	have, _ := o.places.LoadOrStore(account, p)
	return have.(*Membership)
}

// levels returns the compiled policies of a type along a path.
func (o *Org) levels(path []string, typ string, kind policy.Kind) [][]*policy.Policy {
	if o.self.Type(typ) == nil {
		return nil
	}
	out := make([][]*policy.Policy, len(path))
	for i, target := range path {
		for _, id := range o.Attached(target, typ) {
			p, err := o.Policy(id)
			if err != nil { // cannot be: nothing that is attached can be deleted
				out[i] = append(out[i], policy.Broken(id, err))
				continue
			}
			out[i] = append(out[i], p.Document.Compiled(kind))
		}
	}
	return out
}
