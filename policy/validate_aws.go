// SPDX-License-Identifier: Apache-2.0

package policy

// The texts of AWS that fit more than one problem.
const (
	syntaxErrors  = "Syntax errors in policy."
	legacyParsing = "The policy failed legacy parsing"
)
