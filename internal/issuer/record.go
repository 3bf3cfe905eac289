// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// keySelf is the key of the only row.
const keySelf = "self"

// A record is an account as an issuer.
type record struct {
	ID      string       `json:"id"` // in the issuer's URL; carries the account
	Enabled bool         `json:"enabled,omitempty"`
	Keys    []generation `json:"keys"` // at least one, oldest first
}

// A generation is the keys, one of each kind, that sign from a time on until the
// next generation does.
type generation struct {
	Number int       `json:"number"` // from 0 on
	Made   time.Time `json:"made"`
	Begins time.Time `json:"begins"`
	RSA    key       `json:"rsa"`
	EC     key       `json:"ec"`
}

// A key is a public key and its private one, sealed.
type key struct {
	ID     string `json:"id"`
	Public []byte `json:"public"` // PKIX, DER
	Sealed []byte `json:"sealed"` // PKCS #8, DER
}

// A state is what a record says, ready for use. It is shared.
type state struct {
	record
	opened *sync.Map // id of a key → *signingKey
}

// derived is what is made of an annex; it is kept with it.
type derived struct {
	state *state // nil: the account has never been an issuer
	err   error
}

// of returns the view's account as an issuer; nil if it never was one. The error
// wraps store.ErrFormat for what this version cannot read.
func of(v *store.View) (*state, error) {
	annex := v.Annex(store.AnnexIssuer)
	if annex.Len() == 0 {
		return nil, nil
	}
	d := annex.Derive(func(before any) any {
		prev, _ := before.(*derived)
		return derive(annex, prev)
	}).(*derived)
	return d.state, d.err
}

func derive(annex *annex.Table, before *derived) *derived {
	row, ok := annex.Row(keySelf)
	if !ok || annex.Len() != 1 {
		return &derived{err: fmt.Errorf("issuer: %d rows, of which self is %t: %w", annex.Len(), ok, store.ErrFormat)}
	}
	s := &state{opened: new(sync.Map)}
	if before != nil && before.state != nil {
		s.opened = before.state.opened
	}
	if err := json.Unmarshal(row.Value, &s.record); err != nil {
		return &derived{err: fmt.Errorf("issuer: %w: %w", store.ErrFormat, err)}
	}
	if len(s.Keys) == 0 {
		return &derived{err: fmt.Errorf("issuer: no keys: %w", store.ErrFormat)}
	}
	return &derived{state: s}
}

func put(tx *store.Tx, rec *record) error {
	b, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	tx.PutAnnexed(store.AnnexIssuer, keySelf, b)
	return nil
}

// due reports whether it is time to make the next generation: when the newest one
// has signed for long enough.
func due(keys []generation, now time.Time) bool {
	return !now.Before(keys[len(keys)-1].Begins.Add(signs))
}

// signing returns the generation that signs: the newest one that has begun.
func (s *state) signing(now time.Time) *generation {
	for i := len(s.Keys) - 1; i > 0; i-- {
		if !now.Before(s.Keys[i].Begins) {
			return &s.Keys[i]
		}
	}
	return &s.Keys[0]
}

// published returns the generations whose tokens are or will be good.
func (s *state) published(now time.Time) []generation {
	keys := s.Keys
	for len(keys) > 1 && !now.Before(keys[1].Begins.Add(lingers)) {
		keys = keys[1:]
	}
	return keys
}

// added returns keys with one more generation, in a slice of its own.
func (r *Registry) added(account string, keys []generation, fresh *pair, now, begins time.Time) ([]generation, error) {
	number := 0
	if len(keys) > 0 {
		number = keys[len(keys)-1].Number + 1
	}
	g := generation{Number: number, Made: now, Begins: begins}
	var err error
	if g.RSA, err = r.sealed(account, "RSA_"+strconv.Itoa(number), fresh.rsa); err != nil {
		return nil, err
	}
	if g.EC, err = r.sealed(account, "EC384_"+strconv.Itoa(number), fresh.ec); err != nil {
		return nil, err
	}
	return append(keys[:len(keys):len(keys)], g), nil
}

func (r *Registry) sealed(account, id string, private crypto.Signer) (key, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return key{}, fmt.Errorf("issuer: key %s: %w", id, err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return key{}, fmt.Errorf("issuer: key %s: %w", id, err)
	}
	return key{ID: id, Public: public, Sealed: r.o.Keeper.Seal(der, keyContext(account, id))}, nil
}

func keyContext(account, id string) []byte { return []byte("issuer/" + account + "/" + id) }

// private returns the key of a generation for an algorithm, opened. What was
// opened once is kept: who can read this process's memory has the master key.
func (r *Registry) private(account string, s *state, g *generation, algorithm string) (*signingKey, error) {
	k := &g.RSA
	if algorithm == ES384 {
		k = &g.EC
	}
	if have, ok := s.opened.Load(k.ID); ok {
		return have.(*signingKey), nil
	}
	der, err := r.o.Keeper.Unseal(k.Sealed, keyContext(account, k.ID))
	if err != nil {
		return nil, fmt.Errorf("issuer: key %s of account %s: %w", k.ID, account, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("issuer: key %s of account %s: %w", k.ID, account, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("issuer: key %s of account %s cannot sign", k.ID, account)
	}
	opened := &signingKey{k.ID, private}
	s.opened.Store(k.ID, opened)
	return opened, nil
}
