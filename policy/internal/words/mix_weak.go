// SPDX-License-Identifier: Apache-2.0

//go:build weakhash

package words

import "math/bits"

// These hashes have four values, for tests: nearly all texts collide, so that whatever
// takes a hash for a text decides wrongly.
const weak = 0x4000_0000_0100_0000

func mix(w, k uint64) uint64 {
	w = (w ^ k) * prime
	return (w ^ w>>32) & weak
}

func chain(h, w uint64) uint64 { return bits.RotateLeft64(h^w, 29) * prime & weak }
