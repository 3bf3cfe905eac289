// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
)

// The literals of condition values, by their short names here.

type number struct{ literal.Number }

func (n number) compare(m number) int { return n.Compare(m.Number) }

func parseNumber(s string) (number, bool) {
	n, ok := literal.ParseNumber(s)
	return number{n}, ok
}

func parseDate(s string) (time.Time, bool)      { return literal.ParseDate(s) }
func parseBool(s string) (value, ok bool)       { return literal.ParseBool(s) }
func parsePrefix(s string) (netip.Prefix, bool) { return literal.ParsePrefix(s) }
func parseAddress(s string) (netip.Addr, bool)  { return literal.ParseAddress(s) }
func parseBinary(s string) (string, bool)       { return literal.ParseBinary(s) }
