// SPDX-License-Identifier: Apache-2.0

//go:build weakhash

package words

import "math/bits"

// mix is a hash of four values, for tests: nearly all texts collide, so that
// whatever takes a hash for a text decides wrongly.
func mix(w, k uint64) uint64 {
	hi, lo := bits.Mul64(w^k, prime)
	return (hi ^ lo) & 0x4000_0000_0000_0001
}
