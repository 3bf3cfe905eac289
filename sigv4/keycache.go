// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"hash/maphash"
	"maps"
	"strings"
	"sync"
)

// A KeyCache remembers the signing keys of requests that verified. It holds
// no secret: a key is found only by a caller that has the secret it was
// derived from, so that one of a changed secret is never used. Its zero value
// is ready; it is safe for concurrent use and must not be copied.
type KeyCache struct {
	// Size bounds how many keys are remembered. Zero means 65,536. It must
	// not change after the first use.
	Size int

	once   sync.Once
	seed   maphash.Seed
	salt   [sha256.Size]byte // of fingerprints, so that memory shows no plain hash of a secret
	shards [16]keyShard
}

// A keyShard holds the keys of some access keys in two generations: when the
// young one is full it becomes the old one, and the old one goes.
type keyShard struct {
	mu         sync.RWMutex // guards below
	young, old map[Credential]cachedKey
}

type cachedKey struct {
	fp  fingerprint
	key Key
}

type fingerprint [sha256.Size]byte

func (c *KeyCache) init() {
	c.seed = maphash.MakeSeed()
	_, _ = rand.Read(c.salt[:]) // never fails
}

func (c *KeyCache) fingerprint(secret string) fingerprint {
	if c == nil {
		return fingerprint{}
	}
	c.once.Do(c.init)
	var room [sha256.Size + 128]byte
	return sha256.Sum256(append(append(room[:0], c.salt[:]...), secret...))
}

func (c *KeyCache) shard(accessKeyID string) *keyShard {
	return &c.shards[maphash.String(c.seed, accessKeyID)%uint64(len(c.shards))]
}

// get returns the key of scope that fp's secret gives, if it is known.
func (c *KeyCache) get(scope Credential, fp *fingerprint) (Key, bool) {
	if c == nil {
		return Key{}, false
	}
	sh := c.shard(scope.AccessKeyID)
	sh.mu.RLock()
	e, young := sh.young[scope]
	if !young {
		e = sh.old[scope]
	}
	sh.mu.RUnlock()
	// No entry has the zero fingerprint, which no secret has.
	if subtle.ConstantTimeCompare(e.fp[:], fp[:]) != 1 {
		return Key{}, false
	}
	if !young {
		c.put(scope, fp, &e.key) // still in use
	}
	return e.key, true
}

// put remembers key.
func (c *KeyCache) put(scope Credential, fp *fingerprint, key *Key) {
	if c == nil {
		return
	}
	scope = Credential{ // a copy, so that no request's headers are kept alive
		AccessKeyID: strings.Clone(scope.AccessKeyID),
		Date:        strings.Clone(scope.Date),
		Region:      strings.Clone(scope.Region),
		Service:     strings.Clone(scope.Service),
	}
	generation := max(1, cmp.Or(c.Size, 1<<16)/len(c.shards)/2)
	sh := c.shard(scope.AccessKeyID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, known := sh.young[scope]; !known && len(sh.young) >= generation || sh.young == nil {
		sh.young, sh.old = make(map[Credential]cachedKey), sh.young
	}
	sh.young[scope] = cachedKey{fp: *fp, key: *key}
}

// Forget drops the keys of an access key. Call it when the key is deleted or
// deactivated; a changed secret needs no call to be safe.
func (c *KeyCache) Forget(accessKeyID string) {
	c.once.Do(c.init)
	sh := c.shard(accessKeyID)
	mine := func(s Credential, _ cachedKey) bool { return s.AccessKeyID == accessKeyID }
	sh.mu.Lock()
	defer sh.mu.Unlock()
	maps.DeleteFunc(sh.young, mine)
	maps.DeleteFunc(sh.old, mine)
}
