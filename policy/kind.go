// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
)

var (
	kindNames   = []string{"", "identity", "boundary", "session", "scp", "rcp", "resource", "trust", "key", "endpoint"}
	effectNames = []string{"", "Allow", "Deny"}
)

// String returns the kind's name in lower case, such as "identity".
func (k Kind) String() string { return name(kindNames, int(k), "Kind") }

// MarshalText returns the kind's name. It fails for an invalid kind.
func (k Kind) MarshalText() ([]byte, error) { return marshalName(kindNames, int(k), "kind") }

// UnmarshalText accepts what MarshalText returns.
func (k *Kind) UnmarshalText(text []byte) error {
	i, err := unmarshalName(kindNames, string(text), "kind")
	*k = Kind(i)
	return err
}

// String returns "Allow" or "Deny".
func (e Effect) String() string { return name(effectNames, int(e), "Effect") }

// MarshalText returns "Allow" or "Deny". It fails for an invalid effect.
func (e Effect) MarshalText() ([]byte, error) { return marshalName(effectNames, int(e), "effect") }

// UnmarshalText accepts "Allow" and "Deny" in exactly that letter case (P-4).
func (e *Effect) UnmarshalText(text []byte) error {
	i, err := unmarshalName(effectNames, string(text), "effect")
	*e = Effect(i)
	return err
}

func name(names []string, i int, typ string) string {
	if i <= 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", typ, i)
	}
	return names[i]
}

func marshalName(names []string, i int, what string) ([]byte, error) {
	if i <= 0 || i >= len(names) {
		return nil, fmt.Errorf("policy: invalid %s %d", what, i)
	}
	return []byte(names[i]), nil
}

func unmarshalName(names []string, text, what string) (int, error) {
	i := slices.Index(names, text)
	if i <= 0 {
		return 0, fmt.Errorf("policy: unknown %s %q", what, text)
	}
	return i, nil
}
