// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
)

func createIssuer(url string) func(*Tx) error {
	return func(tx *Tx) error { return tx.CreateOIDCProvider(&OIDCProvider{URL: url}) }
}

func createSAML(name string) func(*Tx) error {
	return func(tx *Tx) error { return tx.CreateSAMLProvider(&SAMLProvider{Name: name, Metadata: "m"}) }
}

func TestOIDCProviders(t *testing.T) {
	s, x := newStore(t)
	const url = "oidc.example.com/id/A1"
	tags := []Tag{{"team", "blue"}}
	update(t, s, func(tx *Tx) error {
		p := &OIDCProvider{URL: url, ClientIDs: []string{"app"}, Thumbprints: []string{"ab"}, Tags: tags}
		err := tx.CreateOIDCProvider(p)
		p.ClientIDs[0] = "changed after"
		return err
	})
	update(t, s, createIssuer("a.example.com:8443"))
	p, err := x.node(t).View(t.Context(), alpha)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.OIDCProvider(strings.ToUpper(url))
	if err != nil || got.URL != url || got.Created.IsZero() || !slices.Equal(got.ClientIDs, []string{"app"}) ||
		p.OIDCProviderARN(got) != "arn:aws:iam::"+alpha+":oidc-provider/"+url {
		t.Errorf("OIDCProvider(%s) on another node = %+v, %v", url, got, err)
	}
	var urls []string
	for p := range p.OIDCProviders("") {
		urls = append(urls, p.URL)
	}
	if want := []string{"a.example.com:8443", url}; !slices.Equal(urls, want) || p.Usage(quota.OIDCProviders) != 2 {
		t.Errorf("OIDCProviders = %v (%d), want %v", urls, p.Usage(quota.OIDCProviders), want)
	}
	wants(t, s, "the same in other letters", exists(KindOIDC, "OIDC.example.com/id/a1"), createIssuer("OIDC.example.com/id/a1"))
	for _, bad := range []string{"", "/x", "a b", "a?b", "a#b", "é", "a\x00", strings.Repeat("x", 256)} {
		if err := s.Update(t.Context(), alpha, createIssuer(bad)); !errors.Is(err, ErrInvalid) {
			t.Errorf("CreateOIDCProvider(%q) = %v, want ErrInvalid", bad, err)
		}
	}
	wants(t, s, "too many audiences", &LimitError{quota.ClientIDs, 100}, func(tx *Tx) error {
		p, err := tx.OIDCProvider(url)
		for i := range 100 {
			p.ClientIDs = append(p.ClientIDs, fmt.Sprint(i))
		}
		return errors.Join(err, tx.PutOIDCProvider(p))
	})
	wants(t, s, "too many thumbprints", &LimitError{quota.Thumbprints, 5}, func(tx *Tx) error {
		p, err := tx.OIDCProvider(url)
		p.Thumbprints = make([]string, 6)
		return errors.Join(err, tx.PutOIDCProvider(p))
	})
	wants(t, s, "too many tags", &LimitError{quota.Tags, 50}, func(tx *Tx) error {
		p, err := tx.OIDCProvider(url)
		p.Tags = make([]Tag, 51)
		return errors.Join(err, tx.PutOIDCProvider(p))
	})
	if err := s.Update(t.Context(), alpha, func(tx *Tx) error {
		p, err := tx.OIDCProvider(url)
		p.URL = strings.ToUpper(url)
		return errors.Join(err, tx.PutOIDCProvider(p))
	}); !errors.Is(err, ErrInvalid) {
		t.Errorf("PutOIDCProvider with another URL = %v, want ErrInvalid", err)
	}
	checkSound(t, view(t, s, alpha))
	update(t, s, func(tx *Tx) error { return tx.DeleteOIDCProvider(url) })
	wants(t, s, "deleting it twice", notFound(KindOIDC, url), func(tx *Tx) error { return tx.DeleteOIDCProvider(url) })
	wants(t, s, "changing it then", notFound(KindOIDC, url), func(tx *Tx) error { return tx.PutOIDCProvider(&OIDCProvider{URL: url}) })
	checkSound(t, view(t, s, alpha))
}

func TestSAMLProviders(t *testing.T) {
	s, _ := newStore(t)
	key := s.NewSAMLKey(alpha, []byte("secret key"))
	update(t, s, createSAML("Corp"))
	wants(t, s, "the same in other letters", exists(KindSAML, "corp"), createSAML("corp"))
	update(t, s, func(tx *Tx) error {
		p, err := tx.SAMLProvider("corp")
		p.Keys, p.Encrypted = append(p.Keys, key), true
		return errors.Join(err, tx.PutSAMLProvider(p))
	})
	v := view(t, s, alpha)
	p, err := v.SAMLProvider("CORP")
	if err != nil || p.Name != "Corp" || len(p.ID) != 36 || !p.Encrypted || v.SAMLProviderARN(p) != "arn:aws:iam::"+alpha+":saml-provider/Corp" {
		t.Fatalf("SAMLProvider = %+v, %v", p, err)
	}
	if plain, err := s.OpenSAMLKey(alpha, &p.Keys[0]); err != nil || string(plain) != "secret key" {
		t.Errorf("OpenSAMLKey = %q, %v", plain, err)
	}
	if _, err := s.OpenSAMLKey(beta, &p.Keys[0]); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("OpenSAMLKey in another account = %v, want seal.ErrTampered", err)
	}
	if n := len(key.ID); n < 22 || n > 64 || strings.Trim(key.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		t.Errorf("NewSAMLKey has id %q", key.ID)
	}
	wants(t, s, "a third key", &LimitError{quota.SAMLKeys, 2}, func(tx *Tx) error {
		p, err := tx.SAMLProvider("corp")
		p.Keys = append(p.Keys, key, key)
		return errors.Join(err, tx.PutSAMLProvider(p))
	})
	if err := s.Update(t.Context(), alpha, func(tx *Tx) error {
		p, err := tx.SAMLProvider("corp")
		p.ID = "other"
		return errors.Join(err, tx.PutSAMLProvider(p))
	}); !errors.Is(err, ErrInvalid) {
		t.Errorf("PutSAMLProvider with another id = %v, want ErrInvalid", err)
	}
	checkSound(t, v)
	update(t, s, func(tx *Tx) error { return tx.DeleteSAMLProvider("CORP") })
	wants(t, s, "deleting it twice", notFound(KindSAML, "Corp"), func(tx *Tx) error { return tx.DeleteSAMLProvider("Corp") })
	wants(t, s, "changing it then", notFound(KindSAML, "Corp"), func(tx *Tx) error { return tx.PutSAMLProvider(&SAMLProvider{Name: "Corp"}) })
}

func TestProviderQuotas(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, func(tx *Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.OIDCProviders: 1, quota.SAMLProviders: 1}
		return tx.PutAccount(a)
	})
	update(t, s, all(createIssuer("a.example"), createSAML("a")))
	wants(t, s, "a second issuer", &LimitError{quota.OIDCProviders, 1}, createIssuer("b.example"))
	wants(t, s, "a second SAML provider", &LimitError{quota.SAMLProviders, 1}, createSAML("b"))
}
