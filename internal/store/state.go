// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A row is a record with the revision that wrote it.
type row[T any] struct {
	rec *T
	mod kv.Revision
}

type rows[T any] = btree.Map[string, row[T]]

// A state is the records of one account and their indexes. Copies share
// structure: changing one leaves the others as they are, and costs
// O(log n) for each record changed.
type state struct {
	id       string // of the account
	account  row[Account]
	users    *rows[User] // by lower-case name, as are all rows
	groups   *rows[Group]
	roles    *rows[Role]
	policies *rows[Policy]
	profiles *rows[InstanceProfile]
	oidc     *rows[OIDCProvider]
	saml     *rows[SAMLProvider]
	devices  *rows[MFADevice] // by lower-case label
	certs    *rows[ServerCertificate]

	ids         *btree.Map[string, any]   // unique id → *User, *Group, *Role, *Policy or *InstanceProfile
	keys        *btree.Map[string, *User] // access key id → its user, nil for the root user
	annex       [owners]*annex.Table
	links       *btree.Map[string, struct{}]
	counts      *btree.Map[string, int] // of links by kind and target
	versions    int                     // of all customer managed policies
	annexShared [owners]bool            // a snapshot has the annex
	assigned    int                     // devices that have an owner
}

// A link is one reference, from a record to what it names: target and source,
// each preceded by a zero byte, after one letter for the kind. So the sources
// of a target are neighbours, in the order of their names.
const (
	linkMember       = "m" // group id ← user
	linkUser         = "u" // policy ARN ← user that has it attached
	linkGroup        = "g"
	linkRole         = "r"
	linkUserBoundary = "U" // policy ARN ← user
	linkRoleBoundary = "R"
	linkDevice       = "d" // user id, or account id for the root user ← MFA device
	linkProfile      = "p" // lower-case role name ← instance profile
)

func linkTo(kind, target string) string { return kind + "\x00" + target }

func newState(id string) *state {
	return &state{
		id:       id,
		users:    new(rows[User]),
		groups:   new(rows[Group]),
		roles:    new(rows[Role]),
		policies: new(rows[Policy]),
		profiles: new(rows[InstanceProfile]),
		oidc:     new(rows[OIDCProvider]),
		saml:     new(rows[SAMLProvider]),
		devices:  new(rows[MFADevice]),
		certs:    new(rows[ServerCertificate]),
		annex:    noAnnexes(),
		ids:      new(btree.Map[string, any]),
		keys:     new(btree.Map[string, *User]),
		links:    new(btree.Map[string, struct{}]),
		counts:   new(btree.Map[string, int]),
	}
}

// snapshot returns a copy that later changes of s do not touch.
func (s *state) snapshot() *state {
	for of := range s.annexShared {
		s.annexShared[of] = true
	}
	c := *s
	c.users, c.groups, c.roles = s.users.Copy(), s.groups.Copy(), s.roles.Copy()
	c.policies, c.profiles = s.policies.Copy(), s.profiles.Copy()
	c.oidc, c.saml = s.oidc.Copy(), s.saml.Copy()
	c.devices, c.certs = s.devices.Copy(), s.certs.Copy()
	c.ids, c.keys, c.links, c.counts = s.ids.Copy(), s.keys.Copy(), s.links.Copy(), s.counts.Copy()
	return &c
}

// apply makes the changes of one commit. Deletions go first, because a rename
// is a deletion and a put of one record under two keys. The keys are without
// the account's prefix; those of last uses are skipped.
func (s *state) apply(rev kv.Revision, events []kv.Event) error {
	for _, deleted := range []bool{true, false} {
		for _, e := range events {
			if e.Deleted != deleted {
				continue
			}
			if err := s.applyOne(rev, e); err != nil {
				return fmt.Errorf("account %s: %q: %w", s.id, e.Key, err)
			}
		}
	}
	return nil
}

