// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// valueClass says how an operator reads policy values and request values.
type valueClass uint8

const (
	stringClass  valueClass = iota + 1
	numericClass            // parseNumber
	dateClass               // parseDate
	boolClass               // parseBool
	binaryClass             // policy value by parseBinary, request value raw
	ipClass                 // policy value by parsePrefix, request value by parseAddress
	arnClass                // six parts, wildcards in each
	nullClass               // parseBool; whether the key is absent
)

// relation is what an operator asks of a request value and a policy value,
// the request value standing on the left.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// qualifier is the set prefix of an operator.
type qualifier uint8

const (
	single       qualifier = iota // no prefix
	forAllValues                  // "ForAllValues:"
	forAnyValue                   // "ForAnyValue:"
)

// An operatorInfo is a condition operator taken apart. The base operators are
// data; qualifiers, IfExists and negation wrap them.
type operatorInfo struct {
	base       string // the name without qualifier and suffix: "StringNotLike"
	class      valueClass
	relation   relation
	negated    bool // true when no policy value relates to the request value
	like       bool // '*' and '?' in policy values are wildcards
	ignoreCase bool
	variables  bool // policy variables are replaced in policy values (V-1)
	set        qualifier
	ifExists   bool
}

// baseOperators lists every operator of UG-Operators, in its order. ArnEquals
// and ArnLike are the same operator, and so are their negations (C-12).
// Variables in Bool values are accepted, as UG-Operators says (C-9).
var baseOperators = []operatorInfo{
	{base: "StringEquals", class: stringClass, variables: true},
	{base: "StringNotEquals", class: stringClass, negated: true, variables: true},
	{base: "StringEqualsIgnoreCase", class: stringClass, ignoreCase: true, variables: true},
	{base: "StringNotEqualsIgnoreCase", class: stringClass, negated: true, ignoreCase: true, variables: true},
	{base: "StringLike", class: stringClass, like: true, variables: true},
	{base: "StringNotLike", class: stringClass, negated: true, like: true, variables: true},
	{base: "NumericEquals", class: numericClass},
	{base: "NumericNotEquals", class: numericClass, negated: true},
	{base: "NumericLessThan", class: numericClass, relation: less},
	{base: "NumericLessThanEquals", class: numericClass, relation: lessOrEqual},
	{base: "NumericGreaterThan", class: numericClass, relation: greater},
	{base: "NumericGreaterThanEquals", class: numericClass, relation: greaterOrEqual},
	{base: "DateEquals", class: dateClass},
	{base: "DateNotEquals", class: dateClass, negated: true},
	{base: "DateLessThan", class: dateClass, relation: less},
	{base: "DateLessThanEquals", class: dateClass, relation: lessOrEqual},
	{base: "DateGreaterThan", class: dateClass, relation: greater},
	{base: "DateGreaterThanEquals", class: dateClass, relation: greaterOrEqual},
	{base: "Bool", class: boolClass, variables: true},
	{base: "BinaryEquals", class: binaryClass},
	{base: "IpAddress", class: ipClass},
	{base: "NotIpAddress", class: ipClass, negated: true},
	{base: "ArnEquals", class: arnClass, like: true, variables: true},
	{base: "ArnNotEquals", class: arnClass, negated: true, like: true, variables: true},
	{base: "ArnLike", class: arnClass, like: true, variables: true},
	{base: "ArnNotLike", class: arnClass, negated: true, like: true, variables: true},
	{base: "Null", class: nullClass},
}

var operatorByName = func() map[string]operatorInfo {
	m := make(map[string]operatorInfo, len(baseOperators))
	for _, op := range baseOperators {
		m[op.base] = op
	}
	return m
}()

const (
	forAllPrefix   = "ForAllValues:"
	forAnyPrefix   = "ForAnyValue:"
	ifExistsSuffix = "IfExists"
)

// parseOperator takes an operator's name apart, as in
// "ForAnyValue:StringLikeIfExists". Names compare case-sensitively (C-2).
// It returns false for a name that is no operator; NullIfExists is none (C-5).
func parseOperator(name string) (op operatorInfo, ok bool) {
	set := single
	if rest, found := strings.CutPrefix(name, forAllPrefix); found {
		name, set = rest, forAllValues
	} else if rest, found := strings.CutPrefix(name, forAnyPrefix); found {
		name, set = rest, forAnyValue
	}
	name, ifExists := strings.CutSuffix(name, ifExistsSuffix)
	op, ok = operatorByName[name]
	if !ok || ifExists && op.class == nullClass {
		return operatorInfo{}, false
	}
	op.set, op.ifExists = set, ifExists
	return op, true
}
