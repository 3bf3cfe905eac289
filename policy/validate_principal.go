// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
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
	for _, typ := range form.PrincipalTypes {
		list := *block.list(typ)
		for i, p := range list {
			empty = false
			v.fault(p.Pos, func() string { return v.value(element+"."+typ, i, list) }, InvalidPrincipal, form.Principal(typ, p.Text, v.kind == Trust))
		}
	}
	if empty {
		v.report(block.Pos, v.path(element), MissingPrincipal, "name at least one", "the statement has no principals",
			"Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no principals!")
	}
}