func (s *state) applyOne(rev kv.Revision, e kv.Event) error {
	dir, key := split(e.Key)
	switch dir {
	case "":
		return change(rev, e, s.accountRow, s.setAccount)
	case dirUser:
		return change(rev, e, treeRow(s.users, key), s.indexUser)
	case dirGroup:
		return change(rev, e, treeRow(s.groups, key), s.indexGroup)
	case dirRole:
		return change(rev, e, treeRow(s.roles, key), s.indexRole)
	case dirPolicy:
		return change(rev, e, treeRow(s.policies, key), s.indexPolicy)
	case dirProfile:
		return change(rev, e, treeRow(s.profiles, key), s.indexProfile)
	case dirOIDC:
		return change(rev, e, treeRow(s.oidc, key), unindexed)
	case dirSAML:
		return change(rev, e, treeRow(s.saml, key), unindexed)
	case dirDevice:
		return change(rev, e, treeRow(s.devices, key), s.indexDevice)
	case dirCert:
		return change(rev, e, treeRow(s.certs, key), unindexed)
	}
	if of := slices.Index(annexDirs[:], dir); of >= 0 {
		return s.applyAnnex(AnnexOf(of), rev, e, key)
	}
	return nil
}

// split takes the directory off a key.
func split(key string) (dir, name string) {
	i := strings.IndexByte(key, '/') + 1
	return key[:i], key[i:]
}

// change replaces one record: swap puts the new row, or deletes it if that is
// empty, and returns the old one; index then follows.
func change[T any](rev kv.Revision, e kv.Event, swap func(row[T]) row[T], index func(old, now *T)) error {
	if e.Deleted {
		index(swap(row[T]{}).rec, nil)
		return nil
	}
	rec, err := decode[T](e.Value)
	if err != nil {
		return err
	}
	index(swap(row[T]{rec, rev}).rec, rec)
	return nil
}

// unindexed follows records that no index holds.
func unindexed[T any](_, _ *T) {}

func treeRow[T any](t *rows[T], key string) func(row[T]) row[T] {
	return func(now row[T]) (old row[T]) {
		if now.rec == nil {
			old, _ = t.Delete(key)
		} else {
			old, _ = t.Set(key, now)
		}
		return old
	}
}

func (s *state) accountRow(now row[Account]) (old row[Account]) {
	old, s.account = s.account, now
	return old
}

func (s *state) setAccount(old, now *Account) {
	old, now = cmp.Or(old, new(Account)), cmp.Or(now, new(Account))
	s.indexKeys(old.Keys, now.Keys, nil)
}

func (s *state) indexUser(old, now *User) {
	var before, after []string
	var oldKeys, newKeys []AccessKey
	if old != nil {
		s.ids.Delete(old.ID)
		before, oldKeys = old.links(), old.Keys
	}
	if now != nil {
		s.ids.Set(now.ID, now)
		after, newKeys = now.links(), now.Keys
		now.Grants.name()
		if old != nil {
			now.Grants.keep(&old.Grants)
		}
	}
	s.indexKeys(oldKeys, newKeys, now)
	s.relink(before, after)
}

func (s *state) indexGroup(old, now *Group) {
	var before, after []string
	if old != nil {
		s.ids.Delete(old.ID)
		before = old.links()
	}
	if now != nil {
		s.ids.Set(now.ID, now)
		after = now.links()
		now.Grants.name()
		if old != nil {
			now.Grants.keep(&old.Grants)
		}
	}
	s.relink(before, after)
}

func (s *state) indexRole(old, now *Role) {
	var before, after []string
	if old != nil {
		s.ids.Delete(old.ID)
		before = old.links()
	}
	if now != nil {
		s.ids.Set(now.ID, now)
		after = now.links()
		now.Grants.name()
		now.Trust = named(now.Trust, roleARN(s.id, now))
		if old != nil {
			now.Grants.keep(&old.Grants)
			now.Trust = kept(old.Trust, now.Trust)
		}
	}
	s.relink(before, after)
}

