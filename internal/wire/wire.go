// SPDX-License-Identifier: Apache-2.0

// Package wire decodes and encodes AWS's query protocol (forms in, XML out) and its JSON 1.1 protocol, and
// writes JSON for audit records.
//
// The generated shapes of the service packages stand on it. A decoder reads every parameter from a Form
// and never fails; afterwards Form.Err reports all that was wrong, in AWS's words. An encoder appends to
// a byte slice and cannot fail.
package wire

// NonZero returns a pointer to v, or nil when v is its type's zero value: an optional output member that
// is absent when empty. Use new(v) where an empty value is to be sent.
func NonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Value returns *p, or fallback when p is nil: an optional input member with its default.
func Value[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}
