// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// resources checks Resource or NotResource.
func (v *validator) resources() {
	s := v.at
	element := not(s.NotResource) + "Resource"
	switch {
	case v.rules.resource == forbidden:
		if s.HasResource {
			v.report(s.ResourcePos, v.path(element), ProhibitedElement, "remove it: the role itself is the resource",
				"a trust policy cannot have "+element, "Has prohibited field "+element+".")
		}
		return
	case len(s.Resource) == 0:
		if v.rules.resource == required || s.HasResource {
			v.report(cmp.Or(s.ResourcePos, s.Start), v.path(element), MissingResource, `add "Resource"`, "the statement has no resources", "Policy statement must contain resources.")
		}
		return
	}
	for i, r := range s.Resource {
		if v.full() {
			return
		}
		path := func() string { return v.value(element, i, s.Resource) }
		if !v.rules.arns {
			if r.Text == "" {
				v.report(r.Pos, path(), InvalidResource, "", "the resource is empty", form.NotARN(r.Text))
			}
		} else if fault, malformed := form.Resource(r.Text); fault != (form.Fault{}) {
			v.fault(r.Pos, path, pick(malformed, MalformedResource, InvalidResource), fault)
			continue
		}
		if _, err := parseTemplate(r.Text, true, v.variables); err != nil {
			v.report(r.Pos, path(), InvalidVariable, "", "in the resource "+jsontext.Quote(r.Text)+": "+err.Error(), legacyParsing)
		}
	}
}
