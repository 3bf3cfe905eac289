// SPDX-License-Identifier: Apache-2.0

package literal

import (
	"net/netip"
	"time"
)

// A Value is a text as the types that policies compare with. A nil one reads the
// text when it is asked. It never changes.
type Value struct {
	isNum, isDate, ip bool
	num               Number
	addr              netip.Addr
	when              time.Time
}

// untyped is of a text that is nothing but text.
var untyped Value

// Read reads a text.
func Read(text string) *Value {
	var t Value
	t.num, t.isNum = ParseNumber(text)
	t.when, t.isDate = ParseDate(text)
	t.addr, t.ip = ParseAddress(text)
	if t == (Value{}) {
		return &untyped
	}
	return &t
}

// Number returns the number that text is, if it is one; text is what t was read from.
func (t *Value) Number(text string) (Number, bool) {
	if t == nil {
		return ParseNumber(text)
	}
	return t.num, t.isNum
}

// Date returns the date that text is, if it is one; text is what t was read from.
func (t *Value) Date(text string) (time.Time, bool) {
	if t == nil {
		return ParseDate(text)
	}
	return t.when, t.isDate
}

// Address returns the address that text is, if it is one; text is what t was read from.
func (t *Value) Address(text string) (netip.Addr, bool) {
	if t == nil {
		return ParseAddress(text)
	}
	return t.addr, t.ip
}
