// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const service = "innkeeper.amazonaws.com"

// give stores credentials of ann, who is site's user.
func (s *site) give(t *testing.T, creds ...store.ServiceCredential) {
	t.Helper()
	must(t, s.store.Update(t.Context(), account, func(tx *store.Tx) error {
		u, err := tx.User(s.ann.Name)
		if err != nil {
			return err
		}
		u.Services = creds
		return tx.PutUser(u)
	}))
}

func credential(name, secret string) store.ServiceCredential {
	c := store.ServiceCredential{ID: "ACCAEXAMPLEEXAMPLE123", Service: service, Name: name, Created: now}
	c.SetSecret(secret)
	return c
}

// TestPassword covers quirk Q145 too: the name of a credential leads to its user.
func TestPassword(t *testing.T) {
	s := open(t)
	first, second := credential("ann-at-"+account, "one"), credential("ann+1-at-"+account, "two")
	off := credential("ann-at-"+account, "one")
	off.Inactive = true
	old := credential("ann-at-"+account, "one")
	old.Expires = now
	soon := credential("ann-at-"+account, "one")
	soon.Expires = now.Add(time.Second)
	elsewhere := credential("ann-at-"+account, "one")
	elsewhere.Service = "codecommit.amazonaws.com"
	for _, tt := range []struct {
		name           string
		creds          []store.ServiceCredential
		user, password string
		ok             bool
	}{
		{"the-only-one", []store.ServiceCredential{first}, "ann-at-" + account, "one", true},
		{"the-second", []store.ServiceCredential{first, second}, "ann+1-at-" + account, "two", true},
		{"the-password-of-the-other", []store.ServiceCredential{first, second}, "ann+1-at-" + account, "one", false},
		{"a-wrong-password", []store.ServiceCredential{first}, "ann-at-" + account, "One", false},
		{"no-password", []store.ServiceCredential{first}, "ann-at-" + account, "", false},
		{"switched-off", []store.ServiceCredential{off}, "ann-at-" + account, "one", false},
		{"expired", []store.ServiceCredential{old}, "ann-at-" + account, "one", false},
		{"about-to-expire", []store.ServiceCredential{soon}, "ann-at-" + account, "one", true},
		{"of-another-service", []store.ServiceCredential{elsewhere}, "ann-at-" + account, "one", false},
		{"of-an-unknown-user", []store.ServiceCredential{first}, "bob-at-" + account, "one", false},
		{"of-an-unknown-account", []store.ServiceCredential{first}, "ann-at-" + other, "one", false},
		{"of-no-account", []store.ServiceCredential{first}, "ann-at-", "one", false},
		{"of-nobody", []store.ServiceCredential{first}, "-at-" + account, "one", false},
		{"the-bare-name", []store.ServiceCredential{first}, "ann", "one", false},
		{"of-a-renamed-user", []store.ServiceCredential{credential("anna-at-"+account, "one")}, "anna-at-" + account, "one", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.give(t, tt.creds...)
			c, err := s.Password(t.Context(), service, tt.user, tt.password)
			if !tt.ok {
				if !errors.Is(err, authn.ErrUnknownKey) {
					t.Errorf("Password(%s, %s) = %+v, %v, want %v", tt.user, tt.password, c, err, authn.ErrUnknownKey)
				}
				return
			}
			if err != nil || c.ARN != s.view(t).UserARN(s.ann) || c.User.Name != "ann" || c.AccessKeyID != first.ID || c.Session != nil {
				t.Errorf("Password(%s, %s) = %+v, %v, want ann", tt.user, tt.password, c, err)
			}
		})
	}
}

// TestHolderIsWhoAuthenticates holds that a question about a credential is about
// the caller that its requests have.
func TestHolderIsWhoAuthenticates(t *testing.T) {
	s := open(t)
	for name, by := range map[string]sigv4.Signer{
		"a-user": s.key, "root": s.root, "a-role-session": s.mint(t, s.roleSession()), "a-user-session": s.mint(t, s.userSession()),
		"a-federated-user": s.mint(t, s.federated()),
	} {
		t.Run(name, func(t *testing.T) {
			want, err := s.Authenticate(t.Context(), signed(t, by), []byte(form), "iam")
			must(t, err)
			got, err := s.Holder(want.View, by.AccessKeyID, by.SessionToken)
			must(t, err)
			got.Region = want.Region
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Holder(%s) = %+v, want %+v", by.AccessKeyID, got, want)
			}
		})
	}
}

func TestHolderRefuses(t *testing.T) {
	s := open(t)
	role := s.mint(t, s.roleSession())
	ended := s.roleSession()
	ended.Issued, ended.Expires = now.Add(-time.Hour), now
	over := s.mint(t, ended)
	for _, tt := range []struct {
		name, key, token string
		want             error
	}{
		{"no-key", "", "", authn.ErrUnknownKey},
		{"an-unknown-key", "AKIAIOSFODNN7EXAMPLE", "", authn.ErrUnknownKey},
		{"a-session-key-without-its-token", role.AccessKeyID, "", authn.ErrUnknownKey},
		{"the-token-of-another", role.AccessKeyID, over.SessionToken, authn.ErrUnknownKey},
		{"a-key-with-a-token", s.key.AccessKeyID, role.SessionToken, authn.ErrUnknownKey},
		{"an-expired-session", over.AccessKeyID, over.SessionToken, authn.ErrExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if c, err := s.Holder(s.view(t), tt.key, tt.token); !errors.Is(err, tt.want) {
				t.Errorf("Holder(%s) = %+v, %v, want %v", tt.key, c, err, tt.want)
			}
		})
	}
}
