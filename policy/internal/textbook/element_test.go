// SPDX-License-Identifier: Apache-2.0

package textbook

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// values has a value for every variable but "missing", and takes defaults.
func values(v template.Piece) (string, bool) {
	if v.Text == "missing" {
		return v.Fallback, v.HasFallback
	}
	return "a:*", true
}

func TestConditions(t *testing.T) {
	none, one, two := []string(nil), []string{"7"}, []string{"7", "8"}
	for _, tc := range []struct {
		name, operator string
		has, wants     []string
		deny, met      bool
		by             int
	}{
		{"the-second-value", "StringEquals", one, []string{"6", "7"}, false, true, 1},
		{"no-value", "StringEquals", one, []string{"6"}, false, false, -1},
		{"a-negation", "StringNotEquals", one, []string{"6"}, false, true, -1},
		{"a-negation-of-what-is-listed", "StringNotEquals", one, []string{"6", "7"}, false, false, 1},
		{"letter-case-counts", "StringEquals", []string{"a"}, []string{"A"}, false, false, -1},
		{"letter-case-does-not-count", "StringEqualsIgnoreCase", []string{"a"}, []string{"A"}, false, true, 0},
		{"a-star", "StringLike", []string{"abc"}, []string{"a*"}, false, true, 0},
		{"a-star-where-there-are-none", "StringEquals", []string{"abc"}, []string{"a*"}, false, false, -1},
		{"a-variable", "StringEquals", []string{"a:*"}, []string{"${x}"}, false, true, 0},
		{"a-star-of-a-variable", "StringLike", []string{"a:b"}, []string{"${x}"}, false, false, -1},
		{"a-variable-without-a-value", "StringLike", []string{""}, []string{"${missing}"}, false, false, -1},
		{"numbers", "NumericEquals", one, []string{"7.0"}, false, true, 0},
		{"less", "NumericLessThan", one, []string{"7", "8"}, false, true, 1},
		{"not-less", "NumericGreaterThanEquals", one, []string{"7"}, false, true, 0},
		{"greater", "NumericGreaterThan", one, []string{"7"}, false, false, -1},
		{"no-number", "NumericNotEquals", []string{"x"}, one, false, true, -1},
		{"dates", "DateLessThanEquals", []string{"2026-01-01"}, []string{"1767225600"}, false, true, 0},
		{"an-address", "IpAddress", []string{"10.1.2.3"}, []string{"10.0.0.0/8"}, false, true, 0},
		{"raw-bytes", "BinaryEquals", []string{"Binary"}, []string{"QmluYXJ5"}, false, true, 0},
		{"base64", "BinaryEquals", []string{"QmluYXJ5"}, []string{"QmluYXJ5"}, false, true, 0},
		{"a-boolean", "Bool", []string{"TRUE"}, []string{"true"}, false, true, 0},
		{"parts-of-an-arn", "ArnLike", []string{"arn:aws:s3:::b/k"}, []string{"arn:*:s3:*:*:b/*"}, false, true, 0},
		{"a-star-stays-in-its-part", "ArnLike", []string{"arn:aws:s3:::b"}, []string{"arn:*:b"}, false, false, -1},
		{"no-arn", "ArnLike", []string{"urn:aws:s3:::b"}, []string{"*:*:*:*:*:*"}, false, false, -1},
		{"no-key", "StringEquals", none, one, false, false, -1},
		{"no-key-and-a-negation", "StringNotEquals", none, one, false, true, -1},
		{"no-key-if-exists", "StringEqualsIfExists", none, one, false, true, -1},
		{"no-key-for-all-values", "ForAllValues:StringEquals", none, one, false, true, -1},
		{"no-key-for-any-value", "ForAnyValue:StringNotEquals", none, one, false, false, -1},
		{"absent", "Null", none, []string{"false", "true"}, false, true, 1},
		{"present", "Null", one, []string{"true"}, false, false, -1},
		{"Q006-several-values-of-an-allow", "StringEquals", two, two, false, false, 0},
		{"Q006-several-values-of-a-deny", "StringEquals", two, nil, true, true, -1},
		{"all-values", "ForAllValues:StringEquals", two, two, false, true, 0},
		{"not-all-values", "ForAllValues:StringEquals", two, one, false, false, 0},
		{"any-value", "ForAnyValue:StringEquals", two, []string{"8"}, false, true, 0},
		{"not-any-value", "ForAnyValue:StringEquals", two, []string{"9"}, false, false, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			op, ok := operator.Parse(tc.operator)
			if !ok {
				t.Fatalf("operator.Parse(%q) finds none", tc.operator)
			}
			c := Condition{Operator: op, Wants: tc.wants, Has: tc.has, Deny: tc.deny,
				Expand: func(text string, wildcards bool) (Pattern, bool) { return Expand(text, wildcards, true, values) }}
			if met, by := c.Met(); met != tc.met || by != tc.by {
				t.Errorf("%s: %q has %q: Met() = %v, %d, want %v, %d", tc.operator, tc.wants, tc.has, met, by, tc.met, tc.by)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	for _, tc := range []struct {
		name, text           string
		wildcards, variables bool
		want                 string
		ok                   bool
	}{
		{"a-variable", "x/${y}", true, true, "x/a:*", true},
		{"a-default", "${missing, 'd'}", true, true, "d", true},
		{"no-value", "x${missing}", true, true, "x", false},
		{"no-variables", "${missing}", true, false, "${missing}", true},
		{"a-broken-one", "${", true, true, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if p, ok := Expand(tc.text, tc.wildcards, tc.variables, values); p.String() != tc.want || ok != tc.ok {
				t.Errorf("Expand(%q) = %q, %v, want %q, %v", tc.text, p, ok, tc.want, tc.ok)
			}
		})
	}
	if p, _ := Expand("*", false, true, values); p.Wild() {
		t.Error("Expand without wildcards makes one")
	}
}

func TestResources(t *testing.T) {
	for _, tc := range []struct {
		name, text, resource string
		wide, padded, narrow bool
	}{
		{"the-same", "arn:aws:s3:::b", "arn:aws:s3:::b", true, true, true},
		{"a-star-over-colons", "arn:aws:*b", "arn:aws:s3:::b", true, false, false},
		{"a-star-in-its-part", "arn:*:s3:::b", "arn:aws:s3:::b", true, true, true},
		{"missing-parts", "arn:aws:s3", "arn:aws:s3:::b", true, true, false},
		{"a-wildcard-in-the-service", "arn:aws:s?:::b", "arn:aws:s3:::b", true, false, false},
		{"colons-of-the-last-part", "arn:aws:sns:a:b:*", "arn:aws:sns:a:b:c:d", true, true, true},
		{"a-variable-before-the-fifth-colon", "arn:aws:s3::${y}:b", "arn:aws:s3::a:*:b", true, false, false},
		{"a-variable-after-it", "arn:aws:s3:::${y}", "arn:aws:s3:::a:*", true, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := ReadResource(tc.resource)
			p, _ := Expand(tc.text, true, true, values)
			wide, padded, narrow := r.Wide(p), r.Narrow(p, tc.text, true, true), r.Narrow(p, tc.text, false, true)
			if wide != tc.wide || padded != tc.padded || narrow != tc.narrow {
				t.Errorf("%q matches %q wide, padded, narrow: %v, %v, %v, want %v, %v, %v", tc.text, tc.resource, wide, padded, narrow, tc.wide, tc.padded, tc.narrow)
			}
		})
	}
}

func TestMatchAction(t *testing.T) {
	for _, tc := range []struct {
		name, pattern, action string
		want                  bool
	}{
		{"letter-case", "S3:get*", "s3:GetObject", true},
		{"everything", "**", "s3:GetObject", true},
		{"a-star-stays-before-the-colon", "s*t", "s3:Get", false},
		{"Q022-nothing", "", "s3:Get", false},
		{"Q022-a-blank", "s3:G t", "s3:G t", false},
		{"an-action-without-a-name", "s3:*", "s3", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := MatchAction(tc.pattern, tc.action); got != tc.want {
				t.Errorf("MatchAction(%q, %q) = %v, want %v", tc.pattern, tc.action, got, tc.want)
			}
		})
	}
}

func TestSameKey(t *testing.T) {
	keys := []string{"AWS:username", "aws:UserName", "aws:userName"}
	for key, want := range map[string]string{"aws:UserName": "aws:UserName", "aws:username": "AWS:username", "aws:userid": "", "\u212aey": ""} {
		if got, ok := SameKey(key, append(keys, "key")); got != want || ok != (want != "") {
			t.Errorf("SameKey(%q) = %q, %v, want %q", key, got, ok, want)
		}
	}
}