func (s *state) indexPolicy(old, now *Policy) {
	if old != nil {
		s.ids.Delete(old.ID)
		s.versions -= len(old.Versions)
	}
	if now == nil {
		return
	}
	now.Account = s.id
	s.ids.Set(now.ID, now)
	s.versions += len(now.Versions)
	for i := range now.Versions {
		v := &now.Versions[i]
		v.Document = named(v.Document, policyARN(now))
		if old != nil {
			if w := old.Version(v.ID); w != nil {
				v.Document = kept(w.Document, v.Document)
			}
		}
	}
}

func (s *state) indexProfile(old, now *InstanceProfile) {
	var before, after []string
	if old != nil {
		s.ids.Delete(old.ID)
		before = old.links()
	}
	if now != nil {
		s.ids.Set(now.ID, now)
		after = now.links()
	}
	s.relink(before, after)
}

func (s *state) indexKeys(before, after []AccessKey, user *User) {
	for i := range before {
		if findKey(after, before[i].ID) == nil {
			s.keys.Delete(before[i].ID)
		}
	}
	for i := range after {
		s.keys.Set(after[i].ID, user)
	}
}

// relink replaces the links of one record.
func (s *state) relink(before, after []string) {
	for _, l := range before {
		if !slices.Contains(after, l) {
			s.links.Delete(l)
			s.count(l, -1)
		}
	}
	for _, l := range after {
		if _, there := s.links.Set(l, struct{}{}); !there {
			s.count(l, +1)
		}
	}
}

func (s *state) count(link string, by int) {
	target := link[:strings.LastIndexByte(link, 0)]
	n, _ := s.counts.Get(target)
	if n += by; n == 0 {
		s.counts.Delete(target)
	} else {
		s.counts.Set(target, n)
	}
}

func (s *state) linked(kind, target string) int {
	n, _ := s.counts.Get(linkTo(kind, target))
	return n
}

// The links of a record, without repetition.

func (u *User) links() []string {
	name := "\x00" + lower(u.Name)
	links := make([]string, 0, len(u.Groups)+len(u.Attached)+1)
	for _, id := range u.Groups {
		links = append(links, linkTo(linkMember, id)+name)
	}
	return u.Grants.links(links, linkUser, linkUserBoundary, u.Boundary, name)
}

func (g *Group) links() []string {
	return g.Grants.links(nil, linkGroup, "", "", "\x00"+lower(g.Name))
}

func (r *Role) links() []string {
	return r.Grants.links(nil, linkRole, linkRoleBoundary, r.Boundary, "\x00"+lower(r.Name))
}

func (p *InstanceProfile) links() []string {
	if p.Role == "" {
		return nil
	}
	return []string{linkTo(linkProfile, lower(p.Role)) + "\x00" + lower(p.Name)}
}

func (g *Grants) links(links []string, kind, boundaryKind, boundary, name string) []string {
	for _, arn := range g.Attached {
		links = append(links, linkTo(kind, arn)+name)
	}
	if boundary != "" {
		links = append(links, linkTo(boundaryKind, boundary)+name)
	}
	return links
}

// name tells each inline document its name.
func (g *Grants) name() {
	for i := range g.Inline {
		g.Inline[i].Document = named(g.Inline[i].Document, g.Inline[i].Name)
	}
}

// named names a document that was just read. One that is missing, which no
// version of this package writes, is empty and so denies everything.
func named(d *Document, name string) *Document {
	if d == nil {
		d = new(Document)
	}
	d.name = name
	return d
}

// keep replaces documents by equal ones of old, which may be compiled already.
func (g *Grants) keep(old *Grants) {
	for i := range g.Inline {
		if d := old.InlineNamed(g.Inline[i].Name); d != nil {
			g.Inline[i].Document = kept(d, g.Inline[i].Document)
		}
	}
}

func kept(old, now *Document) *Document {
	if old.equal(now) {
		return old
	}
	return now
}
