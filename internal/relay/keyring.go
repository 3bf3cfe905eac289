// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const (
	maxCredentials = 1 << 16 // of which keys are kept
	maxScopes      = 16      // of one credential: whoever knows its id can ask for others, before any signature is verified
	maxUnknown     = 1 << 12 // credentials that are known to be none
	maxQuestions   = 32      // under way at once

	unknownFor = 5 * time.Second
	idleAfter  = 24 * time.Hour   // keys of a credential that is not used any more are forgotten
	lately     = time.Hour        // a key that was used within that time is wanted tomorrow
	ahead      = 15 * time.Minute // the clocks of clients may be
	tidyEvery  = time.Minute
)

// A Keyring asks the server for signing keys and keeps them while a signature
// made with them can be good. Keys that are in use it asks for again in time
// before the day (UTC) ends: so long before that they are there when the server
// goes away, for as long as the store goes on without it. It implements
// [authn.Keyring]; make one with Client.Keyring.
//
// Its errors wrap authn.ErrUnknownKey, or store.ErrStale when the server cannot
// be asked for what is not there.
type Keyring struct {
	client  *Client
	store   *store.Store
	offline time.Duration
	slots   chan struct{} // holds an element for each question under way

	mu      sync.RWMutex // guards below
	kept    map[credential]*keys
	asking  map[question]*flight
	unknown map[question]time.Time // when to ask again
	closed  bool

	stop context.CancelFunc
	done sync.WaitGroup // of the loop, and of flights unless closed
}

var _ authn.Keyring = (*Keyring)(nil)

// A credential is what a signature is made with. The digest is that of its
// session token, zero for long-term credentials.
type credential struct {
	accessKeyID string
	digest      [sha256.Size]byte
}

// A question is for the key of one scope.
type question struct {
	credential
	date, region, service string
}

// keys are the signing keys of one credential.
type keys struct {
	claims *session.Claims // nil for long-term credentials
	token  string          // with which more can be had
	scoped []*scoped       // replaced, never changed
}

type scoped struct {
	date, region, service string
	key                   sigv4.Key
	used                  atomic.Int64 // seconds of Unix time
}

// A flight is one question under way, which others wait for too.
type flight struct {
	landed chan struct{} // closed when the rest is set
	claims *session.Claims
	key    sigv4.Key
	err    error
}

// Keyring returns a Keyring for a gateway that decides with s, which goes on for
// offline without the server (0: an hour). Close it before s.
func (c *Client) Keyring(s *store.Store, offline time.Duration) *Keyring {
	k := &Keyring{
		client: c, store: s, offline: cmp.Or(offline, time.Hour), slots: make(chan struct{}, maxQuestions),
		kept: make(map[credential]*keys), asking: make(map[question]*flight), unknown: make(map[question]time.Time),
	}
	running, stop := context.WithCancel(context.Background())
	k.stop = stop
	k.done.Go(func() { k.tidyLoop(running) })
	return k
}

// Close waits for what is under way, and forgets the keys.
func (k *Keyring) Close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.stop()
	k.done.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.kept)
}

// LongTerm returns the signing key of an active access key.
func (k *Keyring) LongTerm(ctx context.Context, account string, key *store.AccessKey, scope sigv4.Credential) (sigv4.Key, error) {
	cred := credential{accessKeyID: key.ID}
	if key.Inactive || scope.AccessKeyID != key.ID {
		k.forget(cred)
		return sigv4.Key{}, authn.ErrUnknownKey
	}
	_, signing, err := k.get(ctx, cred, scope, "")
	return signing, err
}

// Session returns the claims of a token and their signing key.
func (k *Keyring) Session(ctx context.Context, scope sigv4.Credential, token string) (*session.Claims, sigv4.Key, error) {
	if token == "" || len(token) > session.MaxToken {
		return nil, sigv4.Key{}, authn.ErrUnknownKey
	}
	return k.get(ctx, credential{scope.AccessKeyID, sha256.Sum256([]byte(token))}, scope, token)
}

func (k *Keyring) forget(cred credential) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, cred)
}

