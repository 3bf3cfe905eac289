// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// principal checks Principal or NotPrincipal (P-7, M-7, M-14).
func (v *validator) principal() {
	s, block := v.at, v.at.Principal
	switch {
	case block == nil:
		if v.rules.principal == required {
			v.report(s.Start, v.path("Principal"), MissingPrincipal, `add "Principal"`, "the statement has no principal", "Missing required field Principal")
		}
		return
	case v.rules.principal == forbidden:
		v.report(block.Pos, v.path(not(block.Not)+"Principal"), ProhibitedElement, "remove it: the policy applies to what it is attached to",
			fmt.Sprintf("a policy of kind %s cannot have a principal", v.kind), "Policy document should not specify a principal.")
		return
	}
	path := func() string { return v.path(not(block.Not) + "Principal") }
	switch {
	case v.rules.denyOnly && (block.Not || !block.Everyone):
		v.report(block.Pos, path(), ProhibitedElement, `write "Principal": "*" and use a condition`,
			`a resource control policy must have "Principal": "*"`, syntaxErrors)
	case block.Not && !v.rules.notPrincipal:
		v.report(block.Pos, path(), ProhibitedElement, `use "Principal"`,
			fmt.Sprintf("a policy of kind %s cannot have NotPrincipal", v.kind), "Has prohibited field NotPrincipal.")
	case block.Not && s.Effect == Allow:
		v.report(block.Pos, path(), ProhibitedElement, `use "Principal", or "Effect": "Deny"`, "NotPrincipal cannot stand with Allow", syntaxErrors)
	case block.Everyone:
	default:
		v.principalValues(block)
	}
}

// principalValues checks the values of each type of principal. None may have a
// partial wildcard (M-7).
func (v *validator) principalValues(block *PrincipalBlock) {
	element := not(block.Not) + "Principal"
	empty := true
	for _, typ := range principalTypes {
		list := *block.list(typ)
		for i, p := range list {
			empty = false
			if fix := principalProblem(typ, p.Text, v.kind); fix != "" {
				v.report(p.Pos, v.value(element+"."+typ, i, list), InvalidPrincipal, fix, jsontext.Quote(p.Text)+" is no principal of type "+typ,
					fmt.Sprintf(`Invalid principal in policy: "%s":"%s"`, typ, p.Text))
			}
		}
	}
	if empty {
		v.report(block.Pos, v.path(element), MissingPrincipal, "name at least one", "the statement has no principals",
			"Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no principals!")
	}
}

// principalProblem returns how to mend a principal, or "" when it is well formed.
func principalProblem(typ, text string, kind Kind) (fix string) {
	switch {
	case typ == "AWS" && text == "*":
		return ""
	case typ == "CanonicalUser" && kind == Trust:
		return "use AWS, Service or Federated"
	case strings.Contains(text, "${"):
		return "write it out: principals cannot have variables"
	case strings.ContainsAny(text, "*?"):
		return "write it out, or match aws:PrincipalArn in a condition: principals cannot have wildcards"
	case text == "" || strings.ContainsAny(text, " \t\r\n") && typ != "AWS":
		return "write one principal"
	case typ == "Service" && !strings.Contains(text, "."):
		return `write a name such as "ec2.amazonaws.com"`
	case typ == "AWS" && !isAWSPrincipal(text):
		return "write an account id, the ARN of an account root, user, role or session, or *"
	}
	return ""
}

// isAWSPrincipal reports whether text, which has no wildcards, names an account,
// user, role or session; or is the unique id that the ARN of a deleted user or
// role becomes (M-11). The account "cloudfront" owns the origin access
// identities of CloudFront.
func isAWSPrincipal(text string) bool {
	if arn.IsAccountID(text) || isUniqueID(text) {
		return true
	}
	e, ok := arn.SplitEntity(text)
	if !ok || e.Partition == "" || !arn.IsAccountID(e.Account) && e.Account != "cloudfront" {
		return false
	}
	switch e.Kind {
	case arn.KindRoot, arn.KindUser, arn.KindRole, arn.KindAssumedRole, arn.KindFederatedUser:
		return true
	}
	return false
}

// isUniqueID reports whether text has the form of the unique id of a user or role.
func isUniqueID(text string) bool {
	if len(text) < 16 || len(text) > 128 || !strings.HasPrefix(text, "AIDA") && !strings.HasPrefix(text, "AROA") {
		return false
	}
	for _, c := range []byte(text) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
