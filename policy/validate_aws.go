// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
)

// The texts of AWS that fit more than one problem.
const (
	syntaxErrors  = "Syntax errors in policy."
	legacyParsing = form.LegacyParsing
)

// ladder is the order in which IAM looks for problems: it answers with the text
// of the first group that a document has a problem of. A code in no group comes
// last.
var ladder = [][]Code{
	{TooLarge, InvalidUTF8, InvalidJSON, TooDeep, DuplicateKey, UnknownElement, WrongType, MissingElement, ConflictingPair,
		InvalidVersion, InvalidEffect, NoStatements, InvalidCharacter, UnknownOperator},
	{OldVersion},
	{EffectLetterCase, InvalidValue, InvalidVariable, MalformedResource},
	{InvalidSid, DuplicateSid},
	{ProhibitedElement, ProhibitedEffect, MissingPrincipal, InvalidPrincipal},
	{MissingAction},
	{InvalidResource},
	{InvalidAction},
	{ProhibitedAction, InvalidKey},
	{MissingResource},
}

// AWSMessage returns the text that AWS answers with MalformedPolicyDocument for
// an error of Parse, Validate or CheckVersion, or of errors.Join of these, for a
// policy of the given kind. It returns "" for an error without problems.
func AWSMessage(err error, kind Kind) string {
	problems := Problems(err)
	if len(problems) == 0 {
		return ""
	}
	if kind == SCP || kind == RCP {
		return "The provided policy document does not meet the requirements of the specified policy type."
	}
	worst := slices.MinFunc(problems, func(a, b Problem) int { return rung(a.Code) - rung(b.Code) })
	if kind == Trust && slices.Contains([]Code{TooLarge, InvalidUTF8, InvalidJSON, TooDeep}, worst.Code) {
		return "This policy contains invalid Json"
	}
	if worst.AWS == "" {
		return syntaxErrors
	}
	return worst.AWS
}

// rung returns the place of a code on the ladder.
func rung(code Code) int {
	for i, group := range ladder {
		if slices.Contains(group, code) {
			return i
		}
	}
	return len(ladder)
}

// Problems returns the problems of every error of this package that err is, or
// wraps, or joins, in that order. The caller must not modify the list.
func Problems(err error) []Problem {
	switch e := err.(type) {
	case nil:
		return nil
	case *ParseError:
		return e.Problems
	case *ValidationError:
		return e.Problems
	case *CompileError:
		return e.Problems
	case interface{ Unwrap() error }:
		return Problems(e.Unwrap())
	case interface{ Unwrap() []error }:
		var list []Problem
		for _, e := range e.Unwrap() {
			list = append(list, Problems(e)...)
		}
		return list
	}
	return nil
}
