// SPDX-License-Identifier: Apache-2.0

package orgs

import "slices"

// ServiceIAM is the principal of IAM, to which the root users of member accounts
// are entrusted.
const ServiceIAM = "iam.amazonaws.com"

// Trusts reports whether an AWS service may act in the organization.
func (o *Organization) Trusts(principal string) bool { return has(o.Services, principal) }

// Administers reports whether an active account manages the organization, or
// administers an AWS service in it.
func (o *Org) Administers(account, principal string) bool {
	m, err := o.Member(account)
	return err == nil && m.State == MemberActive && (account == o.management || has(m.Delegated, principal))
}

func has(list []ServiceAccess, principal string) bool {
	return slices.ContainsFunc(list, func(a ServiceAccess) bool { return a.Principal == principal })
}
