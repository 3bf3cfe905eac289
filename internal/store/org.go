// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// An Org is the organization of a management account at one revision: immutable,
// complete, and safe for concurrent use. What it returns is shared and must not
// be modified. A lookup that finds nothing returns a *NotFoundError. Lists are
// in the order of ids and begin strictly after one, "" for all.
type Org struct {
	management string
	self       row[Organization] // of no record if there is no organization
	units      *rows[Unit]
	members    *rows[Member]
	policies   *rows[OrgPolicy]
	requests   *rows[AccountRequest]
	handshakes *rows[Handshake]
	children   *btree.Map[string, struct{}] // parent, zero byte, id

	places sync.Map // account → *Membership; of a published Org only
}

// noOrg is what accounts have that manage no organization.
var noOrg = newOrg("")

func newOrg(management string) *Org {
	return &Org{
		management: management,
		units:      new(rows[Unit]),
		members:    new(rows[Member]),
		policies:   new(rows[OrgPolicy]),
		requests:   new(rows[AccountRequest]),
		handshakes: new(rows[Handshake]),
		children:   new(btree.Map[string, struct{}]),
	}
}

func (o *Org) copy() *Org {
	return &Org{
		management: o.management, self: o.self,
		units: o.units.Copy(), members: o.members.Copy(), policies: o.policies.Copy(),
		requests: o.requests.Copy(), handshakes: o.handshakes.Copy(), children: o.children.Copy(),
	}
}

// organization returns the state's Org for a change of it: one that no snapshot
// shares.
func (s *state) organization() *Org {
	switch {
	case s.org == noOrg:
		s.org = newOrg(s.id)
	case s.orgShared:
		s.org = s.org.copy()
	}
	s.orgShared = false
	return s.org
}

func (s *state) applyOrg(rev kv.Revision, e kv.Event, dir, key string) error {
	o := s.organization()
	switch dir {
	case dirOrg:
		return change(rev, e, o.swapSelf, o.indexSelf)
	case dirUnit:
		return change(rev, e, treeRow(o.units, key), func(old, now *Unit) {
			if old != nil {
				o.children.Delete(old.Parent + "\x00" + old.ID)
			}
			if now != nil {
				o.children.Set(now.Parent+"\x00"+now.ID, struct{}{})
			}
		})
	case dirMember:
		return change(rev, e, treeRow(o.members, key), func(old, now *Member) {
			if old != nil {
				o.children.Delete(old.Parent + "\x00" + old.ID)
			}
			if now != nil {
				o.children.Set(now.Parent+"\x00"+now.ID, struct{}{})
			}
		})
	case dirOrgPolicy:
		return change(rev, e, treeRow(o.policies, key), func(old, now *OrgPolicy) {
			if now == nil {
				return
			}
			now.Document = named(now.Document, now.ID)
			if old != nil {
				now.Document = kept(old.Document, now.Document)
			}
		})
	case dirRequest:
		return change(rev, e, treeRow(o.requests, key), unindexed)
	}
	return change(rev, e, treeRow(o.handshakes, key), unindexed)
}

func (o *Org) swapSelf(now row[Organization]) (old row[Organization]) {
	old, o.self = o.self, now
	return old
}

func (o *Org) indexSelf(old, now *Organization) {
	if now == nil || now.Policy == nil {
		return
	}
	now.Policy = named(now.Policy, now.PolicyID)
	if old != nil && old.Policy != nil {
		now.Policy = kept(old.Policy, now.Policy)
	}
}

// Organization returns the organization that the account manages, or nil.
func (v *View) Organization() *Org {
	if v.s.org.self.rec == nil {
		return nil
	}
	return v.s.org
}

// Record returns the organization's own record.
func (o *Org) Record() *Organization { return o.self.rec }

// Management returns the id of the management account.
func (o *Org) Management() string { return o.management }

// Unit returns the organizational unit of that id.
func (o *Org) Unit(id string) (*Unit, error) { return lookup(o.units, KindUnit, id) }

// Member returns the account of that id.
func (o *Org) Member(account string) (*Member, error) {
	return lookup(o.members, KindOrgAccount, account)
}

// Policy returns the policy of that id, one of the organization's or of AWS's.
func (o *Org) Policy(id string) (*OrgPolicy, error) {
	if p := providedOrgPolicy(id); p != nil {
		return p, nil
	}
	return exact(o.policies, KindOrgPolicy, id, func(p *OrgPolicy) string { return p.ID })
}

// Request returns the request to create an account of that id.
func (o *Org) Request(id string) (*AccountRequest, error) {
	return lookup(o.requests, KindAccountRequest, id)
}

