// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
	"github.com/innkeeper-iam/innkeeper/policy/internal/spelling"
)

// conditions checks operators, keys and values (P-11).
func (v *validator) conditions() {
	for i := range v.at.Condition {
		if v.full() {
			return
		}
		c := &v.at.Condition[i]
		op, ok := parseOperator(c.Operator)
		if !ok {
			if i == 0 || v.at.Condition[i-1].OpPos != c.OpPos {
				fix, message := likelyOperator(c.Operator)
				v.report(c.OpPos, v.path("Condition."+jsontext.Clip(c.Operator)), UnknownOperator, fix, message, syntaxErrors)
			}
			continue
		}
		element := func() string { return "Condition." + jsontext.Clip(c.Operator) + "." + jsontext.Clip(c.Key) }
		if c.Key == "" {
			v.report(c.KeyPos, v.path(element()), InvalidKey, `write a key such as "aws:SourceIp"`, "the condition key is empty", noVendor)
		}
		for i, value := range c.Values {
			if fix, what := v.literal(op, value.Text); what != "" {
				v.report(value.Pos, v.value(element(), i, c.Values), InvalidValue, fix,
					fmt.Sprintf("%s cannot compare with %s: %s", c.Operator, jsontext.Quote(value.Text), what), legacyParsing)
			}
		}
	}
}

// literal says what is wrong with a policy value of an operator; what is ""
// when nothing is.
func (v *validator) literal(op operatorInfo, text string) (fix, what string) {
	ok := true
	switch op.class {
	case numericClass:
		_, ok = parseNumber(text)
	case dateClass:
		_, ok = parseDate(text)
	case ipClass:
		_, ok = parsePrefix(text)
	case binaryClass:
		_, ok = parseBinary(text)
	case nullClass:
		_, ok = parseBool(text)
	case boolClass:
		_, ok = parseBool(text)
		ok = ok || v.variables && strings.Contains(text, "${")
	}
	switch {
	case !ok && strings.Contains(text, "${"):
		return "", "variables have no meaning for this operator"
	case !ok && (op.class == boolClass || op.class == nullClass):
		return "", "it is neither true nor false"
	case !ok:
		return "", "it is not " + literalNames[op.class]
	case op.variables:
		if _, err := parseTemplate(text, op.like, v.variables); err != nil {
			return "", err.Error()
		}
	}
	return "", ""
}

// likelyOperator explains a name that is no operator.
func likelyOperator(name string) (fix, message string) {
	message = "unknown condition operator " + jsontext.Quote(name)
	prefix, base, found := strings.Cut(name, ":")
	if !found {
		prefix, base = "", name
	}
	base, ifExists := cutSuffixFold(base, ifExistsSuffix)
	if ifExists && strings.EqualFold(base, "Null") {
		return "remove IfExists: Null itself asks whether the key exists", "Null cannot stand with IfExists"
	}
	names := make([]string, len(baseOperators))
	for i, op := range baseOperators {
		names[i] = op.base
	}
	likely := spelling.Closest(base, names)
	if found {
		prefix = spelling.Closest(prefix+":", []string{forAllPrefix, forAnyPrefix})
	}
	if likely == "" || found && prefix == "" {
		return "", message
	}
	likely = prefix + likely
	if ifExists {
		likely += ifExistsSuffix
	}
	fix = fmt.Sprintf("did you mean %q?", likely)
	if strings.EqualFold(likely, name) {
		fix = fmt.Sprintf("write %q: operators are case-sensitive", likely)
	}
	return fix, message
}

// cutSuffixFold is strings.CutSuffix in any letter case; suffix is ASCII.
func cutSuffixFold(s, suffix string) (string, bool) {
	if i := len(s) - len(suffix); i >= 0 && strings.EqualFold(s[i:], suffix) {
		return s[:i], true
	}
	return s, false
}
