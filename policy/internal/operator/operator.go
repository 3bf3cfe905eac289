// SPDX-License-Identifier: Apache-2.0

// Package operator knows the condition operators of the policy language: their
// names, what they ask, and which policy values they can read.
package operator

import "strings"

// A Class says how an operator reads policy values and request values.
type Class uint8

// The classes.
const (
	String  Class = iota + 1
	Numeric       // literal.ParseNumber
	Date          // literal.ParseDate
	Bool          // literal.ParseBool
	Binary        // policy value by literal.ParseBinary, request value raw
	IP            // policy value by literal.ParsePrefix, request value by literal.ParseAddress
	ARN           // six parts, wildcards in each
	Null          // literal.ParseBool; whether the key is absent
)

// A Relation is what an operator asks of a request value and a policy value,
// the request value standing on the left.
type Relation uint8

// The relations.
const (
	Equal Relation = iota
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

// Holds reports whether a comparison's sign (request value with policy value) is
// what the relation asks for.
func (r Relation) Holds(sign int) bool {
	switch r {
	case Equal:
		return sign == 0
	case Less:
		return sign < 0
	case LessOrEqual:
		return sign <= 0
	case Greater:
		return sign > 0
	case GreaterOrEqual:
		return sign >= 0
	}
	return false
}

// A Set is the set prefix of an operator.
type Set uint8

// The set prefixes.
const (
	Single       Set = iota // none
	ForAllValues            // ForAllPrefix
	ForAnyValue             // ForAnyPrefix
)

// What may stand before and after the name of an operator.
const (
	ForAllPrefix   = "ForAllValues:"
	ForAnyPrefix   = "ForAnyValue:"
	IfExistsSuffix = "IfExists"
)

// An Operator is a condition operator taken apart. The base operators are data;
// set prefixes, IfExists and negation wrap them.
type Operator struct {
	Base       string // the name without prefix and suffix: "StringNotLike"
	Class      Class
	Relation   Relation
	Negated    bool // true when no policy value relates to the request value
	Like       bool // '*' and '?' in policy values are wildcards
	IgnoreCase bool
	Variables  bool // policy variables are replaced in policy values (V-1)
	Set        Set
	IfExists   bool
}

// Base lists every operator of UG-Operators, in its order. It must not be
// modified. ArnEquals and ArnLike are the same operator, and so are their
// negations (C-12). Variables in Bool values are accepted, as UG-Operators says
// (C-9).
var Base = []Operator{
	{Base: "StringEquals", Class: String, Variables: true},
	{Base: "StringNotEquals", Class: String, Negated: true, Variables: true},
	{Base: "StringEqualsIgnoreCase", Class: String, IgnoreCase: true, Variables: true},
	{Base: "StringNotEqualsIgnoreCase", Class: String, Negated: true, IgnoreCase: true, Variables: true},
	{Base: "StringLike", Class: String, Like: true, Variables: true},
	{Base: "StringNotLike", Class: String, Negated: true, Like: true, Variables: true},
	{Base: "NumericEquals", Class: Numeric},
	{Base: "NumericNotEquals", Class: Numeric, Negated: true},
	{Base: "NumericLessThan", Class: Numeric, Relation: Less},
	{Base: "NumericLessThanEquals", Class: Numeric, Relation: LessOrEqual},
	{Base: "NumericGreaterThan", Class: Numeric, Relation: Greater},
	{Base: "NumericGreaterThanEquals", Class: Numeric, Relation: GreaterOrEqual},
	{Base: "DateEquals", Class: Date},
	{Base: "DateNotEquals", Class: Date, Negated: true},
	{Base: "DateLessThan", Class: Date, Relation: Less},
	{Base: "DateLessThanEquals", Class: Date, Relation: LessOrEqual},
	{Base: "DateGreaterThan", Class: Date, Relation: Greater},
	{Base: "DateGreaterThanEquals", Class: Date, Relation: GreaterOrEqual},
	{Base: "Bool", Class: Bool, Variables: true},
	{Base: "BinaryEquals", Class: Binary},
	{Base: "IpAddress", Class: IP},
	{Base: "NotIpAddress", Class: IP, Negated: true},
	{Base: "ArnEquals", Class: ARN, Like: true, Variables: true},
	{Base: "ArnNotEquals", Class: ARN, Negated: true, Like: true, Variables: true},
	{Base: "ArnLike", Class: ARN, Like: true, Variables: true},
	{Base: "ArnNotLike", Class: ARN, Negated: true, Like: true, Variables: true},
	{Base: "Null", Class: Null},
}

var byName = func() map[string]Operator {
	m := make(map[string]Operator, len(Base))
	for _, op := range Base {
		m[op.Base] = op
	}
	return m
}()

// Parse takes an operator's name apart, as in
// "ForAnyValue:StringLikeIfExists". Names compare case-sensitively (C-2).
// It returns false for a name that is no operator; NullIfExists is none (C-5).
func Parse(name string) (op Operator, ok bool) {
	set := Single
	if rest, found := strings.CutPrefix(name, ForAllPrefix); found {
		name, set = rest, ForAllValues
	} else if rest, found := strings.CutPrefix(name, ForAnyPrefix); found {
		name, set = rest, ForAnyValue
	}
	name, ifExists := strings.CutSuffix(name, IfExistsSuffix)
	op, ok = byName[name]
	if !ok || ifExists && op.Class == Null {
		return Operator{}, false
	}
	op.Set, op.IfExists = set, ifExists
	return op, true
}
