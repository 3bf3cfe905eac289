// SPDX-License-Identifier: Apache-2.0

package form

import (
	"fmt"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
	"github.com/innkeeper-iam/innkeeper/policy/internal/spelling"
)

// The names of elements, in the order of AWS's own examples. They must not be
// modified.
var (
	DocumentElements  = []string{"Version", "Id", "Statement"}
	StatementElements = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	PrincipalTypes    = []string{"AWS", "Service", "Federated", "CanonicalUser"}
)

// Unknown returns which of the allowed elements a name probably means, "" for
// none, and what would cure it.
func Unknown(name string, allowed []string) (likely, fix string) {
	likely = spelling.Closest(name, allowed)
	switch {
	case likely != "" && strings.EqualFold(likely, name):
		return likely, fmt.Sprintf("write %q: element names are case-sensitive", likely)
	case likely != "":
		return likely, fmt.Sprintf("did you mean %q?", likely)
	case slices.Contains(StatementElements, name):
		return "", `put it into "Statement"`
	case slices.Contains(DocumentElements, name):
		return "", "put it at the top level"
	case slices.Contains(PrincipalTypes, name):
		return "", `put it into "Principal"`
	}
	return "", "remove it; allowed are " + strings.Join(allowed, ", ")
}

// UnknownType returns what would cure a name that is no type of principal.
func UnknownType(name string) (fix string) {
	if likely := spelling.Closest(name, PrincipalTypes); likely != "" {
		return fmt.Sprintf("did you mean %q?", likely)
	}
	if name == "*" {
		return `write "AWS"`
	}
	return "allowed are " + strings.Join(PrincipalTypes, ", ")
}

// TypeOf guesses the type of a principal that stands without one.
func TypeOf(principal string) string {
	switch {
	case strings.Contains(principal, "-provider/"):
		return "Federated"
	case !strings.HasPrefix(principal, "arn:") && strings.HasSuffix(principal, ".amazonaws.com"):
		return "Service"
	}
	return "AWS"
}

// Begin skips space. It fails with the likeliest reason why src, which r reads,
// does not begin like an object, if there is one that only a policy has.
func Begin(r *jsontext.Reader, src string) bool {
	if !r.Space() {
		return false
	}
	switch word := r.Word(); {
	case r.Offset() == len(src):
		return r.Invalid(jsontext.Position{Line: 1, Column: 1}, `write {"Version": "2012-10-17", "Statement": [...]}`, "the document is empty")
	case len(src) > 3 && strings.EqualFold(src[:3], "%7b"):
		return r.Invalid(r.Pos(), "decode it first", "the document is URL-encoded")
	case word != "" && !slices.Contains([]string{"true", "false", "null"}, word) && (word[0] < '0' || word[0] > '9'):
		return r.Invalid(r.Pos(), "give the policy's text, not the name of a file", "the document must be an object in braces, not %s", jsontext.Quote(word))
	}
	return true
}
