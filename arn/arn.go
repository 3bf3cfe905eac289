// SPDX-License-Identifier: Apache-2.0

// Package arn makes, reads and matches Amazon Resource Names.
package arn

import (
	"errors"
	"fmt"
	"strings"
)

// Partition is the partition of every ARN that the constructors make.
const Partition = "aws"

// MaxLength is the longest ARN that Parse accepts, in bytes.
const MaxLength = 2048

// ErrInvalid is wrapped by every error of this package.
var ErrInvalid = errors.New("invalid")

// An ARN is a well-formed Amazon Resource Name without wildcards in its first
// five parts: arn:partition:service:region:account:resource. Make one with
// Parse, Make or a constructor. The zero ARN names nothing; its parts are empty.
type ARN string

// Parse returns s as an ARN. The partition, service and resource must not be
// empty; region and account may be. It returns an error wrapping ErrInvalid
// for anything else.
func Parse(s string) (ARN, error) {
	p, ok := Split(s)
	switch {
	case len(s) > MaxLength:
		return "", fmt.Errorf("arn of %d bytes: %w: longer than %d", len(s), ErrInvalid, MaxLength)
	case !ok:
		return "", fmt.Errorf("arn %q: %w: want arn:partition:service:region:account:resource", s, ErrInvalid)
	case p.Partition == "" || p.Service == "" || p.Resource == "":
		return "", fmt.Errorf("arn %q: %w: partition, service and resource must not be empty", s, ErrInvalid)
	case !plain(p.Partition) || !plain(p.Service) || !plain(p.Region) || !plain(p.Account):
		return "", fmt.Errorf("arn %q: %w: only letters, digits, '.', '_' and '-' may stand before the resource", s, ErrInvalid)
	}
	return ARN(s), nil
}

// plain reports whether a part before the resource holds only what such parts
// are made of.
func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// Make joins five parts to an ARN. They must be what Parse accepts.
func Make(partition, service, region, account, resource string) ARN {
	return ARN("arn:" + partition + ":" + service + ":" + region + ":" + account + ":" + resource)
}

// Parts are the parts of an ARN, or of a pattern for ARNs.
type Parts struct {
	Partition, Service, Region, Account, Resource string
}

// Split cuts s at its first five colons, which the resource may add to. It
// returns false when s does not begin with "arn:" or has fewer colons; it
// judges nothing else, so wildcards and empty parts are fine. It does not
// allocate.
func Split(s string) (Parts, bool) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return Parts{}, false
	}
	var p Parts
	for _, part := range [...]*string{&p.Partition, &p.Service, &p.Region, &p.Account} {
		if *part, rest, ok = strings.Cut(rest, ":"); !ok {
			return Parts{}, false
		}
	}
	p.Resource = rest
	return p, true
}

// String joins the parts again.
func (p Parts) String() string {
	return string(Make(p.Partition, p.Service, p.Region, p.Account, p.Resource))
}

// Parts returns the parts of a.
func (a ARN) Parts() Parts {
	p, _ := Split(string(a))
	return p
}

// Service returns the service part, such as "iam".
func (a ARN) Service() string { return a.Parts().Service }

// Account returns the account part: twelve digits, "aws" for what AWS manages,
// or "" for resources without one, such as S3 objects.
func (a ARN) Account() AccountID { return AccountID(a.Parts().Account) }

// Resource returns everything after the fifth colon.
func (a ARN) Resource() string { return a.Parts().Resource }

// String returns the ARN as text.
func (a ARN) String() string { return string(a) }

// UnmarshalText accepts what Parse accepts.
func (a *ARN) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// An AccountID names an account by its twelve digits. Make one with
// ParseAccountID. The zero AccountID is no account.
type AccountID string

// ManagedAccount stands in the place of an account in the ARNs of AWS managed
// policies. It is no account: ParseAccountID refuses it.
const ManagedAccount AccountID = "aws"

// ParseAccountID returns s as an account if it is twelve digits, and an error
// wrapping ErrInvalid otherwise.
func ParseAccountID(s string) (AccountID, error) {
	if !IsAccountID(s) {
		return "", fmt.Errorf("account %q: %w: want twelve digits", s, ErrInvalid)
	}
	return AccountID(s), nil
}

// IsAccountID reports whether s is twelve digits.
func IsAccountID(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 12
}

// UnmarshalText accepts what ParseAccountID accepts.
func (a *AccountID) UnmarshalText(text []byte) error {
	parsed, err := ParseAccountID(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
