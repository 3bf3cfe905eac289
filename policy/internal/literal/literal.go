// SPDX-License-Identifier: Apache-2.0

// Package literal reads the numbers, dates, addresses, booleans and binary values
// of policy conditions.
package literal

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"strings"
	"time"
)

// A Number is an exact decimal, coef × 10^exp, without trailing zeros in coef;
// zero is the zero Number. Equal values are therefore equal structs.
type Number struct {
	neg  bool
	exp  int32
	coef uint64
}

const (
	maxDigits   = 19   // significant digits of a number: what a uint64 always holds
	maxExponent = 1000 // of a number as written, either sign
)

// ParseNumber reads an integer or decimal (C-7): sign, digits, fraction and
// exponent, of which only the digits are required. Numbers of more than 19
// significant digits or an exponent beyond ±1000 are not numbers, and neither
// is text with anything before or after. It does not allocate.
func ParseNumber(s string) (Number, bool) {
	var n Number
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n.neg, s = s[0] == '-', s[1:]
	}
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var ok bool
		if exp, ok = parseExponent(s[i+1:]); !ok {
			return Number{}, false
		}
		s = s[:i]
	}
	whole, fraction, pointed := strings.Cut(s, ".")
	if whole == "" || pointed && fraction == "" {
		return Number{}, false
	}
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	exp -= len(fraction)
	if fraction == "" {
		trimmed := strings.TrimRight(whole, "0")
		exp += len(whole) - len(trimmed)
		whole = trimmed
	}
	if whole == "" {
		fraction = strings.TrimLeft(fraction, "0")
	}
	if len(whole)+len(fraction) > maxDigits || !n.add(whole) || !n.add(fraction) {
		return Number{}, false
	}
	if n.coef == 0 {
		return Number{}, true
	}
	n.exp = int32(exp)
	return n, true
}

// add appends decimal digits to n.coef; the caller limits their number. It
// reports whether they are digits.
func (n *Number) add(digits string) bool {
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return false
		}
		n.coef = n.coef*10 + uint64(c-'0')
	}
	return true
}

// parseExponent reads what follows the "e" of a number.
func parseExponent(s string) (int, bool) {
	sign := 1
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	e, ok := parseDigits(s, 1, 6)
	return sign * e, ok && e <= maxExponent
}

// parseDigits reads s, all of it, as a decimal of least to most digits.
func parseDigits(s string, least, most int) (int, bool) {
	if len(s) < least || len(s) > most {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// Compare returns -1, 0 or +1 as n is less than, equal to or greater than m.
func (n Number) Compare(m Number) int {
	switch {
	case n == m:
		return 0
	case n.sign() != m.sign():
		return cmp.Compare(n.sign(), m.sign())
	}
	c := compareMagnitude(n, m)
	if n.neg {
		return -c
	}
	return c
}

func (n Number) sign() int {
	switch {
	case n.coef == 0:
		return 0
	case n.neg:
		return -1
	}
	return 1
}

// compareMagnitude compares two numbers that are not zero, without their signs.
func compareMagnitude(n, m Number) int {
	nd, md := countDigits(n.coef), countDigits(m.coef)
	if c := cmp.Compare(nd+int(n.exp), md+int(m.exp)); c != 0 {
		return c
	}
	for ; nd < md; nd++ {
		n.coef *= 10
	}
	for ; md < nd; md++ {
		m.coef *= 10
	}
	return cmp.Compare(n.coef, m.coef)
}

func countDigits(u uint64) int {
	d := 0
	for ; u != 0; u /= 10 {
		d++
	}
	return d
}

const maxEpoch = 253402300799 // 9999-12-31T23:59:59Z

// ParseDate reads a point in time (C-8): the W3C profile of ISO 8601 (a year;
// year and month; a day; or a day with minute, second or fraction and "Z" or
// an offset "+hh:mm"), else whole seconds since 1970 up to the year 9999.
// Four digits alone are a year. Missing parts are the earliest ones, in UTC.
// Fractions are cut off after nanoseconds. It does not allocate.
func ParseDate(s string) (time.Time, bool) {
	if len(s) == 4 || len(s) > 4 && s[4] == '-' {
		return parseISODate(s)
	}
	digits, negative := strings.CutPrefix(s, "-")
	n, ok := parseDigits(digits, 1, 12)
	if !ok || n > maxEpoch {
		return time.Time{}, false
	}
	if negative {
		n = -n
	}
	return time.Unix(int64(n), 0).UTC(), true
}

func parseISODate(s string) (time.Time, bool) {
	year, ok := parseDigits(s[:4], 4, 4)
	month, day := 1, 1
	s = s[4:]
	if ok && s != "" {
		month, s, ok = cutField(s, '-', 12)
	}
	if ok && s != "" {
		day, s, ok = cutField(s, '-', 31)
	}
	if !ok || month == 0 || day == 0 {
		return time.Time{}, false
	}
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if midnight.Day() != day { // February 30 became March
		return time.Time{}, false
	}
	if s == "" {
		return midnight, true
	}
	clock, ok := parseClock(s)
	return midnight.Add(clock), ok
}

// parseClock reads "Thh:mm[:ss[.fraction]]" and its zone as the time since the
// same day's midnight in UTC.
func parseClock(s string) (time.Duration, bool) {
	var second int
	var fraction time.Duration
	hour, s, ok1 := cutField(s, 'T', 23)
	minute, s, ok2 := cutField(s, ':', 59)
	if !ok1 || !ok2 {
		return 0, false
	}
	ok := true
	if strings.HasPrefix(s, ":") {
		if second, s, ok = cutField(s, ':', 59); !ok {
			return 0, false
		}
		if fraction, s, ok = cutFraction(s); !ok {
			return 0, false
		}
	}
	offset, ok := parseZone(s)
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + fraction - offset, ok
}

// cutField takes a separator and two digits of at most limit off s.
func cutField(s string, sep byte, limit int) (value int, rest string, ok bool) {
	if len(s) < 3 || s[0] != sep {
		return 0, s, false
	}
	value, ok = parseDigits(s[1:3], 2, 2)
	return value, s[3:], ok && value <= limit
}

// cutFraction takes ".digits" off s; s may have none.
func cutFraction(s string) (fraction time.Duration, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	i, unit := 1, time.Second
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		unit /= 10
		fraction += time.Duration(s[i]-'0') * unit
	}
	return fraction, s[i:], i > 1
}

// parseZone reads "Z" or an offset east of UTC: "+02:00", "-05:30".
func parseZone(s string) (time.Duration, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hour, rest, ok1 := cutField(s, s[0], 23)
	minute, _, ok2 := cutField(rest, ':', 59)
	offset := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ok1 && ok2
}

// ParseBool reads "true" or "false" in any letter case (C-9).
func ParseBool(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// ParsePrefix reads a range of addresses of a policy (C-11): CIDR, with any
// bits set beyond its length cleared, or one address, which is a range of its
// full length.
func ParsePrefix(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		a, ok := ParseAddress(s)
		return netip.PrefixFrom(a, a.BitLen()), ok
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}

// ParseAddress reads an IPv4 or IPv6 address without a zone. An IPv4 address
// written in IPv6 form (::ffff:10.0.0.1) is the IPv4 address.
func ParseAddress(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return netip.Addr{}, false
	case a.Is4():
		return a, true
	case a.Zone() != "":
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// ParseBinary decodes the base64 of a BinaryEquals value, padding included (C-10).
func ParseBinary(s string) (string, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return string(b), err == nil
}
