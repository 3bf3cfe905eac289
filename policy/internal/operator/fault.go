// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
	"github.com/innkeeper-iam/innkeeper/policy/internal/spelling"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

var literalNames = map[Class]string{
	Numeric: "a number",
	Date:    "an ISO 8601 date or seconds since 1970",
	IP:      "an IP address or CIDR range",
	Binary:  "base64",
}

// Literal says what the policy values of a class look like, such as "a number"; it
// is "" for texts and booleans.
func (c Class) Literal() string { return literalNames[c] }

// Unreadable says why the operator cannot read a policy value, "" when it can.
// Variables says whether ${…} means something in the document.
func (op Operator) Unreadable(text string, variables bool) string {
	ok := true
	switch op.Class {
	case Numeric:
		_, ok = literal.ParseNumber(text)
	case Date:
		_, ok = literal.ParseDate(text)
	case IP:
		_, ok = literal.ParsePrefix(text)
	case Binary:
		_, ok = literal.ParseBinary(text)
	case Null:
		_, ok = literal.ParseBool(text)
	case Bool:
		_, ok = literal.ParseBool(text)
		ok = ok || variables && strings.Contains(text, "${")
	}
	switch {
	case !ok && strings.Contains(text, "${"):
		return "variables have no meaning for this operator"
	case !ok && (op.Class == Bool || op.Class == Null):
		return "it is neither true nor false"
	case !ok:
		return "it is not " + op.Class.Literal()
	case op.Variables:
		if _, err := template.Parse(text, op.Like, variables); err != nil {
			return err.Error()
		}
	}
	return ""
}

// Likely explains a name that is no operator; fix is "" if none is like it.
func Likely(name string) (fix, message string) {
	message = "unknown condition operator " + jsontext.Quote(name)
	prefix, base, found := strings.Cut(name, ":")
	if !found {
		prefix, base = "", name
	}
	base, ifExists := cutSuffixFold(base, IfExistsSuffix)
	if ifExists && strings.EqualFold(base, "Null") {
		return "remove IfExists: Null itself asks whether the key exists", "Null cannot stand with IfExists"
	}
	names := make([]string, len(Base))
	for i, op := range Base {
		names[i] = op.Base
	}
	likely := spelling.Closest(base, names)
	if found {
		prefix = spelling.Closest(prefix+":", []string{ForAllPrefix, ForAnyPrefix})
	}
	if likely == "" || found && prefix == "" {
		return "", message
	}
	likely = prefix + likely
	if ifExists {
		likely += IfExistsSuffix
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
