// SPDX-License-Identifier: Apache-2.0

package prose

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		name, got, want string
	}{
		{"a-user", Principal("arn:aws:iam::111122223333:user/team/fred"), "fred"},
		{"a-role", Principal("arn:aws:iam::111122223333:role/team/app"), "role app"},
		{"a-session", Principal("arn:aws:sts::111122223333:assumed-role/app/s1"), "role app (session s1)"},
		{"a-federated-user", Principal("arn:aws:sts::111122223333:federated-user/fed"), "federated user fed"},
		{"root", Principal("arn:aws:iam::111122223333:root"), "account 111122223333"},
		{"an-account", Principal("111122223333"), "account 111122223333"},
		{"a-service", Principal("ec2.amazonaws.com"), "ec2.amazonaws.com"},
		{"a-group", Principal("arn:aws:iam::111122223333:group/g"), "arn:aws:iam::111122223333:group/g"},
		{"an-object", Resource("arn:aws:s3:::b/home/fred/x"), "b/home/fred/x"},
		{"a-queue", Resource("arn:aws:sqs:eu-west-1:111122223333:q"), "arn:aws:sqs:eu-west-1:111122223333:q"},
		{"a-managed-policy", Policy("arn:aws:iam::aws:policy/job-function/Billing"), "Billing"},
		{"an-inline-policy", Policy("own/notes"), "own/notes"},
		{"a-statement-with-a-sid", Statement("readers", "ReadOwn", 2, 3, 5), "statement ReadOwn of readers (3:5)"},
		{"a-statement-without", Statement("", "", 2, 0, 0), "statement 3"},
		{"an-empty-value", Value(""), `""`},
		{"a-value-with-a-blank", Value("a b"), `"a b"`},
		{"a-value-that-breaks-lines", Value("a\nDenied: b"), `"a\nDenied: b"`},
		{"a-long-value", Value(strings.Repeat("x", 200)), strings.Repeat("x", 160) + "…"},
		{"four-values", OneOf([]string{"a", "b", "c", "d"}), "a, b, c or d"},
		{"five-values", AllOf([]string{"a", "b", "c", "d", "e"}), "a, b, c and 2 more"},
		{"no-values", OneOf(nil), "nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.got != tc.want {
				t.Errorf("got %s, want %s", tc.got, tc.want)
			}
		})
	}
}

