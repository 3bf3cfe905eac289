// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// CreateAccount stores a new account, and fills Created and an empty ID; a new
// ID is taken from the IDs of the Options. The error wraps ErrExists if the ID,
// the alias or the e-mail address is taken.
func (s *Store) CreateAccount(ctx context.Context, a Account) (*Account, error) {
	chosen := a.ID != ""
	for range maxAttempts {
		now := a.clone()
		now.ID, now.Created = cmp.Or(a.ID, s.ids.AccountID()), stamp(s.now())
		if err := checkAccountID(now.ID); err != nil {
			return nil, err
		}
		err := s.createAccount(ctx, now)
		switch e, ok := errors.AsType[*ExistsError](err); {
		case err == nil:
			return now, nil
		case !chosen && ok && e.Kind == KindAccount:
			continue // a new ID that is taken
		}
		return nil, err
	}
	return nil, fmt.Errorf("store: finding a new account id: %w", ErrConflict)
}

func (s *Store) createAccount(ctx context.Context, a *Account) error {
	value, err := encode(a)
	if err != nil {
		return invalid("account %s: %v", a.ID, err)
	}
	t := kv.Txn{
		If:   []kv.Compare{{Key: dirAccount + a.ID}},
		Then: []kv.Op{{Key: dirAccount + a.ID, Value: value}},
	}
	if a.Alias != "" {
		if err := checkName(KindAlias, a.Alias); err != nil {
			return err
		}
		t.If = append(t.If, kv.Compare{Key: dirAlias + a.Alias})
		t.Then = append(t.Then, kv.Op{Key: dirAlias + a.Alias, Value: []byte(a.ID)})
	}
	if a.Email != "" {
		if err := checkMail(a.Email); err != nil {
			return err
		}
		t.If = append(t.If, kv.Compare{Key: dirMail + lower(a.Email)})
		t.Then = append(t.Then, kv.Op{Key: dirMail + lower(a.Email), Value: []byte(a.ID)})
	}
	rev, err := kv.Commit(ctx, s.db, t)
	if errors.Is(err, kv.ErrConflict) {
		taken, err := s.get(ctx, dirAccount+a.ID)
		if err != nil {
			return err
		}
		if taken != nil {
			return exists(KindAccount, a.ID)
		}
		if owner, err := s.get(ctx, dirMail+lower(a.Email)); err != nil {
			return err
		} else if a.Email != "" && owner != nil {
			return exists(KindMail, a.Email)
		}
		return exists(KindAlias, a.Alias)
	}
	if err != nil {
		return fmt.Errorf("store: creating account %s: %w", a.ID, err)
	}
	return s.await(ctx, rev)
}

// Accounts returns every account, in the order of ids, from the DB. The records
// are the caller's.
func (s *Store) Accounts(ctx context.Context) ([]*Account, error) {
	start, end := kv.Prefix(dirAccount)
	var accounts []*Account
	_, err := kv.Scan(ctx, s.db, start, end, 0, func(e kv.Entry) error {
		a, err := decode[Account](e.Value)
		if err != nil {
			return fmt.Errorf("%q: %w", e.Key, err)
		}
		accounts = append(accounts, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: reading accounts: %w", err)
	}
	return accounts, nil
}

// AccountByAlias returns the account with that alias, from the DB.
func (s *Store) AccountByAlias(ctx context.Context, alias string) (*Account, error) {
	id, err := s.get(ctx, dirAlias+alias)
	if err != nil {
		return nil, err
	}
	if id == nil {
		return nil, notFound(KindAlias, alias)
	}
	value, err := s.get(ctx, dirAccount+string(id))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, notFound(KindAccount, string(id))
	}
	a, err := decode[Account](value)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", id, err)
	}
	return a, nil
}

// AccountByMail returns the id of the account with that e-mail address, from the
// DB.
func (s *Store) AccountByMail(ctx context.Context, address string) (string, error) {
	id, err := s.get(ctx, dirMail+lower(address))
	if err == nil && id == nil {
		err = notFound(KindMail, address)
	}
	return string(id), err
}

// checkMail refuses what is no address at all.
func checkMail(address string) error {
	if len(address) > 256 || !strings.Contains(address, "@") || strings.ContainsAny(address, " \x00\r\n\t") {
		return invalid("e-mail address %.300q", address)
	}
	return nil
}

// SetAlias gives an account its alias, in place of the one it has. The error
// wraps ErrExists if another account has it.
func (s *Store) SetAlias(ctx context.Context, account, alias string) error {
	if err := checkName(KindAlias, alias); err != nil {
		return err
	}
	return s.Update(ctx, account, func(tx *Tx) error {
		holder, err := s.get(ctx, dirAlias+alias)
		switch {
		case err != nil:
			return err
		case string(holder) == account:
			return nil
		case holder != nil:
			return exists(KindAlias, alias)
		}
		tx.setAlias(alias)
		return nil
	})
}

// DeleteAlias takes an account's alias away. The error wraps ErrNotFound if it
// does not have that one.
func (s *Store) DeleteAlias(ctx context.Context, account, alias string) error {
	return s.Update(ctx, account, func(tx *Tx) error {
		if alias == "" || tx.account.now.Alias != alias {
			return notFound(KindAlias, alias)
		}
		tx.setAlias("")
		return nil
	})
}

// setAlias replaces the alias; the new one, unless "", must be free, which is
// compared when the transaction commits.
func (tx *Tx) setAlias(alias string) {
	now := tx.account.now.clone()
	if now.Alias != "" {
		tx.extra.Then = append(tx.extra.Then, kv.Op{Key: dirAlias + now.Alias, Delete: true})
	}
	if alias != "" {
		tx.extra.If = append(tx.extra.If, kv.Compare{Key: dirAlias + alias})
		tx.extra.Then = append(tx.extra.Then, kv.Op{Key: dirAlias + alias, Value: []byte(tx.a.id)})
	}
	now.Alias = alias
	tx.account.set(now)
}
