// SPDX-License-Identifier: Apache-2.0

//go:build race

package refusal_test

// Under the race detector, which makes everything many times slower, one of so
// many operations is examined.
const oneOf = 8
