// SPDX-License-Identifier: Apache-2.0

package store

import (
	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// A Tx is one attempt at a transaction on an account. Its reads see its own
// writes, and return copies that are the caller's to change and to Put back.
// Every record that it read, or found absent, is compared when it commits. What
// is read through View is not.
//
// Its methods return *NotFoundError, *ExistsError, *LimitError, *InUseError, or
// an error that wraps ErrReadOnly or ErrInvalid; fn is expected to return what
// it gets. A Tx must not be used after fn returned, nor by two goroutines.
type Tx struct {
	a    *account
	view *View

	account  slot[Account]
	users    table[User]
	groups   table[Group]
	roles    table[Role]
	policies table[Policy]
	profiles table[InstanceProfile]
	oidc     table[OIDCProvider]
	saml     table[SAMLProvider]
	devices  table[MFADevice]
	certs    table[ServerCertificate]
	annex    map[string]*slot[annex.Row]
	gone     map[string]bool // ids whose last use goes with them
	extra    kv.Txn          // on other keys

	reserved map[string]int // creations counted against quotas of the account
	crowded  bool           // a quota may be free again in a moment: repeat
}

func newTx(a *account, v *View) *Tx {
	s := v.s
	return &Tx{
		a:        a,
		view:     v,
		account:  slot[Account]{old: s.account.rec, now: s.account.rec, mod: s.account.mod},
		users:    table[User]{KindUser, dirUser, s.users, map[string]*slot[User]{}},
		groups:   table[Group]{KindGroup, dirGroup, s.groups, map[string]*slot[Group]{}},
		roles:    table[Role]{KindRole, dirRole, s.roles, map[string]*slot[Role]{}},
		policies: table[Policy]{KindPolicy, dirPolicy, s.policies, map[string]*slot[Policy]{}},
		profiles: table[InstanceProfile]{KindProfile, dirProfile, s.profiles, map[string]*slot[InstanceProfile]{}},
		oidc:     table[OIDCProvider]{KindOIDC, dirOIDC, s.oidc, map[string]*slot[OIDCProvider]{}},
		saml:     table[SAMLProvider]{KindSAML, dirSAML, s.saml, map[string]*slot[SAMLProvider]{}},
		devices:  table[MFADevice]{KindDevice, dirDevice, s.devices, map[string]*slot[MFADevice]{}},
		certs:    table[ServerCertificate]{KindServerCert, dirCert, s.certs, map[string]*slot[ServerCertificate]{}},
		gone:     map[string]bool{},
		reserved: map[string]int{},
	}
}

// View returns the state that the transaction began with.
func (tx *Tx) View() *View { return tx.view }

// A slot is a record that a transaction has read.
type slot[T any] struct {
	old *T          // as the transaction found it; nil: absent
	mod kv.Revision // of old
	now *T          // as it is to be; nil: absent
	put bool        // write now, even if it equals old, or delete
}

func (s *slot[T]) set(now *T) { s.now, s.put = now, true }

// A table is the records of one kind that a transaction has read.
type table[T any] struct {
	kind  Kind
	dir   string
	base  *rows[T]
	slots map[string]*slot[T] // by lower-case name
}

// slot reads the record of that name, which may be absent.
func (t *table[T]) slot(name string) *slot[T] {
	key := lower(name)
	s, ok := t.slots[key]
	if !ok {
		r, _ := t.base.Get(key)
		s = &slot[T]{old: r.rec, mod: r.mod, now: r.rec}
		t.slots[key] = s
	}
	return s
}

func (t *table[T]) find(name string) (*slot[T], error) {
	s := t.slot(name)
	if s.now == nil {
		return nil, notFound(t.kind, name)
	}
	return s, nil
}

// vacant reads the record of that name, which must be absent.
func (t *table[T]) vacant(name string) (*slot[T], error) {
	if err := checkName(t.kind, name); err != nil {
		return nil, err
	}
	s := t.slot(name)
	if s.now != nil {
		return nil, exists(t.kind, name)
	}
	return s, nil
}

// rename moves a record to another name, which may differ by letter case only.
func (t *table[T]) rename(from *slot[T], oldName, newName string, now *T) error {
	if lower(oldName) == lower(newName) {
		if err := checkName(t.kind, newName); err != nil {
			return err
		}
		from.set(now)
		return nil
	}
	to, err := t.vacant(newName)
	if err != nil {
		return err
	}
	from.set(nil)
	to.set(now)
	return nil
}

// touch writes the record again as it is, so that whoever deletes it at the
// same moment conflicts with this transaction.
func (s *slot[T]) touch() { s.put = true }

// changed returns how the number of records for which is holds differs from
// the start of the transaction.
func (t *table[T]) changed(is func(*T) bool) int {
	n := 0
	for _, s := range t.slots {
		if s.now != nil && is(s.now) {
			n++
		}
		if s.old != nil && is(s.old) {
			n--
		}
	}
	return n
}

// add appends the slots to a transaction.
func (t *table[T]) add(txn *kv.Txn, account string) error {
	for name, s := range t.slots {
		if err := s.add(txn, contents(account)+t.dir+name); err != nil {
			return err
		}
	}
	return nil
}

func (s *slot[T]) add(txn *kv.Txn, key string) error {
	txn.If = append(txn.If, kv.Compare{Key: key, Modified: s.mod})
	switch {
	case !s.put:
	case s.now != nil:
		value, err := encode(s.now)
		if err != nil {
			return invalid("%q: %v", key, err)
		}
		if len(value) > quota.MaxRecord {
			return &LimitError{Quota: quota.RecordSize, Limit: quota.MaxRecord}
		}
		txn.Then = append(txn.Then, kv.Op{Key: key, Value: value})
	case s.old != nil:
		txn.Then = append(txn.Then, kv.Op{Key: key, Delete: true})
	}
	return nil
}

// txn returns what to commit; without operations if nothing changes.
func (tx *Tx) txn() (kv.Txn, error) {
	t := tx.extra
	err := tx.account.add(&t, dirAccount+tx.a.id)
	for _, add := range []func(*kv.Txn, string) error{
		tx.users.add, tx.groups.add, tx.roles.add, tx.policies.add, tx.profiles.add,
		tx.oidc.add, tx.saml.add, tx.devices.add, tx.certs.add, tx.addAnnex,
	} {
		if err == nil {
			err = add(&t, tx.a.id)
		}
	}
	for id := range tx.gone {
		t.Then = append(t.Then, kv.Op{Key: contents(tx.a.id) + dirUsed + id, Delete: true})
	}
	return t, err
}

// create counts the creation of something against quotas of the account.
func (tx *Tx) create(quotas ...string) error {
	for _, quota := range quotas {
		crowded, err := tx.a.reserve(quota, tx.reserved[quota])
		if err != nil {
			return err
		}
		if crowded {
			tx.crowded = true
			return &LimitError{Quota: quota, Limit: tx.view.Quota(quota)}
		}
		tx.reserved[quota]++
	}
	return nil
}

// Account returns the account's own record.
func (tx *Tx) Account() *Account { return tx.account.now.clone() }

// PutAccount replaces the account's own record: the root user's keys, login and
// certificates, the rules for passwords, the name and the quotas. The alias is Store.SetAlias's.
func (tx *Tx) PutAccount(a *Account) error {
	was := tx.account.now
	if a.ID != was.ID || a.Alias != was.Alias || !a.Created.Equal(was.Created) ||
		a.Email != was.Email || a.Organization != was.Organization || !a.ClosedAt.Equal(was.ClosedAt) {
		return invalid("account %s: something changed that PutAccount does not change", was.ID)
	}
	if err := was.within(quota.SigningCerts, len(was.Certs), len(a.Certs)); err != nil {
		return err
	}
	if err := tx.checkKeys("", was.Keys, a.Keys); err != nil {
		return err
	}
	tx.account.set(a.clone())
	return nil
}

// checkKeys checks the access keys that a user, or "" for the root user, is to
// have, and forgets the last uses of those that it loses.
func (tx *Tx) checkKeys(userID string, before, after []AccessKey) error {
	if err := tx.account.now.within(quota.Keys, len(before), len(after)); err != nil {
		return err
	}
	for i := range after {
		id := after[i].ID
		if findKey(after[:i], id) != nil {
			return exists(KindKey, id)
		}
		if findKey(before, id) != nil {
			continue
		}
		if user, ok := tx.view.s.keys.Get(id); ok && (user == nil || user.ID != userID) {
			return exists(KindKey, id)
		}
	}
	for i := range before {
		if findKey(after, before[i].ID) == nil {
			tx.gone[before[i].ID] = true
		}
	}
	return nil
}
