// SPDX-License-Identifier: Apache-2.0

// Package prose puts decisions, and what led to them, into words.
package prose

import (
	"fmt"
	"strconv"
	"strings"
)

// An Element is an element of a statement, or a key of its conditions, compared
// with a request.
type Element struct {
	Name          string // "Action", "NotResource", …, "Condition"
	Operator, Key string // of a Condition
	Matched       bool
	Wants, Has    []string
	By            string // the value that the request's relates to; "" if none does
}

// Is reports whether the element is name or "Not" and name.
func (e *Element) Is(name string) bool { return strings.TrimPrefix(e.Name, "Not") == name }

// Line returns the element in one line, for a tree.
func (e *Element) Line() string {
	switch {
	case e.Name == "Condition" && len(e.Has) == 0:
		return fmt.Sprintf("Condition %s %s wants %s, request has none", e.Operator, e.Key, OneOf(e.Wants))
	case e.Name == "Condition":
		return fmt.Sprintf("Condition %s %s wants %s, request has %s", e.Operator, e.Key, OneOf(e.Wants), AllOf(e.Has))
	case e.By != "":
		return fmt.Sprintf("%s: %s matches %s", e.Name, AllOf(e.Has), Value(e.By))
	case len(e.Wants) == 0:
		return fmt.Sprintf("%s: %s matches nothing, there is no value", e.Name, AllOf(e.Has))
	case len(e.Wants) == 1:
		return fmt.Sprintf("%s: %s does not match %s", e.Name, AllOf(e.Has), OneOf(e.Wants))
	}
	return fmt.Sprintf("%s: %s matches none of %s", e.Name, AllOf(e.Has), AllOf(e.Wants))
}

// Bounds of what a text quotes.
const (
	maxValues = 4
	maxValue  = 160 // bytes
)

// OneOf joins values with "or", a long list shortened with a count.
func OneOf(values []string) string { return list(values, "or") }

// AllOf joins values with "and", a long list shortened with a count.
func AllOf(values []string) string { return list(values, "and") }

func list(values []string, last string) string {
	if len(values) == 0 {
		return "nothing"
	}
	shown := make([]string, 0, maxValues+1)
	for i, v := range values {
		if i == maxValues-1 && len(values) > maxValues {
			shown = append(shown, strconv.Itoa(len(values)-i)+" more")
			break
		}
		shown = append(shown, Value(v))
	}
	return join(shown, last)
}

// join joins words with commas, and the last two with a word.
func join(words []string, last string) string {
	n := len(words) - 1
	if n <= 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

// Value returns a value as texts quote it: in quotes if it is empty or not plain,
// and cut if it is long.
func Value(v string) string {
	cut := ""
	if len(v) > maxValue {
		v, cut = strings.ToValidUTF8(v[:maxValue], ""), "…"
	}
	if v == "" || strings.ContainsFunc(v, func(r rune) bool {
		return r <= ' ' || r == '"' || r == 0x7f || r == '\uFFFD' || r >= 0x80 && !strconv.IsPrint(r)
	}) {
		return strconv.Quote(v) + cut
	}
	return v + cut
}

// relations say in words what an operator asks of a key. The request value
// stands before it, the policy's values after it.
var relations = map[string]string{
	"StringEquals": "is", "StringNotEquals": "is not", "StringEqualsIgnoreCase": "is, in any letter case,",
	"StringNotEqualsIgnoreCase": "is not, in any letter case,", "StringLike": "is like", "StringNotLike": "is not like",
	"NumericEquals": "is", "NumericNotEquals": "is not", "NumericLessThan": "is less than", "NumericLessThanEquals": "is at most",
	"NumericGreaterThan": "is more than", "NumericGreaterThanEquals": "is at least",
	"DateEquals": "is", "DateNotEquals": "is not", "DateLessThan": "is before", "DateLessThanEquals": "is not after",
	"DateGreaterThan": "is after", "DateGreaterThanEquals": "is not before",
	"Bool": "is", "BinaryEquals": "is", "IpAddress": "is in", "NotIpAddress": "is not in",
	"ArnEquals": "is like", "ArnNotEquals": "is not like", "ArnLike": "is like", "ArnNotLike": "is not like",
}

// Wanted says what a condition asks for, as in "aws:MultiFactorAuthPresent is true".
func (e *Element) Wanted() string {
	op, qualifier := e.Operator, ""
	if set, rest, ok := strings.Cut(op, ":"); ok {
		op, qualifier = rest, map[string]string{"ForAllValues": "every value of ", "ForAnyValue": "some value of "}[set]
	}
	if op == "Null" {
		if len(e.Wants) == 1 && strings.EqualFold(e.Wants[0], "false") {
			return e.Key + " is present"
		}
		return e.Key + " is absent"
	}
	op, ifExists := strings.CutSuffix(op, "IfExists")
	relation, ok := relations[op]
	if !ok {
		relation = op
	}
	if ifExists {
		relation = "is absent or " + relation
	}
	return qualifier + e.Key + " " + relation + " " + OneOf(e.Wants)
}

// reason says why a condition that is met is met, as in "aws:SecureTransport is false".
func (e *Element) reason() string {
	if len(e.Has) == 0 {
		return "the request does not have " + e.Key
	}
	fact := e.Key + " is " + AllOf(e.Has)
	if strings.HasSuffix(strings.TrimSuffix(e.Operator, "IfExists"), "Null") || len(e.Has) == 1 && strings.EqualFold(e.Has[0], e.By) {
		return fact
	}
	if len(e.Has) > 1 && !strings.Contains(e.Operator, ":") {
		return fact + ", more than one value"
	}
	op := e.Operator[strings.IndexByte(e.Operator, ':')+1:]
	relation := strings.TrimPrefix(strings.TrimPrefix(relations[strings.TrimSuffix(op, "IfExists")], "is"), " ")
	return fact + " (" + strings.TrimSpace(relation+" "+OneOf(e.Wants)) + ")"
}

// lacks says what the request has instead of what a condition wants.
func (e *Element) lacks() string {
	if len(e.Has) == 0 {
		return "the request does not have it"
	}
	return "the request has " + AllOf(e.Has)
}
