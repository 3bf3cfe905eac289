// SPDX-License-Identifier: Apache-2.0

//go:build !race

package refusal_test

const oneOf = 1
