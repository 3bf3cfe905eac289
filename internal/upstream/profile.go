// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Profile is what a store is known to do. The zero value is the strict one.
type Profile struct {
	// KeysVerbatim: the store keeps every key as it is, also those with
	// segments that are empty, "." or "..". Without it requests for such keys
	// must be refused, since the store may take one key for another.
	KeysVerbatim bool

	// Trailers: the store decodes aws-chunked bodies with a trailing checksum,
	// so that it can be given those of clients. Without it the store gets
	// long bodies without their checksum, which it may insist on for the parts
	// of a multipart upload that was begun with one.
	Trailers bool

	// Unlabelled: the store would keep "aws-chunked" as the Content-Encoding of
	// such an object, and understands it without.
	Unlabelled bool

	// Lists: ListBuckets works with the gateway's credentials.
	Lists bool
}

// profiles are those that can be named.
var profiles = map[string]Profile{
	"strict":   {},
	"verbatim": {KeysVerbatim: true, Trailers: true, Lists: true},
}

// ParseProfile returns the profile with the given name: strict, which trusts
// the store with nothing, or verbatim, which is right for AWS itself and for
// stores that Probe found to be like it.
func ParseProfile(name string) (Profile, error) {
	p, ok := profiles[name]
	if !ok {
		return Profile{}, fmt.Errorf("no profile is named %q: there are %s", name,
			strings.Join(slices.Sorted(maps.Keys(profiles)), ", "))
	}
	return p, nil
}

// String says what the store does.
func (p Profile) String() string {
	say := func(yes bool) string {
		if yes {
			return "yes"
		}
		return "no"
	}
	trailers := say(p.Trailers)
	if p.Trailers && p.Unlabelled {
		trailers += ", without Content-Encoding"
	}
	return "keys verbatim: " + say(p.KeysVerbatim) + ", trailing checksums: " + trailers + ", lists buckets: " + say(p.Lists)
}
