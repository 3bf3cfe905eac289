// SPDX-License-Identifier: Apache-2.0

package ids

import (
	"math/rand/v2"
	"testing"
)

func TestChosenAccountsComeFirst(t *testing.T) {
	chosen := Chosen{"test": "111122223333", "AKIAIOSFODNN7EXAMPLE": "444455556666"}
	for _, c := range []struct {
		chosen   Chosen
		id, want string
	}{
		{chosen, "test", "111122223333"},
		{chosen, "AKIAIOSFODNN7EXAMPLE", "444455556666"}, // although it carries another
		{chosen, "ASIAQNZGKIQY56JQ7WML", "029608264753"},
		{nil, "ASIAQNZGKIQY56JQ7WML", "029608264753"},
		{nil, "test", ""},
	} {
		if got, ok := c.chosen.Account(c.id); got != c.want || ok != (c.want != "") {
			t.Errorf("Account(%q) = %q, %v, want %q", c.id, got, ok, c.want)
		}
	}
}

// TestRequestIDsUseUpNothing: with a source of their own, requests in between do
// not change the ids of what is made.
func TestRequestIDsUseUpNothing(t *testing.T) {
	run := func(requests int) string {
		s := Source{Rand: rand.NewChaCha8([32]byte{7}), Requests: rand.NewChaCha8([32]byte{8})}
		for range requests {
			s.RequestID()
		}
		return s.Unique(User, "123456789012")
	}
	if one, two := run(0), run(3); one != two {
		t.Errorf("the id after 3 requests = %s, want %s as after none", two, one)
	}
	s, other := Source{Rand: rand.NewChaCha8([32]byte{7}), Requests: rand.NewChaCha8([32]byte{8})}, Source{Rand: rand.NewChaCha8([32]byte{8})}
	if got, want := s.RequestID(), other.RequestID(); got != want {
		t.Errorf("RequestID() = %s, want %s from its own source", got, want)
	}
}
