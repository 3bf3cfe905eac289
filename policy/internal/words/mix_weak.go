// SPDX-License-Identifier: Apache-2.0

//go:build weakhash

package words

// mix is a hash of four values, for tests: nearly all texts collide, so that
// whatever takes a hash for a text decides wrongly.
func mix(w, k uint64) uint64 {
	w = (w ^ k) * prime
	return (w ^ w>>32) & 0x4000_0000_0100_0000
}
