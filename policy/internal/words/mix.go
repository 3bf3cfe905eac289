// SPDX-License-Identifier: Apache-2.0

//go:build !weakhash

package words

// mix returns what the word w adds to the hash of a text; k is seed for its first
// word, and prime more for each that follows. The parts of a hash are summed, so
// that they can be computed side by side, and so that the hash of a prefix is a
// step on the way to that of the text.
func mix(w, k uint64) uint64 {
	w = (w ^ k) * prime
	return w ^ w>>32
}
