// SPDX-License-Identifier: Apache-2.0

package operator

import "testing"

func TestParse(t *testing.T) {
	good := map[string]Operator{
		"StringEquals":         {Base: "StringEquals", Class: String, Variables: true},
		"StringLikeIfExists":   {Base: "StringLike", Class: String, Like: true, Variables: true, IfExists: true},
		"ForAnyValue:ArnLike":  {Base: "ArnLike", Class: ARN, Like: true, Variables: true, Set: ForAnyValue},
		"NumericGreaterThan":   {Base: "NumericGreaterThan", Class: Numeric, Relation: Greater},
		"DateLessThanEquals":   {Base: "DateLessThanEquals", Class: Date, Relation: LessOrEqual},
		"Null":                 {Base: "Null", Class: Null},
		"NotIpAddressIfExists": {Base: "NotIpAddress", Class: IP, Negated: true, IfExists: true},
		"ForAllValues:StringNotEqualsIgnoreCaseIfExists": {Base: "StringNotEqualsIgnoreCase", Class: String,
			Negated: true, IgnoreCase: true, Variables: true, Set: ForAllValues, IfExists: true},
	}
	for in, want := range good {
		if got, ok := Parse(in); !ok || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", in, got, ok, want)
		}
	}
	bad := []string{"", "IfExists", "ForAllValues:", "stringequals", "StringEqual", "NullIfExists", "ForAnyValue:NullIfExists",
		"ForAnyValues:StringEquals", "forAnyValue:StringEquals", "ForAnyValue:ForAllValues:StringEquals", "StringEqualsIfExistsIfExists",
		"StringEquals ", "BoolNot", "NumericLike"}
	for _, in := range bad {
		if got, ok := Parse(in); ok {
			t.Errorf("Parse(%q) = %+v, want none", in, got)
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Parse("ForAllValues:StringNotLikeIfExists") }); n != 0 {
		t.Errorf("Parse allocates %v times, want 0", n)
	}
}

func TestLikely(t *testing.T) {
	for _, tc := range []struct{ name, operator, fix, message string }{
		{"another-letter-case", "stringequals", `write "StringEquals": operators are case-sensitive`, `unknown condition operator "stringequals"`},
		{"a-slip", "StringEqual", `did you mean "StringEquals"?`, `unknown condition operator "StringEqual"`},
		{"a-slip-in-the-prefix", "ForAllValue:StringLike", `did you mean "ForAllValues:StringLike"?`, `unknown condition operator "ForAllValue:StringLike"`},
		{"a-suffix-in-another-letter-case", "BoolIfexists", `write "BoolIfExists": operators are case-sensitive`, `unknown condition operator "BoolIfexists"`},
		{"null-with-a-suffix", "NullIfExists", "remove IfExists: Null itself asks whether the key exists", "Null cannot stand with IfExists"},
		{"nothing-like-an-operator", "Sounds", "", `unknown condition operator "Sounds"`},
		{"an-unknown-prefix", "Some:StringEquals", "", `unknown condition operator "Some:StringEquals"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if fix, message := Likely(tc.operator); fix != tc.fix || message != tc.message {
				t.Errorf("Likely(%q) = %q, %q, want %q, %q", tc.operator, fix, message, tc.fix, tc.message)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	for _, tc := range []struct {
		name, operator, value string
		variables             bool
		want                  string
	}{
		{"a-number", "NumericEquals", "7", true, ""},
		{"no-number", "NumericEquals", "seven", true, "it is not a number"},
		{"no-date", "DateLessThan", "soon", true, "it is not an ISO 8601 date or seconds since 1970"},
		{"no-address", "IpAddress", "10.0.0", true, "it is not an IP address or CIDR range"},
		{"no-base64", "BinaryEquals", "?", true, "it is not base64"},
		{"a-variable-for-a-number", "NumericEquals", "${a:b}", true, "variables have no meaning for this operator"},
		{"a-boolean", "Bool", "TRUE", true, ""},
		{"no-boolean", "Bool", "yes", true, "it is neither true nor false"},
		{"a-variable-for-a-boolean", "Bool", "${a:b}", true, ""},
		{"a-variable-where-there-are-none", "Bool", "${a:b}", false, "variables have no meaning for this operator"},
		{"null-with-no-boolean", "Null", "yes", true, "it is neither true nor false"},
		{"any-text", "StringEquals", "*${a:b}", true, ""},
		{"a-broken-variable", "StringEquals", "${a", true, `"${" without its "}": write ${$} for a dollar sign before a brace`},
		{"a-dollar-sign-where-there-are-no-variables", "StringEquals", "${a", false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			op, ok := Parse(tc.operator)
			if !ok {
				t.Fatalf("Parse(%q) finds no operator", tc.operator)
			}
			if got := op.Unreadable(tc.value, tc.variables); got != tc.want {
				t.Errorf("Unreadable(%q, %v) of %s = %q, want %q", tc.value, tc.variables, tc.operator, got, tc.want)
			}
		})
	}
}

func TestRelations(t *testing.T) {
	for r, want := range map[Relation][3]bool{ // by the signs -1, 0 and 1
		Equal: {false, true, false}, Less: {true, false, false}, LessOrEqual: {true, true, false},
		Greater: {false, false, true}, GreaterOrEqual: {false, true, true}, GreaterOrEqual + 1: {},
	} {
		if got := [3]bool{r.Holds(-1), r.Holds(0), r.Holds(1)}; got != want {
			t.Errorf("relation %d holds for -1, 0, 1: %v, want %v", r, got, want)
		}
	}
}
