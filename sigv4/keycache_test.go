// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"strconv"
	"sync"
	"testing"
)

// known reports whether c finds the key of secret for scope.
func known(c *KeyCache, scope Credential, secret string) bool {
	fp := c.fingerprint(secret)
	key, ok := c.get(scope, &fp)
	return ok && key == deriveKey(secret, scope)
}

func remember(c *KeyCache, scope Credential, secret string) {
	fp, key := c.fingerprint(secret), deriveKey(secret, scope)
	c.put(scope, &fp, &key)
}

func (c *KeyCache) len() (n int) {
	for i := range c.shards {
		n += len(c.shards[i].young) + len(c.shards[i].old)
	}
	return n
}

func TestKeyCache(t *testing.T) {
	scope := Credential{"AKID", "20261122", "us-east-1", "iam"}
	c := new(KeyCache)
	if known(c, scope, "secret") {
		t.Error("an empty cache knows a key")
	}
	remember(c, scope, "secret")
	if !known(c, scope, "secret") {
		t.Error("a remembered key is not known")
	}
	for _, other := range []Credential{
		{"AKIE", "20261122", "us-east-1", "iam"}, {"AKID", "20261123", "us-east-1", "iam"},
		{"AKID", "20261122", "us-east-2", "iam"}, {"AKID", "20261122", "us-east-1", "sts"},
	} {
		if known(c, other, "secret") {
			t.Errorf("%v is known, want only %v", other, scope)
		}
	}
	if known(c, scope, "changed") {
		t.Error("the key of the former secret is used for the changed one")
	}
	remember(c, scope, "changed")
	if known(c, scope, "secret") || !known(c, scope, "changed") {
		t.Error("the changed secret did not replace the former one")
	}
	remember(c, Credential{"AKIE", "20261122", "us-east-1", "iam"}, "e")
	c.Forget("AKID")
	if known(c, scope, "changed") || c.len() != 1 {
		t.Errorf("after Forget: known = %t, %d keys, want false, 1", known(c, scope, "changed"), c.len())
	}
	new(KeyCache).Forget("AKID")
}

// A wrong secret does not make the key of another one its own, not even when
// it asks for a key of the old generation.
func TestKeyCacheOldGeneration(t *testing.T) {
	c := &KeyCache{Size: 1} // one key a generation
	scope, next := Credential{AccessKeyID: "AKID", Date: "20261121"}, Credential{AccessKeyID: "AKID", Date: "20261122"}
	remember(c, scope, "secret")
	remember(c, next, "secret")
	for range 2 {
		if known(c, scope, "wrong") {
			t.Fatal("a wrong secret finds a key")
		}
	}
	if !known(c, scope, "secret") {
		t.Error("the old generation is not asked")
	}
	remember(c, Credential{AccessKeyID: "AKID", Date: "20261123"}, "secret")
	if !known(c, scope, "secret") || known(c, next, "secret") {
		t.Error("a used key did not become young again")
	}
	c.Forget("AKID")
	if n := c.len(); n != 0 {
		t.Errorf("after Forget: %d keys, want 0", n)
	}
}

func TestKeyCacheIsBounded(t *testing.T) {
	c := &KeyCache{Size: 320}
	for i := range 5000 {
		remember(c, Credential{AccessKeyID: strconv.Itoa(i)}, "secret")
	}
	if n := c.len(); n > c.Size || n < c.Size/4 {
		t.Errorf("%d keys, want at most %d and not far below", n, c.Size)
	}
}

// Keys that did not verify a request are not remembered.
func TestOnlyProvenKeysAreRemembered(t *testing.T) {
	signer := testSigner("s3")
	v := &Verifier{Now: signer.Now, Keys: new(KeyCache)}
	r := signedGet(t, signer)
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if v.Verify(r, s, suiteSecret, nil) == nil || v.Keys.len() != 0 {
		t.Errorf("after a refused request: %d keys, want 0", v.Keys.len())
	}
	for range 2 {
		if err := v.Verify(r, s, s3Secret, nil); err != nil || v.Keys.len() != 1 {
			t.Errorf("Verify = %v with %d keys, want nil with 1", err, v.Keys.len())
		}
	}
	if v.Verify(r, s, suiteSecret, nil) == nil {
		t.Error("a wrong secret verifies with the remembered key")
	}
}

func TestKeyCacheConcurrently(t *testing.T) {
	c := &KeyCache{Size: 64}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 300 {
				scope := Credential{AccessKeyID: strconv.Itoa((i + w) % 50), Region: "us-east-1"}
				secret := "secret" + strconv.Itoa(i%3)
				fp := c.fingerprint(secret)
				key, ok := c.get(scope, &fp)
				if ok && key != deriveKey(secret, scope) {
					t.Errorf("the key of another secret for %v", scope)
					return
				}
				remember(c, scope, secret)
				if i%40 == 0 {
					c.Forget(scope.AccessKeyID)
				}
			}
		})
	}
	wg.Wait()
}
