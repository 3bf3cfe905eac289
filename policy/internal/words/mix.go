// SPDX-License-Identifier: Apache-2.0

//go:build !weakhash

package words

import "math/bits"

// mix hashes a word; k tells apart what it is a word of.
func mix(w, k uint64) uint64 {
	w = (w ^ k) * prime
	return w ^ w>>32
}

// chain returns the hash of a text with one word more: the hash of a prefix is a step
// on the way to that of the text.
func chain(h, w uint64) uint64 { return bits.RotateLeft64(h^w, 29) * prime }
