// SPDX-License-Identifier: Apache-2.0

// Package archtest holds the house rules as tests: who may import whom, the
// size budgets, and what every file must carry.
//
// The rules read the sources in this process. A test that asked the go command
// instead would be answered from the test cache after a violation was added,
// because go test only looks at the files that the test itself has opened.
package archtest
