// SPDX-License-Identifier: Apache-2.0

package dev

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/session"
)

// source returns what a run makes ids and secrets from, and the key of its
// session tokens: the same ones for the same seed, by chance if that is 0. The ids
// of requests come from a stream of their own, so that reading changes no id.
func source(seed uint64) (*ids.Source, []byte) {
	if seed == 0 {
		return new(ids.Source), session.NewKey()
	}
	stream := func(use byte) *rand.ChaCha8 {
		var key [32]byte
		binary.BigEndian.PutUint64(key[:], seed)
		key[31] = use
		return rand.NewChaCha8(key)
	}
	ring := make([]byte, session.KeySize)
	stream(2).Read(ring) // never fails
	return &ids.Source{Rand: stream(0), Requests: stream(1)}, ring
}