// get returns a key from memory, or else the server's.
func (k *Keyring) get(ctx context.Context, cred credential, scope sigv4.Credential, token string) (*session.Claims, sigv4.Key, error) {
	if err := k.store.Ready(); err != nil {
		return nil, sigv4.Key{}, fmt.Errorf("relay: %w", err)
	}
	now := k.client.now()
	q := question{cred, scope.Date, scope.Region, scope.Service}
	k.mu.RLock()
	have, again := k.kept[cred], k.unknown[q]
	k.mu.RUnlock()
	if s := have.find(q); s != nil {
		if at := now.Unix(); s.used.Load() != at { // a hot key's line is not written by every request
			s.used.Store(at)
		}
		return have.claims, s.key, nil
	}
	if now.Before(again) || !inTime(scope.Date, now) {
		return nil, sigv4.Key{}, authn.ErrUnknownKey
	}
	f := k.ask(q, token)
	select {
	case <-f.landed:
		return f.claims, f.key, f.err
	case <-ctx.Done():
		return nil, sigv4.Key{}, fmt.Errorf("relay: waiting for the server: %w: %w", store.ErrStale, ctx.Err())
	}
}

// find returns the key of a scope, or nil.
func (h *keys) find(q question) *scoped {
	if h == nil {
		return nil
	}
	for _, s := range h.scoped {
		if s.date == q.date && s.region == q.region && s.service == q.service {
			return s
		}
	}
	return nil
}

// ask asks the server, unless somebody is doing so already.
func (k *Keyring) ask(q question, token string) *flight {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f := k.asking[q]; f != nil {
		return f
	}
	f := &flight{landed: make(chan struct{})}
	if k.closed {
		f.err = fmt.Errorf("relay: the keyring is closed: %w", store.ErrStale)
		close(f.landed)
		return f
	}
	q = q.clone()
	k.asking[q] = f
	k.done.Go(func() {
		answer, err := k.fetch(q, token)
		k.land(q, token, f, answer, err)
	})
	return f
}

// clone returns a copy that keeps no request's headers alive.
func (q question) clone() question {
	q.accessKeyID, q.date = strings.Clone(q.accessKeyID), strings.Clone(q.date)
	q.region, q.service = strings.Clone(q.region), strings.Clone(q.service)
	return q
}

// fetch asks the server, when it is this question's turn.
func (k *Keyring) fetch(q question, token string) (*keyAnswer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	case <-ctx.Done():
		return nil, errors.New("too many questions for the server")
	}
	answer := new(keyAnswer)
	err := k.client.post(ctx, pathKey, keyRequest{q.accessKeyID, q.date, q.region, q.service, token}, answer)
	return answer, err
}

// land notes what came of a question, and tells who waits for it.
func (k *Keyring) land(q question, token string, f *flight, a *keyAnswer, err error) {
	defer close(f.landed)
	now := k.client.now()
	switch {
	case err != nil:
		f.err = fmt.Errorf("relay: asking for a signing key: %w: %w", store.ErrStale, err)
	case a.Refused != "":
		k.client.log.Debug("relay: no signing key", "accessKeyId", q.accessKeyID, "scope", q.date+"/"+q.region+"/"+q.service, "why", a.Refused)
		f.err = authn.ErrUnknownKey
	case len(a.Key) != len(f.key) || (token == "") != (a.Claims == nil):
		f.err = fmt.Errorf("relay: asking for a signing key: %w: malformed answer", store.ErrStale)
	default:
		f.key, f.claims = sigv4.Key(a.Key), a.Claims
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.asking, q)
	switch {
	case f.err == nil:
		k.keepLocked(q, strings.Clone(token), f, now)
	case errors.Is(f.err, authn.ErrUnknownKey):
		if len(k.unknown) >= maxUnknown {
			clear(k.unknown)
		}
		k.unknown[q] = now.Add(unknownFor)
	}
}

