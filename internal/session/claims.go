// SPDX-License-Identifier: Apache-2.0

package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of what a token carries. They bound memory; AWS's own, smaller limits
// on names, policies and tags are the callers' to enforce.
const (
	MaxToken = 8 << 10 // characters of a token

	maxString = 4 << 10  // bytes of one string; a policy may have maxPacked
	maxList   = 64       // items of a list
	maxPacked = 32 << 10 // bytes of the packed part when unpacked
)

// unit is the precision of times.
const unit = time.Second

// claimsVersion is the first byte of the claims. Parsing refuses any other.
const claimsVersion = 1

// Bits of the flags byte.
const (
	flagMFA = 1 << iota
	flagChained
	flagPacked    // the packed part follows: policies and tags
	flagFederated // condition keys of a provider follow the strings
	flagDelegated // the delegate's account follows those
	flagsKnown    = 1<<iota - 1
)

var errClaims = errors.New("malformed claims")

// check reports what makes c impossible.
func (c *Claims) check() error {
	switch {
	case !isAccount(c.Account):
		return fmt.Errorf("session: account %q is not twelve digits", c.Account)
	case c.Kind < Role || c.Kind > RootTask:
		return fmt.Errorf("session: unknown kind %d", c.Kind)
	case c.PrincipalID == "":
		return errors.New("session: no principal id")
	case c.Issued.Unix() <= 0 || c.Expires.Before(c.Issued) || c.Expires.Equal(c.Issued) && c.Kind != RootTask: // AssumeRoot takes 0 seconds
		return fmt.Errorf("session: issued %v and expires %v", c.Issued, c.Expires)
	case c.Kind == RootTask && len(c.PolicyARNs) == 0:
		return errors.New("session: a root user's task without a policy")
	case !c.MFA.IsZero() && c.MFA.After(c.Issued):
		return fmt.Errorf("session: second factor shown at %v, after issue at %v", c.MFA, c.Issued)
	case c.Delegate != "" && !isAccount(c.Delegate):
		return fmt.Errorf("session: the delegate %q is not twelve digits", c.Delegate)
	case c.Delegate != "" && c.Policy == "" && len(c.PolicyARNs) == 0:
		return errors.New("session: a delegate's session without a session policy")
	case len(c.PolicyARNs) > maxList || len(c.Tags) > maxList:
		return fmt.Errorf("session: %d policy ARNs and %d tags: at most %d each", len(c.PolicyARNs), len(c.Tags), maxList)
	}
	for _, s := range []string{c.Name, c.PrincipalID, c.RoleName, c.RolePath, c.Provider, c.SourceIdentity} {
		if len(s) > maxString {
			return fmt.Errorf("session: a name of %d bytes: at most %d", len(s), maxString)
		}
	}
	if len(c.Federated) > maxList {
		return fmt.Errorf("session: %d keys of a provider: at most %d", len(c.Federated), maxList)
	}
	for _, t := range c.Federated {
		if len(t.Key) > maxString || len(t.Value) > maxString {
			return fmt.Errorf("session: a provider's key of %d bytes and its value of %d: at most %d each", len(t.Key), len(t.Value), maxString)
		}
	}
	for _, key := range c.Transitive {
		if !slices.ContainsFunc(c.Tags, func(t Tag) bool { return strings.EqualFold(t.Key, key) }) {
			return fmt.Errorf("session: transitive tag key %q is not among the tags", key)
		}
	}
	return nil
}

// isAccount reports whether s is twelve digits.
func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// append appends the compact form of c, without the account:
// version, kind, flags, uvarint issued, uvarint lifetime, uvarint age of the
// second factor if there is one, six strings, the provider's keys if there are
// any, the delegate if there is one, the packed part if there is one.
func (c *Claims) append(b []byte) ([]byte, error) {
	raw, err := c.appendPackable(nil)
	if err != nil {
		return nil, err
	}
	var flags byte
	if !c.MFA.IsZero() {
		flags |= flagMFA
	}
	if c.Chained {
		flags |= flagChained
	}
	if len(raw) > 0 {
		flags |= flagPacked
	}
	if len(c.Federated) > 0 {
		flags |= flagFederated
	}
	if c.Delegate != "" {
		flags |= flagDelegated
	}
	issued := c.Issued.Unix()
	b = append(b, claimsVersion, byte(c.Kind), flags)
	b = binary.AppendUvarint(b, uint64(issued))
	b = binary.AppendUvarint(b, uint64(c.Expires.Unix()-issued))
	if flags&flagMFA != 0 {
		b = binary.AppendUvarint(b, uint64(issued-c.MFA.Unix()))
	}
	for _, s := range [...]string{c.Name, c.PrincipalID, c.RoleName, c.RolePath, c.Provider, c.SourceIdentity} {
		b = appendString(b, s)
	}
	if len(c.Federated) > 0 {
		b = binary.AppendUvarint(b, uint64(len(c.Federated)))
		for _, t := range c.Federated {
			b = appendString(appendString(b, t.Key), t.Value)
		}
	}
	if c.Delegate != "" {
		b = appendString(b, c.Delegate)
	}
	if len(raw) > 0 {
		b = appendPacked(b, raw)
	}
	return b, nil
}

// parseClaims parses what append made, all of it, and sets no account.
func parseClaims(b []byte) (*Claims, error) {
	p := parser{rest: b}
	if p.byte() != claimsVersion {
		return nil, errClaims
	}
	c := &Claims{Kind: Kind(p.byte())}
	flags := p.byte()
	if c.Kind < Role || c.Kind > RootTask || flags&^flagsKnown != 0 {
		return nil, errClaims
	}
	issued := p.seconds()
	c.Issued = time.Unix(issued, 0).UTC()
	c.Expires = time.Unix(issued+p.seconds(), 0).UTC()
	if flags&flagMFA != 0 {
		c.MFA = time.Unix(issued-p.seconds(), 0).UTC()
	}
	c.Chained = flags&flagChained != 0
	for _, s := range [...]*string{&c.Name, &c.PrincipalID, &c.RoleName, &c.RolePath, &c.Provider, &c.SourceIdentity} {
		*s = p.string(maxString)
	}
	if flags&flagFederated != 0 {
		for range p.uvarint(maxList) {
			c.Federated = append(c.Federated, Tag{p.string(maxString), p.string(maxString)})
		}
	}
	if flags&flagDelegated != 0 {
		if c.Delegate = p.string(maxString); !isAccount(c.Delegate) {
			return nil, errClaims
		}
	}
	if flags&flagPacked != 0 {
		raw, err := unpack(&p, maxPacked)
		if err != nil {
			return nil, err
		}
		if err := c.parsePackable(raw); err != nil {
			return nil, err
		}
	}
	if p.bad || len(p.rest) > 0 {
		return nil, errClaims
	}
	return c, nil
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// A parser reads the compact form. After a failure it is bad for good and gives
// zero values.
type parser struct {
	rest []byte
	bad  bool
}

func (p *parser) fail() {
	p.bad, p.rest = true, nil
}

func (p *parser) byte() byte {
	if len(p.rest) == 0 {
		p.fail()
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

// uvarint reads a number of at most limit.
func (p *parser) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 || v > limit {
		p.fail()
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

// seconds reads a number of seconds, which keeps times within the year 9999.
func (p *parser) seconds() int64 {
	return int64(p.uvarint(200_000_000_000))
}

func (p *parser) string(limit int) string {
	n := int(p.uvarint(uint64(limit)))
	if n > len(p.rest) {
		p.fail()
		return ""
	}
	s := string(p.rest[:n])
	p.rest = p.rest[n:]
	return s
}
