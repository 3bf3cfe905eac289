// SPDX-License-Identifier: Apache-2.0

package session

import "testing"

func BenchmarkMint(b *testing.B) {
	r := newRing(b, testKey(1))
	for _, test := range claimsCases[:2] {
		b.Run("claims="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Mint(test.c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	r := newRing(b, testKey(1))
	for _, test := range claimsCases[:2] {
		cred, err := r.Mint(test.c)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("claims="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := r.Open(cred.AccessKeyID, cred.SessionToken); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSealMessage(b *testing.B) {
	r := newRing(b, testKey(1))
	b.ReportAllocs()
	for b.Loop() {
		r.SealMessage([]byte(statement))
	}
}
