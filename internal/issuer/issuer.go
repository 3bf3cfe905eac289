// SPDX-License-Identifier: Apache-2.0

// Package issuer is accounts as issuers of web identity tokens: their keys, made, kept and rotated, and what is signed with them.
//
// The annex of an account that has ever been an issuer has one row, self, a
// record. The private keys in it are sealed under the master key.
package issuer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// The algorithms by which tokens are signed (API reference of
// GetWebIdentityToken, SigningAlgorithm).
const (
	RS256 = string(jose.RS256)
	ES384 = string(jose.ES384)
)

// MaxLife is the longest that a token may live: for so long a key is published
// after it last signed.
const MaxLife = time.Hour

// The life of a key. It is published for a while before it signs, so that whoever
// keeps key sets has it by then; and for a while after the last of its tokens has
// expired, for clocks that are behind.
//
// quirk Q081: AWS does not say when it rotates the keys of an account.
const (
	signs     = 90 * 24 * time.Hour
	announced = 24 * time.Hour
	lingers   = MaxLife + time.Hour
)

var (
	// ErrEnabled says that the account is an issuer already.
	ErrEnabled = errors.New("issuer: enabled already")
	// ErrDisabled says that the account is no issuer, or not now.
	ErrDisabled = errors.New("issuer: not enabled")
	// ErrNoURL says that nobody could fetch keys: the server does not know at which
	// URL others reach it.
	ErrNoURL = errors.New("issuer: the server has no public URL")
)

// Options are what a Registry is made of. All but Log are required.
type Options struct {
	Store  *store.Store
	Keeper *seal.Keeper // of the store's master key
	IDs    *ids.Source
	Now    func() time.Time
	URL    string       // under which the issuers are, without a path or a slash at the end; "" if others reach the server at none
	Log    *slog.Logger // nil: nothing is logged
}

// A Registry is the accounts of a store as issuers. It is safe for concurrent use.
type Registry struct {
	o Options

	rotating sync.Mutex // held while keys are made to replace others
}

// New returns the Registry of a store.
func New(o Options) *Registry {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Registry{o: o}
}

// Enable makes an account an issuer and returns its URL. The first time it makes
// its keys; an account that was one before is the same issuer again, with the
// same keys. The error is ErrEnabled or ErrNoURL, or of the store.
func (r *Registry) Enable(ctx context.Context, account string) (string, error) {
	if r.o.URL == "" {
		return "", ErrNoURL
	}
	v, err := r.o.Store.View(ctx, account)
	if err != nil {
		return "", err
	}
	before, err := of(v)
	if err != nil {
		return "", err
	}
	var fresh *pair // needed only by an account that has none; it takes a while to make
	if before == nil {
		if fresh, err = newPair(); err != nil {
			return "", err
		}
	}
	id := strings.ToLower(r.o.IDs.Unique(ids.TokenIssuer, account))
	var made record
	err = r.o.Store.Update(ctx, account, func(tx *store.Tx) error {
		was, err := of(tx.View())
		switch {
		case err != nil:
			return err
		case was != nil && was.Enabled:
			return ErrEnabled
		case was != nil:
			made = was.record
		case fresh == nil:
			return store.ErrConflict // rows are never deleted
		default:
			now := r.stamp()
			made = record{ID: id}
			made.Keys, err = r.added(account, nil, fresh, now, now)
			if err != nil {
				return err
			}
		}
		made.Enabled = true
		return put(tx, &made)
	})
	if err != nil {
		return "", err
	}
	return r.url(&made), nil
}

// Disable ends that an account issues tokens. Those that it has issued stay good:
// its keys are still published (API reference of
// DisableOutboundWebIdentityFederation). The error is ErrDisabled or of the store.
func (r *Registry) Disable(ctx context.Context, account string) error {
	return r.o.Store.Update(ctx, account, func(tx *store.Tx) error {
		was, err := of(tx.View())
		switch {
		case err != nil:
			return err
		case was == nil || !was.Enabled:
			return ErrDisabled
		}
		now := was.record
		now.Enabled = false
		return put(tx, &now)
	})
}

// Issuer returns the URL of the view's account as an issuer. The error is
// ErrDisabled if it is none now, or ErrNoURL.
func (r *Registry) Issuer(v *store.View) (string, error) {
	s, err := of(v)
	switch {
	case err != nil:
		return "", err
	case s == nil || !s.Enabled:
		return "", ErrDisabled
	case r.o.URL == "":
		return "", ErrNoURL
	}
	return r.url(&s.record), nil
}

// pathPrefix is before the id of an issuer in its URL.
const pathPrefix = "/issuer/"

func (r *Registry) url(rec *record) string { return r.o.URL + pathPrefix + rec.ID }

// Sign returns a JSON Web Token of the view's account, in the compact form, with
// the payload as it is. When the key that signs is of age, its successor is made.
// The error is ErrDisabled if the account is no issuer now.
func (r *Registry) Sign(ctx context.Context, v *store.View, algorithm string, payload []byte) (string, error) {
	s, err := of(v)
	if err != nil {
		return "", err
	}
	if s == nil || !s.Enabled {
		return "", ErrDisabled
	}
	now := r.stamp()
	if due(s.Keys, now) {
		r.rotate(ctx, v.Account().ID)
	}
	k, err := r.private(v.Account().ID, s, s.signing(now), algorithm)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: jose.JSONWebKey{Key: k.private, KeyID: k.id}},
		new(jose.SignerOptions).WithType("JWT"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// rotate makes an account's next keys, unless somebody is at it. If it fails the
// keys that are there go on signing, and the next token tries again.
func (r *Registry) rotate(ctx context.Context, account string) {
	if !r.rotating.TryLock() {
		return
	}
	defer r.rotating.Unlock()
	fresh, err := newPair()
	if err == nil {
		err = r.o.Store.Update(ctx, account, func(tx *store.Tx) error {
			was, err := of(tx.View())
			now := r.stamp()
			if err != nil || was == nil || !due(was.Keys, now) {
				return err
			}
			next := was.record
			if next.Keys, err = r.added(account, was.published(now), fresh, now, now.Add(announced)); err != nil {
				return err
			}
			return put(tx, &next)
		})
	}
	if err != nil {
		r.o.Log.Warn("the signing keys of an issuer are of age and could not be rotated", "account", account, "error", err)
	}
}

func (r *Registry) stamp() time.Time { return r.o.Now().UTC().Truncate(time.Second) }

// A pair is a new key of each kind.
type pair struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}

const rsaBits = 2048

func newPair() (*pair, error) {
	r, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, fmt.Errorf("issuer: making a key: %w", err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("issuer: making a key: %w", err)
	}
	return &pair{r, e}, nil
}

// A signingKey is a private key that was opened.
type signingKey struct {
	id      string
	private crypto.Signer
}
