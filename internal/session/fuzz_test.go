// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// FuzzOpen gives tokens that nobody minted: all are refused, none panics.
func FuzzOpen(f *testing.F) {
	r := newRing(f, testKey(1), testKey(2))
	minted := map[string]string{}
	for _, test := range claimsCases {
		cred, err := r.Mint(test.c)
		if err != nil {
			f.Fatal(err)
		}
		minted[cred.SessionToken] = cred.AccessKeyID
		f.Add(cred.AccessKeyID, cred.SessionToken)
	}
	f.Add("ASIAQAAAAAAAAAAAAAAA", "")
	f.Fuzz(func(t *testing.T, id, token string) {
		c, secret, err := r.Open(id, token)
		if want, ok := minted[token]; ok && id == want {
			if err != nil {
				t.Fatalf("Open(%q, a minted token) = %v", id, err)
			}
			return
		}
		if err != ErrInvalid || c != nil || secret != "" {
			t.Fatalf("Open(%q, %q) = %v, %q, %v; want ErrInvalid", id, token, c, secret, err)
		}
		if m, err := r.OpenMessage(token); err != ErrInvalid {
			t.Fatalf("OpenMessage(%q) = %q, %v; want ErrInvalid", token, m, err)
		}
	})
}

// FuzzParseClaims gives claims beneath the seal: what parses, encodes to claims
// that parse to the same.
func FuzzParseClaims(f *testing.F) {
	for _, test := range claimsCases {
		b, err := test.c.append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseClaims(bytes.Clone(b))
		if err != nil {
			return
		}
		again, err := c.append(nil)
		if err != nil {
			return // larger than may be minted
		}
		d, err := parseClaims(again)
		if err != nil || !reflect.DeepEqual(c, d) {
			t.Fatalf("parseClaims(%x) = %+v, which comes back as %+v, %v", b, c, d, err)
		}
	})
}

// FuzzMint checks that whatever is minted opens to the same.
func FuzzMint(f *testing.F) {
	r := newRing(f, testKey(1))
	f.Add("ann", "AROAQGHTZVKA5EXAMPLE2", statement, "Team", "blue", int64(1_700_000_000), uint32(3600))
	f.Fuzz(func(t *testing.T, name, principal, policy, key, value string, at int64, life uint32) {
		c := Claims{
			Account: "123456789012", Kind: Role, Name: name, PrincipalID: principal, Policy: policy,
			Tags: []Tag{{key, value}}, Transitive: []string{key},
			Issued: time.Unix(at, 0).UTC(), Expires: time.Unix(at, 0).Add(time.Duration(life) * time.Second).UTC(),
		}
		cred, err := r.Mint(c)
		if err != nil {
			return
		}
		got, secret, err := r.Open(cred.AccessKeyID, cred.SessionToken)
		if err != nil || secret != cred.SecretAccessKey || !reflect.DeepEqual(*got, c) {
			t.Fatalf("Open = %+v, %v; want %+v", got, err, c)
		}
	})
}
