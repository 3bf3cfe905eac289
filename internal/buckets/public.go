// SPDX-License-Identifier: Apache-2.0

package buckets

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// What makes a policy public is S3's to say: S3 User Guide, "Blocking public access
// to your Amazon S3 storage", "The meaning of public". A policy is public unless
// everything that it allows, it allows to fixed principals, or to requests that have
// a fixed value of a key that no caller can choose. Statements that deny make no
// policy less public.
//
// quirk Q136: a fixed value of s3:x-amz-server-side-encryption-aws-kms-key-id, which
// in AWS makes a policy not public, does not here: the caller chooses it, and there
// may be no KMS that guards the key.

// fixing are the keys of which a fixed value makes a statement not public.
var fixing = []string{
	"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
	"aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid",
	"s3:dataaccesspointaccount", "s3:dataaccesspointarn",
}

// fixers are the operators that such a condition may have. Those that hold when
// the key is absent are not among them.
var fixers = []string{"arnequals", "arnlike", "stringequals", "stringequalsignorecase", "stringlike"}

// isPublic reports whether a bucket policy is public. One that cannot be read is.
func isPublic(doc *store.Document) bool {
	d, err := policy.Parse("", []byte(doc.Text()))
	return err != nil || slices.ContainsFunc(d.Statements, openToAll)
}

// openToAll reports whether a statement makes its policy public.
func openToAll(st policy.Statement) bool {
	if st.Effect != policy.Allow {
		return false
	}
	p := st.Principal
	everyone := p == nil || p.Not || p.Everyone || slices.ContainsFunc(p.AWS, func(v policy.Value) bool { return strings.Contains(v.Text, "*") })
	return everyone && !slices.ContainsFunc(st.Condition, fixes)
}

// fixes reports whether only requests with fixed values of a key meet a condition.
func fixes(c policy.Condition) bool {
	op, key := strings.TrimPrefix(strings.ToLower(c.Operator), "foranyvalue:"), strings.ToLower(c.Key)
	switch {
	case len(c.Values) == 0:
		return false
	case key == "aws:sourceip":
		return op == "ipaddress" && narrow(c.Values)
	case !slices.Contains(fixing, key) || !slices.Contains(fixers, op):
		return false
	}
	return !slices.ContainsFunc(c.Values, func(v policy.Value) bool { return !fixed(key, v.Text) })
}

// fixed reports whether a value of a key is one value. Wildcards count whatever the
// operator, and so do variables whatever the version.
func fixed(key, text string) bool {
	if key == "s3:dataaccesspointarn" { // the access point's name may be a pattern
		p, ok := arn.Split(text)
		return ok && arn.IsAccountID(p.Account) && !strings.Contains(text, "${")
	}
	return text != "" && !strings.ContainsAny(text, "*?") && !strings.Contains(text, "${") &&
		!(key == "aws:userid" && strings.EqualFold(text, "anonymous")) // what callers without credentials have
}

// maxWidth is how many of the widest ranges of addresses a statement may name.
//
// quirk Q137: AWS counts ranges one by one, so that 256 of them may be everyone.
const maxWidth = 16

// narrow reports whether ranges of addresses are none of them wider than /8 (IPv4)
// or /32 (IPv6), nor too wide together.
func narrow(values []policy.Value) bool {
	width := 0.0
	for _, v := range values {
		p, ok := parseRange(v.Text)
		if !ok {
			return false
		}
		widest := 32
		if p.Addr().Is4() {
			widest = 8
		}
		if p.Bits() < widest {
			return false
		}
		width += math.Exp2(float64(widest - p.Bits()))
	}
	return width <= maxWidth
}

// parseRange reads an address or a range of them; those of IPv4 in IPv6 form are
// IPv4's.
func parseRange(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		return netip.PrefixFrom(a, a.BitLen()), err == nil
	}
	if p.Addr().Is4In6() {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96), p.Bits() >= 96
	}
	return p, true
}
