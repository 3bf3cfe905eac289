// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"errors"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// TestTwoClocks: quirk Q106. The server's clock is a day ahead of the clients'.
func TestTwoClocks(t *testing.T) {
	s := open(t)
	moved := now.Add(24 * time.Hour)
	a := authn.New(s.store, s.ring, func() time.Time { return moved }, "iam")
	with := func(by sigv4.Signer, at time.Time) error {
		by.Now = func() time.Time { return at }
		r := post(form)
		must(t, by.Sign(r, sigv4.HashPayload([]byte(form))))
		_, err := a.Authenticate(t.Context(), r, []byte(form), "iam")
		return err
	}
	if err := with(s.key, now); err == nil {
		t.Error("without a second clock, a request of yesterday is accepted")
	}
	a.Clients = func() time.Time { return now }
	for _, tt := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"by-the-clients'-clock", now, true},
		{"by-the-clients'-clock-nearly", now.Add(-4 * time.Minute), true},
		{"by-the-server's-clock", moved, true},
		{"by-the-server's-clock-nearly", moved.Add(4 * time.Minute), true},
		{"in-between", now.Add(12 * time.Hour), false},
		{"before-both", now.Add(-6 * time.Minute), false},
		{"after-both", moved.Add(6 * time.Minute), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := with(s.key, tt.at); (err == nil) != tt.want {
				t.Errorf("Authenticate() of a request signed at %v = %v, want success %v", tt.at, err, tt.want)
			}
		})
	}
	t.Run("a-session-expires-by-the-server's-clock", func(t *testing.T) {
		if err := with(s.mint(t, s.roleSession()), now); !errors.Is(err, authn.ErrExpired) {
			t.Errorf("Authenticate() = %v, want ErrExpired", err)
		}
	})
}

// TestChosenKeys: quirk Q105. Ids that do not carry an account, or carry another.
func TestChosenKeys(t *testing.T) {
	s := open(t)
	s.Keys = ids.Chosen{"test": account, "AKIAIOSFODNN7EXAMPLE": other}
	must(t, s.store.Update(t.Context(), account, func(tx *store.Tx) error {
		a := tx.Account()
		a.Keys = append(a.Keys, s.store.KeyOf(account, "test", "secret"))
		return tx.PutAccount(a)
	}))
	must(t, s.store.Update(t.Context(), other, func(tx *store.Tx) error {
		a := tx.Account()
		a.Keys = append(a.Keys, s.store.KeyOf(other, "AKIAIOSFODNN7EXAMPLE", "secret/2"))
		return tx.PutAccount(a)
	}))
	for _, tt := range []struct{ id, secret, want string }{
		{"test", "secret", account},
		{"AKIAIOSFODNN7EXAMPLE", "secret/2", other},
		{"test", "secret/2", ""},
		{"best", "secret", ""},
	} {
		r := post(form)
		by := signer(tt.id, tt.secret, "")
		must(t, by.Sign(r, sigv4.HashPayload([]byte(form))))
		c, err := s.Authenticate(t.Context(), r, []byte(form), "iam")
		if (err == nil) != (tt.want != "") || err == nil && (string(c.Account) != tt.want || !c.Root()) {
			t.Errorf("Authenticate() with %s:%s = %+v, %v, want the root user of %q", tt.id, tt.secret, c, err, tt.want)
		}
	}
}
