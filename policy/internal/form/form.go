// SPDX-License-Identifier: Apache-2.0

// Package form judges whether the names and texts in a policy have the form that
// AWS demands of them.
package form

import "github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"

// A Fault is what is wrong with a text. The zero Fault is nothing.
type Fault struct {
	Message string
	Fix     string // what would likely cure it; may be empty
	AWS     string // AWS's own text
}

// The texts of AWS that fit more than one fault.
const (
	LegacyParsing = "The policy failed legacy parsing"
	NoVendor      = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
)

// BadCharacter finds the first character that IAM does not take in a document (P-9).
func BadCharacter(src string) (pos jsontext.Position, c rune, found bool) {
	line, lineStart := 1, 0
	for i, c := range src {
		switch {
		case c == '\n':
			line, lineStart = line+1, i+1
		case c > 0xff || c < ' ' && c != '\t' && c != '\r':
			return jsontext.Position{Line: line, Column: i - lineStart + 1}, c, true
		}
	}
	return pos, 0, false
}

// IsSid reports whether IAM takes s as a Sid: letters and digits (P-4).
func IsSid(s string) bool {
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
