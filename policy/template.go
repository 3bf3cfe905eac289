// SPDX-License-Identifier: Apache-2.0

package policy

import "github.com/innkeeper-iam/innkeeper/policy/internal/template"

// A piece is a part of a Resource or condition value.
type piece = template.Piece

func parseTemplate(text string, wildcards, variables bool) ([]piece, error) {
	return template.Parse(text, wildcards, variables)
}