func TestElements(t *testing.T) {
	condition := func(operator string, has []string, by string, wants ...string) Element {
		return Element{Name: "Condition", Operator: operator, Key: "x:k", Has: has, By: by, Wants: wants}
	}
	one := []string{"7"}
	for _, tc := range []struct {
		name                 string
		element              Element
		line, wanted, reason string
	}{
		{"a-value-that-fits", Element{Name: "Action", Matched: true, Wants: []string{"s3:*", "ec2:*"}, Has: []string{"s3:Get"}, By: "s3:*"}, "Action: s3:Get matches s3:*", "", ""},
		{"one-that-does-not", Element{Name: "Action", Wants: []string{"ec2:*"}, Has: []string{"s3:Get"}}, "Action: s3:Get does not match ec2:*", "", ""},
		{"many-that-do-not", Element{Name: "NotAction", Wants: []string{"a:*", "b:*", "c:*", "d:*", "e:*"}, Has: []string{"s3:Get"}}, "NotAction: s3:Get matches none of a:*, b:*, c:* and 2 more", "", ""},
		{"an-empty-list", Element{Name: "Resource", Has: []string{"x"}}, "Resource: x matches nothing, there is no value", "", ""},
		{"a-missing-key", condition("Bool", nil, "", "true"), "Condition Bool x:k wants true, request has none", "x:k is true", "the request does not have x:k"},
		{"equality", condition("StringEquals", one, "7", "7", "8"), "Condition StringEquals x:k wants 7 or 8, request has 7", "x:k is 7 or 8", "x:k is 7"},
		{"inequality", condition("StringNotEquals", one, "", "8"), "Condition StringNotEquals x:k wants 8, request has 7", "x:k is not 8", "x:k is 7 (not 8)"},
		{"a-range", condition("NumericLessThan", one, "8", "8"), "Condition NumericLessThan x:k wants 8, request has 7", "x:k is less than 8", "x:k is 7 (less than 8)"},
		{"a-network", condition("NotIpAddress", []string{"192.0.2.1"}, "", "10.0.0.0/8"), "Condition NotIpAddress x:k wants 10.0.0.0/8, request has 192.0.2.1",
			"x:k is not in 10.0.0.0/8", "x:k is 192.0.2.1 (not in 10.0.0.0/8)"},
		{"every-value", condition("ForAllValues:StringLike", []string{"a", "b"}, "a", "a*"), "Condition ForAllValues:StringLike x:k wants a*, request has a and b",
			"every value of x:k is like a*", "x:k is a and b (like a*)"},
		{"some-value-if-it-exists", condition("ForAnyValue:StringEqualsIfExists", one, "", "a"), "Condition ForAnyValue:StringEqualsIfExists x:k wants a, request has 7",
			"some value of x:k is absent or is a", "x:k is 7 (a)"},
		{"absence", condition("Null", one, "true", "true"), "Condition Null x:k wants true, request has 7", "x:k is absent", "x:k is 7"},
		{"presence", condition("Null", nil, "", "false"), "Condition Null x:k wants false, request has none", "x:k is present", "the request does not have x:k"},
		{"several-values-without-a-set-operator", condition("StringEquals", []string{"a", "b"}, "", "z"), "Condition StringEquals x:k wants z, request has a and b",
			"x:k is z", "x:k is a and b, more than one value"},
		{"an-unknown-operator", condition("Sounds", one, "", "z"), "Condition Sounds x:k wants z, request has 7", "x:k Sounds z", "x:k is 7 (z)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.element.Line(); got != tc.line {
				t.Errorf("Line() = %s\nwant %s", got, tc.line)
			}
			if tc.element.Name != "Condition" {
				return
			}
			if got := tc.element.Wanted(); got != tc.wanted {
				t.Errorf("Wanted() = %s, want %s", got, tc.wanted)
			}
			if got := tc.element.reason(); got != tc.reason {
				t.Errorf("reason() = %s, want %s", got, tc.reason)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	element := func(name string, matched bool, wants ...string) Element {
		return Element{Name: name, Matched: matched, Wants: wants}
	}
	condition, two := &Stated{Name: "a condition", Elements: []Element{element("Action", true), element("Condition", false)}},
		&Stated{Name: "two conditions", Elements: []Element{element("Condition", false), element("Condition", false)}}
	resource, action := &Stated{Name: "the resource", Elements: []Element{element("Resource", false), element("Condition", false)}},
		&Stated{Name: "the action", Elements: []Element{element("Action", false, "ec2:*", "S3:Put*")}}
	other := &Stated{Name: "another service", Elements: []Element{element("Action", false, "ec2:*", "*")}}
	both := &Stated{Name: "resource and principal", Elements: []Element{element("Resource", false), element("Principal", false)}}
	for _, tc := range []struct {
		name string
		list []*Stated
		want *Stated
	}{
		{"none", nil, nil},
		{"a-condition-is-nearer-than-two", []*Stated{two, condition}, condition},
		{"conditions-are-nearer-than-the-resource", []*Stated{resource, two}, two},
		{"the-first-of-equals", []*Stated{action, {Elements: []Element{element("Resource", false)}}}, action},
		{"another-service-is-not-near", []*Stated{other}, nil},
		{"two-elements-are-not-near", []*Stated{both}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Nearest(tc.list, "s3:PutObject"); got != tc.want {
				t.Errorf("Nearest = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestTree(t *testing.T) {
	tree := Tree{Style: func(good bool, text string) string {
		if good {
			return "+" + text
		}
		return "-" + text
	}}
	tree.Title("Denied: it is not allowed: really.", false)
	tree.Layer("service control policy", 2, "allows", true, "", "")
	tree.Layer("resource-based policy", 0, "silent", false, "account", "of no use")
	tree.Policy("bucket", "unreadable")
	tree.Statement("Deny", "#2", 3, 5, true, []Element{{Name: "Action", Matched: true, Has: []string{"s3:Get"}, By: "*"}})
	tree.Statement("Allow", "Own", 0, 0, true, nil)
	tree.Statement("Allow", "Own", 0, 0, false, []Element{{Name: "Action", Has: []string{"s3:Get"}, Wants: []string{"ec2:*"}}})
	const want = `-Denied: it is not allowed: really.
  +✓ service control policy, level 2: +allows
  -✗ resource-based policy: -silent, caller matched as account (of no use)
      bucket
      -✗ error: unreadable
        Deny #2 (3:5) -applies
          +✓ Action: s3:Get matches *
        Allow Own +applies
        Allow Own does not apply
          -✗ Action: s3:Get does not match ec2:*
`
	if got := tree.String(); got != want {
		t.Errorf("the tree is\n%s\nwant\n%s", got, want)
	}
}