// Handshake returns the handshake of that id.
func (o *Org) Handshake(id string) (*Handshake, error) {
	return lookup(o.handshakes, KindHandshake, id)
}

// exact is lookup for ids whose letter case counts.
func exact[T any](t *rows[T], kind Kind, id string, idOf func(*T) string) (*T, error) {
	rec, err := lookup(t, kind, id)
	if err == nil && idOf(rec) != id {
		return nil, notFound(kind, id)
	}
	return rec, err
}

// Members lists the accounts, the management account included.
func (o *Org) Members(after string) iter.Seq[*Member] { return list(o.members, after) }

// Units lists the organizational units.
func (o *Org) Units(after string) iter.Seq[*Unit] { return list(o.units, after) }

// Requests lists the requests to create accounts.
func (o *Org) Requests(after string) iter.Seq[*AccountRequest] { return list(o.requests, after) }

// Handshakes lists the handshakes.
func (o *Org) Handshakes(after string) iter.Seq[*Handshake] { return list(o.handshakes, after) }

// Policies lists the policies of a type, those of AWS among them in their place.
func (o *Org) Policies(typ, after string) iter.Seq[*OrgPolicy] {
	return func(yield func(*OrgPolicy) bool) {
		var ours []*OrgPolicy
		for _, p := range providedOrgPolicies {
			if p.Type == typ && lower(p.ID) > lower(after) {
				ours = append(ours, p)
			}
		}
		for p := range list(o.policies, after) {
			for len(ours) > 0 && lower(ours[0].ID) < lower(p.ID) {
				if !yield(ours[0]) {
					return
				}
				ours = ours[1:]
			}
			if p.Type == typ && !yield(p) {
				return
			}
		}
		for _, p := range ours {
			if !yield(p) {
				return
			}
		}
	}
}

// Children lists the ids of the accounts, or else of the units, right below a
// root or unit.
func (o *Org) Children(parent string, accounts bool, after string) iter.Seq[string] {
	prefix := parent + "\x00"
	return func(yield func(string) bool) {
		o.children.Ascend(prefix+after, func(link string, _ struct{}) bool {
			id, ok := strings.CutPrefix(link, prefix)
			if !ok {
				return false
			}
			if id == after || isUnit(id) == accounts {
				return true
			}
			return yield(id)
		})
	}
}

func isUnit(id string) bool { return strings.HasPrefix(id, "ou-") }

// Holds reports whether the id is that of the root or of a unit.
func (o *Org) Holds(id string) bool {
	_, err := o.Unit(id)
	return err == nil || id == o.self.rec.Root
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
	for id != o.self.rec.Root && len(path) <= maxPath {
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
	return o.attachments(target).of(o.self.rec.Type(typ))
}

func (o *Org) attachments(target string) Attachments {
	switch {
	case target == o.self.rec.Root:
		return o.self.rec.Attached
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
func (o *Org) Targets(p *OrgPolicy) iter.Seq[string] {
	t := o.self.rec.Type(p.Type)
	return func(yield func(string) bool) {
		has := func(a Attachments) bool { return slices.Contains(a.of(t), p.ID) }
		if t == nil || has(o.self.rec.Attached) && !yield(o.self.rec.Root) {
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

// Membership returns the place of the view's account in its organization, or nil
// if it is in none: if it points to none, or to one that does not list it. So
// both of them have to agree, and who writes them one after the other makes an
// account a member with the second write and ends that with the first.
func (s *Store) Membership(ctx context.Context, v *View) (*Membership, error) {
	management := v.Account().Organization
	if management == "" {
		return nil, nil
	}
	if management != v.s.id {
		other, err := s.View(ctx, management)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return other.s.org.place(v.s.id), nil
	}
	return v.s.org.place(v.s.id), nil
}

// place returns the place of an account, or nil.
func (o *Org) place(account string) *Membership {
	if o.self.rec == nil {
		return nil
	}
	if p, ok := o.places.Load(account); ok {
		return p.(*Membership)
	}
	if _, err := o.Member(account); err != nil {
		return nil
	}
	path := o.Path(account)
	p := &Membership{Org: o, Management: account == o.management}
	p.Path = o.self.rec.ID + "/" + strings.Join(path[:len(path)-1], "/") + "/"
	if !p.Management {
		p.SCPs, p.RCPs = o.levels(path, TypeSCP, policy.SCP), o.levels(path, TypeRCP, policy.RCP)
	}
	have, _ := o.places.LoadOrStore(account, p)
	return have.(*Membership)
}

// levels returns the compiled policies of a type along a path.
func (o *Org) levels(path []string, typ string, kind policy.Kind) [][]*policy.Policy {
	if o.self.rec.Type(typ) == nil {
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