// keepLocked keeps a key, in the place of the one that was not used for longest.
func (k *Keyring) keepLocked(q question, token string, f *flight, now time.Time) {
	h := k.kept[q.credential]
	if h == nil {
		if len(k.kept) >= maxCredentials {
			k.evictLocked()
		}
		h = &keys{}
	}
	s := &scoped{date: q.date, region: q.region, service: q.service, key: f.key}
	s.used.Store(now.Unix())
	list := append(slices.Clone(h.scoped), s)
	if len(list) > maxScopes {
		old := slices.MinFunc(list, func(a, b *scoped) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
		list = slices.DeleteFunc(list, func(s *scoped) bool { return s == old })
	}
	k.kept[q.credential] = &keys{claims: f.claims, token: token, scoped: list}
}

// evictLocked forgets one of a few credentials: the one that was not used for
// longest.
func (k *Keyring) evictLocked() {
	var oldest credential
	least, seen := int64(0), 0
	for cred, h := range k.kept { // in no order
		if used := h.used(); seen == 0 || used < least {
			oldest, least = cred, used
		}
		if seen++; seen == 8 {
			break
		}
	}
	delete(k.kept, oldest)
}

// used returns when the credential was last used.
func (h *keys) used() (latest int64) {
	for _, s := range h.scoped {
		latest = max(latest, s.used.Load())
	}
	return latest
}

func (k *Keyring) tidyLoop(ctx context.Context) {
	t := time.NewTicker(tidyEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			k.tidy(ctx)
		}
	}
}

// tidy forgets what is no good any more, and asks for the keys that will be
// needed tomorrow.
func (k *Keyring) tidy(ctx context.Context) {
	now := k.client.now()
	k.mu.RLock()
	list := make(map[credential]*keys, len(k.kept))
	for cred, h := range k.kept {
		list[cred] = h
	}
	k.mu.RUnlock()
	for cred, h := range list {
		if now.Unix()-h.used() > int64(idleAfter/time.Second) || !k.good(ctx, cred, h, now) {
			k.forget(cred)
			continue
		}
		k.dropOld(cred, now)
		if k.prepare(cred, h, now) != nil {
			break // until the next time
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for q, again := range k.unknown {
		if now.After(again) {
			delete(k.unknown, q)
		}
	}
}

// prepare asks for the keys of a credential that are needed tomorrow. It returns
// an error when the server is away.
func (k *Keyring) prepare(cred credential, h *keys, now time.Time) error {
	for _, s := range h.scoped {
		if !k.wanted(h, s, now) {
			continue
		}
		f := k.ask(question{cred, tomorrow(now), s.region, s.service}, h.token)
		if <-f.landed; errors.Is(f.err, store.ErrStale) {
			return f.err
		}
	}
	return nil
}

// good reports whether a credential may still be used, as far as the store knows.
func (k *Keyring) good(ctx context.Context, cred credential, h *keys, now time.Time) bool {
	if h.claims != nil {
		return now.Before(h.claims.Expires.Add(ahead))
	}
	account, ok := ids.Account(cred.accessKeyID)
	if !ok {
		return false
	}
	view, err := k.store.View(ctx, account)
	if err != nil {
		return !errors.Is(err, store.ErrNotFound)
	}
	_, key, err := view.UserByKey(cred.accessKeyID)
	return err == nil && !key.Inactive
}

// dropOld forgets the keys of days whose signatures are no good any more.
func (k *Keyring) dropOld(cred credential, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := k.kept[cred]
	if h == nil || !slices.ContainsFunc(h.scoped, func(s *scoped) bool { return !inTime(s.date, now) }) {
		return
	}
	list := slices.DeleteFunc(slices.Clone(h.scoped), func(s *scoped) bool { return !inTime(s.date, now) })
	k.kept[cred] = &keys{claims: h.claims, token: h.token, scoped: list}
}

// wanted reports whether a key will be needed for tomorrow, is not there yet, and
// cannot wait.
func (k *Keyring) wanted(h *keys, s *scoped, now time.Time) bool {
	end := midnight(now)
	return s.date == now.UTC().Format(dateLayout) &&
		now.Unix()-s.used.Load() <= int64(max(lately, k.offline)/time.Second) &&
		end.Sub(now) <= k.offline+ahead &&
		(h.claims == nil || h.claims.Expires.After(end.Add(-ahead))) &&
		h.find(question{date: tomorrow(now), region: s.region, service: s.service}) == nil
}
