// SPDX-License-Identifier: Apache-2.0

package policy

import "testing"

func TestParseOperator(t *testing.T) {
	good := map[string]operatorInfo{
		"StringEquals":         {base: "StringEquals", class: stringClass, variables: true},
		"StringLikeIfExists":   {base: "StringLike", class: stringClass, like: true, variables: true, ifExists: true},
		"ForAnyValue:ArnLike":  {base: "ArnLike", class: arnClass, like: true, variables: true, set: forAnyValue},
		"NumericGreaterThan":   {base: "NumericGreaterThan", class: numericClass, relation: greater},
		"DateLessThanEquals":   {base: "DateLessThanEquals", class: dateClass, relation: lessOrEqual},
		"Null":                 {base: "Null", class: nullClass},
		"NotIpAddressIfExists": {base: "NotIpAddress", class: ipClass, negated: true, ifExists: true},
		"ForAllValues:StringNotEqualsIgnoreCaseIfExists": {base: "StringNotEqualsIgnoreCase", class: stringClass,
			negated: true, ignoreCase: true, variables: true, set: forAllValues, ifExists: true},
	}
	for in, want := range good {
		if got, ok := parseOperator(in); !ok || got != want {
			t.Errorf("parseOperator(%q) = %+v, %v, want %+v", in, got, ok, want)
		}
	}
	bad := []string{"", "IfExists", "ForAllValues:", "stringequals", "StringEqual", "NullIfExists", "ForAnyValue:NullIfExists",
		"ForAnyValues:StringEquals", "forAnyValue:StringEquals", "ForAnyValue:ForAllValues:StringEquals", "StringEqualsIfExistsIfExists",
		"StringEquals ", "BoolNot", "NumericLike"}
	for _, in := range bad {
		if got, ok := parseOperator(in); ok {
			t.Errorf("parseOperator(%q) = %+v, want none", in, got)
		}
	}
}

func TestParseOperatorDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { parseOperator("ForAllValues:StringNotLikeIfExists") }); n != 0 {
		t.Errorf("parseOperator allocates %v times, want 0", n)
	}
}
