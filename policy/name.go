// SPDX-License-Identifier: Apache-2.0

package policy

import "github.com/innkeeper-iam/innkeeper/policy/internal/enum"

var kinds = enum.Names{Type: "Kind", First: int(Identity), Invalid: "policy: invalid kind %d", Unknown: "policy: unknown kind %q",
	Texts: []string{"", "identity", "boundary", "session", "scp", "rcp", "resource", "trust", "key", "endpoint"}}

// String returns the kind's name in lower case, such as "identity".
func (k Kind) String() string { return kinds.String(int(k)) }

// MarshalText returns the kind's name. It fails for an invalid kind.
func (k Kind) MarshalText() ([]byte, error) { return kinds.Marshal(int(k)) }

// UnmarshalText accepts what MarshalText returns.
func (k *Kind) UnmarshalText(text []byte) error {
	i, err := kinds.Unmarshal(text)
	*k = Kind(i)
	return err
}

var effects = enum.Names{Type: "Effect", First: int(Allow), Invalid: "policy: invalid effect %d", Unknown: "policy: unknown effect %q",
	Texts: []string{"", "Allow", "Deny"}}

// String returns "Allow" or "Deny".
func (e Effect) String() string { return effects.String(int(e)) }

// MarshalText returns "Allow" or "Deny". It fails for an invalid effect.
func (e Effect) MarshalText() ([]byte, error) { return effects.Marshal(int(e)) }

// UnmarshalText accepts "Allow" and "Deny" in exactly that letter case (P-4).
func (e *Effect) UnmarshalText(text []byte) error {
	i, err := effects.Unmarshal(text)
	*e = Effect(i)
	return err
}

var outcomes = enum.Names{Type: "Outcome", Invalid: "policy: no such outcome: %d", Unknown: "policy: no such outcome: %q",
	Texts: []string{ImplicitDeny: "implicit-deny", ExplicitDeny: "explicit-deny", Allowed: "allow"}}

// String returns "allow", "explicit-deny" or "implicit-deny".
func (o Outcome) String() string { return outcomes.String(int(o)) }

// MarshalText returns String's text; it fails for a value that is no outcome.
func (o Outcome) MarshalText() ([]byte, error) { return outcomes.Marshal(int(o)) }

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error {
	i, err := outcomes.Unmarshal(text)
	if err == nil {
		*o = Outcome(i)
	}
	return err
}

var layers = enum.Names{Type: "Layer", Invalid: "policy: no such layer: %d", Unknown: "policy: no such layer: %q", Texts: []string{
	NoLayer:       "",
	IdentityLayer: "identity-based policy",
	BoundaryLayer: "permissions boundary",
	SessionLayer:  "session policy",
	SCPLayer:      "service control policy",
	RCPLayer:      "resource control policy",
	ResourceLayer: "resource-based policy",
	EndpointLayer: "VPC endpoint policy",
}}

// String returns the layer's name as AWS's messages spell it, "" for NoLayer.
func (l Layer) String() string { return layers.String(int(l)) }

// MarshalText returns String's text; it fails for a value that is no layer.
func (l Layer) MarshalText() ([]byte, error) { return layers.Marshal(int(l)) }

// UnmarshalText reads what MarshalText wrote.
func (l *Layer) UnmarshalText(text []byte) error {
	i, err := layers.Unmarshal(text)
	if err == nil {
		*l = Layer(i)
	}
	return err
}
